//! What went wrong in a template, with everything that Go's message shows.

use std::fmt;

use super::function::CallError;
use super::quote::quoted;

/// An error of parsing or execution, which displays in Go's words.
///
/// ```text
/// template: NAME:LINE: message                                            parsing
/// template: NAME:LINE:COLUMN: executing "TEMPLATE" at <CONTEXT>: message  executing
/// template: no template "NAME" associated with template "ROOT"            nothing to execute
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[error("{details}")]
pub struct Error {
    details: Box<Details>,
}

/// Which of Go's three errors it is, or that a bound was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no template.
    Parse,
    /// A template failed while it ran: Go's `template.ExecError`.
    Execution,
    /// There is no such template in the set: in Go no `ExecError`.
    NoTemplate,
    /// The execution met one of its [`Limits`](super::Limits); in form an execution error.
    Limit,
}

#[derive(Debug, Clone)]
struct Details {
    kind: ErrorKind,
    template: String,
    file: String,
    line: usize,
    column: usize,
    context: String,
    message: String,
    cause: Option<CallError>,
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            column,
            context,
            message,
            ..
        } = self;
        match self.kind {
            ErrorKind::Parse => write!(f, "template: {file}:{line}: {message}"),
            ErrorKind::NoTemplate => write!(f, "template: {message}"),
            ErrorKind::Execution | ErrorKind::Limit => {
                let name = quoted(self.template.as_bytes());
                write!(
                    f,
                    "template: {file}:{line}:{column}: executing {name} at <{context}>: {message}"
                )
            }
        }
    }
}

/// A place in the text of a template.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// The name under which the text was parsed.
    pub(super) file: String,
    /// From 1.
    pub(super) line: usize,
    /// From 0, in bytes.
    pub(super) column: usize,
}

impl Error {
    pub(super) fn parse(file: &str, line: usize, message: String) -> Self {
        Self::new(Details {
            kind: ErrorKind::Parse,
            template: file.to_owned(),
            file: file.to_owned(),
            line,
            column: 0,
            context: String::new(),
            message,
            cause: None,
        })
    }

    pub(super) fn execution(
        kind: ErrorKind,
        template: &str,
        location: Location,
        context: String,
        message: String,
        cause: Option<CallError>,
    ) -> Self {
        let Location { file, line, column } = location;
        Self::new(Details {
            kind,
            template: template.to_owned(),
            file,
            line,
            column,
            context,
            message,
            cause,
        })
    }

    pub(super) fn no_template(name: &str, root: &str) -> Self {
        let message = format!(
            "no template {} associated with template {}",
            quoted(name.as_bytes()),
            quoted(root.as_bytes())
        );
        Self::new(Details {
            kind: ErrorKind::NoTemplate,
            template: name.to_owned(),
            file: String::new(),
            line: 0,
            column: 0,
            context: String::new(),
            message,
            cause: None,
        })
    }

    fn new(details: Details) -> Self {
        Self {
            details: Box::new(details),
        }
    }

    /// Which of Go's errors it is.
    pub fn kind(&self) -> ErrorKind {
        self.details.kind
    }

    /// The template that was executed (`executing "..."`), or the name that was parsed or missed.
    pub fn template(&self) -> &str {
        &self.details.template
    }

    /// The name under which the text at fault was parsed; empty for [`ErrorKind::NoTemplate`].
    pub fn file(&self) -> &str {
        &self.details.file
    }

    /// The line of the text, from 1; 0 for [`ErrorKind::NoTemplate`].
    pub fn line(&self) -> usize {
        self.details.line
    }

    /// The byte in the line, from 0; always 0 where Go gives none (parsing).
    pub fn column(&self) -> usize {
        self.details.column
    }

    /// The node at fault as Go prints it (`at <...>`); empty but for execution.
    pub fn context(&self) -> &str {
        &self.details.context
    }

    /// What Go says after all of these: `error calling include: ...`, `map has no entry ...`.
    pub fn message(&self) -> &str {
        &self.details.message
    }

    /// The error of the function that failed, and behind it that of the template it executed:
    /// Go's `errors.Unwrap` chain.
    pub fn cause(&self) -> Option<&CallError> {
        self.details.cause.as_ref()
    }
}

impl From<Error> for CallError {
    /// What `include` gives back when its template failed: the same words, and the error itself.
    fn from(error: Error) -> Self {
        Self {
            message: error.to_string(),
            template: Some(Box::new(error)),
        }
    }
}
