//! Which release, and which chart.

use std::path::{Path, PathBuf};

use pintle::chart::Chart;
use pintle::source::directory;

use super::{Failed, TemplateArguments};

/// The release's name and the chart that the arguments name.
/// helm: pkg/action/install.go NameAndChart
pub(super) fn name_and_chart(arguments: &TemplateArguments) -> Result<(String, String), Failed> {
    let failed = |words: &str| Err(Failed(words.to_owned()));
    match arguments.arguments.as_slice() {
        [] => failed(
            "\"helm template\" requires at least 1 argument\n\nUsage:  helm template [NAME] [CHART] [flags]",
        ),
        [chart] => Ok((single(arguments, chart)?, chart.clone())),
        [_, _] if arguments.generate_name => {
            failed("cannot set --generate-name and also specify a name")
        }
        [_, _] if arguments.name_template.is_some() => {
            failed("cannot set --name-template and also specify a name")
        }
        [name, chart] => Ok((name.clone(), chart.clone())),
        [_, _, more @ ..] => Err(Failed(format!(
            "expected at most two arguments, unexpected arguments: {}",
            more.join(", ")
        ))),
    }
}

/// The name of a release that the arguments do not name. Helm's `template`, unlike its `install`,
/// has one ready, so that `--generate-name` never comes to bear.
fn single(arguments: &TemplateArguments, _chart: &str) -> Result<String, Failed> {
    match &arguments.name_template {
        Some(template) if !template.is_empty() => {
            let environment = super::environment(arguments.enable_dns);
            pintle::render::text(template, environment).map_err(|error| Failed::of(&error))
        }
        _ => Ok("release-name".to_owned()),
    }
}

/// helm: pkg/chart/v2/util/validate_name.go, pkg/action/install.go availableName
pub(super) fn check_name(name: &str) -> Result<(), Failed> {
    let reason = if name.is_empty() {
        "no name provided"
    } else if name.len() > 53 || !name.split('.').all(is_label) {
        "invalid release name, must match regex \
         ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ \
         and the length must not be longer than 53"
    } else {
        return Ok(());
    };
    let error = format!("release name {name:?}: {reason}");
    super::say(&[
        pintle::chart::Warning::error("release name check failed").with("error", error.as_str())
    ]);
    Err(Failed(format!("release name check failed: {error}")))
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    bytes.first().is_some_and(|byte| inner(*byte))
        && bytes.last().is_some_and(|byte| inner(*byte))
        && bytes.iter().all(|byte| inner(*byte) || *byte == b'-')
}

/// Where the chart is. helm: pkg/action/install.go LocateChart
pub(super) fn locate(reference: &str) -> Result<PathBuf, Failed> {
    let reference = reference.trim();
    let path = Path::new(reference);
    if path.exists() {
        return std::path::absolute(path).map_err(|error| Failed::of(&error));
    }
    if path.is_absolute() || reference.starts_with('.') {
        return Err(Failed(format!("path {reference:?} not found")));
    }
    Err(Failed(match reference.split_once('/') {
        Some((repository, _)) => format!("repo {repository} not found"),
        None => format!(
            "non-absolute URLs should be in form of repo_name/path_to_chart, got: {reference}"
        ),
    }))
}

/// Reads the chart, be it a folder or an archive.
pub(super) fn load(place: &Path) -> Result<Chart, Failed> {
    let loaded = if place.is_dir() {
        let mut warnings = Vec::new();
        let files = directory::read(place, &mut warnings);
        super::say(&warnings);
        let files = files.map_err(|error| Failed::of(&error))?;
        Chart::from_files(files)
    } else {
        let bytes = std::fs::read(place)
            .map_err(|error| Failed(format!("open {}: {error}", place.display())))?;
        Chart::load_file(&place.to_string_lossy(), &bytes)
    };
    loaded.map_err(|error| Failed::of(&error))
}
