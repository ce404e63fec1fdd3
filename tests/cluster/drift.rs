//! What somebody changes behind the controller's back comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use serde_json::Value;

use crate::stage::{Space, Stage, condition};

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
    space.patch(
        "cm/shop-config",
        r#"{"data":{"greeting":"tampered","foreign":"stays"}}"#,
    )?;
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

/// A space with the chart `ten` installed as this release.
fn ten(space: &Space, release: &str, spec: &str) -> Result<()> {
    space.apply(&space.release(release, &format!("name: ten\n{spec}")))?;
    space.ready(release)?;
    Ok(())
}

/// Asks for a turn that looks at everything, and returns when it is over.
fn look(space: &Space, release: &str, word: &str) -> Result<()> {
    let annotation = format!("reconcile.pintle.dev/requestedAt={word}");
    space.kubectl(&[
        "annotate",
        &format!("hr/{release}"),
        "--overwrite",
        &annotation,
    ])?;
    space.until(&format!("hr/{release}"), |release| {
        release["status"]["lastHandledReconcileAt"] == word
    })?;
    Ok(())
}

/// The notes of the events of this reason.
fn notes(space: &Space, reason: &str) -> Result<String> {
    let events = space.kubectl(&["get", "events", "-o", "json"])?;
    let events: Value = serde_json::from_str(&events)?;
    let items = events["items"].as_array().into_iter().flatten();
    let notes = items
        .filter(|event| event["reason"] == reason)
        .filter_map(|event| event["message"].as_str());
    Ok(notes.collect::<Vec<_>>().join("\n"))
}

