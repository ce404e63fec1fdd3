//! DaemonSets: a pod on every node that wants one, each up to date.

use serde_json::Value;

use super::read::{kind, number, strict};
use super::{Health, Verdict};

// cli-utils: pkg/kstatus/status/core.go daemonsetConditions
pub(super) fn health(object: &Value) -> Verdict {
    // its controller always sets both generations: without them it has not been here
    for (parent, field, reason) in [
        ("metadata", "generation", "NoGeneration"),
        ("status", "observedGeneration", "NoObservedGeneration"),
    ] {
        if strict(object, (parent, field), Value::as_i64)?.is_none() {
            return Ok(Health::in_progress(
                reason,
                format!("{} {parent}.{field} not found", kind(object)),
            ));
        }
    }
    let wanted = number(object, "/status/desiredNumberScheduled", -1);
    if wanted == -1 {
        return Ok(Health::in_progress(
            "NoDesiredNumber",
            "Missing .status.desiredNumberScheduled",
        ));
    }
    for (field, reason, word) in [
        ("/status/currentNumberScheduled", "LessCurrent", "Current"),
        ("/status/updatedNumberScheduled", "LessUpdated", "Updated"),
        ("/status/numberAvailable", "LessAvailable", "Available"),
        ("/status/numberReady", "LessReady", "Ready"),
    ] {
        let have = number(object, field, 0);
        if wanted > have {
            return Ok(Health::in_progress(
                reason,
                format!("{word}: {have}/{wanted}"),
            ));
        }
    }
    Ok(Health::current(format!(
        "All replicas scheduled as expected. Replicas: {wanted}"
    )))
}
