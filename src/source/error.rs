//! What can go wrong on the way to a chart's bytes, each naming the chart and the URL, never a login.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::digest::Digest;
use super::target::Target;
use super::verify;

/// A cause from a library, shared because many waiters get the same error.
pub(super) type Cause = Arc<dyn StdError + Send + Sync>;

/// Why a chart's archive was not fetched. Cloned to every waiter of one download.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The repository is not one that charts can come from.
    #[error("reading repository {text:?}: {reason}")]
    InvalidRepository {
        /// What was written, without a login and a query.
        text: String,
        /// What is wrong, or what to write instead.
        reason: &'static str,
    },
    /// Not `sha256:` and 64 lower-case hexadecimal digits.
    #[error("reading digest {text:?}: it must be sha256: and 64 lower-case hexadecimal digits")]
    InvalidDigest {
        /// What was written.
        text: String,
    },
    /// A login that cannot be understood. Its text is never shown.
    #[error("reading the login: {reason}")]
    InvalidCredentials {
        /// What is wrong with its form.
        reason: &'static str,
    },
    /// A CA, certificate or key that cannot be used.
    #[error("reading the {part}: {reason}")]
    InvalidTls {
        /// Which of the three.
        part: &'static str,
        /// What the TLS library says.
        reason: String,
    },
    /// A proxy that cannot be understood.
    #[error("reading the proxy: {reason}")]
    InvalidProxy {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A table of mirrors that cannot be understood.
    #[error("reading the table of mirrors: {reason}")]
    InvalidMirrors {
        /// What is wrong with it.
        reason: String,
    },
    /// The fetcher cannot begin: its folder or its network stack.
    #[error("preparing to fetch charts: {action}")]
    Start {
        /// What was being done.
        action: String,
        /// Why it failed.
        source: Cause,
    },
    /// The chart is not signed as it is asked to be.
    #[error("verifying {place}")]
    Unverified {
        /// What was to be verified.
        place: Box<Place>,
        /// What is wrong with its signature.
        source: verify::Error,
    },
    /// Not one folder of one commit.
    #[error("reading {text:?}: {reason}")]
    InvalidCheckout {
        /// What was written.
        text: String,
        /// What is wrong, or what to write instead.
        reason: &'static str,
    },
    /// A folder in git that is not the chart that was named, or cannot be one.
    #[error("fetching {place}: {checkout}: {reason}")]
    Checkout {
        /// What was asked for.
        place: Box<Place>,
        /// Which folder of which commit.
        checkout: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A chart name or version that cannot stand in a URL or a tag.
    #[error("fetching {place}: {reason}")]
    InvalidReference {
        /// What was asked for.
        place: Box<Place>,
        /// What is wrong.
        reason: &'static str,
    },
    /// Plain HTTP was asked for, by the reference or by the server, and is not allowed.
    #[error("fetching {place}: {reason}")]
    InsecureRefused {
        /// What was asked for.
        place: Box<Place>,
        /// Who would have to allow it.
        reason: &'static str,
    },
    /// What was asked for is not there.
    #[error("fetching {place}: {missing}")]
    NotFound {
        /// What was asked for.
        place: Box<Place>,
        /// Which part of it is missing.
        missing: Missing,
    },
    /// 401 or 403. Many registries say it for charts that do not exist, too.
    #[error(
        "fetching {place}: the server refused access ({status}); the login is missing or wrong, or there is no such chart"
    )]
    Unauthorized {
        /// What was asked for.
        place: Box<Place>,
        /// The HTTP status.
        status: u16,
    },
    /// A status that means neither success nor any of the above.
    #[error("fetching {place}: the server answered {status}")]
    Status {
        /// What was asked for.
        place: Box<Place>,
        /// The HTTP status.
        status: u16,
        /// How long the server asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The host name has no address.
    #[error("fetching {place}: the host name cannot be resolved")]
    Dns {
        /// What was asked for.
        place: Box<Place>,
        /// Why.
        source: Cause,
    },
    /// The server's certificate, or ours, was refused, or the two speak no common TLS.
    #[error("fetching {place}: no trusted TLS connection")]
    Tls {
        /// What was asked for.
        place: Box<Place>,
        /// Why.
        source: Cause,
    },
    /// No connection.
    #[error("fetching {place}: cannot connect")]
    Connect {
        /// What was asked for.
        place: Box<Place>,
        /// Why.
        source: Cause,
    },
    /// The connection broke before everything had come, or something was not HTTP.
    #[error("fetching {place}: the transfer broke off")]
    Interrupted {
        /// What was asked for.
        place: Box<Place>,
        /// Why.
        source: Cause,
    },
    /// Fewer bytes came than the manifest promised.
    #[error("fetching {place}: {received} of {declared} bytes came")]
    Truncated {
        /// What was asked for.
        place: Box<Place>,
        /// The size in the manifest.
        declared: u64,
        /// What came.
        received: u64,
    },
    /// A connection, a pause or the whole took too long.
    #[error("fetching {place}: {waited} timed out")]
    Timeout {
        /// What was asked for.
        place: Box<Place>,
        /// What was waited for.
        waited: &'static str,
    },
    /// More redirects than the limit, a redirect to nowhere, or to a scheme that is not HTTP.
    #[error("fetching {place}: {reason}")]
    Redirect {
        /// What was asked for.
        place: Box<Place>,
        /// What was wrong with it.
        reason: &'static str,
    },
    /// More bytes than the limit, by announcement or in fact.
    #[error("fetching {place}: the {part} is larger than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        place: Box<Place>,
        /// Which of the parts.
        part: Part,
        /// In bytes.
        limit: u64,
    },
    /// Other bytes than the ones that were named. They are never used.
    #[error("fetching {place}: {declared} says {expected}, found {found}")]
    DigestMismatch {
        /// What was asked for.
        place: Box<Place>,
        /// Who named the bytes.
        declared: Declared,
        /// The digest that was named.
        expected: Digest,
        /// The digest that was found.
        found: Digest,
    },
    /// A token server, manifest or index that does not say what it should.
    #[error("fetching {place}: the {part} cannot be used: {reason}")]
    Malformed {
        /// What was asked for.
        place: Box<Place>,
        /// Which of the parts.
        part: Part,
        /// What is wrong with it.
        reason: String,
    },
}

