//! What goes wrong with YAML, in the words of sigs.k8s.io/yaml and go-yaml.

/// Why YAML could not be read or written.
///
/// Each message is, word for word, what Helm's YAML library says of the same input, without a
/// trailing newline. Messages may quote the document: treat them as values, not as log lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no YAML, or a construct that go-yaml refuses while it decodes.
    #[error("error converting YAML to JSON: yaml: {}{problem}", place(.line))]
    Syntax {
        /// The line that go-yaml names, if it names one. Parser problems name the line before
        /// the one at fault, and nothing on the first line is numbered: so does go-yaml.
        line: Option<usize>,
        /// What is wrong there.
        problem: String,
    },

    /// Keys that occur twice in one mapping, found by strict reading.
    #[error("error converting YAML to JSON: yaml: unmarshal errors:\n  {}", .findings.join("\n  "))]
    Duplicates {
        /// The 1-based line of the first repeated key's value.
        line: usize,
        /// One finding for each repetition, with its own line number.
        findings: Vec<String>,
    },

    /// YAML that JSON cannot express: a key that is no scalar JSON knows, or a number that is not finite.
    #[error("error converting YAML to JSON: {problem}")]
    Inexpressible {
        /// What JSON cannot express.
        problem: String,
    },

    /// A document of another kind than what was to be read.
    #[error(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type {wanted}"
    )]
    Mismatch {
        /// JSON's word for what the document is.
        found: &'static str,
        /// Go's type of what was to be read.
        wanted: &'static str,
    },

    /// A line that begins with `---` and goes on with something else than a comment.
    #[error("invalid Yaml document separator: {rest}")]
    Separator {
        /// The 1-based line in the stream.
        line: usize,
        /// What stands behind the dashes.
        rest: String,
    },

    /// A value that Go's JSON encoder refuses.
    #[error("error marshaling into JSON: {problem}")]
    Marshal {
        /// What the encoder says.
        problem: String,
    },

    /// A value whose JSON text go-yaml does not read back, so that it cannot be written.
    #[error("yaml: {}{problem}", place(.line))]
    Unwritable {
        /// The line that go-yaml names, if it names one.
        line: Option<usize>,
        /// What is wrong with the text.
        problem: String,
    },
}

impl Error {
    /// The line the message names, counted as the message counts it.
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Syntax { line, .. } | Self::Unwritable { line, .. } => *line,
            Self::Duplicates { line, .. } | Self::Separator { line, .. } => Some(*line),
            Self::Inexpressible { .. } | Self::Mismatch { .. } | Self::Marshal { .. } => None,
        }
    }
}

impl serde::ser::Error for Error {
    fn custom<T: std::fmt::Display>(problem: T) -> Self {
        Self::Marshal {
            problem: problem.to_string(),
        }
    }
}

/// A problem that go-yaml reports as `yaml: [line N: ]problem`, before anyone says what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: Option<usize>,
    pub(super) problem: String,
}

impl Fault {
    /// A problem without a place: those of the byte reader and of the decoder.
    pub(super) fn bare(problem: impl Into<String>) -> Self {
        Self {
            line: None,
            problem: problem.into(),
        }
    }

    /// A problem of the scanner at a 0-based line, or of the parser (which does not add one).
    ///
    /// go-yaml: decode.go fail: line zero counts as "no line".
    pub(super) fn at(line: usize, offset: usize, problem: impl Into<String>) -> Self {
        let line = if line == 0 { None } else { Some(line + offset) };
        Self {
            line,
            problem: problem.into(),
        }
    }
}

impl From<Fault> for Error {
    fn from(Fault { line, problem }: Fault) -> Self {
        Self::Syntax { line, problem }
    }
}

fn place(line: &Option<usize>) -> String {
    line.map(|line| format!("line {line}: "))
        .unwrap_or_default()
}
