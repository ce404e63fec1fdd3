//! What a chart is told of the cluster is what Helm would tell it, and is so at that moment. On a
//! stage of its own: a group that nobody serves would disturb every other test.

use std::fs;

use anyhow::Result;
use serde_json::Value;

use crate::stage::{Space, Stage, definition, until_so};

const ASKS: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: '{{ .Release.Name }}-told'}
data:
  cluster: {{ .Capabilities.KubeVersion | toJson | quote }}
  versions: {{ sortAlpha .Capabilities.APIVersions | toJson | quote }}
  asked: {{ .Values.asked | quote }}
";

/// Registered, and served by nobody.
const ORPHAN: &str = "apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.orphan.example.com}
spec:
  group: orphan.example.com
  version: v1
  groupPriorityMinimum: 1000
  versionPriority: 15
  service: {name: nobody, namespace: default}
";

const LATE: &str = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.late.example.com}
spec:
  group: late.example.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
";

fn told(space: &Space, release: &str) -> Result<Value> {
    Ok(space.get(&format!("cm/{release}-told"))?["data"].clone())
}

#[test]
fn a_chart_is_told_what_helm_would_tell_it_now() -> Result<()> {
    let stage = Stage::alone(&definition()?)?;
    let space = stage.namespace("capabilities")?;
    space.apply(ORPHAN)?;
    space.until("apiservice/v1.orphan.example.com", |service| {
        let conditions = service["status"]["conditions"].as_array();
        conditions.is_some_and(|all| all.iter().any(|one| one["status"] == "False"))
    })?;
    let chart = tempfile::tempdir()?;
    fs::create_dir(chart.path().join("templates"))?;
    let metadata = "{apiVersion: v2, name: asks, version: 1.0.0}";
    fs::write(chart.path().join("Chart.yaml"), metadata)?;
    fs::write(chart.path().join("templates/told.yaml"), ASKS)?;
    stage.publish_as_is(chart.path())?;

    let folder = chart.path().display().to_string();
    space.helm(&["install", "helms", &folder, "--set-string", "asked=once"])?;
    space.apply(&space.release("ours", "name: asks\nvalues: {asked: once}"))?;
    space.ready("ours")?;
    let (helms, ours) = (told(&space, "helms")?, told(&space, "ours")?);
    assert_eq!(helms, ours);
    let versions: Vec<String> = serde_json::from_str(ours["versions"].as_str().unwrap_or("[]"))?;
    let knows = |version: &str| versions.iter().any(|one| one == version);
    assert!(knows("v1/Eviction") && knows("apps/v1/Scale"), "{ours:#}");
    assert!(!knows("orphan.example.com/v1"), "{ours:#}");

    // Somebody else's definition is known to whoever renders after it.
    space.apply(LATE)?;
    let listed = ["api-resources", "--api-group=late.example.com", "-o=name"];
    until_so("the definition is listed", || {
        Ok(space.kubectl(&listed)?.contains("gadgets"))
    })?;
    space.apply(&space.release("ours", "name: asks\nvalues: {asked: twice}"))?;
    let later = space.until("cm/ours-told", |told| told["data"]["asked"] == "twice")?;
    let versions = later["data"]["versions"].to_string();
    assert!(versions.contains("late.example.com/v1/Gadget"), "{later:#}");

    // What is in a group that does not answer is not known, and nothing is concluded from that.
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/parity/charts/anything");
    stage.publish(folder.as_ref(), "1.0.0")?;
    let objects = "[{apiVersion: orphan.example.com/v1, kind: Lost, metadata: {name: one}}]";
    let spec = format!("name: anything\nvalues: {{objects: {objects}}}");
    space.apply(&space.release("lost", &spec))?;
    let release = space.failed("lost", "ClusterUnavailable")?;
    let message = space.message(&release, "Ready");
    assert!(message.contains("orphan.example.com/v1"), "{message}");
    Ok(())
}
