//! From a chart reference to the bytes of its archive.
//!
//! In: a [`ChartRef`], which names a repository (`oci://`, `https://` or `git+https://`), a chart, its
//! exact version, in git a folder and its exact commit, and, where they are known, the digests that the
//! bytes must have.
//! Out: an [`Archive`], the bytes of the `.tgz` and their digest; or an [`Error`] that says which
//! chart at which URL, and whether asking again later may help.
//!
//! Never: other bytes than the named ones; a login for another host than its own, or in an error, a
//! log or a file name; more memory, disk or time than the configured bounds; plain HTTP unless the
//! reference and the configuration both say so; a look inside the archive (that is `chart`'s), but
//! for whose it is where it was a folder in git.
//! What may pass within seconds is tried again here, what takes longer by the caller.

mod cache;
mod challenge;
mod cloud;
mod credentials;
mod digest;
pub mod directory;
mod error;
mod excerpt;
mod flight;
pub mod git;
mod helm_repository;
mod http;
pub mod index;
mod index_json;
mod indexes;
pub mod manifest;
mod mirrors;
mod oci;
mod proxy;
mod repository;
pub mod search;
mod target;
#[cfg(test)]
mod tests;
mod tls;
mod token;
pub mod verify;
mod web;
mod whole;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt as _;
use tokio::sync::Semaphore;

use cache::{Cache, ReferenceKey};
use cloud::Clouds;
pub use cloud::{AwsIdentity, AwsProof, AzureIdentity, Cloud, GoogleIdentity, Identities};
pub use credentials::{Credentials, DockerConfig};
pub use digest::Digest;
pub use error::{Declared, Error, Missing, Part, Place};
use flight::Flights;
pub use git::checkout::Checkout;
use helm_repository::{KnownEntries, provenance};
use http::Http;
use indexes::Indexes;
pub use mirrors::{Mirror, Mirrors};
use oci::signatures;
pub use proxy::{ProxyServer, Route};
use repository::Kind;
pub use repository::Repository;
use target::{Target, place};
pub use tls::{TlsMaterial, Trust};
use verify::{Signer, Trusted};
pub use web::{Get, LoginWhen, Reply, Web};
pub use whole::{Named, Whole};

/// A chart, named exactly.
#[derive(Debug, Clone)]
pub struct ChartRef {
    /// Where it lives.
    pub repo: Repository,
    /// The chart's name: letters, digits and `. _ -`.
    pub name: String,
    /// The exact version, never a range. In an index a leading `v` does not count; in a registry it
    /// is the tag, with `_` for `+`.
    pub version: String,
    /// Which folder of which commit, where the repository is one of git.
    pub checkout: Option<Checkout>,
    /// The only bytes wanted: the digest of the archive, or, in a registry, of the manifest that
    /// the tag names (which is what `helm push` prints).
    pub digest: Option<Digest>,
    /// The archive's digest when this version was first used: a version never changes its bytes.
    pub recorded: Option<Digest>,
    /// Other bytes that a person has taken in place of the recorded ones: the digest of the archive
    /// or of the manifest.
    pub accepted: Option<Digest>,
    /// Plain HTTP is allowed, and for `oci://` taken. Needs [`SourcesConfig::allow_insecure`].
    pub insecure: bool,
    /// The login, sent to the repository's own host, or to the hosts a docker configuration names.
    pub credentials: Option<Credentials>,
    /// The login also goes to other hosts that the repository's index names, as with
    /// `helm --pass-credentials`.
    pub pass_credentials: bool,
    /// A CA and a client certificate.
    pub tls: Option<TlsMaterial>,
    /// The way to the servers.
    pub route: Route,
}

/// A chart's `.tgz`, as it was published, or made of a folder in git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Not unpacked.
    pub bytes: Bytes,
    /// The digest of `bytes`.
    pub digest: Digest,
    /// The digest of what the tag named, if the chart came from a registry.
    pub manifest: Option<Digest>,
}

/// What a fetch may take. The default is fit for every chart that is known.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of an archive: 20 MiB.
    pub archive: u64,
    /// Bytes of an index.yaml: 64 MiB.
    pub index: u64,
    /// Bytes of an OCI manifest: 4 MiB, as registries themselves demand.
    pub manifest: u64,
    /// Bytes of a pack, with which git sends a commit: 64 MiB.
    pub pack: u64,
    /// Redirects of one request: 10.
    pub redirects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            archive: 20 << 20,
            index: 64 << 20,
            manifest: 4 << 20,
            pack: 64 << 20,
            redirects: 10,
        }
    }
}

