//! No interruption hurts: the controller is killed (SIGKILL) before and after every single write
//! that it sends to the API server, for an install, an upgrade, a failed
//! upgrade with its rollback, an upgrade that replaces what is immutable, one of a release
//! that Helm applied server-side, and an uninstall, all with
//! hooks; it is started again, and must end where it ends without the kill:
//! nothing lost, nothing twice, no hook run twice, no revision too many, nothing pending.
//!
//! The program is the real one, in a process of its own; between it and the API server stands a
//! proxy that counts its writes, and the registry fails every third request. Events are no state, so they are not counted.
//! `PINTLE_KILL_ONLY` takes only the scenarios whose name contains it, and `PINTLE_KILL_AT` only
//! the write of this number. The logs of the program stand with the testbed's.
#![allow(clippy::unwrap_used)]

#[path = "kill/matrix.rs"]
mod matrix;
#[path = "kill/proxy.rs"]
mod proxy;
#[path = "kill/registry.rs"]
mod registry;
#[path = "kill/state.rs"]
mod state;
#[path = "testbed/mod.rs"]
mod testbed;
