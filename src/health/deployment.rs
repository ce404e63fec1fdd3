//! Deployments: replica counts, then the Progressing and Available conditions.

use serde_json::Value;

use super::read::{conditions, number};
use super::{Health, Verdict};

// cli-utils: pkg/kstatus/status/core.go deploymentConditions
pub(super) fn health(object: &Value) -> Verdict {
    // without a deadline the controller sets no Progressing condition; 2^31-1 switches the deadline off
    let no_deadline = i64::from(i32::MAX);
    let mut progressing =
        number(object, "/spec/progressDeadlineSeconds", no_deadline) == no_deadline;
    let mut available = false;
    for condition in conditions(object)? {
        if condition.kind == "Progressing" && condition.reason == "ProgressDeadlineExceeded" {
            return Ok(Health::failed(
                condition.reason,
                "Progress deadline exceeded",
            ));
        }
        progressing |=
            condition.is("Progressing", "True") && condition.reason == "NewReplicaSetAvailable";
        available |= condition.is("Available", "True");
    }
    let wanted = number(object, "/spec/replicas", 1);
    let replicas = number(object, "/status/replicas", 0);
    let updated = number(object, "/status/updatedReplicas", 0);
    let ready = number(object, "/status/readyReplicas", 0);
    let available_replicas = number(object, "/status/availableReplicas", 0);
    Ok(if wanted > replicas {
        Health::in_progress("LessReplicas", format!("Replicas: {replicas}/{wanted}"))
    } else if wanted > updated {
        Health::in_progress("LessUpdated", format!("Updated: {updated}/{wanted}"))
    } else if replicas > wanted {
        Health::in_progress(
            "ExtraPods",
            format!("Pending termination: {}", replicas.wrapping_sub(wanted)),
        )
    } else if updated > available_replicas {
        Health::in_progress(
            "LessAvailable",
            format!("Available: {available_replicas}/{updated}"),
        )
    } else if wanted > ready {
        Health::in_progress("LessReady", format!("Ready: {ready}/{wanted}"))
    } else if !progressing {
        Health::in_progress("ReplicaSetNotAvailable", "ReplicaSet not Available")
    } else if !available {
        Health::in_progress("DeploymentNotAvailable", "Deployment not Available")
    } else {
        Health::current(format!("Deployment is available. Replicas: {replicas}"))
    })
}
