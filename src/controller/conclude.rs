//! What a turn means for the status: the one writer of conditions.
//!
//! Pure: what was there, what happened and the time go in; the next status, the events and when to
//! come back go out.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::act::Acted;
use super::context::doubled;
use super::error::{Error, Retry};
use super::found;
use super::observe::Sight;
use crate::api::{
    ConditionStatus, ConditionType, HelmReleaseStatus, Inputs, Inventory, InventoryEntry, Reason,
    set_condition,
};
use crate::cluster::{Failure, Outcome};
use crate::manifest::ObjectKey;
use crate::plan::{self, Action, Desired, Notes, Rest, Tests};
use crate::release::Record;
use crate::storage::Revision;

/// How a turn ended.
pub(super) enum Ending<'t> {
    /// There was nothing to do, or nothing that may be done.
    Rested { rest: &'t Rest, sight: &'t Sight },
    /// An action was taken to its end, good or bad.
    Acted { acted: &'t Acted, sight: &'t Sight },
    /// A stage before the action failed, or the cluster could not be asked.
    Failed(&'t Error),
}

/// What follows from a turn.
pub(super) struct Conclusion {
    pub(super) status: HelmReleaseStatus,
    pub(super) reason: Reason,
    pub(super) ready: bool,
    pub(super) events: Vec<News>,
    pub(super) next: Next,
}

/// Something that a person may want to read with `kubectl describe`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) warning: bool,
    pub(super) reason: Reason,
    pub(super) note: String,
}

/// When the next turn is due, if nothing happens before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// At once: the turn changed what `decide` sees.
    Now,
    /// After this long.
    After(Duration),
    /// After the interval.
    Interval,
    /// Soon, and less and less often.
    Backoff,
}

/// The facts that a conclusion is drawn from.
pub(super) struct Facts<'t> {
    pub(super) before: &'t HelmReleaseStatus,
    pub(super) generation: i64,
    /// `None` where the spec could not even be read.
    pub(super) desired: Option<&'t Desired>,
    /// The revisions in storage after the turn; `None` where nobody looked.
    pub(super) revisions: Option<&'t [Revision]>,
    pub(super) now: Timestamp,
}

/// How often a release that somebody else works on is looked at.
const LOCKED_PAUSE: Duration = Duration::from_secs(30);

/// Draws the conclusion.
pub(super) fn conclude(facts: &Facts<'_>, ending: &Ending<'_>) -> Conclusion {
    let mut draft = Draft::new(facts);
    let next = match ending {
        Ending::Rested { rest, sight } => {
            if let Some(record) = &sight.deployed {
                recall(&mut draft, rest, record);
            }
            rested(&mut draft, rest, sight)
        }
        Ending::Acted { acted, sight } => {
            if !acted.floating.is_empty() {
                let note = acted.floating.join("; ");
                draft.tell(true, Reason::FloatingImages, note);
            }
            if let Some(record) = &acted.tested {
                recall(&mut draft, &Rest::InSync, record);
            }
            if acted.action == Action::CorrectDrift {
                let found = found::account(sight.drift.iter());
                draft.tell(true, Reason::DriftDetected, found);
            }
            concluded_action(&mut draft, acted)
        }
        Ending::Failed(error) => failed(&mut draft, error),
    };
    draft.finish(next)
}

/// A status in the making.
struct Draft<'t> {
    facts: &'t Facts<'t>,
    status: HelmReleaseStatus,
    events: Vec<News>,
}

impl<'t> Draft<'t> {
    fn new(facts: &'t Facts<'t>) -> Self {
        let mut status = facts.before.clone();
        status.observed_generation = Some(facts.generation);
        status.waiting.clear();
        if let Some(revisions) = facts.revisions {
            retain_stored(&mut status, revisions);
        }
        Self {
            facts,
            status,
            events: Vec::new(),
        }
    }

    fn set(&mut self, kind: ConditionType, truth: ConditionStatus, reason: Reason, message: &str) {
        let Facts {
            generation, now, ..
        } = *self.facts;
        set_condition(
            &mut self.status.conditions,
            kind,
            truth,
            reason,
            message,
            generation,
            now,
        );
    }

