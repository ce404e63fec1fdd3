//! The one planner: install, upgrade, rollback, drift correction and uninstall are the same
//! construction with other arguments.

use std::collections::BTreeMap;
use std::fmt;

use super::decide::{Action, Work};
use sha2::{Digest as _, Sha256};

use super::desired::{ReleaseName, hex};
use super::ownership::mark_owned;
use crate::manifest::{Hook, HookEvent, Object, ObjectKey};

/// What a plan is built from. `previous` and `target` are in the order in which Helm installs.
#[derive(Debug)]
pub struct Build<'b> {
    /// What is to be done.
    pub action: &'b Action,
    /// The release.
    pub release: &'b ReleaseName,
    /// The revision that the plan makes, or works on.
    pub revision: i64,
    /// The objects that were last applied.
    pub previous: Vec<Object>,
    /// The objects that shall be there.
    pub target: Vec<Object>,
    /// The hooks of the target; of the previous revision for an uninstall.
    pub hooks: &'b [Hook],
    /// For a drift correction, the objects that drifted.
    pub drifted: &'b [ObjectKey],
    /// Wait until objects are ready, or gone.
    pub wait: bool,
    /// Create the release's namespace first.
    pub create_namespace: bool,
    /// Keep the record of an uninstalled release.
    pub keep_history: bool,
    /// The revision's record stands already as pending: go on with what it says.
    pub resumed: bool,
}

/// Steps to be taken in this order, with nothing left to decide but what each object's live state
/// asks for.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the plan does.
    pub action: Action,
    /// The release.
    pub release: ReleaseName,
    /// The revision that it makes, or works on.
    pub revision: i64,
    /// An earlier process may have taken some of the steps. Each step can be taken twice, but for
    /// hooks, whose runs are noted.
    pub resumed: bool,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// What cannot be brought back once the plan has deleted it: data, and whatever lives in a
    /// namespace or is of a definition's kind.
    pub fn dangers(&self) -> Vec<&ObjectKey> {
        let kinds = [
            "PersistentVolumeClaim",
            "Namespace",
            "CustomResourceDefinition",
        ];
        let deleted = self.steps.iter().filter_map(|step| match step {
            Step::Delete { object } => Some(object),
            _ => None,
        });
        deleted
            .filter(|object| kinds.contains(&&*object.kind))
            .collect()
    }

    /// The name of exactly these steps, short enough to be copied by a person.
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.to_string().as_bytes())[..6])
    }
}

/// When hooks run, in the words of their annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookPhase(pub HookEvent);

/// An object and what was last applied of it, the merge base.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The object as it shall be.
    pub object: Object,
    /// The object as it was last applied; `None` where it is new to the release.
    pub previous: Option<serde_json::Value>,
}

/// One step.
#[derive(Clone, Debug)]
pub enum Step {
    /// Create the release's namespace if it is missing.
    EnsureNamespace,
    /// Refuse objects that exist and belong to somebody else, before anything is touched.
    CheckOwnership {
        /// The objects that are new to the release.
        objects: Vec<ObjectKey>,
    },
    /// Try the changes of objects that are there, before any of them is made.
    TryChanges {
        /// The objects.
        objects: Vec<ObjectKey>,
    },
    /// Store the revision's record as pending.
    StorePending,
    /// Take the pending record over from a process that is no more.
    TakeOver,
    /// Run one hook to its end.
    RunHook {
        /// The event.
        phase: HookPhase,
        /// The hook.
        hook: Hook,
    },
    /// Delete the hooks of a phase whose policy says so.
    TidyHooks {
        /// The event.
        phase: HookPhase,
        /// The hooks that ran.
        hooks: Vec<Hook>,
    },
    /// Create the object, or merge it into what is there.
    Apply(Subject),
    /// Delete the object and create it anew: it cannot be changed. Which ones these are is known
    /// when their changes were tried, so that a plan is not built with it.
    Replace(Subject),
    /// Delete an object that the release no longer has.
    Delete {
        /// The object.
        object: ObjectKey,
    },
    /// Wait until these are ready.
    AwaitReady {
        /// The objects.
        objects: Vec<ObjectKey>,
    },
    /// Wait until these are gone.
    AwaitGone {
        /// The objects.
        objects: Vec<ObjectKey>,
    },
    /// Store how it ended, and retire what it replaces.
    StoreOutcome,
    /// Remove the release's records.
    Purge,
}

