//! The turn: what a HelmRelease declares is made true, and what was found is said.
//!
//! In: events on HelmReleases and on the objects of their releases. Out: each turn runs the
//! stages once (resolve, observe, decide, act, conclude) and writes one status. Errors become
//! conditions here and nowhere else; `conclude` alone writes them. Never: an
//! object of a chart (that is `cluster`), or a decision that `plan` could take without a client.

mod act;
mod chart;
mod conclude;
mod context;
mod error;
mod found;
mod holder;
mod namespaces;
mod observe;
mod publish;
mod reconcile;
mod run;
mod values;
mod watches;

pub use chart::reference;
pub use context::{Context, Settings};
pub use error::{Error, ReferenceError, Retry};
pub use holder::Holder;
pub use run::{RunError, run};
pub use values::{resolve, trusted};
