//! Everything that can end a turn early: one variant a stage.

use std::time::Duration;

use crate::api::Reason;
use crate::{chart, cluster, plan, render, source, storage};

/// Why a turn ended before the release was touched, or could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resource no longer has the shape that its definition asks for.
    #[error("the HelmRelease cannot be read: {0}; its release is left as it is")]
    Unreadable(String),
    /// The spec cannot be meant.
    #[error(transparent)]
    Spec(#[from] plan::InvalidSpec),
    /// Values, or a login, could not be read from where the spec says they stand.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// The chart could not be fetched.
    #[error(transparent)]
    Source(source::Error),
    /// The version has other bytes than it had when it was first used.
    #[error(
        "chart {chart} of {repo} is not what it was: it was {recorded}, and now it is {found}; the release is left as it is. Where the new bytes are wanted, set digest: {found} in the spec, or the annotation {}={found}",
        crate::api::ACCEPT
    )]
    SourceChanged {
        /// The chart.
        chart: String,
        /// Where it is from.
        repo: String,
        /// The digest that it had.
        recorded: source::Digest,
        /// The digest that it has.
        found: source::Digest,
    },
    /// The archive is no chart.
    #[error("load chart {chart}")]
    Chart {
        /// The chart.
        chart: String,
        /// Why not.
        #[source]
        source: chart::Error,
    },
    /// The chart could not be rendered.
    #[error("render chart {chart}")]
    Render {
        /// The chart.
        chart: String,
        /// Why not.
        #[source]
        source: render::Error,
    },
    /// The chart cannot be written into a record.
    #[error("store chart {chart} in the release's record")]
    Record {
        /// The chart.
        chart: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// What was rendered, or stored, is no list of objects.
    #[error("read the objects of {what}")]
    Manifest {
        /// The chart or the revision.
        what: String,
        /// Why not.
        #[source]
        source: crate::manifest::Error,
    },
    /// Images that are not allowed.
    #[error("{0}; none of its objects was applied")]
    Images(String),
    /// The plan deletes what cannot be brought back, and nobody has said that it may.
    #[error(
        "the {action} would delete {objects}: set the annotation {}={digest} to confirm it, or guard: \"Off\" in the spec",
        crate::api::CONFIRM
    )]
    Unconfirmed {
        /// What would be done.
        action: String,
        /// What would be deleted.
        objects: String,
        /// The plan's digest.
        digest: String,
    },
    /// Helm's storage did not answer, or holds something unreadable.
    #[error(transparent)]
    Storage(#[from] storage::Error),
    /// The cluster refused, or did not answer.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// A stage broke down on this release's input. That is a defect of this program, and it must
    /// not touch other releases.
    #[error("this program has a defect: {0}")]
    Panicked(String),
    /// Somebody else writes the HelmRelease all the time.
    #[error(
        "write the finalizers of HelmRelease {resource}: it changes faster than it can be written"
    )]
    Contended {
        /// The resource.
        resource: String,
    },
    /// The HelmRelease itself could not be written.
    #[error("{action} of HelmRelease {resource}")]
    Resource {
        /// What was written.
        action: &'static str,
        /// The resource.
        resource: String,
        /// Why not.
        #[source]
        source: Box<kube::Error>,
    },
}

impl From<source::Error> for Error {
    fn from(error: source::Error) -> Self {
        match error {
            source::Error::DigestMismatch {
                place,
                declared: source::Declared::Record,
                expected,
                found,
            } => Self::SourceChanged {
                chart: format!("{} {}", place.chart, place.version),
                repo: place.repository,
                recorded: expected,
                found,
            },
            error => Self::Source(error),
        }
    }
}

