//! Helm's storage: one Secret a revision.
//!
//! In: the name of a release, a record. Out: what the labels say of its revisions
//! ([`Storage::revisions`], or [`Storage::recall`] from memory), or a decoded record. `helm list`, `history`, `get` and `rollback` read
//! the same Secrets. Never: a decision about which revision counts (that is `plan` and `release`),
//! and never a log line with a record's contents.

mod error;
mod follow;
mod ledger;
mod secrets;
mod shelf;

pub use error::Error;
pub use secrets::{Revision, Storage};
pub use shelf::Shelf;
