//! The manifests of examples/, made to fit the demo's registry.
//!
//! In: a file's name, the registry. Out: JSON for kubectl. Never: a change of anything but
//! `spec.repo` and `spec.insecure` of a HelmRelease.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// What the manifests name, for readers to replace by their own.
const PLACEHOLDER: &str = "oci://registry.example.com/charts";

/// A file of examples/.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}

/// A manifest as it stands in its file, without its comments.
pub(crate) fn shown(name: &str) -> Result<String> {
    let text = read(name)?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    Ok(lines.join("\n"))
}

/// A manifest as one JSON list, whose HelmReleases take their charts from this registry.
pub(crate) fn adapted(name: &str, registry: &str) -> Result<String> {
    let mut objects =
        pintle::manifest::parse(&read(name)?).with_context(|| format!("read examples/{name}"))?;
    for object in objects
        .iter_mut()
        .filter(|object| object.key.kind == "HelmRelease")
    {
        let spec = &mut object.value["spec"];
        ensure!(
            spec["repo"] == PLACEHOLDER,
            "examples/{name}: {} names the repository {}, not {PLACEHOLDER}",
            object.key,
            spec["repo"]
        );
        spec["repo"] = registry.into();
        spec["insecure"] = true.into();
    }
    let items: Vec<Value> = objects.into_iter().map(|object| object.value).collect();
    Ok(json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string())
}

fn read(name: &str) -> Result<String> {
    let path = path(name);
    std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
}