/// The steps that take a release from `previous` to `target`. Every object is marked as the
/// release's own, in the merge base too: what is compared is what was applied.
pub fn build(mut build: Build<'_>) -> Plan {
    let (action, release) = (build.action.clone(), build.release.clone());
    let (revision, resumed) = (build.revision, build.resumed);
    for object in build.previous.iter_mut().chain(&mut build.target) {
        mark_owned(&mut object.value, &release);
    }
    let steps = match build.action {
        Action::Install => changing(build, HookEvent::PreInstall, HookEvent::PostInstall),
        Action::Upgrade => changing(build, HookEvent::PreUpgrade, HookEvent::PostUpgrade),
        Action::Rollback { .. } => changing(build, HookEvent::PreRollback, HookEvent::PostRollback),
        Action::CorrectDrift => correcting(build),
        Action::Test { .. } => {
            let mut steps = hook_steps(build.hooks, HookEvent::Test);
            steps.push(Step::StoreOutcome);
            steps
        }
        Action::Uninstall => removing(build),
        Action::Recover { .. } => vec![Step::StoreOutcome],
        // What is resumed is built as what it was.
        Action::Resume { .. } | Action::Rest(_) => Vec::new(),
    };
    Plan {
        action,
        release,
        revision,
        resumed,
        steps,
    }
}

/// helm: pkg/action/upgrade.go releasingUpgrade: hooks, objects, what is left over, wait, hooks.
fn changing(build: Build<'_>, before: HookEvent, after: HookEvent) -> Vec<Step> {
    let left_over = left_over(&build);
    let awaited: Vec<ObjectKey> = build
        .target
        .iter()
        .map(|object| object.key.clone())
        .collect();
    let namespace = &build.release.namespace;
    let bases: BTreeMap<_, _> = build
        .previous
        .into_iter()
        .map(|object| (identity(&object, namespace), object.value))
        .collect();
    let subjects: Vec<Subject> = build
        .target
        .into_iter()
        .map(|object| Subject {
            previous: bases.get(&identity(&object, namespace)).cloned(),
            object,
        })
        .collect();
    let new = subjects.iter().filter(|subject| subject.previous.is_none());
    let new: Vec<ObjectKey> = new.map(|subject| subject.object.key.clone()).collect();
    let known = subjects.iter().filter(|subject| subject.previous.is_some());
    let known: Vec<ObjectKey> = known.map(|subject| subject.object.key.clone()).collect();
    // A rollback puts back what it can.
    let tried = *build.action == Action::Upgrade && !known.is_empty();
    let mut try_changes = tried.then_some(Step::TryChanges { objects: known });

    let mut steps = Vec::new();
    if build.create_namespace {
        steps.push(Step::EnsureNamespace);
    }
    if !new.is_empty() {
        steps.push(Step::CheckOwnership { objects: new });
    }
    let hooks = hook_steps(build.hooks, before);
    // Hooks may be there to make the changes possible.
    if hooks.is_empty() && !build.resumed {
        steps.extend(try_changes.take());
    }
    match build.resumed {
        true => steps.insert(0, Step::TakeOver),
        false => steps.push(Step::StorePending),
    }
    steps.extend(hooks);
    steps.extend(try_changes);
    steps.extend(subjects.into_iter().map(Step::Apply));
    steps.extend(left_over.into_iter().map(|object| Step::Delete { object }));
    if build.wait && !awaited.is_empty() {
        steps.push(Step::AwaitReady { objects: awaited });
    }
    steps.extend(hook_steps(build.hooks, after));
    steps.push(Step::StoreOutcome);
    steps
}

/// What was applied is applied again, where it is no longer so. No hooks, no revision.
fn correcting(build: Build<'_>) -> Vec<Step> {
    let drifted = build.drifted;
    build
        .target
        .into_iter()
        .filter(|object| drifted.contains(&object.key))
        .map(|object| {
            Step::Apply(Subject {
                previous: Some(object.value.clone()),
                object,
            })
        })
        .collect()
}

/// helm: pkg/action/uninstall.go Run.
fn removing(build: Build<'_>) -> Vec<Step> {
    let mut objects: Vec<Object> = build
        .previous
        .into_iter()
        .filter(|object| policy(object).is_none())
        .collect();
    crate::manifest::uninstall_order(&mut objects);
    let keys: Vec<ObjectKey> = objects.iter().map(|object| object.key.clone()).collect();
    let mut steps = vec![Step::StorePending];
    steps.extend(hook_steps(build.hooks, HookEvent::PreDelete));
    steps.extend(keys.iter().cloned().map(|object| Step::Delete { object }));
    if build.wait && !keys.is_empty() {
        steps.push(Step::AwaitGone { objects: keys });
    }
    steps.extend(hook_steps(build.hooks, HookEvent::PostDelete));
    steps.push(if build.keep_history {
        Step::StoreOutcome
    } else {
        Step::Purge
    });
    steps
}

