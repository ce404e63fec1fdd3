//! Behaviour on a real control plane, one file for each.

#[path = "../testbed/mod.rs"]
mod testbed;

mod stage;

mod bad_input;
mod capabilities;
mod control_plane;
mod culprits;
mod definitions;
mod drift;
mod git;
mod guard;
mod images;
mod immutable;
mod install;
mod install_chart;
mod interop;
mod large;
mod nothing_left_behind;
mod observability;
mod outage;
mod randomness;
mod real_charts;
mod restart;
mod server_side;
mod signed;
mod source;
mod template;
mod throttled;
mod traffic;
mod upgrade;
