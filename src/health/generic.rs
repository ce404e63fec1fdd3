//! The rules for objects of any kind.

use serde_json::Value;

use super::read::{Unreadable, conditions, kind, strict};
use super::{Health, Status, Verdict};

/// What can be said before looking at the kind.
// cli-utils: pkg/kstatus/status/generic.go checkGenericProperties
pub(super) fn before_kind(object: &Value) -> Result<Option<Health>, Unreadable> {
    let deleted = strict(object, ("metadata", "deletionTimestamp"), Value::as_str)?;
    if deleted.is_some_and(|timestamp| !timestamp.is_empty()) {
        return Ok(Some(Health::new(
            Status::Terminating,
            "",
            "Resource scheduled for deletion",
        )));
    }
    if let Some(behind) = generation(object)? {
        return Ok(Some(behind));
    }
    for condition in conditions(object)? {
        if condition.is("Reconciling", "True") {
            return Ok(Some(Health::in_progress(
                condition.reason,
                condition.message,
            )));
        }
        if condition.is("Stalled", "True") {
            return Ok(Some(Health::failed(condition.reason, condition.message)));
        }
    }
    Ok(None)
}

// cli-utils: pkg/kstatus/status/generic.go checkGeneration
fn generation(object: &Value) -> Result<Option<Health>, Unreadable> {
    let Some(wanted) = strict(object, ("metadata", "generation"), Value::as_i64)? else {
        return Ok(None);
    };
    let observed = strict(object, ("status", "observedGeneration"), Value::as_i64)?;
    Ok(observed
        .filter(|observed| *observed != wanted)
        .map(|observed| {
            let message = format!(
                "{} generation is {wanted}, but latest observed generation is {observed}",
                kind(object)
            );
            Health::in_progress("LatestGenerationNotObserved", message)
        }))
}

/// The last resort, for kinds without rules of their own.
// cli-utils: pkg/kstatus/status/status.go checkReadyCondition
pub(super) fn by_ready_condition(object: &Value) -> Verdict {
    for condition in conditions(object)?
        .iter()
        .filter(|condition| condition.kind == "Ready")
    {
        match condition.status {
            "True" => return Ok(Health::current("Resource is Ready")),
            "False" | "Unknown" => {
                return Ok(Health::in_progress(condition.reason, condition.message));
            }
            _ => {}
        }
    }
    Ok(Health::current("Resource is current"))
}
