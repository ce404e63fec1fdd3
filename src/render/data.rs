//! Helm's functions from and to YAML, JSON and TOML.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::pretty::Pretty;
use super::toml;
use crate::sprig::{Environment, json};
use crate::template::{CallError, Function, Functions, List, Map, Text, Type, Value};
use crate::yaml;

/// Adds them. helm: pkg/engine/funcs.go
pub(super) fn insert(functions: &mut Functions, environment: Rc<Environment>) {
    // The plain ones swallow what is wrong, all but `toToml`, which shows it.
    functions.insert(
        "toYaml",
        Function::new(|value: Value| to_yaml(&value).unwrap_or_default()),
    );
    functions.insert("mustToYaml", Function::new(|value: Value| to_yaml(&value)));
    functions.insert(
        "toYamlPretty",
        Function::new(|value: Value| to_yaml_pretty(&value)),
    );
    functions.insert("fromYaml", Function::new(from_yaml));
    functions.insert("fromYamlArray", Function::new(from_yaml_array));
    functions.insert(
        "toJson",
        Function::new(|value: Value| to_json(&value).unwrap_or_default()),
    );
    functions.insert("mustToJson", Function::new(|value: Value| to_json(&value)));
    functions.insert("fromJson", Function::new(from_json));
    functions.insert("fromJsonArray", Function::new(from_json_array));
    functions.insert("toToml", Function::new(to_toml));
    functions.insert(
        "mustToToml",
        Function::new(|value: Value| toml::encode(&value)),
    );
    functions.insert(
        "fromToml",
        Function::new(move |text: Text| toml::decode(&text, &toml::Zones::of(&environment))),
    );
}

/// The YAML of a value, without the last line end.
pub(super) fn to_yaml(value: &Value) -> Result<Text, CallError> {
    match yaml::to_string(&json::Data::new(value)) {
        Ok(text) => Ok(without_newline(text)),
        // sigs.k8s.io/yaml: Marshal goes by way of JSON, which a value that contains itself has none of.
        Err(error) => Err(match json::encode(value, json::Form::Html) {
            Err(none) => CallError::new(format!("error marshaling into JSON: {none}")),
            Ok(_) => CallError::new(error.to_string()),
        }),
    }
}

fn to_yaml_pretty(value: &Value) -> Text {
    yaml::to_string_pretty(&Pretty(value))
        .map(without_newline)
        .unwrap_or_default()
}

fn without_newline(mut text: String) -> Text {
    if text.ends_with('\n') {
        text.pop();
    }
    text.into()
}

fn to_json(value: &Value) -> Result<Text, CallError> {
    json::encode(value, json::Form::Html).map(Text::from)
}

/// Go panics where the value has no type at all, which the template sees; other refusals are the
/// function's result.
fn to_toml(value: Value) -> Result<Text, CallError> {
    match toml::encode(&value) {
        Err(error) if !error.message.starts_with("reflect: ") => Ok(error.message.into()),
        result => result,
    }
}

/// Makes values of YAML, where all numbers are JSON's: floats to Go.
#[derive(Clone, Copy)]
struct Values;

impl yaml::Construct for Values {
    type Value = Value;
    type Map = BTreeMap<Text, Value>;

    fn null() -> Value {
        Value::Nil
    }

    fn bool(value: bool) -> Value {
        Value::Bool(value)
    }

    fn int(value: i64) -> Value {
        Value::float64(value as f64)
    }

    fn uint(value: u64) -> Value {
        Value::float64(value as f64)
    }

    fn float(value: f64) -> Value {
        Value::float64(value)
    }

    fn text(text: Cow<'_, str>) -> Value {
        Value::string(&*text)
    }

    fn sequence(items: Vec<Value>) -> Value {
        Value::list(items)
    }

    fn mapping(map: Self::Map) -> Value {
        Value::Map(Map::with_entries(Type::ANY_MAP, map))
    }

    fn insert(map: &mut Self::Map, key: Cow<'_, str>, value: Value) {
        map.insert(Text::from(&*key), value);
    }
}

fn read_yaml(text: &Text) -> Result<Value, String> {
    yaml::construct_from_slice(text.as_bytes(), Values).map_err(|error| error.to_string())
}

/// A null leaves the map that Helm hands in as it is, which is empty. (JSON's makes it nil.)
fn from_yaml(text: Text) -> Map {
    match read_yaml(&text) {
        Ok(Value::Map(map)) => map,
        Ok(Value::Nil) => Map::default(),
        Ok(other) => error_map(format!(
            "{WRONG_YAML}{}",
            wrong(kind(&other), "map[string]interface {}")
        )),
        Err(error) => error_map(error),
    }
}

fn from_yaml_array(text: Text) -> List {
    match read_yaml(&text) {
        Ok(Value::List(list)) => list,
        Ok(Value::Nil) => List::new(Type::ANY_SLICE, vec![]),
        Ok(other) => error_list(format!(
            "{WRONG_YAML}{}",
            wrong(kind(&other), "[]interface {}")
        )),
        Err(error) => error_list(error),
    }
}

fn from_json(text: Text) -> Map {
    match read_json(&text) {
        // What fits stays beside the complaint about a number that is too large.
        (Value::Map(map), error) => {
            if let Some(error) = error {
                map.insert("Error", error);
            }
            map
        }
        (Value::Nil, None) => Map::nil(Type::ANY_MAP),
        (Value::Nil, Some(error)) => error_map(error),
        // Numbers within what is of the wrong kind are not looked at.
        (other, _) => error_map(wrong(kind(&other), "map[string]interface {}")),
    }
}

fn from_json_array(text: Text) -> List {
    match read_json(&text) {
        (Value::List(_) | Value::Nil, Some(error)) => error_list(error),
        (Value::List(list), None) => list,
        (Value::Nil, None) => List::nil(Type::ANY_SLICE),
        (other, _) => error_list(wrong(kind(&other), "[]interface {}")),
    }
}

/// A number alone is of the wrong kind before it is too large.
fn read_json(text: &Text) -> (Value, Option<String>) {
    match json::decode_what_fits(text.as_bytes()) {
        (Value::Nil, Some(error)) if error.message.starts_with(TOO_LARGE) => {
            (Value::float64(f64::INFINITY), None)
        }
        (value, error) => (value, error.map(|error| error.message)),
    }
}

/// Go: encoding/json UnmarshalTypeError, of a number that no float64 holds
const TOO_LARGE: &str = "json: cannot unmarshal number ";

const WRONG_YAML: &str = "error unmarshaling JSON: while decoding JSON: ";

/// Go: encoding/json UnmarshalTypeError
fn wrong(kind: &str, wanted: &str) -> String {
    format!("json: cannot unmarshal {kind} into Go value of type {wanted}")
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Nil => "null",
        Value::Bool(_) => "bool",
        Value::Int(..) | Value::Uint(..) | Value::Float(..) => "number",
        Value::String(_) | Value::Bytes(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) | Value::Object(_) => "object",
    }
}

fn error_map(error: String) -> Map {
    let map = Map::default();
    map.insert("Error", error);
    map
}

fn error_list(error: String) -> List {
    List::new(Type::ANY_SLICE, vec![Value::string(error)])
}
