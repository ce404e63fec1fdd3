//! The one reader of plans: takes the steps in order, and records how it ended.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;
use tracing::{debug, info};

use super::error::{Error, Result};
use super::hook::HookEnd;
use super::live::{Cluster, Endpoint};
use super::wait::{Interrupt, Unready};
use crate::api::{Attempt, Reason};
use crate::manifest::{self, DeletePolicy, Hook, ObjectKey};
use crate::merge::{self, Kind};
use crate::plan::{self, Action, Notes, Plan, Step, Subject};
use crate::release::{self, History, Record, Status};
use crate::storage::Storage;

/// How a plan ended. A release that failed is no error: it is a fact, and it is recorded.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Every step was taken. The objects as the API server answered them.
    Succeeded(Vec<(ObjectKey, Value)>),
    /// A step failed after the record was stored.
    Failed(Failure),
    /// A newer wish ended the action before its end.
    Interrupted,
}

/// Why a release failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The word for it.
    pub reason: Reason,
    /// The sentence, with the object at fault.
    pub message: String,
    /// The objects that were not ready in time.
    pub unready: Vec<Unready>,
}

/// One execution of one plan.
pub struct Execution<'e> {
    /// The cluster that is changed.
    pub cluster: &'e Cluster,
    /// Where the record goes.
    pub storage: &'e Storage,
    /// The steps.
    pub plan: &'e Plan,
    /// The revision's record: the new one, or the one that is uninstalled or recovered.
    pub record: Record,
    /// Who does this, as the record shall tell.
    pub holder: &'e str,
    /// The inputs that are wanted, and how often they have failed.
    pub inputs: &'e str,
    /// As far as is known; see [`plan::latest_attempt`].
    pub attempt: Option<&'e Attempt>,
    /// The revisions that storage held when the plan was made.
    pub history: History,
    /// How many revisions are kept; 0 keeps all.
    pub history_max: u32,
    /// How long hooks and waiting may take, all told.
    pub timeout: Duration,
    /// Raised when the action is no longer wanted.
    pub interrupt: &'e Interrupt,
    /// Told what is waited for, as it changes.
    pub report: &'e (dyn Fn(&[Unready]) + Sync),
    /// The time.
    pub now: fn() -> Timestamp,
}

/// What stops the walk through the steps.
enum Stop {
    Failed(Failure),
    Interrupted,
}

/// What the walk has learnt so far.
struct Progress {
    /// The record stands in storage: from here on a failure is recorded.
    recorded: bool,
    /// The objects as last answered.
    live: HashMap<ObjectKey, Value>,
    /// The order in which they were applied.
    applied: Vec<ObjectKey>,
    deadline: Instant,
}

