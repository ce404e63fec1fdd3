//! PersistentVolumeClaims: bound, or not yet.

use serde_json::Value;

use super::Health;
use super::read::text;

// cli-utils: pkg/kstatus/status/core.go pvcConditions
pub(super) fn health(object: &Value) -> Health {
    match text(object, "/status/phase", "unknown") {
        "Bound" => Health::current("PVC is Bound"),
        phase => Health::in_progress("NotBound", format!("PVC is not Bound. phase: {phase}")),
    }
}
