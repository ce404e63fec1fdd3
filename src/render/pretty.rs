//! Values as go-yaml v3 sees them, for `toYamlPretty`, which goes no detour through JSON.
//!
//! In: a value. Out: what serde shall write: empty lists and maps that are nil, texts that are no
//! UTF-8, times without quotes, spans as texts, bytes as numbers, structs under small letters, and
//! numbers that are not finite. Never: JSON's rules, which [`crate::sprig::json::Data`] knows.

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::sprig::dates::{Duration, Time};
use crate::template::{FloatKind, Text, Value};
use crate::yaml::{Fields, Plain};

/// A value as serde sees it.
pub(super) struct Pretty<'v>(pub(super) &'v Value);

impl Serialize for Pretty<'_> {
    // go-yaml: encode.go marshal
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Nil => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(_, number) => serializer.serialize_i64(*number),
            Value::Uint(_, number) => serializer.serialize_u64(*number),
            Value::Float(FloatKind::Float32, number) => serializer.serialize_f32(*number as f32),
            Value::Float(FloatKind::Float64, number) => serializer.serialize_f64(*number),
            Value::String(text) => PrettyText(text).serialize(serializer),
            Value::Bytes(bytes) => serializer.collect_seq(bytes.iter()),
            Value::List(list) => serializer.collect_seq(list.items().iter().map(Pretty)),
            Value::Map(map) => {
                let entries = map.entries();
                let entries = entries.iter();
                serializer.collect_map(entries.map(|(key, value)| (PrettyText(key), Pretty(value))))
            }
            Value::Object(object) => {
                if let Some(time) = Time::of(self.0) {
                    let shown = time.format(b"2006-01-02T15:04:05.999999999Z07:00");
                    return Plain(String::from_utf8_lossy(&shown).into_owned())
                        .serialize(serializer);
                }
                if let Some(span) = Duration::of(self.0) {
                    return serializer.serialize_str(&span.to_string());
                }
                if let Some(fields) = object.fields() {
                    return Fields(Exported(&fields)).serialize(serializer);
                }
                let data = object.to_data().map_err(S::Error::custom)?;
                Pretty(&data).serialize(serializer)
            }
        }
    }
}

/// A Go string.
struct PrettyText<'t>(&'t Text);

impl Serialize for PrettyText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_bytes())
    }
}

/// The exported fields of a struct. go-yaml: yaml.go getStructInfo
struct Exported<'f>(&'f [(&'static str, Value)]);

impl Serialize for Exported<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.iter();
        let exported =
            fields.filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_uppercase()));
        serializer.collect_map(exported.map(|(name, value)| (name.to_lowercase(), Pretty(value))))
    }
}
