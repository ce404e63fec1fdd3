//! Charts in folders, with values and `--set` lines: `cases/*/case.json`.

use std::path::Path;

use pintle::chart::{Chart, strvals, values};
use pintle::source::directory;
use serde_json::{Map, Value, json};

use crate::outcome::{chain, difference, follow};

#[test]
fn charts_in_folders_come_out_as_helm_has_them() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chart/cases");
    let (mut cases, mut parted) = (0, Vec::new());
    for entry in std::fs::read_dir(top).unwrap() {
        let folder = entry.unwrap().path();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let input: Value = serde_json::from_str(&read("case.json")).unwrap();
        let expected = read("expected.json").replace("<CASE>", folder.to_str().unwrap());
        let helms: Vec<Value> = serde_json::from_str(&expected).unwrap();
        let ours = case(&folder, &input);
        cases += 1;
        let name = folder.file_name().unwrap().to_string_lossy();
        parted.extend(
            difference("", &ours, &helms.iter().collect::<Vec<_>>())
                .map(|d| format!("{name}: {d}")),
        );
    }
    assert!(cases > 0, "no case");
    assert!(
        parted.is_empty(),
        "{} of {cases} cases differ:\n{}",
        parted.len(),
        parted.join("\n")
    );
}

fn case(folder: &Path, input: &Value) -> Value {
    let given = match given(folder, input) {
        Ok(given) => given,
        Err(error) => return json!({"values": null, "stage": "values", "error": error}),
    };
    let mut warnings = Vec::new();
    let loaded = directory::read(&folder.join("chart"), &mut warnings)
        .map_err(|error| chain(&error))
        .and_then(|files| Chart::from_files(files).map_err(|error| chain(&error)));
    follow(loaded, warnings, &given, false)
}

fn given(folder: &Path, input: &Value) -> Result<Map<String, Value>, String> {
    let texts = |key: &str| -> Vec<String> {
        let list = input[key].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let mut given = Map::new();
    for file in texts("values") {
        let loaded = values::load(&std::fs::read(folder.join(file)).unwrap())
            .map_err(|error| chain(&error))?;
        given = values::merge(given, loaded);
    }
    for line in texts("setJSON") {
        strvals::parse_json_into(&line, &mut given).map_err(|error| chain(&error))?;
    }
    for line in texts("set") {
        strvals::parse_into(&line, &mut given).map_err(|error| chain(&error))?;
    }
    Ok(given)
}
