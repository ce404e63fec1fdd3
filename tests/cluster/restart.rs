//! What a controller finds when it comes back, and what it does while something is away.

use anyhow::Result;

use crate::stage::{Stage, condition, definition};

/// As a controller that was killed in the middle leaves it: the newest record is pending, held by
/// us, and nobody is at work. The wish has changed meanwhile.
#[test]
fn a_record_left_pending_is_recovered_without_a_person() -> Result<()> {
    let space = Stage::shared().namespace("pending")?;
    space.apply(&space.release("shop", "values: {greeting: first}"))?;
    space.ready("shop")?;
    space.patch("hr/shop", r#"{"spec":{"suspend":true}}"#)?;
    space.until("hr/shop", |release| {
        condition(release, "Ready")["reason"] == "Suspended"
    })?;
    // The real helm writes the record that a killed upgrade leaves: its hook never ends.
    let chart = format!("{}/web", space.stage.registry());
    let killed = space.helm(&[
        "upgrade",
        "shop",
        &chart,
        "--version",
        "1.0.0",
        "--plain-http",
        "--server-side=false",
        "--reuse-values",
        "--set",
        "greeting=second",
        "--timeout",
        "2s",
        "--wait",
        "--set",
        "hook=pre-upgrade",
        "--set",
        "hookOutcome=never",
    ]);
    assert!(killed.is_err(), "the hook never ends");
    let label = "status=pending-upgrade,helm.pintle.dev/inputs=interrupted";
    for label in label.split(',') {
        space.kubectl(&[
            "label",
            "--overwrite",
            "secret/sh.helm.release.v1.shop.v2",
            label,
        ])?;
    }
    space.kubectl(&[
        "annotate",
        "secret/sh.helm.release.v1.shop.v2",
        "helm.pintle.dev/holder=stage",
    ])?;
    space.patch("hr/shop", r#"{"spec":{"suspend":false}}"#)?;
    let release = space.ready("shop")?;
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "first");
    let stuck = space.kubectl(&[
        "get",
        "secrets",
        "-l",
        "owner=helm,status=pending-upgrade",
        "-o",
        "name",
    ])?;
    assert_eq!(stuck, "", "{release:#}");
    Ok(())
}

#[test]
fn a_pending_record_of_somebody_else_is_left_alone() -> Result<()> {
    let space = Stage::shared().namespace("locked")?;
    space.apply(&space.release("shop", ""))?;
    space.ready("shop")?;
    // As `helm upgrade` writes it: with our label, which it copies, and without our notes.
    let secret = "secret/sh.helm.release.v1.shop.v1";
    let patch = r#"{"metadata":{"labels":{"status":"pending-upgrade"},"annotations":{"helm.pintle.dev/holder":null}}}"#;
    space.patch(secret, patch)?;
    space.apply(&space.release("shop", "values: {greeting: later}"))?;
    space.until("hr/shop", |release| {
        condition(release, "Ready")["reason"] == "Locked"
    })?;
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "hello");
    Ok(())
}

#[test]
fn a_suspended_release_is_not_touched_until_it_is_resumed() -> Result<()> {
    let space = Stage::shared().namespace("suspended")?;
    space.apply(&space.release("shop", ""))?;
    space.ready("shop")?;
    space.apply(&space.release("shop", "suspend: true\nvalues: {greeting: later}"))?;
    space.until("hr/shop", |release| {
        condition(release, "Ready")["reason"] == "Suspended"
    })?;
    space.kubectl(&["delete", "svc/shop"])?;
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "hello");
    space.apply(&space.release("shop", "values: {greeting: later}"))?;
    space.ready("shop")?;
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "later");
    assert!(!space.get("svc/shop")?.is_null());
    Ok(())
}

#[test]
fn two_controllers_make_one_revision_and_run_a_hook_once() -> Result<()> {
    let stage = Stage::alone(&definition()?)?;
    stage.rival()?;
    let space = stage.namespace("rivals")?;
    let names = ["a", "b", "c", "d", "e"];
    for (greeting, revisions) in [("one", 1), ("two", 2)] {
        for name in names {
            let values = format!("values: {{greeting: {greeting}, hook: post-upgrade}}");
            space.apply(&space.release(name, &values))?;
        }
        for name in names {
            space.until(&format!("cm/{name}-config"), |map| {
                map["data"]["greeting"] == greeting
            })?;
            let release = space.ready(name)?;
            let history = release["status"]["history"].as_array().map(Vec::len);
            assert_eq!(history, Some(revisions), "{release}");
        }
    }
    for name in names {
        let job = format!(
            "--field-selector=reason=SuccessfulCreate,involvedObject.name={name}-post-upgrade"
        );
        let pods = space.kubectl(&["get", "events", "-o", "name", &job])?;
        assert_eq!(pods.lines().count(), 1, "{pods}");
        let history = space.helm(&["history", name])?;
        assert_eq!(history.matches("superseded").count(), 1, "{history}");
        assert!(!history.contains("failed"), "{history}");
    }
    Ok(())
}
