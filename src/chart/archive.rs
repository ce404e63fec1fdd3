//! A packaged chart into files: gzip, tar, and the paths a chart may have.
//!
//! The stream is inflated once, up to a bound, and the tar entries are read from memory. As in
//! Helm, what follows the end of the tar archive does not matter, be it damaged or not.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;

use super::error::ArchiveError;
use super::quote::quote;
use super::{File, MAX_CHART_SIZE};

/// Entries that an archive may have; each costs a header, whatever its size.
const MAX_ENTRIES: usize = 100_000;

/// Bytes that an archive may inflate to, headers and what is skipped included.
const MAX_STREAM: u64 = MAX_CHART_SIZE + 160 * 1024 * 1024;

const BLOCK: usize = 512;

const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// How an archive is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Reading {
    /// As Helm does: a link is an empty file, and of two files of one name both are taken.
    #[default]
    AsHelm,
    /// The same, but for what is not what it says it is.
    Exact,
}

/// Reads the files of an archive that holds no more than `left` bytes.
// helm: pkg/chart/loader/archive LoadArchiveFiles
pub(super) fn unpack(bytes: &[u8], left: u64, reading: Reading) -> Result<Vec<File>, ArchiveError> {
    let mut tar = Tar::inflate(bytes)?;
    let mut remaining = MAX_CHART_SIZE.min(left);
    let mut files = Vec::new();
    let mut entries = 0;
    while let Some(entry) = tar.next()? {
        entries += 1;
        if entries > MAX_ENTRIES {
            return Err(ArchiveError::Entries(MAX_ENTRIES));
        }
        if entry.is_folder() || entry.kind == b'g' {
            continue;
        }
        let name = clean_name(&entry.name)?;
        if reading == Reading::Exact {
            check(&entry, &name, &files)?;
        }
        if entry.size > remaining {
            return Err(ArchiveError::Size);
        }
        let data = tar.data(&entry)?;
        remaining -= data.len() as u64;
        if (data.len() as u64) < entry.size || remaining == 0 {
            return Err(ArchiveError::Size);
        }
        files.push(File {
            name,
            data: Arc::from(without_mark(data)),
            modified: entry.modified,
        });
    }
    if files.is_empty() {
        return Err(ArchiveError::Empty);
    }
    Ok(files)
}

/// Refuses what `helm package` never writes, and Helm reads as something else.
fn check(entry: &Entry, name: &str, files: &[File]) -> Result<(), ArchiveError> {
    if entry.is_link() {
        return Err(ArchiveError::Link(quote(name)));
    }
    let is_chart = name == "Chart.yaml" || name.ends_with("/Chart.yaml");
    if is_chart && files.iter().any(|file| file.name == name) {
        return Err(ArchiveError::Twice(quote(name)));
    }
    Ok(())
}

/// The bytes without a byte order mark in front.
pub(crate) fn without_mark(data: &[u8]) -> &[u8] {
    data.strip_prefix(BYTE_ORDER_MARK).unwrap_or(data)
}

/// An entry's path without its first folder.
fn clean_name(entry: &str) -> Result<String, ArchiveError> {
    // an archive that was made on Windows
    let delimiter = if entry.contains('\\') { '\\' } else { '/' };
    let (first, rest) = entry.split_once(delimiter).unwrap_or((entry, ""));
    let rest = if delimiter == '\\' {
        rest.replace('\\', "/")
    } else {
        rest.to_owned()
    };
    if rest.starts_with('/') {
        return Err(ArchiveError::Absolute);
    }
    let name = clean_path(&rest);
    if name == "." {
        return Err(ArchiveError::Outside(quote(entry)));
    }
    if name.starts_with("..") {
        return Err(ArchiveError::Parent);
    }
    if matches!(name.as_bytes(), [drive, b':', b'/', ..] if drive.is_ascii_alphabetic()) {
        return Err(ArchiveError::Drive);
    }
    if first == "Chart.yaml" {
        return Err(ArchiveError::Base);
    }
    Ok(name)
}

/// The shortest path that means the same.
// go: path.Clean, for paths that do not begin with a slash
fn clean_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for element in path.split('/') {
        match element {
            "" | "." => {}
            ".." if kept.last().is_some_and(|last| *last != "..") => {
                kept.pop();
            }
            element => kept.push(element),
        }
    }
    if kept.is_empty() {
        ".".to_owned()
    } else {
        kept.join("/")
    }
}

struct Entry {
    name: String,
    size: u64,
    mode: u64,
    kind: u8,
    modified: Option<Timestamp>,
}

impl Entry {
    // go: archive/tar FileInfo().IsDir()
    fn is_folder(&self) -> bool {
        const KIND_BITS: u64 = !0o7777;
        const FOLDER: u64 = 0o40000;
        self.kind == b'5' || self.mode & KIND_BITS == FOLDER
    }

    fn is_link(&self) -> bool {
        matches!(self.kind, b'1' | b'2')
    }

    /// Entries that are only a header, whatever size they claim.
    fn has_data(&self) -> bool {
        !(b'1'..=b'6').contains(&self.kind)
    }
}

