//! Seven hundred real charts: the values that their templates see, and everything before them.
//!
//! Runs where `PINTLE_CORPUS` names the unpacked corpus and `PINTLE_CORPUS_VALUES` the lines that
//! `tests/oracle/chart corpus` wrote of it.

use std::io::{BufRead, BufReader};
use std::path::Path;

use pintle::chart::{Chart, values};
use pintle::source::directory;
use serde_json::{Map, Value};

use crate::outcome::{chain, difference, follow};

#[test]
fn real_charts_come_out_as_helm_has_them() {
    let (Ok(corpus), Ok(lines)) = (
        std::env::var("PINTLE_CORPUS"),
        std::env::var("PINTLE_CORPUS_VALUES"),
    ) else {
        eprintln!("skipped: PINTLE_CORPUS and PINTLE_CORPUS_VALUES are not set");
        return;
    };
    let only = std::env::var("PINTLE_CORPUS_ONLY").unwrap_or_default();
    let corpus = Path::new(&corpus);
    let (mut cases, mut parted) = (0, Vec::new());
    for line in BufReader::new(std::fs::File::open(lines).unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let id = format!(
            "{} {}",
            line["id"].as_str().unwrap(),
            line["case"].as_str().unwrap()
        );
        if !id.contains(&only) {
            continue;
        }
        cases += 1;
        let ours = case(corpus, &line);
        let helms: Vec<&Value> = line["outcomes"].as_array().unwrap().iter().collect();
        if let Some(difference) = difference("", &ours, &helms) {
            parted.push(format!("{id}: {difference}"));
        }
    }
    assert!(cases > 0, "no case in the corpus");
    assert!(
        parted.is_empty(),
        "{} of {cases} cases differ:\n{}",
        parted.len(),
        parted.join("\n")
    );
    eprintln!("{cases} cases agree");
}

fn case(corpus: &Path, line: &Value) -> Value {
    let given = match line["values"].as_str() {
        Some("") | None => Map::new(),
        Some(file) => match values::load(&std::fs::read(corpus.join(file)).unwrap()) {
            Ok(values) => values,
            Err(error) => {
                return serde_json::json!({"values": null, "stage": "values", "error": chain(&error)});
            }
        },
    };
    let mut warnings = Vec::new();
    let loaded = directory::read(&corpus.join(line["dir"].as_str().unwrap()), &mut warnings)
        .map_err(|error| chain(&error))
        .and_then(|files| Chart::from_files(files).map_err(|error| chain(&error)));
    follow(
        loaded,
        warnings,
        &given,
        line["skipSchema"].as_bool().unwrap(),
    )
}
