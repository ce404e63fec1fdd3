//! A chart, as Helm reads it.
//!
//! In: the bytes of a packaged chart, or its files by name; then the values a person gave. Out: a
//! [`Chart`] with its dependencies, those that are switched off removed ([`dependency::process`]),
//! the values its templates see ([`values::coalesce`]), checked against the chart's own schemas
//! ([`schema::validate`]). `--set` and its family are read by [`strvals`], `.helmignore` by
//! [`ignore`]. What Helm refuses is refused in its words: an [`Error`] and its sources joined by
//! `": "` are Helm's sentence.
//!
//! Never: a file, a network, a clock, or a cluster. Every input is bounded; none can make this
//! room panic.

mod archive;
mod coalesced;
mod decode;
pub mod dependency;
mod error;
pub mod ignore;
mod install;
mod json;
mod load;
mod metadata;
mod moment;
mod print;
mod quote;
mod record;
pub mod schema;
mod sniff;
pub mod strvals;
mod table;
pub mod values;
mod warning;

use std::sync::Arc;

use archive::Reading;
use jiff::Timestamp;
use serde_json::{Map, Value};

pub(crate) use archive::without_mark;
pub use coalesced::{Coalesced, Entry, Iter, Joined, Values};
pub use error::{ArchiveError, DataError, Error};
pub(crate) use load::{Detected, detect};
pub use metadata::{Dependency, Lock, Maintainer, Metadata};
pub use warning::{Level, Warning};

/// The most bytes that the files of one chart may hold, unpacked.
// helm: pkg/chart/loader/archive MaxDecompressedChartSize
pub const MAX_CHART_SIZE: u64 = 100 * 1024 * 1024;

/// One file of a chart: its path below the chart's folder, always with `/`, and its bytes
/// without a leading byte order mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path below the chart's folder, such as `templates/service.yaml`.
    pub name: String,
    /// What the file holds.
    pub data: Arc<[u8]>,
    /// When it was last changed, where its archive says so.
    pub modified: Option<Timestamp>,
}

/// The files of a chart, as they come out of an archive or a folder.
#[derive(Debug)]
pub struct Files {
    all: Vec<File>,
    /// What the first `Chart.yaml` says, where that was read already.
    detected: Option<Detected>,
}

impl Files {
    pub(crate) fn detected(all: Vec<File>, detected: Detected) -> Self {
        Self {
            all,
            detected: Some(detected),
        }
    }
}

impl From<Vec<File>> for Files {
    fn from(all: Vec<File>) -> Self {
        Self {
            all,
            detected: None,
        }
    }
}

/// A file of a `crds/` folder, and where it stands.
#[derive(Clone, Debug)]
pub struct Crd<'a> {
    /// The path below the root chart, with the names of the charts on the way, such as
    /// `root/charts/child/crds/thing.yaml`.
    pub path: String,
    /// The file; its name is the path below its own chart.
    pub file: &'a File,
}

/// A chart and its dependencies.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// `Chart.yaml`, sanitised and validated.
    pub metadata: Metadata,
    /// `Chart.lock`, or `requirements.lock`.
    pub lock: Option<Lock>,
    /// The files below `templates/`.
    pub templates: Vec<File>,
    /// `values.yaml`; after [`dependency::process`] with the values of the dependencies.
    pub values: Map<String, Value>,
    /// `values.schema.json`.
    pub schema: Option<Arc<[u8]>>,
    /// When `Chart.yaml` and `values.schema.json` were last changed.
    pub(in crate::chart) modified: [Option<Timestamp>; 2],
    /// The files that are nothing of the above; `.Files` shows them to templates.
    pub files: Arc<Vec<File>>,
    /// The charts in `charts/`; after [`dependency::process`] those that are switched on.
    pub dependencies: Vec<Chart>,
    /// What Helm says on standard error while it loads this chart and its dependencies.
    pub warnings: Vec<Warning>,
    /// The full path of the chart that this one belongs to.
    pub(in crate::chart) parent: Option<Arc<str>>,
}

impl Chart {
    /// Reads a packaged chart (`.tgz`).
    ///
    /// # Errors
    /// Where the archive is broken, too large or leaves its folder, where a file of it does not
    /// parse, or where `Chart.yaml` is not valid.
    pub fn load(archive: &[u8]) -> Result<Self, Error> {
        load::archive(archive, Reading::AsHelm)
    }

