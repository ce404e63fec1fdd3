//! Manifests, read from files, folders and standard input.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle::api::HelmRelease;
use serde_json::{Map, Value};

/// What was found.
#[derive(Default)]
pub(super) struct Manifests {
    pub(super) releases: Vec<Declared>,
    /// What releases may refer to, by the paths that the API server has them under.
    pub(super) objects: BTreeMap<String, Value>,
    /// What was passed over.
    pub(super) skipped: Vec<String>,
}

/// A HelmRelease and where it stands.
pub(super) struct Declared {
    pub(super) resource: HelmRelease,
    /// `HelmRelease namespace/name (file:line)`
    pub(super) named: String,
}

/// A file and a line of it.
struct Place<'a> {
    file: &'a str,
    line: usize,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Kinds that releases refer to, and their names in paths.
const REFERRED: [(&str, &str); 3] = [
    ("Secret", "secrets"),
    ("ConfigMap", "configmaps"),
    ("ServiceAccount", "serviceaccounts"),
];

/// Reads all places, in order; `namespace` is that of objects that name none.
pub(super) fn read(places: &[String], namespace: &str) -> Result<Manifests> {
    let mut found = Manifests::default();
    let mut reader = Reader {
        found: &mut found,
        namespace,
        seen: BTreeMap::new(),
        schema: schema()?,
    };
    for place in places {
        if place == "-" {
            let mut text = Vec::new();
            let read = std::io::stdin().read_to_end(&mut text);
            read.context("read standard input")?;
            reader.file("standard input", &text)?;
        } else {
            reader.path(Path::new(place), true)?;
        }
    }
    Ok(found)
}

/// The schema of a HelmRelease's spec.
fn schema() -> Result<Value> {
    let definition = serde_json::to_value(pintle::api::custom_resource_definition())?;
    let place = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";
    let schema = definition.pointer(place).cloned();
    schema.context("the definition of HelmRelease has no schema")
}

struct Reader<'a> {
    found: &'a mut Manifests,
    namespace: &'a str,
    /// Where each object stands.
    seen: BTreeMap<String, String>,
    schema: Value,
}

