//! Files into a [`Chart`], and the charts in `charts/` with them.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::yaml;

use super::archive::Reading;
use super::error::{ArchiveError, DataError};
use super::metadata::Draft;
use super::{Chart, Error, File, Files, Warning, archive, decode, extension, sniff, values};

/// Charts within charts, each a level: far beyond any real chart, and safe for the stack.
const MAX_DEPTH: usize = 64;

/// Where the charts are that a chart depends on.
const CHARTS: &str = "charts/";

/// All bytes that a chart and the archives within it may unpack to.
const MAX_NESTED_SIZE: u64 = 4 * super::MAX_CHART_SIZE;

/// Loads an archive.
// helm: pkg/chart/loader LoadArchive
pub(super) fn archive(bytes: &[u8], reading: Reading) -> Result<Chart, Error> {
    let mut loader = Loader {
        reading,
        ..Loader::default()
    };
    let files = loader.unpack(bytes).map_err(|error| match error {
        ArchiveError::Gzip => Error::NoGzip,
        other => Error::Archive(other),
    })?;
    loader.detected(files)
}

/// Loads an archive that was found under a name.
// helm: pkg/chart/loader LoadFile
pub(super) fn archive_file(name: &str, bytes: &[u8]) -> Result<Chart, Error> {
    sniff::ensure_archive(name, bytes).map_err(Error::NotAnArchive)?;
    let mut loader = Loader::default();
    let files = loader.unpack(bytes).map_err(|error| match error {
        ArchiveError::Gzip => Error::NotAnArchive(format!(
            "file '{name}' does not appear to be a valid chart file (details: {error})"
        )),
        _ => Error::ArchiveFile,
    })?;
    loader.detected(files).map_err(|error| {
        let text = sentence(&error);
        // helm: whatever part of the chart it is that is no gzip, the file is blamed
        if text.ends_with(&ArchiveError::Gzip.to_string()) {
            Error::NotAnArchive(format!(
                "file '{name}' does not appear to be a valid chart file (details: {text})"
            ))
        } else {
            error
        }
    })
}

/// An error and its sources as one sentence.
fn sentence(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", sentence(source)),
        None => error.to_string(),
    }
}

/// Loads files.
pub(super) fn files(files: Files) -> Result<Chart, Error> {
    let mut loader = Loader::default();
    loader.root(files)
}

/// What a `Chart.yaml` says, once it is known to be of a version that Helm knows.
#[derive(Debug)]
pub(crate) struct Detected(Value);

/// Reads a `Chart.yaml`, and refuses one of a version that Helm does not know.
// helm: pkg/chart/loader LoadDir and LoadFile
pub(crate) fn detect(chart_yaml: &[u8]) -> Result<Detected, Error> {
    let failed = |source| Error::File {
        file: "Chart.yaml",
        source,
    };
    let document = parse(chart_yaml).map_err(failed)?;
    let version = decode::api_version(&document).map_err(|error| failed(error.into()))?;
    match version.as_str() {
        "" | "v1" | "v2" | "v3" => Ok(Detected(document)),
        _ => Err(Error::UnsupportedVersion),
    }
}

fn parse(data: &[u8]) -> Result<Value, DataError> {
    Ok(yaml::from_slice(data)?)
}

/// What is shared by a chart and all those within it.
#[derive(Default)]
struct Loader {
    reading: Reading,
    warnings: Vec<Warning>,
    unpacked: u64,
    depth: usize,
}

impl Loader {
    fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<File>, ArchiveError> {
        let left = MAX_NESTED_SIZE.saturating_sub(self.unpacked);
        let files = archive::unpack(bytes, left, self.reading)?;
        self.unpacked += files.iter().map(|file| file.data.len() as u64).sum::<u64>();
        Ok(files)
    }

    fn detected(&mut self, files: Vec<File>) -> Result<Chart, Error> {
        let chart_yaml = files
            .iter()
            .find(|file| file.name == "Chart.yaml")
            .ok_or(Error::Undetected)?;
        let detected = detect(&chart_yaml.data)?;
        self.root(Files::detected(files, detected))
    }

    fn root(&mut self, files: Files) -> Result<Chart, Error> {
        let mut chart = self.chart(files)?;
        chart.adopt(None);
        chart.warnings = std::mem::take(&mut self.warnings);
        Ok(chart)
    }

    // helm: pkg/chart/v2/loader LoadFiles
    fn chart(&mut self, files: Files) -> Result<Chart, Error> {
        let Files {
            all: files,
            mut detected,
        } = files;
        let mut parts = Parts::default();
        for file in files.iter().filter(|file| file.name == "Chart.yaml") {
            match detected.take() {
                // it was read of the first one
                Some(Detected(document)) => parts.chart_yaml(Ok(document))?,
                None => parts.chart_yaml(parse(&file.data))?,
            }
        }
        let mut nested: BTreeMap<String, Vec<File>> = BTreeMap::new();
        for mut file in files {
            match file.name.strip_prefix(CHARTS) {
                Some(rest) if extension(rest) != ".prov" => {
                    let (folder, _) = rest.split_once('/').unwrap_or((rest, ""));
                    let files = match nested.get_mut(folder) {
                        Some(files) => files,
                        None => nested.entry(folder.to_owned()).or_default(),
                    };
                    file.name.drain(..CHARTS.len());
                    files.push(file);
                }
                _ => parts.file(file, &mut self.warnings)?,
            }
        }
        let mut chart = parts.finish()?;
        for (folder, files) in nested {
            if folder.starts_with(['_', '.']) {
                continue;
            }
            let dependency = self.subchart(&chart, &folder, files)?;
            chart.dependencies.push(dependency);
        }
        Ok(chart)
    }

