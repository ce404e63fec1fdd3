//! The release record: its fields, and what Helm leaves out of its JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::seed::Seed;
use super::status::Status;
use crate::manifest::Hook;

/// One revision of a release. helm: pkg/release/v1/release.go
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// The release's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When it was deployed, and how that went.
    #[serde(deserialize_with = "null_is_default")]
    pub info: Info,
    /// The chart without its dependencies: `serde_json::to_value` of a [`crate::chart::Chart`],
    /// which can be made of it again. Kept as a tree, so that what another Helm added survives.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub chart: Value,
    /// The values that the user gave, without the chart's own.
    #[serde(skip_serializing_if = "Map::is_empty", deserialize_with = "floats")]
    pub config: Map<String, Value>,
    /// The rendered objects without hooks, each under its `# Source:` line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// The hooks, with their last runs.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_default"
    )]
    pub hooks: Vec<Hook>,
    /// The revision, from 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub version: i64,
    /// The release's namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `ssa` or `csa`, server-side or client-side apply; Helm 3 wrote none and means `csa`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub apply_method: String,
    /// The user's own labels. They live in the Secret's labels, not in the record.
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
    /// What this program notes for itself: the annotations of the Secret. Helm carries labels from
    /// revision to revision and drops annotations, so these tell who made a revision.
    #[serde(skip)]
    pub notes_to_self: BTreeMap<String, String>,
    /// What the passwords and certificates of this revision grew from: a further key of the
    /// Secret's data. Helm takes it away where it writes a record over.
    #[serde(skip)]
    pub seed: Option<Seed>,
    /// The resource version that the Secret had when it was read or written: a write over it fails
    /// where somebody else wrote in between.
    #[serde(skip)]
    pub resource_version: Option<String>,
    /// What another Helm may have added.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// What Helm tells about a revision. Times are RFC 3339 with nanoseconds, in whatever zone they
/// were written, and empty where Go's time is zero. helm: pkg/release/v1/info.go
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// When the first revision of the release was deployed.
    #[serde(
        skip_serializing_if = "is_zero_time",
        deserialize_with = "null_is_default"
    )]
    pub first_deployed: String,
    /// When this revision was deployed.
    #[serde(
        skip_serializing_if = "is_zero_time",
        deserialize_with = "null_is_default"
    )]
    pub last_deployed: String,
    /// When it was uninstalled.
    #[serde(
        skip_serializing_if = "is_zero_time",
        deserialize_with = "null_is_default"
    )]
    pub deleted: String,
    /// A line for people: `Install complete`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How it stands.
    pub status: Status,
    /// The revision that a rollback went back to; 0 for anything else.
    #[serde(skip_serializing_if = "is_zero")]
    pub rollback_revision: i64,
    /// The rendered NOTES.txt.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// What another Helm may have added, and `resources`, which `helm status` alone fills in.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// How Helm writes server-side apply into [`Record::apply_method`].
const SERVER_SIDE: &str = "ssa";

/// And client-side apply.
const CLIENT_SIDE: &str = "csa";

impl Record {
    /// Whether the objects of this revision are applied server-side.
    // helm: pkg/action/upgrade.go getUpgradeServerSideValue
    pub fn is_server_side(&self) -> bool {
        self.apply_method == SERVER_SIDE
    }

    /// Has the objects of this revision applied server-side, or with a three-way merge.
    // helm: pkg/action/install.go determineReleaseSSApplyMethod
    pub fn set_server_side(&mut self, server_side: bool) {
        let method = if server_side {
            SERVER_SIDE
        } else {
            CLIENT_SIDE
        };
        method.clone_into(&mut self.apply_method);
    }

    /// The chart's name and version, empty where the record has none.
    pub fn chart_name_and_version(&self) -> (&str, &str) {
        (self.chart_field("name"), self.chart_field("version"))
    }

    /// The version of the application that the chart names, or nothing.
    pub fn app_version(&self) -> &str {
        self.chart_field("appVersion")
    }

    fn chart_field(&self, name: &str) -> &str {
        self.chart["metadata"][name].as_str().unwrap_or_default()
    }

    /// Sets the status with its line for people.
    pub fn set_status(&mut self, status: Status, description: impl Into<String>) {
        self.info.status = status;
        self.info.description = description.into();
    }
}

/// A time as Go writes it into a record: RFC 3339 in UTC, with as many decimals as it takes.
pub fn time(timestamp: jiff::Timestamp) -> String {
    timestamp.to_string()
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Go leaves a zero time out; Helm 3 wrote an empty string.
fn is_zero_time(time: &str) -> bool {
    time.is_empty() || time == "0001-01-01T00:00:00Z"
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Go reads all of JSON's numbers as floats, and templates see the difference: what `--set` made
/// an integer in the first revision is a float in the second.
fn floats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    let mut config: Map<String, Value> = null_is_default(deserializer)?;
    config.values_mut().for_each(to_floats);
    Ok(config)
}

fn to_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(serde_json::Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(to_floats),
        Value::Object(entries) => entries.values_mut().for_each(to_floats),
        _ => {}
    }
}
