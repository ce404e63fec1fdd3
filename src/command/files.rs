//! Files, with errors in the words of Go's `os`.

use std::fs;
use std::io;
use std::path::Path;

/// What the system says, as Go says it.
// go: syscall Errno.Error
pub(crate) fn go_error(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// A file's bytes.
///
/// # Errors
/// The system's, with what was being done to which path.
// go: os.ReadFile
pub(crate) fn read(path: &str) -> Result<Vec<u8>, PathError> {
    fs::read(path).map_err(|error| {
        // Go can open a folder, and fails to read it.
        let folder = fs::metadata(path).is_ok_and(|found| found.is_dir());
        PathError {
            action: if folder { "read" } else { "open" },
            path: path.to_owned(),
            error,
        }
    })
}

/// Makes a folder and those above it.
///
/// # Errors
/// The system's, with the path that is in the way.
// go: os.MkdirAll
pub(crate) fn make_folders(path: &Path) -> Result<(), PathError> {
    let failed = |error| PathError {
        action: "mkdir",
        path: path.to_string_lossy().into_owned(),
        error,
    };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        // ENOTDIR
        Ok(_) => return Err(failed(io::Error::from_raw_os_error(20))),
        Err(_) => {}
    }
    if let Some(parent) = path.parent().filter(|path| !path.as_os_str().is_empty()) {
        make_folders(parent)?;
    }
    match fs::create_dir(path) {
        Err(error) if !path.is_dir() => Err(failed(error)),
        _ => Ok(()),
    }
}

/// What went wrong with a path.
// go: io/fs PathError
#[derive(Debug, thiserror::Error)]
#[error("{action} {path}: {}", go_error(error))]
pub(crate) struct PathError {
    pub(crate) action: &'static str,
    pub(crate) path: String,
    pub(crate) error: io::Error,
}

impl PathError {
    pub(crate) fn is_missing(&self) -> bool {
        self.error.kind() == io::ErrorKind::NotFound
    }
}
