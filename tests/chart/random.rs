//! Charts with dependencies, aliases, conditions, tags, imports, globals and nulls, made up from a
//! seed: `random.jsonl`, or the file that `PINTLE_RANDOM_CHARTS` names.

use pintle::chart::{Chart, File};
use serde_json::Value;

use crate::outcome::{chain, difference, follow};

#[test]
fn made_up_charts_come_out_as_helm_has_them() {
    let lines = match std::env::var("PINTLE_RANDOM_CHARTS") {
        Ok(file) => std::fs::read_to_string(file).unwrap(),
        Err(_) => include_str!("random.jsonl").to_owned(),
    };
    let (mut count, mut parted) = (0, Vec::new());
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let files = line["files"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, data)| File {
                name: name.clone(),
                data: data.as_str().unwrap().as_bytes().into(),
                modified: None,
            });
        let loaded = Chart::from_files(files.collect::<Vec<_>>()).map_err(|error| chain(&error));
        let given = pintle::chart::values::load(line["values"].to_string().as_bytes()).unwrap();
        let ours = follow(loaded, Vec::new(), &given, true);
        let helms: Vec<&Value> = line["outcomes"].as_array().unwrap().iter().collect();
        if let Some(difference) = difference("", &ours, &helms) {
            parted.push(format!("chart {count}: {difference}"));
        }
    }
    assert!(count >= 200, "{count} charts are too few");
    assert!(
        parted.is_empty(),
        "{} of {count} charts differ:\n{}",
        parted.len(),
        parted.join("\n")
    );
}
