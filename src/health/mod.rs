//! Health: how far an object is on its way to what its spec asks for, in the words and by the rules of kstatus.
//!
//! In: an object as the API server shows it, and the time for the one rule that needs it. Out: a status, a
//! reason and a sentence that a person can act on. The rules that hold for all objects go first (deletion,
//! observed generation, `Reconciling`, `Stalled`), then those of the kind, one file each; kinds without rules
//! are judged by their `Ready` condition.
//!
//! It must never call an object ready that its controller has not looked at yet, and never fail: an object it
//! cannot read is `Unknown`.

mod custom_resource_definition;
mod daemon_set;
mod deployment;
mod generic;
mod job;
mod persistent_volume_claim;
mod pod;
mod pod_disruption_budget;
mod read;
mod replica_set;
mod service;
mod stateful_set;

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;

use read::Unreadable;

/// How an object does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Its controller is at work, or has not seen it yet.
    InProgress,
    /// It is as its spec asks.
    Current,
    /// It will not get there by itself.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It is not there. No object has this status; it is for the one who looked for it.
    NotFound,
    /// It cannot be read.
    Unknown,
}

impl Status {
    /// The word that kstatus has for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Current => "Current",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The health of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How it does.
    pub status: Status,
    /// One CamelCase word for why it is in progress or has failed, else empty.
    pub reason: String,
    /// A sentence for a person, such as `Available: 0/1`.
    pub message: String,
}

impl Health {
    /// The health of an object that is not there.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Status::NotFound, "", "Resource not found")
    }

    fn new(status: Status, reason: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            reason: reason.to_owned(),
            message: message.into(),
        }
    }

    fn current(message: impl Into<String>) -> Self {
        Self::new(Status::Current, "", message)
    }

    fn in_progress(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::InProgress, reason, message)
    }

    fn failed(reason: &str, message: impl Into<String>) -> Self {
        Self::new(Status::Failed, reason, message)
    }
}

type Verdict = Result<Health, Unreadable>;

/// The health of an object by kstatus rules. A Job that has started is `Current` by them, and so is a Pod
/// that has failed: see [`completed`] for what must have finished.
// cli-utils: pkg/kstatus/status/status.go Compute
#[must_use]
pub fn of(object: &Value, now: Timestamp) -> Health {
    readable(match generic::before_kind(object) {
        Ok(None) => of_kind(object, now),
        Ok(Some(health)) => Ok(health),
        Err(unreadable) => Err(unreadable),
    })
}

// cli-utils: pkg/kstatus/status/core.go legacyTypes
fn of_kind(object: &Value, now: Timestamp) -> Verdict {
    match (read::group(object), read::kind(object)) {
        (Some(""), "Service") => Ok(service::health(object)),
        (Some(""), "Pod") => pod::health(object, now),
        (Some(""), "PersistentVolumeClaim") => Ok(persistent_volume_claim::health(object)),
        (Some(""), "Secret" | "ConfigMap") | (Some("batch"), "CronJob") => {
            Ok(Health::current("Resource is always ready"))
        }
        (Some("apps"), "StatefulSet") => Ok(stateful_set::health(object)),
        (Some("apps" | "extensions"), "DaemonSet") => daemon_set::health(object),
        (Some("apps" | "extensions"), "Deployment") => deployment::health(object),
        (Some("apps" | "extensions"), "ReplicaSet") => replica_set::health(object),
        (Some("policy"), "PodDisruptionBudget") => Ok(pod_disruption_budget::health()),
        (Some("batch"), "Job") => job::health(object),
        (Some("apiextensions.k8s.io"), "CustomResourceDefinition") => {
            custom_resource_definition::health(object)
        }
        _ => generic::by_ready_condition(object),
    }
}

/// Whether a hook has done its work: `Current` for a Job that completed and a Pod that succeeded, `Failed` for
/// those that failed, `InProgress` before; any other kind is done once it is there. For Jobs this is also what
/// waiting with jobs asks.
// helm: pkg/kube/statuswait.go WatchUntilReady
#[must_use]
pub fn completed(object: &Value) -> Health {
    readable(match (read::group(object), read::kind(object)) {
        (Some("batch"), "Job") => job::completion(object),
        (Some(""), "Pod") => Ok(pod::completion(object)),
        _ => Ok(Health::current("Resource is current")),
    })
}

/// Whether a release waits for an object to become ready: for all but a paused Deployment, which no
/// controller moves on.
// helm: pkg/kube/statuswait.go wait
#[must_use]
pub fn awaited(object: &Value) -> bool {
    let deployment = read::group(object) == Some("apps") && read::kind(object) == "Deployment";
    !(deployment && object.pointer("/spec/paused") == Some(&Value::Bool(true)))
}

// cli-utils: pkg/kstatus/polling/statusreaders/common.go errResourceToResourceStatus
fn readable(verdict: Verdict) -> Health {
    verdict
        .unwrap_or_else(|Unreadable(message)| Health::new(Status::Unknown, "Unreadable", message))
}
