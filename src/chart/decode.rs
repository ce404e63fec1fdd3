//! A parsed document into the fields of a struct, with the rules and the complaints of Go's
//! encoding/json: names match in any case, null changes nothing, what is read a second time is
//! laid over the first, and the first wrong type is reported after everything else was read.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::metadata::{Dependency, Draft, Lock, Maintainer};
use super::{moment, print};

/// A document has the wrong shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error unmarshaling JSON: while decoding JSON: {0}")]
pub struct Mismatch(String);

/// Lays a document over `Chart.yaml`'s fields.
pub(super) fn metadata(draft: &mut Draft, document: &Value) -> Result<(), Mismatch> {
    let mut reader = Reader::default();
    reader.object(
        document,
        "Metadata",
        "v2.Metadata",
        |reader, name, value| {
            let metadata = &mut draft.metadata;
            let Some(name) = field(name, METADATA) else {
                return;
            };
            reader.within("Metadata", name, |reader| match name {
                "name" => reader.string(&mut metadata.name, value),
                "home" => reader.string(&mut metadata.home, value),
                "sources" => reader.strings(&mut metadata.sources, value),
                "version" => reader.string(&mut metadata.version, value),
                "description" => reader.string(&mut metadata.description, value),
                "keywords" => reader.strings(&mut metadata.keywords, value),
                "maintainers" => reader.maintainers(&mut draft.maintainers, value),
                "icon" => reader.string(&mut metadata.icon, value),
                "apiVersion" => reader.string(&mut metadata.api_version, value),
                "condition" => reader.string(&mut metadata.condition, value),
                "tags" => reader.string(&mut metadata.tags, value),
                "appVersion" => reader.string(&mut metadata.app_version, value),
                "deprecated" => reader.boolean(&mut metadata.deprecated, value),
                "annotations" => reader.annotations(&mut metadata.annotations, value),
                "kubeVersion" => reader.string(&mut metadata.kube_version, value),
                "dependencies" => reader.dependencies(&mut draft.dependencies, value),
                _ => reader.string(&mut metadata.kind, value),
            });
        },
    );
    reader.finish()
}

const METADATA: &[&str] = &[
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];

/// Reads `Chart.lock`; a document that is null is no lock.
pub(super) fn lock(document: &Value) -> Result<Option<Lock>, Mismatch> {
    if document.is_null() {
        return Ok(None);
    }
    let mut lock = Lock::default();
    let mut reader = Reader::default();
    reader.object(document, "Lock", "v2.Lock", |reader, name, value| {
        let Some(name) = field(name, &["generated", "digest", "dependencies"]) else {
            return;
        };
        reader.within("Lock", name, |reader| match name {
            "generated" => reader.time(&mut lock.generated, value),
            "digest" => reader.string(&mut lock.digest, value),
            _ => reader.dependencies(&mut lock.dependencies, value),
        });
    });
    reader.finish()?;
    Ok(Some(lock))
}

/// Reads no more than the API version of a `Chart.yaml`.
pub(super) fn api_version(document: &Value) -> Result<String, Mismatch> {
    let mut version = String::new();
    let mut reader = Reader::default();
    reader.object(
        document,
        "chartBase",
        "loader.chartBase",
        |reader, name, value| {
            let Some(name) = field(name, &["apiVersion"]) else {
                return;
            };
            reader.within("chartBase", name, |reader| {
                reader.string(&mut version, value)
            });
        },
    );
    reader.finish()?;
    Ok(version)
}

/// Takes a document of values for the table that it must be; null is an empty one.
pub(super) fn table(document: Value) -> Result<Map<String, Value>, Mismatch> {
    match document {
        Value::Object(table) => Ok(table),
        Value::Null => Ok(Map::new()),
        other => {
            let mut reader = Reader::default();
            reader.mismatch(&other, "map[string]interface {}");
            reader.finish().map(|()| Map::new())
        }
    }
}

