//! Packs out of a description: files, links, folders, deltas and a commit of the last folder, with
//! a sum that is right, and what is wrong with them on purpose.

use std::io::Write as _;

use arbitrary::{Result, Unstructured};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use gix_hash::{Kind, ObjectId};
use gix_object::Kind as Object;

/// A pack, and the commit that it is asked for.
pub struct Sent {
    /// Its bytes, with their sum.
    pub pack: Vec<u8>,
    /// What may be a commit in it.
    pub commit: ObjectId,
}

const NAMES: &[&str] = &[
    "Chart.yaml",
    "values.yaml",
    ".helmignore",
    "templates",
    "charts",
    "a",
    "b",
    "c.tgz",
    "..",
    ".",
    "a/b",
    "a\\b",
    "",
    "\u{e9}",
];
const TEXTS: &[&str] = &[
    "apiVersion: v2\nname: a\nversion: 1.0.0\n",
    "*.tgz\n",
    "!a\n",
    "a/\n",
    "a",
    "..",
    "../a",
    "./b/",
    "templates/../a",
    "/a",
    "a/b",
    "Chart.yaml",
    "",
];
const MODES: &[&str] = &[
    "100644", "100755", "40000", "120000", "160000", "100664", "7", "x",
];

/// A pack of what the bytes describe.
pub fn arbitrary(u: &mut Unstructured<'_>) -> Result<Sent> {
    let mut entries = Entries::default();
    for _ in 0..u.int_in_range(0..=24)? {
        match u.int_in_range(0..=9)? {
            0..=3 => {
                let text = match u.ratio(1, 8)? {
                    true => <&[u8]>::arbitrary_of(u)?,
                    false => u.choose(TEXTS)?.as_bytes(),
                };
                entries.add(u, Object::Blob, text.to_vec())?;
            }
            4..=6 => {
                let tree = entries.tree(u)?;
                entries.add(u, Object::Tree, tree)?;
            }
            7 | 8 => entries.delta(u)?,
            _ => {
                let text = entries.commit(u)?;
                entries.add(u, Object::Commit, text)?;
            }
        }
    }
    let tree = entries.tree(u)?;
    let tree = entries.add(u, Object::Tree, tree)?;
    let text = format!(
        "tree {tree}\nauthor a <a@b> 1600000000 +0000\ncommitter a <a@b> 1600000000 +0000\n\nall\n"
    );
    let commit = entries.add(u, Object::Commit, text.into_bytes())?;
    Ok(Sent {
        pack: entries.pack(u)?,
        commit,
    })
}

trait Bytes<'a>: Sized {
    fn arbitrary_of(u: &mut Unstructured<'a>) -> Result<Self>;
}

impl<'a> Bytes<'a> for &'a [u8] {
    fn arbitrary_of(u: &mut Unstructured<'a>) -> Result<Self> {
        let length = u.arbitrary_len::<u8>()?.min(200);
        u.bytes(length)
    }
}

#[derive(Default)]
struct Entries {
    bytes: Vec<u8>,
    count: u32,
    /// Where each begins, what it is, and what it holds.
    known: Vec<(usize, Object, ObjectId, Vec<u8>)>,
}

impl Entries {
    fn add(&mut self, u: &mut Unstructured<'_>, kind: Object, data: Vec<u8>) -> Result<ObjectId> {
        let number = match kind {
            Object::Commit => 1,
            Object::Tree => 2,
            Object::Blob => 3,
            Object::Tag => 4,
        };
        let at = self.bytes.len();
        self.entry(u, number, data.len(), &[], &data)?;
        let id = gix_object::compute_hash(Kind::Sha1, kind, &data).expect("no collision");
        self.known.push((at, kind, id, data));
        Ok(id)
    }

