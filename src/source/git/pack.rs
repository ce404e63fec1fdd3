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

/// Objects that a commit may have: two thirds of them are files in most repositories.
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

/// Objects by their ids.
pub struct Objects {
    kind: Kind,
    deadline: Instant,
    packs: Vec<Pack>,
    places: HashMap<ObjectId, Found>,
    total: u64,
}

struct Pack {
    file: data::File<Vec<u8>>,
    kept: Kept,
}

#[derive(Clone, Copy)]
struct Found {
    pack: usize,
    offset: Offset,
    kind: object::Kind,
}

/// What is known of the entries of one pack.
#[derive(Default)]
struct Seen {
    depths: HashMap<Offset, u16>,
    ids: HashMap<ObjectId, Offset>,
    kept: Kept,
}

impl Objects {
    /// No objects, whose ids are of this kind, and which are read until then.
    pub fn new(kind: Kind, deadline: Instant) -> Self {
        Self {
            kind,
            deadline,
            packs: Vec::new(),
            places: HashMap::new(),
            total: 0,
        }
    }

    /// The kind of the ids.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Adds those of a pack.
    pub fn add(&mut self, pack: Vec<u8>) -> Result<(), String> {
        self.check_sum(&pack)?;
        let pack = data::File::from_data(pack, Default::default(), self.kind)
            .map_err(|error| error.to_string())?
            .with_alloc_limit_bytes(Some(MAX_OBJECT));
        if pack.num_objects() > MAX_OBJECTS {
            return Err(format!("it holds more than {MAX_OBJECTS} objects"));
        }
        let (mut at, mut seen) = (HEADER, Seen::default());
        let mut bytes = Vec::new();
        for _ in 0..pack.num_objects() {
            self.check_time()?;
            let entry = pack.entry(at).map_err(|error| error.to_string())?;
            let depth = seen.depth(&entry)?;
            let data_offset = entry.data_offset;
            let resolve = |id: &oid, _: &mut Vec<u8>| {
                let base = seen.ids.get(id).map(|at| pack.entry(*at)).transpose()?;
                Ok(base.map(ResolvedBase::InPack))
            };
            let mut kept = std::mem::take(&mut seen.kept);
            let outcome = pack
                .decode_entry(
                    entry,
                    &mut bytes,
                    &mut Default::default(),
                    &resolve,
                    &mut kept,
                )
                .map_err(|error| error.to_string())?;
            seen.kept = kept;
            self.total += outcome.object_size;
            if self.total > MAX_TOTAL {
                return Err(format!("its objects have more than {MAX_TOTAL} bytes"));
            }
            // With the detection of collisions that git itself has.
            let id = object::compute_hash(self.kind, outcome.kind, &bytes)
                .map_err(|error| error.to_string())?;
            let found = Found {
                pack: self.packs.len(),
                offset: at,
                kind: outcome.kind,
            };
            self.places.entry(id).or_insert(found);
            seen.ids.insert(id, at);
            seen.depths.insert(at, depth);
            at = data_offset + outcome.compressed_size as u64;
        }
        if at != pack.pack_end() as u64 {
            return Err("it holds something else than its objects".to_owned());
        }
        let kept = seen.kept;
        self.packs.push(Pack { file: pack, kept });
        Ok(())
    }

    fn check_time(&self) -> Result<(), String> {
        match Instant::now() > self.deadline {
            true => Err("reading it takes too long".to_owned()),
            false => Ok(()),
        }
    }

    /// `Err` unless the pack ends with the sum of all before.
    fn check_sum(&self, pack: &[u8]) -> Result<(), String> {
        let length = self.kind.len_in_bytes();
        let split = pack.len().checked_sub(length).map(|at| pack.split_at(at));
        let Some((body, sum)) = split.filter(|(body, _)| body.len() as u64 >= HEADER) else {
            return Err("it is too short".to_owned());
        };
        let mut hasher = gix_hash::hasher(self.kind);
        hasher.update(body);
        let found = hasher.try_finalize().map_err(|error| error.to_string())?;
        match found.as_slice() == sum {
            true => Ok(()),
            false => Err("its bytes are not those that were sent".to_owned()),
        }
    }

    /// Whether there is an object with this id.
    pub fn has(&self, id: &oid) -> bool {
        self.places.contains_key(id)
    }

    /// What the object with this id is, where there is one.
    pub fn kind_of(&self, id: &oid) -> Option<object::Kind> {
        self.places.get(id).map(|found| found.kind)
    }

    /// An object's bytes, where there is one with this id and of this kind.
    pub fn get(&mut self, id: &oid, kind: object::Kind) -> Result<Vec<u8>, String> {
        self.check_time()?;
        let found = self.places.get(id).filter(|found| found.kind == kind);
        let found = *found.ok_or_else(|| format!("it lacks the {kind} {id}"))?;
        let Pack { file, kept } = &mut self.packs[found.pack];
        let resolve = |id: &oid, _: &mut Vec<u8>| {
            let base = self.places.get(id).filter(|base| base.pack == found.pack);
            let base = base.map(|base| file.entry(base.offset)).transpose()?;
            Ok(base.map(ResolvedBase::InPack))
        };
        let mut bytes = Vec::new();
        let decoded = file.entry(found.offset).and_then(|entry| {
            let inflate = &mut Default::default();
            file.decode_entry(entry, &mut bytes, inflate, &resolve, kept)
        });
        decoded.map_err(|error| error.to_string())?;
        Ok(bytes)
    }
}

impl Seen {
    /// How many deltas stand below an entry. What it is made of comes before it.
    // git: builtin/pack-objects.c write_one
    fn depth(&self, entry: &data::Entry) -> Result<u16, String> {
        let base = match entry.header {
            Header::OfsDelta { base_distance } => entry.checked_base_pack_offset(base_distance),
            Header::RefDelta { base_id } => self.ids.get(&base_id).copied(),
            _ => return Ok(0),
        };
        let below = base.and_then(|base| self.depths.get(&base));
        match below {
            None => Err("it holds a delta of what is not there".to_owned()),
            Some(depth) if *depth >= MAX_DEPTH => {
                Err(format!("it holds more than {MAX_DEPTH} deltas on deltas"))
            }
            Some(depth) => Ok(depth + 1),
        }
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