    fn clear(&mut self, kind: ConditionType) {
        self.status
            .conditions
            .retain(|condition| condition.type_ != kind.as_str());
    }

    fn ready(&mut self, truth: ConditionStatus, reason: Reason, message: &str) {
        self.set(ConditionType::Ready, truth, reason, message);
    }

    fn tell(&mut self, warning: bool, reason: Reason, note: impl Into<String>) {
        self.events.push(News {
            warning,
            reason,
            note: note.into(),
        });
    }

    /// Nothing more will be tried: kstatus calls that stalled.
    fn stalled(&mut self, reason: Reason, message: &str) {
        self.clear(ConditionType::Reconciling);
        self.set(
            ConditionType::Stalled,
            ConditionStatus::True,
            reason,
            message,
        );
    }

    /// More will be tried.
    fn reconciling(&mut self, reason: Reason, message: &str) {
        self.clear(ConditionType::Stalled);
        self.set(
            ConditionType::Reconciling,
            ConditionStatus::True,
            reason,
            message,
        );
    }

    fn settled(&mut self) {
        self.clear(ConditionType::Reconciling);
        self.clear(ConditionType::Stalled);
    }

    fn finish(self, next: Next) -> Conclusion {
        let ready = self.status.conditions.iter().find(|c| c.type_ == "Ready");
        let is_ready = ready.is_some_and(|condition| condition.status == "True");
        // Every ending sets Ready; its word is the one that metrics show.
        let reason = ready
            .and_then(|c| Reason::named(&c.reason))
            .unwrap_or(Reason::Progressing);
        Conclusion {
            status: self.status,
            reason,
            ready: is_ready,
            events: self.events,
            next,
        }
    }
}

/// The history that the status shows is what storage holds, newest first.
fn retain_stored(status: &mut HelmReleaseStatus, revisions: &[Revision]) {
    let known = std::mem::take(&mut status.history);
    status.history = revisions
        .iter()
        .rev()
        .map(|revision| {
            let header = &revision.header;
            let mut snapshot = known
                .iter()
                .find(|s| s.version == header.version)
                .cloned()
                .unwrap_or_default();
            snapshot.name.clone_from(&header.name);
            snapshot.version = header.version;
            header.status.as_str().clone_into(&mut snapshot.status);
            snapshot
        })
        .collect();
}

/// What a status that was lost, or never written, said of the deployed revision.
fn recall(draft: &mut Draft<'_>, rest: &Rest, record: &Record) {
    let Some(desired) = draft.facts.desired else {
        return;
    };
    // Inputs that wait for another try, or for another spec, were undone by this very revision.
    let undone = matches!(rest, Rest::BackingOff { .. } | Rest::Stalled);
    let told = match undone {
        true => tells(draft, ConditionType::Released, Some(Reason::RolledBack)),
        false => tells(draft, ConditionType::Ready, None),
    };
    if told && draft.status.inventory.is_some() {
        return;
    }
    let Ok(objects) = super::observe::applied_objects(&desired.release, record) else {
        return;
    };
    draft.status.inventory = Some(inventory(objects.iter().map(|object| &object.key)));
    let notes = Notes::new(record.notes_to_self.clone());
    draft.status.source = draft.status.source.take().or_else(|| notes.source());
    let mut history = draft.status.history.iter_mut();
    if let Some(known) = history.find(|known| known.version == record.version) {
        *known = super::act::snapshot(record);
    }
    if undone && record.info.rollback_revision > 0 {
        rolled_back(draft, record.info.rollback_revision, record.version);
    } else if !undone {
        let reason = match record.info.description.as_str() {
            "Install complete" => Reason::InstallSucceeded,
            "Upgrade complete" => Reason::UpgradeSucceeded,
            _ => Reason::Succeeded,
        };
        let message = deployed_sentence(draft);
        for kind in [ConditionType::Ready, ConditionType::Released] {
            draft.set(kind, ConditionStatus::True, reason, &message);
        }
        if desired.test.enabled && notes.tests() == Some(Tests::Succeeded) {
            tests_succeeded(draft, record.version);
        }
    }
}

