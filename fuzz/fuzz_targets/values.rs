//! `--set` and its family on top of values: whatever a line says, it ends, and what comes of it
//! are values that can be merged, written and read.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pintle::chart::{strvals, values};
use pintle::yaml;
use serde_json::{Map, Value};

type Parse = fn(&str, &mut Map<String, Value>) -> Result<(), strvals::Error>;

const WAYS: [Parse; 5] = [
    strvals::parse_into,
    strvals::parse_string_into,
    strvals::parse_json_into,
    strvals::parse_literal_into,
    |line, values| strvals::parse_file_into(line, values, &|path| Ok(format!("<{path}>"))),
];

fuzz_target!(|input: &[u8]| {
    let [line, onto, over] = pintle_fuzz::parts(input);
    let line = String::from_utf8_lossy(line);
    let onto = values::load(onto).unwrap_or_default();
    let over = values::load(over).unwrap_or_default();
    let merged = values::merge(onto.clone(), over.clone());
    assert_eq!(values::merge(merged.clone(), over), merged, "merged twice");
    for parse in WAYS {
        let mut given = onto.clone();
        if parse(&line, &mut given).is_err() {
            continue;
        }
        let mut again = onto.clone();
        assert!(parse(&line, &mut again).is_ok());
        assert_eq!(given, again, "{line:?}");
        let given = Value::Object(given);
        let size = size(&given);
        assert!(size < 1 << 24, "{line:?} comes to much");
        // A long list is many lines, which the target `yaml` has enough of.
        if size < 1 << 10
            && !pintle_fuzz::is_lost_in_go(&given)
            && let Ok(text) = yaml::to_string(&given)
        {
            assert!(values::load(text.as_bytes()).is_ok(), "{text}");
        }
    }
});

fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(entries) => 1 + entries.values().map(size).sum::<usize>(),
        _ => 1,
    }
}
