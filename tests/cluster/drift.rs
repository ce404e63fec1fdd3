//! What somebody changes behind the controller's back comes back.

use anyhow::Result;
use serde_json::Value;

use crate::stage::{Stage, condition};

#[test]
fn a_deleted_object_comes_back() -> Result<()> {
    let space = Stage::shared().namespace("drift-delete")?;
    space.apply(&space.release("shop", ""))?;
    space.ready("shop")?;
    let first = space.get("deploy/shop")?["metadata"]["uid"].clone();
    space.kubectl(&["delete", "deploy/shop"])?;
    space.until("deploy/shop", |deployment| {
        !deployment.is_null() && deployment["metadata"]["uid"] != first
    })?;
    let release = space.until("hr/shop", |release| {
        condition(release, "Drifted")["reason"] == "DriftCorrected"
    })?;
    assert!(
        space
            .message(&release, "Drifted")
            .contains("Deployment shop")
    );
    assert_eq!(
        release["status"]["history"].as_array().map(Vec::len),
        Some(1),
        "no new revision"
    );
    Ok(())
}

#[test]
fn an_edited_field_goes_back_and_a_foreign_one_stays() -> Result<()> {
    let space = Stage::shared().namespace("drift-edit")?;
    space.apply(&space.release("shop", ""))?;
    space.ready("shop")?;
    space.kubectl(&[
        "patch",
        "cm/shop-config",
        "--type=merge",
        "-p",
        r#"{"data":{"greeting":"tampered","foreign":"stays"}}"#,
    ])?;
    let restored = space.until("cm/shop-config", |map| map["data"]["greeting"] == "hello")?;
    assert_eq!(restored["data"]["foreign"], "stays");
    space.kubectl(&["scale", "deploy/shop", "--replicas=3"])?;
    space.until("deploy/shop", |deployment| {
        deployment["spec"]["replicas"] == 1
    })?;
    Ok(())
}

#[test]
fn drift_is_only_told_where_the_spec_says_warn_and_ignored_where_it_says_so() -> Result<()> {
    let space = Stage::shared().namespace("drift-warn")?;
    space.apply(&space.release("warned", "drift: {mode: Warn}"))?;
    space.apply(&space.release(
        "ignored",
        "drift: {ignore: [{kind: Deployment, paths: [/spec/replicas]}]}",
    ))?;
    space.ready("warned")?;
    space.ready("ignored")?;
    space.kubectl(&["scale", "deploy/warned", "--replicas=3"])?;
    space.kubectl(&["scale", "deploy/ignored", "--replicas=3"])?;
    let release = space.until("hr/warned", |release| {
        condition(release, "Drifted")["status"] == "True"
    })?;
    let message = space.message(&release, "Drifted");
    assert!(
        message.contains("Deployment warned") && message.contains("/spec/replicas"),
        "{message}"
    );
    assert_eq!(space.get("deploy/warned")?["spec"]["replicas"], 3);
    // The ignored one's turn is over once its request is answered, and it has changed nothing.
    space.kubectl(&[
        "annotate",
        "hr/ignored",
        "reconcile.pintle.dev/requestedAt=now",
    ])?;
    space.until("hr/ignored", |release: &Value| {
        release["status"]["lastHandledReconcileAt"] == "now"
    })?;
    assert_eq!(space.get("deploy/ignored")?["spec"]["replicas"], 3);
    Ok(())
}
