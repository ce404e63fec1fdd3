//! What an object's metadata tell of its content.
//!
//! In: metadata, as a watch, a list or a read brings them. Out: a [`Version`], equal where nothing
//! can have changed that a chart declares. Never: the object itself.

use std::hash::{DefaultHasher, Hash, Hasher};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::ObjectMeta;
use serde_json::Value;

/// A state of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// The resource version, where it is a number: those of one kind then tell which is later.
    // Kubernetes: KEP-5504, comparable resource versions.
    order: Option<u64>,
    content: u64,
}

impl Version {
    pub(super) fn of(metadata: &ObjectMeta) -> Self {
        let mut hasher = DefaultHasher::new();
        metadata.uid.hash(&mut hasher);
        metadata.labels.hash(&mut hasher);
        metadata.annotations.hash(&mut hasher);
        metadata.deletion_timestamp.is_some().hash(&mut hasher);
        match (metadata.generation, writes(metadata)) {
            (Some(generation), _) => generation.hash(&mut hasher),
            (None, Some(writes)) => {
                for write in writes {
                    (&write.manager, &write.operation).hash(&mut hasher);
                    write.time.as_ref().map(|time| time.0).hash(&mut hasher);
                    let fields = write.fields_v1.as_ref();
                    fields.map(|fields| fields.0.to_string()).hash(&mut hasher);
                }
            }
            (None, None) => metadata.resource_version.hash(&mut hasher),
        }
        Self {
            order: order(metadata.resource_version.as_deref()),
            content: hasher.finish(),
        }
    }

    /// Of an object as JSON.
    pub(super) fn of_value(object: &Value) -> Option<Self> {
        let metadata = serde_json::from_value(object.get("metadata")?.clone()).ok()?;
        Some(Self::of(&metadata))
    }

    /// Whether this says more than what was known: other content, and not from before.
    pub(super) fn is_news_to(self, known: Self) -> bool {
        self.content != known.content && !self.is_before(known.order)
    }

    /// Whether this state is older than a moment of its kind; false where that cannot be told.
    pub(super) fn is_before(self, moment: Option<u64>) -> bool {
        self.order
            .zip(moment)
            .is_some_and(|(mine, moment)| mine < moment)
    }

    /// Its moment.
    pub(super) fn order(self) -> Option<u64> {
        self.order
    }
}

/// A resource version as a moment.
pub(super) fn order(resource_version: Option<&str>) -> Option<u64> {
    resource_version?.parse().ok()
}

/// Who wrote what but the status, for an object that has one and no generation (a Service, a claim,
/// an autoscaler): its resource version moves with the status. Nothing for any other.
fn writes(metadata: &ObjectMeta) -> Option<impl Iterator<Item = &ManagedFieldsEntry>> {
    let entries = metadata.managed_fields.as_ref()?;
    let of_status = |entry: &&ManagedFieldsEntry| entry.subresource.as_deref() == Some("status");
    entries
        .iter()
        .any(|entry| of_status(&entry))
        .then(|| entries.iter().filter(move |entry| !of_status(entry)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn version(metadata: Value) -> Version {
        Version::of_value(&json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn a_status_is_no_news_and_a_label_is() {
        let before = version(json!({"uid": "u", "generation": 2, "resourceVersion": "10"}));
        let status = version(json!({"uid": "u", "generation": 2, "resourceVersion": "11"}));
        let label = version(
            json!({"uid": "u", "generation": 2, "resourceVersion": "12", "labels": {"a": "b"}}),
        );
        assert!(!status.is_news_to(before));
        assert!(label.is_news_to(status));
        assert!(!before.is_news_to(label), "it is older");
    }

    #[test]
    fn without_a_generation_the_resource_version_tells() {
        let before = version(json!({"uid": "u", "resourceVersion": "10"}));
        let after = version(json!({"uid": "u", "resourceVersion": "11"}));
        assert!(after.is_news_to(before));
    }

    #[test]
    fn without_a_generation_but_with_a_status_the_writers_tell() {
        let object = |version: &str, status_at: &str, spec_at: &str| {
            json!({"uid": "u", "resourceVersion": version, "managedFields": [
                {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status",
                 "time": status_at, "fieldsV1": {"f:status": {}}},
                {"manager": "kubectl", "operation": "Update", "time": spec_at,
                 "fieldsV1": {"f:spec": {"f:maxReplicas": {}}}},
            ]})
        };
        let early = "2026-01-01T00:00:00Z";
        let late = "2026-01-01T00:01:00Z";
        let before = version(object("10", early, early));
        assert!(!version(object("11", late, early)).is_news_to(before));
        assert!(version(object("12", late, late)).is_news_to(before));
    }

    #[test]
    fn a_resource_version_that_is_no_number_has_no_order() {
        let before = version(json!({"uid": "u", "resourceVersion": "abc"}));
        let after = version(json!({"uid": "u", "resourceVersion": "abb"}));
        assert!(after.is_news_to(before) && before.is_news_to(after));
    }
}
