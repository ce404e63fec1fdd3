//! A repository's index, as Helm reads it whole: what charts there are, in which versions.

use std::collections::BTreeMap;

use pintle::chart::{self, Metadata, Warning};
use pintle::semver::{Constraint, Version};
use serde_json::{Map, Value};

use super::{Failed, Log};
use crate::command::files;

/// Charts by name, each with its newest version first.
// helm: pkg/repo/v1/index.go IndexFile
pub(super) struct Index {
    entries: BTreeMap<String, Vec<Entry>>,
    /// Entries that cannot be used, by the chart's name.
    unusable: Vec<(String, Unusable)>,
}

/// One version of a chart.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) version: String,
    pub(super) urls: Vec<String>,
    pub(super) digest: String,
    parsed: Option<Version>,
}

impl Index {
    // helm: pkg/repo/v1/index.go LoadIndexFile
    pub(super) fn load_file(path: &str, log: Log) -> Result<Self, String> {
        let bytes = files::read(path).map_err(|error| error.to_string())?;
        Self::load(&bytes, path, log).map_err(|error| format!("error loading {path}: {error}"))
    }

    /// Entries that cannot be used are told of and left out.
    // helm: pkg/repo/v1/index.go loadIndex
    pub(super) fn load(bytes: &[u8], source: &str, log: Log) -> Result<Self, String> {
        let (index, usable) = Self::read(bytes)?;
        index.tell(source, log);
        usable.map(|()| index)
    }

    /// Says which entries were left out.
    pub(super) fn tell(&self, source: &str, log: Log) {
        for (name, reason) in &self.unusable {
            log.say(&[reason.about(name, source)]);
        }
    }

    /// The index, and whether it is one that may be used.
    fn read(bytes: &[u8]) -> Result<(Self, Result<(), String>), String> {
        if bytes.is_empty() {
            return Err("empty index.yaml file".to_owned());
        }
        let root = parse(bytes)?;
        let mut index = Self {
            entries: BTreeMap::new(),
            unusable: Vec::new(),
        };
        let named = match root.get("entries") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(named)) => named.clone(),
            Some(other) => return Err(mismatch(other, "entries", "map[string]repo.ChartVersions")),
        };
        for (name, versions) in named {
            let versions = match versions {
                Value::Null => Vec::new(),
                Value::Array(versions) => versions,
                other => return Err(mismatch(&other, "entries", "repo.ChartVersions")),
            };
            let mut kept = Vec::new();
            for version in versions.iter().rev() {
                match Entry::read(version)? {
                    Ok(entry) => kept.push(entry),
                    Err(reason) => index.unusable.push((name.clone(), reason)),
                }
            }
            kept.reverse();
            kept.sort_by(|a: &Entry, b: &Entry| match (&a.parsed, &b.parsed) {
                (Some(a), Some(b)) => b.cmp(a),
                (a, b) => b.is_some().cmp(&a.is_some()),
            });
            index.entries.insert(name, kept);
        }
        let usable = match root.get("apiVersion").and_then(Value::as_str) {
            None | Some("") => Err("no API version specified".to_owned()),
            Some(_) => Ok(()),
        };
        Ok((index, usable))
    }

    /// The version that is equal to the letter, or else the newest within the range.
    // helm: pkg/repo/v1/index.go Get
    pub(super) fn get(&self, name: &str, version: &str, log: Log) -> Result<&Entry, String> {
        let versions = self.entries.get(name).ok_or("no chart name found")?;
        if versions.is_empty() {
            return Err("no chart version found".to_owned());
        }
        let range = if version.is_empty() { "*" } else { version };
        let range = Constraint::parse(range).map_err(|error| Failed::of(&error).0)?;
        if let Some(entry) = versions.iter().find(|entry| entry.version == version) {
            return Ok(entry);
        }
        let within = |entry: &&Entry| {
            let version = entry.parsed.as_ref();
            version.is_some_and(|version| range.check(version))
        };
        let Some(entry) = versions.iter().find(within) else {
            return Err(format!("no chart version found for {name}-{version}"));
        };
        if version.is_empty() {
            return Ok(entry);
        }
        if is_range(version) {
            let told = [
                ("chart", name),
                ("constraint", version),
                ("selected", &entry.version),
            ];
            log.debug("selected version matching constraint", &told);
        } else {
            log.say(&[Warning::warn(
                "unable to find exact version requested; falling back to closest available version",
            )
            .with("chart", name)
            .with("requested", version)
            .with("selected", entry.version.as_str())]);
        }
        Ok(entry)
    }

    /// Every URL of every version.
    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        let entries = self.entries.values().flatten();
        entries.flat_map(|entry| entry.urls.iter().map(String::as_str))
    }
}

/// Why an entry is left out.
enum Unusable {
    Empty,
    Invalid { version: String, reason: String },
}

