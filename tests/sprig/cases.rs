//! Each template of `*.cases.json`, executed on its data, against what Go printed or complained of.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use pintle::sprig::{self, Environment};
use pintle::template::{Functions, Limits, Templates};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    template: String,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default)]
    output: String,
    #[serde(default)]
    base64: String,
    #[serde(default)]
    error: String,
}

/// A world in which nothing happens by chance.
fn environment() -> Rc<Environment> {
    environment_of("2026-03-04T05:06:07.123456789Z", Vec::new())
}

/// A world at a given time, whose random bytes start with the given ones.
pub(super) fn environment_of(now: &str, drawn: Vec<u8>) -> Rc<Environment> {
    let now = now.parse().unwrap();
    let mut state = 1_u64;
    let mut drawn = drawn.into_iter();
    Rc::new(Environment {
        now: Box::new(move || now),
        time_zone: jiff::tz::TimeZone::get("America/New_York").unwrap(),
        random: RefCell::new(Box::new(move |buffer| {
            for byte in buffer {
                if let Some(next) = drawn.next() {
                    *byte = next;
                    continue;
                }
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
        })),
        keyed: None,
        resolve_host: None,
    })
}

pub(super) fn templates(environment: &Rc<Environment>) -> Templates {
    let mut functions = Functions::builtin();
    for (name, function) in sprig::functions(environment) {
        functions.insert(name, function);
    }
    Templates::new(Rc::new(functions)).root("case")
}

fn execute(templates: &Templates, case: &Case) -> Result<Vec<u8>, String> {
    let mut templates = templates.clone();
    templates
        .parse("case", &case.template)
        .map_err(|error| error.to_string())?;
    let data = sprig::json::decode(case.data.to_string().as_bytes()).unwrap();
    let printed = templates.execute(
        "case",
        &data,
        Limits {
            depth: 200,
            ..Limits::default()
        },
    );
    printed
        .map(|text| text.to_vec())
        .map_err(|error| error.to_string())
}

fn shown(result: &Result<Vec<u8>, String>) -> String {
    match result {
        Ok(text) => format!("output {:?}", bstr::BStr::new(text)),
        Err(error) => format!("error {error:?}"),
    }
}

/// Runs a file of cases; each that differs is reported.
fn check(group: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sprig");
    let text = std::fs::read_to_string(folder.join(format!("{group}.cases.json"))).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    let templates = templates(&environment());
    let mut differing = Vec::new();
    for case in &cases {
        let expected = match (case.error.as_str(), case.base64.as_str()) {
            ("", "") => Ok(case.output.clone().into_bytes()),
            ("", base64) => Ok(decode_base64(&templates, base64)),
            (error, _) => Err(error.to_owned()),
        };
        let found = execute(&templates, case);
        if found != expected {
            let (found, expected) = (shown(&found), shown(&expected));
            differing.push(format!(
                "{}\n  data {}\n  here {found}\n  Go   {expected}",
                case.template, case.data
            ));
        }
    }
    let (count, total) = (differing.len(), cases.len());
    assert!(
        differing.is_empty(),
        "{count} of {total} differ:\n{}",
        differing.join("\n")
    );
}

fn decode_base64(templates: &Templates, text: &str) -> Vec<u8> {
    let case = Case {
        template: format!("{{{{ b64dec {text:?} }}}}"),
        data: serde_json::Value::Null,
        output: String::new(),
        base64: String::new(),
        error: String::new(),
    };
    execute(templates, &case).unwrap()
}

macro_rules! groups {
    ($($group:ident)*) => {
        $(#[test]
        fn $group() {
            check(stringify!($group));
        })*

        #[test]
        fn no_group_is_forgotten() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sprig");
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter_map(|name| name.strip_suffix(".cases.json").map(str::to_owned))
                .collect();
            files.sort();
            assert_eq!(files, [$(stringify!($group)),*]);
        }
    };
}

groups! {
    casing crypto dates defaults dicts encoding flow json lists merge numeric paths random reflection regex semver strings urls
}

#[test]
fn every_function_of_sprig_is_there() {
    let names: Vec<&str> = sprig::functions(&environment())
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "a name is there twice");
    let expected: Vec<String> = serde_json::from_str(include_str!("names.json")).unwrap();
    assert_eq!(unique, expected);
}
