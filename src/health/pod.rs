//! Pods: the phase, readiness, crash loops, and whether a node can be found.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::read::{Unreadable, conditions, strict, text};
use super::{Health, Verdict};

/// How long the scheduler may look for a node before a Pod counts as unschedulable.
const SCHEDULING: SignedDuration = SignedDuration::from_secs(15);

// cli-utils: pkg/kstatus/status/core.go podConditions
pub(super) fn health(object: &Value, now: Timestamp) -> Verdict {
    let conditions = conditions(object)?;
    match text(object, "/status/phase", "") {
        "Succeeded" => Ok(Health::current("Pod has completed successfully")),
        "Failed" => Ok(Health::current("Pod has completed, but not successfully")),
        "Running"
            if conditions
                .iter()
                .any(|condition| condition.is("Ready", "True")) =>
        {
            Ok(Health::current("Pod is Ready"))
        }
        "Running" => {
            let looping = crash_looping(object)?;
            Ok(if looping.is_empty() {
                Health::in_progress("PodRunningNotReady", "Pod is running but is not Ready")
            } else {
                let message = format!("Containers in CrashLoop state: {}", looping.join(","));
                Health::failed("ContainerCrashLooping", message)
            })
        }
        "Pending" => {
            let unscheduled = conditions
                .iter()
                .find(|condition| condition.is("PodScheduled", "False"));
            Ok(
                if unscheduled.is_none_or(|condition| condition.reason != "Unschedulable") {
                    Health::in_progress("PodPending", "Pod is in the Pending phase")
                } else if is_new(object, now) {
                    Health::in_progress("PodNotScheduled", "Pod has not been scheduled")
                } else {
                    Health::failed("PodUnschedulable", "Pod could not be scheduled")
                },
            )
        }
        "" => Ok(Health::in_progress(
            "PodNotObserved",
            "Pod phase not available",
        )),
        phase => Err(Unreadable(format!("unknown phase {phase}"))),
    }
}

fn is_new(object: &Value, now: Timestamp) -> bool {
    let created = text(object, "/metadata/creationTimestamp", "").parse::<Timestamp>();
    created.is_ok_and(|created| now.duration_since(created) < SCHEDULING)
}

// cli-utils: pkg/kstatus/status/core.go getCrashLoopingContainers, which panics where a container's status is
// not what it should be
fn crash_looping(object: &Value) -> Result<Vec<&str>, Unreadable> {
    let statuses = strict(object, ("status", "containerStatuses"), Value::as_array)?;
    let looping = |status: &&Value| {
        status
            .pointer("/state/waiting/reason")
            .and_then(Value::as_str)
            == Some("CrashLoopBackOff")
    };
    Ok(statuses
        .into_iter()
        .flatten()
        .filter(looping)
        .filter_map(|status| status.get("name").and_then(Value::as_str))
        .collect())
}

// helm: internal/statusreaders/pod_status_reader.go podConditions
pub(super) fn completion(object: &Value) -> Health {
    let name = text(object, "/metadata/name", "");
    match text(object, "/status/phase", "") {
        "Succeeded" => Health::current(format!("pod {name} succeeded")),
        "Failed" => Health::failed("PodFailed", format!("pod {name} failed")),
        _ => Health::in_progress("PodInProgress", "Pod in progress"),
    }
}
