//! Defaults, and what counts as empty.

use crate::template::compare::is_true;
use crate::template::{Function, Rest, Value};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        (
            "default",
            Function::new(
                |default: Value, given: Rest<Value>| match given.0.into_iter().next() {
                    Some(given) if !is_empty(&given) => given,
                    _ => default,
                },
            ),
        ),
        ("empty", Function::new(|value: Value| is_empty(&value))),
        (
            "coalesce",
            Function::new(|values: Rest<Value>| {
                values
                    .0
                    .into_iter()
                    .find(|value| !is_empty(value))
                    .unwrap_or_default()
            }),
        ),
        (
            "all",
            Function::new(|values: Rest<Value>| !values.0.iter().any(is_empty)),
        ),
        (
            "any",
            Function::new(|values: Rest<Value>| !values.0.iter().all(is_empty)),
        ),
        (
            "ternary",
            Function::new(|yes: Value, no: Value, truth: bool| if truth { yes } else { no }),
        ),
    ]
}

/// Whether Sprig takes the value for not given: what Go's templates take for false.
// sprig: defaults.go empty
pub(super) fn is_empty(value: &Value) -> bool {
    !is_true(value)
}
