//! The command line, one file per subcommand.
//!
//! In: arguments, files, a kubeconfig. Out: what the library's rooms answer, printed; the exit
//! status says whether it went well. Never: a decision that a room of the library could take.

pub(crate) mod crd;
pub(crate) mod flags;
pub(crate) mod run;
pub(crate) mod template;

/// What the system says, as Go says it.
// go: syscall Errno.Error
fn go_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
