//! Archives by digest, and which reference once led to which: all may be lost at any time.
//!
//! On disk (see `disk`) or in memory. What is read is verified. What nobody used for long is
//! removed, but never what a release's history was made of; the bound on bytes holds in any case,
//! and what no history needs goes first. Trouble is logged and is a miss: a chart that was fetched
//! is delivered even where it cannot be kept.

mod disk;
mod memory;

use std::collections::HashSet;
use std::io;
use std::iter::once;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use self::disk::Disk;
use self::memory::Memory;
use super::digest::Digest;
use super::{Archive, CachePlace, ChartRef, Checkout};

/// References kept; each takes some 200 bytes.
const REFERENCES: usize = 10_000;

pub(super) struct Cache {
    shared: Arc<Shelves>,
}

struct Shelves {
    key: [u8; 32],
    place: Place,
    max_bytes: u64,
    max_age: Duration,
    /// What releases' histories were made of.
    needed: Mutex<HashSet<Digest>>,
}

enum Place {
    Disk(Disk),
    Memory(Memory),
}

/// Names a reference together with the login it is asked with. Whoever knows a digest, or has a
/// server that names it, gets nothing from the cache: the same reference must have led to the same
/// bytes with the same login. Else one tenant's private chart could be had by another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct ReferenceKey(String);

/// What a reference led to.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Led {
    archive: Digest,
    manifest: Option<Digest>,
}

/// An archive that is here.
struct Kept {
    digest: Digest,
    size: u64,
    used: SystemTime,
}

impl Cache {
    /// Opens the cache, and removes what is too old or too much. Blocks.
    pub(super) fn open(place: &CachePlace, max_bytes: u64, max_age: Duration) -> io::Result<Self> {
        let (place, key) = match place {
            CachePlace::Folder(folder) => {
                let (disk, key) = Disk::open(folder)?;
                (Place::Disk(disk), key)
            }
            CachePlace::Memory => (Place::Memory(Memory::default()), rand::random()),
        };
        let shared = Shelves {
            key,
            place,
            max_bytes,
            max_age,
            needed: Mutex::default(),
        };
        // Which archives are needed is not known yet: nothing is too old.
        shared.bound(None)?;
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// The key of a reference and its login; digests do not take part.
    pub(super) fn key(&self, chart: &ChartRef) -> ReferenceKey {
        let repository = chart.repo.kind().parts();
        let mut parts: Vec<&[u8]> = repository.map(str::as_bytes).to_vec();
        parts.extend([chart.name.as_bytes(), chart.version.as_bytes()]);
        // Which of the parts these are shows in the repository's own.
        parts.extend(chart.checkout.iter().flat_map(Checkout::parts));
        parts.push(if chart.insecure { b"insecure" } else { b"" });
        parts.push(if chart.pass_credentials { b"pass" } else { b"" });
        parts.extend(
            chart
                .tls
                .as_ref()
                .map(|tls| tls.parts())
                .unwrap_or_default(),
        );
        parts.extend(chart.route.parts());
        let credentials = chart.credentials.as_ref();
        parts.extend(
            credentials
                .map(|c| c.parts())
                .unwrap_or_default()
                .into_iter()
                .map(str::as_bytes),
        );
        let key = once(self.shared.key.as_slice());
        ReferenceKey(Digest::of_parts(key.chain(parts)).hex())
    }

    /// What this reference led to, if that is still here.
    pub(super) async fn recall(&self, key: &ReferenceKey) -> Option<Archive> {
        let key = key.clone();
        self.blocking(move |shared| {
            let led = shared.read_reference(&key)?;
            let bytes = shared.read_archive(led.archive)?;
            Some(Archive {
                bytes,
                digest: led.archive,
                manifest: led.manifest,
            })
        })
        .await
        .flatten()
    }

    /// Keeps an archive and what led to it.
    pub(super) async fn keep(&self, key: &ReferenceKey, archive: &Archive) {
        let (key, archive) = (key.clone(), archive.clone());
        let kept = self.blocking(move |shared| shared.keep(&key, &archive));
        if let Some(Err(error)) = kept.await {
            tracing::warn!(%error, "a chart cannot be kept in the cache");
        }
    }

    /// Removes what is not among these and was not used for long.
    pub(super) async fn tidy(&self, needed: HashSet<Digest>) {
        let tidied = self.blocking(move |shared| {
            *shared.needed.lock().unwrap_or_else(PoisonError::into_inner) = needed;
            shared.bound(None)?;
            shared.expire()
        });
        if let Some(Err(error)) = tidied.await {
            tracing::warn!(%error, "the chart cache cannot be tidied");
        }
    }

    /// None if the task was cancelled by a shutdown.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shelves) -> T + Send + 'static,
    ) -> Option<T> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || work(&shared))
            .await
            .ok()
    }
}

impl Shelves {
    fn read_reference(&self, key: &ReferenceKey) -> Option<Led> {
        match &self.place {
            Place::Disk(disk) => disk.read_reference(key),
            Place::Memory(memory) => memory.read_reference(key),
        }
    }

    fn read_archive(&self, digest: Digest) -> Option<Bytes> {
        match &self.place {
            Place::Disk(disk) => disk.read_archive(digest),
            Place::Memory(memory) => memory.read_archive(digest),
        }
    }

    fn keep(&self, key: &ReferenceKey, archive: &Archive) -> io::Result<()> {
        if archive.bytes.len() as u64 > self.max_bytes {
            return Ok(());
        }
        let led = Led {
            archive: archive.digest,
            manifest: archive.manifest,
        };
        let new = match &self.place {
            Place::Disk(disk) => {
                let new = disk.keep_archive(archive)?;
                disk.keep_reference(key, led)?;
                new
            }
            Place::Memory(memory) => {
                memory.keep_reference(key, led);
                memory.keep_archive(archive)
            }
        };
        match new {
            true => self.bound(Some(archive.digest)),
            false => Ok(()),
        }
    }

    fn archives(&self) -> io::Result<Vec<Kept>> {
        match &self.place {
            Place::Disk(disk) => disk.archives(),
            Place::Memory(memory) => Ok(memory.archives()),
        }
    }

    fn discard(&self, digest: Digest) {
        match &self.place {
            Place::Disk(disk) => disk.discard_archive(digest),
            Place::Memory(memory) => memory.discard_archive(digest),
        }
    }

    /// Removes what no history needs, then what was used longest ago, and never `newest`, until the
    /// bounds hold.
    fn bound(&self, newest: Option<Digest>) -> io::Result<()> {
        let needed = self.needed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut archives = self.archives()?;
        archives.sort_by_key(|kept| {
            let (is_newest, is_needed) =
                (Some(kept.digest) == newest, needed.contains(&kept.digest));
            (!is_newest, !is_needed, std::cmp::Reverse(kept.used))
        });
        let mut total = 0;
        for kept in archives {
            total += kept.size;
            if total > self.max_bytes {
                self.discard(kept.digest);
            }
        }
        match &self.place {
            Place::Disk(disk) => disk.bound_references(REFERENCES),
            Place::Memory(memory) => {
                memory.bound_references(REFERENCES);
                Ok(())
            }
        }
    }

    /// Removes what no history needs and nobody has used for long.
    fn expire(&self) -> io::Result<()> {
        let needed = self.needed.lock().unwrap_or_else(PoisonError::into_inner);
        let old = |kept: &Kept| kept.used.elapsed().is_ok_and(|age| age > self.max_age);
        for kept in self.archives()? {
            if old(&kept) && !needed.contains(&kept.digest) {
                self.discard(kept.digest);
            }
        }
        Ok(())
    }
}
