//! Log lines.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Begins to write log lines to standard error: readable ones on a terminal, JSON elsewhere.
/// `filter` is the default where `RUST_LOG` is not set. A second call has no effect.
pub fn init_logs(filter: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // An error means that a subscriber is there already, which then does this work.
    let _ = if std::io::stderr().is_terminal() {
        lines.compact().with_target(false).try_init()
    } else {
        lines
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .try_init()
    };
}
