//! Values for serde: the data that their JSON has, without the detour of its text.

use serde::ser::{Error as _, SerializeMap as _, SerializeSeq as _};
use serde::{Serialize, Serializer};

use crate::sprig::bounds;
use crate::sprig::encoding::base64_encode;
use crate::sprig::runes;
use crate::template::{Text, Value};

/// A value as serde sees it: bytes are base64, a nil slice or map is null, broken UTF-8 is
/// U+FFFD, and a NaN, an infinity or a value that contains itself is an error.
#[derive(Clone, Copy)]
pub struct Data<'v> {
    value: &'v Value,
    depth: usize,
}

impl<'v> Data<'v> {
    /// The data of this value.
    pub fn new(value: &'v Value) -> Self {
        Self { value, depth: 0 }
    }
}

impl Serialize for Data<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bounds::depth(self.depth).map_err(S::Error::custom)?;
        let deeper = |value| Data {
            value,
            depth: self.depth + 1,
        };
        match self.value {
            Value::Nil => serializer.serialize_unit(),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::Int(_, number) => serializer.serialize_i64(*number),
            Value::Uint(_, number) => serializer.serialize_u64(*number),
            Value::Float(kind, number) => {
                super::encode::float(*number, *kind).map_err(S::Error::custom)?;
                serializer.serialize_f64(*number)
            }
            Value::String(text) => serializer.serialize_str(&utf8(text)),
            Value::Bytes(bytes) => serializer.serialize_str(&base64_encode(bytes)),
            Value::List(list) if list.is_nil() => serializer.serialize_unit(),
            Value::Map(map) if map.is_nil() => serializer.serialize_unit(),
            Value::List(list) => {
                let items = list.items();
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                items
                    .iter()
                    .try_for_each(|item| sequence.serialize_element(&deeper(item)))?;
                sequence.end()
            }
            Value::Map(map) => {
                let entries = map.entries();
                let mut serialized = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries.iter() {
                    serialized.serialize_entry(&*utf8(key), &deeper(value))?;
                }
                serialized.end()
            }
            Value::Object(object) => {
                let data = object.to_data().map_err(S::Error::custom)?;
                deeper(&data).serialize(serializer)
            }
        }
    }
}

fn utf8(text: &Text) -> std::borrow::Cow<'_, str> {
    match text.as_str() {
        Some(text) => text.into(),
        None => runes::map(text, |rune| rune).into(),
    }
}
