//! The head of a manifest: what Helm reads of an object before it knows its kind.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::template::FloatKind;
use crate::template::print::format_float;
use crate::yaml::Select;

/// helm: pkg/release/v1/util/manifest.go SimpleHead
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) annotations: BTreeMap<String, String>,
}

/// The parts of a document that its head is read from.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Document,
    Metadata,
    Annotations,
    Text,
}

impl Select for Part {
    fn entry(self, key: &str) -> Option<Self> {
        match self {
            Self::Document if is(key, "metadata") => Some(Self::Metadata),
            Self::Document => (is(key, "apiVersion") || is(key, "kind")).then_some(Self::Text),
            Self::Metadata if is(key, "annotations") => Some(Self::Annotations),
            Self::Metadata => is(key, "name").then_some(Self::Text),
            Self::Annotations => Some(Self::Text),
            Self::Text => None,
        }
    }

    fn item(self) -> Option<Self> {
        None
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Text)
    }
}

/// Whether a key stands for a field. Go: encoding/json takes any case.
fn is(key: &str, field: &str) -> bool {
    key.eq_ignore_ascii_case(field)
}

/// What Go calls the type of `metadata` in its errors.
const METADATA_TYPE: &str = r#"struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;

impl Head {
    /// The head of a document, of which no more need be there than its [`Part`]s, or Go's words about
    /// why it has none.
    ///
    /// Go's decoder goes on after a wrong type and reports the first. Keys come sorted, and match
    /// fields in any case; the last one wins.
    pub(super) fn read(document: &Value) -> Result<Self, String> {
        let mut head = Self::default();
        let entries = match document {
            Value::Null => return Ok(head),
            Value::Object(entries) => entries,
            other => {
                let kind = json_kind(other);
                return Err(wrapped(format!(
                    "{kind} into Go value of type util.SimpleHead"
                )));
            }
        };
        for (key, value) in entries {
            if is(key, "apiVersion") {
                set_text(&mut head.api_version, value, "SimpleHead.apiVersion")?;
            } else if is(key, "kind") {
                set_text(&mut head.kind, value, "SimpleHead.kind")?;
            } else if is(key, "metadata") {
                head.read_metadata(value)?;
            }
        }
        Ok(head)
    }

    fn read_metadata(&mut self, metadata: &Value) -> Result<(), String> {
        let entries = match metadata {
            Value::Null => {
                // A null sets Go's pointer back to nil.
                self.name.clear();
                self.annotations.clear();
                return Ok(());
            }
            Value::Object(entries) => entries,
            other => return Err(wrong(other, "SimpleHead.metadata", METADATA_TYPE)),
        };
        for (key, value) in entries {
            if is(key, "name") {
                set_text(&mut self.name, value, ".metadata.name")?;
            } else if is(key, "annotations") {
                self.read_annotations(value)?;
            }
        }
        Ok(())
    }

    fn read_annotations(&mut self, annotations: &Value) -> Result<(), String> {
        let entries = match annotations {
            Value::Null => {
                self.annotations.clear();
                return Ok(());
            }
            Value::Object(entries) => entries,
            other => return Err(wrong(other, ".metadata.annotations", "map[string]string")),
        };
        for (key, value) in entries {
            let mut text = String::new();
            set_text(&mut text, value, ".metadata.annotations")?;
            self.annotations.insert(key.clone(), text);
        }
        Ok(())
    }
}

/// Scalars become text where Go's field is a string (sigs.k8s.io/yaml convertToJSONableObject); a
/// null leaves the field as it is.
fn set_text(field: &mut String, value: &Value, path: &str) -> Result<(), String> {
    *field = match value {
        Value::Null => return Ok(()),
        Value::String(text) => text.clone(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number_text(number),
        other => return Err(wrong(other, path, "string")),
    };
    Ok(())
}

/// Integers in full, floats as Go's `strconv.FormatFloat(f, 'g', -1, 32)`.
fn number_text(number: &Number) -> String {
    if !number.is_f64() {
        return number.to_string();
    }
    let float = number.as_f64().unwrap_or_default();
    format_float(float, b'g', None, FloatKind::Float32)
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wrong(value: &Value, field: &str, go_type: &str) -> String {
    let kind = json_kind(value);
    wrapped(format!(
        "{kind} into Go struct field {field} of type {go_type}"
    ))
}

fn wrapped(message: String) -> String {
    format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {message}")
}