    /// Reads a packaged chart that is to be installed: as [`Chart::load`], but for archives that Helm
    /// reads as something else than they seem to be. It takes a link for an empty file, and of two
    /// `Chart.yaml` it takes what it likes.
    ///
    /// # Errors
    /// As [`Chart::load`], and for a link, and for a `Chart.yaml` that is there twice.
    pub fn load_exact(archive: &[u8]) -> Result<Self, Error> {
        load::archive(archive, Reading::Exact)
    }

    /// Reads a packaged chart that was found under a file name, with the sentences of
    /// `helm template FILE` where it is none.
    ///
    /// # Errors
    /// As [`Chart::load`].
    pub fn load_file(name: &str, archive: &[u8]) -> Result<Self, Error> {
        load::archive_file(name, archive)
    }

    /// Puts a chart together from files, as they come out of an archive or a folder.
    ///
    /// # Errors
    /// Where a file does not parse, or where `Chart.yaml` is missing or not valid.
    pub fn from_files(files: impl Into<Files>) -> Result<Self, Error> {
        load::files(files.into())
    }

    /// Checks that Helm installs this chart: it must be an application, of an API version that
    /// can be installed, with every dependency it names in `charts/`. What Helm says on standard
    /// error on the way is added to `warnings`.
    ///
    /// # Errors
    /// Where it does not.
    pub fn check_installable(&self, warnings: &mut Vec<Warning>) -> Result<(), Error> {
        install::check(self, warnings)
    }

    /// Whether the cluster's version is one the chart is made for: `normalized` (`v1.36.3`) is
    /// compared, `version` (`v1.36.3-gke.100`) is named in the error.
    ///
    /// # Errors
    /// Where `kubeVersion` excludes it.
    pub fn check_compatible(&self, normalized: &str, version: &str) -> Result<(), Error> {
        install::compatible(self, normalized, version)
    }

    /// When `Chart.yaml` was last changed, where the chart's archive says so.
    pub fn modified(&self) -> Option<Timestamp> {
        self.modified[0]
    }

    /// The chart's name; the alias, where a parent uses it under one.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether this chart is nobody's dependency.
    pub fn is_root(&self) -> bool {
        self.parent.is_none()
    }

    /// Whether the chart only lends its named templates to others.
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
    }

    /// The names of the charts from the root to this one, such as `root/charts/child`.
    pub fn chart_full_path(&self) -> String {
        match &self.parent {
            Some(parent) => format!("{parent}/charts/{}", self.name()),
            None => self.name().to_owned(),
        }
    }

    /// The files in the `crds/` folders of this chart and then of its dependencies.
    // helm: pkg/chart/v2/chart.go CRDObjects
    pub fn crds(&self) -> Vec<Crd<'_>> {
        let mut found = Vec::new();
        self.collect_crds(&mut found);
        found
    }

    fn collect_crds<'a>(&'a self, found: &mut Vec<Crd<'a>>) {
        let own = self
            .files
            .iter()
            .filter(|file| file.name.starts_with("crds/") && is_manifest(&file.name));
        found.extend(own.map(|file| Crd {
            path: format!("{}/{}", self.chart_full_path(), file.name),
            file,
        }));
        for dependency in &self.dependencies {
            dependency.collect_crds(found);
        }
    }

    /// Tells this chart, and through it every dependency, where it stands.
    fn adopt(&mut self, parent: Option<Arc<str>>) {
        self.parent = parent;
        if self.dependencies.is_empty() {
            return;
        }
        let path: Arc<str> = self.chart_full_path().into();
        for dependency in &mut self.dependencies {
            dependency.adopt(Some(Arc::clone(&path)));
        }
    }
}

fn is_manifest(name: &str) -> bool {
    let extension = extension(name);
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// What follows the last dot of the last element of a path, dot included.
// go: path/filepath Ext
fn extension(path: &str) -> &str {
    let base = path.rfind('/').map_or(path, |slash| &path[slash + 1..]);
    base.rfind('.').map_or("", |dot| &base[dot..])
}
