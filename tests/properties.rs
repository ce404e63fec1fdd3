//! `decide` comes to rest, in every world.
//!
//! A world is a history that somebody left behind, a spec, and a script that says which of the
//! coming actions fail or are cut off by a crash. The walk takes one action a turn, as the
//! controller does, lets time pass where `decide` asks for it, and must end: deployed, stalled, or
//! gone. Tests, where they are wanted, run once for each revision. All worlds up to the bounds are walked, not a sample of them.

#![allow(clippy::unwrap_used)]

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use pintle::api::{Attempt, HelmRelease};
use pintle::plan::{Action, Desired, Observed, Rest, RevisionHeader, Tests, Work, decide};
use pintle::release::Status;

/// Who we are, and somebody who cannot be asked.
const US: &str = "us";
const ANOTHER: &str = "another";

/// How an action of the script ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Success,
    Failure,
    /// The controller dies with the record pending.
    Crash,
}

const ENDS: [End; 3] = [End::Success, End::Failure, End::Crash];

const STATUSES: [Status; 9] = [
    Status::Unknown,
    Status::Deployed,
    Status::Uninstalled,
    Status::Superseded,
    Status::Failed,
    Status::Uninstalling,
    Status::PendingInstall,
    Status::PendingUpgrade,
    Status::PendingRollback,
];

fn desired(atomic: bool, retries: u32) -> Desired {
    let resource: HelmRelease = serde_json::from_value(serde_json::json!({
        "apiVersion": "helm.pintle.dev/v1",
        "kind": "HelmRelease",
        "metadata": { "name": "shop", "namespace": "apps" },
        "spec": {
            "repo": "oci://registry.example.com/charts", "name": "shop", "version": "1.0.0",
            "atomic": atomic, "retries": retries,
        },
    }))
    .unwrap();
    Desired::new(&resource, serde_json::Map::new()).unwrap()
}

/// The world: what storage and the status hold.
#[derive(Clone, Debug)]
struct World {
    history: Vec<RevisionHeader>,
    attempt: Option<Attempt>,
    drifted: bool,
    deleting: bool,
    now: i64,
}

impl World {
    fn observed(&self) -> Observed {
        Observed {
            history: self.history.clone(),
            attempt: self.attempt.clone(),
            adopted_in_sync: false,
            holder: US.to_owned(),
            holder_is_gone: false,
            drifted: self.drifted,
            fought_over: false,
            deleting: self.deleting,
            suspended: false,
            now: self.now,
        }
    }

    fn next_revision(&self) -> i64 {
        self.history.last().map_or(1, |last| last.revision + 1)
    }

    /// What was begun ends so, and is not begun anew.
    fn settle(&mut self, status: Status) {
        let last = self.history.pop().unwrap();
        self.store(status, last.inputs);
    }

    fn store(&mut self, status: Status, inputs: Option<String>) {
        let revision = self.next_revision();
        if status == Status::Deployed {
            for header in self
                .history
                .iter_mut()
                .filter(|h| h.status == Status::Deployed)
            {
                header.status = Status::Superseded;
            }
        }
        self.history.push(RevisionHeader {
            revision,
            status,
            inputs,
            holder: Some(US.to_owned()),
            resumptions: 0,
            modified_at: Some(self.now),
            tests: (status == Status::Deployed).then_some(Tests::Due),
        });
    }

    fn fail(&mut self, inputs: &str, remedy: bool) {
        let known = self
            .attempt
            .take()
            .filter(|attempt| attempt.inputs == inputs);
        let mut attempt = known.unwrap_or_else(|| Attempt {
            inputs: inputs.to_owned(),
            ..Attempt::default()
        });
        if remedy {
            attempt.remediation_failures += 1;
        } else {
            attempt.failures += 1;
        }
        attempt.retry_at = Some(Time(Timestamp::from_second(self.now + 10).unwrap()));
        self.attempt = Some(attempt);
    }

