//! Definitions from a chart's crds/ folder, which go in before anything is rendered, because
//! templates ask `.Capabilities` for what they define.

use std::time::{Duration, Instant};

use kube::core::GroupVersionKind;
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
        let mut dropped = Vec::new();
        for definition in definitions {
            let at = self.endpoint(&definition.key, "").await?;
            let live = self.get(&at).await?;
            let applied = match (live, policy) {
                (None, _) => self.create(&at, &definition.value).await?,
                (Some(live), CrdPolicy::Upgrade) => {
                    dropped.extend(defined(&live).map(Defined::dropped));
                    self.upgrade_crd(&at, definition, &live).await?
                }
                (Some(live), CrdPolicy::Create | CrdPolicy::Skip) => live,
            };
            awaited.push((at, applied));
        }
        let mut expected: Vec<_> = awaited.iter().flat_map(|(_, of)| defined(of)).collect();
        dropped.retain(|old| expected.iter().all(|new| new.kind != old.kind));
        expected.append(&mut dropped);
        self.await_listed(awaited, &expected, TO_BE_LISTED, permit, &|_| ())
            .await
    }

    /// Waits until definitions are established, and then until the API server lists what they
    /// define, which it does a moment later: a template that asks `.Capabilities` in that moment
    /// would be told that there is no such kind. Answers those that are not so in time.
    pub(super) async fn await_listed(
        &self,
        definitions: Vec<(Endpoint, Value)>,
        expected: &[Defined],
        timeout: Duration,
        permit: &Permit,
        report: &(dyn Fn(&[Unready]) + Sync),
    ) -> Result<Vec<Unready>> {
        let began = Instant::now();
        let unlisted = definitions.iter().map(|(at, _)| unlisted(at)).collect();
        let states = definitions
            .into_iter()
            .map(|(at, state)| (at, Some(state)))
            .collect();
        let unready = self.await_ready(states, timeout, permit, report).await?;
        if !unready.is_empty() {
            return Ok(unready);
        }
        let mut pause = Duration::from_millis(20);
        while !self.kinds.are_listed(expected).await? {
            if began.elapsed() > timeout {
                return Ok(unlisted);
            }
            let asleep = async {
                tokio::select! {
                    () = tokio::time::sleep(pause) => false,
                    () = permit.revoked() => true,
                }
            };
            if permit.while_waiting(asleep).await {
                return Ok(unlisted);
            }
            pause = (pause * 2).min(Duration::from_secs(1));
        }
        Ok(Vec::new())
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

/// How long a definition may take until objects of its kind can follow.
// helm: pkg/action/install.go installCRDs
pub(super) const TO_BE_LISTED: Duration = Duration::from_secs(60);

/// A kind in one of its versions, as a definition names it.
pub(super) struct Defined {
    pub(super) kind: GroupVersionKind,
    /// Whether the API server is to serve it.
    pub(super) served: bool,
}

impl Defined {
    fn dropped(mut self) -> Self {
        self.served = false;
        self
    }
}

/// The kinds that a definition names.
pub(super) fn defined(definition: &Value) -> impl Iterator<Item = Defined> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, kind) = (text(&spec["group"]), text(&spec["names"]["kind"]));
    let versions = spec["versions"].as_array().into_iter().flatten();
    versions.map(move |version| Defined {
        kind: GroupVersionKind::gvk(&group, &text(&version["name"]), &kind),
        served: version["served"] == true,
    })
}

fn unlisted(definition: &Endpoint) -> Unready {
    Unready {
        object: definition.object.clone(),
        reason: "NotListed".to_owned(),
        message: "the definition is established, but the API server does not list what it defines"
            .to_owned(),
        failed: false,
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
