//! What cannot be brought back is asked for before it is deleted, where there is anything to lose.

use anyhow::Result;

use crate::stage::{Space, Stage};

fn definition(kind: &str) -> String {
    let plural = format!("{}s", kind.to_lowercase());
    format!(
        "{{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {{name: \
         {plural}.guard.example.com}}, spec: {{group: guard.example.com, scope: Namespaced, names: \
         {{kind: {kind}, plural: {plural}}}, versions: [{{name: v1, served: true, storage: true, schema: \
         {{openAPIV3Schema: {{type: object}}}}}}]}}}}"
    )
}

fn declare(space: &Space, name: &str, objects: &str) -> Result<()> {
    let spec = format!("name: anything\nvalues: {{words: {{a: one}}, objects: [{objects}]}}");
    space.apply(&space.release(name, &spec))
}

#[test]
fn a_definition_is_asked_for_where_it_has_objects() -> Result<()> {
    let stage = Stage::shared();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/charts/anything");
    stage.publish(folder.as_ref(), "1.0.0")?;
    let space = stage.namespace("guard")?;
    for (name, kind) in [("unused", "Unused"), ("used", "Used")] {
        declare(&space, name, &definition(kind))?;
        space.ready(name)?;
    }
    space.apply(
        "apiVersion: guard.example.com/v1\nkind: Used\nmetadata: {name: one, namespace: guard}\n",
    )?;
    for name in ["unused", "used"] {
        declare(&space, name, "")?;
    }
    space.until("crd/unuseds.guard.example.com", serde_json::Value::is_null)?;
    space.ready("unused")?;
    let release = space.failed("used", "ConfirmationNeeded")?;
    let message = space.message(&release, "Ready");
    assert!(message.contains("useds.guard.example.com"), "{message}");
    assert!(!space.get("crd/useds.guard.example.com")?.is_null());
    Ok(())
}
