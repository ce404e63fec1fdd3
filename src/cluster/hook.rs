//! One hook, from before its creation to its end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::error::{Error, Result};
use super::live::{Applying, Cluster, Endpoint};
use super::permit::Permit;
use super::wait::Unready;
use crate::health::{self, Status};
use crate::manifest::{DeletePolicy, Hook};
use crate::merge;

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HookEnd {
    Succeeded,
    Failed {
        message: String,
    },
    TimedOut {
        unready: Vec<Unready>,
    },
    /// It never ran: the API server did not take it.
    Refused {
        message: String,
    },
    Interrupted,
}

/// The annotation on the objects of a hook that says of which run they are. No label: the API
/// server gives a Job its template's labels only where it has none itself.
const RUN: &str = "helm.pintle.dev/run";

/// Objects of a hook, and what was last seen of each.
pub(super) type Created = Vec<(Endpoint, Option<Value>)>;

impl Cluster {
    /// Deletes what an earlier run left, where the policy says so.
    // helm: pkg/action/hooks.go execHookWithDelayedShutdown
    pub(super) async fn clear_hook(
        &self,
        hook: &Hook,
        release_namespace: &str,
        timeout: Duration,
        permit: &Permit,
    ) -> Result<()> {
        let by_default = hook.delete_policies.is_empty();
        if by_default || hook.is_deleted(DeletePolicy::BEFORE_HOOK_CREATION) {
            self.delete_hook(hook, release_namespace, None, timeout, permit)
                .await?;
        }
        Ok(())
    }

    /// Creates the hook's objects; the inner error is what the API server said to one of them.
    // helm: pkg/kube/client.go makeCreateApplyFunc: server-side, one that is there is applied once more.
    pub(super) async fn create_hook(
        &self,
        hook: &Hook,
        release_namespace: &str,
        run: &str,
        server_side: bool,
    ) -> Result<std::result::Result<Created, String>> {
        let mut created = Vec::new();
        for mut object in objects(hook)? {
            mark(&mut object.value, run);
            let mut at = self.endpoint(&object.key, release_namespace).await?;
            let how = Applying {
                manager: merge::HELM,
                force: false,
                dry_run: false,
                creates: true,
            };
            let created_now = match server_side && !object.key.name.is_empty() {
                true => self.apply(&at, &object.value, how).await,
                false => self.create(&at, &object.value).await,
            };
            let live = match created_now {
                Ok(live) => live,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => return Ok(Err(error.to_string())),
            };
            name_as_answered(&mut at, &live);
            created.push((at, Some(live)));
        }
        Ok(Ok(created))
    }

    /// The objects of a run that was begun before; `None` where nothing of it is there. What was
    /// not created any more is created now.
    pub(super) async fn hook_under_way(
        &self,
        hook: &Hook,
        release_namespace: &str,
        run: &str,
    ) -> Result<Option<Created>> {
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for object in objects(hook)? {
            let mut at = self.endpoint(&object.key, release_namespace).await?;
            let live = match object.key.name.is_empty() {
                true => self.first(&at, |live| is_of(live, run)).await?,
                false => self.get(&at).await?,
            };
            match live.filter(|live| is_of(live, run)) {
                Some(live) => {
                    name_as_answered(&mut at, &live);
                    found.push((at, Some(live)));
                }
                None => missing.push((at, object)),
            }
        }
        if found.is_empty() {
            return Ok(None);
        }
        for (mut at, mut object) in missing {
            mark(&mut object.value, run);
            let live = self.create(&at, &object.value).await?;
            name_as_answered(&mut at, &live);
            found.push((at, Some(live)));
        }
        Ok(Some(found))
    }

    /// Deletes the hook's objects and waits until they are gone; those of one run `only`, where
    /// one is named.
    // helm: pkg/action/hooks.go deleteHookByPolicy
    pub(super) async fn delete_hook(
        &self,
        hook: &Hook,
        release_namespace: &str,
        only: Option<&str>,
        timeout: Duration,
        permit: &Permit,
    ) -> Result<()> {
        // Never delete a definition: everything made of it would go with it.
        // helm: pkg/action/hooks.go deleteHookByPolicy
        if hook.kind == "CustomResourceDefinition" {
            return Ok(());
        }
        let mut deleted = Vec::new();
        for object in objects(hook)?
            .into_iter()
            .filter(|object| !object.key.name.is_empty())
        {
            let at = self.endpoint(&object.key, release_namespace).await?;
            if let Some(run) = only {
                let live = self.get(&at).await?;
                if live.is_none_or(|live| !is_of(&live, run)) {
                    continue;
                }
            }
            self.delete(&at).await?;
            deleted.push(at);
        }
        self.await_gone(deleted, timeout, permit, &|_| ())
            .await
            .map(|_| ())
    }

    /// Waits until the objects have completed.
    pub(super) async fn await_completion(
        &self,
        created: Created,
        timeout: Duration,
        permit: &Permit,
        report: &(dyn Fn(&[Unready]) + Sync),
    ) -> Result<HookEnd> {
        let failure = Mutex::new(None);
        let judge = |at: &Endpoint, state: Option<&Value>| {
            // A hook that deletes itself has done its work.
            let health = health::completed(state?);
            match health.status {
                Status::Current => None,
                Status::Failed => {
                    let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                    failure.get_or_insert(format!("{}: {}", at.object, health.message));
                    None
                }
                _ => Some(Unready {
                    object: at.object.clone(),
                    reason: health.reason,
                    message: health.message,
                    failed: false,
                }),
            }
        };
        let unready = self.until(created, timeout, permit, report, &judge).await?;
        let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(match (failure, unready) {
            (Some(message), _) => HookEnd::Failed { message },
            (None, unready) if unready.is_empty() => HookEnd::Succeeded,
            (None, _) if permit.is_revoked() => HookEnd::Interrupted,
            (None, unready) => HookEnd::TimedOut { unready },
        })
    }
}

/// Says of which run an object is.
fn mark(object: &mut Value, run: &str) {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        let annotations = metadata.entry("annotations").or_insert(Value::Null);
        if annotations.is_null() {
            *annotations = Value::Object(serde_json::Map::new());
        }
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.insert(RUN.to_owned(), run.into());
        }
    }
}

fn is_of(live: &Value, run: &str) -> bool {
    live["metadata"]["annotations"][RUN] == run
}

/// The server completes a generateName.
fn name_as_answered(at: &mut Endpoint, live: &Value) {
    if let Some(name) = live["metadata"]["name"].as_str() {
        name.clone_into(&mut at.object.name);
    }
}

fn objects(hook: &Hook) -> Result<Vec<crate::manifest::Object>> {
    hook.objects().map_err(|source| Error::Manifest {
        object: format!("hook {}", hook.path),
        source,
    })
}