/// A tar archive in memory.
struct Tar {
    stream: Vec<u8>,
    at: usize,
    /// Why the stream ended before its own end, if it did.
    broken: Option<String>,
    /// How many bytes of the current entry's data were not read yet.
    pending: usize,
    padding: usize,
}

impl Tar {
    fn inflate(bytes: &[u8]) -> Result<Self, ArchiveError> {
        if bytes.is_empty() {
            return Err(ArchiveError::Stream("EOF".to_owned()));
        }
        if bytes.len() >= 10 && !bytes.starts_with(&[0x1f, 0x8b, 8]) {
            return Err(ArchiveError::Gzip);
        }
        // the last four bytes say how long the stream is, as a guess to start from
        let claimed = bytes
            .last_chunk()
            .map_or(0, |last| u64::from(u32::from_le_bytes(*last)));
        let guess = claimed.min(MAX_CHART_SIZE).min(bytes.len() as u64 * 64);
        let mut stream = Vec::with_capacity(usize::try_from(guess).unwrap_or(0) + 1);
        let read = MultiGzDecoder::new(bytes)
            .take(MAX_STREAM)
            .read_to_end(&mut stream);
        let broken = read.err().map(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "unexpected EOF".to_owned(),
            _ => error.to_string(),
        });
        if stream.len() as u64 == MAX_STREAM {
            return Err(ArchiveError::Size);
        }
        Ok(Self {
            stream,
            at: 0,
            broken,
            pending: 0,
            padding: 0,
        })
    }

    /// The next entry that is no mere extension of another; `None` at the end.
    // go: archive/tar Reader.Next
    fn next(&mut self) -> Result<Option<Entry>, ArchiveError> {
        let mut extension = Extension::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let mut entry = Entry {
                name: header.name(),
                size: header.number(124..136)?,
                mode: header.number(100..108)?,
                kind: header.0[156],
                modified: header.modified(),
            };
            self.pending = usize::try_from(entry.size).map_err(|_| ArchiveError::Header)?;
            if !entry.has_data() {
                self.pending = 0;
            }
            self.padding = self.pending.next_multiple_of(BLOCK) - self.pending;
            match entry.kind {
                b'x' => extension.read_pax(self.take(&entry)?)?,
                b'L' => extension.name = Some(until_zero(self.take(&entry)?)),
                b'K' => {
                    self.take(&entry)?;
                }
                b'g' => return Ok(Some(entry)),
                b'S' => return Err(ArchiveError::Sparse(entry.name)),
                _ => {
                    extension.apply(&mut entry)?;
                    if entry.has_data() {
                        self.pending =
                            usize::try_from(entry.size).map_err(|_| ArchiveError::Header)?;
                        self.padding = self.pending.next_multiple_of(BLOCK) - self.pending;
                    }
                    if entry.name.ends_with('/') && matches!(entry.kind, 0 | b'0') {
                        entry.kind = b'5';
                    }
                    return Ok(Some(entry));
                }
            }
        }
    }

    fn data(&mut self, entry: &Entry) -> Result<&[u8], ArchiveError> {
        if entry.has_data() {
            self.take(entry)
        } else {
            Ok(&[])
        }
    }

    /// The data of the current entry.
    fn take(&mut self, entry: &Entry) -> Result<&[u8], ArchiveError> {
        let size = usize::try_from(entry.size).map_err(|_| ArchiveError::Header)?;
        let start = self.at;
        let end = start
            .checked_add(size)
            .filter(|end| *end <= self.stream.len())
            .ok_or_else(|| self.ended())?;
        self.at = end;
        self.pending = 0;
        Ok(&self.stream[start..end])
    }

    fn skip(&mut self) -> Result<(), ArchiveError> {
        let end = self
            .at
            .checked_add(self.pending)
            .filter(|end| *end <= self.stream.len());
        let end = end.ok_or_else(|| self.ended())?;
        // go: missing padding at the very end is forgiven
        self.at = end.saturating_add(self.padding).min(self.stream.len());
        self.pending = 0;
        self.padding = 0;
        Ok(())
    }

    fn ended(&self) -> ArchiveError {
        ArchiveError::Stream(
            self.broken
                .clone()
                .unwrap_or_else(|| "unexpected EOF".to_owned()),
        )
    }

    /// The next header; `None` where two blocks of zeros, or the end of the stream, end the
    /// archive.
    fn header(&mut self) -> Result<Option<Header>, ArchiveError> {
        let Some(block) = self.block()? else {
            return Ok(None);
        };
        if block.iter().any(|byte| *byte != 0) {
            return Header::checked(block).map(Some);
        }
        match self.block()? {
            Some(block) if block.iter().any(|byte| *byte != 0) => Err(ArchiveError::Header),
            _ => Ok(None),
        }
    }

    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, ArchiveError> {
        let rest = &self.stream[self.at..];
        if let Some(block) = rest.first_chunk::<BLOCK>() {
            self.at += BLOCK;
            return Ok(Some(*block));
        }
        match &self.broken {
            None if rest.is_empty() => Ok(None),
            _ => Err(self.ended()),
        }
    }
}

