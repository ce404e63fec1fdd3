//! Any bytes as YAML: read, written and read again, in every way there is. What is written reads
//! back as the value it was, and is written the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pintle::yaml::{self, Documents};
use pintle_fuzz::is_lost_in_go;
use serde_json::Value;

fuzz_target!(|text: &[u8]| {
    for document in Documents::new(text) {
        let Ok(document) = document else { break };
        let _ = yaml::from_slice(&document);
    }
    let read = yaml::from_slice(text);
    let strict = yaml::from_slice_strict(text);
    let map = yaml::map_from_slice(text);
    let array = yaml::array_from_slice(text);
    let Ok(value) = read else {
        assert!(strict.is_err() && map.is_err() && array.is_err());
        return;
    };
    if let Ok(strict) = strict {
        assert_eq!(strict, value, "strictly");
    }
    assert_eq!(map.is_ok(), value.is_object() || value.is_null());
    assert_eq!(array.is_ok(), value.is_array() || value.is_null());
    let _ = yaml::scalar_text(&value);
    let value = yaml::floats(value);
    if is_lost_in_go(&value) {
        return;
    }
    if let Ok(written) = yaml::to_string(&value) {
        again(&value, &written, yaml::to_string);
    }
    if let Ok(written) = yaml::to_string_pretty(&value) {
        again(&value, &written, yaml::to_string_pretty);
    }
});

fn again(value: &Value, written: &str, write: impl Fn(&Value) -> Result<String, yaml::Error>) {
    let read = yaml::from_slice(written.as_bytes()).map(yaml::floats);
    assert_eq!(read.as_ref().ok(), Some(value), "{written}");
    assert_eq!(write(value).as_deref().ok(), Some(written));
}
