//! What templates make by chance is kept, and stays known to nobody but the release's Secrets.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::stage::{Space, Stage, chart_folder};

/// What the release's Secret has been given by chance.
#[derive(Debug, PartialEq)]
struct Kept([Value; 4]);

/// Declares the release and waits until its Secret says so.
fn declare(space: &Space, release: &str, greeting: &str, more: &str) -> Result<Kept> {
    let spec = format!("name: kept\nvalues: {{greeting: {greeting}}}\n{more}");
    space.apply(&space.release(release, &spec))?;
    space.ready(release)?;
    kept(space, release, greeting)
}

fn kept(space: &Space, release: &str, greeting: &str) -> Result<Kept> {
    use base64::Engine as _;
    let wanted = base64::engine::general_purpose::STANDARD.encode(greeting);
    let secret = space.until(&format!("secret/{release}-kept"), |secret| {
        secret["data"]["greeting"] == *wanted
    })?;
    let keys = ["password", "ca.crt", "tls.crt", "tls.key"];
    let made = keys.map(|key| secret["data"][key].clone());
    ensure!(made.iter().all(Value::is_string), "{made:?}");
    Ok(Kept(made))
}

fn seed(space: &Space, release: &str, revision: u32) -> Result<Value> {
    let secret = space.get(&format!("secret/sh.helm.release.v1.{release}.v{revision}"))?;
    ensure!(secret["data"]["release"].is_string(), "{secret}");
    Ok(secret["data"]["helm.pintle.dev.seed"].clone())
}

#[test]
fn passwords_and_certificates_outlive_upgrades() -> Result<()> {
    let stage = Stage::shared();
    stage.publish_as_is(&chart_folder("kept"))?;
    let space = stage.namespace("kept")?;

    let first = declare(&space, "kept", "one", "")?;
    assert_eq!(declare(&space, "kept", "two", "")?, first);
    assert!(seed(&space, "kept", 1)?.is_string());
    assert_eq!(seed(&space, "kept", 1)?, seed(&space, "kept", 2)?);

    // Helm lists, reads and rolls back as ever; its revision has no seed, and it takes away that
    // of the one that it retires.
    assert!(space.helm(&["list"])?.contains("kept-1.0.0"));
    assert!(
        space
            .helm(&["get", "manifest", "kept"])?
            .contains("password: ")
    );
    space.patch("hr/kept", r#"{"spec":{"suspend":true}}"#)?;
    space.helm(&["rollback", "kept", "1"])?;
    assert_eq!(kept(&space, "kept", "one")?, first);
    assert!(seed(&space, "kept", 3)?.is_null());
    space.patch("hr/kept", r#"{"spec":{"suspend":false}}"#)?;
    assert_eq!(declare(&space, "kept", "three", "")?, first);
    assert_eq!(seed(&space, "kept", 4)?, seed(&space, "kept", 1)?);

    // Nobody is told.
    let resource = space.get("hr/kept")?.to_string();
    let events = space.kubectl(&["get", "events", "-o", "json"])?;
    let labels = space.get("secret/sh.helm.release.v1.kept.v4")?["metadata"].to_string();
    let secret = seed(&space, "kept", 4)?;
    for text in [resource, events, labels] {
        assert!(
            !text.contains(secret.as_str().unwrap_or_default()),
            "{text}"
        );
    }

    // As Helm does it: all new, and then kept as they are.
    let new = declare(&space, "kept", "four", "randomness: Helm")?;
    let newer = declare(&space, "kept", "five", "randomness: Helm")?;
    for ((first, new), newer) in first.0.iter().zip(&new.0).zip(&newer.0) {
        assert!(first != new && new != newer);
    }
    assert_eq!(declare(&space, "kept", "six", "randomness: Stable")?, newer);
    Ok(())
}

#[test]
fn an_adopted_release_keeps_what_its_first_upgrade_here_makes() -> Result<()> {
    let stage = Stage::shared();
    stage.publish_as_is(&chart_folder("kept"))?;
    let space = stage.namespace("kept-adopted")?;
    let folder = chart_folder("kept").display().to_string();
    space.helm(&["install", "old", &folder, "--set", "greeting=one"])?;
    let helms = kept(&space, "old", "one")?;
    let ours = declare(&space, "old", "two", "")?;
    assert_ne!(ours, helms);
    assert_eq!(declare(&space, "old", "three", "")?, ours);
    Ok(())
}
