//! Why an object is not ready: what a person would look for with `kubectl describe` and
//! `kubectl logs`.
//!
//! In: the objects at fault. Out: a sentence for each, of their pods' containers, the last Warning
//! events, and the last lines that a failing container wrote; of a hook that asks for it, what its
//! pods printed. Never: an error; what cannot be read is left out.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{ContainerStatus, Event, Pod};
use kube::Api;
use kube::api::{ListParams, LogParams};
use serde_json::Value;
use tracing::debug;

use super::live::Cluster;
use crate::manifest::{Hook, ObjectKey};

/// How much of everything is told.
const OBJECTS: usize = 3;
const PODS: usize = 2;
const EVENTS: usize = 3;
const LINES: i64 = 5;
const LETTERS: usize = 500;

/// And of what a hook printed: an Event takes no more.
const PRINTED_PODS: usize = 3;
const PRINTED_LINES: i64 = 20;
const PRINTED_LETTERS: usize = 700;

/// What one container of a hook printed: its last lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// The kind and name of the hook.
    pub hook: String,
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// The lines, as one.
    pub text: String,
    /// The hook had failed.
    pub failed: bool,
}

/// Why an object is not ready, while it is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// The word of its pod's container, such as `CrashLoopBackOff`, where there is one.
    pub reason: Option<String>,
    /// The sentences.
    pub message: String,
}

impl Cluster {
    /// Why these objects are not ready, as far as their pods and events tell without a log; only
    /// the first ones are looked at.
    pub async fn culprits(
        &self,
        objects: &[ObjectKey],
        release_namespace: &str,
    ) -> Vec<(ObjectKey, Culprit)> {
        let mut found = Vec::new();
        for object in objects.iter().take(OBJECTS) {
            let Some((live, namespace)) = self.live_of(object, release_namespace).await else {
                continue;
            };
            let pods = self.failing_pods(&live, &namespace).await;
            let states = pods.iter().take(PODS).filter_map(|pod| {
                let (container, state) = failing_container(pod)?;
                Some((word(container), in_pod(pod, container, &state)))
            });
            let (words, mut told): (Vec<Option<String>>, Vec<String>) = states.unzip();
            told.extend(self.warnings(&involved(object, &pods), &namespace).await);
            if told.is_empty() {
                continue;
            }
            let culprit = Culprit {
                reason: words.into_iter().flatten().next(),
                message: told.join("; "),
            };
            found.push((object.clone(), culprit));
        }
        found
    }

    async fn live_of(
        &self,
        object: &ObjectKey,
        release_namespace: &str,
    ) -> Option<(Value, String)> {
        let at = self.endpoint(object, release_namespace).await.ok()?;
        let live = self.get(&at).await.ok()??;
        Some((live, at.namespace?))
    }

    /// What is behind the state of these objects; empty where nothing is found.
    pub(super) async fn explain(&self, objects: &[ObjectKey], release_namespace: &str) -> String {
        let mut told = Vec::new();
        for object in objects.iter().take(OBJECTS) {
            told.extend(self.explain_one(object, release_namespace).await);
        }
        told.join("; ")
    }

    async fn explain_one(&self, object: &ObjectKey, release_namespace: &str) -> Vec<String> {
        let Some((live, namespace)) = self.live_of(object, release_namespace).await else {
            return Vec::new();
        };
        let pods = self.failing_pods(&live, &namespace).await;
        let mut told = Vec::new();
        for pod in pods.iter().take(PODS) {
            told.extend(self.explain_pod(pod, &namespace).await);
        }
        let events = self.warnings(&involved(object, &pods), &namespace).await;
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
        let Some((container, state)) = failing_container(pod) else {
            return Vec::new();
        };
        let mut told = vec![in_pod(pod, container, &state)];
        let parameters = LogParams {
            container: Some(container.name.clone()),
            tail_lines: Some(LINES),
            // What runs now has just been started.
            previous: container.restart_count > 0 && has_ended_before(container),
            ..LogParams::default()
        };
        if let Some(log) = self.log(name, namespace, &parameters).await {
            told.push(format!("its last lines: {}", shortened(&log, LETTERS)));
        }
        told
    }