/// Whether the status says so already: for this reason, or else that it is true.
fn tells(draft: &Draft<'_>, kind: ConditionType, reason: Option<Reason>) -> bool {
    let mut conditions = draft.status.conditions.iter();
    conditions.any(|condition| {
        condition.type_ == kind.as_str()
            && match reason {
                Some(reason) => condition.reason == reason.as_str(),
                None => condition.status == "True",
            }
    })
}

/// A failed revision was undone, and the release is not what is declared.
fn rolled_back(draft: &mut Draft<'_>, to: i64, revision: i64) {
    let cause = attempt_message(draft);
    let message = format!("went back to revision {to} (as revision {revision}): {cause}");
    draft.tell(true, Reason::RolledBack, message.clone());
    draft.ready(ConditionStatus::False, Reason::RolledBack, &message);
    draft.set(
        ConditionType::Released,
        ConditionStatus::False,
        Reason::RolledBack,
        &message,
    );
    draft.reconciling(Reason::RolledBack, &message);
}

fn inventory<'k>(keys: impl Iterator<Item = &'k ObjectKey>) -> Inventory {
    let entries = keys.map(|key| InventoryEntry {
        api_version: key.api_version.clone(),
        kind: key.kind.clone(),
        namespace: key.namespace.clone(),
        name: key.name.clone(),
    });
    Inventory {
        entries: entries.collect(),
    }
}

fn rested(draft: &mut Draft<'_>, rest: &Rest, sight: &Sight) -> Next {
    match rest {
        Rest::InSync => {
            in_sync(draft);
            undrifted(draft, sight);
            Next::Interval
        }
        Rest::TestFailed => {
            let told = draft.status.conditions.iter();
            let told = told
                .filter(|c| c.type_ == "TestSuccess" && c.reason == Reason::TestFailed.as_str())
                .map(|c| c.message.clone())
                .next();
            tests_failed(draft, &told.unwrap_or_else(|| "a test failed".to_owned()));
            Next::Interval
        }
        Rest::Drifted => {
            in_sync(draft);
            let found = found::account(sight.drift.iter());
            drifted(draft, &found::places(sight.drift.iter()), found);
            Next::Interval
        }
        Rest::FoughtOver => {
            in_sync(draft);
            let message = format!(
                "{}: {}",
                found::SLOWED_DOWN,
                found::places(sight.fought_over.iter().map(|fight| &fight.seen))
            );
            drifted(draft, &message, found::fights(&sight.fought_over));
            let pauses = sight.fought_over.iter().map(|fight| fight.left_alone_for);
            Next::After(pauses.min().unwrap_or(LOCKED_PAUSE))
        }
        Rest::MovedByHand => {
            draft.settled();
            draft.status.attempt = None;
            let newest = draft
                .status
                .history
                .first()
                .map_or(0, |newest| newest.version);
            let message = format!(
                "revision {newest} was made with Helm after what is declared here had been deployed; it stays until the spec changes"
            );
            draft.ready(ConditionStatus::True, Reason::MovedByHand, &message);
            draft.set(
                ConditionType::Released,
                ConditionStatus::True,
                Reason::MovedByHand,
                &message,
            );
            Next::Interval
        }
        Rest::Suspended => {
            draft.settled();
            let message = "suspended: nothing is touched until spec.suspend is false";
            draft.ready(ConditionStatus::Unknown, Reason::Suspended, message);
            Next::Interval
        }
        Rest::Locked { until } => {
            let message = "somebody else works on this release (its last record is pending); it is left alone until the timeout has passed";
            draft.ready(ConditionStatus::Unknown, Reason::Locked, message);
            draft.reconciling(Reason::Locked, message);
            // Whoever it is may be done, or gone, before.
            Next::After(seconds_until(*until, draft.facts.now).min(LOCKED_PAUSE))
        }
        Rest::BackingOff { until } => {
            let message = attempt_message(draft);
            draft.reconciling(
                Reason::Progressing,
                &format!("another try is due; the last one: {message}"),
            );
            Next::After(seconds_until(*until, draft.facts.now))
        }
        Rest::Stalled => {
            let message = attempt_message(draft);
            let text = format!(
                "given up after {} failed tries; change the spec, or set the annotation {} to try again; the last one: {message}",
                failures(draft),
                crate::api::FORCE_AT
            );
            draft.ready(ConditionStatus::False, Reason::RetriesExceeded, &text);
            draft.stalled(Reason::RetriesExceeded, &text);
            Next::Interval
        }
        Rest::Gone => Next::Interval,
    }
}