impl Unusable {
    fn about(&self, name: &str, source: &str) -> Warning {
        match self {
            Self::Empty => Warning::warn("skipping loading invalid entry for chart: empty entry")
                .with("name", name)
                .with("source", source),
            Self::Invalid { version, reason } => {
                Warning::warn("skipping loading invalid entry for chart")
                    .with("name", name)
                    .with("version", version.as_str())
                    .with("source", source)
                    .with("error", reason.as_str())
            }
        }
    }
}

impl Entry {
    fn read(entry: &Value) -> Result<Result<Self, Unusable>, String> {
        let Value::Object(fields) = entry else {
            return match entry {
                Value::Null => Ok(Err(Unusable::Empty)),
                other => Err(mismatch(other, "entries", "repo.ChartVersion")),
            };
        };
        let text = |name: &str| pintle::yaml::scalar_text(fields.get(name).unwrap_or(&Value::Null));
        let version = text("version").unwrap_or_default();
        match Metadata::of_index(entry) {
            Ok(_) => {}
            // helm: pkg/repo/v1/index.go ignoreSkippableChartValidationError
            Err(chart::Error::Invalid(rule))
                if rule.starts_with("more than one dependency with name or alias") => {}
            Err(error @ chart::Error::Invalid(_)) => {
                let reason = error.to_string();
                return Ok(Err(Unusable::Invalid { version, reason }));
            }
            Err(chart::Error::File { source, .. }) => return Err(source.to_string()),
            Err(error) => return Err(error.to_string()),
        }
        let urls = match fields.get("urls") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(urls)) => urls.iter().filter_map(pintle::yaml::scalar_text).collect(),
            Some(other) => return Err(mismatch(other, "entries.urls", "[]string")),
        };
        Ok(Ok(Self {
            urls,
            digest: text("digest").unwrap_or_default(),
            parsed: Version::parse(&version).ok(),
            version,
        }))
    }
}

/// JSON as it is; YAML may have no field that Helm does not know.
// helm: pkg/repo/v1/index.go jsonOrYamlUnmarshal
fn parse(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let json = serde_json::from_slice::<Value>(bytes).ok();
    let is_json = json.is_some();
    let root = match json {
        Some(json) => json,
        None => pintle::yaml::from_slice_strict(bytes).map_err(|error| error.to_string())?,
    };
    let root = match root {
        Value::Object(root) => root,
        Value::Null => Map::new(),
        other => {
            let found = json_word(&other);
            return Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} \
                 into Go value of type repo.IndexFile"
            ));
        }
    };
    if !is_json {
        check_fields(&root)?;
    }
    Ok(root)
}

const INDEX: &[&str] = &[
    "serverInfo",
    "apiVersion",
    "generated",
    "entries",
    "publicKeys",
    "annotations",
];
const ENTRY: &[&str] = &[
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
    "urls",
    "created",
    "removed",
    "digest",
    "checksum",
    "engine",
    "tillerVersion",
    "url",
];
const MAINTAINER: &[&str] = &["name", "email", "url"];
const DEPENDENCY: &[&str] = &[
    "name",
    "version",
    "repository",
    "condition",
    "tags",
    "enabled",
    "import-values",
    "alias",
];

// sigs.k8s.io/yaml UnmarshalStrict; go: encoding/json DisallowUnknownFields
fn check_fields(root: &Map<String, Value>) -> Result<(), String> {
    let known = |fields: &Map<String, Value>, known: &[&str]| {
        let unknown = fields
            .keys()
            .find(|field| !known.iter().any(|name| name.eq_ignore_ascii_case(field)));
        unknown.map_or(Ok(()), |field| {
            Err(format!(
                "error unmarshaling JSON: while decoding JSON: json: unknown field \"{field}\""
            ))
        })
    };
    let list = |value: Option<&Value>| match value {
        Some(Value::Array(items)) => items.clone(),
        _ => Vec::new(),
    };
    if let Some(Value::Object(entries)) = root.get("entries") {
        for entry in entries.values().flat_map(|versions| list(Some(versions))) {
            let Value::Object(entry) = entry else {
                continue;
            };
            for (name, fields) in [("dependencies", DEPENDENCY), ("maintainers", MAINTAINER)] {
                for item in list(entry.get(name)).iter().filter_map(Value::as_object) {
                    known(item, fields)?;
                }
            }
            known(&entry, ENTRY)?;
        }
    }
    known(root, INDEX)
}

fn mismatch(found: &Value, field: &str, wanted: &str) -> String {
    let found = json_word(found);
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go \
         struct field IndexFile.{field} of type {wanted}"
    )
}

/// What JSON calls a value.
// go: encoding/json UnmarshalTypeError
pub(super) fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether more than one version is meant.
// helm: pkg/repo/v1/index.go isVersionRange
fn is_range(version: &str) -> bool {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    version.contains(['^', '~', '<', '>', '=', '!', '*'])
        || version.contains("||")
        || version.contains(" - ")
        || numbers.contains(['x', 'X'])
}
