//! The resource that people write: `HelmRelease` in `helm.pintle.dev/v1`.
//!
//! In: nothing. Out: the types of spec and status, the words that conditions speak, and the
//! CustomResourceDefinition made from them ([`custom_resource_definition`]). Rules that the API
//! server can check are part of the definition, so that `kubectl apply` refuses with a sentence.
//! Never: a client, a default that depends on anything but the spec, a field that is accepted and
//! then ignored. What is not built yet is not in the schema, so the API server refuses it by name.

mod condition;
mod duration;
mod reason;
pub mod spec;
mod status;

pub use condition::{Condition, ConditionStatus, ConditionType, set_condition};
pub use duration::{DurationError, GoDuration};
pub use reason::Reason;
pub use spec::{
    Auth, CloudProvider, CrdPolicy, Deletion, DeletionPolicy, Drift, DriftIgnore, DriftMode,
    FloatingTags, Guard, HelmRelease, HelmReleaseSpec, Images, Randomness, Replace, SecretName,
    SecretReference, SignerIdentity, Test, Tls, TrustRoot, TrustRootKey, ValuesKind,
    ValuesReference, Verify, VerifyProvider,
};
pub use status::{
    Attempt, HelmReleaseStatus, Inputs, Inventory, InventoryEntry, Snapshot, Source, Waiting,
};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

/// The finalizer that holds a HelmRelease until its release is uninstalled.
pub const FINALIZER: &str = "helm.pintle.dev/uninstall";

/// The annotation that asks for a turn now; any new value does.
pub const REQUESTED_AT: &str = "reconcile.pintle.dev/requestedAt";

/// The annotation that confirms a plan which deletes what cannot be brought back: its digest.
pub const CONFIRM: &str = "confirm.pintle.dev/plan";

/// The annotation that takes other bytes than a chart's version had at first: their digest.
pub const ACCEPT: &str = "source.pintle.dev/accept";

/// The annotations of a namespace that say what its releases' images are asked for.
pub const IMAGES: [&str; 2] = [
    "images.pintle.dev/floatingTags",
    "images.pintle.dev/requireDigest",
];

/// The annotation that lets a stalled release try again; any new value does.
pub const FORCE_AT: &str = "reconcile.pintle.dev/forceAt";

/// The CustomResourceDefinition of `HelmRelease`, as `pintle crd` prints it.
pub fn custom_resource_definition() -> CustomResourceDefinition {
    <HelmRelease as kube::CustomResourceExt>::crd()
}
