//! The cluster: the only room that changes a chart's objects.
//!
//! In: a [`Plan`](crate::plan::Plan) and the record that it makes. Out: an [`Outcome`]: it
//! succeeded, it failed (a fact to be recorded, with the object at fault), or it was interrupted
//! by a newer wish. Before the plan there is [`Cluster::ensure_crds`], because Helm installs
//! definitions before it renders, and [`Cluster::capabilities`], which rendering asks for.
//! Never: a decision about the release (that is `plan`), a condition or an event (that is
//! `controller`), or a write to an object without having read or created it in the same step.

mod autoscaler;
mod connection;
mod crds;
mod culprit;
mod discovery;
mod drift;
mod error;
mod execute;
mod hook;
mod kinds;
mod live;
mod lookup;
mod namespace;
mod permit;
mod wait;

pub use connection::connect;
pub use culprit::{Culprit, Printed};
pub use drift::ObjectDrift;
pub use error::{Error, Result};
pub use execute::{Execution, Failure, Outcome};
pub use kinds::{Capabilities, Kinds};
pub use live::{Applying, Cluster, Endpoint};
pub use lookup::ClusterLookup;
pub use permit::{Permit, Place, Places};
pub use wait::Unready;

/// The name under which this program's changes stand in an object's `managedFields`.
pub const FIELD_MANAGER: &str = "pintle";
