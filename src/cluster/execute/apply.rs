//! The step that applies an object: created, or changed to what it shall be.
//!
//! In: an object and what was last applied of it. Out: the object as the API server answered it.
//! Never: a change of what somebody else has created, or of a field that somebody else manages where
//! the release is applied server-side; there a conflict is a failure, as in Helm.

use serde_json::Value;
use tracing::{debug, info};

use super::{Execution, Progress};
use crate::cluster::FIELD_MANAGER;
use crate::cluster::error::{Error, Result};
use crate::cluster::live::{Applying, Endpoint};
use crate::merge::{self, Kind};
use crate::plan::{self, Action, Exempt, Subject};

/// How often a request is sent again that lost a race.
const RACES: u32 = 3;

impl Execution<'_> {
    pub(super) async fn apply(&self, subject: &Subject, progress: &mut Progress) -> Result<()> {
        let object = &subject.object;
        let at = self.endpoint(&object.key).await?;
        let (live, verb) = if progress.replaceable.contains(&object.key) {
            self.replace_known(&at, subject, progress).await?
        } else if self.record.is_server_side() && !object.key.name.is_empty() {
            self.apply_server_side(&at, subject, progress).await?
        } else {
            match &subject.previous {
                None => match self.cluster.create(&at, &object.value).await {
                    Ok(live) => (live, "created"),
                    Err(error) if error.is_status(409) => {
                        self.merge(&at, subject, progress).await?
                    }
                    Err(error) => return Err(error),
                },
                Some(_) => self.merge(&at, subject, progress).await?,
            }
        };
        if verb == "unchanged" {
            debug!(object = %object.key, "unchanged");
        } else {
            info!(object = %object.key, "{verb}");
        }
        progress.applied.push(object.key.clone());
        if object.key.kind == "CustomResourceDefinition" {
            self.await_definition(at, live.clone(), progress).await?;
        }
        progress.live.insert(object.key.clone(), live);
        Ok(())
    }

    /// Reads the live object and patches what differs. A lost race is run again.
    async fn merge(
        &self,
        at: &Endpoint,
        subject: &Subject,
        progress: &mut Progress,
    ) -> Result<(Value, &'static str)> {
        let whole = &subject.object.value;
        let mut seen = progress.seen.remove(&subject.object.key);
        let mut lost = 0;
        loop {
            let was_seen = seen.is_some();
            let live = match seen.take() {
                Some(live) => live,
                None => self.cluster.get(at).await?,
            };
            let Some(live) = live else {
                match self.cluster.create(at, whole).await {
                    Err(error) if was_seen && error.is_status(409) => continue,
                    created => return Ok((created?, "created")),
                }
            };
            let Some(target) = &self.wanted(at, subject, &live).await? else {
                return Ok((live, "unchanged"));
            };
            if subject.previous.is_none() {
                self.refuse_foreign(at, &live)?;
            }
            let Some(mut patch) = self.difference(at, subject, target, &live)? else {
                return Ok((live, "unchanged"));
            };
            // A repair follows its read at once, and a status that moves on is in nobody's way.
            if was_seen && self.plan.action != Action::CorrectDrift {
                // What was computed from an older state is not sent to a newer one.
                let version = live["metadata"]["resourceVersion"].clone();
                patch.body["metadata"]["resourceVersion"] = version;
            }
            match self.cluster.patch(at, &patch).await {
                Err(error) if error.is_status(409) && lost < RACES => lost += 1,
                Err(error) if error.is_status(404) && lost < RACES => lost += 1,
                Err(refusal) => {
                    let replaced = self.replace(at, &live, target, refusal, progress).await?;
                    return Ok((replaced, "replaced"));
                }
                Ok(answer) => return Ok(changed(&live, answer)),
            }
        }
    }

    /// The object as it shall be, but for the fields that are left to others; `None` where all of it
    /// is, and the new revision has nothing new for it.
    pub(super) async fn wanted(
        &self,
        at: &Endpoint,
        subject: &Subject,
        live: &Value,
    ) -> Result<Option<Value>> {
        let object = &subject.object;
        if subject.previous.as_ref() == Some(&object.value)
            && (self.exemptions.of(&object.key, &object.value) == Exempt::Whole
                || plan::asks_to_be_left_alone(live))
        {
            return Ok(None);
        }
        let wanted = self
            .cluster
            .left_to_others(at, &object.value, live, self.exemptions);
        wanted.await.map(Some)
    }

    /// The patch that takes an object to what it shall be.
    pub(super) fn difference(
        &self,
        at: &Endpoint,
        subject: &Subject,
        target: &Value,
        live: &Value,
    ) -> Result<Option<merge::Patch>> {
        // helm: pkg/action/validate.go existingResourceConflict: an object that is taken into
        // the release is its own base, so that nothing of what it has goes; but
        // pkg/kube/client.go update, in a rollback: what is there is the base. Where the plan
        // is resumed, it is likely to be what this very plan has created.
        let back = matches!(self.plan.action, Action::Rollback { .. });
        let new = match back && !self.plan.resumed {
            true => live,
            false => target,
        };
        let previous = subject.previous.as_ref().unwrap_or(new);
        three_way(at, previous, target, live)
    }

    /// Applies the object as the one who applied it before.
    // helm: pkg/kube/client.go Update, patchResourceServerSide
    async fn apply_server_side(
        &self,
        at: &Endpoint,
        subject: &Subject,
        progress: &mut Progress,
    ) -> Result<(Value, &'static str)> {
        let mut seen = progress.seen.remove(&subject.object.key);
        let mut lost = 0;
        loop {
            let live = match seen.take() {
                Some(live) => live,
                None => self.cluster.get(at).await?,
            };
            let mut wanted = None;
            if let Some(live) = &live {
                if subject.previous.is_none() {
                    self.refuse_foreign(at, live)?;
                }
                wanted = self.wanted(at, subject, live).await?;
                let Some(target) = &wanted else {
                    return Ok((live.clone(), "unchanged"));
                };
                if self.is_as_applied(at, subject, target, live)? {
                    return Ok((live.clone(), "unchanged"));
                }
            }
            let target = wanted.as_ref().unwrap_or(&subject.object.value);
            match self.send_apply(at, target, live.as_ref()).await {
                Err(error) if is_lost_race(&error) && lost < RACES => lost += 1,
                Err(refusal) => {
                    let Some(live) = live else {
                        return Err(refusal);
                    };
                    let replaced = self.replace(at, &live, target, refusal, progress).await?;
                    return Ok((replaced, "replaced"));
                }
                Ok(answer) => {
                    return Ok(match &live {
                        None => (answer, "created"),
                        Some(live) => changed(live, answer),
                    });
                }
            }
        }
    }

    /// Nothing is to be applied server-side: what was applied is applied again, and is as it was; or
    /// an earlier process has applied it.
    pub(super) fn is_as_applied(
        &self,
        at: &Endpoint,
        subject: &Subject,
        target: &Value,
        live: &Value,
    ) -> Result<bool> {
        let previous = subject.previous.as_ref();
        if !self.plan.resumed && previous != Some(&subject.object.value) {
            return Ok(false);
        }
        let previous = previous.filter(|_| self.plan.resumed).unwrap_or(target);
        Ok(three_way(at, previous, target, live)?.is_none())
    }

    async fn send_apply(
        &self,
        at: &Endpoint,
        target: &Value,
        live: Option<&Value>,
    ) -> Result<Value> {
        let manager = live.map_or(merge::HELM, merge::applier);
        if let Some(live) = live
            && let Some(fields) = fields_to_take_over(live)
        {
            self.cluster.put_managed_fields(at, live, fields).await?;
        }
        let how = Applying {
            manager,
            // To correct drift is to take back what somebody else has set.
            force: self.plan.action == Action::CorrectDrift,
            dry_run: false,
            creates: live.is_none(),
        };
        self.cluster.apply(at, target, how).await
    }
}

/// What an earlier revision patched, Helm or this program, would be in the way of what is applied
/// now.
// helm: pkg/kube/client.go upgradeClientSideFieldManager
pub(super) fn fields_to_take_over(live: &Value) -> Option<Value> {
    let manager = merge::applier(live);
    merge::taken_over(live, &[manager, FIELD_MANAGER], manager)
}

fn three_way(
    at: &Endpoint,
    previous: &Value,
    target: &Value,
    live: &Value,
) -> Result<Option<merge::Patch>> {
    merge::three_way(Kind::of(target), Some(previous), target, live).map_err(|source| {
        Error::Merge {
            object: at.object.to_string(),
            source,
        }
    })
}

fn changed(live: &Value, answer: Value) -> (Value, &'static str) {
    let same = answer["metadata"]["resourceVersion"] == live["metadata"]["resourceVersion"];
    (answer, if same { "unchanged" } else { "changed" })
}

/// helm: pkg/kube/client.go isServerSideRetryable, upgradeClientSideFieldManager: two writers of a
/// quota, or of the object. Who owns a field is no race.
fn is_lost_race(error: &Error) -> bool {
    error.is_status(409) || error.is_status(404)
}
