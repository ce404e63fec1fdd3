//! The command line, one file per subcommand.
//!
//! In: arguments, files, a kubeconfig. Out: what the library's rooms answer, printed; the exit
//! status says whether it went well. Never: a decision that a room of the library could take.

pub(crate) mod bundle;
pub(crate) mod crd;
mod files;
pub(crate) mod flags;
pub(crate) mod run;
pub(crate) mod template;
