//! Services: only a load balancer has something to wait for, and that is its cluster address.

use serde_json::Value;

use super::Health;
use super::read::text;

// cli-utils: pkg/kstatus/status/core.go serviceConditions
pub(super) fn health(object: &Value) -> Health {
    let load_balancer = text(object, "/spec/type", "ClusterIP") == "LoadBalancer";
    if load_balancer && text(object, "/spec/clusterIP", "").is_empty() {
        Health::in_progress(
            "NoIPAssigned",
            "ClusterIP not set. Service type: LoadBalancer",
        )
    } else {
        Health::current("Service is ready")
    }
}