/// Why a reference of the spec leads to nothing usable. Never holds a value.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The API server could not be asked.
    #[error("read {object} for {field}")]
    Unavailable {
        /// The spec's field.
        field: &'static str,
        /// The object.
        object: String,
        /// What happened.
        #[source]
        source: Box<kube::Error>,
    },
    /// There is no such object.
    #[error("{field}: {object} does not exist")]
    MissingObject {
        /// The spec's field.
        field: &'static str,
        /// The object.
        object: String,
    },
    /// The object has no such key.
    #[error("{field}: {object} has no key {key:?}")]
    MissingKey {
        /// The spec's field.
        field: &'static str,
        /// The object.
        object: String,
        /// The key.
        key: String,
    },
    /// What the key holds cannot be used.
    #[error("{field}: key {key:?} of {object}: {problem}")]
    Unusable {
        /// The spec's field.
        field: &'static str,
        /// The object.
        object: String,
        /// The key.
        key: String,
        /// Why, without the value.
        problem: String,
    },
    /// What the field itself says cannot be used.
    #[error("{field}: {problem}")]
    Unreadable {
        /// The spec's field.
        field: String,
        /// Why.
        problem: String,
    },
}

/// When a failed turn is run again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Soon, and then less and less often.
    Backoff,
    /// After this long.
    After(Duration),
    /// When something changes; at the latest after the interval, because what a chart looks up may
    /// change without an event.
    OnChange,
}

impl Error {
    /// The word for it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Unconfirmed { .. } => Reason::ConfirmationNeeded,
            Self::Unreadable(_) | Self::Spec(_) => Reason::InvalidSpec,
            Self::Reference(_) => Reason::ValuesNotFound,
            Self::Source(error) => source_reason(error),
            Self::SourceChanged { .. } => Reason::SourceChanged,
            Self::Images(_) => Reason::ImagesDenied,
            Self::Chart { .. } | Self::Record { .. } => Reason::ArtifactFailed,
            Self::Render { source, .. } => render_reason(source),
            Self::Manifest { .. } => Reason::RenderFailed,
            Self::Storage(error) => storage_reason(error),
            Self::Cluster(error) => cluster_reason(error),
            Self::Panicked(_) => Reason::InternalError,
            Self::Contended { .. } | Self::Resource { .. } => Reason::ClusterUnavailable,
        }
    }

    /// When to try again.
    pub fn retry(&self) -> Retry {
        match self {
            // The annotation is a change.
            Self::Unconfirmed { .. } => Retry::OnChange,
            Self::Unreadable(_) | Self::Spec(_) => Retry::OnChange,
            Self::Source(error) if error.is_transient() => {
                error.retry_after().map_or(Retry::Backoff, Retry::After)
            }
            // A chart, a namespace, a Secret may be made any moment, without an event for us.
            Self::Source(_) | Self::SourceChanged { .. } | Self::Reference(_) => {
                Retry::After(Duration::from_secs(30))
            }
            // A namespace's annotation may change without an event for us.
            Self::Images(_) => Retry::After(Duration::from_secs(60)),
            Self::Chart { .. }
            | Self::Record { .. }
            | Self::Render { .. }
            | Self::Manifest { .. }
            | Self::Cluster(cluster::Error::Immutable { .. }) => Retry::OnChange,
            Self::Storage(error) if error.is_transient() => Retry::Backoff,
            Self::Cluster(error) if error.is_transient() => Retry::Backoff,
            Self::Storage(_) | Self::Cluster(_) => Retry::After(Duration::from_secs(15)),
            Self::Panicked(_) => Retry::OnChange,
            Self::Contended { .. } | Self::Resource { .. } => Retry::Backoff,
        }
    }

    /// The message with its causes, each said once.
    pub fn chain(&self) -> String {
        let mut message = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let text = cause.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            source = cause.source();
        }
        match self {
            Self::Render {
                source: render::Error::Values(_),
                ..
            } => without_values(&message),
            _ => message,
        }
    }
}

