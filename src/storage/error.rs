//! What went wrong with a stored record.

/// Why a record could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The API server could not be reached, or refused.
    #[error("{action} the record of release {release}")]
    Api {
        /// The verb.
        action: &'static str,
        /// The release, or the Secret.
        release: String,
        /// What happened.
        #[source]
        source: Box<kube::Error>,
    },
    /// The release's namespace does not exist.
    #[error(
        "store the record of release {release}: namespace {namespace:?} does not exist: create it, or set createNamespace: true"
    )]
    NamespaceNotFound {
        /// The release.
        release: String,
        /// The namespace.
        namespace: String,
    },
    /// Another writer stored the same revision first.
    #[error("store revision {revision} of release {release}: somebody else did so first")]
    Taken {
        /// The release.
        release: String,
        /// The revision.
        revision: i64,
    },
    /// Another writer wrote the same revision over.
    #[error("update revision {revision} of release {release}: somebody else wrote it meanwhile")]
    Lost {
        /// The release.
        release: String,
        /// The revision.
        revision: i64,
    },
    /// A revision that should be there is not.
    #[error("read revision {revision} of release {release}: there is none")]
    NotFound {
        /// The release.
        release: String,
        /// The revision.
        revision: i64,
    },
    /// The Secret holds no readable record.
    #[error("read the record in Secret {secret}")]
    Codec {
        /// The Secret.
        secret: String,
        /// Why.
        #[source]
        source: crate::release::Error,
    },
}

impl Error {
    /// Whether the same request may go well later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Api { source, .. } => match &**source {
                kube::Error::Api(status) => status.code == 429 || status.code >= 500,
                _ => true,
            },
            Self::Taken { .. } | Self::Lost { .. } => true,
            Self::NamespaceNotFound { .. } | Self::NotFound { .. } | Self::Codec { .. } => false,
        }
    }
}
