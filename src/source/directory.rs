//! A chart that lies in a folder: its files, as Helm walks them.
//!
//! In: a path. Out: the files in the order of their names, folder by folder, symbolic links
//! followed, without what `.helmignore` leaves out. Never more bytes than a chart may hold, nor
//! more entries than any chart has.

use std::ffi::{CStr, CString, OsStr};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, retry_on_intr};
use rustix::path::Arg;

use crate::chart::ignore::{self, Rules};
use crate::chart::{self, File, Files, MAX_CHART_SIZE, Warning};

/// Files and folders that a chart may have.
const MAX_ENTRIES: usize = 100_000;

/// Bytes that a path may have, as the system knows them; what is deeper is out of its reach.
const MAX_PATH: usize = 4096;

/// What is read of a file at once, where it has more.
const BUFFER: usize = 64 * 1024;

/// What the system is asked for of a folder at once: the entries of most charts.
const LISTING: usize = 32 << 10;

/// Symbolic links that may stand in one path.
// go: path/filepath EvalSymlinks
const MAX_LINKS: usize = 255;

/// Why a folder cannot be read. The text and those of its sources, joined by `": "`, are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no `Chart.yaml` that can be read.
    #[error("unable to detect chart at {path}: {action} {path}")]
    Undetected {
        /// Where it should be.
        path: String,
        /// What failed: `open` or `read`.
        action: &'static str,
        /// Why.
        #[source]
        source: Cause,
    },
    /// The chart is of a kind that Helm does not read.
    #[error(transparent)]
    Chart(#[from] chart::Error),
    /// `.helmignore` cannot be read.
    #[error(transparent)]
    Ignore(#[from] ignore::Error),
    /// A file or folder cannot be read.
    #[error("{action} {path}")]
    Io {
        /// What failed: `open`, `lstat` and so on.
        action: &'static str,
        /// On what.
        path: String,
        /// Why.
        #[source]
        source: Cause,
    },
    /// A symbolic link leads nowhere.
    #[error("error evaluating symlink {path}")]
    Link {
        /// The link.
        path: String,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// A symbolic link leads to itself.
    #[error("EvalSymlinks: too many links")]
    Links,
    /// A device, a socket or the like.
    #[error("cannot load irregular file {0} as it has file mode type bits set")]
    Irregular(String),
    /// A file cannot be read.
    #[error("error reading {name}")]
    File {
        /// Its path below the folder.
        name: String,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// More bytes than a chart may hold.
    #[error("chart exceeds maximum decompressed size of {MAX_CHART_SIZE} bytes")]
    Size,
    /// More entries than any chart has.
    #[error("chart folder holds more than {MAX_ENTRIES} entries")]
    Entries,
}

/// What the system said, in Go's words.
#[derive(Debug)]
pub struct Cause(io::Error);

impl std::fmt::Display for Cause {
    // go: syscall Errno.Error
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = self.0.to_string();
        let text = text
            .split_once(" (os error")
            .map_or(text.as_str(), |(text, _)| text);
        f.write_str(&text.to_lowercase())
    }
}

impl std::error::Error for Cause {}

/// Reads the files of the chart in a folder; what Helm says on standard error about links is
/// added to `warnings`.
///
/// # Errors
/// Where a file or link cannot be read, or `Chart.yaml` is of no kind that Helm knows.
// helm: pkg/chart/loader LoadDir and pkg/chart/v2/loader LoadDir
pub fn read(path: &Path, warnings: &mut Vec<Warning>) -> Result<Files, Error> {
    let top = absolute(path)?;
    let mut buffer = Vec::with_capacity(BUFFER);
    let chart_yaml = top.join("Chart.yaml");
    read_whole(&chart_yaml, &mut buffer).map_err(|(action, error)| Error::Undetected {
        path: shown(&chart_yaml),
        action,
        source: Cause(error),
    })?;
    let detected = chart::detect(&buffer)?;
    let chart_yaml = buffer.clone();
    let mut walk = Walk {
        rules: rules(&top, &mut buffer)?,
        warnings,
        files: Vec::new(),
        remaining: MAX_CHART_SIZE,
        entries: 0,
        path: top,
        name: String::new(),
        buffer,
        listing: Vec::with_capacity(LISTING),
        chart_yaml,
    };
    // helm: the chart's own folder is not looked at twice
    if let Ok(top) = open(CWD, &walk.path, OFlags::DIRECTORY) {
        walk.folder(top, 0)?;
    }
    Ok(Files::detected(walk.files, detected))
}

fn rules(top: &Path, buffer: &mut Vec<u8>) -> Result<Rules, Error> {
    let path = top.join(".helmignore");
    match read_whole(&path, buffer) {
        Ok(()) => Ok(Rules::parse(buffer)?),
        // helm: it is there where it can be looked at
        Err(("open", _)) if fs::metadata(&path).is_err() => Ok(Rules::parse(b"")?),
        Err((action, error)) => Err(io_error(action, &path, error)),
    }
}

/// Reads a file, but not more of it than a chart may hold.
fn read_whole(path: &Path, buffer: &mut Vec<u8>) -> Result<(), (&'static str, io::Error)> {
    let file = open(CWD, path, OFlags::empty()).map_err(|error| ("open", error))?;
    read_to_end(file, buffer, MAX_CHART_SIZE).map_err(|error| ("read", error))?;
    buffer.truncate(usize::try_from(MAX_CHART_SIZE).unwrap_or(usize::MAX));
    Ok(())
}

fn open(folder: impl AsFd, name: impl Arg + Copy, flags: OFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | flags;
    Ok(retry_on_intr(|| {
        rustix::fs::openat(folder.as_fd(), name, flags, Mode::empty())
    })?)
}

/// Reads a file into a buffer, until it ends or there are more than so many bytes.
fn read_to_end(file: OwnedFd, buffer: &mut Vec<u8>, bound: u64) -> io::Result<()> {
    buffer.clear();
    while buffer.len() as u64 <= bound {
        // doubles what is full
        buffer.reserve(1);
        let read = || rustix::io::read(&file, rustix::buffer::spare_capacity(buffer));
        if retry_on_intr(read)? == 0 {
            break;
        }
    }
    Ok(())
}

/// The path from the root, without dots.
// go: path/filepath Abs
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    let whole = std::path::absolute(path).map_err(|error| io_error("getwd", path, error))?;
    let mut clean = PathBuf::new();
    for component in whole.components() {
        match component {
            Component::ParentDir => {
                clean.pop();
            }
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    Ok(clean)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn io_error(action: &'static str, path: &Path, error: io::Error) -> Error {
    Error::Io {
        action,
        path: shown(path),
        source: Cause(error),
    }
}

struct Walk<'a> {
    rules: Rules,
    warnings: &'a mut Vec<Warning>,
    files: Vec<File>,
    remaining: u64,
    entries: usize,
    /// The folder that is being read.
    path: PathBuf,
    /// Its path below the chart's, or that of what is in it.
    name: String,
    buffer: Vec<u8>,
    /// Room for what the system says of a folder's entries.
    listing: Vec<u8>,
    /// What was read of the chart's `Chart.yaml` already.
    chart_yaml: Vec<u8>,
}

/// What stands in a folder.
struct Entry<'f> {
    folder: BorrowedFd<'f>,
    file_name: &'f CStr,
    kind: FileType,
}

// helm: internal/sympath Walk
impl Walk<'_> {
    /// Reads what is in a folder.
    fn folder(&mut self, folder: OwnedFd, links: usize) -> Result<(), Error> {
        let mut entries: Vec<(CString, FileType)> = Vec::new();
        let mut listing = std::mem::take(&mut self.listing);
        let mut listed = RawDir::new(&folder, listing.spare_capacity_mut());
        while let Some(entry) = listed.next() {
            let entry = entry.map_err(|error| self.io_error("readdirent", error))?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                entries.push((entry.file_name().to_owned(), entry.file_type()));
            }
        }
        self.listing = listing;
        entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let folder = folder.as_fd();
        let length = self.name.len();
        for (file_name, kind) in &entries {
            if length > 0 {
                self.name.push('/');
            }
            self.name.push_str(&file_name.to_string_lossy());
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(Error::Entries);
            }
            let mut entry = Entry {
                folder,
                file_name,
                kind: *kind,
            };
            if entry.kind == FileType::Unknown {
                entry.kind = self.kind(&entry)?;
            }
            self.entry(entry, links)?;
            self.name.truncate(length);
        }
        Ok(())
    }

    /// The path of an entry of the folder that is being read.
    fn path_of(&self, entry: &Entry<'_>) -> PathBuf {
        self.path
            .join(OsStr::from_bytes(entry.file_name.to_bytes()))
    }

    /// An error of the folder that is being read.
    fn io_error(&self, action: &'static str, error: Errno) -> Error {
        io_error(action, &self.path, error.into())
    }

    /// What it is, where the folder does not tell.
    fn kind(&self, entry: &Entry<'_>) -> Result<FileType, Error> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let stat = rustix::fs::statat(entry.folder, entry.file_name, flags)
            .map_err(|error| io_error("lstat", &self.path_of(entry), error.into()))?;
        Ok(FileType::from_raw_mode(stat.st_mode))
    }

    fn entry(&mut self, entry: Entry<'_>, links: usize) -> Result<(), Error> {
        if entry.kind == FileType::Symlink {
            return self.link(entry, links + 1);
        }
        let is_folder = entry.kind == FileType::Directory;
        if self.rules.ignores(&self.name, is_folder) {
            return Ok(());
        }
        if is_folder {
            return self.inner(&entry, links);
        }
        if entry.kind != FileType::RegularFile {
            return Err(Error::Irregular(shown(&self.path_of(&entry))));
        }
        let data = self.file(&entry).map_err(|error| Error::File {
            name: self.name.clone(),
            source: Box::new(error),
        })?;
        self.files.push(File {
            name: self.name.clone(),
            data,
            modified: None,
        });
        Ok(())
    }

    fn inner(&mut self, entry: &Entry<'_>, links: usize) -> Result<(), Error> {
        let name = OsStr::from_bytes(entry.file_name.to_bytes());
        if self.path.as_os_str().len() + 1 + name.len() >= MAX_PATH {
            let error = Errno::NAMETOOLONG.into();
            return Err(io_error("open", &self.path_of(entry), error));
        }
        let inner = open(entry.folder, entry.file_name, OFlags::DIRECTORY)
            .map_err(|error| io_error("open", &self.path_of(entry), error))?;
        self.path.push(name);
        self.folder(inner, links)?;
        self.path.pop();
        Ok(())
    }

    /// Goes on with what a link leads to, under the link's own path.
    fn link(&mut self, entry: Entry<'_>, links: usize) -> Result<(), Error> {
        let path = self.path_of(&entry);
        let failed = |source| Error::Link {
            path: shown(&path),
            source: Box::new(source),
        };
        if links > MAX_LINKS {
            return Err(failed(Error::Links));
        }
        let resolved = fs::canonicalize(&path).map_err(|error| failed(unresolved(&path, error)))?;
        let found = "found symbolic link in path. Contents of linked file included and used";
        self.warnings.push(
            Warning::info(found)
                .with("path", shown(&path))
                .with("resolved", shown(&resolved)),
        );
        let stat = rustix::fs::lstat(&resolved)
            .map_err(|error| io_error("lstat", &resolved, error.into()))?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        self.entry(Entry { kind, ..entry }, links)
    }

    // helm: pkg/chart/loader/archive BudgetedReader
    fn file(&mut self, entry: &Entry<'_>) -> Result<Arc<[u8]>, Error> {
        let seen = self.name == "Chart.yaml" && (self.chart_yaml.len() as u64) < MAX_CHART_SIZE;
        if !seen {
            let file = open(entry.folder, entry.file_name, OFlags::empty())
                .map_err(|error| io_error("open", &self.path_of(entry), error))?;
            // one byte more than allowed tells a file that is too large
            read_to_end(file, &mut self.buffer, self.remaining)
                .map_err(|error| io_error("read", &self.path_of(entry), error))?;
        }
        let data = if seen { &self.chart_yaml } else { &self.buffer };
        let length = data.len() as u64;
        self.remaining = self.remaining.checked_sub(length).ok_or(Error::Size)?;
        Ok(Arc::from(chart::without_mark(data)))
    }
}

/// Which file it is that a link misses.
// go: path/filepath EvalSymlinks names the first path on the way that is not there
fn unresolved(link: &Path, error: io::Error) -> Error {
    if error.raw_os_error() == Some(40) {
        return Error::Links;
    }
    let mut at = link.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&at) {
            Ok(target) => at = at.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => break,
        }
    }
    let at = absolute(&at).unwrap_or(at);
    let missing = at
        .ancestors()
        .filter(|part| fs::symlink_metadata(part).is_err())
        .last();
    io_error("lstat", missing.unwrap_or(&at), error)
}
