//! Nodes to JSON values, as sigs.k8s.io/yaml converts them.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::compose::Document;
use super::decode::{self, Build};
use super::direct::Construct;
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

/// Which parts of a document are kept where the others are only judged.
pub trait Select: Copy {
    /// What is kept of the value of a mapping's key, if anything.
    fn entry(self, key: &str) -> Option<Self>;
    /// What is kept of each item of a sequence.
    fn item(self) -> Option<Self>;
    /// Whether `yaml.Unmarshal` reads what is here into a Go string.
    fn is_text(self) -> bool;
}

/// The whole document.
#[derive(Clone, Copy)]
pub(super) struct Everything;

impl Select for Everything {
    fn entry(self, _key: &str) -> Option<Self> {
        Some(self)
    }

    fn item(self) -> Option<Self> {
        Some(self)
    }

    fn is_text(self) -> bool {
        false
    }
}

/// Makes JSON values of what is selected.
#[derive(Clone, Copy)]
pub(super) struct Selected<S>(pub(super) S);

impl<S: Select> Construct for Selected<S> {
    type Value = Value;
    type Map = Map<String, Value>;

    fn entry(self, key: &str) -> Option<Self> {
        self.0.entry(key).map(Self)
    }

    fn item(self) -> Option<Self> {
        self.0.item().map(Self)
    }

    fn null() -> Value {
        Value::Null
    }

    fn bool(value: bool) -> Value {
        Value::Bool(value)
    }

    fn int(value: i64) -> Value {
        Value::Number(value.into())
    }

    fn uint(value: u64) -> Value {
        Value::Number(value.into())
    }

    fn float(value: f64) -> Value {
        Number::from_f64(value).map_or(Value::Null, Value::Number)
    }

    fn text(text: Cow<'_, str>) -> Value {
        Value::String(text.into_owned())
    }

    fn sequence(items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    fn mapping(map: Map<String, Value>) -> Value {
        Value::Object(map)
    }

    fn insert(map: &mut Map<String, Value>, key: Cow<'_, str>, value: Value) {
        map.insert(key.into_owned(), value);
    }
}

/// Makes of a JSON value what reading would have made at once.
pub(super) fn construct<C: Construct>(value: Value) -> C::Value {
    match value {
        Value::Null => C::null(),
        Value::Bool(value) => C::bool(value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => C::int(value),
            (None, Some(value)) => C::uint(value),
            (None, None) => number.as_f64().map_or_else(C::null, C::float),
        },
        Value::String(text) => C::text(text.into()),
        Value::Array(items) => C::sequence(items.into_iter().map(construct::<C>).collect()),
        Value::Object(entries) => {
            let mut map = C::Map::default();
            for (key, value) in entries {
                C::insert(&mut map, key.into(), construct::<C>(value));
            }
            C::mapping(map)
        }
    }
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