    /// A header, what stands before the compressed bytes, and these.
    fn entry(
        &mut self,
        u: &mut Unstructured<'_>,
        kind: u8,
        size: usize,
        base: &[u8],
        data: &[u8],
    ) -> Result<()> {
        // Now and then it lies about its size.
        let mut size = match u.ratio(1, 64)? {
            true => u.arbitrary::<u32>()? as usize,
            false => size,
        };
        let mut byte = kind << 4 | (size & 15) as u8;
        size >>= 4;
        while size > 0 {
            self.bytes.push(byte | 0x80);
            byte = (size & 0x7f) as u8;
            size >>= 7;
        }
        self.bytes.push(byte);
        self.bytes.extend_from_slice(base);
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(data).expect("memory takes it");
        self.bytes.extend(packed.finish().expect("memory takes it"));
        self.count += 1;
        Ok(())
    }

    fn delta(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let Some((at, kind, id, base)) = self
            .known
            .get(u.choose_index(self.known.len().max(1))?)
            .cloned()
        else {
            return Ok(());
        };
        let added = <&[u8]>::arbitrary_of(u)?;
        let copied = base.len().min(u.arbitrary::<u8>()?.into());
        let mut result = base[..copied].to_vec();
        let mut data = vec![];
        for size in [base.len(), copied + added.len()] {
            let mut size = size;
            while size > 0x7f {
                data.push((size & 0x7f) as u8 | 0x80);
                size >>= 7;
            }
            data.push(size as u8);
        }
        if copied > 0 {
            data.extend([0x90, copied as u8]);
        }
        for piece in added.chunks(0x7f) {
            data.push(piece.len() as u8);
            data.extend_from_slice(piece);
        }
        result.extend_from_slice(added);
        if u.ratio(1, 16)? {
            data = <&[u8]>::arbitrary_of(u)?.to_vec();
        }
        let start = self.bytes.len();
        if u.ratio(1, 3)? {
            self.entry(u, 7, data.len(), id.as_slice(), &data)?;
        } else {
            let mut distance = start - at;
            let mut bytes = vec![(distance & 0x7f) as u8];
            while distance > 0x7f {
                distance = (distance >> 7) - 1;
                bytes.push((distance & 0x7f) as u8 | 0x80);
            }
            bytes.reverse();
            if u.ratio(1, 32)? {
                bytes = vec![u.arbitrary::<u8>()? & 0x7f];
            }
            self.entry(u, 6, data.len(), &bytes, &data)?;
        }
        let id = gix_object::compute_hash(Kind::Sha1, kind, &result).expect("no collision");
        self.known.push((start, kind, id, result));
        Ok(())
    }

    fn tree(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let mut tree = Vec::new();
        for _ in 0..u.int_in_range(0..=5)? {
            let name = u.choose(NAMES)?;
            let known = self.known.get(u.choose_index(self.known.len().max(1))?);
            let id = known.map_or(ObjectId::null(Kind::Sha1), |known| known.2);
            let mode = match known.map(|known| known.1) {
                Some(Object::Blob) if u.ratio(1, 2)? => "100644",
                Some(Object::Tree) if u.ratio(7, 8)? => "40000",
                _ => u.choose(MODES)?,
            };
            tree.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            tree.extend_from_slice(id.as_slice());
        }
        Ok(tree)
    }

    fn commit(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let known = self.known.get(u.choose_index(self.known.len().max(1))?);
        let id = known.map_or(ObjectId::null(Kind::Sha1), |known| known.2);
        let mut text = format!("tree {id}\n").into_bytes();
        text.extend_from_slice(<&[u8]>::arbitrary_of(u)?);
        Ok(text)
    }

    fn pack(self, u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let mut pack = b"PACK\0\0\0\x02".to_vec();
        let count = match u.ratio(1, 64)? {
            true => u.arbitrary()?,
            false => self.count,
        };
        pack.extend(count.to_be_bytes());
        pack.extend(self.bytes);
        while u.int_in_range(0..=15)? == 15 {
            let at = u.choose_index(pack.len())?;
            pack[at] = u.arbitrary()?;
        }
        Ok(summed(pack))
    }
}

/// The bytes, with their sum behind them.
pub fn summed(mut pack: Vec<u8>) -> Vec<u8> {
    let mut sum = gix_hash::hasher(Kind::Sha1);
    sum.update(&pack);
    pack.extend_from_slice(sum.try_finalize().expect("no collision").as_slice());
    pack
}