/// The chart that was being fetched, and from where. Shown as `chart NAME VERSION of REPOSITORY at URL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// As in the reference, without login and query.
    pub repository: String,
    /// The chart's name.
    pub chart: String,
    /// Its exact version.
    pub version: String,
    /// The URL that was asked, without login and query; none before the first request.
    pub url: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "chart {} {} of {}",
            self.chart, self.version, self.repository
        )?;
        self.url
            .as_ref()
            .map_or(Ok(()), |url| write!(f, " at {url}"))
    }
}

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// There is no index.yaml.
    Index,
    /// The repository knows no chart of this name.
    Chart,
    /// The chart has no such version.
    Version,
    /// The index or the manifest names an archive that the server does not have.
    Archive,
    /// What was asked for to verify the chart.
    Signature,
    /// There is no repository of git.
    Repository,
    /// The repository does not have the commit, or does not give it.
    Commit,
    /// The commit has no such folder.
    Folder,
    /// The repository has the commit, and does not give its files.
    Files,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Index => "there is no index.yaml",
            Self::Chart => "the repository has no chart of this name",
            Self::Version => "the chart has no such version",
            Self::Archive => "the server does not have the archive that it names",
            Self::Signature => "the server does not have the signature that it names",
            Self::Repository => "there is no repository of git",
            Self::Commit => "the repository does not have the commit, or does not give it",
            Self::Folder => "the commit has no such folder",
            Self::Files => "the repository does not give the files of its commit",
        })
    }
}

