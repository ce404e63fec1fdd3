//! What is wrong with a command line, in the words of pflag and cobra.

use super::value::{go_quoted, go_quoted_letter};

/// Why flags could not be read.
// pflag: errors.go
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Error {
    /// Help is wanted where no flag of that name is known yet.
    // pflag: ErrHelp
    #[error("pflag: help requested")]
    Help,
    #[error("bad flag syntax: {0}")]
    Syntax(String),
    #[error("unknown flag: --{0}")]
    Unknown(String),
    #[error("unknown shorthand flag: {} in -{letters}", go_quoted_letter(*letter))]
    UnknownLetter { letter: u8, letters: String },
    #[error("flag needs an argument: --{0}")]
    Missing(String),
    #[error("flag needs an argument: {} in -{letters}", go_quoted_letter(*letter))]
    MissingLetter { letter: u8, letters: String },
    #[error(
        "invalid argument {} for {} flag: {reason}",
        go_quoted(value),
        go_quoted(flag)
    )]
    Invalid {
        value: String,
        flag: String,
        reason: String,
    },
    #[error(
        "if any flags in the group [{group}] are set none of the others can be; [{given}] were all set"
    )]
    Exclusive { group: String, given: String },
}
