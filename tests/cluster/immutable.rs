//! What cannot be changed: found before anything is, and replaced where the spec allows it.

use anyhow::Result;
use serde_json::Value;

use crate::stage::{Space, Stage};

/// The chart that holds whatever objects its values name.
fn declare(space: &Space, word: &str, objects: &str, spec: &str) -> Result<()> {
    let spec = format!(
        "name: anything\nwait: false\n{spec}\nvalues: {{words: {{a: {word}}}, objects: [{objects}]}}"
    );
    space.apply(&space.release("shop", &spec))
}

fn publish() -> Result<&'static Stage> {
    let stage = Stage::shared();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/charts/anything");
    stage.publish(folder.as_ref(), "1.0.0")?;
    Ok(stage)
}

fn set(policy: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: db}}, spec: {{serviceName: db, \
         podManagementPolicy: {policy}, selector: {{matchLabels: {{app: db}}}}, template: {{metadata: \
         {{labels: {{app: db}}}}, spec: {{containers: [{{name: a, image: b}}]}}}}}}}}"
    )
}

fn claim(mode: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: data}}, spec: \
         {{accessModes: [{mode}], resources: {{requests: {{storage: 1Gi}}}}}}}}"
    )
}

fn uid(object: &Value) -> String {
    object["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The upgrade ended before it began.
fn nothing_was_changed(space: &Space) -> Result<()> {
    assert_eq!(space.get("cm/shop-a")?["data"]["word"], "one");
    let history = space.helm(&["history", "shop", "-o", "json"])?;
    let history: Value = serde_json::from_str(&history)?;
    assert_eq!(history.as_array().map(Vec::len), Some(1), "{history}");
    Ok(())
}

#[test]
fn what_cannot_be_changed_is_found_first_and_replaced_where_that_is_wanted() -> Result<()> {
    let space = publish()?.namespace("immutable")?;
    declare(&space, "one", &set("OrderedReady"), "")?;
    space.ready("shop")?;
    let before = space.get("sts/db")?;
    let pod = space.until("pod/db-0", |pod| !pod.is_null())?;

    declare(&space, "two", &set("Parallel"), "")?;
    let release = space.until("hr/shop", |release| {
        space
            .message(release, "Stalled")
            .contains("replace: WhenImmutable")
    })?;
    assert!(
        space.message(&release, "Ready").contains("StatefulSet"),
        "{release:#}"
    );
    nothing_was_changed(&space)?;

    declare(&space, "two", &set("Parallel"), "replace: WhenImmutable")?;
    space.until("cm/shop-a", |map| map["data"]["word"] == "two")?;
    let replaced = space.until("sts/db", |set| !set.is_null() && uid(set) != uid(&before))?;
    space.ready("shop")?;
    let adopted = space.until("pod/db-0", |pod| {
        pod["metadata"]["ownerReferences"][0]["uid"] == uid(&replaced)
    })?;
    assert_eq!(uid(&adopted), uid(&pod), "the pod ran on");
    Ok(())
}

#[test]
fn a_claim_is_never_replaced() -> Result<()> {
    let space = publish()?.namespace("immutable-claim")?;
    declare(&space, "one", &claim("ReadWriteOnce"), "")?;
    space.ready("shop")?;
    let before = space.get("pvc/data")?;
    declare(
        &space,
        "two",
        &claim("ReadWriteMany"),
        "replace: WhenImmutable",
    )?;
    space.until("hr/shop", |release| {
        space
            .message(release, "Stalled")
            .contains("PersistentVolumeClaim")
    })?;
    nothing_was_changed(&space)?;
    assert_eq!(uid(&space.get("pvc/data")?), uid(&before));
    Ok(())
}