/// How long a fetch may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// To connect, TLS included: 10 s.
    pub connect: Duration,
    /// Without a byte from the server: 60 s.
    pub idle: Duration,
    /// From the first request to the last byte: 5 minutes.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            whole: Duration::from_secs(300),
        }
    }
}

/// How often a request is made again, where that may help, before its fetch fails.
#[derive(Debug, Clone, Copy)]
pub struct Retries {
    /// After the first time: 3.
    pub count: u32,
    /// Before the second time; twice as long before each further one: 500 ms.
    pub pause: Duration,
    /// The longest pause that a server's `Retry-After` is obeyed for; the fetch fails, and carries
    /// the wish, where it is longer: 20 s.
    pub patience: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            count: 3,
            pause: Duration::from_millis(500),
            patience: Duration::from_secs(20),
        }
    }
}

/// How charts are fetched and kept.
#[derive(Debug, Clone)]
pub struct SourcesConfig {
    /// Where fetched charts are kept.
    pub cache: CachePlace,
    /// Bytes of archives that the cache keeps: 768 MiB, in memory 64 MiB.
    pub cache_bytes: u64,
    /// How long an archive stays that nobody uses, and that no release's history was made of: 30 days.
    pub cache_age: Duration,
    /// Where charts are fetched instead of where their references say.
    pub mirrors: Mirrors,
    /// Who the program is in each cloud, for [`Credentials::Cloud`].
    pub identities: Identities,
    /// Whether a chart reference may be `insecure`.
    pub allow_insecure: bool,
    /// Sizes and counts.
    pub limits: Limits,
    /// Times.
    pub timeouts: Timeouts,
    /// Second tries.
    pub retries: Retries,
}

/// Where fetched charts are kept.
#[derive(Debug, Clone)]
pub enum CachePlace {
    /// In a folder; made where it is missing, private to this user.
    Folder(PathBuf),
    /// In this process.
    Memory,
}

impl SourcesConfig {
    /// The defaults, with this folder for the cache and without plain HTTP.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache: CachePlace::Folder(cache_dir.into()),
            cache_bytes: 768 << 20,
            ..Self::in_memory()
        }
    }

    /// The defaults, with the cache in memory and without plain HTTP.
    pub fn in_memory() -> Self {
        Self {
            cache: CachePlace::Memory,
            cache_bytes: 64 << 20,
            cache_age: Duration::from_secs(30 * 24 * 3600),
            mirrors: Mirrors::default(),
            identities: Identities::default(),
            allow_insecure: false,
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            retries: Retries::default(),
        }
    }
}

/// Fetches charts. Cheap to clone; clones share connections, cache and downloads under way.
#[derive(Clone)]
pub struct Sources {
    shared: Arc<Shared>,
    mirrors: Arc<Mirrors>,
    flights: Arc<Flights<FlightKey, Result<Archive, Error>>>,
    allow_insecure: bool,
    whole: Duration,
}

/// A reference with its login, and the digests that the result must have.
type FlightKey = (ReferenceKey, [Option<Digest>; 3]);

/// Copies of indexes that are read at once, each on a thread.
const READERS: usize = 2;

/// What every fetch uses.
struct Shared {
    http: Http,
    cache: Cache,
    clouds: Clouds,
    limits: Limits,
    known_entries: KnownEntries,
    indexes: Indexes,
    /// Taken while the entry of an index is being parsed.
    index_turn: Arc<Semaphore>,
    /// Taken while a copy of an index is being read.
    reading_turns: Arc<Semaphore>,
}

impl Shared {
    /// What the cache holds of a reference, if that is what the reference's digests name.
    async fn recall_pinned(
        &self,
        target: &Target<'_>,
        reference: &ReferenceKey,
    ) -> Option<Archive> {
        let kept = self.cache.recall(reference).await?;
        target.is_pinned(kept.digest, kept.manifest).then_some(kept)
    }
}

/// Of two failures, in two places, the one to tell: the first, unless only the other may pass.
fn worth_telling(first: Option<Error>, other: Error) -> Error {
    match first {
        Some(first) if first.is_transient() || !other.is_transient() => first,
        _ => other,
    }
}

