//! What is there: the records, as the watch of them tells, and those objects that somebody changed.
//! A release at rest costs no request.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tracing::info;

use super::context::{Context, now};
use super::error::Error;
use super::watches::Fight;
use crate::api::{Attempt, DriftMode, HelmReleaseStatus};
use crate::cluster::ObjectDrift;
use crate::manifest::{self, Object, ObjectKey};
use crate::plan::{self, Desired, Notes, Observed, ReleaseName, RevisionHeader, Tests};
use crate::release::{Record, Status};
use crate::storage::Revision;

/// The label on a release's Secret that says which inputs the revision was made of.
pub(super) const INPUTS_LABEL: &str = "helm.pintle.dev/inputs";

/// What was seen, with what was read on the way and need not be read again.
pub(super) struct Sight {
    pub(super) observed: Observed,
    pub(super) revisions: Vec<Revision>,
    /// The deployed revision, where it had to be decoded.
    pub(super) deployed: Option<Record>,
    /// The objects that differ from what the deployed revision applied.
    pub(super) drift: Vec<ObjectDrift>,
    /// Those that somebody changes back whenever they are put back, and that are left alone now.
    pub(super) fought_over: Vec<FoughtOver>,
    /// The kinds of which no watch tells, each with the reason.
    pub(super) unwatched: BTreeMap<String, String>,
}

/// An object that is left alone for a while.
pub(super) struct FoughtOver {
    pub(super) seen: ObjectDrift,
    pub(super) repairs: u32,
    pub(super) left_alone_for: Duration,
}

/// How thoroughly to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Only at objects that a watch told of.
    Suspects,
    /// At those, too, of which no watch tells: once an interval.
    Unwatched,
    /// At every object: the first turn of this process, and whenever somebody asks for it.
    Everything,
}

/// Looks at a release.
pub(super) async fn observe(
    context: &Context,
    desired: &Desired,
    status: &HelmReleaseStatus,
    resource: &kube::runtime::reflector::ObjectRef<super::context::Guarded>,
    turn: Turn,
) -> Result<Sight, Error> {
    let remembered = context.storage.recall(&desired.release);
    let revisions = match remembered.filter(|_| !turn.deleting) {
        Some(revisions) => revisions,
        None => context.storage.revisions(&desired.release).await?,
    };
    let mut sight = Sight {
        observed: Observed {
            history: revisions.iter().map(|r| header(r, turn.forced)).collect(),
            attempt: attempt(status, &revisions, turn.forced),
            adopted_in_sync: false,
            holder: context.holder.name.clone(),
            holder_is_gone: holder_is_gone(context, &revisions).await,
            drifted: false,
            fought_over: false,
            deleting: turn.deleting,
            suspended: turn.suspended,
            now: now().as_second(),
        },
        revisions,
        deployed: None,
        drift: Vec::new(),
        fought_over: Vec::new(),
        unwatched: BTreeMap::new(),
    };
    if turn.deleting || turn.suspended {
        return Ok(sight);
    }
    adopt(context, desired, &mut sight).await?;
    if desired.drift.mode != DriftMode::Off {
        look_for_drift(context, desired, resource, turn.look, &mut sight).await?;
    }
    Ok(sight)
}

/// What the resource itself says of this turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) deleting: bool,
    pub(super) suspended: bool,
    /// The force annotation has a new value: earlier failures do not count.
    pub(super) forced: bool,
    pub(super) look: Look,
}

/// How often the inputs have failed, by the status and by what the newest record notes.
fn attempt(status: &HelmReleaseStatus, revisions: &[Revision], forced: bool) -> Option<Attempt> {
    let noted = revisions
        .last()
        .and_then(|revision| notes(revision).attempt());
    let latest = plan::latest_attempt(status.attempt.clone(), noted);
    latest.filter(|_| !forced)
}

fn notes(revision: &Revision) -> Notes {
    Notes::new(revision.notes_to_self.clone())
}

/// Whether a pending revision is held by a process that is known to be no more.
async fn holder_is_gone(context: &Context, revisions: &[Revision]) -> bool {
    let pending = |revision: &&Revision| {
        let status = revision.header.status;
        status.is_pending() || status == Status::Uninstalling
    };
    let Some(last) = revisions.last().filter(pending) else {
        return false;
    };
    match notes(last).holder() {
        Some(holder) if holder != context.holder.name => {
            context.holder.is_gone(&context.client, holder).await
        }
        _ => false,
    }
}

/// A revision as its Secret's labels and notes tell. Where it is forced, what failed is due again.
fn header(revision: &Revision, forced: bool) -> RevisionHeader {
    let notes = notes(revision);
    let tests = match notes.tests() {
        Some(Tests::Failed) if forced => Some(Tests::Due),
        tests => tests,
    };
    RevisionHeader {
        revision: revision.header.version,
        status: revision.header.status,
        inputs: revision.header.labels.get(INPUTS_LABEL).cloned(),
        holder: notes.holder().map(str::to_owned),
        resumptions: notes.resumptions(),
        modified_at: revision.modified_at,
        tests,
    }
}

