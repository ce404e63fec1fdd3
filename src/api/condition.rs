//! Conditions as kstatus and `kubectl wait` read them.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

use super::reason::Reason;

/// A condition as Kubernetes stores it.
pub type Condition = meta::Condition;

/// The conditions that a HelmRelease can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConditionType {
    /// The summary: the declared release is deployed and, with `wait`, ready.
    Ready,
    /// Work is under way (kstatus: present only while true).
    Reconciling,
    /// Nothing more will be tried until the spec changes (kstatus: present only while true).
    Stalled,
    /// The last action on the release succeeded.
    Released,
    /// Somebody changed what the release applied.
    Drifted,
    /// The chart's tests of the deployed revision succeeded.
    TestSuccess,
}

impl ConditionType {
    /// The condition's name in the status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Released => "Released",
            Self::Drifted => "Drifted",
            Self::TestSuccess => "TestSuccess",
        }
    }
}

/// A condition's truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

impl ConditionStatus {
    /// The truth as the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The longest message that the API server takes is 32 KiB; people read less.
const MESSAGE_BYTES: usize = 4096;

/// Sets a condition in place, keeping its transition time where its truth stays the same.
pub fn set_condition(
    conditions: &mut Vec<Condition>,
    kind: ConditionType,
    status: ConditionStatus,
    reason: Reason,
    message: &str,
    generation: i64,
    now: Timestamp,
) {
    let previous = conditions.iter().position(|c| c.type_ == kind.as_str());
    let since = previous
        .map(|at| conditions.remove(at))
        .filter(|before| before.status == status.as_str())
        .map_or(meta::Time(now), |before| before.last_transition_time);
    conditions.push(Condition {
        type_: kind.as_str().to_owned(),
        status: status.as_str().to_owned(),
        reason: reason.as_str().to_owned(),
        message: shortened(message),
        observed_generation: Some(generation),
        last_transition_time: since,
    });
    conditions.sort_by_key(|c| rank(&c.type_));
}

/// The summary first, then what is under way, then the facts.
fn rank(kind: &str) -> usize {
    ["Ready", "Reconciling", "Stalled", "Released", "Drifted"]
        .iter()
        .position(|name| *name == kind)
        .unwrap_or(usize::MAX)
}

/// The message within [`MESSAGE_BYTES`], cut between characters.
fn shortened(message: &str) -> String {
    if message.len() <= MESSAGE_BYTES {
        return message.to_owned();
    }
    let end = message.floor_char_boundary(MESSAGE_BYTES);
    format!("{}…", &message[..end])
}
