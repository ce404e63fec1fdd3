//! Releases that Helm applied server-side are continued that way, under Helm's name and without
//! force.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::Value;

use crate::stage::{Space, Stage};

fn helm_installs(space: &Space, name: &str) -> Result<()> {
    let chart = format!("{}/web", space.stage.registry());
    let version = ["--version", "1.0.0", "--plain-http", "--wait"];
    space.helm(&[&["install", name, &chart], &version[..]].concat())?;
    Ok(())
}

/// Who manages fields of an object, but for its status: `name operation`.
pub(crate) fn managers(space: &Space, object: &str) -> Result<BTreeSet<String>> {
    let text = space.kubectl(&["get", object, "-o", "json", "--show-managed-fields"])?;
    let object: Value = serde_json::from_str(&text)?;
    let entries = object["metadata"]["managedFields"].as_array();
    let word = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    Ok(entries
        .into_iter()
        .flatten()
        .filter(|entry| entry["subresource"].is_null())
        .map(|entry| format!("{} {}", word(entry, "manager"), word(entry, "operation")))
        .filter(|manager| !manager.starts_with("kube-controller-manager"))
        .collect())
}

#[test]
fn helms_server_side_release_goes_on_under_helms_name() -> Result<()> {
    let space = Stage::shared().namespace("server-side")?;
    helm_installs(&space, "shop")?;
    // As an earlier version of this program would have left it.
    let patch = r#"{"data":{"greeting":"patched"}}"#;
    space.kubectl(&[
        "patch",
        "cm/shop-config",
        "--field-manager=pintle",
        "--type=merge",
        "-p",
        patch,
    ])?;
    space.apply(&space.release("shop", "values: {greeting: declared, extra: true}"))?;
    space.ready("shop")?;
    let config = space.get("cm/shop-config")?;
    assert_eq!(config["data"]["greeting"], "declared");
    for object in ["cm/shop-config", "cm/shop-extra", "deploy/shop"] {
        let only = BTreeSet::from(["helm Apply".to_owned()]);
        assert_eq!(managers(&space, object)?, only, "{object}");
    }
    // Drift is put back, and Helm is still the one who goes on with it.
    space.patch("cm/shop-config", patch)?;
    space.until("cm/shop-config", |map| {
        map["data"]["greeting"] == "declared"
    })?;
    let chart = format!("{}/web", space.stage.registry());
    let options = ["--version", "1.0.0", "--plain-http", "--wait"];
    let again = ["upgrade", "shop", &chart, "--set", "greeting=by hand"];
    space.patch("hr/shop", r#"{"spec":{"suspend":true}}"#)?;
    space.helm(&[&again, &options[..]].concat())?;
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "by hand");
    assert!(space.get("cm/shop-extra")?.is_null());
    Ok(())
}

#[test]
fn a_field_of_somebody_elses_is_a_failure_that_names_both() -> Result<()> {
    let space = Stage::shared().namespace("server-side-conflict")?;
    helm_installs(&space, "shop")?;
    space.kubectl(&[
        "patch",
        "cm/shop-config",
        "--field-manager=somebody",
        "--type=merge",
        "-p",
        r#"{"data":{"greeting":"theirs"}}"#,
    ])?;
    space.apply(&space.release(
        "shop",
        "retries: 0\natomic: false\nvalues: {greeting: declared}",
    ))?;
    let release = space.until("hr/shop", |release| {
        let message = space.message(release, "Ready");
        message.contains("somebody")
    })?;
    let message = space.message(&release, "Ready");
    assert!(
        message.contains("ConfigMap") && message.contains(".data.greeting"),
        "{message}"
    );
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "theirs");
    Ok(())
}
