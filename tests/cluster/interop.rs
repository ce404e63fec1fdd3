//! Other programs' releases, and ours in their hands: helm 3, and what has Helm built in.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::server_side::managers;
use crate::stage::{Space, Stage};

fn helm3(space: &Space, arguments: &[&str]) -> Result<String> {
    let arguments = [arguments, &["-n", space.name]].concat();
    space.stage.testbed.helm3(&arguments)?.successful()
}

fn history(space: &Space) -> Result<Vec<(i64, String)>> {
    let text = helm3(space, &["history", "shop", "-o", "json"])?;
    let revisions: Vec<Value> = serde_json::from_str(&text)?;
    let told = revisions.iter().map(|revision| {
        let status = revision["status"].as_str().unwrap_or_default();
        (
            revision["revision"].as_i64().unwrap_or_default(),
            status.to_owned(),
        )
    });
    Ok(told.collect())
}

/// The uid of the one pod.
fn pod(space: &Space) -> Result<String> {
    let uids = "jsonpath={.items[*].metadata.uid}";
    space.kubectl(&["get", "pods", "-o", uids])
}

fn greeting(space: &Space) -> Result<Value> {
    Ok(space.get("cm/shop-config")?["data"]["greeting"].clone())
}

#[test]
fn helm_3_works_on_our_release_and_takes_it_back() -> Result<()> {
    let space = Stage::shared().namespace("helm-three")?;
    space.apply(&space.release("shop", "values: {greeting: one}"))?;
    space.ready("shop")?;
    space.apply(&space.release(
        "shop",
        "values: {greeting: two}\ndeletion: {policy: Orphan}",
    ))?;
    space.until("cm/shop-config", |map| map["data"]["greeting"] == "two")?;
    space.ready("shop")?;
    let before = pod(&space)?;
    space.kubectl(&["delete", "hr/shop"])?;

    assert!(helm3(&space, &["list"])?.contains("web-1.0.0"));
    assert!(helm3(&space, &["status", "shop"])?.contains("STATUS: deployed"));
    assert!(helm3(&space, &["get", "all", "shop"])?.contains("greeting: two"));
    assert!(helm3(&space, &["get", "manifest", "shop", "--revision=1"])?.contains("one"));
    helm3(&space, &["rollback", "shop", "1", "--wait"])?;
    assert_eq!(greeting(&space)?, "one");
    let chart = format!("{}/web", space.stage.registry());
    let options = ["--version", "1.0.0", "--plain-http", "--wait"];
    let upgrade = [
        "upgrade",
        "shop",
        &chart,
        "--reuse-values",
        "--set",
        "extra=true",
    ];
    helm3(&space, &[&upgrade, &options[..]].concat())?;
    assert_eq!(greeting(&space)?, "one");
    assert!(!space.get("cm/shop-extra")?.is_null());
    let wanted = [
        (1, "superseded"),
        (2, "superseded"),
        (3, "superseded"),
        (4, "deployed"),
    ];
    assert_eq!(history(&space)?, wanted.map(|(r, s)| (r, s.to_owned())));
    assert_eq!(pod(&space)?, before, "no pod was restarted");
    helm3(&space, &["uninstall", "shop", "--wait"])?;
    assert!(space.get("deploy/shop")?.is_null());
    assert!(!helm3(&space, &["list", "-a"])?.contains("shop"));
    Ok(())
}