/// Nothing differs, as far as anybody tells: where a kind has no watch, that is said.
fn undrifted(draft: &mut Draft<'_>, sight: &Sight) {
    let mut conditions = draft.status.conditions.iter();
    let told = conditions.find(|condition| condition.type_ == "Drifted");
    let unwatched = sight.unwatched.iter();
    let unwatched: Vec<String> = unwatched
        .map(|(kind, why)| format!("{kind} ({why})"))
        .collect();
    if !unwatched.is_empty() {
        let message = format!(
            "every object is as it was applied; these kinds cannot be watched and are read once an interval: {}",
            unwatched.join(", ")
        );
        let reason = Reason::ReadOnInterval;
        draft.set(
            ConditionType::Drifted,
            ConditionStatus::False,
            reason,
            &message,
        );
    } else if told
        .is_some_and(|told| told.status == "True" || told.reason == Reason::ReadOnInterval.as_str())
    {
        draft.set(
            ConditionType::Drifted,
            ConditionStatus::False,
            Reason::NoDriftDetected,
            "every object is as it was applied",
        );
    }
}

/// Drift that stays is told once.
fn drifted(draft: &mut Draft<'_>, message: &str, account: String) {
    let before = draft
        .facts
        .before
        .conditions
        .iter()
        .find(|c| c.type_ == "Drifted");
    if before.is_none_or(|condition| condition.message != message) {
        draft.tell(true, Reason::DriftDetected, account);
    }
    draft.set(
        ConditionType::Drifted,
        ConditionStatus::True,
        Reason::DriftDetected,
        message,
    );
}

fn in_sync(draft: &mut Draft<'_>) {
    draft.settled();
    let already = draft
        .status
        .conditions
        .iter()
        .find(|c| c.type_ == "Ready" && c.status == "True");
    let kept = already.and_then(|c| Some((Reason::named(&c.reason)?, c.message.clone())));
    let (reason, message) = kept.unwrap_or_else(|| (Reason::Succeeded, deployed_sentence(draft)));
    draft.ready(ConditionStatus::True, reason, &message);
    // That tests succeeded says nothing of how the release came to be there.
    if reason != Reason::TestSucceeded {
        draft.set(
            ConditionType::Released,
            ConditionStatus::True,
            reason,
            &message,
        );
    }
    draft.status.attempt = None;
}

fn concluded_action(draft: &mut Draft<'_>, acted: &Acted) -> Next {
    for printed in &acted.printed {
        let note = format!(
            "hook {} printed (pod {}, container {}): {}",
            printed.hook, printed.pod, printed.container, printed.text
        );
        draft.tell(printed.failed, Reason::HookPrinted, note);
    }
    match &acted.outcome {
        Outcome::Succeeded(_) => succeeded(draft, acted),
        Outcome::Failed(failure) => action_failed(draft, acted, failure),
        Outcome::Interrupted => {
            let message = format!("the {} was ended by a newer wish", acted.action);
            draft.ready(ConditionStatus::Unknown, Reason::Progressing, &message);
            draft.reconciling(Reason::Progressing, &message);
            Next::Now
        }
    }
}

