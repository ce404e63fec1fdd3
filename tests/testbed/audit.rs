//! Who asked the API server for what.
//!
//! In: the API server's audit log. Out: its requests by one client. Never: the content of
//! requests, which the audit policy leaves out.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// One request to the API server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// As RBAC names it: `get`, `list`, `watch`, `create`, `patch`, ...
    pub(crate) verb: String,
    /// The path with its query.
    pub(crate) uri: String,
    /// The HTTP status; 0 if the log has none.
    pub(crate) status: u64,
    pub(crate) user_agent: String,
}

pub(crate) fn requests_by(
    log: Option<&Path>,
    user_agent_prefix: &str,
) -> anyhow::Result<Vec<Request>> {
    let log =
        log.context("count API requests: this testbed was started without StartOptions::audit")?;
    let text = std::fs::read_to_string(log)
        .with_context(|| format!("read the API server's audit log {}", log.display()))?;
    let mut seen = HashSet::new();
    let mut requests = Vec::new();
    for line in text.lines() {
        // The last line may be half written.
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let field = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let user_agent = field("userAgent");
        // A watch is written when it begins and once more when it ends.
        if user_agent.starts_with(user_agent_prefix) && seen.insert(field("auditID")) {
            requests.push(Request {
                verb: field("verb"),
                uri: field("requestURI"),
                status: event["responseStatus"]["code"].as_u64().unwrap_or_default(),
                user_agent,
            });
        }
    }
    Ok(requests)
}
