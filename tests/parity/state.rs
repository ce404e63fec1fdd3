//! What is left of a release in a namespace: every object, and Helm's records.
//!
//! In: an API server and a namespace. Out: one tree. What is set aside, and why:
//!
//! - what the API server makes up or counts: `uid`, `resourceVersion`, `generation`,
//!   `creationTimestamp`, `managedFields`, `selfLink`, `status`, addresses and ports of Services,
//!   the volume of a claim, the node of a pod with its zone, its token's volume;
//! - uids that controllers copy (a Job's selector and labels);
//! - what controllers make: objects with an owner, Events, the namespace's own ConfigMap and
//!   ServiceAccount, Endpoints, Leases;
//! - what is being deleted;
//! - the namespace's name, wherever it stands;
//! - in records, all times, and the chart files' time stamps;
//! - HelmReleases; and what COMPATIBILITY.md says that Pintle adds to every record and hook: the
//!   label `helm.pintle.dev/inputs` and the annotations `helm.pintle.dev/*`;
//! - the words after `failed:` in a failed record's description: they are the API server's and
//!   this program's own, and no program reads them.

use std::collections::BTreeMap;
use std::io::Read as _;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::ApiResource;
use kube::discovery::{Discovery, Scope, verbs};
use serde_json::{Map, Value, json};

/// Which kinds there are, once for all.
pub(crate) struct Kinds {
    namespaced: Vec<ApiResource>,
    cluster: Vec<ApiResource>,
}

impl Kinds {
    pub(crate) async fn discover(client: &kube::Client) -> Result<Self> {
        let discovery = Discovery::new(client.clone()).run().await?;
        let mut kinds = Self {
            namespaced: Vec::new(),
            cluster: Vec::new(),
        };
        for group in discovery.groups() {
            for (resource, capabilities) in group.recommended_resources() {
                let aside = [
                    "Event",
                    "Endpoints",
                    "EndpointSlice",
                    "Lease",
                    "HelmRelease",
                ];
                if aside.contains(&&*resource.kind) || !capabilities.supports_operation(verbs::LIST)
                {
                    continue;
                }
                match capabilities.scope {
                    Scope::Namespaced => kinds.namespaced.push(resource),
                    Scope::Cluster => kinds.cluster.push(resource),
                }
            }
        }
        Ok(kinds)
    }

    /// Everything of one namespace, and of the whole cluster what is named after it.
    pub(crate) async fn state(&self, client: &kube::Client, namespace: &str) -> Result<Value> {
        let mut state = BTreeMap::new();
        let mut namespaced = self.namespaced.clone();
        for resource in &self.cluster {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), resource);
            let found = list(&api, resource, namespace).await?;
            let ours = |object: &Value| {
                let name = object["metadata"]["name"].as_str().unwrap_or_default();
                name != namespace && name.contains(namespace)
            };
            for object in found.into_iter().filter(ours) {
                if resource.kind == "CustomResourceDefinition" {
                    namespaced.push(defined(&object)?);
                }
                put(&mut state, object, namespace)?;
            }
        }
        for resource in &namespaced {
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, resource);
            for object in list(&api, resource, namespace).await? {
                put(&mut state, object, namespace)?;
            }
        }
        Ok(serde_json::to_value(state)?)
    }
}

async fn list(
    api: &Api<DynamicObject>,
    resource: &ApiResource,
    namespace: &str,
) -> Result<Vec<Value>> {
    // A kind whose definition another scenario has just brought or taken is none of ours.
    let listed = match api.list(&ListParams::default()).await {
        Ok(listed) => listed,
        Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Vec::new()),
        Err(error) => {
            let what = format!("list {} in {namespace}", resource.plural);
            return Err(error).context(what);
        }
    };
    let typed = |object: DynamicObject| {
        let mut object = serde_json::to_value(object)?;
        object["apiVersion"] = resource.api_version.clone().into();
        object["kind"] = resource.kind.clone().into();
        Ok(object)
    };
    listed.items.into_iter().map(typed).collect()
}

/// The kind that a definition defines.
fn defined(definition: &Value) -> Result<ApiResource> {
    let spec = &definition["spec"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, version) = (text(&spec["group"]), text(&spec["versions"][0]["name"]));
    Ok(ApiResource {
        api_version: format!("{group}/{version}"),
        group,
        version,
        kind: text(&spec["names"]["kind"]),
        plural: text(&spec["names"]["plural"]),
    })
}

fn put(state: &mut BTreeMap<String, Value>, object: Value, namespace: &str) -> Result<()> {
    let metadata = &object["metadata"];
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let name = metadata["generateName"]
        .as_str()
        .or(metadata["name"].as_str())
        .unwrap_or_default()
        .replace(namespace, "NAMESPACE");
    let made_by_controllers = matches!(
        (&*kind, &*name),
        ("ConfigMap", "kube-root-ca.crt") | ("ServiceAccount", "default")
    ) || metadata["ownerReferences"].is_array()
        || !metadata["deletionTimestamp"].is_null();
    if made_by_controllers {
        return Ok(());
    }
    let (key, seen) = match object["type"] == "helm.sh/release.v1" {
        true => {
            let version = metadata["labels"]["version"].as_str().unwrap_or_default();
            (format!("record {version}"), record(&object)?)
        }
        false => (format!("{kind} {name}"), plain(object)),
    };
    let text = seen.to_string().replace(namespace, "NAMESPACE");
    state.insert(key, serde_json::from_str(&text)?);
    Ok(())
}