impl Execution<'_> {
    /// Takes the steps. An `Err` before the record is stored has left no trace; after it, the
    /// record stays pending and the next turn recovers it.
    pub async fn run(mut self) -> Result<Outcome> {
        let mut progress = Progress {
            recorded: false,
            live: HashMap::new(),
            applied: Vec::new(),
            deadline: Instant::now() + self.timeout,
        };
        if let Some(stop) = self.walk(&mut progress).await? {
            return self.stopped(stop).await;
        }
        let Progress {
            mut live, applied, ..
        } = progress;
        let answered = |key: ObjectKey| live.remove(&key).map(|value| (key, value));
        Ok(Outcome::Succeeded(
            applied.into_iter().filter_map(answered).collect(),
        ))
    }

    async fn walk(&mut self, progress: &mut Progress) -> Result<Option<Stop>> {
        let plan = self.plan;
        for (step, number) in plan.steps.iter().zip(1..) {
            if self.interrupt.is_raised() {
                return Ok(Some(Stop::Interrupted));
            }
            debug!(number, %step, "step");
            match self.take(step, progress).await {
                Ok(None) => {}
                Ok(Some(stop)) => return Ok(Some(stop)),
                Err(error) if progress.recorded && !error.is_transient() => {
                    return Ok(Some(Stop::Failed(refused(&error))));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    async fn take(&mut self, step: &Step, progress: &mut Progress) -> Result<Option<Stop>> {
        let namespace = &self.plan.release.namespace;
        match step {
            Step::EnsureNamespace => self.cluster.ensure_namespace(namespace).await?,
            Step::CheckOwnership { objects } => self.check_ownership(objects).await?,
            Step::StorePending => {
                self.store_pending().await?;
                progress.recorded = true;
            }
            Step::TakeOver => {
                self.take_over().await?;
                progress.recorded = true;
            }
            Step::RunHook { phase, hook } => return self.run_hook(*phase, hook, progress).await,
            Step::TidyHooks { phase, hooks } => {
                self.tidy(*phase, hooks, DeletePolicy::HOOK_SUCCEEDED, progress)
                    .await?;
            }
            Step::Apply(subject) => self.apply(subject, progress).await?,
            Step::Delete { object } => self.delete(object).await?,
            Step::AwaitReady { objects } => return self.await_ready(objects, progress).await,
            Step::AwaitGone { objects } => return self.await_gone(objects, progress).await,
            Step::StoreOutcome => self.store_success().await?,
            Step::Purge => self.purge().await?,
        }
        Ok(None)
    }

    // helm: pkg/action/validate.go existingResourceConflict
    async fn check_ownership(&self, objects: &[ObjectKey]) -> Result<()> {
        for object in objects.iter().filter(|object| !object.name.is_empty()) {
            let at = match self.endpoint(object).await {
                Ok(at) => at,
                // Its definition comes with this very release, so there is no such object yet.
                Err(Error::UnknownKind { .. }) if self.plan_defines(object) => continue,
                Err(error) => return Err(error),
            };
            if let Some(live) = self.cluster.get(&at).await? {
                self.refuse_foreign(&at, &live)?;
            }
        }
        Ok(())
    }

    fn refuse_foreign(&self, at: &Endpoint, live: &Value) -> Result<()> {
        match plan::foreign(live, &self.plan.release) {
            None => Ok(()),
            Some(problem) => Err(Error::Owned {
                object: at.in_helms_words(),
                problem,
            }),
        }
    }

    /// Whether the plan itself brings the definition of an object's kind.
    fn plan_defines(&self, object: &ObjectKey) -> bool {
        self.plan.steps.iter().any(|step| match step {
            Step::Apply(Subject {
                object: definition, ..
            }) => {
                definition.key.kind == "CustomResourceDefinition"
                    && definition.value["spec"]["group"] == object.group()
                    && definition.value["spec"]["names"]["kind"] == object.kind.as_str()
            }
            _ => false,
        })
    }

    async fn store_pending(&mut self) -> Result<()> {
        let now = (self.now)();
        let pending = match self.plan.action {
            Action::Install => Status::PendingInstall,
            Action::Upgrade => Status::PendingUpgrade,
            Action::Rollback { .. } => Status::PendingRollback,
            Action::Uninstall => Status::Uninstalling,
            // These make no revision, and their plans have no such step.
            Action::CorrectDrift
            | Action::Resume { .. }
            | Action::Recover { .. }
            | Action::Rest(_) => return Ok(()),
        };
        self.record.info.status = pending;
        let (holder, attempt) = (self.holder, self.attempt);
        self.note(|notes| {
            notes.hold(holder);
            notes.note_attempt(attempt);
        });
        if pending == Status::Uninstalling {
            // helm: pkg/action/uninstall.go Run
            if self.record.info.deleted.is_empty() {
                self.record.info.deleted = release::time(now);
            }
            return self.store().await;
        }
        self.prune_history().await?;
        Ok(self
            .storage
            .create(&mut self.record, now.as_second())
            .await?)
    }

    /// Another process, which is no more, has stored the record as pending.
    async fn take_over(&mut self) -> Result<()> {
        let holder = self.holder;
        self.note(|notes| {
            notes.hold(holder);
            notes.resume();
        });
        self.store().await
    }

    fn note(&mut self, change: impl FnOnce(&mut Notes)) {
        let mut notes = Notes::new(std::mem::take(&mut self.record.notes_to_self));
        change(&mut notes);
        self.record.notes_to_self = notes.into_annotations();
    }

    fn notes(&self) -> Notes {
        Notes::new(self.record.notes_to_self.clone())
    }

    /// Writes the record over, as it stands.
    async fn store(&mut self) -> Result<()> {
        let now = (self.now)().as_second();
        Ok(self.storage.update(&mut self.record, now).await?)
    }

    /// helm: pkg/storage/storage.go Create, removeLeastRecent.
    async fn prune_history(&self) -> Result<()> {
        for revision in self.history.surplus(i64::from(self.history_max)) {
            self.storage.delete(&self.plan.release, revision).await?;
        }
        Ok(())
    }

    /// Runs a hook, unless the record says that it ran. What a run begins with and how it ended is
    /// stored before anything follows from it, so that no hook runs twice.
    async fn run_hook(
        &mut self,
        phase: plan::HookPhase,
        hook: &Hook,
        progress: &mut Progress,
    ) -> Result<Option<Stop>> {
        let plan = self.plan;
        let run = plan::hook_run(&plan.release, plan.revision, phase.0, hook);
        if self.notes().has_run(&run) {
            debug!(%phase, kind = %hook.kind, hook = %hook.name, "hook ran before the interruption");
            return Ok(None);
        }
        let known = self.notes().why_failed(&run).map(str::to_owned);
        let message = match known {
            Some(message) => message,
            None => match self.run_hook_now(phase, hook, &run, progress).await? {
                HookEnd::Succeeded => return Ok(None),
                HookEnd::Interrupted => return Ok(Some(Stop::Interrupted)),
                HookEnd::Failed { message } => message,
                HookEnd::TimedOut { unready } => {
                    format!("timed out waiting: {}", sentence(&unready))
                }
            },
        };
        let failed = std::slice::from_ref(hook);
        self.tidy(phase, failed, DeletePolicy::HOOK_FAILED, progress)
            .await?;
        let earlier = self.earlier_hooks(phase, hook);
        self.tidy(phase, &earlier, DeletePolicy::HOOK_SUCCEEDED, progress)
            .await?;
        Ok(Some(Stop::Failed(Failure {
            reason: Reason::HookFailed,
            message: format!(
                "{phase} hook {} {} ({}) failed: {message}",
                hook.kind, hook.name, hook.path
            ),
            unready: Vec::new(),
        })))
    }

    async fn run_hook_now(
        &mut self,
        phase: plan::HookPhase,
        hook: &Hook,
        run: &str,
        progress: &Progress,
    ) -> Result<HookEnd> {
        let namespace = &self.plan.release.namespace;
        let left = progress.left();
        let cluster = self.cluster;
        let (interrupt, report) = (self.interrupt, self.report);
        let begun = match self.plan.resumed {
            true => cluster.hook_under_way(hook, namespace, run).await?,
            false => None,
        };
        let created = match begun {
            Some(created) => created,
            None => {
                cluster.clear_hook(hook, namespace, left, interrupt).await?;
                self.hook_begins(hook);
                self.store().await?;
                match cluster.create_hook(hook, namespace, run).await? {
                    Ok(created) => created,
                    Err(message) => {
                        return self
                            .hook_ended(phase, hook, run, HookEnd::Failed { message })
                            .await;
                    }
                }
            }
        };
        let end = cluster
            .await_completion(created, left, interrupt, report)
            .await?;
        self.hook_ended(phase, hook, run, end).await
    }

    fn hook_begins(&mut self, hook: &Hook) {
        let began = release::time((self.now)());
        self.record_hook_run(hook, |run| {
            *run = manifest::Execution {
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
            HookEnd::Failed { message } => Some(message.clone()),
            HookEnd::TimedOut { unready } => {
                Some(format!("timed out waiting: {}", sentence(unready)))
            }
        };
        let succeeded = failure.is_none();
        info!(%phase, kind = %hook.kind, hook = %hook.name, succeeded, "hook ran");
        let ended = release::time((self.now)());
        self.record_hook_run(hook, |run| {
            run.completed_at = ended;
            run.phase = if succeeded { "Succeeded" } else { "Failed" }.to_owned();
        });
        self.note(|notes| match &failure {
            None => notes.ran(run),
            Some(message) => notes.failed(run, message),
        });
        self.store().await?;
        Ok(end)
    }

    /// helm: pkg/action/hooks.go: the record tells when each hook ran last, and how it ended.
    fn record_hook_run(&mut self, hook: &Hook, change: impl FnOnce(&mut manifest::Execution)) {
        let same = |known: &&mut Hook| known.path == hook.path && known.name == hook.name;
        if let Some(known) = self.record.hooks.iter_mut().find(same) {
            change(&mut known.last_run);
        }
    }

    /// The hooks of a phase that ran before this one.
    fn earlier_hooks(&self, phase: plan::HookPhase, hook: &Hook) -> Vec<Hook> {
        let ran = self.plan.steps.iter().filter_map(|step| match step {
            Step::RunHook { phase: of, hook } if *of == phase => Some(hook),
            _ => None,
        });
        ran.take_while(|earlier| *earlier != hook)
            .cloned()
            .collect()
    }

    async fn tidy(
        &self,
        phase: plan::HookPhase,
        hooks: &[Hook],
        policy: &str,
        progress: &Progress,
    ) -> Result<()> {
        let plan = self.plan;
        let namespace = &plan.release.namespace;
        for hook in hooks.iter().rev().filter(|hook| hook.is_deleted(policy)) {
            // The same hook may run again at a later event, and be under way there by now.
            let run = plan::hook_run(&plan.release, plan.revision, phase.0, hook);
            let only = plan.resumed.then_some(&*run);
            self.cluster
                .delete_hook(hook, namespace, only, progress.left(), self.interrupt)
                .await?;
        }
        Ok(())
    }

    async fn apply(&self, subject: &Subject, progress: &mut Progress) -> Result<()> {
        let object = &subject.object;
        let at = self.endpoint(&object.key).await?;
        let (live, verb) = match &subject.previous {
            None => match self.cluster.create(&at, &object.value).await {
                Ok(live) => (live, "created"),
                Err(error) if error.is_status(409) => self.merge(&at, subject).await?,
                Err(error) => return Err(error),
            },
            Some(_) => self.merge(&at, subject).await?,
        };
        if verb == "unchanged" {
            debug!(object = %object.key, "unchanged");
        } else {
            info!(object = %object.key, "{verb}");
        }
        progress.applied.push(object.key.clone());
        progress.live.insert(object.key.clone(), live);
        if object.key.kind == "CustomResourceDefinition" {
            self.await_definition(at, progress).await?;
        }
        Ok(())
    }

    /// Reads the live object and patches what differs. A lost race is run again.
    async fn merge(&self, at: &Endpoint, subject: &Subject) -> Result<(Value, &'static str)> {
        let target = &subject.object.value;
        let mut lost = 0;
        loop {
            let Some(live) = self.cluster.get(at).await? else {
                return Ok((self.cluster.create(at, target).await?, "created"));
            };
            if subject.previous.is_none() {
                self.refuse_foreign(at, &live)?;
            }
            // helm: pkg/kube/client.go update: an object new to the release is its own base. Where
            // the plan is resumed, it is likely to be what this very plan has created.
            let new = if self.plan.resumed { target } else { &live };
            let previous = subject.previous.as_ref().unwrap_or(new);
            let patch = merge::three_way(Kind::of(target), Some(previous), target, &live).map_err(
                |source| Error::Merge {
                    object: at.object.to_string(),
                    source,
                },
            )?;
            let Some(patch) = patch else {
                return Ok((live, "unchanged"));
            };
            match self.cluster.patch(at, &patch).await {
                Err(error) if error.is_status(409) && lost < 3 => lost += 1,
                Err(error) if error.is_status(404) && lost < 3 => lost += 1,
                Err(error) => return Err(error),
                Ok(answer) => {
                    let same = answer["metadata"]["resourceVersion"]
                        == live["metadata"]["resourceVersion"];
                    return Ok((answer, if same { "unchanged" } else { "changed" }));
                }
            }
        }
    }

    /// A definition must be served before objects of its kind can follow.
    async fn await_definition(&self, at: Endpoint, progress: &Progress) -> Result<()> {
        let live = progress.live.get(&at.object).cloned();
        let timeout = progress.left().min(Duration::from_secs(60));
        self.cluster
            .await_ready(vec![(at, live)], timeout, self.interrupt, self.report)
            .await?;
        self.cluster.kinds.invalidate();
        Ok(())
    }

    async fn delete(&self, object: &ObjectKey) -> Result<()> {
        let at = match self.endpoint(object).await {
            Ok(at) => at,
            // A kind that is no longer served has no objects left.
            Err(Error::UnknownKind { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some(live) = self.cluster.get(&at).await? else {
            return Ok(());
        };
        // helm: pkg/kube/client.go update: the live annotation counts.
        if live["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" {
            info!(%object, "kept, as its resource policy says");
            return Ok(());
        }
        self.cluster.delete(&at).await?;
        info!(%object, "deleted");
        Ok(())
    }

    async fn await_ready(
        &self,
        objects: &[ObjectKey],
        progress: &Progress,
    ) -> Result<Option<Stop>> {
        let mut awaited = Vec::new();
        for object in objects.iter().filter(|object| !object.name.is_empty()) {
            let live = progress.live.get(object).cloned();
            if live.as_ref().is_none_or(crate::health::awaited) {
                awaited.push((self.endpoint(object).await?, live));
            }
        }
        let left = progress.left();
        let unready = self
            .cluster
            .await_ready(awaited, left, self.interrupt, self.report)
            .await?;
        Ok(self.not_in_time("ready", unready))
    }

    async fn await_gone(&self, objects: &[ObjectKey], progress: &Progress) -> Result<Option<Stop>> {
        let mut awaited = Vec::new();
        for object in objects {
            match self.endpoint(object).await {
                Ok(at) => awaited.push(at),
                Err(Error::UnknownKind { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let left = progress.left();
        let unready = self
            .cluster
            .await_gone(awaited, left, self.interrupt, self.report)
            .await?;
        Ok(self.not_in_time("gone", unready))
    }

    fn not_in_time(&self, wanted: &str, unready: Vec<Unready>) -> Option<Stop> {
        if unready.is_empty() {
            return None;
        }
        if self.interrupt.is_raised() {
            return Some(Stop::Interrupted);
        }
        let timeout = crate::api::GoDuration(self.timeout);
        let message = format!("not {wanted} within {timeout}: {}", sentence(&unready));
        Some(Stop::Failed(Failure {
            reason: Reason::NotReadyInTime,
            message,
            unready,
        }))
    }

    async fn endpoint(&self, object: &ObjectKey) -> Result<Endpoint> {
        self.cluster
            .endpoint(object, &self.plan.release.namespace)
            .await
    }

    async fn store_success(&mut self) -> Result<()> {
        let now = (self.now)();
        let (status, description) = match self.plan.action {
            Action::Install => (Status::Deployed, "Install complete".to_owned()),
            Action::Upgrade => (Status::Deployed, "Upgrade complete".to_owned()),
            Action::Rollback { to } => (Status::Deployed, format!("Rollback to {to}")),
            Action::Uninstall => (Status::Uninstalled, "Uninstallation complete".to_owned()),
            Action::Recover { .. } => (
                Status::Failed,
                "interrupted, and not wanted any more".to_owned(),
            ),
            Action::CorrectDrift | Action::Resume { .. } | Action::Rest(_) => return Ok(()),
        };
        // helm: pkg/action/upgrade.go releasingUpgrade: the old one is retired first.
        if status == Status::Deployed {
            self.supersede().await?;
        }
        match self.plan.action {
            Action::Install | Action::Upgrade => self.note(|notes| notes.note_attempt(None)),
            Action::Recover { counts: true, .. } => self.note_failure(false),
            _ => {}
        }
        self.record.set_status(status, description);
        if status == Status::Uninstalled && self.record.info.deleted.is_empty() {
            self.record.info.deleted = release::time(now);
        }
        self.store().await
    }

    /// One more failure of the wanted inputs, stored with the record that tells of it.
    fn note_failure(&mut self, remedy: bool) {
        let attempt = plan::after_failure(self.attempt, self.inputs, remedy);
        self.note(|notes| notes.note_attempt(Some(&attempt)));
    }

    /// helm: pkg/action/rollback.go performRollback: every deployed one, see helm issue 2941.
    async fn supersede(&self) -> Result<()> {
        let release = &self.plan.release;
        for header in self.history.superseded_by(self.record.version) {
            let mut old = self.storage.get(release, header.version).await?;
            old.info.status = Status::Superseded;
            self.storage
                .update(&mut old, (self.now)().as_second())
                .await?;
        }
        Ok(())
    }

    async fn purge(&self) -> Result<()> {
        for revision in self.storage.revisions(&self.plan.release).await? {
            self.storage
                .delete(&self.plan.release, revision.header.version)
                .await?;
        }
        Ok(())
    }

    /// Records how a plan ended before its end. One that is not wanted any more stays as it is:
    /// the next turn knows whether it is to be gone on with.
    async fn stopped(mut self, stop: Stop) -> Result<Outcome> {
        let failure = match stop {
            Stop::Failed(failure) => failure,
            Stop::Interrupted => return Ok(Outcome::Interrupted),
        };
        if self.records_failure() {
            let verb = match self.plan.action {
                Action::Install => "Release",
                Action::Rollback { .. } => "Rollback",
                _ => "Upgrade",
            };
            let name = &self.record.name;
            let description = format!("{verb} {name:?} failed: {}", failure.message);
            self.record.set_status(Status::Failed, description);
            self.note_failure(matches!(self.plan.action, Action::Rollback { .. }));
            self.store().await?;
        }
        Ok(Outcome::Failed(failure))
    }

    /// An uninstall that failed stays `uninstalling`, and the next turn goes on with it.
    fn records_failure(&self) -> bool {
        matches!(
            self.plan.action,
            Action::Install | Action::Upgrade | Action::Rollback { .. }
        ) && self.record.info.status.is_pending()
    }
}

/// A refusal as the release's failure.
fn refused(error: &Error) -> Failure {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    let reason = match error {
        Error::Owned { .. } => Reason::OwnershipConflict,
        _ => Reason::ObjectRefused,
    };
    Failure {
        reason,
        message,
        unready: Vec::new(),
    }
}

impl Progress {
    /// How much of the timeout is left.
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// What is not ready, in one line a person can act on.
fn sentence(unready: &[Unready]) -> String {
    const NAMED: usize = 5;
    let named: Vec<String> = unready
        .iter()
        .take(NAMED)
        .map(|object| format!("{}: {} ({})", object.object, object.message, object.reason))
        .collect();
    let more = unready.len().saturating_sub(NAMED);
    let tail = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    format!("{}{tail}", named.join("; "))
}
