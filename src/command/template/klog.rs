//! The flags of Kubernetes' logger, which Helm takes and hides. Nothing here logs through it, so
//! their values are only held to their form.

use super::arguments::{OptionFlag, Options};
use crate::command::flags::{Integer, Place, go_bool, integer, integer_of};

type Check = fn(&mut Options, &str) -> Result<(), String>;

// k8s.io/klog/v2: klog.go InitFlags; helm: pkg/cmd/flags.go addKlogFlags
pub(super) fn flags() -> Vec<OptionFlag> {
    let flag = |name: &'static str, set: Check| {
        let place = Place::Other {
            set,
            kind: "value",
            default: "",
        };
        OptionFlag::new(name, place, "").hidden().inherited()
    };
    let text: Check = |_, _| Ok(());
    let bool: Check = |_, text| {
        go_bool(text)
            .map(|_| ())
            .map_err(|_| "parse error".to_owned())
    };
    let severity: Check = |_, text| severity(text);
    vec![
        flag("add-dir-header", bool).bare("true"),
        flag("alsologtostderr", bool).bare("true"),
        flag("alsologtostderrthreshold", severity),
        flag("legacy-stderr-threshold-behavior", bool).bare("true"),
        flag("log-backtrace-at", |_, text| trace(text)),
        flag("log-dir", text),
        flag("log-file", text),
        flag("log-file-max-size", |_, text| size(text)),
        flag("logtostderr", bool).bare("true"),
        flag("one-output", bool).bare("true"),
        flag("skip-headers", bool).bare("true"),
        flag("skip-log-headers", bool).bare("true"),
        flag("stderrthreshold", severity),
        flag("v", |_, text| level(text)).short(b'v'),
        flag("vmodule", |_, text| modules(text)),
    ]
}

const LEVEL: Integer = Integer {
    base: Some(10),
    bits: 32,
};

fn level(text: &str) -> Result<(), String> {
    integer_of(text, LEVEL).map(|_| ())
}

// klog: severityValue.Set
fn severity(text: &str) -> Result<(), String> {
    match text.to_uppercase().as_str() {
        "INFO" | "WARNING" | "ERROR" | "FATAL" => Ok(()),
        _ => level(text),
    }
}

// go: flag uint64Value.Set
fn size(text: &str) -> Result<(), String> {
    let signed = text.starts_with(['-', '+']);
    match integer(text) {
        Ok(_) if !signed => Ok(()),
        Err(reason) if !signed && reason.ends_with("out of range") => {
            let fits = text.parse::<u64>().is_ok();
            if fits {
                Ok(())
            } else {
                Err("value out of range".to_owned())
            }
        }
        _ => Err("parse error".to_owned()),
    }
}

// klog: traceLocation.Set
fn trace(text: &str) -> Result<(), String> {
    let syntax = || "syntax error: expect file.go:234".to_owned();
    if text.is_empty() {
        return Ok(());
    }
    let (file, line) = text.split_once(':').ok_or_else(syntax)?;
    let line = integer_of(line, Integer { bits: 64, ..LEVEL }).map_err(|_| syntax())?;
    if !file.contains('.') {
        return Err(syntax());
    }
    if line <= 0 {
        return Err("negative or zero value for level".to_owned());
    }
    Ok(())
}

// klog: parseModuleSpec
fn modules(text: &str) -> Result<(), String> {
    let syntax = || "syntax error: expect comma-separated list of filename=N".to_owned();
    for module in text.split(',').filter(|module| !module.is_empty()) {
        let (name, number) = module.split_once('=').ok_or_else(syntax)?;
        let number = integer_of(number, LEVEL).map_err(|_| syntax())?;
        if name.is_empty() {
            return Err(syntax());
        }
        if number < 0 {
            return Err("negative value for vmodule level".to_owned());
        }
    }
    Ok(())
}
