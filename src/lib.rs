//! Pintle keeps Helm releases as declared.
//!
//! The rooms stand in the order of a release's journey; `ARCHITECTURE.md` draws it.
//! Pure rooms know nothing of the cluster, the clock, the network or the disk;
//! `tests/direction.rs` checks which room may use which.
//!
//! A room is pure unless it says otherwise here: `clippy.toml` lists what only the others may
//! touch.
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod api;
pub mod plan;

#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod source;

pub mod bundle;
pub mod chart;
pub mod images;
pub mod semver;
pub mod yaml;

pub mod render;
pub mod sprig;
pub mod template;

pub mod health;
pub mod manifest;
pub mod merge;
pub mod release;

#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod cluster;
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod controller;
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod storage;
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod telemetry;
#[allow(clippy::disallowed_methods, clippy::disallowed_types)]
pub mod watch;
