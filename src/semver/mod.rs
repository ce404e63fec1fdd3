//! Semantic versions and version constraints, as Masterminds/semver v3.5.0 understands them.
//!
//! In: the text of a version (`v1.27.4-gke.900`) or of a constraint (`>=1.20.0-0 <2 || ^3.1`).
//! Out: a [`Version`], which is ordered by precedence, and a [`Constraint`] that a version is
//! checked against, or an [`Error`] in Go's words. Never: a file, a clock or a network.
//!
//! Helm decides `kubeVersion`, the versions of dependencies and `semverCompare` with it, and its
//! rules are its own: `1.2` is a version, `~1` and `1.x` are the same, a constraint that names no
//! pre-release matches none, and `>=1.0.0-0` is true for every later version, pre-release or not.

mod constraint;
mod scan;
mod version;

pub use constraint::Constraint;
pub use version::{Error, Version};
