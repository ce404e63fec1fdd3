//! What the controller says of a release.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::condition::Condition;

/// What is known of the release.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseStatus {
    /// The generation of the spec that this status speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, Reconciling, Stalled (kstatus), Released, Drifted, TestSuccess.
    #[serde(default)]
    #[schemars(schema_with = "conditions_schema")]
    pub conditions: Vec<Condition>,
    /// What the deployed revision was made of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Inputs>,
    /// The chart that was used last. From then on its version stands for these bytes alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The revisions that Helm's storage holds, newest first.
    #[serde(default)]
    pub history: Vec<Snapshot>,
    /// The objects that the deployed revision applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inventory: Option<Inventory>,
    /// What has been tried for the present inputs, so that a failing release is not tried for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// The objects that are waited for.
    #[serde(default)]
    pub waiting: Vec<Waiting>,
    /// The last value of the annotation `reconcile.pintle.dev/requestedAt` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// The last value of the annotation `reconcile.pintle.dev/forceAt` that was acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_force_at: Option<String>,
}

/// Digests of what a revision was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// The digest of the chart archive's bytes.
    pub chart: String,
    /// The digest of the merged values.
    pub values: String,
}

/// Which bytes a version of a chart stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The chart repository, as declared.
    pub repo: String,
    /// The chart's name.
    pub name: String,
    /// The chart's exact version.
    pub version: String,
    /// The chart's exact commit, if it came from git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The chart's folder in that commit, if that is not the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The digest of the archive's bytes.
    pub digest: String,
    /// The digest of what the registry's tag named, if the chart came from a registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// One revision in Helm's storage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The release's name.
    pub name: String,
    /// The release's namespace.
    pub namespace: String,
    /// The revision.
    pub version: i64,
    /// Helm's word for the revision's state.
    pub status: String,
    /// The chart's name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub chart_name: String,
    /// The chart's version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub chart_version: String,
    /// The version of what the chart installs.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// The digest of the chart archive's bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub chart_digest: String,
    /// Who signed the chart, where that was asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub signer: String,
    /// The digest of the merged values.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub config_digest: String,
    /// When the release was first deployed, in RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub first_deployed: String,
    /// When this revision was deployed, in RFC 3339.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_deployed: String,
}

/// The objects of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Inventory {
    /// One entry an object, in the order in which they were applied.
    pub entries: Vec<InventoryEntry>,
}

/// One object of a release.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// The object's apiVersion.
    pub api_version: String,
    /// The object's kind.
    pub kind: String,
    /// The object's namespace, if its kind has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The object's name.
    pub name: String,
}

/// How often the present inputs have failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The digest of the inputs that were tried.
    pub inputs: String,
    /// How many revisions of them have failed.
    #[schemars(extend("format" = "int32"))]
    pub failures: u32,
    /// How often undoing such a revision has failed.
    #[serde(default)]
    #[schemars(extend("format" = "int32"))]
    pub remediation_failures: u32,
    /// When they are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// What went wrong the last time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// An object that is not ready yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Waiting {
    /// The object's kind.
    pub kind: String,
    /// The object's name.
    pub name: String,
    /// A word for why it is not ready.
    pub reason: String,
    /// A sentence for the same.
    pub message: String,
}

/// Conditions merge by type, as everywhere in Kubernetes.
fn conditions_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let mut schema = <Vec<Condition>>::json_schema(generator);
    schema.insert("x-kubernetes-list-type".to_owned(), "map".into());
    schema.insert(
        "x-kubernetes-list-map-keys".to_owned(),
        serde_json::json!(["type"]),
    );
    schema
}
