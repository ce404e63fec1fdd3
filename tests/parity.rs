//! The same deeds through `helm` and through a HelmRelease leave the same cluster and the same
//! records.
//!
//! Each scenario of `parity/scenarios.yaml` is played twice on one testbed, in two namespaces: by
//! the real helm, and by the controller. After each step everything in the two is compared, and
//! what differs must stand in the scenario, with the row of COMPATIBILITY.md that says why; what
//! stands there and does not differ fails, too. `PINTLE_PARITY_ONLY` takes only the scenarios
//! whose name contains it.
#![allow(clippy::unwrap_used)]

#[path = "parity/difference.rs"]
mod difference;
#[path = "parity/ground.rs"]
mod ground;
#[path = "parity/play.rs"]
mod play;
#[path = "parity/scenario.rs"]
mod scenario;
#[path = "parity/state.rs"]
mod state;
#[path = "testbed/mod.rs"]
mod testbed;
