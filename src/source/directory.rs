//! A chart that lies in a folder: its files, as Helm walks them.
//!
//! In: a path. Out: the files in the order of their names, folder by folder, symbolic links
//! followed, without what `.helmignore` leaves out. Never more bytes than a chart may hold, nor
//! more entries than any chart has.

use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::chart::ignore::{self, Rules};
use crate::chart::{self, File, MAX_CHART_SIZE, Warning};

/// Files and folders that a chart may have.
const MAX_ENTRIES: usize = 100_000;

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
pub fn read(path: &Path, warnings: &mut Vec<Warning>) -> Result<Vec<File>, Error> {
    let top = absolute(path)?;
    let chart_yaml = top.join("Chart.yaml");
    let text = read_whole(&chart_yaml).map_err(|(action, error)| Error::Undetected {
        path: shown(&chart_yaml),
        action,
        source: Cause(error),
    })?;
    chart::detect(&text)?;
    let mut walk = Walk {
        rules: rules(&top)?,
        warnings,
        files: Vec::new(),
        remaining: MAX_CHART_SIZE,
        entries: 0,
    };
    walk.folder(&top, "", 0)?;
    Ok(walk.files)
}

fn rules(top: &Path) -> Result<Rules, Error> {
    let path = top.join(".helmignore");
    if fs::metadata(&path).is_err() {
        return Ok(Rules::parse(b"")?);
    }
    let text = read_whole(&path).map_err(|(action, error)| io_error(action, &path, error))?;
    Ok(Rules::parse(&text)?)
}

fn read_whole(path: &Path) -> Result<Vec<u8>, (&'static str, io::Error)> {
    let mut file = fs::File::open(path).map_err(|error| ("open", error))?;
    let mut data = Vec::new();
    file.by_ref()
        .take(MAX_CHART_SIZE)
        .read_to_end(&mut data)
        .map_err(|error| ("read", error))?;
    Ok(data)
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
}

// helm: internal/sympath Walk
impl Walk<'_> {
    /// Reads what is in a folder; `name` is its path below the chart's.
    fn folder(&mut self, path: &Path, name: &str, links: usize) -> Result<(), Error> {
        let mut names = Vec::new();
        match fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries {
                    let entry = entry.map_err(|error| io_error("readdirent", path, error))?;
                    names.push(entry.file_name());
                }
            }
            // helm: the chart's own folder is not looked at twice
            Err(_) if name.is_empty() => return Ok(()),
            Err(error) => return Err(io_error("open", path, error)),
        }
        names.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        for entry in names {
            let path = path.join(&entry);
            let entry = entry.to_string_lossy();
            let name = if name.is_empty() {
                entry.into_owned()
            } else {
                format!("{name}/{entry}")
            };
            let metadata =
                fs::symlink_metadata(&path).map_err(|error| io_error("lstat", &path, error))?;
            self.entry(&path, name, &metadata, links)?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        path: &Path,
        name: String,
        metadata: &Metadata,
        links: usize,
    ) -> Result<(), Error> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(Error::Entries);
        }
        if metadata.is_symlink() {
            return self.link(path, name, links + 1);
        }
        if self.rules.ignores(&name, metadata.is_dir()) {
            return Ok(());
        }
        if metadata.is_dir() {
            return self.folder(path, &name, links);
        }
        if !metadata.is_file() {
            return Err(Error::Irregular(shown(path)));
        }
        let data = self
            .file(path, metadata.len())
            .map_err(|error| Error::File {
                name: name.clone(),
                source: Box::new(error),
            })?;
        self.files.push(File { name, data });
        Ok(())
    }

    /// Goes on with what a link leads to, under the link's own path.
    fn link(&mut self, path: &Path, name: String, links: usize) -> Result<(), Error> {
        let failed = |source| Error::Link {
            path: shown(path),
            source: Box::new(source),
        };
        if links > MAX_LINKS {
            return Err(failed(Error::Links));
        }
        let resolved = fs::canonicalize(path).map_err(|error| failed(unresolved(path, error)))?;
        let found = "found symbolic link in path. Contents of linked file included and used";
        self.warnings.push(
            Warning::info(found)
                .with("path", shown(path))
                .with("resolved", shown(&resolved)),
        );
        let metadata =
            fs::symlink_metadata(&resolved).map_err(|error| io_error("lstat", &resolved, error))?;
        self.entry(path, name, &metadata, links)
    }

    // helm: pkg/chart/loader/archive BudgetedReader
    fn file(&mut self, path: &Path, size: u64) -> Result<Arc<[u8]>, Error> {
        if size > self.remaining {
            return Err(Error::Size);
        }
        let file = fs::File::open(path).map_err(|error| io_error("open", path, error))?;
        let mut data = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        // one byte more than allowed tells a file that grew meanwhile
        file.take(self.remaining + 1)
            .read_to_end(&mut data)
            .map_err(|error| io_error("read", path, error))?;
        let length = data.len() as u64;
        self.remaining = self.remaining.checked_sub(length).ok_or(Error::Size)?;
        Ok(Arc::from(chart::without_mark(&data)))
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