fn succeeded(draft: &mut Draft<'_>, acted: &Acted) -> Next {
    remember(draft, acted);
    match &acted.action {
        Action::Install => deployed(draft, acted, Reason::InstallSucceeded),
        Action::Upgrade => deployed(draft, acted, Reason::UpgradeSucceeded),
        Action::Rollback { to } => {
            rolled_back(draft, *to, acted.revision);
            Next::Now
        }
        Action::CorrectDrift => {
            let Outcome::Succeeded(answers) = &acted.outcome else {
                return Next::Interval;
            };
            let names: Vec<String> = answers.iter().map(|(key, _)| key.to_string()).collect();
            let message = format!("put back {}", names.join(", "));
            draft.tell(false, Reason::DriftCorrected, message.clone());
            draft.set(
                ConditionType::Drifted,
                ConditionStatus::False,
                Reason::DriftCorrected,
                &message,
            );
            let failed = draft.status.conditions.iter();
            let mut failed = failed.filter(|c| c.reason == Reason::TestFailed.as_str());
            if draft.status.attempt.is_none() && !failed.any(|c| c.type_ == "Ready") {
                in_sync(draft);
            }
            Next::Interval
        }
        Action::Test { revision } => {
            draft.settled();
            tests_succeeded(draft, *revision);
            Next::Interval
        }
        Action::Uninstall => {
            let message = "the failed install was removed";
            draft.tell(false, Reason::UninstallSucceeded, message);
            draft.status.inventory = None;
            draft.status.inputs = None;
            Next::Now
        }
        Action::Recover { revision, counts } => {
            let message = match counts {
                true => format!("revision {revision} was interrupted again and again"),
                false => {
                    format!("revision {revision} was interrupted, and is not wanted any more")
                }
            };
            draft.tell(true, Reason::Progressing, message.clone());
            if *counts {
                count_failure(draft, &message, false);
            }
            draft.reconciling(Reason::Progressing, &message);
            draft.ready(ConditionStatus::Unknown, Reason::Progressing, &message);
            Next::Now
        }
        Action::Resume { .. } | Action::Rest(_) => Next::Interval,
    }
}

fn deployed(draft: &mut Draft<'_>, acted: &Acted, reason: Reason) -> Next {
    draft.settled();
    draft.status.attempt = None;
    if let (Some(desired), Some(source)) = (draft.facts.desired, &acted.source) {
        draft.status.inputs = Some(Inputs {
            chart: source.digest.clone(),
            values: desired.values_digest.clone(),
        });
    }
    let message = deployed_sentence(draft);
    draft.tell(false, reason, message.clone());
    draft.clear(ConditionType::TestSuccess);
    draft.set(
        ConditionType::Released,
        ConditionStatus::True,
        reason,
        &message,
    );
    if acted.to_be_tested {
        let due = format!("{message}; its tests are due");
        draft.ready(ConditionStatus::Unknown, Reason::Progressing, &due);
        draft.reconciling(Reason::Progressing, &due);
        return Next::Now;
    }
    draft.ready(ConditionStatus::True, reason, &message);
    Next::Interval
}

fn tests_succeeded(draft: &mut Draft<'_>, revision: i64) {
    let message = format!("the tests of revision {revision} succeeded");
    draft.tell(false, Reason::TestSucceeded, message.clone());
    for kind in [ConditionType::TestSuccess, ConditionType::Ready] {
        draft.set(kind, ConditionStatus::True, Reason::TestSucceeded, &message);
    }
}

/// A test failed, and nothing more is tried until somebody changes the spec or forces it.
fn tests_failed(draft: &mut Draft<'_>, message: &str) {
    draft.status.attempt = None;
    let reason = Reason::TestFailed;
    draft.set(
        ConditionType::TestSuccess,
        ConditionStatus::False,
        reason,
        message,
    );
    draft.ready(ConditionStatus::False, reason, message);
    draft.stalled(reason, message);
}

/// The revision and its objects.
fn remember(draft: &mut Draft<'_>, acted: &Acted) {
    if matches!(acted.action, Action::Install | Action::Upgrade) {
        draft.status.source = acted.source.clone().or(draft.status.source.take());
    }
    if let Some(snapshot) = &acted.snapshot
        && let Some(known) = draft
            .status
            .history
            .iter_mut()
            .find(|s| s.version == snapshot.version)
    {
        let status = std::mem::take(&mut known.status);
        *known = crate::api::Snapshot {
            status,
            ..snapshot.clone()
        };
    }
    let applied = !matches!(
        acted.action,
        Action::CorrectDrift | Action::Test { .. } | Action::Recover { .. }
    );
    if applied {
        draft.status.inventory = Some(inventory(acted.inventory.iter()));
    }
}

