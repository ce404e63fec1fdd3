//! `--set` and its family: `lines.jsonl`, of which the first lines are `lines.json`'s and the
//! others made up.

use pintle::chart::{strvals, values};
use serde_json::{Map, Value};

use crate::outcome::difference;

#[test]
fn set_lines_come_to_what_helm_makes_of_them() {
    let mut parted = Vec::new();
    let mut count = 0;
    for line in include_str!("lines.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let (ours, error) = match run(&line) {
            Ok(ours) => (ours, String::new()),
            Err(error) => (Value::Null, error.to_string()),
        };
        let same = error == line["error"].as_str().unwrap_or("")
            && difference("", &ours, &[&line["values"]]).is_none();
        if !same {
            parted.push(format!("{line}\n   ours {ours} {error}"));
        }
    }
    assert!(count > 1000, "{count} lines are too few");
    assert!(
        parted.is_empty(),
        "{} of {count} lines differ:\n{}",
        parted.len(),
        parted.join("\n")
    );
}

fn run(line: &Value) -> Result<Value, strvals::Error> {
    let text = line["text"].as_str().unwrap();
    let mut given = match line["onto"].as_str() {
        Some(yaml) => values::load(yaml.as_bytes()).unwrap(),
        None => Map::new(),
    };
    let read = |path: &str| {
        if path.starts_with("missing") {
            Err(strvals::Error::new(format!(
                "open {path}: no such file or directory"
            )))
        } else {
            Ok(format!("<{path}>"))
        }
    };
    match line["kind"].as_str().unwrap() {
        "set" => strvals::parse_into(text, &mut given)?,
        "string" => strvals::parse_string_into(text, &mut given)?,
        "file" => strvals::parse_file_into(text, &mut given, &read)?,
        "json" => strvals::parse_json_into(text, &mut given)?,
        _ => strvals::parse_literal_into(text, &mut given)?,
    }
    Ok(Value::Object(given))
}
