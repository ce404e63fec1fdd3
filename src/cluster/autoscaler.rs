//! Whose the number of replicas is.

use serde_json::Value;

use super::error::{Error, Result};
use super::live::{Cluster, Endpoint};
use crate::manifest::ObjectKey;
use crate::merge;

/// The field that autoscalers write, in every kind that has a scale subresource.
pub(super) const REPLICAS: &str = "/spec/replicas";

/// Programs by which a person scales: what they write is no autoscaler's.
const PERSONS_TOOLS: [&str; 3] = ["kubectl", "k9s", "node-fetch"];

/// The kinds of autoscalers, and where they name their target.
const AUTOSCALERS: [(&str, &str); 2] = [
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("keda.sh/v1alpha1", "ScaledObject"),
];

impl Cluster {
    /// Whether an autoscaler sets the number of replicas of a live object: one that names it as its
    /// target, or a program that wrote its scale.
    pub(super) async fn is_autoscaled(&self, at: &Endpoint, live: &Value) -> Result<bool> {
        if live.pointer(REPLICAS).is_none() {
            return Ok(false);
        }
        let writer = merge::writer(live, REPLICAS, super::FIELD_MANAGER);
        if writer.is_some_and(|writer| {
            let mut tools = PERSONS_TOOLS.iter();
            writer.subresource.as_deref() == Some("scale")
                && !tools.any(|tool| writer.manager.starts_with(tool))
        }) {
            return Ok(true);
        }
        for (api_version, kind) in AUTOSCALERS {
            if self.has_autoscaler(at, api_version, kind).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn has_autoscaler(&self, at: &Endpoint, api_version: &str, kind: &str) -> Result<bool> {
        let Some(namespace) = &at.namespace else {
            return Ok(false);
        };
        let key = ObjectKey {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.clone()),
            name: String::new(),
        };
        let all = match self.known_endpoint(&key).await {
            Ok(Some(all)) => all,
            Ok(None) => return Ok(false),
            Err(error) => return Err(error),
        };
        match self.first(&all, |autoscaler| targets(autoscaler, at)).await {
            Ok(found) => Ok(found.is_some()),
            // Who may not see autoscalers cannot know of one.
            Err(error) if error.is_status(403) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where objects of a kind live, if the kind was served when the cluster's kinds were read: a
    /// cluster without KEDA is not asked for it again and again.
    async fn known_endpoint(&self, object: &ObjectKey) -> Result<Option<Endpoint>> {
        if !self.kinds.is_served(object).await? {
            return Ok(None);
        }
        let namespace = object.namespace.as_deref().unwrap_or_default();
        match self.endpoint(object, namespace).await {
            Ok(at) => Ok(Some(at)),
            Err(Error::UnknownKind { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether an autoscaler names an object as what it scales.
// KEDA: apis/keda/v1alpha1/scaledobject_types.go ScaleTarget: a Deployment, where it names no kind
fn targets(autoscaler: &Value, at: &Endpoint) -> bool {
    let target = &autoscaler["spec"]["scaleTargetRef"];
    let kind = target["kind"].as_str().unwrap_or("Deployment");
    let group = match target["apiVersion"].as_str() {
        Some(version) => version.split_once('/').map_or("", |(group, _)| group),
        None => "apps",
    };
    target["name"] == *at.object.name && kind == at.object.kind && group == at.resource.group
}