/// The field that a name means: the very name, or else the same name in other case.
fn field(name: &str, fields: &[&'static str]) -> Option<&'static str> {
    let exact = fields.iter().find(|field| **field == name);
    exact
        .or_else(|| fields.iter().find(|field| same_folded(field, name)))
        .copied()
}

// go: encoding/json foldName; the two characters outside ASCII that fold into it
fn same_folded(field: &str, name: &str) -> bool {
    let folded = name.chars().map(|c| match c {
        'ſ' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    });
    field.chars().map(|c| c.to_ascii_lowercase()).eq(folded)
}

#[derive(Default)]
struct Reader {
    structure: &'static str,
    path: Vec<&'static str>,
    first: Option<Mismatch>,
}

impl Reader {
    fn finish(self) -> Result<(), Mismatch> {
        self.first.map_or(Ok(()), Err)
    }

    fn complain(&mut self, text: String) {
        self.first.get_or_insert(Mismatch(text));
    }

    // go: encoding/json UnmarshalTypeError
    fn mismatch(&mut self, found: &Value, wanted: &str) {
        let found = match found {
            Value::Null => return,
            Value::Bool(_) => "bool",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let place = if self.structure.is_empty() {
            "Go value".to_owned()
        } else {
            format!("Go struct field {}.{}", self.structure, self.path.join("."))
        };
        self.complain(format!(
            "json: cannot unmarshal {found} into {place} of type {wanted}"
        ));
    }

    fn within(
        &mut self,
        structure: &'static str,
        field: &'static str,
        read: impl FnOnce(&mut Self),
    ) {
        let outer = std::mem::replace(&mut self.structure, structure);
        self.path.push(field);
        read(self);
        self.path.pop();
        self.structure = outer;
    }

    fn object(
        &mut self,
        value: &Value,
        _structure: &'static str,
        kind: &str,
        mut each: impl FnMut(&mut Self, &str, &Value),
    ) {
        match value {
            Value::Object(entries) => entries
                .iter()
                .for_each(|(name, value)| each(self, name, value)),
            other => self.mismatch(other, kind),
        }
    }

    // sigs.k8s.io/yaml: convertToJSONableObject turns numbers and booleans into the text wanted
    fn string(&mut self, slot: &mut String, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(text) => slot.clone_from(text),
            Value::Bool(flag) => *slot = flag.to_string(),
            Value::Number(n) => {
                *slot = n
                    .as_f64()
                    .filter(|_| n.is_f64())
                    .map_or_else(|| n.to_string(), print::single)
            }
            other => self.mismatch(other, "string"),
        }
    }

    fn boolean(&mut self, slot: &mut bool, value: &Value) {
        match value {
            Value::Bool(flag) => *slot = *flag,
            other => self.mismatch(other, "bool"),
        }
    }

    fn time(&mut self, slot: &mut String, value: &Value) {
        match value {
            Value::Null => {}
            Value::String(text) => match moment::rfc3339(text) {
                Ok(time) => *slot = time,
                Err(text) => self.complain(text),
            },
            _ => self.complain("Time.UnmarshalJSON: input is not a JSON string".to_owned()),
        }
    }

    /// Reads a list over what the slot holds; answers whether the value was a list or null.
    fn list<T: Default>(
        &mut self,
        slot: &mut Vec<T>,
        value: &Value,
        kind: &str,
        mut item: impl FnMut(&mut Self, &mut T, &Value),
    ) -> bool {
        match value {
            Value::Null => slot.clear(),
            Value::Array(items) => {
                slot.resize_with(items.len(), T::default);
                for (slot, value) in slot.iter_mut().zip(items) {
                    item(self, slot, value);
                }
            }
            other => {
                self.mismatch(other, kind);
                return false;
            }
        }
        true
    }

    fn strings(&mut self, slot: &mut Vec<String>, value: &Value) {
        self.list(slot, value, "[]string", Self::string);
    }

    fn annotations(&mut self, slot: &mut BTreeMap<String, String>, value: &Value) {
        match value {
            Value::Null => slot.clear(),
            Value::Object(entries) => {
                for (name, value) in entries {
                    let mut text = String::new();
                    self.string(&mut text, value);
                    slot.insert(name.clone(), text);
                }
            }
            other => self.mismatch(other, "map[string]string"),
        }
    }

    fn maintainers(&mut self, slot: &mut Vec<Option<Maintainer>>, value: &Value) {
        self.list(slot, value, "[]*v2.Maintainer", |reader, slot, value| {
            if value.is_null() {
                *slot = None;
                return;
            }
            let maintainer = slot.get_or_insert_default();
            reader.object(
                value,
                "Maintainer",
                "v2.Maintainer",
                |reader, name, value| {
                    let Some(name) = field(name, &["name", "email", "url"]) else {
                        return;
                    };
                    reader.within("Maintainer", name, |reader| match name {
                        "name" => reader.string(&mut maintainer.name, value),
                        "email" => reader.string(&mut maintainer.email, value),
                        _ => reader.string(&mut maintainer.url, value),
                    });
                },
            );
        });
    }

    fn dependencies(&mut self, slot: &mut Option<Vec<Option<Dependency>>>, value: &Value) {
        let mut list = slot.take().unwrap_or_default();
        let had = !list.is_empty();
        let read = self.list(
            &mut list,
            value,
            "[]*v2.Dependency",
            |reader, slot, value| {
                if value.is_null() {
                    *slot = None;
                } else {
                    reader.dependency(slot.get_or_insert_default(), value);
                }
            },
        );
        let present = if read { value.is_array() } else { had };
        *slot = present.then_some(list);
    }

    fn dependency(&mut self, slot: &mut Dependency, value: &Value) {
        const FIELDS: &[&str] = &[
            "name",
            "version",
            "repository",
            "condition",
            "tags",
            "enabled",
            "import-values",
            "alias",
        ];
        self.object(
            value,
            "Dependency",
            "v2.Dependency",
            |reader, name, value| {
                let Some(name) = field(name, FIELDS) else {
                    return;
                };
                reader.within("Dependency", name, |reader| match name {
                    "name" => reader.string(&mut slot.name, value),
                    "version" => reader.string(&mut slot.version, value),
                    "repository" => reader.string(&mut slot.repository, value),
                    "condition" => reader.string(&mut slot.condition, value),
                    "tags" => reader.strings(&mut slot.tags, value),
                    "enabled" => reader.boolean(&mut slot.enabled, value),
                    "alias" => reader.string(&mut slot.alias, value),
                    _ => {
                        reader.list(
                            &mut slot.import_values,
                            value,
                            "[]interface {}",
                            |_, slot, value| {
                                slot.clone_from(value);
                            },
                        );
                    }
                });
            },
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn names_match_in_any_case_and_numbers_become_texts() {
        let mut draft = Draft::default();
        metadata(
            &mut draft,
            &json!({"Name": "a", "appversion": 1.1, "version": 3}),
        )
        .unwrap();
        assert_eq!(draft.metadata.name, "a");
        assert_eq!(draft.metadata.app_version, "1.1");
        assert_eq!(draft.metadata.version, "3");
    }
}
