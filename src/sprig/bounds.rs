//! How much one call may make, and what it costs: Go would take whatever memory and time a template
//! asks for, and die of it.

use std::rc::Rc;

use crate::template::{CallError, Function, Value};

/// The longest text that one call makes, in bytes.
const LONGEST_TEXT: usize = 256 << 20;
/// The most items that one call makes.
const MOST_ITEMS: usize = 4 << 20;
/// How deep maps and lists can be nested in each other where a function walks them.
pub(super) const DEEPEST: usize = 1_000;

/// Refuses a text that would be too long.
pub(super) fn text(length: usize) -> Result<(), CallError> {
    match length {
        ..=LONGEST_TEXT => Ok(()),
        _ => Err(CallError::new(format!(
            "a text of {length} bytes is longer than allowed ({LONGEST_TEXT})"
        ))),
    }
}

/// Refuses a list that would have too many items.
pub(super) fn items(count: usize) -> Result<(), CallError> {
    match count {
        ..=MOST_ITEMS => Ok(()),
        _ => Err(CallError::new(format!(
            "a list of {count} items is longer than allowed ({MOST_ITEMS})"
        ))),
    }
}

/// Refuses to go deeper than [`DEEPEST`].
pub(super) fn depth(depth: usize) -> Result<(), CallError> {
    match depth {
        ..=DEEPEST => Ok(()),
        _ => Err(CallError::new(format!(
            "a value is nested deeper than allowed ({DEEPEST})"
        ))),
    }
}

/// A function that pays for its work out of the steps of the execution.
pub(super) fn metered(name: &str, function: Function) -> Function {
    let body = Rc::clone(&function.body);
    let fixed = fixed_cost(name);
    Function {
        body: Rc::new(move |machine, values| {
            machine.spend(fixed + values.iter().map(size_cost).sum::<u64>())?;
            let result = body(machine, values)?;
            machine.spend(size_cost(&result))?;
            Ok(result)
        }),
        ..function
    }
}

/// What a call costs whatever its arguments are, in steps of some hundred nanoseconds.
fn fixed_cost(name: &str) -> u64 {
    match name {
        "genCA" | "genSelfSignedCert" | "genSignedCert" => 2_000_000,
        "bcrypt" | "htpasswd" | "derivePassword" => 500_000,
        "genCAWithKey" | "genSelfSignedCertWithKey" | "genSignedCertWithKey" => 20_000,
        _ => 0,
    }
}

/// What it costs to go over a value once.
fn size_cost(value: &Value) -> u64 {
    const BYTES_A_STEP: usize = 64;
    let steps = match value {
        Value::String(text) => text.len() / BYTES_A_STEP,
        Value::Bytes(bytes) => bytes.len() / BYTES_A_STEP,
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        _ => 0,
    };
    steps as u64
}