impl Sources {
    /// Opens the cache and reads the system's certificate authorities. Blocks shortly.
    ///
    /// # Errors
    /// [`Error::Start`] if the cache's folder cannot be made, read or written.
    pub fn new(config: SourcesConfig) -> Result<Self, Error> {
        let cache =
            Cache::open(&config.cache, config.cache_bytes, config.cache_age).map_err(|error| {
                Error::Start {
                    action: format!("opening the cache ({:?})", config.cache),
                    source: Arc::new(error),
                }
            })?;
        let shared = Shared {
            http: Http::new(config.timeouts, &config.limits, config.retries),
            cache,
            clouds: Clouds::new(config.identities),
            limits: config.limits,
            known_entries: KnownEntries::default(),
            indexes: Indexes::new(),
            index_turn: Arc::new(Semaphore::new(1)),
            reading_turns: Arc::new(Semaphore::new(READERS)),
        };
        Ok(Self {
            shared: Arc::new(shared),
            mirrors: Arc::new(config.mirrors),
            flights: Arc::new(Flights::new()),
            allow_insecure: config.allow_insecure,
            whole: config.timeouts.whole,
        })
    }

    /// The archive of a chart. A reference with a digest that the cache holds, and that led to it
    /// before with the same login, touches no network. One with a recorded digest asks whether the
    /// version still has it; where nobody answers, the cache's recorded bytes do.
    ///
    /// # Errors
    /// See [`Error`]; [`Error::is_transient`] tells what may pass by itself. Waiters of one download
    /// get clones of one error.
    pub async fn fetch(&self, chart: &ChartRef) -> Result<Archive, Error> {
        Target::new(chart, self.allow_insecure)?;
        let reference = self.shared.cache.key(chart);
        let pins = [chart.digest, chart.recorded, chart.accepted];
        let key = (reference.clone(), pins);
        let work = || {
            let (sources, chart) = (self.clone(), chart.clone());
            async move { sources.hand_out(&chart, &reference).await }.boxed()
        };
        self.flights.join(key, work).await
    }

    /// Who among those trusted has signed a chart that was fetched.
    ///
    /// # Errors
    /// [`Error::Unverified`] where none of them has, and what else can go wrong on the way to a
    /// signature: nothing but a signature that holds is an answer.
    pub async fn verify(
        &self,
        chart: &ChartRef,
        archive: &Archive,
        trusted: &Trusted,
    ) -> Result<Signer, Error> {
        let verified = self.verify_now(chart, archive, trusted);
        self.in_time(chart, "the signature", verified).await
    }

    /// Ends what takes longer than all of it may.
    async fn in_time<T>(
        &self,
        chart: &ChartRef,
        waited: &'static str,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let done = tokio::time::timeout(self.whole, work).await;
        done.unwrap_or_else(|_| {
            Err(Error::Timeout {
                place: Box::new(place(chart, None)),
                waited,
            })
        })
    }

    async fn verify_now(
        &self,
        chart: &ChartRef,
        archive: &Archive,
        trusted: &Trusted,
    ) -> Result<Signer, Error> {
        let reference = self.shared.cache.key(chart);
        let mut failed: Option<Error> = None;
        for place in self.mirrors.places(chart) {
            let unsigned = |error: &Error| {
                let source = verify::Error::Unsigned;
                matches!(error, Error::Unverified { source: found, .. } if *found == source)
            };
            match self.verify_from(&place, &reference, archive, trusted).await {
                Ok(signer) => return Ok(signer),
                // A mirror may have the chart alone.
                Err(error) if !unsigned(&error) && !error.may_be_elsewhere() => return Err(error),
                Err(error) => failed = Some(worth_telling(failed, error)),
            }
        }
        Err(failed.unwrap_or_else(|| Error::Unverified {
            place: Box::new(place(chart, None)),
            source: verify::Error::Unsigned,
        }))
    }

