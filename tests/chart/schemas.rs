//! Schemas of every draft and what they say of values: `schemas.jsonl`, after `schemas.json`.

use pintle::chart::{Chart, File, schema, values};
use serde_json::Value;

use crate::outcome::difference;

#[test]
fn schemas_say_what_helms_say() {
    let (mut count, mut parted) = (0, Vec::new());
    for line in include_str!("schemas.jsonl").lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let file = |name: &str, data: &str| File {
            name: name.to_owned(),
            data: data.as_bytes().into(),
            modified: None,
        };
        let chart = Chart::from_files(vec![
            file("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
            file("values.schema.json", line["schema"].as_str().unwrap()),
        ])
        .unwrap();
        let given = values::load(line["values"].as_str().unwrap().as_bytes()).unwrap();
        let text = schema::validate(&chart, (&given).into(), &mut Vec::new())
            .err()
            .map_or(String::new(), |error| error.to_string());
        let text = text
            .split_once("chart(s):\na:\n")
            .map_or("", |(_, text)| text)
            .to_owned();
        let helms: Vec<&Value> = line["errors"].as_array().unwrap().iter().collect();
        if difference("", &Value::String(text.clone()), &helms).is_some() {
            let (name, schema) = (&line["name"], &line["schema"]);
            parted.push(format!(
                "{name}: {schema} of {}\n   ours {text:?}\n   helm {}",
                line["values"], line["errors"]
            ));
        }
    }
    assert!(count > 100, "{count} schemas are too few");
    assert!(
        parted.is_empty(),
        "{} of {count} differ:\n{}",
        parted.len(),
        parted.join("\n")
    );
}
