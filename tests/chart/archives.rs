//! Packaged charts, good and broken: `archives.json`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle::chart::Chart;
use serde_json::{Map, Value};

use crate::outcome::{chain, difference, follow};

#[test]
fn archives_load_and_fail_as_in_helm() {
    let all: Vec<Value> = serde_json::from_str(include_str!("archives.json")).unwrap();
    let mut parted = Vec::new();
    for one in &all {
        let name = one["name"].as_str().unwrap();
        let data = STANDARD.decode(one["data"].as_str().unwrap_or("")).unwrap();
        let loaded = Chart::load(&data).map_err(|error| chain(&error));
        let text = loaded.as_ref().err().map_or("", String::as_str).to_owned();
        if text != one["error"].as_str().unwrap_or("") {
            parted.push(format!("{name}: ours {text:?}, helm {}", one["error"]));
        }
        let file = if name == "yaml" {
            "values.yaml"
        } else {
            "chart.tgz"
        };
        let text = Chart::load_file(file, &data)
            .err()
            .map_or(String::new(), |error| chain(&error));
        if text != one["fileError"].as_str().unwrap_or("") {
            parted.push(format!(
                "{name} as a file: ours {text:?}, helm {}",
                one["fileError"]
            ));
        }
        let ours = follow(loaded, Vec::new(), &Map::new(), false);
        let helms: Vec<&Value> = one["outcomes"].as_array().unwrap().iter().collect();
        parted.extend(
            difference("", &ours, &helms).map(|difference| format!("{name}: {difference}")),
        );
    }
    assert!(
        parted.is_empty(),
        "{} of {} archives differ:\n{}",
        parted.len(),
        all.len(),
        parted.join("\n")
    );
}

#[test]
fn an_archive_that_is_not_what_it_seems_is_not_installed() {
    let all: Vec<Value> = serde_json::from_str(include_str!("archives.json")).unwrap();
    let mut refused = Vec::new();
    for one in &all {
        let data = STANDARD.decode(one["data"].as_str().unwrap_or("")).unwrap();
        let Ok(as_helm) = Chart::load(&data) else {
            continue;
        };
        let name = one["name"].as_str().unwrap();
        match Chart::load_exact(&data) {
            Ok(exact) => assert_eq!(exact.name(), as_helm.name(), "{name}"),
            Err(error) => refused.push(format!("{name}: {}", chain(&error))),
        }
    }
    let expected = [
        "two Chart.yaml: unable to load chart archive: chart archive holds \"Chart.yaml\" twice",
        "symlink: unable to load chart archive: chart archive holds a link: \"link\"",
        "hardlink: unable to load chart archive: chart archive holds a link: \"link\"",
    ];
    assert_eq!(refused, expected);
}
