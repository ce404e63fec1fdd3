//! One turn of one HelmRelease.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::controller::Action as Requeue;
use kube::runtime::reflector::ObjectRef;
use kube::{Resource as _, ResourceExt};
use serde_json::{Map, Value};
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::act::{Acted, Acting};
use super::conclude::{Conclusion, Ending, Facts, Next, conclude};
use super::context::{Context, Guarded, guarded, now};
use super::error::Error;
use super::observe::{Look, Turn, observe};
use crate::api::{
    ConditionStatus, ConditionType, FINALIZER, FORCE_AT, HelmRelease, HelmReleaseStatus,
    REQUESTED_AT, Reason, Waiting, set_condition,
};
use crate::cluster::{Culprit, Outcome, Permit, Place, Unready};
use crate::manifest::ObjectKey;
use crate::plan::{Action, Desired, Rest, decide};

/// How long after a change the pods of what is waited for are looked at, and how long at most
/// between two looks.
const FIRST_LOOK: Duration = Duration::from_secs(3);
const LAST_LOOK: Duration = Duration::from_secs(60);

/// Runs a turn and says when the next is due. A panic is this resource's trouble alone.
#[tracing::instrument(name = "reconcile", skip_all, fields(namespace = resource.namespace(), name = resource.name_any(), generation = resource.as_ref().meta().generation))]
pub(super) async fn reconcile(
    resource: Arc<Guarded>,
    context: Arc<Context>,
) -> Result<Requeue, Error> {
    let reference = guarded(&resource.name_any(), resource.namespace().as_deref());
    let turn = tokio::spawn({
        let (resource, context, reference) = (
            Arc::clone(&resource),
            Arc::clone(&context),
            reference.clone(),
        );
        let span = tracing::Span::current();
        tracing::Instrument::instrument(
            async move { take_turn(&resource, &context, &reference).await },
            span,
        )
    });
    let (conclusion, interval) = match turn.await {
        Ok(done) => done?,
        Err(panic) => return Err(Error::Panicked(panic.to_string())),
    };
    Ok(match conclusion {
        None => Requeue::await_change(),
        Some(Next::Now) => Requeue::requeue(Duration::from_millis(1)),
        Some(Next::After(pause)) => Requeue::requeue(pause),
        Some(Next::Backoff) => Requeue::requeue(context.back_off(&reference)),
        Some(Next::Interval) => {
            context.calm(&reference);
            // Releases that were declared together are not looked at together.
            Requeue::requeue(interval.mul_f64(super::context::lot(0.9..1.0)))
        }
    })
}

/// How long until the watch of the records has surely told what a list did.
const OUTDATED_PAUSE: Duration = Duration::from_millis(200);

/// When a turn could not even be concluded.
pub(super) fn on_error(resource: Arc<Guarded>, error: &Error, context: Arc<Context>) -> Requeue {
    let reference = guarded(&resource.name_any(), resource.namespace().as_deref());
    error!(resource = %reference, error = error.chain(), "the turn failed");
    Requeue::requeue(context.back_off(&reference))
}

type Due = (Option<Next>, Duration);

async fn take_turn(
    resource: &Guarded,
    context: &Context,
    reference: &ObjectRef<Guarded>,
) -> Result<Due, Error> {
    let before = context.status_of(resource);
    let unwanted = async |error: Error| {
        let ending = Ending::Failed(&error);
        let next = finish(resource, context, &before, None, None, &ending).await;
        next.map(Some)
    };
    let release = match &resource.0 {
        Ok(release) => release,
        Err(invalid) => {
            let error = Error::Unreadable(without_value(&invalid.error));
            return Ok((unwanted(error).await?, Duration::from_secs(60)));
        }
    };
    let interval = release.spec.interval.0;
    let deleting = release.metadata.deletion_timestamp.is_some();
    let mut finalizers = release.finalizers().iter();
    match (deleting, finalizers.any(|finalizer| finalizer == FINALIZER)) {
        (true, false) => return Ok((None, interval)),
        (false, false) => context.hold_resource(resource).await?,
        (_, true) => {}
    }
    let desired = match desire(release, context, deleting).await {
        Ok(desired) => desired,
        Err(error) => return Ok((unwanted(error).await?, interval)),
    };
    let Some(place) = context.place(&desired.release).await else {
        return Ok((None, interval));
    };
    context.watches.busy(&desired.release);
    let work = Work {
        resource,
        release,
        context,
        reference,
        desired: &desired,
        before: &before,
        place: &place,
    };
    let next = work.run(deleting).await;
    context.watches.idle(&desired.release);
    Ok((next?, interval))
}

