//! What is left of a release: everything that a person could see of it, without what the API
//! server makes up and without times.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::testbed::Testbed;

/// The kinds that the chart's objects and what Kubernetes makes of them are of.
const KINDS: &str = "configmaps,services,deployments,jobs,secrets,helmreleases";

/// Everything in a namespace.
pub(crate) fn of(testbed: &Testbed, namespace: &str) -> Result<BTreeMap<String, Value>> {
    let listed = testbed
        .kubectl(&["get", KINDS, "-n", namespace, "-o", "json"])?
        .successful()?;
    let listed: Value = serde_json::from_str(&listed)?;
    let mut state = BTreeMap::new();
    for object in listed["items"].as_array().unwrap() {
        let kind = object["kind"].as_str().unwrap();
        let name = object["metadata"]["name"].as_str().unwrap();
        if name == "kube-root-ca.crt" {
            continue;
        }
        let seen = match kind {
            "Secret" => record(object)?,
            "HelmRelease" => declared(object),
            _ => plain(object),
        };
        state.insert(format!("{kind} {name}"), seen);
    }
    Ok(state)
}

/// An object without what the API server and its controllers write.
fn plain(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = object["metadata"].as_object_mut().unwrap();
    for made_up in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
        "namespace",
    ] {
        metadata.remove(made_up);
    }
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.remove("meta.helm.sh/release-namespace");
        // It tells of another run, and runs are told by the namespace too.
        annotations.remove("helm.pintle.dev/run");
    }
    object.as_object_mut().unwrap().remove("status");
    let mut text = object.to_string();
    // A Job's selector and its pods' labels hold its uid.
    for uid in uids(&object) {
        text = text.replace(&uid, "UID");
    }
    let mut object: Value = serde_json::from_str(&text).unwrap();
    for address in ["clusterIP", "clusterIPs"] {
        object["spec"]
            .as_object_mut()
            .map(|spec| spec.remove(address));
    }
    object
}

fn uids(object: &Value) -> Vec<String> {
    let label = &object["spec"]["selector"]["matchLabels"]["batch.kubernetes.io/controller-uid"];
    label.as_str().map(str::to_owned).into_iter().collect()
}

/// A release's record without its times.
fn record(secret: &Value) -> Result<Value> {
    let data: k8s_openapi::ByteString = serde_json::from_value(secret["data"]["release"].clone())?;
    let record = pintle::release::decode(&data.0)?;
    let info = &record.info;
    let hooks: Vec<Value> = record
        .hooks
        .iter()
        .map(|hook| json!([hook.name, hook.last_run.phase]))
        .collect();
    Ok(json!({
        "version": record.version, "status": info.status, "description": info.description,
        "rollback": info.rollback_revision, "manifest": record.manifest, "config": record.config,
        "hooks": hooks, "label": secret["metadata"]["labels"]["status"],
    }))
}

/// What a HelmRelease says of itself, times and sentences aside.
fn declared(resource: &Value) -> Value {
    let status = &resource["status"];
    let conditions: BTreeMap<String, Value> = status["conditions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|condition| {
            let said = json!([condition["status"], condition["reason"]]);
            (condition["type"].as_str().unwrap().to_owned(), said)
        })
        .collect();
    let history: Vec<Value> = status["history"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|revision| json!([revision["version"], revision["status"]]))
        .collect();
    json!({
        "conditions": conditions, "history": history, "inventory": status["inventory"],
        "failures": status["attempt"]["failures"],
        "remediationFailures": status["attempt"]["remediationFailures"],
        "finalizers": resource["metadata"]["finalizers"],
    })
}
