//! Archives on disk by digest, and which reference once led to which: both may be lost at any time.
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
use std::iter::once;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::{Archive, ChartRef};

/// References kept; each is a file of some 200 bytes.
const REFERENCES: usize = 10_000;
/// A file that was written aside and is older than this belongs to a process that died.
const ABANDONED: Duration = Duration::from_secs(3600);

pub(super) struct Cache {
    place: Arc<Folders>,
}

struct Folders {
    key: [u8; 32],
    archives: PathBuf,
    references: PathBuf,
    max_bytes: u64,
}

/// Names a reference together with the login it is asked with. Whoever knows a digest, or has a
/// server that names it, gets nothing from the cache: the same reference must have led to the same
/// bytes with the same login. Else one tenant's private chart could be had by another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct ReferenceKey(String);

/// What a reference led to.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Led {
    archive: Digest,
    manifest: Option<Digest>,
}

impl Cache {
    /// Makes the folders where they are missing. Blocks.
    pub(super) fn open(folder: &Path, max_bytes: u64) -> io::Result<Self> {
        let (archives, references) = (folder.join("archives"), folder.join("references"));
        for folder in [folder, &archives, &references] {
            fs::create_dir_all(folder)?;
            fs::set_permissions(folder, Permissions::from_mode(0o700))?;
        }
        let key = load_key(folder)?;
        let place = Folders {
            key,
            archives,
            references,
            max_bytes,
        };
        place.prune(None)?;
        Ok(Self {
            place: Arc::new(place),
        })
    }

    /// The key of a reference and its login; digests do not take part.
    pub(super) fn key(&self, chart: &ChartRef) -> ReferenceKey {
        let repository = chart.repo.kind().parts();
        let mut parts: Vec<&[u8]> = repository.map(str::as_bytes).to_vec();
        parts.extend([chart.name.as_bytes(), chart.version.as_bytes()]);
        parts.push(if chart.insecure { b"insecure" } else { b"" });
        parts.extend(
            chart
                .tls
                .as_ref()
                .map(|tls| tls.parts())
                .unwrap_or_default(),
        );
        let credentials = chart.credentials.as_ref();
        parts.extend(
            credentials
                .map(|c| c.parts())
                .unwrap_or_default()
                .into_iter()
                .map(str::as_bytes),
        );
        ReferenceKey(self.place.sum(&parts))
    }

    /// What this reference led to, if that is still here.
    pub(super) async fn recall(&self, key: &ReferenceKey) -> Option<Archive> {
        let key = key.clone();
        self.blocking(move |place| {
            let led = place.read_reference(&key)?;
            let bytes = place.read_archive(led.archive)?;
            Some(Archive {
                bytes,
                digest: led.archive,
                manifest: led.manifest,
            })
        })
        .await
        .flatten()
    }

    /// Keeps an archive and what led to it.
    pub(super) async fn keep(&self, key: &ReferenceKey, archive: &Archive) {
        let (key, archive) = (key.clone(), archive.clone());
        let kept = self.blocking(move |place| place.keep(&key, &archive)).await;
        if let Some(Err(error)) = kept {
            tracing::warn!(%error, "a chart cannot be kept in the cache");
        }
    }

    /// None if the task was cancelled by a shutdown.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folders) -> T + Send + 'static,
    ) -> Option<T> {
        let place = Arc::clone(&self.place);
        tokio::task::spawn_blocking(move || work(&place)).await.ok()
    }
}

impl Folders {
    fn sum(&self, parts: &[&[u8]]) -> String {
        Digest::of_parts(once(self.key.as_slice()).chain(parts.iter().copied())).hex()
    }

    fn archive_path(&self, digest: Digest) -> PathBuf {
        self.archives.join(digest.hex())
    }

    fn read_archive(&self, digest: Digest) -> Option<Bytes> {
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

    fn read_reference(&self, key: &ReferenceKey) -> Option<Led> {
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

    fn keep(&self, key: &ReferenceKey, archive: &Archive) -> io::Result<()> {
        let path = self.archive_path(archive.digest);
        if archive.bytes.len() as u64 > self.max_bytes {
            return Ok(());
        }
        if !path.exists() {
            write(&path, &archive.bytes)?;
            self.prune(Some(&path))?;
        }
        let led = Led {
            archive: archive.digest,
            manifest: archive.manifest,
        };
        write(&self.references.join(&key.0), &serde_json::to_vec(&led)?)
    }

    /// Removes what was used longest ago, and never `newest`, until the bounds hold.
    fn prune(&self, newest: Option<&Path>) -> io::Result<()> {
        let mut total = 0;
        for file in newest_first(&self.archives, newest)? {
            total += file.size;
            if total > self.max_bytes {
                discard(&file.path);
            }
        }
        newest_first(&self.references, None)?
            .iter()
            .skip(REFERENCES)
            .for_each(|file| discard(&file.path));
        Ok(())
    }
}

struct Kept {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

/// The files of a folder by last use. Files left behind half-written are removed.
fn newest_first(folder: &Path, newest: Option<&Path>) -> io::Result<Vec<Kept>> {
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
        files.push(Kept {
            path,
            size: metadata.len(),
            used,
        });
    }
    files.sort_by_key(|file| {
        (
            Some(file.path.as_path()) != newest,
            std::cmp::Reverse(file.used),
        )
    });
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
