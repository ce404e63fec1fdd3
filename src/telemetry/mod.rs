//! What the program tells about itself: log lines, metrics, and whether it lives and is ready.
//!
//! In: facts from the controller, by closed enums. Out: log lines on standard error (JSON where
//! no terminal is), `/metrics` for Prometheus, `/healthz` and `/readyz`. Never: a value of a
//! Secret or of `.Values`, a label value that is not from a closed enum (names aside), or a
//! decision.

mod logs;
mod metrics;
mod server;

pub use logs::init_logs;
pub use metrics::Metrics;
pub use server::{Readiness, ServeError, serve};