    /// Who signed, as one place has it.
    async fn verify_from(
        &self,
        chart: &ChartRef,
        reference: &ReferenceKey,
        archive: &Archive,
        trusted: &Trusted,
    ) -> Result<Signer, Error> {
        let shared = &self.shared;
        Target::new(chart, self.allow_insecure)?;
        let chart = &shared.clouds.resolve(&shared.http, chart).await?;
        let target = Target::new(chart, self.allow_insecure)?;
        let registry = match chart.repo.kind() {
            Kind::Index(base) => {
                let Trusted::Pgp(keyring) = trusted else {
                    // cosign signs manifests, and an archive alone has none.
                    return Err(target.unverified(base, verify::Error::Unsigned));
                };
                return provenance::verify(shared, &target, base, reference, archive, keyring)
                    .await;
            }
            // A commit names bytes, and nobody signs those of one folder.
            Kind::Git(base) => return Err(target.unverified(base, verify::Error::Unsigned)),
            Kind::Registry(registry) => registry,
        };
        let image = oci::Reference::of(registry, chart)?;
        let Some(manifest) = archive.manifest else {
            return Err(target.unverified(&image.api, verify::Error::Unsigned));
        };
        match trusted {
            Trusted::Pgp(keyring) => {
                let digests = (archive.digest, manifest);
                signatures::provenance(shared, &target, &image, digests, keyring).await
            }
            Trusted::Cosign(_) | Trusted::Keyless(_) => {
                signatures::cosigned(shared, &target, &image, manifest, trusted).await
            }
        }
    }

    /// Removes archives from the cache that nobody used for long. What releases' histories were made
    /// of stays, whatever its age, and goes last where there is too much.
    pub async fn tidy(&self, needed: HashSet<Digest>) {
        self.shared.cache.tidy(needed).await;
    }

    /// Every archive that is handed out passes here, wherever it is from: what is to be judged of
    /// its bytes beside their digests is judged here.
    async fn hand_out(&self, chart: &ChartRef, reference: &ReferenceKey) -> Result<Archive, Error> {
        self.fetch_in_time(chart, reference).await
    }

    async fn fetch_in_time(
        &self,
        chart: &ChartRef,
        reference: &ReferenceKey,
    ) -> Result<Archive, Error> {
        let fetched = self.fetch_now(chart, reference);
        let fetched = self.in_time(chart, "the whole fetch", fetched).await;
        match fetched {
            Err(error) if chart.recorded.is_some() && error.is_outage() => {
                let target = Target::new(chart, self.allow_insecure)?;
                let kept = self.shared.recall_pinned(&target, reference).await;
                if kept.is_some() {
                    tracing::warn!(%error, "the recorded bytes are taken from the cache, because the chart's place does not answer");
                }
                kept.ok_or(error)
            }
            fetched => fetched,
        }
    }

    async fn fetch_now(
        &self,
        chart: &ChartRef,
        reference: &ReferenceKey,
    ) -> Result<Archive, Error> {
        let (shared, target) = (&*self.shared, Target::new(chart, self.allow_insecure)?);
        // A commit is a digest, too.
        if (chart.digest.is_some() || chart.checkout.is_some())
            && let Some(archive) = shared.recall_pinned(&target, reference).await
        {
            return Ok(archive);
        }
        let mut failed: Option<Error> = None;
        for place in self.mirrors.places(chart) {
            match self.fetch_from(&place, reference).await {
                Ok(archive) => {
                    shared.cache.keep(reference, &archive).await;
                    return Ok(archive);
                }
                // Wrong bytes are no reason to look for right ones elsewhere.
                Err(error) if !error.may_be_elsewhere() => return Err(error),
                Err(error) => failed = Some(worth_telling(failed, error)),
            }
        }
        Err(failed.unwrap_or_else(|| Error::InvalidReference {
            place: Box::new(place(chart, None)),
            reason: "the controller's mirrors leave no place to fetch it from",
        }))
    }

    /// The archive from one place.
    async fn fetch_from(
        &self,
        chart: &ChartRef,
        reference: &ReferenceKey,
    ) -> Result<Archive, Error> {
        let shared = &self.shared;
        Target::new(chart, self.allow_insecure)?;
        let chart = &shared.clouds.resolve(&shared.http, chart).await?;
        let target = Target::new(chart, self.allow_insecure)?;
        match chart.repo.kind() {
            Kind::Index(base) => helm_repository::fetch(shared, &target, base, reference).await,
            Kind::Git(base) => git::fetch(shared, &target, base, target.checkout()?).await,
            Kind::Registry(registry) => {
                let image = oci::Reference::of(registry, chart)?;
                oci::pull(shared, &target, &image, None, reference).await
            }
        }
    }
}