    /// The action ends so.
    fn take(&mut self, desired: &Desired, action: &Action, end: End) {
        let wanted = Some(desired.inputs.clone());
        let (pending, inputs) = match action {
            Action::Install => (Status::PendingInstall, wanted),
            Action::Upgrade => (Status::PendingUpgrade, wanted),
            Action::Rollback { to } => {
                let good = self
                    .history
                    .iter()
                    .find(|header| header.revision == *to)
                    .unwrap();
                (Status::PendingRollback, good.inputs.clone())
            }
            Action::CorrectDrift => {
                self.drifted = end != End::Success;
                return;
            }
            Action::Recover { counts, .. } => {
                self.history.last_mut().unwrap().status = Status::Failed;
                if *counts {
                    self.fail(&desired.inputs, false);
                }
                return;
            }
            Action::Resume { work, .. } => return self.resume(desired, *work, end),
            Action::Test { revision } => {
                let last = self.history.last_mut().unwrap();
                assert_eq!(last.revision, *revision);
                assert_eq!(last.tests, Some(Tests::Due), "tests run once");
                last.tests = match end {
                    End::Success => Some(Tests::Succeeded),
                    End::Failure => Some(Tests::Failed),
                    End::Crash => Some(Tests::Due),
                };
                return;
            }
            Action::Uninstall => return self.uninstall(desired, end),
            Action::Rest(_) => unreachable!("rest is no action"),
        };
        let remedy = matches!(action, Action::Rollback { .. });
        match end {
            End::Success => {
                self.store(Status::Deployed, inputs);
                if !remedy {
                    self.attempt = None;
                }
            }
            End::Failure => {
                self.store(Status::Failed, inputs);
                self.fail(&desired.inputs, remedy);
            }
            End::Crash => self.store(pending, inputs),
        }
    }

    fn resume(&mut self, desired: &Desired, work: Work, end: End) {
        let last = self.history.last_mut().unwrap();
        last.resumptions += 1;
        let remedy = matches!(work, Work::Rollback);
        match (work, end) {
            (Work::Uninstall, end) => self.uninstall(desired, end),
            (_, End::Crash) => {}
            (_, End::Success) => {
                self.settle(Status::Deployed);
                if !remedy {
                    self.attempt = None;
                }
            }
            (_, End::Failure) => {
                self.settle(Status::Failed);
                self.fail(&desired.inputs, remedy);
            }
        }
    }

    fn uninstall(&mut self, desired: &Desired, end: End) {
        match end {
            End::Success => self.history.clear(),
            End::Failure | End::Crash => {
                self.history.last_mut().unwrap().status = Status::Uninstalling;
                self.fail(&desired.inputs, true);
            }
        }
    }
}

/// Walks until rest; answers the last world and why it rests.
fn walk(desired: &Desired, mut world: World, script: &[End]) -> (World, Rest) {
    let begun = world.clone();
    let mut ends = script.iter().copied();
    for _ in 0..60 {
        match decide(desired, &world.observed()) {
            Action::Rest(Rest::BackingOff { until } | Rest::Locked { until }) => {
                assert!(until > world.now, "it waits for the past");
                world.now = until;
            }
            Action::Rest(rest) => return (world, rest),
            action => {
                let end = ends.next().unwrap_or(End::Success);
                world.take(desired, &action, end);
            }
        }
    }
    panic!("it does not come to rest: {begun:?} {script:?}");
}

/// Every script of this length.
fn scripts(length: u32) -> impl Iterator<Item = Vec<End>> {
    (0..3_usize.pow(length)).map(move |mut number| {
        let digit = |_| {
            let end = ENDS[number % 3];
            number /= 3;
            end
        };
        (0..length).map(digit).collect()
    })
}

