//! What storage holds of one release, as one action leaves it.
//!
//! In: the revisions that were listed, the records that were read, every write of the action. Out:
//! the revisions as they are then, without another request. Never: a write that has not taken
//! place; where one fails, what is here says no more than before.

use super::error::Error;
use super::secrets::{Revision, Storage};
use crate::plan::ReleaseName;
use crate::release::{self, Header, History, Packed, Record};

/// The revisions of one release, in one action's hands.
pub struct Shelf {
    storage: Storage,
    release: ReleaseName,
    /// Oldest first.
    revisions: Vec<Revision>,
    records: Vec<Laid>,
}

/// A record, and what of it is packed away.
struct Laid {
    record: Record,
    packed: Option<Packed>,
}

impl Shelf {
    /// With what was listed.
    pub fn new(storage: Storage, release: ReleaseName, revisions: Vec<Revision>) -> Self {
        Self {
            storage,
            release,
            revisions,
            records: Vec::new(),
        }
    }

    /// Lays down records that were read, for [`Self::take`].
    pub fn lay_down(&mut self, records: Vec<Record>) {
        let records = records.into_iter();
        self.records.extend(records.map(|record| Laid {
            record,
            packed: None,
        }));
    }

    /// Packs the records away until they are taken, and with them the one in hand until
    /// [`Self::unpack`]: nobody asks for them for a while.
    ///
    /// # Errors
    /// [`Error::Codec`].
    pub fn pack(&mut self, in_hand: &mut Record) -> Result<Packed, Error> {
        for laid in self.records.iter_mut().filter(|laid| laid.packed.is_none()) {
            let packed = laid.record.pack();
            laid.packed = Some(packed.map_err(|source| unreadable(&laid.record, source))?);
        }
        in_hand.pack().map_err(|source| unreadable(in_hand, source))
    }

    /// Makes the record in hand whole again.
    ///
    /// # Errors
    /// [`Error::Codec`].
    pub fn unpack(&self, in_hand: &mut Record, packed: Packed) -> Result<(), Error> {
        let unpacked = in_hand.unpack(packed);
        unpacked.map_err(|source| unreadable(in_hand, source))
    }

    /// The revisions as storage holds them now, oldest first.
    pub fn into_revisions(self) -> Vec<Revision> {
        self.revisions
    }

    /// The revisions, by their labels.
    pub fn history(&self) -> History {
        let headers = self.revisions.iter();
        let headers: Vec<Header> = headers.map(|revision| revision.header.clone()).collect();
        History::new(headers)
    }

    /// A revision's record: one that was laid down, or what storage holds. Where somebody else has
    /// written it since, writing it over fails.
    ///
    /// # Errors
    /// As [`Storage::get`].
    pub async fn take(&mut self, revision: i64) -> Result<Record, Error> {
        let mut records = self.records.iter();
        match records.position(|laid| laid.record.version == revision) {
            Some(at) => {
                let mut laid = self.records.swap_remove(at);
                if let Some(packed) = laid.packed {
                    self.unpack(&mut laid.record, packed)?;
                }
                Ok(laid.record)
            }
            None => self.storage.get(&self.release, revision).await,
        }
    }

    /// Stores a new revision.
    ///
    /// # Errors
    /// As [`Storage::create`].
    pub async fn create(&mut self, record: &mut Record, now: i64) -> Result<(), Error> {
        let revision = self.storage.create(record, now).await?;
        self.put(revision);
        Ok(())
    }

    /// Writes a revision over.
    ///
    /// # Errors
    /// As [`Storage::update`].
    pub async fn update(&mut self, record: &mut Record, now: i64) -> Result<(), Error> {
        let revision = self.storage.update(record, now).await?;
        self.put(revision);
        Ok(())
    }

    /// Deletes a revision.
    ///
    /// # Errors
    /// As [`Storage::delete`].
    pub async fn delete(&mut self, revision: i64) -> Result<(), Error> {
        self.storage.delete(&self.release, revision).await?;
        self.revisions
            .retain(|known| known.header.version != revision);
        Ok(())
    }

    /// Deletes all revisions, those too that somebody has added meanwhile.
    ///
    /// # Errors
    /// As [`Storage::revisions`] and [`Storage::delete`].
    pub async fn clear(&mut self) -> Result<(), Error> {
        self.revisions = self.storage.revisions(&self.release).await?;
        while let Some(oldest) = self.revisions.first() {
            self.delete(oldest.header.version).await?;
        }
        Ok(())
    }

    fn put(&mut self, revision: Revision) {
        let version = revision.header.version;
        let at = self
            .revisions
            .partition_point(|known| known.header.version < version);
        match self.revisions.get_mut(at) {
            Some(known) if known.header.version == version => *known = revision,
            _ => self.revisions.insert(at, revision),
        }
    }
}

fn unreadable(record: &Record, source: release::Error) -> Error {
    Error::Codec {
        secret: release::secret_name(&record.name, record.version),
        source,
    }
}
