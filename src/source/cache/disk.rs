//! A cache in a folder, which another process may share.
//!
//! ```text
//! key                    a random key, so that file names tell nothing of logins
//! archives/<sha256>      the bytes, verified whenever they are read
//! references/<keyed sum> digests that a reference led to, with the login it was asked with
//! ```
//! A file appears whole (written aside, then renamed) or not at all. Trouble with the disk is
//! logged and is a miss: a chart that was fetched is delivered even where it cannot be kept.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::{Archive, Digest, Kept, Led, ReferenceKey};

/// A file that was written aside and is older than this belongs to a process that died.
const ABANDONED: Duration = Duration::from_secs(3600);

pub(super) struct Disk {
    archives: PathBuf,
    references: PathBuf,
}

impl Disk {
    /// Makes the folders where they are missing; answers the key for [`ReferenceKey`]s, too.
    pub(super) fn open(folder: &Path) -> io::Result<(Self, [u8; 32])> {
        let (archives, references) = (folder.join("archives"), folder.join("references"));
        for folder in [folder, &archives, &references] {
            fs::create_dir_all(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        let key = load_key(folder)?;
        Ok((
            Self {
                archives,
                references,
            },
            key,
        ))
    }

    fn archive_path(&self, digest: Digest) -> PathBuf {
        self.archives.join(digest.hex())
    }

    pub(super) fn read_archive(&self, digest: Digest) -> Option<Bytes> {
        let path = self.archive_path(digest);
        let bytes = present(fs::read(&path))?;
        if Digest::of(&bytes) != digest {
            tracing::warn!(%digest, "an archive in the cache is damaged and is removed");
            discard(&path);
            return None;
        }
        touch(&path);
        Some(bytes.into())
    }

    pub(super) fn read_reference(&self, key: &ReferenceKey) -> Option<Led> {
        let path = self.references.join(&key.0);
        let json = present(fs::read(&path))?;
        let led = serde_json::from_slice(&json).ok();
        if led.is_some() {
            touch(&path)
        } else {
            discard(&path)
        }
        led
    }

    /// Keeps an archive; answers whether it was not there before.
    pub(super) fn keep_archive(&self, archive: &Archive) -> io::Result<bool> {
        let path = self.archive_path(archive.digest);
        let new = !path.exists();
        if new {
            write(&path, &archive.bytes)?;
        }
        Ok(new)
    }

    /// Keeps what a reference led to, where that is new: most fetches find what was there before.
    pub(super) fn keep_reference(&self, key: &ReferenceKey, led: Led) -> io::Result<()> {
        if self.read_reference(key) == Some(led) {
            return Ok(());
        }
        write(&self.references.join(&key.0), &serde_json::to_vec(&led)?)
    }

    /// The archives that are here. Files whose names are none are left to their owner.
    pub(super) fn archives(&self) -> io::Result<Vec<Kept>> {
        let files = files(&self.archives)?.into_iter();
        Ok(files
            .filter_map(|file| {
                Some(Kept {
                    digest: Digest::from_hex(file.path.file_name()?.to_str()?)?,
                    size: file.size,
                    used: file.used,
                })
            })
            .collect())
    }

    pub(super) fn discard_archive(&self, digest: Digest) {
        discard(&self.archive_path(digest));
    }

    /// Leaves so many references, those that were used last.
    pub(super) fn bound_references(&self, most: usize) -> io::Result<()> {
        let mut files = files(&self.references)?;
        files.sort_by_key(|file| std::cmp::Reverse(file.used));
        files.iter().skip(most).for_each(|file| discard(&file.path));
        Ok(())
    }
}

struct Named {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

/// The files of a folder. Files left behind half-written are removed.
fn files(folder: &Path) -> io::Result<Vec<Named>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Another process may have removed it meanwhile.
        let Some(metadata) = present(fs::metadata(&path)) else {
            continue;
        };
        let used = metadata.modified()?;
        if path.extension().is_some() {
            if used.elapsed().is_ok_and(|age| age > ABANDONED) {
                discard(&path);
            }
            continue;
        }
        files.push(Named {
            path,
            size: metadata.len(),
            used,
        });
    }
    Ok(files)
}

/// Writes aside and renames, so that no reader and no crash ever sees a part.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let aside = path.with_extension(format!(
        "{}-{}.part",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    ));
    let written = create_private(&aside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)
    });
    if written.is_err() {
        discard(&aside);
    }
    written
}

fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
}

fn load_key(folder: &Path) -> io::Result<[u8; 32]> {
    let path = folder.join("key");
    if let Some(key) = present(fs::read(&path)).and_then(|bytes| bytes.try_into().ok()) {
        return Ok(key);
    }
    let key: [u8; 32] = rand::random();
    write(&path, &key)?;
    Ok(key)
}

/// A file that is not there is no trouble; other trouble is logged.
fn present<T>(read: io::Result<T>) -> Option<T> {
    match read {
        Ok(value) => Some(value),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            tracing::warn!(%error, "the chart cache cannot be read");
            None
        }
    }
}

fn discard(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "a file of the chart cache cannot be removed");
    }
}

/// Marks the file as used now; the modification time is the clock of pruning.
fn touch(path: &Path) {
    let touched = File::open(path).and_then(|file| file.set_modified(SystemTime::now()));
    if let Err(error) = touched {
        tracing::debug!(%error, "the time of a file of the chart cache cannot be set");
    }
}
