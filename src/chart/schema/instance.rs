//! What is held against a schema: values, or, where schemas themselves are checked, JSON.

use std::collections::btree_map;

use serde_json::Value;

use crate::chart::json::Json;
use crate::chart::{self, Entry, Values, print};

use super::decimal::Decimal;
use super::failure::quote;
use super::rule::Type;

/// The properties of an object, by name.
pub(super) enum Properties<'a> {
    None,
    Values(chart::Iter<'a>),
    Json(btree_map::Iter<'a, String, Json>),
}

impl<'a> Iterator for Properties<'a> {
    type Item = (&'a str, Instance<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::None => None,
            Self::Values(entries) => entries
                .next()
                .map(|(name, entry)| (name, Instance::of(entry))),
            Self::Json(entries) => entries
                .next()
                .map(|(name, value)| (name.as_str(), Instance::Json(value))),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::None => (0, Some(0)),
            Self::Values(entries) => entries.size_hint(),
            Self::Json(entries) => entries.size_hint(),
        }
    }
}

impl ExactSizeIterator for Properties<'_> {}

/// A value, borrowed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Instance<'a> {
    /// A table of values that stands by itself.
    Table(Values<'a>),
    /// A value in it.
    Value(&'a Value),
    /// JSON whose numbers are still texts.
    Json(&'a Json),
    /// The name of a property.
    Name(&'a str),
}

impl<'a> Instance<'a> {
    fn of(entry: Entry<'a>) -> Self {
        match entry {
            Entry::Leaf(value) => Self::Value(value),
            Entry::Table(values) => Self::Table(values),
        }
    }

    pub(super) fn kind(self) -> Type {
        match self {
            Self::Table(_) | Self::Value(Value::Object(_)) | Self::Json(Json::Object(_)) => {
                Type::Object
            }
            Self::Value(Value::Null) | Self::Json(Json::Null) => Type::Null,
            Self::Value(Value::Bool(_)) | Self::Json(Json::Bool(_)) => Type::Boolean,
            Self::Value(Value::Number(_)) | Self::Json(Json::Number(_)) => Type::Number,
            Self::Value(Value::Array(_)) | Self::Json(Json::Array(_)) => Type::Array,
            Self::Name(_) | Self::Value(Value::String(_)) | Self::Json(Json::String(_)) => {
                Type::String
            }
        }
    }

    pub(super) fn text(self) -> Option<&'a str> {
        match self {
            Self::Name(text) => Some(text),
            Self::Value(Value::String(text)) | Self::Json(Json::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_object(self) -> bool {
        self.kind() == Type::Object
    }

    pub(super) fn get(self, name: &str) -> Option<Self> {
        match self {
            Self::Table(values) => values.get(name).map(Self::of),
            Self::Value(Value::Object(map)) => map.get(name).map(Self::Value),
            Self::Json(Json::Object(entries)) => entries.get(name).map(Self::Json),
            _ => None,
        }
    }

    /// The properties of an object, by name.
    pub(super) fn properties(self) -> Properties<'a> {
        match self {
            Self::Table(values) => Properties::Values(values.iter()),
            Self::Value(Value::Object(map)) => Properties::Values(Values::Read(map).iter()),
            Self::Json(Json::Object(entries)) => Properties::Json(entries.iter()),
            _ => Properties::None,
        }
    }

    /// The items of a list; nothing where it is none.
    pub(super) fn items(self) -> Option<Vec<Self>> {
        match self {
            Self::Value(Value::Array(items)) => Some(items.iter().map(Self::Value).collect()),
            Self::Json(Json::Array(items)) => Some(items.iter().map(Self::Json).collect()),
            _ => None,
        }
    }

    pub(super) fn number(self) -> Option<Decimal> {
        Decimal::parse(&self.digits()?)
    }

    /// A number as Go's `fmt` prints it.
    fn digits(self) -> Option<String> {
        match self {
            Self::Value(Value::Number(n)) => Some(
                n.as_f64()
                    .filter(|_| n.is_f64())
                    .map_or_else(|| n.to_string(), print::float),
            ),
            Self::Json(Json::Number(digits)) => Some(digits.clone()),
            _ => None,
        }
    }

    /// Whether both are the same value; numbers are the same where their values are.
    pub(super) fn equals(self, other: Self) -> bool {
        if self.kind() != other.kind() {
            return false;
        }
        match self.kind() {
            Type::Object => {
                let mut ours = self.properties();
                ours.len() == other.properties().len()
                    && ours.all(|(name, value)| {
                        other.get(name).is_some_and(|other| value.equals(other))
                    })
            }
            Type::Array => {
                let (ours, theirs) = (
                    self.items().unwrap_or_default(),
                    other.items().unwrap_or_default(),
                );
                ours.len() == theirs.len()
                    && ours
                        .iter()
                        .zip(theirs)
                        .all(|(ours, theirs)| ours.equals(theirs))
            }
            Type::String => self.text() == other.text(),
            Type::Boolean => self.flag() == other.flag(),
            Type::Null => true,
            Type::Number | Type::Integer => {
                let (ours, theirs) = (self.number(), other.number());
                ours.is_some() && ours == theirs
            }
        }
    }

    fn flag(self) -> Option<bool> {
        match self {
            Self::Value(Value::Bool(flag)) | Self::Json(Json::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    /// A text that is the same for equal values and no others.
    pub(super) fn key(self) -> String {
        let mut key = String::new();
        self.write_key(&mut key);
        key
    }

    fn write_key(self, key: &mut String) {
        match self.kind() {
            Type::Object => {
                key.push('{');
                for (name, value) in self.properties() {
                    key.push_str(&format!("{name:?}:"));
                    value.write_key(key);
                }
                key.push('}');
            }
            Type::Array => {
                key.push('[');
                self.items()
                    .unwrap_or_default()
                    .into_iter()
                    .for_each(|item| item.write_key(key));
                key.push(']');
            }
            Type::Number | Type::Integer => key.push_str(&format!("{:?},", self.number())),
            _ => key.push_str(&format!("{:?}{:?},", self.flag(), self.text())),
        }
    }

    /// A value that is no table and no list, as a sentence shows it.
    // santhosh-tekuri/jsonschema: kind/kind.go display
    pub(super) fn display(self) -> String {
        match (self.text(), self.digits(), self.flag()) {
            (Some(text), ..) => quote(text),
            (_, Some(digits), _) => digits,
            (.., Some(flag)) => flag.to_string(),
            _ if self.kind() == Type::Null => "<nil>".to_owned(),
            _ => "value".to_owned(),
        }
    }
}
