//! Nodes to JSON values, as sigs.k8s.io/yaml converts them.

use serde_json::{Map, Number, Value};

use super::compose::Document;
use super::decode::{self, Build};
use super::direct::Select;
use super::error::{Error, Fault};
use super::go::Go;
use super::number;
use super::resolve::Scalar;

/// Builds JSON values, and notes where Go's value would have something that JSON has not.
struct Json {
    strict: bool,
    /// A key or number JSON does not know, or a key that may be repeated: Go's value must judge.
    doubtful: bool,
}

/// The JSON value of a document.
pub(super) fn decode<S: Select>(
    document: &Document<'_>,
    strict: bool,
    select: S,
) -> Result<Value, Error> {
    let mut json = Json {
        strict,
        doubtful: false,
    };
    let decoded = decode::decode(document, &mut json);
    if json.doubtful {
        return Go::judge(document, strict, select);
    }
    decoded.map_err(Error::from)
}

impl Build for Json {
    type Value = Value;
    type Map = Map<String, Value>;

    fn scalar(&mut self, scalar: Scalar, text: &str) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => Value::Number(value.into()),
            Scalar::Uint(value) => Value::Number(value.into()),
            Scalar::Float(value) => Number::from_f64(value).map_or_else(
                || {
                    self.doubtful = true;
                    Value::Null
                },
                Value::Number,
            ),
            Scalar::Timestamp | Scalar::Str => Value::String(text.to_owned()),
        }
    }

    fn sequence(&mut self, items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    fn mapping(&mut self, map: Map<String, Value>) -> Value {
        Value::Object(map)
    }

    fn check_key(&mut self, key: &Value) -> Result<(), Fault> {
        if key.is_array() || key.is_object() {
            self.doubtful = true;
            return Err(Fault::bare("invalid map key"));
        }
        Ok(())
    }

    fn insert(&mut self, map: &mut Map<String, Value>, key: Value, value: Value, _line: usize) {
        let key = match key {
            Value::String(key) => Some(key),
            Value::Bool(key) => Some(key.to_string()),
            Value::Number(key) => key_of_number(&key),
            _ => None,
        };
        match key {
            Some(key) => {
                let repeated = map.insert(key, value).is_some();
                self.doubtful |= repeated && self.strict;
            }
            None => self.doubtful = true,
        }
    }
}

/// sigs.k8s.io/yaml: convertToJSONableObject knows `int` and `float64` keys.
fn key_of_number(key: &Number) -> Option<String> {
    if let Some(key) = key.as_i64() {
        Some(key.to_string())
    } else if key.is_f64() {
        key.as_f64().map(key_of_float)
    } else {
        None
    }
}

/// sigs.k8s.io/yaml: a float's digits are those of a float32.
pub(super) fn key_of_float(key: f64) -> String {
    match number::format_g32(key).as_str() {
        "+Inf" => ".inf".to_owned(),
        "-Inf" => "-.inf".to_owned(),
        "NaN" => ".nan".to_owned(),
        digits => digits.to_owned(),
    }
}