struct Header([u8; BLOCK]);

impl Header {
    fn checked(block: [u8; BLOCK]) -> Result<Self, ArchiveError> {
        let header = Self(block);
        let claimed = header.number(148..156)?;
        let (mut unsigned, mut signed) = (0_u64, 0_i64);
        for (i, &byte) in block.iter().enumerate() {
            let byte = if (148..156).contains(&i) { b' ' } else { byte };
            unsigned += u64::from(byte);
            signed += i64::from(byte.cast_signed());
        }
        if claimed == unsigned || i64::try_from(claimed) == Ok(signed) {
            Ok(header)
        } else {
            Err(ArchiveError::Header)
        }
    }

    fn name(&self) -> String {
        let name = until_zero(&self.0[..100]);
        // POSIX splits long names in two; GNU uses these bytes otherwise
        let posix = &self.0[257..263] == b"ustar\0";
        let prefix = if posix {
            until_zero(&self.0[345..500])
        } else {
            String::new()
        };
        if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        }
    }

    /// A number in octal digits, or in binary where the first bit is set.
    // go: archive/tar parseNumeric
    /// When the entry was last changed; nothing hangs on it, so what is no time is none.
    fn modified(&self) -> Option<Timestamp> {
        let seconds = self.number(136..148).ok()?;
        Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
    }

    fn number(&self, field: std::ops::Range<usize>) -> Result<u64, ArchiveError> {
        let field = &self.0[field];
        if field[0] & 0x80 != 0 {
            if field[0] & 0x40 != 0 {
                return Err(ArchiveError::Header);
            }
            return field
                .iter()
                .enumerate()
                .try_fold(0_u64, |number, (i, &byte)| {
                    let byte = if i == 0 { byte & 0x7f } else { byte };
                    if number >> 55 != 0 {
                        Err(ArchiveError::Header)
                    } else {
                        Ok(number << 8 | u64::from(byte))
                    }
                });
        }
        let start = field
            .iter()
            .position(|byte| !b" \0".contains(byte))
            .unwrap_or(field.len());
        let digits = until_zero(&field[start..]);
        let digits = digits.trim_matches(' ');
        if digits.is_empty() {
            return Ok(0);
        }
        u64::from_str_radix(digits, 8).map_err(|_| ArchiveError::Header)
    }
}

fn until_zero(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// Seconds since 1970 with up to nine decimals.
// go: archive/tar parsePAXTime
fn pax_time(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let nanoseconds: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanoseconds: i32 = nanoseconds.parse().ok()?;
    let sign = if seconds.starts_with('-') { -1 } else { 1 };
    Timestamp::new(seconds.parse().ok()?, sign * nanoseconds).ok()
}

/// What the entries before an entry say about it.
#[derive(Default)]
struct Extension {
    name: Option<String>,
    size: Option<u64>,
    modified: Option<Timestamp>,
}

impl Extension {
    /// `25 path=folder/file\n`, repeated.
    // go: archive/tar parsePAX
    fn read_pax(&mut self, data: &[u8]) -> Result<(), ArchiveError> {
        let mut records = BTreeMap::new();
        let mut rest = data;
        while !rest.is_empty() {
            let space = rest
                .iter()
                .position(|byte| *byte == b' ')
                .ok_or(ArchiveError::Header)?;
            let length = std::str::from_utf8(&rest[..space])
                .ok()
                .and_then(|text| text.parse::<usize>().ok());
            let length = length
                .filter(|n| *n > space + 1 && *n <= rest.len())
                .ok_or(ArchiveError::Header)?;
            let record = rest[space + 1..length]
                .strip_suffix(b"\n")
                .ok_or(ArchiveError::Header)?;
            let equals = record
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or(ArchiveError::Header)?;
            records.insert(record[..equals].to_vec(), record[equals + 1..].to_vec());
            rest = &rest[length..];
        }
        if let Some(name) = records
            .iter()
            .find(|(key, _)| key.starts_with(b"GNU.sparse."))
        {
            return Err(ArchiveError::Sparse(
                String::from_utf8_lossy(name.0).into_owned(),
            ));
        }
        if let Some(path) = records.get(&b"path"[..]).filter(|path| !path.is_empty()) {
            self.name = Some(String::from_utf8_lossy(path).into_owned());
        }
        if let Some(size) = records.get(&b"size"[..]).filter(|size| !size.is_empty()) {
            let size = std::str::from_utf8(size)
                .ok()
                .and_then(|text| text.parse().ok());
            self.size = Some(size.ok_or(ArchiveError::Header)?);
        }
        if let Some(time) = records.get(&b"mtime"[..]) {
            self.modified = pax_time(&String::from_utf8_lossy(time));
        }
        Ok(())
    }

    fn apply(self, entry: &mut Entry) -> Result<(), ArchiveError> {
        if let Some(name) = self.name {
            entry.name = name;
        }
        if let Some(size) = self.size {
            entry.size = size;
        }
        entry.modified = self.modified.or(entry.modified);
        i64::try_from(entry.size)
            .map(|_| ())
            .map_err(|_| ArchiveError::Header)
    }
}
