//! Which release, and which chart.

use std::path::{Path, PathBuf};

use pintle::chart::{Chart, Warning};
use pintle::source::directory;

use super::arguments::Options;
use super::download::Downloader;
use super::getter::Getter;
use super::settings::clean;
use super::{Failed, Log};
use crate::command::files::go_error;
use crate::command::flags::go_quoted;

/// The release's name and the chart that the arguments name.
/// helm: pkg/action/install.go NameAndChart
pub(super) fn name_and_chart(
    arguments: &[String],
    options: &Options,
) -> Result<(String, String), Failed> {
    let failed = |words: &str| Err(Failed(words.to_owned()));
    match arguments {
        [] => failed("must either provide a name or specify --generate-name"),
        [chart] => Ok((single(options)?, chart.clone())),
        [_, _] if options.generate_name => {
            failed("cannot set --generate-name and also specify a name")
        }
        [_, _] if !options.name_template.is_empty() => {
            failed("cannot set --name-template and also specify a name")
        }
        [name, chart] => Ok((name.clone(), chart.clone())),
        [_, _, more @ ..] => Err(Failed(format!(
            "expected at most two arguments, unexpected arguments: {}",
            more.join(", ")
        ))),
    }
}

/// The name of a release that the arguments do not name. Helm's `template`, unlike its `install`,
/// has one ready, so that `--generate-name` never comes to bear.
fn single(options: &Options) -> Result<String, Failed> {
    if options.name_template.is_empty() {
        return Ok("release-name".to_owned());
    }
    let environment = super::environment(options.enable_dns);
    pintle::render::text(&options.name_template, environment).map_err(|error| Failed::of(&error))
}

/// helm: pkg/chart/v2/util/validate_name.go, pkg/action/install.go availableName
pub(super) fn check_name(name: &str, log: Log) -> Result<(), Failed> {
    let reason = if name.is_empty() {
        "no name provided"
    } else if name.len() > 53 || !name.split('.').all(is_label) {
        "invalid release name, must match regex \
         ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ \
         and the length must not be longer than 53"
    } else {
        return Ok(());
    };
    let error = format!("release name {}: {reason}", go_quoted(name));
    log.say(&[Warning::error("release name check failed").with("error", error.as_str())]);
    Err(Failed(format!("release name check failed: {error}")))
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.first().is_some_and(|byte| inner(*byte))
        && bytes.last().is_some_and(|byte| inner(*byte))
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
}

/// Where the chart is. helm: pkg/action/install.go LocateChart
pub(super) fn locate(
    reference: &str,
    options: &Options,
    getter: &Getter,
    log: Log,
) -> Result<PathBuf, Failed> {
    let reference = reference.trim();
    let path = Path::new(reference);
    let origin = &options.origin;
    if origin.repo.is_empty() {
        if path.exists() {
            let path = std::path::absolute(path).map_err(|error| Failed::of(&error))?;
            let path = clean(&path);
            return match origin.verify {
                true => Err(refuse_to_verify(&path, &origin.keyring)),
                false => Ok(path),
            };
        }
        if path.is_absolute() || reference.starts_with('.') {
            return Err(Failed(format!("path {} not found", go_quoted(reference))));
        }
    }
    if origin.verify {
        return Err(Failed(NOT_VERIFIED.to_owned()));
    }
    Downloader::new(options, getter, log).download(reference)
}

const NOT_VERIFIED: &str = "--verify is not supported yet: pintle cannot verify signatures";

/// What Helm finds missing before it comes to signatures, or that they cannot be verified.
// helm: pkg/downloader/chart_downloader.go VerifyChart
fn refuse_to_verify(path: &Path, keyring: &str) -> Failed {
    let shown = path.display();
    let extension = path.extension().unwrap_or_default();
    if path.is_dir() {
        return Failed("unpacked charts cannot be verified".to_owned());
    }
    if !extension.eq_ignore_ascii_case("tgz") {
        return Failed("chart must be a tgz file".to_owned());
    }
    if let Err(error) = std::fs::metadata(format!("{shown}.prov")) {
        let reason = go_error(&error);
        return Failed(format!(
            "could not load provenance file {shown}.prov: stat {shown}.prov: {reason}"
        ));
    }
    match std::fs::File::open(keyring) {
        Err(error) => {
            let reason = go_error(&error);
            Failed(format!("failed to load keyring: open {keyring}: {reason}"))
        }
        Ok(_) => Failed(NOT_VERIFIED.to_owned()),
    }
}

/// Reads the chart, be it a folder or an archive.
pub(super) fn load(place: &Path, log: Log) -> Result<Chart, Failed> {
    let loaded = if place.is_dir() {
        let mut warnings = Vec::new();
        let files = directory::read(place, &mut warnings);
        log.say(&warnings);
        let files = files.map_err(|error| Failed::of(&error))?;
        Chart::from_files(files)
    } else {
        let shown = place.to_string_lossy();
        let bytes = std::fs::read(place)
            .map_err(|error| Failed(format!("open {shown}: {}", go_error(&error))))?;
        Chart::load_file(&shown, &bytes)
    };
    let chart = loaded.map_err(|error| Failed::of(&error))?;
    log.say(&chart.warnings);
    Ok(chart)
}
