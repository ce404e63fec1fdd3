//! A chart as Helm writes it into the record of a release, and reads it from there.
//!
//! What a record does not hold is not there after reading: the dependencies, which have left their
//! values and manifests in the record.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::de::Error as _;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::yaml;

use super::metadata::{Lock, Metadata};
use super::{Chart, File};

/// When nothing is known of a time. Helm always writes when a schema was last changed.
// go: the zero time
const NO_TIME: &str = "0001-01-01T00:00:00Z";

#[derive(Serialize, Deserialize)]
#[serde(default)]
struct Record<'a> {
    metadata: Option<Cow<'a, Metadata>>,
    lock: Option<Cow<'a, Lock>>,
    templates: Option<Vec<Packed<'a>>>,
    #[serde(serialize_with = "values")]
    values: Option<Cow<'a, Map<String, Value>>>,
    schema: Option<Cow<'a, str>>,
    schemamodtime: Cow<'a, str>,
    files: Option<Vec<Packed<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modtime: Option<Cow<'a, str>>,
}

impl Default for Record<'_> {
    fn default() -> Self {
        Self {
            metadata: None,
            lock: None,
            templates: None,
            values: None,
            schema: None,
            schemamodtime: NO_TIME.into(),
            files: None,
            modtime: None,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    name: Cow<'a, str>,
    /// In base 64.
    data: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    modtime: Option<Cow<'a, str>>,
}

impl Serialize for Chart {
    // helm: pkg/chart/v2/chart.go Chart
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = Record {
            metadata: Some(Cow::Borrowed(&self.metadata)),
            lock: self.lock.as_ref().map(Cow::Borrowed),
            templates: pack(&self.templates),
            values: Some(Cow::Borrowed(&self.values)),
            schema: self
                .schema
                .as_ref()
                .map(|schema| STANDARD.encode(schema).into()),
            files: pack(&self.files),
            modtime: self.modified[0].map(told),
            schemamodtime: self.modified[1].map_or(NO_TIME.into(), told),
        };
        record.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Chart {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let record = Record::deserialize(deserializer)?;
        let mut metadata = record.metadata.map(Cow::into_owned).unwrap_or_default();
        metadata.declares_dependencies = !metadata.dependencies.is_empty();
        let schema = record
            .schema
            .map(|schema| STANDARD.decode(schema.as_bytes()));
        let values = record.values.map(Cow::into_owned).unwrap_or_default();
        Ok(Self {
            metadata,
            lock: record.lock.map(Cow::into_owned),
            templates: unpack(record.templates).map_err(D::Error::custom)?,
            // go: every number in a record is a float once it is read
            values: values
                .into_iter()
                .map(|(key, value)| (key, yaml::floats(value)))
                .collect(),
            schema: schema.transpose().map_err(D::Error::custom)?.map(Arc::from),
            files: Arc::new(unpack(record.files).map_err(D::Error::custom)?),
            modified: [
                record.modtime.as_deref().and_then(time),
                time(&record.schemamodtime),
            ],
            ..Self::default()
        })
    }
}

fn pack(files: &[File]) -> Option<Vec<Packed<'_>>> {
    let packed = files.iter().map(|file| Packed {
        name: Cow::Borrowed(&file.name),
        data: Some(STANDARD.encode(&file.data).into()),
        modtime: file.modified.map(told),
    });
    // go: a list that nothing was ever added to is null
    (!files.is_empty()).then(|| packed.collect())
}

/// Helm writes the zone of its machine; the moment is the same.
fn told(time: Timestamp) -> Cow<'static, str> {
    time.to_string().into()
}

fn time(text: &str) -> Option<Timestamp> {
    let time = text.parse().ok()?;
    (text != NO_TIME).then_some(time)
}

fn unpack(files: Option<Vec<Packed<'_>>>) -> Result<Vec<File>, base64::DecodeError> {
    let files = files.into_iter().flatten().map(|file| {
        let data = STANDARD.decode(file.data.unwrap_or_default().as_bytes())?;
        Ok(File {
            name: file.name.into_owned(),
            data: data.into(),
            modified: file.modtime.as_deref().and_then(time),
        })
    });
    files.collect()
}

#[allow(clippy::ref_option, reason = "serde passes a reference")]
fn values<S: Serializer>(
    values: &Option<Cow<'_, Map<String, Value>>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match values {
        Some(values) => table(values, serializer),
        None => serializer.serialize_none(),
    }
}

fn table<S: Serializer>(values: &Map<String, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(values.len()))?;
    for (key, value) in values {
        map.serialize_entry(key, &Go(value))?;
    }
    map.end()
}

/// A value as Go's JSON writes it: a float that is whole has no dot.
struct Go<'a>(&'a Value);

impl Serialize for Go<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // floats of this size are whole numbers exactly
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        match self.0 {
            Value::Object(values) => table(values, serializer),
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Go(item))?;
                }
                list.end()
            }
            Value::Number(number) => match number.as_f64() {
                #[allow(clippy::cast_possible_truncation, reason = "whole, and within bounds")]
                Some(float) if float.fract() == 0.0 && float.abs() < LARGEST => {
                    serializer.serialize_i64(float as i64)
                }
                _ => number.serialize(serializer),
            },
            other => other.serialize(serializer),
        }
    }
}