fn action_failed(draft: &mut Draft<'_>, acted: &Acted, failure: &Failure) -> Next {
    remember(draft, acted);
    if let (Action::Test { revision }, Some(desired)) = (&acted.action, draft.facts.desired) {
        let message = format!("test of revision {revision}: {}", explained(failure));
        draft.tell(true, Reason::TestFailed, message.clone());
        tests_failed(draft, &message);
        if desired.test.ignore_failures {
            draft.settled();
            let message = deployed_sentence(draft);
            draft.ready(ConditionStatus::True, Reason::Succeeded, &message);
        }
        return Next::Interval;
    }
    let (released, remedy) = match acted.action {
        Action::Install => (Reason::InstallFailed, false),
        Action::Rollback { .. } => (Reason::RollbackFailed, true),
        Action::Uninstall => (Reason::UninstallFailed, true),
        _ => (Reason::UpgradeFailed, false),
    };
    let message = format!(
        "{} (revision {}): {}",
        acted.action,
        acted.revision,
        explained(failure)
    );
    draft.tell(true, released, message.clone());
    count_failure(draft, &message, remedy);
    draft.ready(ConditionStatus::False, failure.reason, &message);
    draft.set(
        ConditionType::Released,
        ConditionStatus::False,
        released,
        &message,
    );
    draft.reconciling(Reason::Progressing, &message);
    match acted.action {
        // Nothing was stored, so nothing would keep the next turn from coming at once for ever.
        Action::CorrectDrift => Next::Backoff,
        Action::Uninstall => Next::Backoff,
        _ => Next::Now,
    }
}

fn explained(failure: &Failure) -> String {
    match failure.details.is_empty() {
        true => failure.message.clone(),
        false => format!("{}; {}", failure.message, failure.details),
    }
}

/// One more failure of these inputs; they are tried again after ten seconds, then twenty, ...
fn count_failure(draft: &mut Draft<'_>, message: &str, remedy: bool) {
    let Some(desired) = draft.facts.desired else {
        return;
    };
    let known = draft.status.attempt.take();
    let mut attempt = plan::after_failure(known.as_ref(), &desired.inputs, remedy);
    if !remedy {
        message.clone_into(&mut attempt.message);
    }
    let pause = doubled(
        Duration::from_secs(10),
        attempt.failures,
        Duration::from_secs(600),
    );
    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::ZERO);
    attempt.retry_at = draft.facts.now.checked_add(pause).ok().map(Time);
    draft.status.attempt = Some(attempt);
}

fn failed(draft: &mut Draft<'_>, error: &Error) -> Next {
    let reason = error.reason();
    let message = error.chain();
    let before = draft
        .facts
        .before
        .conditions
        .iter()
        .find(|c| c.type_ == "Ready");
    let told = before.is_some_and(|c| c.reason == reason.as_str() && c.message == message);
    if !told {
        draft.tell(true, reason, message.clone());
    }
    draft.ready(ConditionStatus::False, reason, &message);
    match error.retry() {
        Retry::OnChange => {
            draft.stalled(reason, &message);
            Next::Interval
        }
        Retry::Backoff => {
            draft.reconciling(reason, &message);
            Next::Backoff
        }
        Retry::After(pause) => {
            draft.reconciling(reason, &message);
            Next::After(pause)
        }
    }
}

fn deployed_sentence(draft: &Draft<'_>) -> String {
    let newest = draft.status.history.first();
    let Some((desired, newest)) = draft.facts.desired.zip(newest) else {
        return "the release is deployed".to_owned();
    };
    let chart = &desired.chart;
    let ready = if desired.wait { " and ready" } else { "" };
    format!(
        "{} revision {}: chart {} {} is deployed{ready}",
        desired.release, newest.version, chart.name, chart.version
    )
}

fn attempt_message(draft: &Draft<'_>) -> String {
    draft
        .status
        .attempt
        .as_ref()
        .map(|attempt| attempt.message.clone())
        .unwrap_or_default()
}

fn failures(draft: &Draft<'_>) -> u32 {
    draft
        .status
        .attempt
        .as_ref()
        .map_or(0, |attempt| attempt.failures)
}

fn seconds_until(until: i64, now: Timestamp) -> Duration {
    Duration::from_secs(u64::try_from(until - now.as_second()).unwrap_or(0).max(1))
}
