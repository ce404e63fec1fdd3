//! The one decision: given what is wanted and what is there, what next?
//!
//! Each turn takes one action and looks again, so a crash between two turns needs no code of its
//! own. It comes to rest because every action either succeeds, or adds to a count in
//! [`Attempt`] that is bounded by `retries`; `tests/properties.rs` walks through every world.

use serde::Serialize;

use super::desired::Desired;
use super::note::Tests;
use crate::api::{Attempt, DeletionPolicy, DriftMode};
use crate::release::Status;

/// What storage says of a revision without decoding it: its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevisionHeader {
    /// The revision's number.
    pub revision: i64,
    /// Helm's state of it.
    pub status: Status,
    /// The inputs that it was made of, or that an earlier revision was made of: Helm copies the
    /// label.
    pub inputs: Option<String>,
    /// Who of this program wrote it; nobody where Helm did.
    pub holder: Option<String>,
    /// How often it was gone on with after an interruption.
    pub resumptions: u32,
    /// When the record was last written, in seconds since 1970.
    pub modified_at: Option<i64>,
    /// How the chart's tests of it stand, where it has some.
    pub tests: Option<Tests>,
}

/// What was seen of a release.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The revisions in storage, oldest first.
    pub history: Vec<RevisionHeader>,
    /// What has been tried for these or earlier inputs.
    pub attempt: Option<Attempt>,
    /// A deployed revision of Helm's own is made of the wanted inputs.
    pub adopted_in_sync: bool,
    /// Who looks.
    pub holder: String,
    /// The one who holds the pending revision is known to be no more.
    pub holder_is_gone: bool,
    /// Objects differ from what the deployed revision applied.
    pub drifted: bool,
    /// Somebody undoes every repair of such an object.
    pub fought_over: bool,
    /// The HelmRelease is being deleted.
    pub deleting: bool,
    /// The spec says to touch nothing.
    pub suspended: bool,
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// What to do in this turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Action {
    /// Nothing is there: render and apply.
    Install,
    /// Something else is there: render and apply over it.
    Upgrade,
    /// A revision failed: apply an earlier one's stored manifest.
    Rollback {
        /// The revision to go back to.
        to: i64,
    },
    /// Objects differ from what was applied: apply the deployed revision's manifest again.
    CorrectDrift,
    /// Run the chart's tests of the deployed revision.
    Test {
        /// The revision.
        revision: i64,
    },
    /// Remove the release, because it is no longer declared, or because its install failed.
    Uninstall,
    /// A record says that work is under way, nobody is at it, and it is still wanted: go on with
    /// it, at the step at which it was left.
    Resume {
        /// The revision that was interrupted.
        revision: i64,
        /// What was being done.
        work: Work,
    },
    /// A record says that work is under way, nobody is at it, and it is not wanted any more: mark
    /// it failed.
    Recover {
        /// The revision that was interrupted.
        revision: i64,
        /// It counts as a failure of the wanted inputs.
        counts: bool,
    },
    /// Nothing to do, for this reason.
    Rest(Rest),
}

/// What can be left half done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub enum Work {
    Install,
    Upgrade,
    Rollback,
    Uninstall,
}

/// Why there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Rest {
    /// What is declared is deployed.
    InSync,
    /// The same, but objects differ and the spec says only to warn.
    Drifted,
    /// The same, but somebody undoes every repair, so repairs pause.
    FoughtOver,
    /// What is declared is deployed, and a test of it failed. It is left as it is, for the one who
    /// wants to know why.
    TestFailed,
    /// What is declared was deployed, and then a person moved the release elsewhere with Helm: it
    /// stays there until the spec changes.
    MovedByHand,
    /// The spec says to touch nothing.
    Suspended,
    /// Somebody else works on the release.
    Locked {
        /// When their work counts as given up, in seconds since 1970.
        until: i64,
    },
    /// The inputs failed, and are tried again later.
    BackingOff {
        /// When, in seconds since 1970.
        until: i64,
    },
    /// The inputs failed too often; another spec or the force annotation starts afresh.
    Stalled,
    /// The HelmRelease is being deleted and nothing is left to remove.
    Gone,
}

/// How often one revision is gone on with: what ends the program again and again counts as failed.
const MAX_RESUMPTIONS: u32 = 5;

/// What to do next.
pub fn decide(desired: &Desired, observed: &Observed) -> Action {
    if observed.deleting {
        return on_deletion(desired, observed);
    }
    if observed.suspended {
        return Action::Rest(Rest::Suspended);
    }
    let Some(last) = observed.history.last() else {
        return unless_stalled(desired, observed, Action::Install);
    };
    match last.status {
        Status::Deployed => on_deployed(desired, observed, last),
        Status::Failed => on_failed(desired, observed),
        Status::Uninstalled => unless_stalled(desired, observed, Action::Install),
        Status::PendingInstall
        | Status::PendingUpgrade
        | Status::PendingRollback
        | Status::Uninstalling => on_pending(desired, observed, last),
        Status::Superseded | Status::Unknown => unless_stalled(desired, observed, Action::Upgrade),
    }
}

/// A deletion ends the release, unless it was to be left alone anyway.
fn on_deletion(desired: &Desired, observed: &Observed) -> Action {
    let left_alone = observed.suspended || desired.deletion.policy == DeletionPolicy::Orphan;
    match observed.history.last() {
        None => Action::Rest(Rest::Gone),
        Some(_) if left_alone => Action::Rest(Rest::Gone),
        Some(last) if last.status == Status::Uninstalled => Action::Rest(Rest::Gone),
        Some(last) if work_of(last.status).is_some() => match taken(desired, observed, last) {
            Some(until) => Action::Rest(Rest::Locked { until }),
            None => Action::Uninstall,
        },
        Some(_) => Action::Uninstall,
    }
}

