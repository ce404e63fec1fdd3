//! A cache that ends with the process: for a controller without a volume.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use super::{Archive, Digest, Kept, Led, ReferenceKey};

#[derive(Default)]
pub(super) struct Memory(Mutex<Held>);

#[derive(Default)]
struct Held {
    archives: HashMap<Digest, (Bytes, SystemTime)>,
    references: HashMap<ReferenceKey, (Led, SystemTime)>,
}

impl Memory {
    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read_archive(&self, digest: Digest) -> Option<Bytes> {
        let mut held = self.held();
        let (bytes, used) = held.archives.get_mut(&digest)?;
        *used = SystemTime::now();
        let bytes = bytes.clone();
        drop(held);
        // Memory fails, too.
        let sound = Digest::of(&bytes) == digest;
        if !sound {
            self.discard_archive(digest);
        }
        sound.then_some(bytes)
    }

    pub(super) fn read_reference(&self, key: &ReferenceKey) -> Option<Led> {
        let mut held = self.held();
        let (led, used) = held.references.get_mut(key)?;
        *used = SystemTime::now();
        Some(*led)
    }

    /// Keeps an archive; answers whether it was not there before.
    pub(super) fn keep_archive(&self, archive: &Archive) -> bool {
        let entry = (archive.bytes.clone(), SystemTime::now());
        self.held().archives.insert(archive.digest, entry).is_none()
    }

    pub(super) fn keep_reference(&self, key: &ReferenceKey, led: Led) {
        let entry = (led, SystemTime::now());
        self.held().references.insert(key.clone(), entry);
    }

    pub(super) fn archives(&self) -> Vec<Kept> {
        let held = self.held();
        let archives = held.archives.iter();
        archives
            .map(|(digest, (bytes, used))| Kept {
                digest: *digest,
                size: bytes.len() as u64,
                used: *used,
            })
            .collect()
    }

    pub(super) fn discard_archive(&self, digest: Digest) {
        self.held().archives.remove(&digest);
    }

    /// Leaves so many references, those that were used last.
    pub(super) fn bound_references(&self, most: usize) {
        let mut held = self.held();
        let Some(excess) = held.references.len().checked_sub(most) else {
            return;
        };
        let mut times: Vec<SystemTime> = held.references.values().map(|(_, used)| *used).collect();
        times.sort_unstable();
        if let Some(newest_of_excess) = excess.checked_sub(1).and_then(|last| times.get(last)) {
            held.references
                .retain(|_, (_, used)| *used > *newest_of_excess);
        }
    }
}
