//! A hook: an object that Helm creates at a moment of a release's life, not with the rest.

use serde::{Deserialize, Serialize};

/// An object with the annotation `helm.sh/hook`, as the release record stores it.
///
/// helm: pkg/release/v1/hook.go, its JSON names and what it leaves out
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// `metadata.name`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `kind`
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// The template that it comes from, chart name first.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// Its YAML text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// When it runs.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub events: Vec<HookEvent>,
    /// How its last run went.
    pub last_run: Execution,
    /// Hooks of one event run by weight, then by name.
    #[serde(skip_serializing_if = "is_zero")]
    pub weight: i64,
    /// When it is deleted; none means [`DeletePolicy::before_hook_creation`].
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub delete_policies: Vec<DeletePolicy>,
    /// When its log is shown.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "null_is_empty"
    )]
    pub output_log_policies: Vec<OutputLogPolicy>,
    /// What a later Helm may have added.
    #[serde(flatten)]
    pub unknown: serde_json::Map<String, serde_json::Value>,
}

/// When a hook runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum HookEvent {
    PreInstall,
    PostInstall,
    PreDelete,
    PostDelete,
    PreUpgrade,
    PostUpgrade,
    PreRollback,
    PostRollback,
    /// `test-success`, Helm 2's name for it, is read too.
    #[serde(alias = "test-success")]
    Test,
}

impl HookEvent {
    const ALL: [Self; 9] = [
        Self::PreInstall,
        Self::PostInstall,
        Self::PreDelete,
        Self::PostDelete,
        Self::PreUpgrade,
        Self::PostUpgrade,
        Self::PreRollback,
        Self::PostRollback,
        Self::Test,
    ];

    /// The event of this name, in small letters.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "test-success" => Some(Self::Test),
            _ => Self::ALL.into_iter().find(|event| event.as_str() == name),
        }
    }

    /// The name that the annotation uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreInstall => "pre-install",
            Self::PostInstall => "post-install",
            Self::PreDelete => "pre-delete",
            Self::PostDelete => "post-delete",
            Self::PreUpgrade => "pre-upgrade",
            Self::PostUpgrade => "post-upgrade",
            Self::PreRollback => "pre-rollback",
            Self::PostRollback => "post-rollback",
            Self::Test => "test",
        }
    }
}

impl std::fmt::Display for HookEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word of the annotation `helm.sh/hook-delete-policy`; Helm keeps words that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeletePolicy(pub String);

impl DeletePolicy {
    /// Deleted once it succeeded.
    pub const HOOK_SUCCEEDED: &'static str = "hook-succeeded";
    /// Deleted once it failed.
    pub const HOOK_FAILED: &'static str = "hook-failed";
    /// The one of the last run is deleted before it is created anew.
    pub const BEFORE_HOOK_CREATION: &'static str = "before-hook-creation";

    /// What a hook without a policy has. helm: pkg/action/hooks.go hookSetDeletePolicy
    pub fn before_hook_creation() -> Self {
        Self(Self::BEFORE_HOOK_CREATION.to_owned())
    }
}

/// A word of the annotation `helm.sh/hook-output-log-policy`: `hook-succeeded` or `hook-failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OutputLogPolicy(pub String);

impl OutputLogPolicy {
    /// What its pods printed is told once it succeeded.
    pub const HOOK_SUCCEEDED: &'static str = "hook-succeeded";
    /// What its pods printed is told when it failed.
    pub const HOOK_FAILED: &'static str = "hook-failed";
}

/// The last run of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Execution {
    /// When it was created in the cluster: RFC 3339, empty if never.
    #[serde(skip_serializing_if = "is_zero_time")]
    pub started_at: String,
    /// When it ended: RFC 3339, empty if it did not.
    #[serde(skip_serializing_if = "is_zero_time")]
    pub completed_at: String,
    /// `Unknown`, `Running`, `Succeeded`, `Failed`, or empty if it never ran.
    pub phase: String,
}

impl Hook {
    /// Whether it runs at this event.
    pub fn runs_at(&self, event: HookEvent) -> bool {
        self.events.contains(&event)
    }

    /// Whether it is deleted at this word of [`DeletePolicy`].
    pub fn is_deleted(&self, policy: &str) -> bool {
        if self.delete_policies.is_empty() {
            return policy == DeletePolicy::BEFORE_HOOK_CREATION;
        }
        self.delete_policies.iter().any(|known| known.0 == policy)
    }

    /// The hooks of an event in the order in which they run: by weight, then by name, those that
    /// are equal in both as they stand. helm: pkg/action/hooks.go hookByWeight
    pub fn at(hooks: &[Self], event: HookEvent) -> Vec<&Self> {
        let mut found: Vec<&Self> = hooks.iter().filter(|hook| hook.runs_at(event)).collect();
        found.sort_by(|left, right| (left.weight, &left.name).cmp(&(right.weight, &right.name)));
        found
    }
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Go's zero time is left out, and Helm 3 wrote it as an empty string.
fn is_zero_time(time: &str) -> bool {
    time.is_empty() || time == "0001-01-01T00:00:00Z"
}

fn null_is_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