/// The inputs that a revision's label names, and who holds it.
type Maker = (Option<String>, Option<&'static str>);

/// Every history of at most two revisions, each made by us for these inputs or for others, by
/// another of us, or by Helm.
fn histories(desired: &Desired) -> Vec<Vec<RevisionHeader>> {
    let wanted = Some(desired.inputs.clone());
    let others = Some("others".to_owned());
    // Made by us, by another of us, by Helm, and by Helm after us: it copies the label.
    let makers = [
        (wanted.clone(), Some(US)),
        (others.clone(), Some(US)),
        (wanted.clone(), Some(ANOTHER)),
        (None, None),
        (others, None),
    ];
    let single: Vec<(Status, Maker)> = STATUSES
        .iter()
        .flat_map(|status| makers.iter().map(move |maker| (*status, maker.clone())))
        .collect();
    let header = |revision: i64, (status, (inputs, holder)): &(Status, Maker)| RevisionHeader {
        revision,
        status: *status,
        inputs: inputs.clone(),
        holder: holder.map(str::to_owned),
        resumptions: 0,
        modified_at: Some(1000),
        tests: None,
    };
    let mut histories = vec![Vec::new()];
    for first in &single {
        histories.push(vec![header(1, first)]);
        histories.extend(
            single
                .iter()
                .map(|second| vec![header(1, first), header(2, second)]),
        );
    }
    histories
}

#[test]
fn it_comes_to_rest_in_every_world() {
    let mut worlds = 0_u64;
    for (atomic, retries) in [(true, 0), (true, 2), (false, 0), (false, 2)] {
        let mut desired = desired(atomic, retries);
        desired.test.enabled = retries == 2;
        for history in histories(&desired) {
            for script in scripts(5) {
                let drifted = script.first() == Some(&End::Failure);
                let world = World {
                    history: history.clone(),
                    attempt: None,
                    drifted,
                    deleting: false,
                    now: 1000,
                };
                let (world, rest) = walk(&desired, world, &script);
                worlds += 1;
                match rest {
                    Rest::TestFailed => {
                        let last = world.history.last().unwrap();
                        assert!(desired.test.enabled && !world.drifted);
                        assert_eq!(
                            (last.status, last.tests),
                            (Status::Deployed, Some(Tests::Failed))
                        );
                        assert_eq!(last.inputs.as_deref(), Some(&*desired.inputs));
                    }
                    Rest::InSync => {
                        let last = world.history.last().unwrap();
                        let tested = !matches!(last.tests, Some(Tests::Due | Tests::Failed));
                        assert!(tested || !desired.test.enabled);
                        assert_eq!(last.status, Status::Deployed);
                        assert_eq!(last.inputs.as_deref(), Some(&*desired.inputs));
                        assert!(!world.drifted);
                    }
                    Rest::MovedByHand => {
                        let last = world.history.last().unwrap();
                        assert_eq!((last.status, &last.holder), (Status::Deployed, &None));
                    }
                    Rest::Stalled => {
                        let attempt = world.attempt.unwrap();
                        assert!(
                            attempt.failures > retries || attempt.remediation_failures > retries
                        );
                    }
                    other => panic!("it rests as {other:?}"),
                }
            }
        }
    }
    println!("{worlds} worlds came to rest");
}

#[test]
fn what_succeeds_at_once_is_done_in_one_action() {
    let desired = desired(true, 3);
    let world = World {
        history: Vec::new(),
        attempt: None,
        drifted: false,
        deleting: false,
        now: 0,
    };
    let (world, rest) = walk(&desired, world, &[]);
    assert_eq!((world.history.len(), rest), (1, Rest::InSync));
}

#[test]
fn a_failed_atomic_upgrade_ends_on_the_last_good_revision() {
    let desired = desired(true, 0);
    let good = RevisionHeader {
        revision: 1,
        status: Status::Deployed,
        inputs: Some("others".to_owned()),
        holder: Some(US.to_owned()),
        resumptions: 0,
        modified_at: Some(0),
        tests: None,
    };
    let world = World {
        history: vec![good],
        attempt: None,
        drifted: false,
        deleting: false,
        now: 0,
    };
    let (world, rest) = walk(&desired, world, &[End::Failure]);
    assert_eq!(rest, Rest::Stalled);
    let ended: Vec<_> = world.history.iter().map(|header| header.status).collect();
    assert_eq!(
        ended,
        [Status::Superseded, Status::Failed, Status::Deployed]
    );
    assert_eq!(world.history[2].inputs.as_deref(), Some("others"));
}

#[test]
fn a_deletion_ends_with_nothing_left_whatever_was_there() {
    let desired = desired(true, 1);
    for history in histories(&desired) {
        for script in scripts(3) {
            let world = World {
                history: history.clone(),
                attempt: None,
                drifted: true,
                deleting: true,
                now: 1000,
            };
            let (world, rest) = walk(&desired, world, &script);
            assert_eq!(rest, Rest::Gone);
            let left = world.history.last().map(|header| header.status);
            assert!(
                matches!(left, None | Some(Status::Uninstalled)),
                "{left:?} is left"
            );
        }
    }
}
