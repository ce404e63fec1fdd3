//! Objects whose change the API server refuses, because a field is immutable: deleted, and created
//! anew, where that loses nothing or the spec allows it.
//!
//! In: an object, as it is and as it shall be, and the refusal. Out: the new object, or the
//! refusal. Never: a PersistentVolumeClaim deleted (see [`NEVER`]), or anything that could not be created again.

use kube::api::PropagationPolicy;
use serde_json::Value;
use tracing::info;

use super::{Execution, Progress};
use crate::api::Replace;
use crate::cluster::error::{Error, Result};
use crate::cluster::live::{Applying, Endpoint};
use crate::merge;
use crate::plan::{Action, Subject};

/// What validations of Kubernetes say of fields that stay as they are.
const IMMUTABLE: [&str; 5] = [
    "immutable",
    "may not change",
    "cannot change",
    "updates to statefulset spec",
    "updates to parameters are forbidden",
];

/// What is never deleted to be created anew: data, and whatever other objects live in.
const NEVER: [&str; 4] = [
    "PersistentVolumeClaim",
    "PersistentVolume",
    "Namespace",
    "CustomResourceDefinition",
];

impl Execution<'_> {
    /// Replaces an object that cannot be changed; answers the refusal where it must not be.
    pub(super) async fn replace(
        &self,
        at: &Endpoint,
        live: &Value,
        target: &Value,
        refusal: Error,
        progress: &Progress,
    ) -> Result<Value> {
        let changing = matches!(
            self.plan.action,
            Action::Install | Action::Upgrade | Action::Rollback { .. }
        );
        if !changing || !is_about_immutable(&refusal) {
            return Err(refusal);
        }
        self.may_replace(at, live, target, refusal).await?;
        self.replace_now(at, live, target, progress).await
    }

    /// Replaces an object that is known to be one that cannot be changed, and may be replaced.
    pub(super) async fn replace_known(
        &self,
        at: &Endpoint,
        subject: &Subject,
        progress: &mut Progress,
    ) -> Result<(Value, &'static str)> {
        let target = &subject.object.value;
        let live = match progress.seen.remove(&subject.object.key) {
            Some(live) => live,
            None => self.cluster.get(at).await?,
        };
        let replaced = match live {
            Some(live) => self.replace_now(at, &live, target, progress).await?,
            None => self.create_anew(at, target, merge::HELM).await?,
        };
        Ok((replaced, "replaced"))
    }

    /// Whether an object whose change was refused may be replaced; the refusal, if not.
    pub(super) async fn may_replace(
        &self,
        at: &Endpoint,
        live: &Value,
        target: &Value,
        refusal: Error,
    ) -> Result<()> {
        if NEVER.iter().any(|kind| target["kind"] == *kind) {
            return Err(refusal);
        }
        if !loses_nothing(live) && self.replace == Replace::Never {
            return Err(advised(refusal));
        }
        // The name is taken: that is the last thing that the API server looks at.
        match self.cluster.try_create(at, target).await {
            Err(error) if error.is_status(409) => Ok(()),
            Err(error) if error.is_transient() => Err(error),
            Err(_) | Ok(_) => Err(refusal),
        }
    }

    async fn replace_now(
        &self,
        at: &Endpoint,
        live: &Value,
        target: &Value,
        progress: &Progress,
    ) -> Result<Value> {
        info!(object = %at.object, "replaced, as a field of it is immutable");
        // An earlier process may have begun with it.
        if live["metadata"]["deletionTimestamp"].is_null() {
            let propagation = propagation(live, target);
            self.cluster.delete_as(at, propagation).await?;
        }
        let left = progress.left();
        self.cluster
            .await_gone(vec![at.clone()], left, self.permit, self.report)
            .await?;
        self.create_anew(at, target, merge::applier(live)).await
    }

    async fn create_anew(&self, at: &Endpoint, target: &Value, manager: &str) -> Result<Value> {
        if !self.record.is_server_side() {
            return self.cluster.create(at, target).await;
        }
        let how = Applying {
            manager,
            force: false,
            dry_run: false,
            creates: true,
        };
        self.cluster.apply(at, target, how).await
    }
}

pub(super) fn is_about_immutable(refusal: &Error) -> bool {
    match refusal {
        Error::Refused { code, message, .. } => {
            *code == 422 && IMMUTABLE.iter().any(|words| message.contains(words))
        }
        _ => false,
    }
}

/// A Job that has ended has nothing left to do, and a Pod is made to be replaced.
fn loses_nothing(live: &Value) -> bool {
    let ended = |condition: &Value| {
        (condition["type"] == "Complete" || condition["type"] == "Failed")
            && condition["status"] == "True"
    };
    match live["kind"].as_str().unwrap_or_default() {
        "Pod" => true,
        "Job" => live["status"]["conditions"]
            .as_array()
            .is_some_and(|conditions| conditions.iter().any(ended)),
        _ => false,
    }
}

/// Pods run on under the new object where it would select them.
fn propagation(live: &Value, target: &Value) -> PropagationPolicy {
    let keeps_pods = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];
    let labels = &live["spec"]["template"]["metadata"]["labels"];
    let selector = target["spec"]["selector"]["matchLabels"].as_object();
    let selected =
        selector.is_some_and(|wanted| wanted.iter().all(|(key, value)| labels[key] == *value));
    match selected && keeps_pods.iter().any(|kind| live["kind"] == *kind) {
        true => PropagationPolicy::Orphan,
        false => PropagationPolicy::Background,
    }
}

/// The refusal, with what a person can do about it.
fn advised(refusal: Error) -> Error {
    match refusal {
        Error::Refused {
            action,
            object,
            code,
            reason,
            message,
        } => Error::Refused {
            action,
            object,
            code,
            reason,
            message: format!(
                "{message} (replace: WhenImmutable in the spec has it deleted and created anew)"
            ),
        },
        other => other,
    }
}
