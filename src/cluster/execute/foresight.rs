//! The step that tries the changes of an upgrade before any of them is made.
//!
//! In: the objects that the release has and shall have. Out: each as it was read, for the step that
//! changes it, and which of them are to be replaced. Never: a change. What is refused here ends the
//! upgrade: an immutable field, and server-side a field that somebody else manages. Whatever else the
//! API server says to a dry run may depend on other objects of the release (a definition, a policy),
//! or on a webhook that takes no dry runs, and is left to the change itself.

use futures::future::try_join_all;
use serde_json::Value;

use super::apply::fields_to_take_over;
use super::replace::is_about_immutable;
use super::{Execution, Progress};
use crate::cluster::error::{Error, Result};
use crate::cluster::live::{Applying, Endpoint};
use crate::manifest::ObjectKey;
use crate::merge;
use crate::plan::{Step, Subject};

/// How many objects are tried at once.
const AT_ONCE: usize = 8;

/// What was found out about one object.
struct Tried {
    object: ObjectKey,
    live: Option<Value>,
    replaceable: bool,
}

impl Execution<'_> {
    pub(super) async fn try_changes(&self, progress: &mut Progress) -> Result<()> {
        let subjects = progress.ahead.iter().filter_map(|step| match step {
            // What the plan's own definitions will say is not known yet.
            Step::Apply(subject) if progress.will_define(&subject.object.key) => None,
            Step::Apply(subject) if subject.previous.is_some() => Some(subject),
            _ => None,
        });
        let subjects: Vec<&Subject> = subjects.collect();
        let mut tried = Vec::new();
        for subjects in subjects.chunks(AT_ONCE) {
            let subjects = subjects.iter().map(|subject| self.try_change(subject));
            tried.extend(try_join_all(subjects).await?);
        }
        for Tried {
            object,
            live,
            replaceable,
        } in tried.into_iter().flatten()
        {
            if replaceable {
                progress.replaceable.insert(object.clone());
            }
            progress.seen.insert(object, live);
        }
        Ok(())
    }

    async fn try_change(&self, subject: &Subject) -> Result<Option<Tried>> {
        let key = &subject.object.key;
        if key.name.is_empty() {
            return Ok(None);
        }
        let at = self.endpoint(key).await?;
        let Some(live) = self.cluster.get(&at).await? else {
            return Ok(Some(Tried {
                object: key.clone(),
                live: None,
                replaceable: false,
            }));
        };
        let refusal = match self.dry_run(&at, subject, &live).await {
            Ok(()) => None,
            Err(error) if error.is_transient() => return Err(error),
            Err(refusal @ Error::Conflict { .. }) => return Err(refusal),
            Err(refusal) => Some(refusal).filter(is_about_immutable),
        };
        let replaceable = refusal.is_some();
        if let Some(refusal) = refusal {
            self.may_replace(&at, &live, &subject.object.value, refusal)
                .await
                .map_err(ended)?;
        }
        Ok(Some(Tried {
            object: key.clone(),
            live: Some(live),
            replaceable,
        }))
    }

    /// What the change would be answered with; nothing is sent where there is none.
    async fn dry_run(&self, at: &Endpoint, subject: &Subject, live: &Value) -> Result<()> {
        let Some(target) = &self.wanted(at, subject, live).await? else {
            return Ok(());
        };
        if !self.record.is_server_side() {
            if let Some(patch) = self.difference(at, subject, target, live)? {
                self.cluster.try_patch(at, &patch).await?;
            }
            return Ok(());
        }
        if self.is_as_applied(at, subject, target, live)? {
            return Ok(());
        }
        let how = Applying {
            manager: merge::applier(live),
            // Nobody knows whose fields they are before those are taken over that are ours.
            force: fields_to_take_over(live).is_some(),
            dry_run: true,
            creates: false,
        };
        self.cluster.apply(at, target, how).await?;
        Ok(())
    }
}

/// The refusal as the end of the upgrade, which the same inputs cannot get past.
fn ended(refusal: Error) -> Error {
    match refusal {
        Error::Refused {
            object, message, ..
        } => Error::Immutable { object, message },
        other => other,
    }
}
