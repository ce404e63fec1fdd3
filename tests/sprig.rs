//! Sprig's functions and Masterminds' versions against what the Go originals answered
//! (tests/oracle/sprig writes the expectations).
#![allow(clippy::unwrap_used)]

mod sprig {
    mod cases;
    mod chance;
    mod versions;
}