#[test]
fn a_release_of_helm_3_is_adopted_with_its_history() -> Result<()> {
    let space = Stage::shared().namespace("of-helm-three")?;
    let chart = format!("{}/web", space.stage.registry());
    let options = ["--version", "1.0.0", "--plain-http", "--wait"];
    for (verb, greeting) in [("install", "greeting=one"), ("upgrade", "greeting=two")] {
        let deed = [verb, "shop", &chart, "--set", greeting];
        helm3(&space, &[&deed, &options[..]].concat())?;
    }
    let before = pod(&space)?;
    let declare = |values: &str| {
        let spec = format!("retries: 0\ntimeout: 20s\nvalues: {values}");
        space.apply(&space.release("shop", &spec))
    };
    declare("{greeting: two}")?;
    let release = space.ready("shop")?;
    let known = release["status"]["history"].as_array();
    assert_eq!(known.map(Vec::len), Some(2), "nothing was to do");
    declare("{greeting: three}")?;
    space.until("cm/shop-config", |map| map["data"]["greeting"] == "three")?;
    space.ready("shop")?;
    // What fails goes back, to a revision of ours, and to Helm 3's.
    declare("{greeting: four, broken: true}")?;
    space.failed("shop", "RetriesExceeded")?;
    assert_eq!(greeting(&space)?, "three");
    let statuses = history(&space)?;
    let last = statuses.last().map(|(_, status)| status.as_str());
    assert_eq!(
        (statuses.len(), last),
        (5, Some("deployed")),
        "{statuses:?}"
    );
    assert_eq!(pod(&space)?, before, "no pod was restarted");
    space.kubectl(&["delete", "hr/shop"])?;
    assert!(space.get("deploy/shop")?.is_null());
    assert!(!helm3(&space, &["list", "-a"])?.contains("shop"));
    Ok(())
}

/// Has the objects look as if another program had applied them that has Helm built in.
fn applied_by(space: &Space, manager: &str, objects: &[&str]) -> Result<()> {
    for object in objects {
        let text = space.kubectl(&["get", object, "-o", "json", "--show-managed-fields"])?;
        let live: Value = serde_json::from_str(&text)?;
        let entries = live["metadata"]["managedFields"].as_array();
        let at = entries.and_then(|all| all.iter().position(|entry| entry["manager"] == "helm"));
        let at = at.context("helm applied it")?;
        let patch = format!(
            r#"[{{"op": "replace", "path": "/metadata/managedFields/{at}/manager", "value": "{manager}"}}]"#
        );
        space.kubectl(&["patch", object, "--type=json", "-p", &patch])?;
    }
    Ok(())
}

#[test]
fn a_release_of_flux_is_adopted_and_loses_only_its_labels() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("of-flux")?;
    // Flux adds its labels to every object, and the digest of what it fetched to the version.
    let folder = stage.testbed.dir().join("flux-chart");
    std::fs::create_dir_all(folder.join("templates"))?;
    let chart = crate::stage::chart_folder("web");
    for file in ["Chart.yaml", "values.yaml"] {
        std::fs::copy(chart.join(file), folder.join(file))?;
    }
    for entry in std::fs::read_dir(chart.join("templates"))? {
        let entry = entry?;
        let text = std::fs::read_to_string(entry.path())?;
        let labels = "labels:\n    helm.toolkit.fluxcd.io/name: shop\n    helm.toolkit.fluxcd.io/namespace: of-flux\n";
        let marked = text
            .replace("-config\ndata:", &format!("-config\n  {labels}data:"))
            .replace("\n  labels:\n", &format!("\n  {labels}"));
        std::fs::write(folder.join("templates").join(entry.file_name()), marked)?;
    }
    let to = stage.testbed.dir().display().to_string();
    let version = ["--version", "1.0.0+4f2c9a1b7d3e"];
    let package = ["package", &folder.display().to_string(), "-d", &to];
    stage
        .testbed
        .helm(&[&package, &version[..]].concat())?
        .successful()?;
    let archive = format!("{to}/web-1.0.0+4f2c9a1b7d3e.tgz");
    space.helm(&["install", "shop", &archive, "--wait"])?;
    applied_by(
        &space,
        "helm-controller",
        &["deploy/shop", "cm/shop-config", "svc/shop"],
    )?;
    let of_flux =
        |object: &Value| !object["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"].is_null();
    assert!(of_flux(&space.get("deploy/shop")?));
    assert!(of_flux(&space.get("cm/shop-config")?));
    let before = pod(&space)?;

    space.apply(&space.release("shop", ""))?;
    space.until("deploy/shop", |deployment| !of_flux(deployment))?;
    let release = space.ready("shop")?;
    let known = release["status"]["history"].as_array();
    assert_eq!(known.map(Vec::len), Some(2), "{release:#}");
    assert!(!of_flux(&space.get("cm/shop-config")?));
    assert_eq!(pod(&space)?, before, "no pod was restarted");
    let only = std::collections::BTreeSet::from(["helm-controller Apply".to_owned()]);
    assert_eq!(managers(&space, "deploy/shop")?, only);
    Ok(())
}
