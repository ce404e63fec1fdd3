//! Archives out of a description: tar headers with their sums, gzip around them, and what is wrong
//! with them on purpose.

use std::io::Write as _;

use arbitrary::{Arbitrary, Result, Unstructured};
use flate2::Compression;
use flate2::write::GzEncoder;

/// One header and what follows it.
#[derive(Debug)]
pub struct Entry<'a> {
    name: Name<'a>,
    kind: Type,
    body: Body<'a>,
    /// Bytes of the header that are something else than they should be, before it is summed up.
    edits: Edits,
    /// Whether the sum is right.
    is_sound: bool,
}

#[derive(Debug)]
struct Name<'a>(std::borrow::Cow<'a, [u8]>);

#[derive(Debug)]
struct Type(u8);

#[derive(Debug)]
struct Edits(Vec<(usize, u8)>);

#[derive(Debug)]
enum Body<'a> {
    Bytes(&'a [u8]),
    Known(&'static str),
    /// So many zeros: they cost nothing to pack.
    Zeros(usize),
    /// `25 path=a/b` and the like.
    Extension(Vec<u8>),
    Archive(Vec<Entry<'a>>),
}

impl<'a> Arbitrary<'a> for Entry<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            name: u.arbitrary()?,
            kind: u.arbitrary()?,
            body: u.arbitrary()?,
            edits: u.arbitrary()?,
            is_sound: u.ratio(30, 31)?,
        })
    }
}

const NAMES: &[&str] = &[
    "a/Chart.yaml",
    "a/values.yaml",
    "a/values.schema.json",
    "a/Chart.lock",
    "a/requirements.yaml",
    "a/requirements.lock",
    "a/templates/t.yaml",
    "a/templates/NOTES.txt",
    "a/crds/c.yaml",
    "a/.helmignore",
    "a/charts/b/Chart.yaml",
    "a/charts/b/values.yaml",
    "a/charts/b.tgz",
    "a/charts/b/charts/c-1.0.0.tgz",
    "a/charts/_b/x",
    "a/../x",
    "a/./b//c",
    "a\\b\\..\\x",
    "a/c:/x",
    "/a/b",
    "a",
    "a/",
    "a/..",
    "",
];

const KNOWN: &[&str] = &[
    "apiVersion: v2\nname: a\nversion: 1.0.0\n",
    "apiVersion: v1\nname: b\nversion: 0.1.0\n",
    "apiVersion: v2\nname: a\nversion: 1.0.0\ndependencies: [{name: b, version: '*', alias: x}]\n",
    "a: 1\nb: {c: d}\n",
    "{\"type\": \"object\"}",
    "",
];

impl<'a> Arbitrary<'a> for Name<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(match u.int_in_range(0..=9)? {
            0 => <&[u8]>::arbitrary(u)?.into(),
            1 => {
                let mut name = u.choose(NAMES)?.as_bytes().to_vec();
                name.push(b'/');
                name.extend_from_slice(u.choose(NAMES)?.as_bytes());
                name.into()
            }
            _ => u.choose(NAMES)?.as_bytes().into(),
        }))
    }
}

impl<'a> Arbitrary<'a> for Type {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self(*u.choose(b"00000000000\x001234567xgLKSVN")?))
    }
}

impl<'a> Arbitrary<'a> for Edits {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut edits = Vec::new();
        // Zeros are what there is once the bytes are used up.
        while u.int_in_range(0..=7)? == 7 {
            edits.push((u.int_in_range(0..=511)?, u.arbitrary()?));
        }
        Ok(Self(edits))
    }
}

impl<'a> Arbitrary<'a> for Body<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=40)? {
            0..=9 => Self::Bytes(u.arbitrary()?),
            10..=15 => Self::Archive(u.arbitrary()?),
            16 => Self::Zeros(u.int_in_range(0..=120 << 20)?),
            17..=20 => Self::Zeros(u.int_in_range(0..=4096)?),
            21..=24 => {
                let key = u.choose(&["path", "size", "linkpath", "GNU.sparse.map", "comment"])?;
                let value = Name::arbitrary(u)?;
                let mut record = Vec::from(format!(" {key}="));
                record.extend_from_slice(&value.0);
                record.push(b'\n');
                let length = record.len() + 1 + usize::from(record.len() > 8);
                let mut whole = length.to_string().into_bytes();
                whole.extend(record);
                Self::Extension(whole)
            }
            _ => Self::Known(u.choose(KNOWN)?),
        })
    }
}

/// An archive of these entries.
pub fn pack(entries: &[Entry<'_>]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    for entry in entries {
        write(&mut gzip, entry);
    }
    gzip.write_all(&[0; 1024]).expect("memory");
    gzip.finish().expect("memory")
}

/// These bytes, compressed.
pub fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

fn write(gzip: &mut GzEncoder<Vec<u8>>, entry: &Entry<'_>) {
    let archive;
    let (data, zeros): (&[u8], usize) = match &entry.body {
        Body::Bytes(bytes) => (bytes, 0),
        Body::Known(text) => (text.as_bytes(), 0),
        Body::Extension(record) => (record, 0),
        Body::Zeros(count) => (&[], *count),
        Body::Archive(entries) => {
            archive = pack(entries);
            (&archive, 0)
        }
    };
    let size = data.len() + zeros;
    gzip.write_all(&header(entry, size)).expect("memory");
    gzip.write_all(data).expect("memory");
    let block = [0; 1 << 16];
    let mut left = size.next_multiple_of(512) - data.len();
    while left > 0 {
        let now = left.min(block.len());
        gzip.write_all(&block[..now]).expect("memory");
        left -= now;
    }
}

fn header(entry: &Entry<'_>, size: usize) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    let name = &entry.name.0;
    put(0, &name[..name.len().min(100)]);
    put(100, b"0000644\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(156, &[entry.kind.0]);
    put(257, b"ustar\x0000");
    for (at, byte) in &entry.edits.0 {
        header[*at] = *byte;
    }
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let sum = sum + u32::from(!entry.is_sound);
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}
