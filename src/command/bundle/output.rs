//! The layout's files: written aside, and named when all of them are there.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use pintle::bundle;

/// A folder that becomes the layout.
pub(super) struct Output {
    /// Where the layout goes.
    target: PathBuf,
    /// Where it is until then.
    aside: PathBuf,
}

impl Output {
    pub(super) fn begin(target: &Path) -> Result<Self> {
        if fs::symlink_metadata(target).is_ok() {
            bail!("{} is there already", target.display());
        }
        let Some(name) = target.file_name() else {
            bail!("{} is no name of a folder or file", target.display());
        };
        let mut aside = name.to_owned();
        aside.push(format!(".{}.part", std::process::id()));
        let aside = target.with_file_name(aside);
        let blobs = aside.join("blobs/sha256");
        fs::create_dir_all(&blobs).with_context(|| format!("make {}", blobs.display()))?;
        let target = target.to_owned();
        Ok(Self { target, aside })
    }

    /// Keeps a document or a blob under its digest.
    pub(super) fn blob(&mut self, bytes: &[u8]) -> Result<()> {
        let path = bundle::blob_path(&bundle::digest(bytes));
        if self.aside.join(&path).exists() {
            return Ok(());
        }
        self.write(&path, bytes)
    }

    pub(super) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let path = self.aside.join(path);
        fs::write(&path, bytes).with_context(|| format!("write {}", path.display()))
    }

    /// Gives the layout its name.
    pub(super) fn finish(self) -> Result<()> {
        let failed = || format!("write {}", self.target.display());
        if self.target.extension().is_none_or(|end| end != "tar") {
            return fs::rename(&self.aside, &self.target).with_context(failed);
        }
        let archive = self.aside.join("layout.tar");
        self.pack(&archive).with_context(failed)?;
        fs::rename(&archive, &self.target).with_context(failed)
    }

    /// Names in order, without times and owners: equal layouts are equal archives.
    fn pack(&self, archive: &Path) -> Result<()> {
        let mut paths = vec![bundle::LAYOUT_FILE.to_owned(), "index.json".to_owned()];
        for folder in ["", "blobs/sha256/"] {
            let mut files = Vec::new();
            for entry in fs::read_dir(self.aside.join(folder))? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    files.push(format!("{folder}{}", entry.file_name().display()));
                }
            }
            files.sort();
            files.retain(|file| !paths.contains(file));
            paths.extend(files);
        }
        let mut builder = tar::Builder::new(File::create(archive)?);
        for path in paths.iter().filter(|path| *path != "layout.tar") {
            let mut file = File::open(self.aside.join(path))?;
            let mut header = tar::Header::new_ustar();
            header.set_size(file.metadata()?.len());
            header.set_mode(0o644);
            header.set_mtime(0);
            builder.append_data(&mut header, path, &mut file)?;
        }
        builder.into_inner()?.flush()?;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if self.aside.exists()
            && let Err(error) = fs::remove_dir_all(&self.aside)
        {
            eprintln!("remove {}: {error}", self.aside.display());
        }
    }
}