    /// What a container printed, if it printed anything that can be read.
    async fn log(&self, pod: &str, namespace: &str, parameters: &LogParams) -> Option<String> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        match api.logs(pod, parameters).await {
            Ok(log) => Some(log.trim().to_owned()).filter(|log| !log.is_empty()),
            Err(error) => {
                debug!(pod, %error, "the log could not be read");
                None
            }
        }
    }

    /// What the pods of a hook printed.
    // helm: pkg/action/hooks.go outputLogsByPolicy: of Jobs and Pods alone, all containers but those
    // that run before the others.
    pub(super) async fn printed(
        &self,
        hook: &Hook,
        release_namespace: &str,
        failed: bool,
    ) -> Vec<Printed> {
        let selection = match hook.kind.as_str() {
            "Job" => ListParams::default().labels(&format!("job-name={}", hook.name)),
            "Pod" => ListParams::default().fields(&format!("metadata.name={}", hook.name)),
            _ => return Vec::new(),
        };
        let objects = hook.objects().unwrap_or_default();
        let own = objects.first().and_then(|o| o.key.namespace.as_deref());
        let namespace = own.unwrap_or(release_namespace);
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let pods = match api.list(&selection).await {
            Ok(pods) => pods.items,
            Err(error) => {
                debug!(%error, "the pods of a hook could not be read");
                return Vec::new();
            }
        };
        let mut printed = Vec::new();
        for pod in pods.into_iter().rev().take(PRINTED_PODS) {
            let name = pod.metadata.name.unwrap_or_default();
            for container in pod.spec.into_iter().flat_map(|spec| spec.containers) {
                let parameters = LogParams {
                    container: Some(container.name.clone()),
                    tail_lines: Some(PRINTED_LINES),
                    ..LogParams::default()
                };
                let Some(text) = self.log(&name, namespace, &parameters).await else {
                    continue;
                };
                printed.push(Printed {
                    hook: format!("{} {}", hook.kind, hook.name),
                    pod: name.clone(),
                    container: container.name,
                    text: shortened(&text, PRINTED_LETTERS),
                    failed,
                });
            }
        }
        printed
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
                shortened(message.unwrap_or_default(), LETTERS)
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

/// The names that events about an object, its pods and what is between them speak of.
fn involved(object: &ObjectKey, pods: &[Pod]) -> BTreeSet<String> {
    let mut involved = BTreeSet::from([object.name.clone()]);
    for pod in pods.iter().take(PODS) {
        let owners = pod.metadata.owner_references.iter().flatten();
        involved.extend(owners.map(|owner| owner.name.clone()));
        involved.extend(pod.metadata.name.clone());
    }
    involved
}

/// The first container of a pod that is not as it should be, and what is wrong with it.
fn failing_container(pod: &Pod) -> Option<(&ContainerStatus, String)> {
    let containers = pod.status.iter().flat_map(|status| {
        let init = status.init_container_statuses.iter().flatten();
        init.chain(status.container_statuses.iter().flatten())
    });
    containers
        .filter_map(|container| Some((container, said(container)?)))
        .next()
}

fn in_pod(pod: &Pod, container: &ContainerStatus, state: &str) -> String {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    format!("Pod {name}, container {}: {state}", container.name)
}

/// The state of a container in one word.
fn word(container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    let waiting = state.waiting.as_ref().and_then(|it| it.reason.clone());
    waiting.or_else(|| state.terminated.as_ref()?.reason.clone())
}

/// What is wrong with a container, if anything is.
fn said(container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.as_deref().unwrap_or("waiting");
        let message = waiting.message.as_deref().unwrap_or_default();
        return Some(shortened(format!("{reason} {message}").trim(), LETTERS));
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

/// The end of a long text, in one line: that is where the reason stands.
fn shortened(text: &str, most: usize) -> String {
    let letters = text.chars().count();
    let text: String = text
        .chars()
        .skip(letters.saturating_sub(most))
        .map(|letter| if letter == '\n' { ' ' } else { letter })
        .collect();
    match letters > most {
        true => format!("…{text}"),
        false => text,
    }
}
