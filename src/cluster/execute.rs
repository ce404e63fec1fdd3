//! The one reader of plans: takes the steps in order, and records how it ended.

mod apply;
mod foresight;
mod hooks;
mod replace;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::pin::pin;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tracing::{debug, info};

use super::crds::{TO_BE_LISTED, defined};
use super::culprit::Printed;
use super::error::{Error, Result};
use super::live::{Cluster, Endpoint};
use super::permit::Permit;
use super::wait::{Unready, readiness};
use crate::api::{Attempt, Reason, Replace};
use crate::manifest::{DeletePolicy, Hook, HookEvent, ObjectKey, OutputLogPolicy};
use crate::plan::{self, Action, Exemptions, HookPhase, Notes, Plan, Step, Subject, Tests};
use crate::release::{self, Record, Status};
use crate::storage::Shelf;

/// What is waited for no longer than this is not worth the work of packing.
const A_MOMENT: Duration = Duration::from_millis(50);

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
    /// What was found behind it: containers, Warning events, the last lines of a log. Helm's
    /// record does not hold it.
    pub details: String,
}

/// One execution of one plan.
pub struct Execution<'e> {
    /// The cluster that is changed.
    pub cluster: &'e Cluster,
    /// Where the records are, and go.
    pub shelf: &'e mut Shelf,
    /// The steps. What an object was to become is let go with the step that makes it so.
    pub plan: Plan,
    /// The revision's record: the new one, or the one that is uninstalled or recovered.
    pub record: Record,
    /// Who does this, as the record shall tell.
    pub holder: &'e str,
    /// The inputs that are wanted, and how often they have failed.
    pub inputs: &'e str,
    /// As far as is known; see [`plan::latest_attempt`].
    pub attempt: Option<&'e Attempt>,
    /// How many revisions are kept; 0 keeps all.
    pub history_max: u32,
    /// Whether what cannot be changed is replaced.
    pub replace: Replace,
    /// What is left to others.
    pub exemptions: Exemptions<'e>,
    /// Objects as they were read a moment ago; `None` is none.
    pub seen: HashMap<ObjectKey, Option<Value>>,
    /// How long hooks and waiting may take, all told.
    pub timeout: Duration,
    /// Revoked when the action is no longer wanted.
    pub permit: &'e Permit,
    /// Told what is waited for, as it changes.
    pub report: &'e (dyn Fn(&[Unready]) + Sync),
    /// Told what hooks printed that ask for it.
    pub hear: &'e (dyn Fn(Printed) + Sync),
    /// The time.
    pub now: fn() -> Timestamp,
}

/// What stops the walk through the steps.
enum Stop {
    Failed(Failure),
    /// All was done, but a hook after it failed.
    Farewell(Failure),
    Interrupted,
}

/// What the walk has learnt so far.
struct Progress {
    /// The steps that are still to be taken.
    ahead: VecDeque<Step>,
    /// The hooks that were taken, each with its phase.
    hooks: Vec<(HookPhase, Hook)>,
    /// The record stands in storage: from here on a failure is recorded.
    recorded: bool,
    /// The same as in [`Execution::seen`], for the next step that asks.
    seen: HashMap<ObjectKey, Option<Value>>,
    /// Objects that cannot be changed, and may be replaced.
    replaceable: BTreeSet<ObjectKey>,
    /// The objects as last answered.
    live: HashMap<ObjectKey, Value>,
    /// The order in which they were applied.
    applied: Vec<ObjectKey>,
    /// What the API server said to objects that it refused.
    refused: Vec<Failure>,
    /// Objects that stay, though their deletion was planned.
    kept: BTreeSet<ObjectKey>,
    /// Why a hook failed after everything was deleted.
    farewell: Option<Failure>,
    deadline: Instant,
}

