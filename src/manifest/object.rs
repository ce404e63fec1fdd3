//! An object: its key, where it comes from, and its tree.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Error;
use super::hook::Hook;
use super::split::split;
use crate::yaml;

/// What names an object within a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectKey {
    /// `apps/v1`
    pub api_version: String,
    /// `Deployment`
    pub kind: String,
    /// The namespace, where the manifest names one: which one an object without it lands in
    /// depends on the release and on whether the kind has namespaces at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `metadata.name`; empty where `metadata.generateName` stands for it.
    pub name: String,
}

impl ObjectKey {
    /// The group of the API version; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The version within the group.
    pub fn version(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or(&self.api_version, |(_, version)| version)
    }

    /// The key of an object's tree, or the field that it lacks.
    pub fn of(object: &Value) -> Result<Self, &'static str> {
        let metadata = &object["metadata"];
        let text = |value: &Value, field| match value.as_str() {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(field),
        };
        let generated = metadata["generateName"]
            .as_str()
            .is_some_and(|name| !name.is_empty());
        Ok(Self {
            api_version: text(&object["apiVersion"], "apiVersion")?,
            kind: text(&object["kind"], "kind")?,
            namespace: text(&metadata["namespace"], "metadata.namespace").ok(),
            name: match text(&metadata["name"], "metadata.name") {
                Err(_) if generated => String::new(),
                name => name?,
            },
        })
    }
}

/// `Deployment web/api`, or `ClusterRole api` where no namespace is named.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// An object of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What names it.
    pub key: ObjectKey,
    /// The template that it comes from, chart name first; empty where the manifest does not say.
    pub source: String,
    /// Its tree. Whole numbers are integers, as the API server reads them.
    pub value: Value,
}

/// The objects of a stored manifest, in its order.
///
/// The objects of a list (`kind: List`, `RoleList`, whatever has `items`) stand in its place, as
/// Helm's resource builder flattens them. Documents without content are left out.
///
/// # Errors
/// [`Error::Yaml`] where a document is no YAML, [`Error::Missing`] where an object has no
/// `apiVersion`, `kind` or `metadata.name`.
pub fn parse(manifest: &str) -> Result<Vec<Object>, Error> {
    let mut objects = Vec::new();
    for document in split(manifest) {
        parse_document(source(document), document, &mut objects)?;
    }
    Ok(objects)
}

impl Hook {
    /// The objects of the hook: one, unless its manifest is a list. Errors as of [`parse`].
    pub fn objects(&self) -> Result<Vec<Object>, Error> {
        let mut objects = Vec::new();
        parse_document(&self.path, &self.manifest, &mut objects)?;
        Ok(objects)
    }
}

/// The path in the `# Source:` line that Helm puts above each document.
fn source(document: &str) -> &str {
    let first = document.lines().next().unwrap_or_default();
    first.strip_prefix("# Source: ").unwrap_or_default()
}

fn parse_document(source: &str, document: &str, objects: &mut Vec<Object>) -> Result<(), Error> {
    let value = yaml::from_slice(document.as_bytes()).map_err(|error| Error::Yaml {
        path: source.to_owned(),
        message: error.to_string(),
    })?;
    if !value.is_null() {
        flatten(source, value, None, objects)?;
    }
    Ok(())
}

/// k8s: apimachinery unstructuredJSONScheme.decodeToList, cli-runtime FlattenListVisitor
fn flatten(
    source: &str,
    mut value: Value,
    list: Option<(&str, &str)>,
    objects: &mut Vec<Object>,
) -> Result<(), Error> {
    let missing = |field| Error::Missing {
        path: source.to_owned(),
        field,
    };
    // The items of a `RoleList` need not say that they are Roles.
    if let (Some((api_version, kind)), Some(item)) = (list, value.as_object_mut())
        && item.get("kind").is_none_or(Value::is_null)
        && item.get("apiVersion").is_none_or(Value::is_null)
        && let Some(kind) = kind.strip_suffix("List").filter(|kind| !kind.is_empty())
    {
        item.insert("apiVersion".to_owned(), api_version.into());
        item.insert("kind".to_owned(), kind.into());
    }
    if !value["items"].is_array() {
        let key = ObjectKey::of(&value).map_err(missing)?;
        whole_numbers(&mut value);
        objects.push(Object {
            key,
            source: source.to_owned(),
            value,
        });
        return Ok(());
    }
    let items = value["items"].take();
    let api_version = value["apiVersion"]
        .as_str()
        .ok_or_else(|| missing("apiVersion"))?;
    let kind = value["kind"].as_str().ok_or_else(|| missing("kind"))?;
    if let Value::Array(items) = items {
        for item in items {
            flatten(source, item, Some((api_version, kind)), objects)?;
        }
    }
    Ok(())
}

/// On Helm's way to the API server a YAML `1.0` becomes JSON's `1`, an integer.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let float = number.as_f64().unwrap_or_default();
            if float.fract() == 0.0 && float.abs() < 9_223_372_036_854_775_808.0 {
                *number = (float as i64).into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(entries) => entries.values_mut().for_each(whole_numbers),
        _ => {}
    }
}
