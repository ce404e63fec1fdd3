//! What would disturb every other test: a definition that lets anything through, and a registry that
//! goes away. On a stage of its own.

use anyhow::Result;
use serde_json::json;

use crate::stage::{Stage, condition, definition};

#[test]
fn what_cannot_be_read_or_reached_is_told_and_stops_nobody_else() -> Result<()> {
    // An older definition of this program, or somebody's edit of it, may let through what this
    // program cannot read.
    let mut lax = definition()?;
    lax["spec"]["versions"][0]["schema"]["openAPIV3Schema"] =
        json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
    let space = Stage::alone(&lax)?.namespace("outage")?;

    space.apply(
        "apiVersion: helm.pintle.dev/v1\nkind: HelmRelease\nmetadata: {name: unreadable, namespace: outage}\nspec: {repo: 7}\n",
    )?;
    space.apply(&space.release("readable", ""))?;
    let release = space.failed("unreadable", "InvalidSpec")?;
    let message = space.message(&release, "Ready");
    assert!(
        message.contains("cannot be read")
            && message.contains("Invalid type integer. Expected a string"),
        "{message}"
    );
    space.ready("readable")?;

    space.stage.testbed.stop("registry")?;
    space.apply(&space.release("readable", "version: 1.1.0"))?;
    let release = space.failed("readable", "SourceUnavailable")?;
    assert_eq!(
        condition(&release, "Released")["status"],
        "True",
        "the last good revision stays"
    );
    assert_eq!(space.get("deploy/readable")?["status"]["readyReplicas"], 1);
    // What was used before is kept: other values of the same chart, a rollback and a repair need no
    // registry.
    space.apply(&space.release("readable", "values: {greeting: from the cache}"))?;
    space.ready("readable")?;
    let greets =
        |words: &'static str| move |map: &serde_json::Value| map["data"]["greeting"] == words;
    space.until("cm/readable-config", greets("from the cache"))?;
    space.apply(&space.release(
        "readable",
        "retries: 0\nvalues: {greeting: undone, broken: true}",
    ))?;
    space.failed("readable", "RetriesExceeded")?;
    space.until("cm/readable-config", greets("from the cache"))?;
    space.apply(&space.release("readable", "values: {greeting: from the cache}"))?;
    space.ready("readable")?;
    space.kubectl(&["delete", "cm/readable-config"])?;
    space.until("cm/readable-config", greets("from the cache"))?;

    space.apply(&space.release("readable", "version: 1.1.0"))?;
    space.failed("readable", "SourceUnavailable")?;
    space.stage.testbed.resume("registry")?;
    let release = space.ready("readable")?;
    assert_eq!(release["status"]["history"][0]["chartVersion"], "1.1.0");
    Ok(())
}

/// Nobody answers at this address.
const DEAF_WEBHOOK: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: deaf}
webhooks:
- name: deaf.example.com
  clientConfig: {url: "https://127.0.0.1:1/"}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [services]}]
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: deaf}}
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
"#;

#[test]
fn a_webhook_that_is_down_costs_neither_a_retry_nor_a_revision() -> Result<()> {
    let space = Stage::shared().namespace("deaf")?;
    space.apply(DEAF_WEBHOOK)?;
    space.apply(&space.release("shop", "retries: 0"))?;
    let release = space.until("hr/shop", |release| {
        space.message(release, "Ready").contains("webhook")
    })?;
    assert_eq!(condition(&release, "Reconciling")["status"], "True");
    assert!(release["status"]["attempt"].is_null(), "{release}");
    space.kubectl(&["delete", "validatingwebhookconfiguration/deaf"])?;
    let release = space.ready("shop")?;
    let history = release["status"]["history"].as_array().map(Vec::len);
    assert_eq!(history, Some(1));
    Ok(())
}
