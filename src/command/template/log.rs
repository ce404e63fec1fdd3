//! Standard error, as Helm's logger writes on it.

use pintle::chart::{Level, Warning};

/// What is told of, and what is not.
// helm: internal/logging/logging.go
#[derive(Clone, Copy)]
pub(super) struct Log {
    debug: bool,
}

impl Log {
    pub(super) fn new(debug: bool) -> Self {
        Self { debug }
    }

    pub(super) fn say(self, lines: &[Warning]) {
        for line in lines {
            if self.debug || line.level != Level::Debug {
                eprintln!("{line}");
            }
        }
    }

    /// A line for `--debug` alone.
    pub(super) fn debug(self, message: &str, attributes: &[(&'static str, &str)]) {
        if self.debug {
            let line = attributes
                .iter()
                .fold(Warning::debug(message), |line, (name, value)| {
                    line.with(name, *value)
                });
            eprintln!("{line}");
        }
    }
}
