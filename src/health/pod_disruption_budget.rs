//! PodDisruptionBudgets: once their generation is observed, there is nothing left to wait for.

use super::Health;

// cli-utils: pkg/kstatus/status/core.go pdbConditions
pub(super) fn health() -> Health {
    Health::current("AllowedDisruptions has been computed.")
}
