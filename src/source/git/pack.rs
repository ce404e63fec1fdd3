//! The objects of packs, by the ids that their bytes have.
//!
//! In: the bytes of a pack. Out: objects. Never: an object under an id that it does not have; more
//! objects, larger ones or longer chains of deltas than the bounds, or more time than until the
//! deadline.

use std::collections::HashMap;
use std::time::Instant;

use gix_hash::{Kind, ObjectId, oid};
use gix_object as object;
use gix_pack::cache::DecodeEntry;
use gix_pack::data::decode::entry::ResolvedBase;
use gix_pack::data::entry::Header;
use gix_pack::data::{self, Offset};

/// Objects that a pack may hold.
const MAX_OBJECTS: u32 = 200_000;
/// Bytes that one object may take, with those that it is made of.
const MAX_OBJECT: usize = 64 << 20;
/// Bytes that all objects may have.
const MAX_TOTAL: u64 = 512 << 20;
/// Deltas on deltas.
// git: builtin/pack-objects.c, the longest chain that it makes
const MAX_DEPTH: u16 = 4095;
/// Bytes of objects that are kept, because others are made of them.
const KEPT: usize = 16 << 20;

/// Where the entries of a pack begin.
const HEADER: u64 = 12;

/// Why there are no objects.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is not what was asked for, or not all of it.
    Broken(String),
    /// It is more than is read.
    Bound(String),
}

fn broken(reason: impl ToString) -> Fault {
    Fault::Broken(reason.to_string())
}

fn bound(reason: String) -> Result<(), Fault> {
    Err(Fault::Bound(reason))
}

/// Objects by their ids.
pub struct Objects {
    kind: Kind,
    deadline: Instant,
    packs: Vec<Pack>,
    total: u64,
}

struct Pack {
    file: data::File<Vec<u8>>,
    ids: HashMap<ObjectId, Place>,
    kept: Kept,
}

#[derive(Clone, Copy)]
struct Place {
    offset: Offset,
    kind: object::Kind,
}

impl Objects {
    /// No objects, whose ids are of this kind, and which are read until then.
    pub fn new(kind: Kind, deadline: Instant) -> Self {
        Self {
            kind,
            deadline,
            packs: Vec::new(),
            total: 0,
        }
    }

    /// They are read until then, and not longer.
    pub fn give(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// The kind of the ids.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Adds those of a pack.
    pub fn add(&mut self, pack: Vec<u8>) -> Result<(), Fault> {
        self.check_sum(&pack)?;
        let file = data::File::from_data(pack, Default::default(), self.kind)
            .map_err(broken)?
            .with_alloc_limit_bytes(Some(MAX_OBJECT));
        if file.num_objects() > MAX_OBJECTS {
            bound(format!("it has more than {MAX_OBJECTS} objects"))?;
        }
        let mut pack = Pack {
            file,
            ids: HashMap::new(),
            kept: Kept::default(),
        };
        let (mut at, mut depths, mut bytes) = (HEADER, HashMap::new(), Vec::new());
        for _ in 0..pack.file.num_objects() {
            self.check_time()?;
            let entry = pack.file.entry(at).map_err(broken)?;
            if entry.decompressed_size > MAX_OBJECT as u64 {
                bound(format!("it has an object of more than {MAX_OBJECT} bytes"))?;
            }
            let depth = pack.depth(&entry, &depths)?;
            let data_offset = entry.data_offset;
            let outcome = pack.decode(entry, &mut bytes)?;
            self.total += outcome.object_size;
            if self.total > MAX_TOTAL {
                bound(format!("its objects have more than {MAX_TOTAL} bytes"))?;
            }
            // With the detection of collisions that git itself has.
            let id = object::compute_hash(self.kind, outcome.kind, &bytes).map_err(broken)?;
            let place = Place {
                offset: at,
                kind: outcome.kind,
            };
            pack.ids.entry(id).or_insert(place);
            depths.insert(at, depth);
            at = data_offset + outcome.compressed_size as u64;
        }
        if at != pack.file.pack_end() as u64 {
            return Err(broken("it holds something else than its objects"));
        }
        self.packs.push(pack);
        Ok(())
    }

    fn check_time(&self) -> Result<(), Fault> {
        match Instant::now() > self.deadline {
            true => Err(broken("reading it takes too long")),
            false => Ok(()),
        }
    }

    /// `Err` unless the pack ends with the sum of all before.
    fn check_sum(&self, pack: &[u8]) -> Result<(), Fault> {
        let length = self.kind.len_in_bytes();
        let split = pack.len().checked_sub(length).map(|at| pack.split_at(at));
        let Some((body, sum)) = split.filter(|(body, _)| body.len() as u64 >= HEADER) else {
            return Err(broken("it is too short"));
        };
        let mut hasher = gix_hash::hasher(self.kind);
        hasher.update(body);
        let found = hasher.try_finalize().map_err(broken)?;
        match found.as_slice() == sum {
            true => Ok(()),
            false => Err(broken("its bytes are not those that were sent")),
        }
    }

    /// What the object with this id is, where there is one.
    pub fn kind_of(&self, id: &oid) -> Option<object::Kind> {
        let mut packs = self.packs.iter();
        packs.find_map(|pack| pack.ids.get(id).map(|place| place.kind))
    }

    /// An object's bytes, where there is one with this id and of this kind.
    pub fn get(&mut self, id: &oid, kind: object::Kind) -> Result<Vec<u8>, Fault> {
        self.check_time()?;
        for pack in &mut self.packs {
            let place = pack.ids.get(id).filter(|place| place.kind == kind);
            let Some(place) = place.copied() else {
                continue;
            };
            let mut bytes = Vec::new();
            let entry = pack.file.entry(place.offset).map_err(broken)?;
            pack.decode(entry, &mut bytes)?;
            return Ok(bytes);
        }
        Err(broken(format!("it lacks the {kind} {id}")))
    }
}

impl Pack {
    fn decode(
        &mut self,
        entry: data::Entry,
        bytes: &mut Vec<u8>,
    ) -> Result<data::decode::entry::Outcome, Fault> {
        let Self { file, ids, kept } = self;
        let resolve = |id: &oid, _: &mut Vec<u8>| {
            let base = ids.get(id).map(|base| file.entry(base.offset));
            Ok(base.transpose()?.map(ResolvedBase::InPack))
        };
        file.decode_entry(entry, bytes, &mut Default::default(), &resolve, kept)
            .map_err(broken)
    }