/// The parts that a fetch reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The chart itself, a .tgz.
    Archive,
    /// An OCI manifest or index.
    Manifest,
    /// A repository's index.yaml.
    Index,
    /// The answer of a token server.
    Token,
    /// A provenance, a signed document or a bundle.
    Signature,
    /// What a server of git says of itself.
    Advertisement,
    /// What a server of git sends: a commit, or files of it.
    Pack,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Archive => "archive",
            Self::Manifest => "manifest",
            Self::Index => "index.yaml",
            Self::Token => "token server's answer",
            Self::Signature => "signature",
            Self::Advertisement => "git server's answer",
            Self::Pack => "git server's pack",
        })
    }
}

/// Who named the bytes that did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declared {
    /// `digest` of the chart reference.
    Reference,
    /// `recorded` of the chart reference: the version once had other bytes.
    Record,
    /// The repository's index.yaml.
    Index,
    /// An OCI manifest or index, or the registry's `Docker-Content-Digest`.
    Registry,
}

impl fmt::Display for Declared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Reference => "the declared digest",
            Self::Record => "the digest recorded when this version was first used",
            Self::Index => "the repository's index.yaml",
            Self::Registry => "the registry",
        })
    }
}

impl Error {
    /// Whether the same request may succeed later with nothing changed on this side: the network,
    /// an overloaded or failing server, a transfer that broke. All else waits for a change.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Dns { .. }
            | Self::Connect { .. }
            | Self::Interrupted { .. }
            | Self::Truncated { .. }
            | Self::Timeout { .. } => true,
            // Certificates are renewed on the server's side.
            Self::Tls { .. } => true,
            Self::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            // The server contradicts itself: an index or a blob in the middle of a change.
            Self::DigestMismatch { declared, .. } => {
                matches!(declared, Declared::Index | Declared::Registry)
            }
            // It is not what was asked for: bytes were lost or changed on the way.
            Self::Malformed { part, .. } => *part == Part::Pack,
            _ => false,
        }
    }

    /// The same of another chart at the same place: who waits for one download waits for several charts.
    pub(super) fn told_of(mut self, target: &Target<'_>) -> Self {
        match &mut self {
            Self::Unverified { place, .. }
            | Self::Checkout { place, .. }
            | Self::InvalidReference { place, .. }
            | Self::InsecureRefused { place, .. }
            | Self::NotFound { place, .. }
            | Self::Unauthorized { place, .. }
            | Self::Status { place, .. }
            | Self::Dns { place, .. }
            | Self::Tls { place, .. }
            | Self::Connect { place, .. }
            | Self::Interrupted { place, .. }
            | Self::Truncated { place, .. }
            | Self::Timeout { place, .. }
            | Self::Redirect { place, .. }
            | Self::TooLarge { place, .. }
            | Self::DigestMismatch { place, .. }
            | Self::Malformed { place, .. } => {
                target.name().clone_into(&mut place.chart);
                target.version().clone_into(&mut place.version);
            }
            Self::InvalidRepository { .. }
            | Self::InvalidCheckout { .. }
            | Self::InvalidDigest { .. }
            | Self::InvalidCredentials { .. }
            | Self::InvalidTls { .. }
            | Self::InvalidProxy { .. }
            | Self::InvalidMirrors { .. }
            | Self::Start { .. } => {}
        }
        self
    }

    /// Whether nobody answered, or nobody who could: nothing was said of the chart.
    pub(super) fn is_outage(&self) -> bool {
        let answered = matches!(self, Self::DigestMismatch { .. } | Self::Malformed { .. });
        self.is_transient() && !answered
    }

    /// Whether another place with the same charts may do better.
    pub(super) fn may_be_elsewhere(&self) -> bool {
        let nothing = matches!(self, Self::NotFound { .. } | Self::Unauthorized { .. });
        nothing || self.is_outage()
    }

    /// How long the server asked to be left alone (`Retry-After`), not capped.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}
