//! The chart room against Helm 4.3.1: every expectation was written by `tests/oracle/chart`.

#![allow(clippy::unwrap_used, missing_docs)]

#[path = "chart/archives.rs"]
mod archives;
#[path = "chart/bounds.rs"]
mod bounds;
#[path = "chart/cases.rs"]
mod cases;
#[path = "chart/corpus.rs"]
mod corpus;
#[path = "chart/ignore.rs"]
mod ignore;
#[path = "chart/lines.rs"]
mod lines;
#[path = "chart/outcome.rs"]
mod outcome;
#[path = "chart/random.rs"]
mod random;
#[path = "chart/record.rs"]
mod record;
#[path = "chart/schemas.rs"]
mod schemas;
