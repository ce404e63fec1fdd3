//! What changes when the spec changes, and what does not when it does not.

use anyhow::Result;

use crate::stage::{Stage, condition};

#[test]
fn a_changed_spec_makes_one_new_revision_and_prunes_what_it_no_longer_has() -> Result<()> {
    let space = Stage::shared().namespace("upgrade")?;
    space.apply(&space.release("shop", "values: {extra: true}"))?;
    space.ready("shop")?;
    assert!(!space.get("cm/shop-extra")?.is_null());
    // A field that somebody else owns survives the upgrade.
    space.kubectl(&["annotate", "deploy/shop", "example.com/owner=platform"])?;

    space.apply(&space.release("shop", "version: 1.1.0\nvalues: {replicas: 2}"))?;
    let release = space.ready("shop")?;
    assert_eq!(condition(&release, "Ready")["reason"], "UpgradeSucceeded");
    assert!(
        space.get("cm/shop-extra")?.is_null(),
        "what the new revision does not have is pruned"
    );
    let deployment = space.get("deploy/shop")?;
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_eq!(
        deployment["metadata"]["annotations"]["example.com/owner"],
        "platform"
    );
    let versions: Vec<_> = release["status"]["history"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|s| (s["version"].clone(), s["status"].clone()))
        .collect();
    assert_eq!(
        versions,
        [
            (2.into(), "deployed".into()),
            (1.into(), "superseded".into())
        ]
    );
    let history = space.helm(&["history", "shop"])?;
    assert!(
        history.contains("superseded") && history.contains("Upgrade complete"),
        "{history}"
    );
    Ok(())
}

#[test]
fn nothing_changed_means_nothing_happens() -> Result<()> {
    let space = Stage::shared().namespace("no-change")?;
    space.apply(&space.release("shop", ""))?;
    space.ready("shop")?;
    let before = (space.get("deploy/shop")?, space.get("hr/shop")?);
    space.kubectl(&[
        "annotate",
        "hr/shop",
        "reconcile.pintle.dev/requestedAt=now",
    ])?;
    let after = space.until("hr/shop", |release| {
        release["status"]["lastHandledReconcileAt"] == "now"
    })?;
    assert_eq!(
        space.get("deploy/shop")?["metadata"]["resourceVersion"],
        before.0["metadata"]["resourceVersion"]
    );
    assert_eq!(after["status"]["history"], before.1["status"]["history"]);
    assert_eq!(condition(&after, "Ready"), condition(&before.1, "Ready"));
    Ok(())
}

#[test]
fn a_failed_upgrade_names_the_object_and_goes_back() -> Result<()> {
    let space = Stage::shared().namespace("rollback")?;
    space.apply(&space.release("shop", "timeout: 60s"))?;
    space.ready("shop")?;
    space.apply(&space.release(
        "shop",
        "timeout: 3s\nretries: 0\nvalues: {outcome: never, greeting: new}",
    ))?;
    let release = space.failed("shop", "RetriesExceeded")?;
    let message = space.message(&release, "Stalled");
    assert!(
        message.contains("Deployment shop") && message.contains("not ready within 3s"),
        "{message}"
    );
    assert_eq!(
        space.get("cm/shop-config")?["data"]["greeting"],
        "hello",
        "the last good revision is back"
    );
    let history = space.helm(&["history", "shop"])?;
    assert!(
        history.contains("failed") && history.contains("Rollback to 1"),
        "{history}"
    );
    // Another spec starts afresh.
    space.apply(&space.release("shop", "timeout: 60s\nvalues: {greeting: better}"))?;
    space.ready("shop")?;
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "better");
    Ok(())
}

#[test]
fn a_failed_install_is_removed_where_it_is_atomic_and_stays_where_it_is_not() -> Result<()> {
    let space = Stage::shared().namespace("failed-install")?;
    space.apply(&space.release("gone", "timeout: 3s\nretries: 0\nvalues: {outcome: never}"))?;
    space.failed("gone", "RetriesExceeded")?;
    assert!(space.get("deploy/gone")?.is_null());
    space.apply(&space.release(
        "stays",
        "timeout: 3s\nretries: 0\natomic: false\nvalues: {outcome: never}",
    ))?;
    space.failed("stays", "RetriesExceeded")?;
    assert!(!space.get("deploy/stays")?.is_null());
    assert!(space.helm(&["list"])?.contains("failed"));
    Ok(())
}

#[test]
fn a_release_that_helm_installed_is_adopted_without_a_new_revision() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("adoption")?;
    let chart = format!("{}/web", stage.registry());
    space.helm(&[
        "install",
        "shop",
        &chart,
        "--version",
        "1.0.0",
        "--plain-http",
        "--set",
        "greeting=from helm",
        "--server-side=false",
        "--wait",
    ])?;
    let before = space.get("deploy/shop")?;
    space.apply(&space.release("shop", "values: {greeting: from helm}"))?;
    let release = space.ready("shop")?;
    assert_eq!(
        release["status"]["history"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        space.get("deploy/shop")?["metadata"]["resourceVersion"],
        before["metadata"]["resourceVersion"]
    );
    space.apply(&space.release("shop", "values: {greeting: from pintle}"))?;
    space.until("hr/shop", |release| {
        release["status"]["history"][0]["version"] == 2
    })?;
    space.ready("shop")?;
    assert_eq!(
        space.get("cm/shop-config")?["data"]["greeting"],
        "from pintle"
    );
    Ok(())
}
