//! StatefulSets: replica counts, the partition of a rolling update, then the revision.

use serde_json::Value;

use super::Health;
use super::read::{number, text};

// cli-utils: pkg/kstatus/status/core.go stsConditions
pub(super) fn health(object: &Value) -> Health {
    if text(object, "/spec/updateStrategy/type", "") == "OnDelete" {
        return Health::current("StatefulSet is using the ondelete update strategy");
    }
    let wanted = number(object, "/spec/replicas", 1);
    let ready = number(object, "/status/readyReplicas", 0);
    let current = number(object, "/status/currentReplicas", 0);
    let replicas = number(object, "/status/replicas", 0);
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition", -1);
    if wanted > replicas {
        Health::in_progress("LessReplicas", format!("Replicas: {replicas}/{wanted}"))
    } else if wanted > ready {
        Health::in_progress("LessReady", format!("Ready: {ready}/{wanted}"))
    } else if replicas > wanted {
        Health::in_progress(
            "ExtraPods",
            format!("Pending termination: {}", replicas.wrapping_sub(wanted)),
        )
    } else if partition != -1 {
        by_partition(object, wanted.wrapping_sub(partition))
    } else if wanted > current {
        Health::in_progress("LessCurrent", format!("current: {current}/{wanted}"))
    } else if text(object, "/status/currentRevision", "")
        != text(object, "/status/updateRevision", "")
    {
        Health::in_progress(
            "RevisionMismatch",
            "Waiting for updated revision to match current",
        )
    } else {
        Health::current(format!(
            "All replicas scheduled as expected. Replicas: {replicas}"
        ))
    }
}

/// Only the pods from the partition on are updated.
fn by_partition(object: &Value, wanted: i64) -> Health {
    let updated = number(object, "/status/updatedReplicas", 0);
    if updated < wanted {
        Health::in_progress("PartitionRollout", format!("updated: {updated}/{wanted}"))
    } else {
        Health::current(format!("Partition rollout complete. updated: {updated}"))
    }
}
