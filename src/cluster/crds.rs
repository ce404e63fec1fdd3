//! Definitions from a chart's crds/ folder, which go in before anything is rendered, because
//! templates ask `.Capabilities` for what they define.

use std::time::Duration;

use serde_json::{Value, json};

use super::error::{Error, Result};
use super::live::{Cluster, Endpoint};
use super::permit::Permit;
use super::wait::Unready;
use crate::api::CrdPolicy;
use crate::manifest::Object;

impl Cluster {
    /// Creates missing definitions and, if the policy says so, brings others to what the chart
    /// holds; then waits until the API server serves them. Answers those that never became so.
    // helm: pkg/action/install.go installCRDs
    pub async fn ensure_crds(
        &self,
        definitions: &[Object],
        policy: CrdPolicy,
        permit: &Permit,
    ) -> Result<Vec<Unready>> {
        if policy == CrdPolicy::Skip || definitions.is_empty() {
            return Ok(Vec::new());
        }
        let mut awaited = Vec::new();
        for definition in definitions {
            let at = self.endpoint(&definition.key, "").await?;
            let live = self.get(&at).await?;
            let applied = match (live, policy) {
                (None, _) => self.create(&at, &definition.value).await?,
                (Some(live), CrdPolicy::Upgrade) => {
                    self.upgrade_crd(&at, definition, &live).await?
                }
                (Some(live), CrdPolicy::Create | CrdPolicy::Skip) => live,
            };
            awaited.push((at, Some(applied)));
        }
        self.kinds.invalidate();
        let unready = self
            .await_ready(awaited, Duration::from_secs(60), permit, &|_| ())
            .await?;
        self.kinds.invalidate();
        Ok(unready)
    }

    async fn upgrade_crd(&self, at: &Endpoint, wanted: &Object, live: &Value) -> Result<Value> {
        check_stored_versions(&wanted.value, live)?;
        let mut replacement = wanted.value.clone();
        replacement["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        for field in ["labels", "annotations"] {
            replacement["metadata"][field] =
                laid_over(&live["metadata"][field], &wanted.value["metadata"][field]);
        }
        for field in ["finalizers", "ownerReferences"] {
            if !live["metadata"][field].is_null() {
                replacement["metadata"][field] = live["metadata"][field].clone();
            }
        }
        // A conversion webhook's CA is put in by whoever runs the webhook.
        if replacement["spec"]["conversion"].is_null() && !live["spec"]["conversion"].is_null() {
            replacement["spec"]["conversion"] = live["spec"]["conversion"].clone();
        }
        if replacement["spec"] == live["spec"] && replacement["metadata"] == live["metadata"] {
            return Ok(live.clone());
        }
        self.replace(at, &replacement).await
    }
}

/// Objects are stored in the versions that the status lists; a definition without one of them
/// would make those objects unreadable.
fn check_stored_versions(wanted: &Value, live: &Value) -> Result<()> {
    let offered: Vec<&Value> = wanted["spec"]["versions"]
        .as_array()
        .map(|versions| versions.iter().map(|version| &version["name"]).collect())
        .unwrap_or_default();
    let stored = live["status"]["storedVersions"].as_array();
    match stored.and_then(|stored| stored.iter().find(|version| !offered.contains(version))) {
        None => Ok(()),
        Some(version) => Err(Error::StoredVersionDropped {
            name: live["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            version: version.as_str().unwrap_or_default().to_owned(),
        }),
    }
}

/// Both tables, the second one's entries winning.
fn laid_over(below: &Value, above: &Value) -> Value {
    let mut merged = below.as_object().cloned().unwrap_or_default();
    merged.extend(above.as_object().cloned().unwrap_or_default());
    json!(merged)
}
