//! The network, as far as someone hands a resolver in.

use std::rc::Rc;

use crate::template::{CallError, Function, Text};

use super::Environment;
use super::random;

pub(super) fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let environment = Rc::clone(environment);
    vec![(
        "getHostByName",
        Function::new(move |name: Text| -> Result<String, CallError> {
            let resolve = environment.resolve_host.as_ref();
            let addresses = resolve
                .map(|resolve| resolve(&name.to_str_lossy()))
                .unwrap_or_default();
            let index = random::below(&environment, addresses.len())?;
            Ok(addresses[index].clone())
        }),
    )]
}
