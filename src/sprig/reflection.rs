//! Types and kinds.

use crate::template::compare::deep_equal;
use crate::template::{Function, Text, Value};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        ("typeOf", Function::new(|value: Value| value.type_name())),
        (
            "typeIs",
            Function::new(|wanted: Text, value: Value| *wanted == *value.type_name()),
        ),
        (
            "typeIsLike",
            Function::new(|wanted: Text, value: Value| {
                let found = value.type_name();
                *wanted == *found
                    || found
                        .strip_prefix('*')
                        .is_some_and(|pointed| *wanted == *pointed)
            }),
        ),
        ("kindOf", Function::new(|value: Value| value.kind())),
        (
            "kindIs",
            Function::new(|wanted: Text, value: Value| *wanted == *value.kind()),
        ),
        (
            "deepEqual",
            Function::new(|one: Value, other: Value| deep_equal(&one, &other)),
        ),
    ]
}