/// The spec with everything that it refers to. A deletion needs no values.
async fn desire(
    release: &HelmRelease,
    context: &Context,
    deleting: bool,
) -> Result<Desired, Error> {
    let namespace = release.namespace().unwrap_or_default();
    let values: Map<String, Value> = if deleting {
        Map::new()
    } else {
        super::values::resolve(&context.client, &namespace, &release.spec).await?
    };
    Ok(Desired::new(release, values)?)
}

/// The stages after the spec was read.
struct Work<'t> {
    resource: &'t Guarded,
    release: &'t HelmRelease,
    context: &'t Context,
    reference: &'t ObjectRef<Guarded>,
    desired: &'t Desired,
    before: &'t HelmReleaseStatus,
    place: &'t Arc<Place>,
}

impl Work<'_> {
    async fn run(&self, deleting: bool) -> Result<Option<Next>, Error> {
        match self.stages(deleting).await {
            Ok(next) => Ok(next),
            Err(error @ Error::Resource { .. }) => Err(error),
            Err(error) => {
                warn!(reason = %error.reason(), error = error.chain(), "the turn ended early");
                let ending = Ending::Failed(&error);
                finish(
                    self.resource,
                    self.context,
                    self.before,
                    Some(self.desired),
                    None,
                    &ending,
                )
                .await
                .map(Some)
            }
        }
    }

    async fn stages(&self, deleting: bool) -> Result<Option<Next>, Error> {
        let turn = self.turn(deleting);
        let sight = observe(
            self.context,
            self.desired,
            self.before,
            self.reference,
            turn,
        )
        .await?;
        let (namespace, name) = (&self.reference.namespace, &self.reference.name);
        self.context.metrics.drifted(
            namespace.as_deref().unwrap_or_default(),
            name,
            sight.drift.len() + sight.fought_over.len(),
        );
        // The records may know of a failure that the status was not told of any more.
        let before = HelmReleaseStatus {
            attempt: sight.observed.attempt.clone(),
            ..self.before.clone()
        };
        let work = Work {
            before: &before,
            ..*self
        };
        work.decided(&sight, deleting).await
    }

    async fn decided(
        &self,
        sight: &super::observe::Sight,
        deleting: bool,
    ) -> Result<Option<Next>, Error> {
        let action = decide(self.desired, &sight.observed);
        if let Action::Rest(rest) = &action {
            return self.rest(rest, sight, deleting).await;
        }
        if action == Action::CorrectDrift && self.is_outdated(sight).await? {
            return Ok(Some(Next::After(OUTDATED_PAUSE)));
        }
        info!(%action, "decided");
        let acted = self.act(action, sight).await?;
        self.count(&acted);
        if deleting && matches!(acted.outcome, Outcome::Succeeded(_)) {
            return self.let_go().await;
        }
        let ending = Ending::Acted {
            acted: &acted,
            sight,
        };
        let revisions = Some(&*acted.revisions);
        finish(
            self.resource,
            self.context,
            self.before,
            Some(self.desired),
            revisions,
            &ending,
        )
        .await
        .map(Some)
    }

    /// Whether the records are not what the watch of them has told so far. All other actions write
    /// one first, and cannot where somebody else has; a repair must not undo what helm does just now.
    async fn is_outdated(&self, sight: &super::observe::Sight) -> Result<bool, Error> {
        let Some(last) = sight.revisions.last() else {
            return Ok(true);
        };
        let storage = &self.context.storage;
        Ok(!storage.is_newest(&self.desired.release, last).await?)
    }

    /// What the resource says of this turn.
    fn turn(&self, deleting: bool) -> Turn {
        let annotation = |key: &str| self.release.annotations().get(key);
        let forced = annotation(FORCE_AT) != self.before.last_handled_force_at.as_ref();
        let requested = annotation(REQUESTED_AT) != self.before.last_handled_reconcile_at.as_ref();
        let interval = self.release.spec.interval.0;
        let due = self.context.look_due(self.reference, interval);
        let look = match () {
            () if requested || forced => Look::Everything,
            () if due => Look::Unwatched,
            () => Look::Suspects,
        };
        Turn {
            deleting,
            suspended: self.release.spec.suspend,
            forced: forced && annotation(FORCE_AT).is_some(),
            look,
        }
    }

    async fn rest(
        &self,
        rest: &Rest,
        sight: &super::observe::Sight,
        deleting: bool,
    ) -> Result<Option<Next>, Error> {
        if deleting && *rest == Rest::Gone {
            return self.let_go().await;
        }
        let ending = Ending::Rested { rest, sight };
        let revisions = Some(&*sight.revisions);
        finish(
            self.resource,
            self.context,
            self.before,
            Some(self.desired),
            revisions,
            &ending,
        )
        .await
        .map(Some)
    }

    /// The release is gone, or left to Helm: nothing holds the resource any more.
    async fn let_go(&self) -> Result<Option<Next>, Error> {
        self.context.watches.forget(&self.desired.release);
        self.context.release_resource(self.resource).await?;
        self.context.forget(self.resource, self.reference);
        let (namespace, name) = (&self.reference.namespace, &self.reference.name);
        self.context
            .metrics
            .gone(namespace.as_deref().unwrap_or_default(), name);
        info!("let go");
        Ok(None)
    }

    /// Acts, while watching whether the action is still wanted and telling what it waits for.
    async fn act(&self, action: Action, sight: &super::observe::Sight) -> Result<Acted, Error> {
        if !matches!(action, Action::CorrectDrift | Action::Recover { .. }) {
            self.announce(&action).await?;
        }
        let (revoke, revoked) = watch::channel(false);
        let (waits, waiting) = watch::channel(Vec::new());
        let permit = Permit::new(revoked, Arc::clone(self.place));
        let report = |unready: &[Unready]| {
            waits.send_replace(unready.to_vec());
        };
        let acting = Acting {
            context: self.context,
            resource: self.release,
            desired: self.desired,
            sight,
            source: self.before.source.as_ref(),
            permit: &permit,
            report: &report,
        };
        let acted = acting.run(action);
        let beside = async {
            tokio::join!(self.tell_waiting(waiting), self.mind_wishes(revoke));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            acted = acted => acted,
            () = beside => unreachable!("it never ends"),
        }
    }

    /// Says that work has begun.
    async fn announce(&self, action: &Action) -> Result<(), Error> {
        let mut status = self.before.clone();
        let chart = &self.desired.chart;
        let message = match action {
            Action::Install | Action::Upgrade => {
                format!("{action}: chart {} {}", chart.name, chart.version)
            }
            _ => action.to_string(),
        };
        let generation = self.release.metadata.generation.unwrap_or_default();
        let now = whole_seconds();
        for (kind, truth) in [
            (ConditionType::Ready, ConditionStatus::Unknown),
            (ConditionType::Reconciling, ConditionStatus::True),
        ] {
            set_condition(
                &mut status.conditions,
                kind,
                truth,
                Reason::Progressing,
                &message,
                generation,
                now,
            );
        }
        let name = &self.reference.name;
        let namespace = self.reference.namespace.as_deref().unwrap_or_default();
        self.context
            .metrics
            .stands(namespace, name, false, Reason::Progressing);
        self.context.write_status(self.resource, &status).await
    }

    /// Shows in the status what is waited for, once a second at most, while it lasts; and why, as
    /// pods and events tell: a moment after a change, and then less and less often.
    async fn tell_waiting(&self, mut waiting: watch::Receiver<Vec<Unready>>) {
        let namespace = &self.desired.release.namespace;
        let cluster = &self.context.cluster;
        let mut culprits = Vec::new();
        let mut pause = FIRST_LOOK;
        let mut look = tokio::time::Instant::now() + pause;
        loop {
            let changed = tokio::select! {
                changed = waiting.changed() => changed.is_ok().then_some(true),
                () = tokio::time::sleep_until(look) => Some(false),
            };
            let Some(is_new) = changed else { return };
            if is_new {
                tokio::time::sleep(Duration::from_secs(1)).await;
                pause = FIRST_LOOK;
                look = look.min(tokio::time::Instant::now() + pause);
            }
            let unready = waiting.borrow_and_update().clone();
            if tokio::time::Instant::now() >= look {
                let objects: Vec<_> = unready.iter().map(|it| it.object.clone()).collect();
                culprits = cluster.culprits(&objects, namespace).await;
                pause = (pause * 2).min(LAST_LOOK);
                look = tokio::time::Instant::now() + pause;
            }
            let mut status = self.context.status_of(self.resource);
            let shown = unready.iter().take(20);
            status.waiting = shown.map(|it| waiting_entry(it, &culprits)).collect();
            if let Err(error) = self.context.write_status(self.resource, &status).await {
                warn!(
                    error = error.chain(),
                    "what is waited for could not be shown"
                );
            }
        }
    }

    /// Revokes the permit when the spec changes, the resource is deleted or the program stops.
    /// The store is in memory, so looking at it four times a second is no request to anybody.
    async fn mind_wishes(&self, revoke: watch::Sender<bool>) {
        let mut stopping = self.context.stopping.clone();
        let mut ticks = tokio::time::interval(Duration::from_millis(250));
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                stopped = stopping.wait_for(|stopping| *stopping) => {
                    if stopped.is_ok() {
                        revoke.send_replace(true);
                    }
                    return;
                }
            }
            let newer = self
                .context
                .resources
                .get(self.reference)
                .is_none_or(|newest| {
                    let (seen, newest) = (&self.release.metadata, newest.meta());
                    newest.generation != seen.generation
                        || newest.deletion_timestamp.is_some() != seen.deletion_timestamp.is_some()
                });
            if newer {
                revoke.send_replace(true);
                return;
            }
        }
    }

    fn count(&self, acted: &Acted) {
        let action = match acted.action {
            Action::Install => "install",
            Action::Upgrade => "upgrade",
            Action::Rollback { .. } => "rollback",
            Action::CorrectDrift => "correct_drift",
            Action::Test { .. } => "test",
            Action::Uninstall => "uninstall",
            Action::Resume { .. } => "resume",
            Action::Recover { .. } => "recover",
            Action::Rest(_) => "rest",
        };
        let result = match &acted.outcome {
            Outcome::Succeeded(answers) => {
                if acted.action == Action::CorrectDrift {
                    answers
                        .iter()
                        .for_each(|(key, _)| self.context.metrics.corrected(&key.kind));
                }
                "succeeded"
            }
            Outcome::Failed(failure) => {
                warn!(reason = %failure.reason, message = failure.message, "the action failed");
                "failed"
            }
            Outcome::Interrupted => "interrupted",
        };
        self.context.metrics.acted(action, result);
    }
}

