//! The status of a release, in Helm's words.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// helm: pkg/release/common/status.go
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Status {
    /// Anything that is not one of the others.
    #[default]
    Unknown,
    /// The last install, upgrade or rollback that ended well.
    Deployed,
    /// Uninstalled, its history kept.
    Uninstalled,
    /// A later revision took its place.
    Superseded,
    /// An install, upgrade or rollback that did not end well.
    Failed,
    /// Its objects are being deleted.
    Uninstalling,
    /// Its objects are being created.
    PendingInstall,
    /// Its objects are being changed to a new revision.
    PendingUpgrade,
    /// Its objects are being changed back to those of an earlier revision.
    PendingRollback,
}

impl Status {
    const ALL: [Self; 9] = [
        Self::Unknown,
        Self::Deployed,
        Self::Uninstalled,
        Self::Superseded,
        Self::Failed,
        Self::Uninstalling,
        Self::PendingInstall,
        Self::PendingUpgrade,
        Self::PendingRollback,
    ];

    /// The status of this name; [`Status::Unknown`] for a name that is none of Helm's.
    pub fn named(name: &str) -> Self {
        let known = Self::ALL.into_iter().find(|status| status.as_str() == name);
        known.unwrap_or_default()
    }

    /// Helm's name for it, as in the record and in the Secret's label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
        }
    }

    /// Whether an operation is under way, or died under way: Helm refuses to begin another.
    pub fn is_pending(self) -> bool {
        matches!(
            self,
            Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback
        )
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name: Option<String> = Option::deserialize(deserializer)?;
        Ok(Self::named(name.as_deref().unwrap_or_default()))
    }
}
