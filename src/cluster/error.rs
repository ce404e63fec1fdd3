//! What the cluster refused, and what it could not be asked.

use kube::core::Status;

use crate::manifest::ObjectKey;

/// A result of this room.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done in the cluster. Messages name the verb and the object.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server could not be reached, or asked for patience: the same may go well later.
    #[error("{action} {object}: the API server is not available")]
    Unavailable {
        /// The verb.
        action: &'static str,
        /// The object.
        object: String,
        /// What happened.
        #[source]
        source: Box<kube::Error>,
    },
    /// The API server, or a webhook of its, said no.
    #[error("{action} {object}: {message}")]
    Refused {
        /// The verb.
        action: &'static str,
        /// The object.
        object: String,
        /// The HTTP status.
        code: u16,
        /// The API server's machine-readable word.
        reason: String,
        /// The API server's sentence.
        message: String,
    },
    /// A field would change that cannot, found before anything was changed.
    #[error("change {object}: {message}")]
    Immutable {
        /// The object.
        object: String,
        /// The API server's sentence, and what a person can do about it.
        message: String,
    },
    /// Somebody else owns fields that a server-side apply would set.
    #[error(
        "{action} {object}: {message} (they must give the fields up, or the chart must leave them out)"
    )]
    Conflict {
        /// The verb.
        action: &'static str,
        /// The object.
        object: String,
        /// The API server's sentence: who owns which fields.
        message: String,
    },
    /// The namespace that an object belongs to does not exist.
    #[error(
        "{action} {object}: namespace {namespace:?} does not exist: create it, or set createNamespace: true"
    )]
    NamespaceNotFound {
        /// The verb.
        action: &'static str,
        /// The object.
        object: String,
        /// The namespace.
        namespace: String,
    },
    /// The cluster does not know the kind: its definition is missing.
    #[error("{object}: no matches for kind {:?} in version {:?}: ensure CRDs are installed first", .object.kind, .object.api_version)]
    UnknownKind {
        /// The object.
        object: Box<ObjectKey>,
    },
    /// The API server does not know now whether it serves the kind: who serves the kind's group for
    /// it does not answer.
    #[error(
        "{object}: the API server does not know now what {} serves: see kubectl get apiservices", .object.api_version
    )]
    StaleGroup {
        /// The object.
        object: Box<ObjectKey>,
    },
    /// A template looks for objects of a group version that the cluster does not serve.
    // helm: pkg/engine/lookup_func.go getDynamicClientOnKind, word for word
    #[error(
        "unable to get apiresource from unstructured: {group}/{version}, Kind={kind}: the server could not find the requested resource"
    )]
    UnknownGroup {
        /// The group; empty for the core group.
        group: String,
        /// The version.
        version: String,
        /// The kind.
        kind: String,
    },
    /// The object exists, and belongs to somebody else.
    // helm: pkg/action/validate.go existingResourceConflict, word for word
    #[error(
        "{object} exists and cannot be imported into the current release: invalid ownership metadata; {problem}"
    )]
    Owned {
        /// The object, in Helm's words.
        object: String,
        /// What is missing or differs.
        problem: String,
    },
    /// The merge base, the target and the live object do not fit together.
    #[error("merge {object}")]
    Merge {
        /// The object.
        object: String,
        /// Why.
        #[source]
        source: crate::merge::Error,
    },
    /// A definition would lose a version in which objects are stored.
    #[error(
        "CustomResourceDefinition {name}: the chart's definition drops version {version}, in which objects are stored: migrate them first"
    )]
    StoredVersionDropped {
        /// The definition's name.
        name: String,
        /// The version.
        version: String,
    },
    /// A manifest that the release holds cannot be read.
    #[error("read the manifest of {object}")]
    Manifest {
        /// What was read.
        object: String,
        /// Why not.
        #[source]
        source: crate::manifest::Error,
    },
    /// The release's record could not be stored.
    #[error(transparent)]
    Storage(#[from] crate::storage::Error),
}

impl Error {
    /// The error of a request about an object.
    pub fn of(action: &'static str, object: impl Into<String>, source: kube::Error) -> Self {
        let object = object.into();
        match source {
            // A Namespace that is looked for and is not there is answered with the same words.
            kube::Error::Api(status) if action == "create" && is_missing_namespace(&status) => {
                Self::NamespaceNotFound {
                    action,
                    object,
                    namespace: status
                        .details
                        .map(|details| details.name)
                        .unwrap_or_default(),
                }
            }
            kube::Error::Api(status) if is_conflict_of_managers(&status) => Self::Conflict {
                action,
                object,
                message: status.message.clone(),
            },
            kube::Error::Api(status) if !is_transient(status.code) => Self::Refused {
                action,
                object,
                code: status.code,
                reason: status.reason.clone(),
                message: status.message.clone(),
            },
            source => Self::Unavailable {
                action,
                object,
                source: Box::new(source),
            },
        }
    }

    /// Whether the same request may go well later, with nothing changed here.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::StaleGroup { .. } => true,
            Self::Storage(error) => error.is_transient(),
            Self::Refused { .. }
            | Self::Immutable { .. }
            | Self::Conflict { .. }
            | Self::NamespaceNotFound { .. }
            | Self::UnknownKind { .. }
            | Self::UnknownGroup { .. }
            | Self::Owned { .. }
            | Self::Merge { .. }
            | Self::StoredVersionDropped { .. }
            | Self::Manifest { .. } => false,
        }
    }

    /// Whether the API server answered with this status.
    pub fn is_status(&self, status: u16) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == status)
    }
}

/// 409 is a lost race, 429 and 5xx ask for patience. A webhook that is down answers 500.
fn is_transient(code: u16) -> bool {
    code == 429 || code >= 500
}

/// apimachinery: pkg/apis/meta/v1/types.go CauseTypeFieldManagerConflict.
fn is_conflict_of_managers(status: &Status) -> bool {
    let mut causes = status.details.iter().flat_map(|details| &details.causes);
    status.code == 409 && causes.any(|cause| cause.reason == "FieldManagerConflict")
}

fn is_missing_namespace(status: &Status) -> bool {
    status.code == 404
        && status
            .details
            .as_ref()
            .is_some_and(|d| d.kind == "namespaces" && d.group.is_empty())
}