impl Execution<'_> {
    /// Takes the steps. An `Err` before the record is stored has left no trace; after it, the
    /// record stays pending and the next turn recovers it.
    pub async fn run(mut self) -> Result<Outcome> {
        let mut progress = Progress {
            ahead: std::mem::take(&mut self.plan.steps).into(),
            hooks: Vec::new(),
            // Tests are of a revision that stands there.
            recorded: matches!(self.plan.action, Action::Test { .. }),
            seen: std::mem::take(&mut self.seen),
            replaceable: BTreeSet::new(),
            live: HashMap::new(),
            applied: Vec::new(),
            refused: Vec::new(),
            kept: BTreeSet::new(),
            farewell: None,
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
        let mut number = 0;
        while let Some(step) = progress.ahead.pop_front() {
            number += 1;
            if self.permit.is_revoked() {
                return Ok(Some(Stop::Interrupted));
            }
            if progress.farewell.is_some() && is_of_farewell(&step) {
                continue;
            }
            let step = progress.amended(step);
            let applies = matches!(step, Step::Apply(_) | Step::Replace(_));
            if let Some(failure) = (!applies).then(|| all_of(&mut progress.refused)).flatten() {
                return Ok(Some(Stop::Failed(failure)));
            }
            debug!(number, %step, "step");
            match self.take(&step, progress).await {
                Ok(None) => {
                    if let Step::RunHook { phase, hook } = step {
                        progress.hooks.push((phase, hook));
                    }
                }
                // helm: pkg/action/uninstall.go Run: the release is gone all the same.
                Ok(Some(Stop::Failed(failure))) if is_of_farewell(&step) => {
                    progress.farewell = Some(failure);
                }
                Ok(Some(stop)) => return Ok(Some(stop)),
                Err(error) if progress.recorded && !error.is_transient() => {
                    let failure = refused(&error);
                    if !applies || !self.goes_on_after(&error) {
                        return Ok(Some(Stop::Failed(failure)));
                    }
                    progress.refused.push(failure);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(progress.farewell.take().map(Stop::Farewell))
    }

    async fn take(&mut self, step: &Step, progress: &mut Progress) -> Result<Option<Stop>> {
        match step {
            Step::EnsureNamespace => {
                let namespace = &self.plan.release.namespace;
                self.cluster.ensure_namespace(namespace).await?;
            }
            Step::CheckOwnership { objects } => self.check_ownership(objects, progress).await?,
            Step::TryChanges { .. } => self.try_changes(progress).await?,
            Step::StorePending => {
                self.store_pending().await?;
                progress.recorded = true;
            }
            Step::TakeOver => {
                self.take_over().await?;
                progress.recorded = true;
            }
            // On the heap: what a waiting release holds is to be small, and these are large.
            Step::RunHook { phase, hook } => {
                return Box::pin(self.run_hook(*phase, hook, progress)).await;
            }
            Step::TidyHooks { phase, hooks } => {
                // helm: pkg/action/hooks.go execHookWithDelayedShutdown: the last one first.
                for hook in hooks.iter().rev() {
                    self.tell_printed(hook, OutputLogPolicy::HOOK_SUCCEEDED)
                        .await;
                }
                let tidied = self.tidy(*phase, hooks, DeletePolicy::HOOK_SUCCEEDED, progress);
                Box::pin(tidied).await?;
            }
            Step::Apply(subject) | Step::Replace(subject) => self.apply(subject, progress).await?,
            Step::Delete { object } => self.delete(object, progress).await?,
            Step::AwaitReady { objects } => return self.await_ready(objects, progress).await,
            Step::AwaitGone { objects } => return self.await_gone(objects, progress).await,
            Step::StoreOutcome => self.store_success().await?,
            Step::Purge => self.purge().await?,
        }
        Ok(None)
    }

    /// Whether the other objects are applied all the same, after one was refused.
    // helm: pkg/kube/client.go perform: an install tries all; update: an object that cannot be
    // created ends the upgrade, and one that cannot be patched does not.
    fn goes_on_after(&self, error: &Error) -> bool {
        match error {
            Error::Refused { action, .. } => {
                self.plan.action == Action::Install || *action == "patch"
            }
            Error::Conflict { .. } => true,
            _ => false,
        }
    }

    // helm: pkg/action/validate.go existingResourceConflict
    async fn check_ownership(&self, objects: &[ObjectKey], progress: &Progress) -> Result<()> {
        for object in objects.iter().filter(|object| !object.name.is_empty()) {
            let at = match self.endpoint(object).await {
                Ok(at) => at,
                // Its definition comes with this very release, so there is no such object yet.
                Err(Error::UnknownKind { .. }) if progress.will_define(object) => continue,
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

    async fn store_pending(&mut self) -> Result<()> {
        let now = (self.now)();
        let pending = match self.plan.action {
            Action::Install => Status::PendingInstall,
            Action::Upgrade => Status::PendingUpgrade,
            Action::Rollback { .. } => Status::PendingRollback,
            Action::Uninstall => Status::Uninstalling,
            // These make no revision, and their plans have no such step.
            Action::CorrectDrift
            | Action::Test { .. }
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
            "Deletion in progress (or silently failed)"
                .clone_into(&mut self.record.info.description);
            return self.store().await;
        }
        self.prune_history().await?;
        Ok(self.shelf.create(&mut self.record, now.as_second()).await?)
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
        Ok(self.shelf.update(&mut self.record, now).await?)
    }

    /// helm: pkg/storage/storage.go Create, removeLeastRecent.
    async fn prune_history(&mut self) -> Result<()> {
        let surplus = self.shelf.history().surplus(i64::from(self.history_max));
        for revision in surplus {
            self.shelf.delete(revision).await?;
        }
        Ok(())
    }

    /// A definition must be served before objects of its kind can follow.
    async fn await_definition(&self, at: Endpoint, live: Value, progress: &Progress) -> Result<()> {
        let expected: Vec<_> = defined(&live).collect();
        let timeout = progress.left().min(TO_BE_LISTED);
        self.cluster
            .await_listed(
                vec![(at, live)],
                &expected,
                timeout,
                self.permit,
                self.report,
            )
            .await
            .map(|_| ())
    }

    async fn delete(&self, object: &ObjectKey, progress: &mut Progress) -> Result<()> {
        let at = match self.endpoint(object).await {
            Ok(at) => at,
            // A kind that is no longer served has no objects left.
            Err(Error::UnknownKind { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some(live) = self.cluster.get(&at).await? else {
            return Ok(());
        };
        // helm: pkg/action/uninstall.go deleteRelease: what is not the release's own stays, and
        // pkg/kube/client.go update: the live annotation counts.
        let foreign = plan::foreign(&live, &self.plan.release);
        let policy = &live["metadata"]["annotations"]["helm.sh/resource-policy"];
        let why = match self.plan.action {
            Action::Uninstall => foreign,
            _ => (policy == "keep").then(|| "its resource policy says so".to_owned()),
        };
        if let Some(why) = why {
            info!(%object, why, "kept");
            progress.kept.insert(object.clone());
            return Ok(());
        }
        self.cluster.delete(&at).await?;
        info!(%object, "deleted");
        Ok(())
    }

    async fn await_ready(
        &mut self,
        objects: &[ObjectKey],
        progress: &mut Progress,
    ) -> Result<Option<Stop>> {
        let mut awaited = Vec::new();
        for object in objects.iter().filter(|object| !object.name.is_empty()) {
            let live = progress.live.get_mut(object);
            // From here on nobody asks what is in them.
            let live = live.map(|live| std::mem::replace(live, identification(live)));
            if live.as_ref().is_none_or(crate::health::awaited) {
                awaited.push((self.endpoint(object).await?, live));
            }
        }
        if awaited
            .iter()
            .all(|(at, live)| readiness(at, live.as_ref()).is_none())
        {
            return Ok(None);
        }
        let left = progress.left();
        let (cluster, permit, report) = (self.cluster, self.permit, self.report);
        let waiting = cluster.await_ready(awaited, left, permit, report);
        let unready = self.while_packed(waiting).await?;
        Ok(self.not_in_time("ready", unready))
    }

    async fn await_gone(
        &mut self,
        objects: &[ObjectKey],
        progress: &Progress,
    ) -> Result<Option<Stop>> {
        let mut awaited = Vec::new();
        for object in objects
            .iter()
            .filter(|object| !progress.kept.contains(object))
        {
            match self.endpoint(object).await {
                Ok(at) => awaited.push(at),
                Err(Error::UnknownKind { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let left = progress.left();
        let (cluster, permit, report) = (self.cluster, self.permit, self.report);
        let waiting = cluster.await_gone(awaited, left, permit, report);
        let unready = self.while_packed(waiting).await?;
        Ok(self.not_in_time("gone", unready))
    }

    /// Waits, and where that is for longer than a moment, with what is large packed away: very many
    /// releases may wait at once.
    async fn while_packed<T>(&mut self, waiting: impl Future<Output = Result<T>>) -> Result<T> {
        let mut waiting = pin!(waiting);
        if let Ok(awaited) = tokio::time::timeout(A_MOMENT, waiting.as_mut()).await {
            return awaited;
        }
        let packed = self.shelf.pack(&mut self.record)?;
        let awaited = waiting.await;
        self.shelf.unpack(&mut self.record, packed)?;
        awaited
    }

    fn not_in_time(&self, wanted: &str, unready: Vec<Unready>) -> Option<Stop> {
        if unready.is_empty() {
            return None;
        }
        if self.permit.is_revoked() {
            return Some(Stop::Interrupted);
        }
        // What failed before its time was not waited for any longer.
        let within = match unready.iter().all(|object| object.failed) {
            true => String::new(),
            false => format!(" within {}", crate::api::GoDuration(self.timeout)),
        };
        let message = format!("not {wanted}{within}: {}", sentence(&unready));
        Some(Stop::Failed(Failure {
            reason: Reason::NotReadyInTime,
            message,
            unready,
            details: String::new(),
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
            // helm: pkg/action/release_testing.go Run: the release stays what it was.
            Action::Test { .. } => {
                self.note(|notes| notes.note_tests(Tests::Succeeded));
                return self.store().await;
            }
            Action::CorrectDrift | Action::Resume { .. } | Action::Rest(_) => return Ok(()),
        };
        // helm: pkg/action/upgrade.go releasingUpgrade: the old one is retired first.
        if status == Status::Deployed {
            self.supersede().await?;
        }
        match self.plan.action {
            Action::Install | Action::Upgrade => {
                let due = !Hook::at(&self.record.hooks, HookEvent::Test).is_empty();
                self.note(|notes| {
                    notes.note_attempt(None);
                    if due {
                        notes.note_tests(Tests::Due);
                    }
                });
            }
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

    /// Retires what the revision replaces.
    async fn supersede(&mut self) -> Result<()> {
        let history = self.shelf.history();
        for header in history.superseded_by(self.record.version) {
            let mut old = self.shelf.take(header.version).await?;
            match old.info.status {
                // helm: pkg/action/install.go replaceRelease
                Status::Uninstalled => {
                    old.set_status(Status::Superseded, "superseded by new release".to_owned());
                }
                _ => old.info.status = Status::Superseded,
            }
            let now = (self.now)().as_second();
            self.shelf.update(&mut old, now).await?;
        }
        Ok(())
    }

    async fn purge(&mut self) -> Result<()> {
        Ok(self.shelf.clear().await?)
    }

    /// Records how a plan ended before its end. One that is not wanted any more stays as it is:
    /// the next turn knows whether it is to be gone on with.
    async fn stopped(mut self, stop: Stop) -> Result<Outcome> {
        let mut failure = match stop {
            Stop::Failed(failure) => failure,
            Stop::Farewell(failure) => return Ok(Outcome::Failed(failure)),
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
        } else if matches!(self.plan.action, Action::Test { .. }) {
            self.note(|notes| notes.note_tests(Tests::Failed));
            self.store().await?;
        } else if self.plan.action == Action::Uninstall && self.notes().has_failure() {
            // The next try runs the hook again.
            self.note(Notes::forget_failure);
            self.store().await?;
        }
        if !failure.unready.is_empty() {
            let objects = failure.unready.iter().map(|unready| unready.object.clone());
            let objects: Vec<ObjectKey> = objects.collect();
            let namespace = &self.plan.release.namespace;
            failure.details = self.cluster.explain(&objects, namespace).await;
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
        Error::Owned { .. } | Error::Conflict { .. } => Reason::OwnershipConflict,
        _ => Reason::ObjectRefused,
    };
    Failure {
        reason,
        message,
        unready: Vec::new(),
        details: String::new(),
    }
}

/// What an object is called, and which state of it this was.
fn identification(live: &Value) -> Value {
    let mut metadata = live["metadata"].clone();
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("managedFields");
    }
    json!({ "apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": metadata })
}

/// Whether a step belongs to the hooks after an uninstall.
fn is_of_farewell(step: &Step) -> bool {
    match step {
        Step::RunHook { phase, .. } | Step::TidyHooks { phase, .. } => {
            phase.0 == HookEvent::PostDelete
        }
        _ => false,
    }
}

/// All refusals as one failure.
fn all_of(refused: &mut Vec<Failure>) -> Option<Failure> {
    let mut refused = std::mem::take(refused).into_iter();
    let first = refused.next()?;
    Some(refused.fold(first, |mut all, failure| {
        all.message = format!("{}; {}", all.message, failure.message);
        all
    }))
}

impl Progress {
    /// The step as it has to be taken by what is known now.
    fn amended(&self, step: Step) -> Step {
        match step {
            Step::Apply(subject) if self.replaceable.contains(&subject.object.key) => {
                Step::Replace(subject)
            }
            step => step,
        }
    }

    /// Whether the steps to come bring the definition of an object's kind.
    fn will_define(&self, object: &ObjectKey) -> bool {
        self.ahead.iter().any(|step| match step {
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
