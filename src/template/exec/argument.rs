//! Arguments: each is checked against the parameter's Go type, and literals take it on.

use super::pipeline::constant;
use super::{Frame, Machine, Reflected};
use crate::template::error::Error;
use crate::template::node::{At, Term};
use crate::template::value::{FloatKind, IntKind, Type, UintKind, Value};

impl Machine<'_> {
    /// An argument for a parameter of type `interface {}` or `reflect.Value`, or the term of a
    /// chain, for which nothing is checked.
    pub(super) fn eval_reflected<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        term: &'t Term,
    ) -> Result<Reflected, Error> {
        frame.at = At::Term(term);
        match term {
            Term::Dot(_) => Ok(dot.clone()),
            Term::Nil(_) => Ok(Reflected::bare(Value::Nil)),
            Term::Field(_, names) => self.eval_fields(frame, dot, dot, term, names, &[], None),
            Term::Variable(variable) => self.eval_variable(frame, dot, variable, term, &[], None),
            Term::Pipe(pipe) => self.eval_pipeline(frame, dot, pipe).map(Reflected::bare),
            Term::Identifier(_, identifier) => {
                self.eval_function(frame, dot, identifier, At::Term(term), &[], None)
            }
            Term::Chain(_) => self.eval_chain(frame, dot, term, &[], None),
            Term::Bool(..) | Term::Number(..) | Term::String(..) => {
                constant(frame, term).map(Reflected::bare)
            }
        }
    }

    /// An argument for a parameter of this type.
    pub(super) fn eval_arg<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        parameter: Type,
        term: &'t Term,
    ) -> Result<Value, Error> {
        if parameter.is_any() {
            return Ok(self.eval_reflected(frame, dot, term)?.value);
        }
        match term {
            Term::Nil(_) => {
                frame.at = At::Term(term);
                match nil_of(parameter) {
                    Some(nil) => Ok(nil),
                    None => Err(frame.error(format!("cannot assign nil to {parameter}"))),
                }
            }
            Term::Bool(..) | Term::Number(..) | Term::String(..) => {
                frame.at = At::Term(term);
                literal(frame, parameter, term)
            }
            _ => {
                let argument = self.eval_reflected(frame, dot, term)?;
                validate_type(frame, argument, parameter)
            }
        }
    }
}

/// The nil of a type, if it has one.
fn nil_of(parameter: Type) -> Option<Value> {
    match parameter {
        Type::Any | Type::Slice(_) | Type::Map(_) => Some(parameter.zero()),
        // Of the types that have only a name, pointers have a nil.
        Type::Named(name) => name.starts_with('*').then_some(Value::Nil),
        _ => None,
    }
}

/// A literal of the parameter's type. Go: exec.go evalBool, evalInteger, ...
fn literal(frame: &Frame<'_>, parameter: Type, term: &Term) -> Result<Value, Error> {
    let number = match term {
        Term::Number(_, number) => Some(number),
        _ => None,
    };
    let (value, expected) = match parameter {
        Type::Bool => match term {
            Term::Bool(_, truth) => (Some(Value::Bool(*truth)), "bool"),
            _ => (None, "bool"),
        },
        Type::String => match term {
            Term::String(_, string) => (Some(string.value.clone()), "string"),
            _ => (None, "string"),
        },
        Type::Int(kind) => {
            let int = number.and_then(|number| number.int);
            (
                int.map(|int| Value::Int(kind, wrap_int(kind, int))),
                "integer",
            )
        }
        Type::Uint(kind) => {
            let uint = number.and_then(|number| number.uint);
            (
                uint.map(|uint| Value::Uint(kind, wrap_uint(kind, uint))),
                "unsigned integer",
            )
        }
        Type::Float(kind) => {
            let float = number.and_then(|number| number.float);
            (
                float.map(|float| Value::Float(kind, narrow(kind, float))),
                "float",
            )
        }
        Type::Any | Type::Slice(_) | Type::Map(_) | Type::Named(_) => {
            let text = term.text();
            return Err(frame.error(format!("can't handle {text} for arg of type {parameter}")));
        }
    };
    value.ok_or_else(|| frame.error(format!("expected {expected}; found {}", term.text())))
}

/// Go's reflection cuts a constant that is too large for its type.
fn wrap_int(kind: IntKind, number: i64) -> i64 {
    match kind {
        IntKind::Int8 => i64::from(number as i8),
        IntKind::Int16 => i64::from(number as i16),
        IntKind::Int32 => i64::from(number as i32),
        IntKind::Int | IntKind::Int64 => number,
    }
}

fn wrap_uint(kind: UintKind, number: u64) -> u64 {
    match kind {
        UintKind::Uint8 => u64::from(number as u8),
        UintKind::Uint16 => u64::from(number as u16),
        UintKind::Uint32 => u64::from(number as u32),
        UintKind::Uint | UintKind::Uint64 | UintKind::Uintptr => number,
    }
}

fn narrow(kind: FloatKind, number: f64) -> f64 {
    match kind {
        FloatKind::Float32 => f64::from(number as f32),
        FloatKind::Float64 => number,
    }
}

/// The value as a parameter of this type gets it. Go: exec.go validateType.
pub(super) fn validate_type(
    frame: &Frame<'_>,
    argument: Reflected,
    parameter: Type,
) -> Result<Value, Error> {
    let Reflected { value, boxed } = argument;
    match (value, parameter) {
        (value, Type::Any) => Ok(value),
        (Value::Nil, _) if boxed => Err(frame.error(format!(
            "wrong type for value; expected {parameter}; got interface {{}}"
        ))),
        (Value::Nil, _) => nil_of(parameter)
            .ok_or_else(|| frame.error(format!("invalid value; expected {parameter}"))),
        (Value::String(text), Type::String) => Ok(Value::String(text)),
        // A named map type is assignable to the type it is made of.
        (Value::Map(map), Type::Map(element))
            if element.is_any() && matches!(map.type_of(), Type::Named(_)) =>
        {
            Ok(Value::Map(map.seen_as(parameter)))
        }
        (value, _) if value.type_of() == Some(parameter) => Ok(value),
        (value, _) => {
            let type_name = value.type_name();
            Err(frame.error(format!(
                "wrong type for value; expected {parameter}; got {type_name}"
            )))
        }
    }
}