#[test]
fn an_event_tells_old_and_new_and_who_it_was_but_no_secret() -> Result<()> {
    let space = Stage::shared().namespace("drift-told")?;
    ten(&space, "told", "")?;
    let patch = |object: &str, patch: &str| {
        space.kubectl(&[
            "patch",
            object,
            "--type=merge",
            "--field-manager=night-shift",
            "-p",
            patch,
        ])
    };
    patch("cm/told", r#"{"data":{"word":"tampered"}}"#)?;
    space.until("cm/told", |map| map["data"]["word"] == "before")?;
    patch("secret/told", r#"{"stringData":{"word":"hunter2"}}"#)?;
    space.until("secret/told", |secret| secret["data"]["word"] == "YmVmb3Jl")?;
    space.kubectl(&["delete", "networkpolicy/told"])?;
    space.until("networkpolicy/told", |policy| !policy.is_null())?;
    let release = space.until("hr/told", |release| {
        space
            .message(release, "Drifted")
            .contains("NetworkPolicy told")
    })?;
    assert_eq!(condition(&release, "Drifted")["reason"], "DriftCorrected");
    let began = std::time::Instant::now();
    let told = loop {
        let told = notes(&space, "DriftDetected")?;
        if told.contains("NetworkPolicy told was deleted") {
            break told;
        }
        assert!(began.elapsed().as_secs() < 60, "{told}");
    };
    assert!(
        told.contains(r#"ConfigMap told: /data/word "before" became "tampered" by night-shift"#),
        "{told}"
    );
    assert!(
        told.contains("Secret told: /data/word") && told.contains("by night-shift"),
        "{told}"
    );
    assert!(
        !told.contains("hunter2") && !told.contains("aHVudGVyMg"),
        "{told}"
    );
    Ok(())
}

#[test]
fn what_is_exempt_stays_and_the_rest_goes_back_through_upgrades_too() -> Result<()> {
    let space = Stage::shared().namespace("drift-exempt")?;
    let spec = |values: &str| {
        format!(
            "drift:\n  ignore:\n  - {{kind: ConfigMap, namespace: drift-exempt, paths: [/data/word]}}\n  - {{labels: {{tier: free}}, paths: [/spec/replicas]}}\n  - {{kind: Service}}\nvalues: {{labels: {{tier: free}}, {values}}}"
        )
    };
    ten(&space, "free", &spec(""))?;
    let patch = |object: &str, patch: &str| space.patch(object, patch);
    patch("cm/free", r#"{"data":{"word":"mine","always":"other"}}"#)?;
    let map = space.until("cm/free", |map| map["data"]["always"] == "the same")?;
    assert_eq!(map["data"]["word"], "mine");
    patch("deploy/free", r#"{"spec":{"replicas":3}}"#)?;
    patch("svc/free", r#"{"spec":{"selector":{"app":"other"}}}"#)?;
    look(&space, "free", "one")?;
    assert_eq!(space.get("deploy/free")?["spec"]["replicas"], 3);
    assert_eq!(space.get("svc/free")?["spec"]["selector"]["app"], "other");

    space.apply(&space.release("free", &format!("name: ten\n{}", spec("word: after"))))?;
    space.until("secret/free", |secret| secret["data"]["word"] == "YWZ0ZXI=")?;
    space.ready("free")?;
    assert_eq!(space.get("cm/free")?["data"]["word"], "mine");
    let deployment = space.get("deploy/free")?;
    assert_eq!(deployment["spec"]["replicas"], 3);
    let env = &deployment["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(env[0]["value"], "after", "what is not exempt is upgraded");
    assert_eq!(space.get("svc/free")?["spec"]["selector"]["app"], "other");
    Ok(())
}

#[test]
fn an_object_can_ask_to_be_left_alone() -> Result<()> {
    let space = Stage::shared().namespace("drift-annotated")?;
    let annotation = "helm.pintle.dev/drift";
    ten(
        &space,
        "left",
        &format!("values: {{annotations: {{{annotation}: ignore}}}}"),
    )?;
    space.kubectl(&["annotate", "cm/left", &format!("{annotation}=ignore")])?;
    let patch = |object: &str, patch: &str| space.patch(object, patch);
    patch("cm/left", r#"{"data":{"word":"mine"}}"#)?;
    space.kubectl(&["delete", "deploy/left"])?;
    look(&space, "left", "one")?;
    assert_eq!(space.get("cm/left")?["data"]["word"], "mine");
    assert!(space.get("deploy/left")?.is_null());
    let release = space.ready("left")?;
    assert_ne!(condition(&release, "Drifted")["status"], "True");
    // Without the annotation it is drift again.
    space.kubectl(&["annotate", "cm/left", &format!("{annotation}-")])?;
    space.until("cm/left", |map| map["data"]["word"] == "before")?;
    Ok(())
}

#[test]
fn the_replicas_of_an_autoscaled_object_are_the_autoscalers() -> Result<()> {
    let space = Stage::shared().namespace("drift-scaled")?;
    ten(&space, "scaled", "")?;
    space.kubectl(&["autoscale", "deploy/scaled", "--min=1", "--max=5"])?;
    space.kubectl(&["scale", "deploy/scaled", "--replicas=3"])?;
    look(&space, "scaled", "one")?;
    assert_eq!(space.get("deploy/scaled")?["spec"]["replicas"], 3);
    space.apply(&space.release("scaled", "name: ten\nvalues: {word: after}"))?;
    space.until("cm/scaled", |map| map["data"]["word"] == "after")?;
    space.ready("scaled")?;
    assert_eq!(space.get("deploy/scaled")?["spec"]["replicas"], 3);
    // Nobody scales it any more, so what a person sets is drift.
    space.kubectl(&["delete", "hpa/scaled"])?;
    space.kubectl(&["scale", "deploy/scaled", "--replicas=4"])?;
    space.until("deploy/scaled", |deployment| {
        deployment["spec"]["replicas"] == 1
    })?;
    Ok(())
}

/// As KEDA's own, but for its schema.
const SCALED_OBJECTS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: scaledobjects.keda.sh}
spec:
  group: keda.sh
  scope: Namespaced
  names: {kind: ScaledObject, plural: scaledobjects, singular: scaledobject}
  versions:
  - name: v1alpha1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"#;

const SCALED_OBJECT: &str = r#"
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: any, namespace: drift-keda}
spec: {scaleTargetRef: {name: scaled}, triggers: []}
"#;

#[test]
fn the_replicas_of_what_keda_scales_are_kedas() -> Result<()> {
    let space = Stage::shared().namespace("drift-keda")?;
    space.apply(SCALED_OBJECTS)?;
    let established = "--for=condition=Established";
    space.kubectl(&["wait", established, "crd/scaledobjects.keda.sh"])?;
    space.apply(SCALED_OBJECT)?;
    // An object of a kind that the controller does not know yet has it read the kinds again.
    let object = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: none}";
    let values = format!("extraObject: {}", serde_json::to_string(object)?);
    ten(&space, "scaled", &format!("values: {{{values}}}"))?;
    space.kubectl(&["scale", "deploy/scaled", "--replicas=3"])?;
    look(&space, "scaled", "one")?;
    assert_eq!(space.get("deploy/scaled")?["spec"]["replicas"], 3);
    Ok(())
}

#[test]
fn an_object_without_helms_label_is_watched_by_its_name() -> Result<()> {
    let space = Stage::shared().namespace("drift-unmarked")?;
    let label = "app.kubernetes.io/managed-by";
    let pointer = "/metadata/labels/app.kubernetes.io~1managed-by";
    let rule = format!("drift: {{ignore: [{{kind: ConfigMap, paths: [{pointer}]}}]}}");
    ten(&space, "bare", &rule)?;
    space.kubectl(&["label", "cm/bare", &format!("{label}-")])?;
    look(&space, "bare", "one")?;
    assert!(space.get("cm/bare")?["metadata"]["labels"][label].is_null());
    let patch = r#"{"data":{"word":"tampered"}}"#;
    space.patch("cm/bare", patch)?;
    space.until("cm/bare", |map| map["data"]["word"] == "before")?;
    Ok(())
}

#[test]
fn a_fight_is_named_and_slowed_down_and_the_rest_is_kept() -> Result<()> {
    let space = Stage::shared().namespace("drift-fight")?;
    ten(&space, "arena", "")?;
    let over = Arc::new(AtomicBool::new(false));
    let rival = std::thread::spawn({
        let over = Arc::clone(&over);
        move || -> Result<u32> {
            let mut blows = 0;
            while !over.load(Ordering::Relaxed) {
                let map = space.get("cm/arena")?;
                if map["data"]["word"] != "theirs" {
                    space.kubectl(&[
                        "patch",
                        "cm/arena",
                        "--type=merge",
                        "--field-manager=rival",
                        "-p",
                        r#"{"data":{"word":"theirs"}}"#,
                    ])?;
                    blows += 1;
                }
            }
            Ok(blows)
        }
    });
    let release = space.until("hr/arena", |release| {
        space.message(release, "Drifted").contains("slowed down")
    })?;
    assert!(
        space
            .message(&release, "Drifted")
            .contains("ConfigMap arena differs at /data/word"),
        "{release}"
    );
    // What nobody fights over is put back all the same.
    space.kubectl(&["delete", "ingress/arena"])?;
    space.until("ingress/arena", |ingress| !ingress.is_null())?;
    over.store(true, Ordering::Relaxed);
    let blows = rival.join().expect("the rival does not panic")?;
    assert!((5..=7).contains(&blows), "{blows}");
    let told = notes(&space, "DriftDetected")?;
    assert!(
        told.contains("became \"theirs\" by rival; put back 5 times"),
        "{told}"
    );
    Ok(())
}

#[test]
fn what_a_person_does_with_helm_is_seen_at_once() -> Result<()> {
    let space = Stage::shared().namespace("drift-helm")?;
    ten(&space, "hand", "")?;
    space.apply(&space.release("hand", "name: ten\nvalues: {word: after}"))?;
    space.until("cm/hand", |map| map["data"]["word"] == "after")?;
    space.ready("hand")?;
    space.helm(&["rollback", "hand", "1"])?;
    space.until("hr/hand", |release| {
        condition(release, "Ready")["reason"] == "MovedByHand"
    })?;
    assert_eq!(space.get("cm/hand")?["data"]["word"], "before");
    Ok(())
}

/// What the account of the test below may do: everything but watch ConfigMaps.
const NO_WATCH: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: no-watch}
rules:
- {apiGroups: [apps, batch, policy, networking.k8s.io, rbac.authorization.k8s.io, events.k8s.io, helm.pintle.dev, apiextensions.k8s.io], resources: ["*"], verbs: ["*"]}
- {apiGroups: [""], resources: [secrets, services, serviceaccounts, events, namespaces, pods], verbs: ["*"]}
- {apiGroups: [""], resources: [configmaps], verbs: [get, list, create, update, patch, delete]}
- {nonResourceURLs: ["*"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: no-watch}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: no-watch}
subjects: [{kind: User, name: no-watch, apiGroup: rbac.authorization.k8s.io}]
"#;

#[test]
fn a_kind_that_may_not_be_watched_is_read_on_the_interval() -> Result<()> {
    let stage = Stage::alone_as("no-watch", NO_WATCH)?;
    let space = stage.namespace("drift-blind")?;
    ten(&space, "blind", "interval: 5s")?;
    let release = space.until("hr/blind", |release| {
        condition(release, "Drifted")["reason"] == "ReadOnInterval"
    })?;
    let message = space.message(&release, "Drifted");
    assert!(message.contains("ConfigMap (forbidden)"), "{message}");
    assert!(!message.contains("Secret"), "{message}");
    let patch = r#"{"data":{"word":"tampered"}}"#;
    space.patch("cm/blind", patch)?;
    space.until("cm/blind", |map| map["data"]["word"] == "before")?;
    Ok(())
}
