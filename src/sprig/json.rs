//! JSON as Go's encoding/json reads and writes it, for Sprig and for Helm's own functions.

mod data;
mod decode;
mod encode;

pub use data::Data;
pub use decode::{decode, decode_what_fits};
pub use encode::{Form, encode};

use crate::template::{CallError, Function, Text, Value};

/// Sprig's functions. Helm puts its own in the place of some of them.
pub(super) fn functions() -> Vec<(&'static str, Function)> {
    let lenient = |form: Form| {
        Function::new(move |value: Value| Text::from(encode(&value, form).unwrap_or_default()))
    };
    let strict = |form: Form| {
        Function::new(move |value: Value| -> Result<Text, CallError> {
            encode(&value, form).map(Text::from)
        })
    };
    vec![
        ("toJson", lenient(Form::Html)),
        ("toPrettyJson", lenient(Form::Pretty)),
        // Go panics with the error, where the other two swallow it.
        ("toRawJson", strict(Form::Raw)),
        ("mustToJson", strict(Form::Html)),
        ("mustToPrettyJson", strict(Form::Pretty)),
        ("mustToRawJson", strict(Form::Raw)),
        (
            "fromJson",
            Function::new(|text: Text| decode_what_fits(&text).0),
        ),
        ("mustFromJson", Function::new(|text: Text| decode(&text))),
    ]
}
