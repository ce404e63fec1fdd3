//! Rendered files become manifests and hooks, in install order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Error;
use super::head::{Head, Part};
use super::hook::{DeletePolicy, Execution, Hook, HookEvent, OutputLogPolicy};
use super::order::Order;
use super::split::split_bytes;
use crate::yaml;

/// One object's text, which is not a hook's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The template that it comes from, chart name first.
    pub path: String,
    /// Its YAML text; perhaps only comments.
    pub content: String,
    /// `apiVersion`, empty where there is none.
    pub api_version: String,
    /// `kind`, empty where there is none.
    pub kind: String,
}

/// What [`sort`] makes of rendered files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sorted {
    /// The hooks, by kind.
    pub hooks: Vec<Hook>,
    /// All else, by kind.
    pub manifests: Vec<Manifest>,
}

/// Splits rendered files into objects, parts hooks from the rest, and orders both by kind.
///
/// In: text by path. Partials (`_*`) and blank files are left out, and so are the objects whose
/// `helm.sh/hook` names an event that Helm does not know: those annotations are added to
/// `unknown_hooks`, also before an error. helm: pkg/release/v1/util/manifest_sorter.go SortManifests
///
/// # Errors
/// [`Error::Yaml`] for the first document, in order of paths, that is no YAML object.
pub fn sort(
    files: &BTreeMap<String, Vec<u8>>,
    unknown_hooks: &mut Vec<String>,
) -> Result<Sorted, Error> {
    let mut sorted = Sorted::default();
    for (path, content) in files {
        let base = path.rsplit('/').next().unwrap_or(path);
        if !base.starts_with('_') {
            sort_file(path, content, &mut sorted, unknown_hooks)?;
        }
    }
    let by_kind = |left: &str, right: &str| Order::Install.compare(left, right);
    sorted
        .hooks
        .sort_by(|left, right| by_kind(&left.kind, &right.kind));
    sorted
        .manifests
        .sort_by(|left, right| by_kind(&left.kind, &right.kind));
    Ok(sorted)
}

fn sort_file(
    path: &str,
    content: &[u8],
    sorted: &mut Sorted,
    unknown_hooks: &mut Vec<String>,
) -> Result<(), Error> {
    for document in split_bytes(content) {
        let broken = |message| Error::Yaml {
            path: path.to_owned(),
            message,
        };
        let tree = yaml::from_slice_selected(document, Part::Document)
            .map_err(|error| broken(error.to_string()))?;
        let head = Head::read(&tree).map_err(broken)?;
        // The YAML reader takes nothing but UTF-8 (and UTF-16).
        let document = match std::str::from_utf8(document) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(document),
        };
        match head.annotations.get("helm.sh/hook") {
            None => sorted.manifests.push(Manifest {
                path: path.to_owned(),
                content: document.into_owned(),
                api_version: head.api_version,
                kind: head.kind,
            }),
            Some(events) => match read_events(events) {
                Some(events) => sorted.hooks.push(hook(path, &document, head, events)),
                None => unknown_hooks.push(events.clone()),
            },
        }
    }
    Ok(())
}

fn hook(path: &str, manifest: &str, head: Head, events: Vec<HookEvent>) -> Hook {
    let annotation = |key: &str| head.annotations.get(key).map(String::as_str);
    Hook {
        weight: annotation("helm.sh/hook-weight").map_or(0, read_weight),
        delete_policies: words(annotation("helm.sh/hook-delete-policy"), DeletePolicy),
        output_log_policies: words(
            annotation("helm.sh/hook-output-log-policy"),
            OutputLogPolicy,
        ),
        name: head.name,
        kind: head.kind,
        path: path.to_owned(),
        manifest: manifest.to_owned(),
        events,
        last_run: Execution::default(),
        unknown: serde_json::Map::new(),
    }
}

/// The events of the annotation; `None` if any is unknown.
fn read_events(annotation: &str) -> Option<Vec<HookEvent>> {
    let word = |word: &str| HookEvent::named(&word.trim().to_lowercase());
    annotation.split(',').map(word).collect()
}

/// Go's `strconv.Atoi`, which takes a sign but no blanks; what it refuses weighs nothing.
fn read_weight(annotation: &str) -> i64 {
    annotation.parse().unwrap_or(0)
}

fn words<T>(annotation: Option<&str>, make: impl Fn(String) -> T) -> Vec<T> {
    let Some(annotation) = annotation else {
        return Vec::new();
    };
    annotation
        .split(',')
        .map(|word| make(word.trim().to_lowercase()))
        .collect()
}