    fn subchart(&mut self, parent: &Chart, folder: &str, files: Vec<File>) -> Result<Chart, Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error::Depth(MAX_DEPTH));
        }
        self.depth += 1;
        let loaded = if extension(folder) == ".tgz" {
            let file = &files[0];
            if file.name != folder {
                return Err(Error::SubchartName {
                    chart: parent.name().to_owned(),
                    expected: folder.to_owned(),
                    found: file.name.clone(),
                });
            }
            self.unpack(&file.data)
                .map_err(Error::SubchartArchive)
                .and_then(|files| self.chart(files.into()))
        } else {
            // a file that lies in charts/ itself belongs to no chart
            let inner = files.into_iter().filter_map(|mut file| {
                let slash = file.name.find('/')?;
                file.name.drain(..=slash);
                Some(file)
            });
            self.chart(inner.collect::<Vec<_>>().into())
        };
        self.depth -= 1;
        loaded.map_err(|source| Error::Subchart {
            subchart: folder.to_owned(),
            chart: parent.name().to_owned(),
            source: Box::new(source),
        })
    }
}

/// A chart while its files are sorted into it.
#[derive(Default)]
struct Parts {
    draft: Option<Draft>,
    chart: Chart,
    files: Vec<File>,
}

impl Parts {
    fn chart_yaml(&mut self, document: Result<Value, DataError>) -> Result<(), Error> {
        let draft = self.draft.get_or_insert_default();
        document
            .and_then(|document| Ok(decode::metadata(draft, &document)?))
            .map_err(|source| Error::File {
                file: "Chart.yaml",
                source,
            })?;
        // helm: charts of Helm 2 had no API version
        if draft.metadata.api_version.is_empty() {
            "v1".clone_into(&mut draft.metadata.api_version);
        }
        Ok(())
    }

    fn file(&mut self, file: File, warnings: &mut Vec<Warning>) -> Result<(), Error> {
        match file.name.as_str() {
            "Chart.yaml" => self.chart.modified[0] = file.modified,
            "Chart.lock" => self.lock("Chart.lock", &file)?,
            "values.yaml" => {
                self.chart.values = values::read(&file.data).map_err(|source| Error::File {
                    file: "values.yaml",
                    source,
                })?;
            }
            "values.schema.json" => {
                self.chart.schema = Some(file.data);
                self.chart.modified[1] = file.modified;
            }
            "requirements.yaml" => self.requirements(file, warnings)?,
            "requirements.lock" => {
                self.lock("requirements.lock", &file)?;
                if !self.keep_of_first_version(file) {
                    warnings.push(Warning::info(
                        "Warning: Dependency locking is handled in Chart.lock since apiVersion \"v2\". We recommend migrating to Chart.lock.",
                    ));
                }
            }
            name if name.starts_with("templates/") => self.chart.templates.push(file),
            _ => self.files.push(file),
        }
        Ok(())
    }

    fn lock(&mut self, name: &'static str, file: &File) -> Result<(), Error> {
        self.chart.lock = parse(&file.data)
            .and_then(|document| Ok(decode::lock(&document)?))
            .map_err(|source| Error::File { file: name, source })?;
        Ok(())
    }

    fn requirements(&mut self, file: File, warnings: &mut Vec<Warning>) -> Result<(), Error> {
        let draft = self.draft.get_or_insert_default();
        if draft.metadata.api_version != "v1" {
            warnings.push(Warning::info(
                "Warning: Dependencies are handled in Chart.yaml since apiVersion \"v2\". We recommend migrating dependencies to Chart.yaml.",
            ));
        }
        parse(&file.data)
            .and_then(|document| Ok(decode::metadata(draft, &document)?))
            .map_err(|source| Error::File {
                file: "requirements.yaml",
                source,
            })?;
        self.keep_of_first_version(file);
        Ok(())
    }

    /// Charts of the first API version keep the file among the others; answers whether it did.
    fn keep_of_first_version(&mut self, file: File) -> bool {
        let first = self.draft.get_or_insert_default().metadata.api_version == "v1";
        if first {
            self.files.push(file);
        }
        first
    }

    fn finish(self) -> Result<Chart, Error> {
        let draft = self.draft.ok_or(Error::MissingMetadata)?;
        Ok(Chart {
            metadata: draft.validate()?,
            files: Arc::new(self.files),
            ..self.chart
        })
    }
}
