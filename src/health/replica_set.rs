//! ReplicaSets: replica counts, unless pods cannot be made.

use serde_json::Value;

use super::read::{conditions, number};
use super::{Health, Verdict};

// cli-utils: pkg/kstatus/status/core.go replicasetConditions
pub(super) fn health(object: &Value) -> Verdict {
    if conditions(object)?
        .iter()
        .any(|condition| condition.is("ReplicaFailure", "True"))
    {
        return Ok(Health::in_progress(
            "ReplicaFailure",
            "Replica Failure condition. Check Pods",
        ));
    }
    let wanted = number(object, "/spec/replicas", 1);
    let replicas = number(object, "/status/replicas", 0);
    for (field, reason, word) in [
        ("/status/fullyLabeledReplicas", "LessLabelled", "Labelled"),
        ("/status/availableReplicas", "LessAvailable", "Available"),
        ("/status/readyReplicas", "LessReady", "Ready"),
    ] {
        let have = number(object, field, 0);
        if wanted > have {
            return Ok(Health::in_progress(
                reason,
                format!("{word}: {have}/{wanted}"),
            ));
        }
    }
    Ok(if replicas > wanted {
        Health::in_progress(
            "ExtraPods",
            format!("Pending termination: {}", replicas.wrapping_sub(wanted)),
        )
    } else {
        Health::current(format!("ReplicaSet is available. Replicas: {replicas}"))
    })
}