impl Reader<'_> {
    fn path(&mut self, path: &Path, named: bool) -> Result<()> {
        let shown = path.display().to_string();
        let metadata = fs::metadata(path).with_context(|| format!("read {shown}"))?;
        if !metadata.is_dir() {
            let is_manifest = path.extension().is_some_and(|extension| {
                ["yaml", "yml", "json"]
                    .iter()
                    .any(|known| extension == *known)
            });
            if named || is_manifest {
                let text = fs::read(path).with_context(|| format!("read {shown}"))?;
                self.file(&shown, &text)?;
            }
            return Ok(());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(path).with_context(|| format!("read {shown}"))? {
            entries.push(entry.with_context(|| format!("read {shown}"))?.path());
        }
        entries.sort();
        for entry in entries {
            let hidden = entry
                .file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            // A link could lead round in a circle.
            let link = fs::symlink_metadata(&entry).is_ok_and(|found| found.is_symlink());
            let round = link && entry.is_dir();
            if !hidden && !round {
                self.path(&entry, false)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &str, text: &[u8]) -> Result<()> {
        let text = std::str::from_utf8(text).map_err(|_| anyhow!("{file}: it is no UTF-8"))?;
        for (line, document) in documents(text) {
            let parsed = pintle::yaml::from_slice_strict(document.as_bytes());
            let value = parsed.map_err(|error| {
                let within = error.line().unwrap_or(1);
                // The error's own line counts from the document's beginning.
                let words = error.to_string().replace(&format!("line {within}: "), "");
                let line = line + within.saturating_sub(1);
                anyhow!("{}: {words}", Place { file, line })
            })?;
            self.object(&Place { file, line }, value)?;
        }
        Ok(())
    }

    fn object(&mut self, place: &Place<'_>, mut value: Value) -> Result<()> {
        if value.is_null() {
            return Ok(());
        }
        let text = |value: &Value, pointer: &str| {
            value
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        let kind =
            text(&value, "/kind").with_context(|| format!("{place}: an object has no kind"))?;
        let version = text(&value, "/apiVersion")
            .with_context(|| format!("{place}: {kind} has no apiVersion"))?;
        if kind.ends_with("List")
            && let Some(items) = value.get_mut("items").and_then(Value::as_array_mut)
        {
            return std::mem::take(items)
                .into_iter()
                .try_for_each(|item| self.object(place, item));
        }
        let name = text(&value, "/metadata/name")
            .with_context(|| format!("{place}: {kind} has no metadata.name"))?;
        let namespace = text(&value, "/metadata/namespace");
        let namespace = namespace.unwrap_or_else(|| self.namespace.to_owned());
        let named = format!("{kind} {namespace}/{name} ({place})");
        let group = version.split_once('/').map_or("", |(group, _)| group);
        let referred = REFERRED
            .iter()
            .find(|(known, _)| version == "v1" && *known == kind);
        let is_release = group == "helm.pintle.dev" && kind == "HelmRelease";
        if !is_release && referred.is_none() {
            self.found.skipped.push(named);
            return Ok(());
        }
        value["metadata"]["namespace"] = Value::String(namespace.clone());
        let key = format!("{kind} {namespace}/{name}");
        if let Some(first) = self.seen.insert(key, place.to_string()) {
            bail!("{named}: it stands at {first}, too");
        }
        match referred {
            Some((_, plural)) => {
                settle(&mut value).with_context(|| named.clone())?;
                let path = path(&namespace, plural, &name);
                self.found.objects.insert(path, value);
            }
            None => {
                let resource = self.release(value).with_context(|| named.clone())?;
                self.found.releases.push(Declared { resource, named });
            }
        }
        Ok(())
    }

    fn release(&self, value: Value) -> Result<HelmRelease> {
        let version = value["apiVersion"].as_str().unwrap_or_default();
        if version != "helm.pintle.dev/v1" {
            bail!("{version} is not known here, but helm.pintle.dev/v1");
        }
        let spec = value.get("spec").context("it has no spec")?;
        check(spec, &self.schema, "spec")?;
        Ok(serde_json::from_value(value)?)
    }
}

/// Where the API server would have an object.
pub(super) fn path(namespace: &str, plural: &str, name: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/{plural}/{name}")
}

/// Refuses fields that the definition does not have, as the API server does.
fn check(value: &Value, schema: &Value, at: &str) -> Result<()> {
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        let mut numbered = items.iter().enumerate();
        return numbered
            .try_for_each(|(number, item)| check(item, schema, &format!("{at}[{number}]")));
    }
    let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) else {
        return Ok(());
    };
    for (name, field) in fields {
        let at = format!("{at}.{name}");
        match known.get(name) {
            Some(schema) => check(field, schema, &at)?,
            None => bail!("{at}: there is no such field"),
        }
    }
    Ok(())
}

/// A Secret's `stringData` becomes data, as the API server does.
fn settle(object: &mut Value) -> Result<()> {
    let Some(texts) = object.as_object_mut().and_then(|o| o.remove("stringData")) else {
        return Ok(());
    };
    let texts: Map<String, Value> = serde_json::from_value(texts).context("stringData")?;
    for (key, text) in texts {
        let text = text
            .as_str()
            .with_context(|| format!("stringData.{key} is no text"))?;
        object["data"][key] = Value::String(STANDARD.encode(text));
    }
    Ok(())
}

/// The documents of a stream, each with the number of its first line.
fn documents(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut begin, mut first, mut at) = (0, 1, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let is_mark = line
            .strip_prefix("---")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']));
        if is_mark && at > begin {
            found.push((first, &text[begin..at]));
            (begin, first) = (at, number + 1);
        }
        at += line.len();
    }
    found.push((first, &text[begin..]));
    found
}
