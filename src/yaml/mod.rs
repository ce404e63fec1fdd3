//! YAML as Helm reads and writes it.
//!
//! In come bytes and serialisable values; out come JSON values and text: the values that
//! sigs.k8s.io/yaml v1.6.0 (over go.yaml.in/yaml v2.4.4) makes of the same bytes, the text it makes
//! of the same values, and `toYamlPretty`'s text (go.yaml.in/yaml v3, indented by 2). Refusals are
//! in its words. That is YAML 1.1, with go-yaml's own idea of it: `yes` is true, `0777` is 511,
//! timestamps are strings, keys are in natural order, lines fold behind column 80.
//!
//! `reader` (bytes to text), `scanner` (tokens), `parser` (events), `compose` (nodes), `decode`
//! (values) follow one another, unless `direct` can take the shorter way; back it goes through `write`,
//! `serialize` (parts) and `emitter` (text).
//!
//! No input may panic, hang or exhaust the stack: aliases are bounded as in go-yaml, depth is at 1000
//! levels where go-yaml's bound is 10,000. Nothing here knows another room, a file, a clock or a network.

mod block;
mod characters;
mod compose;
mod cursor;
mod decode;
mod direct;
mod documents;
mod emitter;
mod error;
mod go;
mod json;
mod number;
mod order;
mod parser;
mod quoted;
mod reader;
mod resolve;
mod scalar;
mod scanner;
mod serialize;
mod style;
mod tag;
mod timestamp;
mod token;
mod tree;
mod write;

use serde::Serialize;
use serde_json::{Map, Number, Value};

use json::{Everything, Selected};

pub use direct::Construct;
pub use documents::Documents;
pub use error::Error;
pub use json::Select;
pub use serialize::{Fields, Plain};

/// Reads the first document of a stream, as `yaml.Unmarshal` does into an `interface{}` that keeps
/// integers: 64-bit integers stay integers, other numbers are floats, keys are strings. Of repeated
/// keys the last one counts. No document at all is null.
///
/// # Errors
/// What sigs.k8s.io/yaml refuses, in its words.
pub fn from_slice(bytes: &[u8]) -> Result<Value, Error> {
    from_slice_selected(bytes, Everything)
}

/// Reads as [`from_slice`] does, and refuses what it refuses, but promises no more of the value than
/// what is selected: the rest may be missing, or null. A number that JSON does not know, such as
/// `.inf`, is taken where the selection reads a text.
///
/// # Errors
/// As [`from_slice`].
pub fn from_slice_selected<S: Select>(bytes: &[u8], select: S) -> Result<Value, Error> {
    match direct::read(bytes, Selected(select)) {
        Some(value) => Ok(value),
        None => read(bytes, false, select),
    }
}

/// Reads as [`from_slice`] does, into other values than JSON's.
///
/// # Errors
/// As [`from_slice`].
pub fn construct_from_slice<C: Construct>(bytes: &[u8], construct: C) -> Result<C::Value, Error> {
    match direct::read(bytes, construct) {
        Some(value) => Ok(value),
        None => read(bytes, false, Everything).map(json::construct::<C>),
    }
}

/// Reads as [`from_slice`] does, but refuses repeated keys, as `yaml.UnmarshalStrict` does.
///
/// # Errors
/// As [`from_slice`], and [`Error::Duplicates`].
pub fn from_slice_strict(bytes: &[u8]) -> Result<Value, Error> {
    read(bytes, true, Everything)
}

/// Reads a mapping, as `yaml.Unmarshal` does into a `map[string]interface{}`; null is an empty one.
///
/// # Errors
/// As [`from_slice`], and [`Error::Mismatch`].
pub fn map_from_slice(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    match from_slice(bytes)? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        other => Err(mismatch(&other, "map[string]interface {}")),
    }
}

/// Reads a sequence, as `yaml.Unmarshal` does into an `[]interface{}`; null is an empty one.
///
/// # Errors
/// As [`from_slice`], and [`Error::Mismatch`].
pub fn array_from_slice(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    match from_slice(bytes)? {
        Value::Array(items) => Ok(items),
        Value::Null => Ok(Vec::new()),
        other => Err(mismatch(&other, "[]interface {}")),
    }
}

fn mismatch(value: &Value, wanted: &'static str) -> Error {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    Error::Mismatch { found, wanted }
}

/// What a scalar becomes where `yaml.Unmarshal` reads it into a Go `string`, as into `version` of a
/// Chart.yaml: `1.10` is `1.1`, `yes` is `true`. Nothing for null, which leaves the string as it was,
/// and for collections, which are refused.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        // sigs.k8s.io/yaml: convertToJSONableObject, a float's digits are those of a float32.
        Value::Number(number) if number.is_f64() => number.as_f64().map(number::format_g32),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn read<S: Select>(bytes: &[u8], strict: bool, select: S) -> Result<Value, Error> {
    let input = reader::read(bytes);
    match compose::Document::first(&input)? {
        Some(document) => json::decode(&document, strict, select),
        None => Ok(Value::Null),
    }
}

/// Makes every number a float64, as Go's `encoding/json` does where it decodes into `interface{}`.
pub fn floats(mut value: Value) -> Value {
    make_floats(&mut value);
    value
}

fn make_floats(value: &mut Value) {
    match value {
        Value::Number(number) if !number.is_f64() => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_floats),
        Value::Object(map) => map.values_mut().for_each(make_floats),
        _ => {}
    }
}

/// Writes a value as `yaml.Marshal` does, its final line break included. Bytes that a value serialises
/// stand for a Go string that need not be UTF-8.
///
/// # Errors
/// What sigs.k8s.io/yaml refuses: numbers that are not finite, and strings with characters that JSON
/// leaves raw and YAML does not allow (U+007F to U+009F without U+0085, U+FFFE, U+FFFF). For `toYaml`,
/// Helm makes the empty string of that.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    write::to_string(value)
}

/// Writes a value as Helm's `toYamlPretty` does, its final line break included.
///
/// # Errors
/// Where the value itself does not serialise.
pub fn to_string_pretty<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    write::to_string_pretty(value)
}
