//! What storage holds of all releases, in memory.
//!
//! In: the news of one watch of the metadata of all of Helm's Secrets, and this program's own
//! writes. Out: the revisions of a release without a request, and the Secrets that were read or
//! written last, as long as they are what is stored. Never: older news over newer, and more of the
//! Secrets' contents than [`KEPT_BYTES`].

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Secret;
use kube::api::ObjectMeta;

use super::secrets::{Revision, revision};
use crate::plan::ReleaseName;

/// Records as they are stored, compressed: those of some thousand small releases.
const KEPT_BYTES: usize = 16 << 20;

/// Shared by all that read and write records.
#[derive(Clone, Default)]
pub(super) struct Ledger {
    pages: Arc<Mutex<Pages>>,
}

#[derive(Default)]
struct Pages {
    /// Whether the watch has told of everything there is, and in which namespace alone.
    complete: Option<Scope>,
    releases: HashMap<ReleaseName, BTreeMap<i64, Line>>,
    /// Secrets that we deleted, until the watch says so: what it says before is of no interest.
    deleted: HashSet<String>,
    kept: Kept,
}

/// Where the watch looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Everywhere,
    Namespace(String),
}

struct Line {
    revision: Revision,
    uid: String,
    version: String,
}

/// Secrets, the newest last.
#[derive(Default)]
struct Kept {
    secrets: HashMap<(String, String), Arc<Secret>>,
    order: VecDeque<(String, String)>,
    bytes: usize,
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The revisions of a release, oldest first; `None` where the watch cannot tell.
    pub(super) fn revisions(&self, release: &ReleaseName) -> Option<Vec<Revision>> {
        let pages = self.pages();
        let told = match pages.complete.as_ref()? {
            Scope::Everywhere => true,
            Scope::Namespace(namespace) => *namespace == release.namespace,
        };
        let lines = || pages.releases.get(release).into_iter().flatten();
        told.then(|| lines().map(|(_, line)| line.revision.clone()).collect())
    }

    /// The watch has told of everything that there is, or cannot tell any more.
    pub(super) fn complete(&self, scope: Option<Scope>) {
        self.pages().complete = scope;
    }

    /// The Secrets that are known now, by their uids.
    pub(super) fn known(&self) -> HashSet<String> {
        let pages = self.pages();
        let lines = pages.releases.values().flat_map(BTreeMap::values);
        let known = lines.map(|line| &line.uid).chain(&pages.deleted);
        known.cloned().collect()
    }

    /// These Secrets are gone.
    pub(super) fn forget(&self, gone: &HashSet<String>) {
        let mut pages = self.pages();
        for lines in pages.releases.values_mut() {
            lines.retain(|_, line| !gone.contains(&line.uid));
        }
        pages.releases.retain(|_, lines| !lines.is_empty());
        pages.deleted.retain(|uid| !gone.contains(uid));
    }

    /// A Secret is as its metadata say. Answers its release, where that was not known.
    pub(super) fn stored(&self, metadata: &ObjectMeta) -> Option<ReleaseName> {
        let revision = revision(metadata)?;
        let release = release_of(metadata, &revision);
        let line = Line {
            revision,
            uid: metadata.uid.clone().unwrap_or_default(),
            version: metadata.resource_version.clone().unwrap_or_default(),
        };
        let mut pages = self.pages();
        if pages.deleted.contains(&line.uid) {
            return None;
        }
        let lines = pages.releases.entry(release.clone()).or_default();
        let number = line.revision.header.version;
        match lines.get(&number) {
            Some(known) if known.uid == line.uid && !is_later(&line.version, &known.version) => {
                None
            }
            _ => {
                lines.insert(number, line);
                Some(release)
            }
        }
    }

    /// The watch says that a Secret is gone. Answers its release, where that was not known.
    pub(super) fn gone(&self, metadata: &ObjectMeta) -> Option<ReleaseName> {
        let revision = revision(metadata)?;
        let release = release_of(metadata, &revision);
        let mut pages = self.pages();
        let uid = metadata.uid.as_deref().unwrap_or_default();
        pages.deleted.remove(uid);
        let lines = pages.releases.get_mut(&release)?;
        let number = revision.header.version;
        if lines.get(&number)?.uid != uid {
            return None;
        }
        lines.remove(&number);
        if lines.is_empty() {
            pages.releases.remove(&release);
        }
        Some(release)
    }

    /// We have deleted a revision.
    pub(super) fn deleted(&self, release: &ReleaseName, revision: i64) {
        let mut pages = self.pages();
        let Some(lines) = pages.releases.get_mut(release) else {
            return;
        };
        let line = lines.remove(&revision);
        if lines.is_empty() {
            pages.releases.remove(release);
        }
        pages.deleted.extend(line.map(|line| line.uid));
    }

    /// Keeps a Secret as it was just read or written.
    pub(super) fn keep(&self, mut secret: Secret) -> Arc<Secret> {
        secret.metadata.managed_fields = None;
        let secret = Arc::new(secret);
        self.stored(&secret.metadata);
        self.pages().kept.put(&secret);
        secret
    }

    /// The Secret of a revision, if it is known to be what is stored.
    pub(super) fn kept(
        &self,
        release: &ReleaseName,
        revision: i64,
        name: &str,
    ) -> Option<Arc<Secret>> {
        let pages = self.pages();
        pages.complete.as_ref()?;
        let line = pages.releases.get(release)?.get(&revision)?;
        let key = (release.namespace.clone(), name.to_owned());
        let secret = pages.kept.secrets.get(&key)?;
        let same = secret.metadata.resource_version.as_deref() == Some(&*line.version);
        same.then(|| Arc::clone(secret))
    }
}

impl Kept {
    fn put(&mut self, secret: &Arc<Secret>) {
        let metadata = &secret.metadata;
        let key = (
            metadata.namespace.clone().unwrap_or_default(),
            metadata.name.clone().unwrap_or_default(),
        );
        if let Some(old) = self.secrets.insert(key.clone(), Arc::clone(secret)) {
            self.bytes -= size(&old);
            self.order.retain(|known| *known != key);
        }
        self.bytes += size(secret);
        self.order.push_back(key);
        while self.bytes > KEPT_BYTES {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            let gone = self.secrets.remove(&oldest);
            self.bytes -= gone.as_deref().map_or(0, size);
        }
    }
}

fn size(secret: &Secret) -> usize {
    let data = secret.data.iter().flatten();
    data.map(|(_, value)| value.0.len()).sum()
}

fn release_of(metadata: &ObjectMeta, revision: &Revision) -> ReleaseName {
    ReleaseName {
        namespace: metadata.namespace.clone().unwrap_or_default(),
        name: revision.header.name.clone(),
    }
}

/// Whether one resource version of an object is later than another; true where that cannot be told.
// Kubernetes: KEP-5504, comparable resource versions.
fn is_later(one: &str, other: &str) -> bool {
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one > other,
        _ => one != other,
    }
}