    /// How many deltas stand below an entry. What it is made of comes before it.
    // git: builtin/pack-objects.c write_one
    fn depth(&self, entry: &data::Entry, depths: &HashMap<Offset, u16>) -> Result<u16, Fault> {
        let base = match entry.header {
            Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance),
            Header::RefDelta { base_id } => self.ids.get(&base_id).map(|base| base.offset),
            _ => return Ok(0),
        };
        let below = base.and_then(|base| depths.get(&base));
        let below = below.ok_or_else(|| broken("it holds a delta of what is not there"))?;
        if *below >= MAX_DEPTH {
            bound(format!("it has more than {MAX_DEPTH} deltas on deltas"))?;
        }
        Ok(below + 1)
    }
}

/// The objects that were made last.
#[derive(Default)]
struct Kept {
    objects: HashMap<Offset, (object::Kind, usize, Vec<u8>)>,
    bytes: usize,
}

impl DecodeEntry for Kept {
    fn put(&mut self, _: u32, at: Offset, data: &[u8], kind: object::Kind, packed: usize) {
        if data.len() > KEPT {
            return;
        }
        if self.bytes + data.len() > KEPT {
            *self = Self::default();
        }
        self.bytes += data.len();
        self.objects.insert(at, (kind, packed, data.to_vec()));
    }

    fn get(&mut self, _: u32, at: Offset, out: &mut Vec<u8>) -> Option<(object::Kind, usize)> {
        let (kind, packed, data) = self.objects.get(&at)?;
        out.clear();
        out.extend_from_slice(data);
        Some((*kind, *packed))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write as _;
    use std::time::Duration;

    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::*;

    const BLOB: u8 = 3;
    const OFS_DELTA: u8 = 6;

    /// An entry with a size below 16, and what stands before its compressed bytes.
    fn entry(kind: u8, base: &[u8], data: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind << 4 | data.len() as u8];
        bytes.extend_from_slice(base);
        let mut packed = ZlibEncoder::new(bytes, Compression::fast());
        packed.write_all(data).unwrap();
        packed.finish().unwrap()
    }

    fn pack(count: u32, entries: &[u8]) -> Vec<u8> {
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        pack.extend(count.to_be_bytes());
        pack.extend_from_slice(entries);
        let mut sum = gix_hash::hasher(Kind::Sha1);
        sum.update(&pack);
        pack.extend_from_slice(sum.try_finalize().unwrap().as_slice());
        pack
    }

    fn read(pack: Vec<u8>) -> Result<Objects, Fault> {
        let mut objects = Objects::new(Kind::Sha1, Instant::now() + Duration::from_secs(60));
        objects.add(pack).map(|()| objects)
    }

    fn reason(pack: Vec<u8>) -> String {
        match read(pack).err().unwrap() {
            Fault::Broken(reason) => format!("broken: {reason}"),
            Fault::Bound(reason) => format!("bound: {reason}"),
        }
    }

    #[test]
    fn what_is_no_pack_is_refused() {
        let blob = entry(BLOB, &[], b"hello");
        for (pack, expected) in [
            (
                pack(MAX_OBJECTS + 1, &[]),
                "bound: it has more than 200000 objects",
            ),
            (
                pack(1, b"\xbf\xff\xff\xff\xff\x7f"),
                "bound: it has an object of more than",
            ),
            (
                pack(1, &[&blob[..], b"more"].concat()),
                "broken: it holds something else",
            ),
            (pack(2, &blob), "broken: "),
            (pack(1, &blob[..blob.len() - 6]), "broken: "),
            (
                pack(1, &entry(OFS_DELTA, &[4], b"\x05\x05")),
                "broken: it holds a delta of",
            ),
            (b"PACK".to_vec(), "broken: it is too short"),
            (pack(0, &[])[..12].to_vec(), "broken: it is too short"),
        ] {
            let found = reason(pack);
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn chains_of_deltas_end() {
        // Each says: five bytes make five bytes, all copied.
        let same = b"\x05\x05\x90\x05";
        let mut entries = entry(BLOB, &[], b"hello");
        let mut distance = entries.len() as u8;
        for _ in 0..MAX_DEPTH {
            let delta = entry(OFS_DELTA, &[distance], same);
            distance = delta.len() as u8;
            entries.extend(delta);
        }
        let count = u32::from(MAX_DEPTH) + 1;
        let mut objects = read(pack(count, &entries)).unwrap();
        // git: `printf hello | git hash-object --stdin`
        let id = ObjectId::from_hex(b"b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0").unwrap();
        assert_eq!(objects.get(&id, object::Kind::Blob).unwrap(), b"hello");
        assert!(objects.get(&id, object::Kind::Tree).is_err());
        entries.extend(entry(OFS_DELTA, &[distance], same));
        let found = reason(pack(count + 1, &entries));
        assert!(
            found.starts_with("bound: it has more than 4095 deltas"),
            "{found}"
        );
    }
}
