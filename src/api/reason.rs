//! The closed list of reasons. Condition, event, metric label and log field all speak these words.

use std::fmt;

/// Why a condition has the status it has. Flux's words where the meaning is the same, because
/// alerts and dashboards in the field already know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Reason {
    // what went well
    InstallSucceeded,
    UpgradeSucceeded,
    RollbackSucceeded,
    UninstallSucceeded,
    DriftCorrected,
    TestSucceeded,
    Succeeded,
    // what is under way
    Progressing,
    Suspended,
    MovedByHand,
    Locked,
    // what went wrong before anything was touched
    InvalidSpec,
    ValuesNotFound,
    SourceNotFound,
    SourceUnauthorized,
    SourceUnavailable,
    SourceRefused,
    SourceChanged,
    DigestMismatch,
    VerificationFailed,
    ArtifactFailed,
    RenderFailed,
    ValuesInvalid,
    NamespaceNotFound,
    OwnershipConflict,
    ConfirmationNeeded,
    ImagesDenied,
    FloatingImages,
    // what went wrong with the release
    InstallFailed,
    UpgradeFailed,
    RollbackFailed,
    UninstallFailed,
    HookFailed,
    HookPrinted,
    TestFailed,
    NotReadyInTime,
    ObjectRefused,
    RetriesExceeded,
    RolledBack,
    // what somebody else did
    DriftDetected,
    NoDriftDetected,
    ReadOnInterval,
    // what the cluster did not let us do
    ClusterUnavailable,
    StorageFailed,
    // a defect of this program
    InternalError,
}

impl Reason {
    const NAMES: [(Self, &'static str); 45] = [
        (Self::InstallSucceeded, "InstallSucceeded"),
        (Self::UpgradeSucceeded, "UpgradeSucceeded"),
        (Self::RollbackSucceeded, "RollbackSucceeded"),
        (Self::UninstallSucceeded, "UninstallSucceeded"),
        (Self::DriftCorrected, "DriftCorrected"),
        (Self::TestSucceeded, "TestSucceeded"),
        (Self::Succeeded, "Succeeded"),
        (Self::Progressing, "Progressing"),
        (Self::Suspended, "Suspended"),
        (Self::MovedByHand, "MovedByHand"),
        (Self::Locked, "Locked"),
        (Self::InvalidSpec, "InvalidSpec"),
        (Self::ValuesNotFound, "ValuesNotFound"),
        (Self::SourceNotFound, "SourceNotFound"),
        (Self::SourceUnauthorized, "SourceUnauthorized"),
        (Self::SourceUnavailable, "SourceUnavailable"),
        (Self::SourceRefused, "SourceRefused"),
        (Self::SourceChanged, "SourceChanged"),
        (Self::DigestMismatch, "DigestMismatch"),
        (Self::VerificationFailed, "VerificationFailed"),
        (Self::ArtifactFailed, "ArtifactFailed"),
        (Self::RenderFailed, "RenderFailed"),
        (Self::ValuesInvalid, "ValuesInvalid"),
        (Self::NamespaceNotFound, "NamespaceNotFound"),
        (Self::OwnershipConflict, "OwnershipConflict"),
        (Self::ConfirmationNeeded, "ConfirmationNeeded"),
        (Self::ImagesDenied, "ImagesDenied"),
        (Self::FloatingImages, "FloatingImages"),
        (Self::InstallFailed, "InstallFailed"),
        (Self::UpgradeFailed, "UpgradeFailed"),
        (Self::RollbackFailed, "RollbackFailed"),
        (Self::UninstallFailed, "UninstallFailed"),
        (Self::HookFailed, "HookFailed"),
        (Self::HookPrinted, "HookPrinted"),
        (Self::TestFailed, "TestFailed"),
        (Self::NotReadyInTime, "NotReadyInTime"),
        (Self::ObjectRefused, "ObjectRefused"),
        (Self::RetriesExceeded, "RetriesExceeded"),
        (Self::RolledBack, "RolledBack"),
        (Self::DriftDetected, "DriftDetected"),
        (Self::NoDriftDetected, "NoDriftDetected"),
        (Self::ReadOnInterval, "ReadOnInterval"),
        (Self::ClusterUnavailable, "ClusterUnavailable"),
        (Self::StorageFailed, "StorageFailed"),
        (Self::InternalError, "InternalError"),
    ];

    /// The reason's one spelling.
    pub fn as_str(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(reason, _)| *reason == self)
            .map_or("Unknown", |(_, name)| name)
    }

    /// The reason of this spelling.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(reason, _)| *reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_spelling() {
        for (reason, name) in Reason::NAMES {
            assert_eq!(reason.as_str(), name);
            assert_eq!(Reason::named(name), Some(reason));
            assert_eq!(
                format!("{reason:?}"),
                name,
                "the list is complete where every variant is in it"
            );
        }
    }
}
