//! The names that a template can call.

use std::collections::HashMap;
use std::rc::Rc;

use super::builtins::Builtin;
use super::function::Function;

/// What a function's name stands for in a parsed tree.
#[derive(Debug, Clone)]
pub(super) enum Callee {
    Builtin(Builtin),
    Function(Rc<Function>),
}

/// Function names and what they call, and the methods of named map types.
#[derive(Debug, Clone)]
pub struct Functions {
    callees: HashMap<Box<str>, Callee>,
    /// Few types have any, with few methods.
    methods: Vec<Method>,
}

/// A method of the maps of a named type.
#[derive(Debug, Clone)]
struct Method {
    type_name: &'static str,
    name: Box<[u8]>,
    function: Rc<Function>,
}

impl Functions {
    /// Go's own functions (`and`, `printf`, `index`, ...) and nothing else.
    pub fn builtin() -> Self {
        let builtins = Builtin::ALL
            .iter()
            .map(|&(name, builtin)| (Box::from(name), Callee::Builtin(builtin)));
        Self {
            callees: builtins.collect(),
            methods: Vec::new(),
        }
    }

    /// Adds a function, or replaces the one of this name.
    pub fn insert(&mut self, name: &str, function: Function) {
        self.callees
            .insert(Box::from(name), Callee::Function(Rc::new(function)));
    }

    /// Adds a method to the maps or objects of a named type, such as `Table` of `common.Values`. Its
    /// parameters are those without the receiver; its body gets the receiver as its first value.
    pub fn insert_method(&mut self, type_name: &'static str, name: &str, method: Function) {
        self.methods.push(Method {
            type_name,
            name: Box::from(name.as_bytes()),
            function: Rc::new(method),
        });
    }

    /// Whether there is a function of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.callees.contains_key(name)
    }

    pub(super) fn callee(&self, name: &[u8]) -> Option<&Callee> {
        self.callees.get(std::str::from_utf8(name).ok()?)
    }

    pub(super) fn method(&self, type_name: &str, name: &[u8]) -> Option<&Rc<Function>> {
        // Go sees exported methods only.
        if !name.first().is_some_and(u8::is_ascii_uppercase) {
            return None;
        }
        let wanted = |method: &&Method| method.type_name == type_name && *method.name == *name;
        self.methods
            .iter()
            .find(wanted)
            .map(|method| &method.function)
    }
}
