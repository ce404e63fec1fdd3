//! Whole renders against Helm's engine: templates out of a grammar that has every action of
//! text/template and every function of Go, Sprig and Helm, executed on values out of another.
//!
//! In: `tests/differential/cases.jsonl`, a selection with what differed once, to which
//! tests/oracle/differential has written the answers. `PINTLE_DIFFERENTIAL_CASES=N` makes N new ones
//! with the oracle, from `PINTLE_DIFFERENTIAL_SEED` (1) on; `PINTLE_DIFFERENTIAL_FILE` names a file
//! of them. Out: where `PINTLE_DIFFERENTIAL_DIFFERENT` names a file, those that differ. Never: an
//! answer that Go gives only now and then; such cases must do no more than end.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle::chart::{Chart, File};
use pintle::render::{self, Environment, Inputs, NoCluster, ReleaseFacts};
use serde::Deserialize;
use serde_json::{Value, json};

/// As `testCase` in tests/oracle/differential.
#[derive(Deserialize)]
struct Case {
    text: String,
    #[serde(default)]
    values: String,
    #[serde(default)]
    output: String,
    #[serde(default)]
    bytes: String,
    #[serde(default)]
    error: String,
    #[serde(default)]
    unstable: bool,
}

// What every chart has, as `render` in tests/oracle/differential puts it together.
const COMMON_VALUES: &str = include_str!("differential/values.yaml");
const HELPERS: &str = include_str!("differential/helpers.tpl");

fn chart(case: &Case) -> Result<Chart, String> {
    let values = match case.values.as_str() {
        "" => COMMON_VALUES,
        values => values,
    };
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 1.2.3\nappVersion: \"4.5\"\ndescription: A chart\nkeywords: [a, b]\n",
        ),
        ("values.yaml", values),
        ("templates/_helpers.tpl", HELPERS),
        ("templates/NOTES.txt", &case.text),
        ("files/a.txt", "line one\nline two\n"),
        ("files/b.yaml", "a: {b: [1, 2]}\n"),
        ("config.json", r#"{"x": true}"#),
    ];
    let files = files.map(|(name, data)| File {
        name: name.to_owned(),
        data: data.as_bytes().into(),
        modified: None,
    });
    Chart::from_files(files.to_vec()).map_err(|error| words(&error))
}

fn inputs() -> Inputs {
    let set = json!({"set": {
        "i": 5, "big": 9_007_199_254_740_993_i64, "l": [3, "a", null, 1.5], "s": "given", "t": false,
    }});
    let Value::Object(values) = set else {
        unreachable!("an object was written down")
    };
    Inputs {
        release: ReleaseFacts {
            name: "r".to_owned(),
            namespace: "ns".to_owned(),
            revision: 1,
            is_install: true,
            is_upgrade: false,
        },
        values,
        environment: Environment {
            time_zone: jiff::tz::TimeZone::get("America/New_York").unwrap(),
            now: "2026-03-04T05:06:07Z".parse().unwrap(),
            ..Environment::default()
        },
        ..Inputs::default()
    }
}

/// An error and its sources, as Helm prints them.
fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", words(source)),
        None => error.to_string(),
    }
}

fn outcome(case: &Case) -> Result<String, String> {
    let chart = chart(case)?;
    match render::render(chart, inputs(), &NoCluster) {
        Ok(rendered) => Ok(rendered.notes),
        Err(failure) => Err(words(&failure.error)),
    }
}

/// What is no UTF-8 is shown as what a terminal would make of it, on both sides.
fn expected(case: &Case) -> Result<String, String> {
    if !case.error.is_empty() {
        return Err(case.error.clone());
    }
    match case.bytes.as_str() {
        "" => Ok(case.output.clone()),
        bytes => Ok(String::from_utf8_lossy(&STANDARD.decode(bytes).unwrap()).into_owned()),
    }
}

/// Errors are text here: how many marks stand for bytes that are no UTF-8 says nothing.
fn marked_once(mut error: String) -> String {
    let mark = char::REPLACEMENT_CHARACTER;
    let mut marked = false;
    error.retain(|c| !std::mem::replace(&mut marked, c == mark) || c != mark);
    error
}

fn difference(line: &str) -> Option<String> {
    let case: Case = serde_json::from_str(line).unwrap();
    let found = outcome(&case).map_err(marked_once);
    if case.unstable {
        return None;
    }
    let expected = expected(&case).map_err(marked_once);
    (found != expected).then(|| {
        let values = match case.values.find("r1:") {
            Some(own) => &case.values[own..],
            None => "",
        };
        format!(
            "{:?}\n  {values:?}\n  helm {expected:?}\n  here {found:?}",
            case.text
        )
    })
}

/// Checks cases on two threads; how many there were, and those that differ.
fn check(lines: impl Iterator<Item = String> + Send) -> (usize, Vec<(String, String)>) {
    let lines = std::sync::Mutex::new(lines);
    let work = || {
        let (mut count, mut differing) = (0, Vec::new());
        loop {
            let Some(line) = lines.lock().unwrap().next() else {
                return (count, differing);
            };
            count += 1;
            differing.extend(difference(&line).map(|told| (line, told)));
        }
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(work);
        let (count, mut differing) = work();
        let (others, more) = other.join().unwrap();
        differing.extend(more);
        differing.sort_by_key(|(_, told)| told.len());
        (count + others, differing)
    })
}

fn assert_none(count: usize, differing: &[(String, String)]) {
    if let Ok(path) = std::env::var("PINTLE_DIFFERENTIAL_DIFFERENT") {
        let mut file = std::fs::File::create(path).unwrap();
        for (line, _) in differing {
            writeln!(file, "{line}").unwrap();
        }
    }
    let told: Vec<&str> = differing.iter().map(|(_, told)| told.as_str()).collect();
    assert!(
        told.is_empty(),
        "{} of {count} differ:\n{}",
        told.len(),
        told[..told.len().min(40)].join("\n")
    );
}

#[test]
fn committed_cases_are_as_in_helm() {
    let lines = include_str!("differential/cases.jsonl")
        .lines()
        .map(str::to_owned);
    let (count, differing) = check(lines);
    assert!(count > 500, "only {count} cases");
    assert_none(count, &differing);
}

#[test]
fn new_cases_are_as_in_helm() {
    if let Ok(path) = std::env::var("PINTLE_DIFFERENTIAL_FILE") {
        let file = BufReader::new(std::fs::File::open(path).unwrap());
        let (count, differing) = check(file.lines().map(Result::unwrap));
        return assert_none(count, &differing);
    }
    let Ok(wanted) = std::env::var("PINTLE_DIFFERENTIAL_CASES") else {
        return;
    };
    let seed = std::env::var("PINTLE_DIFFERENTIAL_SEED").unwrap_or_else(|_| "1".to_owned());
    let mut oracle = Command::new("go")
        .args(["run", ".", "fuzz", &seed, &wanted])
        .current_dir(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/oracle/differential"
        ))
        .stdout(Stdio::piped())
        .spawn()
        .expect("PINTLE_DIFFERENTIAL_CASES needs Go");
    let lines = BufReader::new(oracle.stdout.take().unwrap()).lines();
    let (count, differing) = check(lines.map(Result::unwrap));
    assert!(oracle.wait().unwrap().success());
    assert_none(count, &differing);
}
