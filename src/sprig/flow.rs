//! Flow control.

use crate::template::{CallError, Function, Text};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![(
        "fail",
        Function::new(|message: Text| -> Result<Text, CallError> {
            Err(CallError::new(message.to_str_lossy()))
        }),
    )]
}