/// What the reader of a resource says, without the value that it could not read: it may be a secret.
fn without_value(text: &str) -> String {
    match (text.find(['`', '"']), text.rfind(". Expected")) {
        (Some(value), Some(expected)) if value < expected => {
            format!("{}{}", text[..value].trim_end(), &text[expected..])
        }
        _ => text.to_owned(),
    }
}

/// The time as conditions hold it: a finer one would differ from what is read back.
fn whole_seconds() -> Timestamp {
    Timestamp::from_second(now().as_second()).unwrap_or_default()
}

fn waiting_entry(unready: &Unready, culprits: &[(ObjectKey, Culprit)]) -> Waiting {
    let mut culprits = culprits.iter();
    let culprit = culprits.find(|(object, _)| *object == unready.object);
    let (mut reason, mut message) = (unready.reason.clone(), unready.message.clone());
    if let Some((_, culprit)) = culprit {
        reason = culprit.reason.clone().unwrap_or(reason);
        message = format!("{message}; {}", culprit.message);
    }
    Waiting {
        kind: unready.object.kind.clone(),
        name: unready.object.name.clone(),
        reason,
        message,
    }
}

/// Concludes the turn and publishes what follows.
async fn finish(
    resource: &Guarded,
    context: &Context,
    before: &HelmReleaseStatus,
    desired: Option<&Desired>,
    revisions: Option<&[crate::storage::Revision]>,
    ending: &Ending<'_>,
) -> Result<Next, Error> {
    let facts = Facts {
        before,
        generation: resource.meta().generation.unwrap_or_default(),
        desired,
        revisions,
        now: whole_seconds(),
    };
    let mut conclusion: Conclusion = conclude(&facts, ending);
    let annotation = |key: &str| resource.annotations().get(key).cloned();
    conclusion.status.last_handled_reconcile_at = annotation(REQUESTED_AT);
    conclusion.status.last_handled_force_at = annotation(FORCE_AT);
    context.publish(resource, &conclusion).await?;
    Ok(conclusion.next)
}
