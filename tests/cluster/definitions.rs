//! What a chart's crds/ folder defines is known to the templates that ask for it, however many
//! releases bring definitions at once.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::json;

use crate::stage::{Space, Stage};

/// Charts at once, each with a group of its own.
const CHARTS: usize = 12;

/// A chart with a definition of two versions, of which one is `served`, and a template that asks for both.
fn write_chart(folder: &Path, name: &str, version: &str, served: &str) -> Result<()> {
    let group = format!("{name}.example.com");
    fs::create_dir_all(folder.join("crds"))?;
    fs::create_dir_all(folder.join("templates"))?;
    fs::write(
        folder.join("Chart.yaml"),
        format!("{{apiVersion: v2, name: {name}, version: {version}}}"),
    )?;
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    let offered = |name: &str| json!({"name": name, "served": name == served, "storage": name == "v1", "schema": schema});
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gadgets.{group}")},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": "Gadget", "plural": "gadgets"},
            "versions": [offered("v1"), offered("v1beta1")],
        },
    });
    fs::write(folder.join("crds/gadget.yaml"), definition.to_string())?;
    fs::write(
        folder.join("templates/known.yaml"),
        format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{v1: \
             '{{{{ .Capabilities.APIVersions.Has \"{group}/v1/Gadget\" }}}}', v1beta1: \
             '{{{{ .Capabilities.APIVersions.Has \"{group}/v1beta1/Gadget\" }}}}'}}}}"
        ),
    )?;
    Ok(())
}

/// Declares every chart in this version, and answers where a template was told something else.
fn told_otherwise(space: &Space, version: &str, served: &str) -> Result<Vec<String>> {
    let charts = tempfile::tempdir()?;
    let names: Vec<String> = (0..CHARTS).map(|n| format!("defining-{n}")).collect();
    for name in &names {
        let folder = charts.path().join(name);
        write_chart(&folder, name, version, served)?;
        space.stage.publish_as_is(&folder)?;
    }
    let releases = names.iter().map(|name| {
        let spec = format!("name: {name}\nversion: {version}\ncrds: Upgrade");
        space.release(name, &spec)
    });
    space.apply(&releases.collect::<Vec<_>>().join("---\n"))?;
    let mut otherwise = Vec::new();
    for name in &names {
        space.ready(name)?;
        let known = space.get(&format!("cm/{name}"))?["data"].clone();
        let expected = |name: &str| (name == served).to_string();
        if known["v1"] != expected("v1") || known["v1beta1"] != expected("v1beta1") {
            otherwise.push(format!("{name} {version}: {known}"));
        }
    }
    Ok(otherwise)
}

#[test]
fn templates_know_what_their_chart_defines() -> Result<()> {
    let space = Stage::shared().namespace("definitions")?;
    let mut otherwise = told_otherwise(&space, "1.0.0", "v1")?;
    otherwise.extend(told_otherwise(&space, "2.0.0", "v1beta1")?);
    assert!(otherwise.is_empty(), "{otherwise:#?}");
    space.kubectl(&["delete", "hr", "--all", "--timeout=60s"])?;
    Ok(())
}