fn on_deployed(desired: &Desired, observed: &Observed, last: &RevisionHeader) -> Action {
    let ours = last.holder.is_some();
    let in_sync = match &last.inputs {
        Some(inputs) if ours => *inputs == desired.inputs,
        _ => observed.adopted_in_sync,
    };
    let was_deployed = |header: &RevisionHeader| header.inputs.as_deref() == Some(&desired.inputs);
    let tests = last.tests.filter(|_| ours && desired.test.enabled);
    let next = if in_sync {
        match tests {
            Some(Tests::Due) => Action::Test {
                revision: last.revision,
            },
            Some(Tests::Failed) if !desired.test.ignore_failures => Action::Rest(Rest::TestFailed),
            _ => Action::Rest(Rest::InSync),
        }
    } else if !ours && observed.history.iter().any(was_deployed) {
        Action::Rest(Rest::MovedByHand)
    } else {
        unless_stalled(desired, observed, Action::Upgrade)
    };
    // A release that waits for its next try, or for another spec, is still kept as it was applied.
    match (next, observed.drifted, desired.drift.mode) {
        (Action::Rest(Rest::InSync), true, DriftMode::Correct) if observed.fought_over => {
            Action::Rest(Rest::FoughtOver)
        }
        (Action::Rest(_), true, DriftMode::Correct) if !observed.fought_over => {
            Action::CorrectDrift
        }
        (Action::Rest(Rest::InSync), true, DriftMode::Warn) => Action::Rest(Rest::Drifted),
        (next, _, _) => next,
    }
}

/// A failed revision of the wanted inputs is undone where the spec says so; then, and otherwise,
/// they are tried again until `retries` is used up.
fn on_failed(desired: &Desired, observed: &Observed) -> Action {
    let last_good = observed
        .history
        .iter()
        .rev()
        .find(|header| header.status == Status::Deployed)
        .or_else(|| {
            observed
                .history
                .iter()
                .rev()
                .find(|h| h.status == Status::Superseded)
        });
    let attempted = attempt_of(desired, observed).is_some();
    let may_undo = attempt_of(desired, observed)
        .is_none_or(|attempt| attempt.remediation_failures <= desired.retries);
    match last_good {
        Some(good) if desired.atomic && attempted && may_undo => {
            Action::Rollback { to: good.revision }
        }
        None if desired.atomic && attempted && may_undo => Action::Uninstall,
        _ if !may_undo => Action::Rest(Rest::Stalled),
        _ => unless_stalled(desired, observed, Action::Upgrade),
    }
}

/// Work under way is gone on with where it is this program's and nobody is at it. Anybody else's
/// is left alone until the timeout has passed, and what is not wanted any more is given up.
fn on_pending(desired: &Desired, observed: &Observed, last: &RevisionHeader) -> Action {
    if let Some(until) = taken(desired, observed, last) {
        return Action::Rest(Rest::Locked { until });
    }
    let revision = last.revision;
    let same_inputs = last.inputs.as_deref() == Some(&desired.inputs);
    match work_of(last.status) {
        Some(work) if last.holder.is_some() => {
            let wanted = match work {
                Work::Install | Work::Upgrade => same_inputs,
                // It undoes a failure of these very inputs.
                Work::Rollback => attempt_of(desired, observed).is_some(),
                Work::Uninstall => true,
            };
            match wanted && last.resumptions < MAX_RESUMPTIONS {
                true => Action::Resume { revision, work },
                // Whatever ends the program each time must not do so for ever.
                false => Action::Recover {
                    revision,
                    counts: wanted,
                },
            }
        }
        _ => Action::Recover {
            revision,
            counts: false,
        },
    }
}

/// What a record says is under way.
fn work_of(status: Status) -> Option<Work> {
    match status {
        Status::PendingInstall => Some(Work::Install),
        Status::PendingUpgrade => Some(Work::Upgrade),
        Status::PendingRollback => Some(Work::Rollback),
        Status::Uninstalling => Some(Work::Uninstall),
        _ => None,
    }
}

/// Until when somebody else is taken to be at work; `None` where nobody is.
fn taken(desired: &Desired, observed: &Observed, last: &RevisionHeader) -> Option<i64> {
    let mine = match &last.holder {
        Some(holder) => *holder == observed.holder || observed.holder_is_gone,
        None => false,
    };
    let begun = last.modified_at.unwrap_or(0);
    let until = begun.saturating_add(seconds(desired));
    (!mine && until > observed.now).then_some(until)
}

fn seconds(desired: &Desired) -> i64 {
    i64::try_from(desired.timeout.as_secs()).unwrap_or(i64::MAX)
}

/// What was tried, if it was tried for the inputs that are wanted now.
fn attempt_of<'o>(desired: &Desired, observed: &'o Observed) -> Option<&'o Attempt> {
    observed
        .attempt
        .as_ref()
        .filter(|attempt| attempt.inputs == desired.inputs)
}

fn unless_stalled(desired: &Desired, observed: &Observed, action: Action) -> Action {
    let Some(attempt) = attempt_of(desired, observed) else {
        return action;
    };
    let until = attempt
        .retry_at
        .as_ref()
        .map_or(0, |time| time.0.as_second());
    match () {
        () if attempt.failures > desired.retries => Action::Rest(Rest::Stalled),
        () if until > observed.now => Action::Rest(Rest::BackingOff { until }),
        () => action,
    }
}
