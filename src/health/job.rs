//! Jobs: for kstatus one that has started is as it should be; a hook must have completed.

use serde_json::Value;

use super::read::{Unreadable, conditions, number, text};
use super::{Health, Verdict};

// cli-utils: pkg/kstatus/status/core.go jobConditions
pub(super) fn health(object: &Value) -> Verdict {
    if let Some(end) = end(object)? {
        return Ok(end);
    }
    if text(object, "/status/startTime", "").is_empty() {
        return Ok(Health::in_progress("JobNotStarted", "Job not started"));
    }
    let count = |field| number(object, field, 0);
    let (succeeded, active, failed) = (
        count("/status/succeeded"),
        count("/status/active"),
        count("/status/failed"),
    );
    Ok(Health::current(format!(
        "Job in progress. success:{succeeded}, active: {active}, failed: {failed}"
    )))
}

// helm: internal/statusreaders/job_status_reader.go jobConditions
pub(super) fn completion(object: &Value) -> Verdict {
    Ok(end(object)?.unwrap_or_else(|| Health::in_progress("JobInProgress", "Job in progress")))
}

/// How the Job ended, if it has.
fn end(object: &Value) -> Result<Option<Health>, Unreadable> {
    let parallelism = number(object, "/spec/parallelism", 1);
    let completions = number(object, "/spec/completions", parallelism);
    for condition in conditions(object)? {
        if condition.is("Complete", "True") {
            let succeeded = number(object, "/status/succeeded", 0);
            return Ok(Some(Health::current(format!(
                "Job Completed. succeeded: {succeeded}/{completions}"
            ))));
        }
        if condition.is("Failed", "True") {
            let failed = number(object, "/status/failed", 0);
            return Ok(Some(Health::failed(
                "JobFailed",
                format!("Job Failed. failed: {failed}/{completions}"),
            )));
        }
    }
    Ok(None)
}
