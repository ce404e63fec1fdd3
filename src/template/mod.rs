//! Go's text/template.
//!
//! In: template texts under names, the functions that they may call, and the [`Value`] they are
//! executed on. Out: the text they print, or an [`Error`] that says which template, line, column
//! and call chain failed, in Go's words. Never: a file, a clock, a network, randomness, or any
//! knowledge of Helm; whatever of these a template needs comes in as a [`Function`].
//!
//! An execution is bounded by [`Limits`]: steps, bytes, depth. It takes the stack that
//! [`Limits::stack`] names, on a thread that the caller provides.
//!
//! Different from Go, and not to be had with these [`Value`]s: complex constants are refused when
//! they are evaluated; the capacity of a slice is its length, which only `slice` beyond the length
//! can tell; addresses (`%p`) are always the same; parentheses and control structures nest 1,000
//! deep, templates as deep as the limits say.
//!
//! The division into files and their names are Go's own (`lex`, `parse`, `node`, `exec`, ...), so
//! that every branch can be held against text/template's.

mod builtins;
pub mod compare;
pub mod error;
pub mod exec;
pub mod function;
mod functions;
mod lex;
mod node;
mod number;
mod parse;
pub mod print;
pub mod quote;
pub mod rune;
mod set;
pub mod text;
mod unicode;
pub mod value;

pub use compare::{deep_equal, is_true};
pub use error::{Error, ErrorKind};
pub use exec::{Limits, Machine, MissingKey};
pub use function::{CallError, Function, Rest};
pub use functions::Functions;
pub use set::{Template, Templates};
pub use text::Text;
pub use value::{FloatKind, IntKind, List, Map, Object, Type, UintKind, Value};
