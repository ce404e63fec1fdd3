//! Releases whose records are larger than a Secret.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::Value;

use crate::stage::{Space, Stage};

/// Bytes that no compression makes smaller, the same ones each time.
fn noise(length: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed.to_le_bytes()
    };
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend(next());
    }
    bytes.truncate(length);
    bytes
}

/// A chart with a MiB of noise in its files.
fn publish(stage: &Stage, name: &str, template: &str) -> Result<()> {
    let folder = stage.testbed.dir().join(name);
    fs::create_dir_all(folder.join("templates"))?;
    fs::create_dir_all(folder.join("noise"))?;
    let about = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    fs::write(folder.join("Chart.yaml"), about)?;
    fs::write(folder.join("values.yaml"), "word: one\n")?;
    for (number, seed) in [(0, 88_172_645_463_325_252), (1, 7_777)] {
        let file = folder.join(format!("noise/{number}"));
        fs::write(file, noise(520_000, seed))?;
    }
    let word = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-word}\ndata: {word: {{ .Values.word }}}\n";
    fs::write(folder.join("templates/word.yaml"), word)?;
    fs::write(folder.join("templates/noise.yaml"), template)?;
    stage.publish(Path::new(&folder), "1.0.0")
}

fn secrets(space: &Space, selector: &str) -> Result<usize> {
    let names = space.kubectl(&["get", "secrets", "-l", selector, "-o", "name"])?;
    Ok(names.lines().filter(|line| !line.is_empty()).count())
}

const FURTHER: &str = "helm.pintle.dev/release=shop";

fn word(space: &Space) -> Result<Value> {
    Ok(space.get("cm/shop-word")?["data"]["word"].clone())
}

#[test]
fn a_charts_files_are_left_out_of_a_record_that_has_no_room_for_them() -> Result<()> {
    let stage = Stage::shared();
    publish(stage, "bulky", "")?;
    let space = stage.namespace("large-files")?;
    space.apply(&space.release("shop", "name: bulky"))?;
    space.ready("shop")?;
    space.apply(&space.release("shop", "name: bulky\nvalues: {word: two}"))?;
    space.until("cm/shop-word", |map| map["data"]["word"] == "two")?;
    space.ready("shop")?;
    assert_eq!(secrets(&space, FURTHER)?, 0);
    // Helm has all that it needs.
    assert!(space.helm(&["list"])?.contains("bulky-1.0.0"));
    let all = space.helm(&["get", "values", "shop", "--all", "--revision=1"])?;
    assert!(all.contains("word: one"), "{all}");
    assert!(
        space
            .helm(&["get", "manifest", "shop"])?
            .contains("word: two")
    );
    space.patch("hr/shop", r#"{"spec":{"suspend":true}}"#)?;
    space.helm(&["rollback", "shop", "1"])?;
    assert_eq!(word(&space)?, "one");
    Ok(())
}

#[test]
fn what_no_secret_holds_goes_on_in_further_ones() -> Result<()> {
    let stage = Stage::shared();
    let template = "{{ range $name, $_ := .Files.Glob \"noise/*\" }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ $.Release.Name }}-{{ base $name }}}\nbinaryData: {noise: {{ $.Files.Get $name | b64enc }}}\n{{ end }}";
    publish(stage, "huge", template)?;
    let space = stage.namespace("large")?;
    let declare = |word: &str, more: &str| {
        let spec = format!("name: huge\nretries: 0\nvalues: {{word: {word}{more}}}");
        space.apply(&space.release("shop", &spec))
    };
    declare("one", "")?;
    space.ready("shop")?;
    declare("two", "")?;
    space.until("cm/shop-word", |map| map["data"]["word"] == "two")?;
    space.ready("shop")?;
    assert_eq!(secrets(&space, FURTHER)?, 4);
    // Helm lists it, and does nothing to what it cannot read.
    let history = space.helm(&["history", "shop"])?;
    assert!(
        history.contains("superseded") && history.contains("Upgrade complete"),
        "{history}"
    );
    assert!(space.helm(&["list"])?.contains("huge-1.0.0"));
    let shown = space.helm(&["get", "manifest", "shop"])?;
    assert!(shown.contains("sh.helm.release.v1.shop.v2.1"), "{shown}");
    let chart = format!("{}/huge", stage.registry());
    let upgrade = ["upgrade", "shop", &chart, "--plain-http", "-n", space.name];
    let refused = stage.testbed.helm(&upgrade)?.refused()?;
    assert!(refused.contains("ContinuedRecord"), "{refused}");
    assert_eq!(word(&space)?, "two");
    assert!(!space.get("cm/shop-1")?.is_null());
    // Drift is seen, and what failed goes back.
    space.kubectl(&["delete", "cm/shop-1"])?;
    space.until("cm/shop-1", |map| !map.is_null())?;
    declare("5", "")?;
    let release = space.failed("shop", "RetriesExceeded")?;
    assert_eq!(word(&space)?, "two", "{release:#}");
    assert!(space.helm(&["history", "shop"])?.contains("Rollback to 2"));
    // With the records go the further Secrets.
    space.kubectl(&["delete", "hr/shop"])?;
    assert_eq!(secrets(&space, "owner=helm")?, 0);
    space.until("secrets", Value::is_null)?;
    assert!(space.get("cm/shop-1")?.is_null());
    Ok(())
}
