//! The objects of a release, as text and as trees.
//!
//! In: rendered files, or the manifest of a stored release. Out: [`Sorted`], hooks apart from the
//! rest and both in Helm's install order, or [`Object`]s with their keys. Never: a cluster, and so
//! never a guess at what only a cluster knows, such as whether a kind is namespaced.
//!
//! The text is Helm's own, kept byte for byte, because it is what a release record stores and what
//! `helm get manifest` shows.

mod head;
pub mod hook;
mod object;
mod order;
mod sort;
mod split;

pub use hook::{DeletePolicy, Execution, Hook, HookEvent, OutputLogPolicy};
pub use object::{Object, ObjectKey, parse};
pub use order::{Order, install_order, uninstall_order};
pub use sort::{Manifest, Sorted, sort};
pub use split::split;

/// Why rendered text is no set of objects.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text of a file is no YAML, or its head is not that of an object. Helm's words.
    #[error("YAML parse error on {path}: {message}")]
    Yaml {
        /// The template that the text comes from.
        path: String,
        /// What is wrong, with the line where the parser knows it.
        message: String,
    },
    /// An object does not say what it is.
    #[error("an object of {path} has no {field}")]
    Missing {
        /// The template that the object comes from.
        path: String,
        /// The field: `apiVersion`, `kind` or `metadata.name`.
        field: &'static str,
    },
}
