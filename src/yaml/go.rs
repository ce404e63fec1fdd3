//! The value that go-yaml itself makes of a document, for what JSON values cannot show: keys of
//! other types than strings, repeated keys, infinities, and Go's error texts about all of them.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

use super::characters::is_printable;
use super::compose::Document;
use super::decode::{self, Build};
use super::error::{Error, Fault};
use super::json::{Select, key_of_float};
use super::number;
use super::resolve::Scalar;

/// A value of go-yaml's `interface{}`.
#[derive(Debug, Clone)]
pub(super) enum GoValue {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(String),
    Slice(Vec<GoValue>),
    Map(GoMap),
}

/// A `map[interface{}]interface{}`, in the order of insertion.
#[derive(Debug, Clone, Default)]
pub(super) struct GoMap {
    entries: Vec<(GoValue, GoValue)>,
    places: HashMap<Key, usize>,
}

/// What makes two keys the same: type and value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Nil,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(u64),
    Str(String),
}

/// Builds Go's values.
#[derive(Default)]
pub(super) struct Go {
    strict: bool,
    /// Repeated keys: the 1-based line, and the finding.
    repeated: Vec<(usize, String)>,
}

impl Go {
    /// The JSON value of a document, or why there is none.
    ///
    /// A number that JSON does not know is a text where the selection reads one.
    pub(super) fn judge<S: Select>(
        document: &Document<'_>,
        strict: bool,
        select: S,
    ) -> Result<Value, Error> {
        let mut go = Self {
            strict,
            repeated: Vec::new(),
        };
        let value = decode::decode(document, &mut go)?;
        if let Some(&(line, _)) = go.repeated.first() {
            let findings = go
                .repeated
                .into_iter()
                .map(|(_, finding)| finding)
                .collect();
            return Err(Error::Duplicates { line, findings });
        }
        let inexpressible = |problem| Error::Inexpressible { problem };
        check_keys(&value).map_err(inexpressible)?;
        to_json(value, Some(select)).map_err(|float| {
            inexpressible(format!(
                "json: unsupported value: {}",
                number::format_g(float)
            ))
        })
    }
}

impl Build for Go {
    type Value = GoValue;
    type Map = GoMap;

    fn scalar(&mut self, scalar: Scalar, text: &str) -> GoValue {
        match scalar {
            Scalar::Null => GoValue::Nil,
            Scalar::Bool(value) => GoValue::Bool(value),
            Scalar::Int(value) => GoValue::Int(value),
            Scalar::Uint(value) => GoValue::Uint(value),
            Scalar::Float(value) => GoValue::Float(value),
            Scalar::Timestamp | Scalar::Str => GoValue::Str(text.to_owned()),
        }
    }

    fn sequence(&mut self, items: Vec<GoValue>) -> GoValue {
        GoValue::Slice(items)
    }

    fn mapping(&mut self, map: GoMap) -> GoValue {
        GoValue::Map(map)
    }

    fn check_key(&mut self, key: &GoValue) -> Result<(), Fault> {
        match key {
            GoValue::Slice(_) | GoValue::Map(_) => {
                Err(Fault::bare(format!("invalid map key: {}", go_syntax(key))))
            }
            _ => Ok(()),
        }
    }

    fn insert(&mut self, map: &mut GoMap, key: GoValue, value: GoValue, line: usize) {
        // A NaN is no key that was there before.
        let place = identity(&key).and_then(|identity| match map.places.get(&identity) {
            Some(&place) => Some(place),
            None => {
                map.places.insert(identity, map.entries.len());
                None
            }
        });
        match place {
            Some(_) if self.strict => {
                let finding = format!(
                    "line {}: key {} already set in map",
                    line + 1,
                    go_syntax(&key)
                );
                self.repeated.push((line + 1, finding));
            }
            Some(place) => map.entries[place] = (key, value),
            None => map.entries.push((key, value)),
        }
    }
}

fn identity(key: &GoValue) -> Option<Key> {
    match key {
        GoValue::Nil => Some(Key::Nil),
        GoValue::Bool(key) => Some(Key::Bool(*key)),
        GoValue::Int(key) => Some(Key::Int(*key)),
        GoValue::Uint(key) => Some(Key::Uint(*key)),
        // Both zeros are one key.
        GoValue::Float(key) if !key.is_nan() => Some(Key::Float((key + 0.0).to_bits())),
        GoValue::Str(key) => Some(Key::Str(key.clone())),
        GoValue::Float(_) | GoValue::Slice(_) | GoValue::Map(_) => None,
    }
}