/// A schema's refusal without the values that it shows: where and why is enough to mend them, and
/// they may be secrets. helm: santhosh-tekuri/jsonschema kind texts (`minimum: got -1, want 0`,
/// `'x' does not match pattern ...`).
fn without_values(message: &str) -> String {
    let lines = message.lines().map(|line| {
        let Some((place, refusal)) = line
            .trim_start()
            .strip_prefix("- at ")
            .and_then(|fault| fault.split_once("': "))
        else {
            return line.to_owned();
        };
        format!("- at {place}': {}", without_value(refusal))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn without_value(refusal: &str) -> String {
    if refusal.starts_with('\'')
        && let Some(end) = [" does not match pattern", " is not valid "]
            .iter()
            .filter_map(|words| refusal.rfind(words))
            .max()
    {
        return format!("the value{}", &refusal[end..]);
    }
    if let Some((before, after)) = refusal.split_once("got ")
        && after.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && let Some((_, wanted)) = after.split_once(", want")
    {
        return format!("{before}want{wanted}");
    }
    refusal.to_owned()
}

fn source_reason(error: &source::Error) -> Reason {
    match error {
        source::Error::NotFound { .. } => Reason::SourceNotFound,
        source::Error::Unauthorized { .. } => Reason::SourceUnauthorized,
        source::Error::DigestMismatch { .. } => Reason::DigestMismatch,
        source::Error::Unverified { .. } => Reason::VerificationFailed,
        source::Error::TooLarge { .. }
        | source::Error::Malformed { .. }
        | source::Error::Checkout { .. } => Reason::ArtifactFailed,
        error if error.is_transient() => Reason::SourceUnavailable,
        _ => Reason::SourceRefused,
    }
}

fn render_reason(error: &render::Error) -> Reason {
    match error {
        render::Error::Values(_) => Reason::ValuesInvalid,
        render::Error::Dependencies(_)
        | render::Error::KubeVersion(_)
        | render::Error::Template(_)
        | render::Error::Manifest(_) => Reason::RenderFailed,
        render::Error::Panic(_) | render::Error::Thread(_) => Reason::InternalError,
    }
}

fn storage_reason(error: &storage::Error) -> Reason {
    match error {
        storage::Error::NamespaceNotFound { .. } => Reason::NamespaceNotFound,
        storage::Error::Api { .. } => Reason::ClusterUnavailable,
        storage::Error::Taken { .. } | storage::Error::Lost { .. } => Reason::Locked,
        storage::Error::NotFound { .. } | storage::Error::Codec { .. } => Reason::StorageFailed,
    }
}

fn cluster_reason(error: &cluster::Error) -> Reason {
    match error {
        cluster::Error::Unavailable { .. } | cluster::Error::StaleGroup { .. } => {
            Reason::ClusterUnavailable
        }
        cluster::Error::NamespaceNotFound { .. } => Reason::NamespaceNotFound,
        cluster::Error::Owned { .. } | cluster::Error::Conflict { .. } => Reason::OwnershipConflict,
        cluster::Error::Storage(error) => storage_reason(error),
        cluster::Error::Refused { .. }
        | cluster::Error::Immutable { .. }
        | cluster::Error::UnknownKind { .. }
        | cluster::Error::UnknownGroup { .. }
        | cluster::Error::Merge { .. }
        | cluster::Error::StoredVersionDropped { .. }
        | cluster::Error::Manifest { .. } => Reason::ObjectRefused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schemas_refusal_keeps_the_place_and_hides_the_value() {
        let said = "values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n\
            - at '/replicas': minimum: got -1, want 0\n- at '/name': 'secret' does not match pattern '^[a-c]+$'\n\
            - at '/port': got string, want integer\n";
        let shown = without_values(said);
        assert!(
            shown.contains("- at '/replicas': minimum: want 0"),
            "{shown}"
        );
        assert!(
            shown.contains("- at '/name': the value does not match pattern"),
            "{shown}"
        );
        assert!(
            shown.contains("- at '/port': got string, want integer"),
            "{shown}"
        );
        assert!(
            !shown.contains("-1") && !shown.contains("secret"),
            "{shown}"
        );
    }
}
