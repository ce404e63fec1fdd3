//! CustomResourceDefinitions: established, unless their names are taken.

use serde_json::Value;

use super::read::conditions;
use super::{Health, Verdict};

// cli-utils: pkg/kstatus/status/core.go crdConditions
pub(super) fn health(object: &Value) -> Verdict {
    for condition in conditions(object)? {
        let refused = condition.is("NamesAccepted", "False")
            || condition.is("Established", "False") && condition.reason != "Installing";
        if refused {
            return Ok(Health::failed(condition.reason, condition.message));
        }
        if condition.is("Established", "True") {
            return Ok(Health::current("CRD is established"));
        }
    }
    Ok(Health::in_progress("Installing", "Install in progress"))
}