/// sigs.k8s.io/yaml: convertToJSONableObject refuses keys that are null or beyond `int`.
fn check_keys(value: &GoValue) -> Result<(), String> {
    match value {
        GoValue::Slice(items) => items.iter().try_for_each(check_keys),
        GoValue::Map(map) => map.entries.iter().try_for_each(|(key, value)| {
            let kind = match key {
                GoValue::Nil => "%!s(<nil>)",
                GoValue::Uint(_) => "uint64",
                _ => return check_keys(value),
            };
            let (key, value) = (go_syntax(key), go_syntax(value));
            Err(format!(
                "unsupported map key of type: {kind}, key: {key}, value: {value}"
            ))
        }),
        _ => Ok(()),
    }
}

/// The JSON value, or the number in the way, the first one where keys are sorted.
fn to_json<S: Select>(value: GoValue, select: Option<S>) -> Result<Value, f64> {
    Ok(match value {
        GoValue::Nil => Value::Null,
        GoValue::Bool(value) => Value::Bool(value),
        GoValue::Int(value) => Value::Number(value.into()),
        GoValue::Uint(value) => Value::Number(value.into()),
        GoValue::Float(value) => match Number::from_f64(value) {
            Some(number) => Value::Number(number),
            None if select.is_some_and(S::is_text) => Value::String(number::format_g(value)),
            None => return Err(value),
        },
        GoValue::Str(value) => Value::String(value),
        GoValue::Slice(items) => {
            let select = select.and_then(S::item);
            let items = items.into_iter().map(|item| to_json(item, select));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        GoValue::Map(map) => {
            let mut entries: Vec<(String, GoValue)> = map
                .entries
                .into_iter()
                .map(|(key, value)| (key_text(key), value))
                .collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            let mut object = Map::new();
            for (key, value) in entries {
                let selected = select.and_then(|select| select.entry(&key));
                object.insert(key, to_json(value, selected)?);
            }
            Value::Object(object)
        }
    })
}

fn key_text(key: GoValue) -> String {
    match key {
        GoValue::Str(key) => key,
        GoValue::Bool(key) => key.to_string(),
        GoValue::Int(key) => key.to_string(),
        GoValue::Float(key) => key_of_float(key),
        // Refused before.
        GoValue::Uint(key) => key.to_string(),
        GoValue::Nil | GoValue::Slice(_) | GoValue::Map(_) => String::new(),
    }
}

/// A value as `%#v` prints it.
fn go_syntax(value: &GoValue) -> String {
    if let GoValue::Nil = value {
        // Only inside of another value does nil have a type.
        return "<nil>".to_owned();
    }
    let mut out = String::new();
    write_go_syntax(&mut out, value);
    out
}

fn write_go_syntax(out: &mut String, value: &GoValue) {
    // Writing to a string does not fail.
    match value {
        GoValue::Nil => out.push_str("interface {}(nil)"),
        GoValue::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        GoValue::Int(value) => _ = write!(out, "{value}"),
        GoValue::Uint(value) => _ = write!(out, "{value:#x}"),
        GoValue::Float(value) => out.push_str(&number::format_g(*value)),
        GoValue::Str(value) => write_quoted(out, value),
        GoValue::Slice(items) => {
            out.push_str("[]interface {}{");
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_go_syntax(out, item);
            }
            out.push('}');
        }
        GoValue::Map(map) => {
            out.push_str("map[interface {}]interface {}{");
            let mut entries: Vec<&(GoValue, GoValue)> = map.entries.iter().collect();
            entries.sort_by(|(a, _), (b, _)| compare_keys(a, b));
            for (at, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_go_syntax(out, key);
                out.push(':');
                write_go_syntax(out, value);
            }
            out.push('}');
        }
    }
}

/// Go: internal/fmtsort sorts keys by the address of their type, then by value, NaN first. The linker
/// puts the types in this order.
fn compare_keys(a: &GoValue, b: &GoValue) -> std::cmp::Ordering {
    let rank = |value: &GoValue| match value {
        GoValue::Nil => 0,
        GoValue::Str(_) => 1,
        GoValue::Uint(_) => 2,
        GoValue::Int(_) => 3,
        GoValue::Float(_) => 4,
        GoValue::Bool(_) => 5,
        GoValue::Slice(_) | GoValue::Map(_) => 6,
    };
    match (a, b) {
        (GoValue::Bool(a), GoValue::Bool(b)) => a.cmp(b),
        (GoValue::Int(a), GoValue::Int(b)) => a.cmp(b),
        (GoValue::Uint(a), GoValue::Uint(b)) => a.cmp(b),
        (GoValue::Float(a), GoValue::Float(b)) => b.is_nan().cmp(&a.is_nan()).then(a.total_cmp(b)),
        (GoValue::Str(a), GoValue::Str(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

/// Go: strconv.Quote.
fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            c if is_printable(c) => out.push(c),
            '\0'..='\x1f' | '\x7f' => _ = write!(out, "\\x{:02x}", u32::from(c)),
            '\0'..='\u{ffff}' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => _ = write!(out, "\\U{:08x}", u32::from(c)),
        }
    }
    out.push('"');
}
