//! The steps that are hooks: run to their end, noted, tidied.
//!
//! In: a hook of a plan, and what the record notes of earlier runs. Out: its end, stored before
//! anything follows from it. Never: a second run of a hook that ran.

use tracing::{debug, info};

use super::{Execution, Failure, Progress, Stop, sentence};
use crate::api::Reason;
use crate::cluster::error::Result;
use crate::cluster::hook::HookEnd;
use crate::manifest::{self, DeletePolicy, Hook, OutputLogPolicy};
use crate::plan;
use crate::release;

impl Execution<'_> {
    /// Runs a hook, unless the record says that it ran. What a run begins with and how it ended is
    /// stored before anything follows from it, so that no hook runs twice.
    pub(super) async fn run_hook(
        &mut self,
        phase: plan::HookPhase,
        hook: &Hook,
        progress: &mut Progress,
    ) -> Result<Option<Stop>> {
        let run = plan::hook_run(&self.plan.release, self.plan.revision, phase.0, hook);
        if self.notes().has_run(&run) {
            debug!(%phase, kind = %hook.kind, hook = %hook.name, "hook ran before the interruption");
            return Ok(None);
        }
        let known = self.notes().why_failed(&run).map(str::to_owned);
        let failure = |message: &str, details: String| {
            Stop::Failed(Failure {
                reason: Reason::HookFailed,
                message: format!(
                    "{phase} hook {} {} ({}) failed: {message}",
                    hook.kind, hook.name, hook.path
                ),
                unready: Vec::new(),
                details,
            })
        };
        let message = match known {
            Some(message) => message,
            None => match self.run_hook_now(phase, hook, &run, progress).await? {
                HookEnd::Succeeded => return Ok(None),
                HookEnd::Interrupted => return Ok(Some(Stop::Interrupted)),
                // helm: pkg/action/hooks.go: then nothing is deleted; what is in its way may be
                // somebody's.
                HookEnd::Refused { message } => {
                    return Ok(Some(failure(&message, String::new())));
                }
                HookEnd::Failed { message } => message,
                HookEnd::TimedOut { unready } => {
                    format!("timed out waiting: {}", sentence(&unready))
                }
            },
        };
        // Before it is deleted.
        self.tell_printed(hook, OutputLogPolicy::HOOK_FAILED).await;
        let objects = hook.objects().unwrap_or_default();
        let objects: Vec<_> = objects.into_iter().map(|object| object.key).collect();
        let namespace = &self.plan.release.namespace;
        let details = self.cluster.explain(&objects, namespace).await;
        let failed = std::slice::from_ref(hook);
        self.tidy(phase, failed, DeletePolicy::HOOK_FAILED, progress)
            .await?;
        let ran = progress.hooks.iter().filter(|(of, _)| *of == phase);
        let earlier: Vec<Hook> = ran.map(|(_, hook)| hook.clone()).collect();
        self.tidy(phase, &earlier, DeletePolicy::HOOK_SUCCEEDED, progress)
            .await?;
        Ok(Some(failure(&message, details)))
    }

    async fn run_hook_now(
        &mut self,
        phase: plan::HookPhase,
        hook: &Hook,
        run: &str,
        progress: &Progress,
    ) -> Result<HookEnd> {
        let namespace = &self.plan.release.namespace.clone();
        let left = progress.left();
        let cluster = self.cluster;
        let (permit, report) = (self.permit, self.report);
        let begun = match self.plan.resumed {
            true => cluster.hook_under_way(hook, namespace, run).await?,
            false => None,
        };
        let created = match begun {
            Some(created) => created,
            None => {
                cluster.clear_hook(hook, namespace, left, permit).await?;
                self.hook_begins(hook);
                self.store().await?;
                let server_side = self.record.is_server_side();
                match cluster
                    .create_hook(hook, namespace, run, server_side)
                    .await?
                {
                    Ok(created) => created,
                    Err(message) => {
                        let end = HookEnd::Refused { message };
                        return self.hook_ended(phase, hook, run, end).await;
                    }
                }
            }
        };
        let waiting = cluster.await_completion(created, left, permit, report);
        let end = self.while_packed(waiting).await?;
        self.hook_ended(phase, hook, run, end).await
    }

    /// Tells what a hook printed, where it asks for that.
    // helm: pkg/action/hooks.go outputLogsByPolicy
    pub(super) async fn tell_printed(&self, hook: &Hook, policy: &str) {
        let asks = |known: &OutputLogPolicy| known.0 == policy;
        if !hook.output_log_policies.iter().any(asks) {
            return;
        }
        let namespace = &self.plan.release.namespace;
        let failed = policy == OutputLogPolicy::HOOK_FAILED;
        for printed in self.cluster.printed(hook, namespace, failed).await {
            info!(hook = %printed.hook, pod = %printed.pod, container = %printed.container, printed = %printed.text, "hook printed");
            (self.hear)(printed);
        }
    }

    fn hook_begins(&mut self, hook: &Hook) {
        let began = release::time((self.now)());
        self.record_hook(hook, |known| {
            // helm: pkg/action/hooks.go hookSetDeletePolicy
            if known.delete_policies.is_empty() {
                let default = DeletePolicy::before_hook_creation();
                known.delete_policies.push(default);
            }
            known.last_run = manifest::Execution {
                started_at: began,
                phase: "Running".to_owned(),
                ..manifest::Execution::default()
            };
        });
    }

    async fn hook_ended(
        &mut self,
        phase: plan::HookPhase,
        hook: &Hook,
        run: &str,
        end: HookEnd,
    ) -> Result<HookEnd> {
        let failure = match &end {
            // Somebody will go on with it.
            HookEnd::Interrupted => return Ok(end),
            HookEnd::Succeeded => None,
            HookEnd::Failed { message } | HookEnd::Refused { message } => Some(message.clone()),
            HookEnd::TimedOut { unready } => {
                Some(format!("timed out waiting: {}", sentence(unready)))
            }
        };
        let succeeded = failure.is_none();
        info!(%phase, kind = %hook.kind, hook = %hook.name, succeeded, "hook ran");
        let ended = release::time((self.now)());
        self.record_hook(hook, |known| {
            known.last_run.completed_at = ended;
            known.last_run.phase = if succeeded { "Succeeded" } else { "Failed" }.to_owned();
        });
        self.note(|notes| match (&end, &failure) {
            // It may be taken the next time.
            (HookEnd::Refused { .. }, _) => {}
            (_, None) => notes.ran(run),
            (_, Some(message)) => notes.failed(run, message),
        });
        self.store().await?;
        Ok(end)
    }

    /// helm: pkg/action/hooks.go: the record tells when each hook ran last, and how it ended.
    fn record_hook(&mut self, hook: &Hook, change: impl FnOnce(&mut Hook)) {
        let same = |known: &&mut Hook| known.path == hook.path && known.name == hook.name;
        if let Some(known) = self.record.hooks.iter_mut().find(same) {
            change(known);
        }
    }

    pub(super) async fn tidy(
        &self,
        phase: plan::HookPhase,
        hooks: &[Hook],
        policy: &str,
        progress: &Progress,
    ) -> Result<()> {
        let plan = &self.plan;
        let namespace = &plan.release.namespace;
        for hook in hooks.iter().rev().filter(|hook| hook.is_deleted(policy)) {
            // The same hook may run again at a later event, and be under way there by now.
            let run = plan::hook_run(&plan.release, plan.revision, phase.0, hook);
            let only = plan.resumed.then_some(&*run);
            self.cluster
                .delete_hook(hook, namespace, only, progress.left(), self.permit)
                .await?;
        }
        Ok(())
    }
}
