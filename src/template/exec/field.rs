//! Fields, map keys and methods: `.x.y`, `$x.y`, `(pipe).x`.

use super::{Frame, Machine, MissingKey, Reflected};
use crate::template::error::Error;
use crate::template::function::Function;
use crate::template::node::{At, Name, Term};
use crate::template::quote::quoted;
use crate::template::value::{Map, Object, Type, Value};

/// One field of a chain, and where it stands.
struct Access<'t> {
    name: &'t [u8],
    term: &'t Term,
    /// The arguments, of which only a method has any.
    args: &'t [Term],
    last: Option<Value>,
}

impl Access<'_> {
    fn has_arguments(&self) -> bool {
        !self.args.is_empty() || self.last.is_some()
    }

    fn name(&self) -> &bstr::BStr {
        bstr::BStr::new(self.name)
    }
}

impl Machine<'_> {
    pub(super) fn eval_chain<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        term: &'t Term,
        args: &'t [Term],
        last: Option<Value>,
    ) -> Result<Reflected, Error> {
        frame.at = At::Term(term);
        let Term::Chain(chain) = term else {
            return Err(frame.error("internal error: no chain in eval_chain"));
        };
        let receiver = self.eval_reflected(frame, dot, &chain.term)?;
        self.eval_fields(frame, dot, &receiver, term, &chain.fields, args, last)
    }

    /// The field at the end of a chain; only the last can be a method with arguments.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn eval_fields<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        receiver: &Reflected,
        term: &'t Term,
        names: &'t [Name],
        args: &'t [Term],
        mut last: Option<Value>,
    ) -> Result<Reflected, Error> {
        let mut found: Option<Reflected> = None;
        for (index, name) in names.iter().enumerate() {
            let receiver = found.as_ref().unwrap_or(receiver);
            let is_last = index + 1 == names.len();
            let access = Access {
                name,
                term,
                args: if is_last { args } else { &[] },
                last: if is_last { last.take() } else { None },
            };
            // Nearly all fields are keys of maps that have no methods.
            found = Some(match &receiver.value {
                Value::Map(map) if !map.is_named() && !access.has_arguments() => {
                    self.eval_key(frame, map, &access)?
                }
                _ => self.eval_field(frame, dot, receiver, access)?,
            });
        }
        Ok(found.unwrap_or_else(|| receiver.clone()))
    }

    fn eval_field<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        receiver: &Reflected,
        access: Access<'t>,
    ) -> Result<Reflected, Error> {
        match &receiver.value {
            Value::Map(map) => self.eval_key_or_method(frame, dot, map, access),
            Value::Nil if receiver.boxed => {
                let message = format!("nil pointer evaluating interface {{}}.{}", access.name());
                Err(frame.error(message))
            }
            Value::Nil if self.templates.on_missing_key() == MissingKey::Error => {
                let key = quoted(access.name);
                Err(frame.error(format!("nil data; no entry for key {key}")))
            }
            Value::Nil => Ok(receiver.clone()),
            Value::Object(object) => {
                self.eval_member(frame, dot, receiver, object.as_ref(), access)
            }
            _ => Err(no_field(frame, receiver, &access)),
        }
    }

    fn eval_key_or_method<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        map: &Map,
        access: Access<'t>,
    ) -> Result<Reflected, Error> {
        let map_type = map.type_of();
        if let Type::Named(type_name) = map_type
            && let Some(method) = self.templates.functions().method(type_name, access.name)
        {
            let at = At::Term(access.term);
            let receiver = Some(Value::Map(map.clone()));
            return self.eval_call(
                frame,
                dot,
                method,
                receiver,
                at,
                access.name,
                access.args,
                access.last,
            );
        }
        if access.has_arguments() {
            return Err(frame.error(format!(
                "{} is not a method but has arguments",
                access.name()
            )));
        }
        self.eval_key(frame, map, &access)
    }

    fn eval_key(
        &self,
        frame: &Frame<'_>,
        map: &Map,
        access: &Access<'_>,
    ) -> Result<Reflected, Error> {
        let boxed = map.holds_any();
        match map.get(access.name) {
            Some(value) => Ok(Reflected { value, boxed }),
            None => self.missing(frame, access, || map.type_of().element().zero(), boxed),
        }
    }

    fn missing(
        &self,
        frame: &Frame<'_>,
        access: &Access<'_>,
        zero: impl FnOnce() -> Value,
        boxed: bool,
    ) -> Result<Reflected, Error> {
        match self.templates.on_missing_key() {
            MissingKey::Default => Ok(Reflected::bare(Value::Nil)),
            MissingKey::Zero => Ok(Reflected {
                value: zero(),
                boxed,
            }),
            MissingKey::Error => {
                let key = quoted(access.name);
                Err(frame.error(format!("map has no entry for key {key}")))
            }
        }
    }

    fn eval_member<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        receiver: &Reflected,
        object: &dyn Object,
        access: Access<'t>,
    ) -> Result<Reflected, Error> {
        let own = object.method(access.name).map(|method| (method, None));
        let inserted = || {
            let functions = self.templates.functions();
            let method = functions.method(object.type_name(), access.name)?;
            Some((Function::clone(method), Some(receiver.value.clone())))
        };
        if let Some((method, receiver)) = own.or_else(inserted) {
            let at = At::Term(access.term);
            return self.eval_call(
                frame,
                dot,
                &method,
                receiver,
                at,
                access.name,
                access.args,
                access.last,
            );
        }
        let is_map = object.kind() == "map";
        if is_map && access.has_arguments() {
            return Err(frame.error(format!(
                "{} is not a method but has arguments",
                access.name()
            )));
        }
        match object.field(access.name) {
            Some(_) if access.has_arguments() => {
                let message = format!(
                    "{} has arguments but cannot be invoked as function",
                    access.name()
                );
                Err(frame.error(message))
            }
            Some(value) => Ok(Reflected::result(value)),
            None if is_map => {
                let zero = object.zero_entry();
                let boxed = zero.is_nil();
                self.missing(frame, &access, || zero, boxed)
            }
            None if is_unexported(object, access.name) => Err(frame.error(format!(
                "{} is an unexported field of struct type {}",
                access.name(),
                object.type_name()
            ))),
            None => Err(no_field(frame, receiver, &access)),
        }
    }
}

/// Whether a struct, or what a pointer points to, has a field of this name that only its own
/// package sees.
fn is_unexported(object: &dyn Object, name: &[u8]) -> bool {
    let fields = object.fields().or_else(|| object.raw_fields());
    fields
        .unwrap_or_default()
        .iter()
        .any(|(known, _)| known.as_bytes() == name)
}

#[cold]
fn no_field(frame: &Frame<'_>, receiver: &Reflected, access: &Access<'_>) -> Error {
    let type_name = receiver.type_name();
    frame.error(format!(
        "can't evaluate field {} in type {type_name}",
        access.name()
    ))
}
