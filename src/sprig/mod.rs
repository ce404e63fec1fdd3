//! Sprig v3.3.0: the functions that every chart calls.
//!
//! In: an [`Environment`], which holds everything that does not follow from a template's values:
//! the clock, the time zone, randomness and the resolver of host names. Out: each function under
//! its name, with Go's signature, Go's results and Go's errors. Never: a clock, a random number, a
//! file or a network beside what the environment hands in.
//!
//! One file holds one group of Sprig's documentation. Where Go panics and text/template turns that
//! into an error, the function returns the error, in the same words. `env` and `expandenv` are
//! left out, as Helm leaves them out.

mod addresses;
mod bounds;
mod casing;
mod cast;
mod crypto;
pub mod dates;
mod decimal;
mod defaults;
mod dicts;
mod encoding;
mod flow;
pub mod json;
mod lists;
mod merge;
mod network;
mod numeric;
mod paths;
mod random;
mod reflection;
mod regex;
mod runes;
mod semver;
mod strings;
pub mod urls;
mod wrapping;

pub use cast::parse_float;

use std::cell::RefCell;
use std::rc::Rc;

use crate::template::{Function, Value};

/// Fills a buffer with random bytes.
pub type RandomBytes = dyn FnMut(&mut [u8]);
/// The addresses of a host name; none if it cannot be resolved.
pub type ResolveHost = dyn Fn(&str) -> Vec<String>;

/// Is told a function's name and its arguments.
pub type CallTold = dyn Fn(&'static str, &[Value]);

/// What the functions know of the world.
pub struct Environment {
    /// The time.
    pub now: Box<dyn Fn() -> jiff::Timestamp>,
    /// The zone that dates are shown in where none is named.
    pub time_zone: jiff::tz::TimeZone,
    /// The source of randomness: passwords and keys are made of it, so it must be one that is fit
    /// for them.
    pub random: RefCell<Box<RandomBytes>>,
    /// What lets the randomness follow from the call that draws it; without it, each draw stands
    /// for itself.
    pub keyed: Option<Keyed>,
    /// What `getHostByName` asks; without it, no host has an address.
    pub resolve_host: Option<Box<ResolveHost>>,
}

/// Randomness that follows from the calls that draw it.
pub struct Keyed {
    /// Told of each call of a function that may draw, before it does: its name and its arguments.
    pub call: Box<CallTold>,
    /// When a certificate begins that is valid for so many nanoseconds. Asked before anything is
    /// drawn for the certificate.
    pub begin: Box<dyn Fn(i64) -> jiff::Timestamp>,
}

impl Environment {
    fn fill(&self, buffer: &mut [u8]) {
        (self.random.borrow_mut())(buffer);
    }

    /// When a certificate begins that is valid for so many nanoseconds.
    fn begin_certificate(&self, validity: i64) -> jiff::Timestamp {
        match &self.keyed {
            Some(keyed) => (keyed.begin)(validity),
            None => (self.now)(),
        }
    }
}

/// A function whose calls are told to what keys the randomness.
fn told(environment: &Rc<Environment>, name: &'static str, function: Function) -> Function {
    let environment = Rc::clone(environment);
    let body = Rc::clone(&function.body);
    Function {
        body: Rc::new(move |machine, values| {
            if let Some(keyed) = &environment.keyed {
                (keyed.call)(name, values);
            }
            body(machine, values)
        }),
        ..function
    }
}

/// Methods of the values that the functions give, which want to know of the world: the type, the
/// name, and a body that gets the receiver as its first value.
pub fn methods(environment: &Rc<Environment>) -> Vec<(&'static str, &'static str, Function)> {
    dates::methods(environment)
}

/// Sprig's functions under their names.
pub fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let drawing = [
        crypto::drawing(environment),
        random::functions(environment),
        network::functions(environment),
    ];
    let told = |(name, function)| (name, told(environment, name, function));
    let drawing = drawing.into_iter().flatten().map(told).collect();
    let functions = [
        strings::functions(),
        casing::functions(),
        wrapping::functions(),
        lists::functions(),
        dicts::functions(),
        merge::functions(),
        defaults::functions(),
        numeric::functions(),
        encoding::functions(),
        json::functions(),
        paths::functions(),
        urls::functions(),
        reflection::functions(),
        regex::functions(),
        semver::functions(),
        flow::functions(),
        crypto::functions(),
        dates::functions(environment),
        drawing,
    ];
    functions
        .into_iter()
        .flatten()
        .map(|(name, function)| (name, bounds::metered(name, function)))
        .collect()
}