/// A deployed revision that we do not hold was made by Helm: is it what is wanted?
async fn adopt(context: &Context, desired: &Desired, sight: &mut Sight) -> Result<(), Error> {
    let last = sight.observed.history.last();
    let Some(last) = last.filter(|l| l.status == Status::Deployed && l.holder.is_none()) else {
        return Ok(());
    };
    let record = context.storage.get(&desired.release, last.revision).await?;
    let (name, version) = record.chart_name_and_version();
    let same_chart = name == desired.chart.name && version == desired.chart.version;
    sight.observed.adopted_in_sync =
        same_chart && plan::values_digest(&record.config) == desired.values_digest;
    sight.deployed = Some(record);
    Ok(())
}

async fn look_for_drift(
    context: &Context,
    desired: &Desired,
    resource: &kube::runtime::reflector::ObjectRef<super::context::Guarded>,
    look: Look,
    sight: &mut Sight,
) -> Result<(), Error> {
    let Some(last) = sight
        .observed
        .history
        .last()
        .filter(|l| l.status == Status::Deployed)
    else {
        return Ok(());
    };
    let everything = look == Look::Everything || !context.watches.knows(&desired.release);
    let mut suspects = context.watches.suspects(&desired.release);
    for (object, why) in context.watches.unwatched(&desired.release) {
        sight.unwatched.insert(object.kind.clone(), why);
        if look == Look::Unwatched {
            suspects.insert(object);
        }
    }
    if !everything && suspects.is_empty() {
        return Ok(());
    }
    let record = match sight.deployed.take() {
        Some(record) => record,
        None => context.storage.get(&desired.release, last.revision).await?,
    };
    let objects = applied_objects(&desired.release, &record)?;
    let looked_at = |object: &&Object| everything || suspects.contains(&object.key);
    let examined: Vec<Object> = objects.iter().filter(looked_at).cloned().collect();
    let compared = context
        .cluster
        .compare(&examined, &desired.release.namespace, desired.exemptions())
        .await?;
    if everything {
        hold(context, desired, resource, &objects, &compared).await?;
    }
    for seen in compared {
        let fight = judge(context, desired, &seen).await?;
        let left_alone_for = fight.left_alone_for(Instant::now());
        match left_alone_for.filter(|_| desired.drift.mode == DriftMode::Correct) {
            _ if !seen.is_drifted() => {}
            Some(left_alone_for) => sight.fought_over.push(FoughtOver {
                seen,
                repairs: fight.repairs,
                left_alone_for,
            }),
            None => sight.drift.push(seen),
        }
    }
    sight.observed.drifted = !sight.drift.is_empty() || !sight.fought_over.is_empty();
    sight.observed.fought_over = sight.drift.is_empty();
    sight.deployed = Some(record);
    Ok(())
}

/// The objects of a stored revision, marked as they were when they were applied.
pub(super) fn applied_objects(
    release: &ReleaseName,
    record: &Record,
) -> Result<Vec<Object>, Error> {
    let mut objects = manifest::parse(&record.manifest).map_err(|source| Error::Manifest {
        what: format!("revision {} of release {release}", record.version),
        source,
    })?;
    objects
        .iter_mut()
        .for_each(|object| plan::mark_owned(&mut object.value, release));
    manifest::install_order(&mut objects);
    Ok(objects)
}

async fn hold(
    context: &Context,
    desired: &Desired,
    resource: &kube::runtime::reflector::ObjectRef<super::context::Guarded>,
    objects: &[Object],
    compared: &[ObjectDrift],
) -> Result<(), Error> {
    let states = compared
        .iter()
        .map(|seen| (seen.object.key.clone(), seen.live.clone()))
        .collect();
    context
        .hold(
            desired,
            resource,
            objects.iter().map(|object| &object.key),
            states,
        )
        .await
}

/// This state of the object needs no second look; answers whether it is fought over.
async fn judge(context: &Context, desired: &Desired, seen: &ObjectDrift) -> Result<Fight, Error> {
    let at = match context
        .cluster
        .endpoint(&seen.object.key, &desired.release.namespace)
        .await
    {
        Ok(at) => at,
        Err(crate::cluster::Error::UnknownKind { .. }) => return Ok(Fight::default()),
        Err(error) => return Err(error.into()),
    };
    let news = context
        .watches
        .judged(&at, seen.live.as_ref(), seen.is_drifted());
    if news {
        context.metrics.found_drifted(&seen.object.key.kind);
        let places = super::found::places(std::iter::once(seen));
        info!(places, "drifted");
    }
    Ok(context.watches.fight(&at))
}

impl Context {
    /// Watches these objects for a release from now on, each with its state just judged.
    pub(super) async fn hold<'k>(
        &self,
        desired: &Desired,
        resource: &kube::runtime::reflector::ObjectRef<super::context::Guarded>,
        objects: impl Iterator<Item = &'k ObjectKey>,
        mut states: std::collections::HashMap<ObjectKey, Option<serde_json::Value>>,
    ) -> Result<(), Error> {
        let mut held = Vec::new();
        for key in objects.filter(|key| !key.name.is_empty()) {
            match self.cluster.endpoint(key, &desired.release.namespace).await {
                Ok(at) => held.push((at, states.remove(key).flatten())),
                // What has no kind has no watch either; the interval will find it missing.
                Err(crate::cluster::Error::UnknownKind { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.watches
            .hold(&desired.release, resource, desired.interval, &held);
        Ok(())
    }
}
