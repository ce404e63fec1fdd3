//! Somebody who watches one namespace and has a clock.
//!
//! In: the kinds to watch. Out: each state of each object, with the moment at which it was seen;
//! both ways of installing a chart are timed by the same witness. Never: a request but the watch
//! itself, so that the watching costs both ways the same.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::TryStreamExt;
use kube::api::{DynamicObject, WatchEvent, WatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// How long anything may take before the benchmark gives up; it is no measurement.
const PATIENCE: Duration = Duration::from_secs(120);

/// The kinds that tell how far an install is: the release's Secret is stored when the chart is
/// rendered, the workloads come last, and the chart's hook is a Job.
pub(crate) const INSTALL: [(&str, &str, &str); 5] = [
    ("", "v1", "Secret"),
    DEPLOYMENT,
    STATEFUL_SET,
    JOB,
    HELM_RELEASE,
];
pub(crate) const DEPLOYMENT: (&str, &str, &str) = ("apps", "v1", "Deployment");
const STATEFUL_SET: (&str, &str, &str) = ("apps", "v1", "StatefulSet");
const JOB: (&str, &str, &str) = ("batch", "v1", "Job");
pub(crate) const HELM_RELEASE: (&str, &str, &str) = ("helm.pintle.dev", "v1", "HelmRelease");

/// The objects of a kind in a namespace.
pub(crate) fn api(
    client: &Client,
    kind: (&str, &str, &str),
    namespace: &str,
) -> Api<DynamicObject> {
    let (group, version, kind) = kind;
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    Api::namespaced_with(client.clone(), namespace, &resource)
}

/// An object's state, when it was seen.
pub(crate) struct Sighting {
    pub(crate) at: Instant,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) object: Value,
    pub(crate) gone: bool,
}

/// The watcher of one namespace, who leaves when dropped.
pub(crate) struct Witness {
    sightings: Receiver<Sighting>,
    watches: Vec<JoinHandle<()>>,
}

impl Witness {
    /// Returns when the API server has begun every watch.
    pub(crate) fn of(
        runtime: &Runtime,
        client: &Client,
        namespace: &str,
        kinds: &[(&'static str, &'static str, &'static str)],
    ) -> Result<Witness> {
        Self::over(runtime, kinds, |kind| api(client, kind, namespace))
    }

    fn over(
        runtime: &Runtime,
        kinds: &[(&'static str, &'static str, &'static str)],
        api: impl Fn((&'static str, &'static str, &'static str)) -> Api<DynamicObject>,
    ) -> Result<Witness> {
        let (sender, sightings) = channel();
        let mut watches = Vec::new();
        for kind in kinds {
            let watch = runtime.block_on(begin(api(*kind), kind.2, sender.clone()));
            let watch = watch.with_context(|| format!("watch {}", kind.2))?;
            watches.push(runtime.spawn(watch));
        }
        Ok(Witness { sightings, watches })
    }

    /// The same of all namespaces.
    pub(crate) fn everywhere(
        runtime: &Runtime,
        client: &Client,
        kinds: &[(&'static str, &'static str, &'static str)],
    ) -> Result<Witness> {
        Self::over(runtime, kinds, |(group, version, kind)| {
            let kind = GroupVersionKind::gvk(group, version, kind);
            Api::all_with(client.clone(), &ApiResource::from_gvk(&kind))
        })
    }

    /// The next sighting, if there is one so soon.
    pub(crate) fn within(&self, time: Duration) -> Option<Sighting> {
        self.sightings.recv_timeout(time).ok()
    }

    /// The next sighting.
    pub(crate) fn next(&self) -> Result<Sighting> {
        self.sightings
            .recv_timeout(PATIENCE)
            .context("nothing more happens in the namespace")
    }

    /// The next sighting of which this holds.
    pub(crate) fn until(&self, holds: impl Fn(&Sighting) -> bool) -> Result<Sighting> {
        loop {
            let sighting = self.next()?;
            if holds(&sighting) {
                return Ok(sighting);
            }
        }
    }

    /// What was seen so far and not asked for.
    pub(crate) fn rest(&self) -> Vec<Sighting> {
        self.sightings.try_iter().collect()
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.watches.iter().for_each(JoinHandle::abort);
    }
}

/// Opens a watch; the answer is what is to be run to follow it.
async fn begin(
    api: Api<DynamicObject>,
    kind: &'static str,
    sender: Sender<Sighting>,
) -> kube::Result<impl Future<Output = ()>> {
    // From the beginning: what is there already comes first.
    let events = api.watch(&WatchParams::default(), "0").await?;
    Ok(async move {
        futures::pin_mut!(events);
        // A watch that breaks off ends the sightings, and whoever waits for one says so.
        while let Ok(Some(event)) = events.try_next().await {
            let at = Instant::now();
            let (object, gone) = match event {
                WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, false),
                WatchEvent::Deleted(object) => (object, true),
                WatchEvent::Bookmark(_) => continue,
                WatchEvent::Error(_) => return,
            };
            let name = object.metadata.name.clone().unwrap_or_default();
            let uid = object.metadata.uid.clone().unwrap_or_default();
            let object = serde_json::to_value(object).unwrap_or_default();
            if sender
                .send(Sighting {
                    at,
                    kind,
                    name,
                    uid,
                    object,
                    gone,
                })
                .is_err()
            {
                return;
            }
        }
    })
}

impl Sighting {
    /// Whether a HelmRelease is Ready in its newest spec.
    pub(crate) fn is_ready_release(&self) -> bool {
        self.kind == HELM_RELEASE.2
            && !self.gone
            && self.object["status"]["observedGeneration"] == self.object["metadata"]["generation"]
            && self.condition("Ready") == Some("True")
    }

    /// Whether a Deployment or StatefulSet has all its pods, and they are ready.
    pub(crate) fn is_ready_workload(&self) -> bool {
        let (spec, status) = (&self.object["spec"], &self.object["status"]);
        let enough = |field: &str| status[field].as_i64() >= spec["replicas"].as_i64().or(Some(1));
        let current = status["observedGeneration"] == self.object["metadata"]["generation"];
        self.is_workload()
            && !self.gone
            && current
            && match self.kind {
                "Deployment" => enough("updatedReplicas") && enough("availableReplicas"),
                _ => enough("updatedReplicas") && enough("readyReplicas"),
            }
    }

    pub(crate) fn is_workload(&self) -> bool {
        self.kind == DEPLOYMENT.2 || self.kind == STATEFUL_SET.2
    }

    /// Whether a Job has ended well.
    pub(crate) fn is_complete_job(&self) -> bool {
        self.kind == JOB.2 && self.condition("Complete") == Some("True")
    }

    pub(crate) fn is_job(&self) -> bool {
        self.kind == JOB.2
    }

    /// Whether this is the record that Helm's storage holds of a revision.
    pub(crate) fn is_record(&self) -> bool {
        self.name.starts_with("sh.helm.release.v1.")
    }

    fn condition(&self, kind: &str) -> Option<&str> {
        let conditions = self.object["status"]["conditions"].as_array()?;
        conditions
            .iter()
            .find(|condition| condition["type"] == kind)?["status"]
            .as_str()
    }
}