/// The hooks of one event by weight, then name, and the tidying after them.
fn hook_steps(hooks: &[Hook], event: HookEvent) -> Vec<Step> {
    let hooks: Vec<Hook> = Hook::at(hooks, event).into_iter().cloned().collect();
    if hooks.is_empty() {
        return Vec::new();
    }
    let phase = HookPhase(event);
    let mut steps: Vec<Step> = hooks
        .iter()
        .cloned()
        .map(|hook| Step::RunHook { phase, hook })
        .collect();
    steps.push(Step::TidyHooks { phase, hooks });
    steps
}

/// The objects that the previous revision had and the target has not.
fn left_over(build: &Build<'_>) -> Vec<ObjectKey> {
    let namespace = &build.release.namespace;
    let wanted: std::collections::BTreeSet<_> = build
        .target
        .iter()
        .map(|object| identity(object, namespace))
        .collect();
    build
        .previous
        .iter()
        .filter(|object| !wanted.contains(&identity(object, namespace)) && !is_kept(object))
        .map(|object| object.key.clone())
        .collect()
}

/// Two manifests mean the same object when group, kind, namespace and name are equal: a chart that
/// moves from `policy/v1beta1` to `policy/v1`, or that begins to name the release's own namespace,
/// has not lost its object (helm: pkg/kube/resource.go isMatchingInfo).
fn identity(object: &Object, releases_own: &str) -> (String, String, String, String) {
    let key = &object.key;
    let namespace = key.namespace.as_deref().unwrap_or(releases_own);
    (
        key.group().to_owned(),
        key.kind.clone(),
        namespace.to_owned(),
        key.name.clone(),
    )
}

/// helm: pkg/kube/resource_policy.go KeepPolicy.
fn is_kept(object: &Object) -> bool {
    policy(object).is_some_and(|policy| policy.trim().eq_ignore_ascii_case("keep"))
}

/// The resource policy, whatever it says. An uninstall leaves what has one, even an unknown one.
/// helm: pkg/action/resource_policy.go filterManifestsToKeep
fn policy(object: &Object) -> Option<&str> {
    object
        .value
        .pointer("/metadata/annotations/helm.sh~1resource-policy")
        .and_then(serde_json::Value::as_str)
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} of {}, revision {}",
            self.action, self.release, self.revision
        )?;
        let mut steps = self.steps.iter().zip(1..);
        steps.try_for_each(|(step, number)| writeln!(f, "{number:4}. {step}"))
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Install => f.write_str("install"),
            Self::Upgrade => f.write_str("upgrade"),
            Self::Rollback { to } => write!(f, "rollback to revision {to}"),
            Self::CorrectDrift => f.write_str("drift correction"),
            Self::Test { revision } => write!(f, "test of revision {revision}"),
            Self::Uninstall => f.write_str("uninstall"),
            Self::Resume { revision, work } => {
                write!(f, "resumption of the {work} of revision {revision}")
            }
            Self::Recover { revision, .. } => {
                write!(f, "recovery of interrupted revision {revision}")
            }
            Self::Rest(_) => f.write_str("nothing"),
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Install => "install",
            Self::Upgrade => "upgrade",
            Self::Rollback => "rollback",
            Self::Uninstall => "uninstall",
        })
    }
}

impl fmt::Display for HookPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// Steps name objects and never show their contents.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnsureNamespace => f.write_str("ensure the namespace"),
            Self::CheckOwnership { objects } => {
                write!(
                    f,
                    "check that {} new objects are free to take",
                    objects.len()
                )
            }
            Self::TryChanges { objects } => {
                write!(f, "try the changes of {} objects", objects.len())
            }
            Self::StorePending => f.write_str("store the record as pending"),
            Self::TakeOver => f.write_str("take the pending record over"),
            Self::RunHook { phase, hook } => {
                write!(f, "run {phase} hook {} {}", hook.kind, hook.name)
            }
            Self::TidyHooks { phase, hooks } => write!(f, "tidy {} {phase} hooks", hooks.len()),
            Self::Apply(subject) if subject.previous.is_some() => {
                write!(f, "merge {}", subject.object.key)
            }
            Self::Apply(subject) => write!(f, "create {}", subject.object.key),
            Self::Replace(subject) => write!(f, "replace {}", subject.object.key),
            Self::Delete { object } => write!(f, "delete {object}"),
            Self::AwaitReady { objects } => {
                write!(f, "wait until {} objects are ready", objects.len())
            }
            Self::AwaitGone { objects } => {
                write!(f, "wait until {} objects are gone", objects.len())
            }
            Self::StoreOutcome => f.write_str("store the outcome"),
            Self::Purge => f.write_str("remove the records"),
        }
    }
}
