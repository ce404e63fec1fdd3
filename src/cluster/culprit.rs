//! Why an object is not ready: what a person would look for with `kubectl describe` and
//! `kubectl logs`.
//!
//! In: the objects at fault. Out: a sentence for each, of their pods' containers, the last Warning
//! events, and the last lines that a failing container wrote. Never: an error; what cannot be read
//! is left out.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::Api;
use kube::api::{ListParams, LogParams};
use serde_json::Value;
use tracing::debug;

use super::live::Cluster;
use crate::manifest::ObjectKey;

/// How much of everything is told.
const OBJECTS: usize = 3;
const PODS: usize = 2;
const EVENTS: usize = 3;
const LINES: i64 = 5;
const LETTERS: usize = 500;

impl Cluster {
    /// What is behind the state of these objects; empty where nothing is found.
    pub(super) async fn explain(&self, objects: &[ObjectKey], release_namespace: &str) -> String {
        let mut told = Vec::new();
        for object in objects.iter().take(OBJECTS) {
            told.extend(self.explain_one(object, release_namespace).await);
        }
        told.join("; ")
    }

    async fn explain_one(&self, object: &ObjectKey, release_namespace: &str) -> Vec<String> {
        let Ok(at) = self.endpoint(object, release_namespace).await else {
            return Vec::new();
        };
        let (Ok(Some(live)), Some(namespace)) = (self.get(&at).await, &at.namespace) else {
            return Vec::new();
        };
        let pods = self.failing_pods(&live, namespace).await;
        let mut involved = BTreeSet::from([object.name.clone()]);
        let mut told = Vec::new();
        for pod in pods.iter().take(PODS) {
            let metadata = &pod.metadata;
            let owners = metadata.owner_references.iter().flatten();
            involved.extend(owners.map(|owner| owner.name.clone()));
            involved.extend(metadata.name.clone());
            told.extend(self.explain_pod(pod, namespace).await);
        }
        let events = self.warnings(&involved, namespace).await;
        told.extend(events);
        told
    }

    /// The pods of an object, or the object itself, that are not as they should be.
    async fn failing_pods(&self, live: &Value, namespace: &str) -> Vec<Pod> {
        if live["kind"] == "Pod" {
            return serde_json::from_value(live.clone()).into_iter().collect();
        }
        let Some(labels) = live["spec"]["selector"]["matchLabels"].as_object() else {
            return Vec::new();
        };
        let selector: Vec<String> = labels
            .iter()
            .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)))
            .collect();
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let parameters = ListParams::default().labels(&selector.join(",")).limit(50);
        let found = match api.list(&parameters).await {
            Ok(found) => found.items,
            Err(error) => {
                debug!(%error, "the pods at fault could not be read");
                return Vec::new();
            }
        };
        let mut failing: Vec<Pod> = found.into_iter().filter(|pod| !is_well(pod)).collect();
        // The newest first: those of the revision that is to be.
        failing.sort_by_key(|pod| {
            let created = pod.metadata.creation_timestamp.as_ref();
            std::cmp::Reverse(created.map(|time| time.0))
        });
        failing
    }

    async fn explain_pod(&self, pod: &Pod, namespace: &str) -> Vec<String> {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let status = pod.status.as_ref();
        let containers = status.into_iter().flat_map(|status| {
            let init = status.init_container_statuses.iter().flatten();
            init.chain(status.container_statuses.iter().flatten())
        });
        let Some((container, state)) = containers
            .filter_map(|container| Some((container, said(container)?)))
            .next()
        else {
            return Vec::new();
        };
        let mut told = vec![format!("Pod {name}, container {}: {state}", container.name)];
        let parameters = LogParams {
            container: Some(container.name.clone()),
            tail_lines: Some(LINES),
            // What runs now has just been started.
            previous: container.restart_count > 0 && has_ended_before(container),
            ..LogParams::default()
        };
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        match api.logs(name, &parameters).await {
            Ok(log) if !log.trim().is_empty() => {
                told.push(format!("its last lines: {}", shortened(log.trim())));
            }
            Ok(_) => {}
            Err(error) => debug!(pod = name, %error, "the log could not be read"),
        }
        told
    }

    /// The last Warning events about any of these.
    async fn warnings(&self, involved: &BTreeSet<String>, namespace: &str) -> Vec<String> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), namespace);
        let parameters = ListParams::default().fields("type=Warning").limit(500);
        let events = match api.list(&parameters).await {
            Ok(events) => events.items,
            Err(error) => {
                debug!(%error, "the events could not be read");
                return Vec::new();
            }
        };
        let about = |event: &Event| event.involved_object.name.clone().unwrap_or_default();
        let mut events: Vec<Event> = events
            .into_iter()
            .filter(|event| involved.contains(&about(event)))
            .collect();
        events.sort_by_key(|event| {
            let last = event.last_timestamp.as_ref().map(|time| time.0);
            std::cmp::Reverse(last.or(event.event_time.as_ref().map(|time| time.0)))
        });
        let told = events.iter().map(|event| {
            let (reason, message) = (event.reason.as_deref(), event.message.as_deref());
            format!(
                "{} on {}: {}",
                reason.unwrap_or("Warning"),
                about(event),
                shortened(message.unwrap_or_default())
            )
        });
        let mut told: Vec<String> = told.collect();
        told.dedup();
        told.truncate(EVENTS);
        told
    }
}

fn is_well(pod: &Pod) -> bool {
    let Some(status) = &pod.status else {
        return false;
    };
    let mut conditions = status.conditions.iter().flatten();
    status.phase.as_deref() == Some("Succeeded")
        || conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// What is wrong with a container, if anything is.
fn said(container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or("waiting");
        let message = waiting.message.as_deref().unwrap_or_default();
        return Some(shortened(format!("{reason} {message}").trim()));
    }
    if let Some(ended) = &state.terminated {
        let reason = ended.reason.as_deref().unwrap_or("ended");
        return (ended.exit_code != 0).then(|| format!("{reason}, exit code {}", ended.exit_code));
    }
    (!container.ready).then(|| "runs, and is not ready".to_owned())
}

fn has_ended_before(container: &ContainerStatus) -> bool {
    let last = container.last_state.as_ref();
    last.is_some_and(|state| state.terminated.is_some())
}

/// The end of a long text: that is where the reason stands.
fn shortened(text: &str) -> String {
    let letters = text.chars().count();
    let text: String = text
        .chars()
        .skip(letters.saturating_sub(LETTERS))
        .map(|letter| if letter == '\n' { ' ' } else { letter })
        .collect();
    match letters > LETTERS {
        true => format!("…{text}"),
        false => text,
    }
}
