//! A chart in a release's record: `record.json` is Helm's of `cases/record`.

use std::path::Path;

use pintle::chart::{Chart, dependency};
use pintle::source::directory;
use serde_json::{Map, Value};

fn without_times(value: &mut Value) {
    match value {
        Value::Object(entries) => {
            entries.retain(|key, _| key != "modtime" && key != "schemamodtime");
            entries.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

#[test]
fn a_chart_is_recorded_as_helm_records_it() {
    let mut helms: Value = serde_json::from_str(include_str!("record.json")).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/chart/cases/record/chart");
    let mut chart = Chart::from_files(directory::read(&folder, &mut Vec::new()).unwrap()).unwrap();
    dependency::process(&mut chart, &Map::new(), &mut Vec::new()).unwrap();
    let mut ours = serde_json::to_value(&chart).unwrap();
    without_times(&mut helms);
    without_times(&mut ours);
    assert_eq!(ours, helms);
}

#[test]
fn a_recorded_chart_reads_back() {
    let chart: Chart = serde_json::from_str(include_str!("record.json")).unwrap();
    assert_eq!(chart.name(), "a");
    assert_eq!(chart.values["a"], Value::from(3.0));
    assert_eq!(&*chart.templates[0].data, b"a: {{ .Values.a }}\n");
    let again: Chart = serde_json::from_value(serde_json::to_value(&chart).unwrap()).unwrap();
    assert_eq!(again.metadata, chart.metadata);
    assert_eq!(again.files, chart.files);
}
