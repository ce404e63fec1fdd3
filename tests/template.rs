//! The template engine against Go's: every case in tests/template/*.cases, whose expectations
//! tests/oracle/template has written. To write them anew:
//!
//! ```text
//! cd tests/oracle/template && go run . ../../template
//! ```
//!
//! `TEMPLATE_CASES` names another folder, such as one that the oracle's generator has filled:
//!
//! ```text
//! go run . fuzz SEED COUNT FOLDER && go run . FOLDER
//! ```
#![allow(clippy::unwrap_used)]

#[path = "template/data.rs"]
mod data;
#[path = "template/functions.rs"]
mod functions;
#[path = "template/limits.rs"]
mod limits;

use std::path::PathBuf;
use std::rc::Rc;

use pintle::template::{Error, Limits, MissingKey, Templates, Text};

/// What the engine needs at worst under [`bounds`], and some more for the test itself.
const STACK: usize = 1 << 30;

fn bounds() -> Limits {
    Limits {
        steps: 5_000_000,
        output: 64 << 20,
        depth: 12_000,
    }
}

struct Case {
    data: String,
    missing_key: MissingKey,
    texts: Vec<(String, String)>,
}

fn read(text: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let (mut data, mut missing_key) = ("null".to_owned(), MissingKey::Default);
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(json) = line.strip_prefix("@data ") {
            data = json.to_owned();
        } else if let Some(option) = line.strip_prefix("@missingkey ") {
            missing_key = match option {
                "zero" => MissingKey::Zero,
                "error" => MissingKey::Error,
                _ => MissingKey::Default,
            };
        } else {
            let texts = match line {
                "<<<" => read_block(&mut lines),
                _ => vec![("main".to_owned(), line.to_owned())],
            };
            cases.push(Case {
                data: data.clone(),
                missing_key,
                texts,
            });
        }
    }
    cases
}

fn read_block<'t>(lines: &mut impl Iterator<Item = &'t str>) -> Vec<(String, String)> {
    let mut texts: Vec<(String, Vec<&str>)> = vec![("main".to_owned(), Vec::new())];
    for line in lines.take_while(|line| *line != ">>>") {
        match line.strip_prefix("=== ") {
            Some(name) => texts.push((name.to_owned(), Vec::new())),
            None => texts.last_mut().unwrap().1.push(line),
        }
    }
    if texts.len() > 1 && texts[0].1.is_empty() {
        texts.remove(0);
    }
    texts
        .into_iter()
        .map(|(name, lines)| (name, lines.join("\n")))
        .collect()
}

fn run(case: &Case, mut templates: Templates) -> Result<Text, Error> {
    for (name, text) in &case.texts {
        templates.parse(name, text)?;
    }
    let data = serde_json::from_str(&case.data).unwrap();
    templates.execute("main", &data::value(&data), bounds())
}

fn outcome(case: &Case) -> serde_json::Value {
    let set = || {
        Templates::new(Rc::new(functions::functions()))
            .missing_key(case.missing_key)
            .root("root")
    };
    let first = shown(run(case, set()));
    let warm = set();
    // Texts that were parsed before, under other names.
    let mut elsewhere = warm.clone();
    for (name, text) in &case.texts {
        let _ = elsewhere.parse(&format!("elsewhere/{name}"), text);
    }
    let again = shown(run(case, warm));
    match first == again {
        true => first,
        false => serde_json::json!({ "first": first, "again": again }),
    }
}

fn shown(result: Result<Text, Error>) -> serde_json::Value {
    match result {
        Err(error) => serde_json::json!({ "error": error.to_string() }),
        Ok(text) => match text.as_str() {
            Some(text) => serde_json::json!({ "output": text }),
            None => {
                let hex = text.as_bytes().iter().map(|byte| format!("{byte:02x}"));
                serde_json::json!({ "hex": hex.collect::<String>() })
            }
        },
    }
}

/// Runs a file's cases; what differs is told, one line each.
fn differences(path: &PathBuf) -> (usize, Vec<String>) {
    let cases = read(&std::fs::read_to_string(path).unwrap());
    let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap();
    let expected: Vec<serde_json::Value> = expected
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        cases.len(),
        expected.len(),
        "{}: run the oracle again",
        path.display()
    );
    let differ = cases.iter().zip(&expected).filter_map(|(case, expected)| {
        let got = outcome(case);
        (got != *expected).then(|| format!("{:?}\n   go   {expected}\n   ours {got}", case.texts))
    });
    (cases.len(), differ.collect())
}

#[test]
fn every_case_is_as_in_go() {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(|| {
        let folder = std::env::var_os("TEMPLATE_CASES").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/template"),
            PathBuf::from,
        );
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.retain(|path| {
            path.extension()
                .is_some_and(|extension| extension == "cases")
        });
        files.sort();
        let (mut count, mut told) = (0, Vec::new());
        for path in &files {
            let (cases, differ) = differences(path);
            count += cases;
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            told.extend(differ.into_iter().map(|text| format!("{name}: {text}")));
        }
        assert!(count > 500, "only {count} cases were found");
        assert!(
            told.is_empty(),
            "{} of {count} differ:\n{}",
            told.len(),
            told.join("\n")
        );
    });
    thread.unwrap().join().unwrap();
}