fn remove(object: &mut Value, keys: &[&str]) {
    if let Some(object) = object.as_object_mut() {
        for key in keys {
            object.remove(*key);
        }
    }
}

/// Tables that are empty after what was removed are as good as none.
fn drop_empty(metadata: &mut Value, key: &str) {
    if metadata[key].as_object().is_some_and(Map::is_empty) {
        remove(metadata, &[key]);
    }
}

fn plain(mut object: Value) -> Value {
    remove(&mut object, &["status"]);
    let made_up = [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "managedFields",
        "selfLink",
        "namespace",
    ];
    remove(&mut object["metadata"], &made_up);
    if object["metadata"]["generateName"].is_string() {
        remove(&mut object["metadata"], &["name"]);
    }
    let zone = [
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    ];
    for (table, keys) in [
        ("labels", &zone[..]),
        ("annotations", &["helm.pintle.dev/run"]),
    ] {
        if let Some(table) = object["metadata"].get_mut(table) {
            remove(table, keys);
        }
        drop_empty(&mut object["metadata"], table);
    }
    match object["kind"].as_str().unwrap_or_default() {
        "Service" => {
            let addresses = ["clusterIP", "clusterIPs", "healthCheckNodePort"];
            remove(&mut object["spec"], &addresses);
            for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
                remove(port, &["nodePort"]);
            }
        }
        "PersistentVolumeClaim" => remove(&mut object["spec"], &["volumeName"]),
        "Pod" => {
            remove(&mut object["spec"], &["nodeName", "volumes"]);
            let containers = object["spec"]["containers"].as_array_mut();
            for container in containers.into_iter().flatten() {
                remove(container, &["volumeMounts"]);
            }
        }
        "Job" => {
            remove(&mut object["spec"], &["selector"]);
            let made_up = ["controller-uid", "batch.kubernetes.io/controller-uid"];
            remove(&mut object["metadata"]["labels"], &made_up);
            remove(
                &mut object["spec"]["template"]["metadata"]["labels"],
                &made_up,
            );
        }
        _ => {}
    }
    object
}

/// A record as JSON holds it, read without this program's own reader.
fn record(secret: &Value) -> Result<Value> {
    let data = secret["data"]["release"].as_str().context("no release")?;
    let zipped = BASE64.decode(BASE64.decode(data)?)?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*zipped).read_to_string(&mut text)?;
    let mut record: Value = serde_json::from_str(&text)?;
    let times = ["first_deployed", "last_deployed", "deleted"];
    let was_deleted = record["info"]["deleted"]
        .as_str()
        .is_some_and(|t| !t.is_empty());
    remove(&mut record["info"], &times);
    record["info"]["was_deleted"] = was_deleted.into();
    if let Some(said) = record["info"]["description"].as_str()
        && let Some((start, _)) = said.split_once("failed: ")
    {
        record["info"]["description"] = format!("{start}failed: …").into();
    }
    // When hooks ran is a time; in which order they ran is none.
    let runs = record["hooks"].as_array().into_iter().flatten();
    let mut order: Vec<(String, Value)> = runs
        .filter_map(|hook| {
            Some((
                hook["last_run"]["started_at"].as_str()?.to_owned(),
                hook["path"].clone(),
                hook["name"].clone(),
            ))
        })
        .filter(|(started, ..)| !started.is_empty() && !started.starts_with("0001-"))
        .map(|(started, path, name)| (started, json!([path, name])))
        .collect();
    order.sort_by_key(|(started, _)| moment(started));
    record["order"] = order.into_iter().map(|(_, hook)| hook).collect();
    for hook in record["hooks"].as_array_mut().into_iter().flatten() {
        let ran = |run: &Value, key: &str| {
            run[key]
                .as_str()
                .is_some_and(|time| !time.is_empty() && !time.starts_with("0001-"))
        };
        let run = hook["last_run"].clone();
        hook["last_run"] = json!({
            "phase": run["phase"],
            "started": ran(&run, "started_at"), "completed": ran(&run, "completed_at"),
        });
    }
    in_one_zone(&mut record["chart"], &["modtime", "schemamodtime"]);
    for files in ["templates", "files"] {
        for file in record["chart"][files].as_array_mut().into_iter().flatten() {
            in_one_zone(file, &["modtime"]);
            let data = BASE64.decode(file["data"].as_str().unwrap_or_default())?;
            file["data"] = String::from_utf8_lossy(&data).into_owned().into();
        }
    }
    let mut labels = secret["metadata"]["labels"].clone();
    remove(
        &mut labels,
        &["modifiedAt", "createdAt", "helm.pintle.dev/inputs"],
    );
    let mut annotations = secret["metadata"]["annotations"].clone();
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.retain(|key, _| !key.starts_with("helm.pintle.dev/"));
    }
    let none = annotations.is_null() || annotations == json!({});
    record["secret"] = json!({"labels": labels});
    if !none {
        record["secret"]["annotations"] = annotations;
    }
    Ok(record)
}

/// Helm writes times in the zone of its machine.
fn in_one_zone(object: &mut Value, keys: &[&str]) {
    for key in keys {
        if let Some(time) = object[*key]
            .as_str()
            .filter(|time| !time.starts_with("0001-"))
        {
            object[*key] = moment(time).to_string().into();
        }
    }
}

fn moment(time: &str) -> jiff::Timestamp {
    time.parse().unwrap_or_default()
}
