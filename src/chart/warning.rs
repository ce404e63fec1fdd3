//! What Helm says on standard error while it goes on.

use std::fmt;

use super::quote;

/// How much a [`Warning`] matters to Helm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What Helm tells with `--debug` alone.
    Debug,
    /// A remark.
    Info,
    /// A warning.
    Warn,
    /// What Helm says of an error before it gives up.
    Error,
}

/// One line for standard error. Shows itself as Helm's logger writes it:
/// `level=WARN msg="returned non-bool value" path=a.enabled chart=a`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How much it matters.
    pub level: Level,
    /// What it says.
    pub message: String,
    /// What it is about, by name.
    pub attributes: Vec<(&'static str, String)>,
}

impl Warning {
    /// A line that Helm writes with `--debug` alone.
    pub fn debug(message: impl Into<String>) -> Self {
        Self {
            level: Level::Debug,
            message: message.into(),
            attributes: Vec::new(),
        }
    }

    /// A line that Helm writes through Go's `log`, which its logger takes for a remark.
    pub fn info(message: impl Into<String>) -> Self {
        Self {
            level: Level::Info,
            message: message.into(),
            attributes: Vec::new(),
        }
    }

    /// A warning.
    pub fn warn(message: impl Into<String>) -> Self {
        Self {
            level: Level::Warn,
            message: message.into(),
            attributes: Vec::new(),
        }
    }

    /// The line about an error that the command then ends with.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            message: message.into(),
            attributes: Vec::new(),
        }
    }

    /// The same line with one more attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }
}

// go: log/slog TextHandler, without the time, as helm: internal/logging sets it up
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        };
        write!(f, "level={level} msg=")?;
        write_text(f, &self.message)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}=")?;
            write_text(f, value)?;
        }
        Ok(())
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if needs_quotes(text) {
        f.write_str(&quote::quote(text))
    } else {
        f.write_str(text)
    }
}

// go: log/slog needsQuoting
fn needs_quotes(text: &str) -> bool {
    text.is_empty()
        || text.chars().any(|c| {
            if c.is_ascii() {
                c == '"' || c == '=' || c <= ' ' || c == '\x7f'
            } else {
                c == char::REPLACEMENT_CHARACTER || quote::is_space(c) || !quote::is_print(c)
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_written_as_helm_writes_it() {
        let line = Warning::warn("ImportValues missing table from chart")
            .with("chart", "a")
            .with("error", "\"x\" is not a table");
        assert_eq!(
            line.to_string(),
            r#"level=WARN msg="ImportValues missing table from chart" chart=a error="\"x\" is not a table""#
        );
    }
}
