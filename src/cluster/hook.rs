//! One hook, from before its creation to its end.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::error::{Error, Result};
use super::live::{Cluster, Endpoint};
use super::wait::{Interrupt, Unready};
use crate::health::{self, Status};
use crate::manifest::{DeletePolicy, Hook};

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum HookEnd {
    Succeeded,
    Failed { message: String },
    TimedOut { unready: Vec<Unready> },
    Interrupted,
}

impl Cluster {
    /// Deletes what an earlier run left where the policy says so, creates the hook's objects and
    /// waits until they have completed.
    // helm: pkg/action/hooks.go execHookWithDelayedShutdown
    pub(super) async fn run_hook(
        &self,
        hook: &Hook,
        release_namespace: &str,
        timeout: Duration,
        interrupt: &Interrupt,
        report: &(dyn Fn(&[Unready]) + Sync),
    ) -> Result<HookEnd> {
        let by_default = hook.delete_policies.is_empty();
        if by_default || hook.is_deleted(DeletePolicy::BEFORE_HOOK_CREATION) {
            self.delete_hook(hook, release_namespace, timeout, interrupt)
                .await?;
        }
        let mut created = Vec::new();
        for object in objects(hook)? {
            let mut at = self.endpoint(&object.key, release_namespace).await?;
            let live = match self.create(&at, &object.value).await {
                Ok(live) => live,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    return Ok(HookEnd::Failed {
                        message: error.to_string(),
                    });
                }
            };
            // The server completes a generateName.
            if let Some(name) = live["metadata"]["name"].as_str() {
                name.clone_into(&mut at.object.name);
            }
            created.push((at, Some(live)));
        }
        self.await_completion(created, timeout, interrupt, report)
            .await
    }

    /// Deletes the hook's objects where its policy names this event.
    // helm: pkg/action/hooks.go deleteHookByPolicy
    pub(super) async fn tidy_hook(
        &self,
        hook: &Hook,
        policy: &str,
        release_namespace: &str,
        timeout: Duration,
        interrupt: &Interrupt,
    ) -> Result<()> {
        if hook.is_deleted(policy) {
            self.delete_hook(hook, release_namespace, timeout, interrupt)
                .await?;
        }
        Ok(())
    }

    async fn delete_hook(
        &self,
        hook: &Hook,
        release_namespace: &str,
        timeout: Duration,
        interrupt: &Interrupt,
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
            self.delete(&at).await?;
            deleted.push(at);
        }
        self.await_gone(deleted, timeout, interrupt, &|_| ())
            .await
            .map(|_| ())
    }

    async fn await_completion(
        &self,
        created: Vec<(Endpoint, Option<Value>)>,
        timeout: Duration,
        interrupt: &Interrupt,
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
                }),
            }
        };
        let unready = self
            .until(created, timeout, interrupt, report, &judge)
            .await?;
        let failure = failure.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(match (failure, unready) {
            (Some(message), _) => HookEnd::Failed { message },
            (None, unready) if unready.is_empty() => HookEnd::Succeeded,
            (None, _) if interrupt.is_raised() => HookEnd::Interrupted,
            (None, unready) => HookEnd::TimedOut { unready },
        })
    }
}

fn objects(hook: &Hook) -> Result<Vec<crate::manifest::Object>> {
    hook.objects().map_err(|source| Error::Manifest {
        object: format!("hook {}", hook.path),
        source,
    })
}
