//! Go's own functions. `and` and `or` are not here but in exec, because they may leave arguments
//! unevaluated. Go: text/template/funcs.go.

mod escape;

use std::cmp::Ordering::{Equal, Greater, Less};

use super::compare::{equal, is_true, ordered};
use super::function::CallError;
use super::print::Printer;
use super::text::Text;
use super::value::{List, Object, Value};

/// One of Go's functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Builtin {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    UrlQuery,
}

/// What the caller knows beyond the arguments.
pub(super) struct Circumstances<'c> {
    /// Which arguments come in an `interface {}`, as a bit each: `len` tells the nil of one from
    /// Go's invalid value, and `slice` does not look into one.
    pub(super) boxed: u64,
    /// The text of the first argument: `call` shows it.
    pub(super) first_text: &'c dyn Fn() -> String,
    /// How many bytes can still be printed.
    pub(super) budget: usize,
}

impl Builtin {
    pub(super) const ALL: &[(&'static str, Self)] = &[
        ("and", Self::And),
        ("call", Self::Call),
        ("eq", Self::Eq),
        ("ge", Self::Ge),
        ("gt", Self::Gt),
        ("html", Self::Html),
        ("index", Self::Index),
        ("js", Self::Js),
        ("le", Self::Le),
        ("len", Self::Len),
        ("lt", Self::Lt),
        ("ne", Self::Ne),
        ("not", Self::Not),
        ("or", Self::Or),
        ("print", Self::Print),
        ("printf", Self::Printf),
        ("println", Self::Println),
        ("slice", Self::Slice),
        ("urlquery", Self::UrlQuery),
    ];

    /// How many fixed parameters there are, and whether more arguments can follow.
    pub(super) fn arity(self) -> (usize, bool) {
        match self {
            Self::Html | Self::Js | Self::Print | Self::Println | Self::UrlQuery => (0, true),
            Self::Len | Self::Not => (1, false),
            Self::Ge | Self::Gt | Self::Le | Self::Lt | Self::Ne => (2, false),
            Self::And
            | Self::Call
            | Self::Eq
            | Self::Index
            | Self::Or
            | Self::Printf
            | Self::Slice => (1, true),
        }
    }

    /// Calls the function with as many arguments as [`Self::arity`] asks for. The scratch buffer
    /// is empty, and what is left in it is of no use.
    pub(super) fn call(
        self,
        args: &[Value],
        around: &Circumstances<'_>,
        scratch: &mut Vec<u8>,
    ) -> Result<Value, CallError> {
        Ok(match (self, args) {
            (Self::Not, [value]) => Value::Bool(!is_true(value)),
            (Self::Eq, [first, others @ ..]) => Value::Bool(equal(first, others)?),
            (Self::Ne, [first, second]) => {
                Value::Bool(!equal(first, std::slice::from_ref(second))?)
            }
            (Self::Lt, [first, second]) => Value::Bool(ordered(first, second, &[Less])?),
            (Self::Le, [first, second]) => Value::Bool(ordered(first, second, &[Less, Equal])?),
            (Self::Gt, [first, second]) => Value::Bool(ordered(first, second, &[Greater])?),
            (Self::Ge, [first, second]) => Value::Bool(ordered(first, second, &[Greater, Equal])?),
            (Self::Len, [value]) => Value::int(length(value, around.boxed & 1 == 1)? as i64),
            (Self::Index, [value, indexes @ ..]) => index(value, indexes)?,
            (Self::Slice, [value, indexes @ ..]) => slice(value, indexes, around.boxed >> 1)?,
            (Self::Print, args) => print(around, scratch, |printer| printer.print(args))?,
            (Self::Println, args) => print(around, scratch, |printer| printer.println(args))?,
            (Self::Printf, [Value::String(format), args @ ..]) => {
                print(around, scratch, |printer| {
                    printer.printf(format.as_bytes(), args)
                })?
            }
            (Self::Html, args) => Value::String(escape::html(eval_args(args, around, scratch)?)),
            (Self::Js, args) => Value::String(escape::js(eval_args(args, around, scratch)?)),
            (Self::UrlQuery, args) => {
                Value::String(escape::url_query(eval_args(args, around, scratch)?))
            }
            (Self::Call, [function, ..]) => return Err(not_callable(function, around)),
            _ => return Err(CallError::new("the evaluator let wrong arguments through")),
        })
    }
}

fn print_text(
    around: &Circumstances<'_>,
    scratch: &mut Vec<u8>,
    write: impl FnOnce(&mut Printer),
) -> Result<Text, CallError> {
    let mut printer = Printer::onto(std::mem::take(scratch), around.budget);
    write(&mut printer);
    *scratch = printer.finish()?;
    Ok(Text::from_bytes(scratch))
}

fn print(
    around: &Circumstances<'_>,
    scratch: &mut Vec<u8>,
    write: impl FnOnce(&mut Printer),
) -> Result<Value, CallError> {
    print_text(around, scratch, write).map(Value::String)
}

/// The text of arguments to be escaped. Go: funcs.go evalArgs.
fn eval_args(
    args: &[Value],
    around: &Circumstances<'_>,
    scratch: &mut Vec<u8>,
) -> Result<Text, CallError> {
    match args {
        [Value::String(text)] => Ok(text.clone()),
        _ => print_text(around, scratch, |printer| printer.print_as_actions(args)),
    }
}

/// No value that a template can get hold of is a function. Go: funcs.go call.
fn not_callable(function: &Value, around: &Circumstances<'_>) -> CallError {
    match function {
        Value::Nil => CallError::new("call of nil"),
        other => CallError::new(format!(
            "non-function {} of type {}",
            (around.first_text)(),
            other.type_name()
        )),
    }
}

/// The list or map that an object stands for, if it does.
fn entries(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) => object.entries(),
        _ => None,
    }
}

fn is_nil_pointer(value: &Value) -> bool {
    matches!(value, Value::Object(object) if object.kind() == "ptr" && !object.is_true())
}

fn length(value: &Value, nil_interface: bool) -> Result<usize, CallError> {
    let seen = entries(value);
    match seen.as_ref().unwrap_or(value) {
        Value::String(text) => Ok(text.as_bytes().len()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        Value::List(list) => Ok(list.len()),
        Value::Map(map) => Ok(map.len()),
        Value::Nil if !nil_interface => {
            // A panic of Go's reflection, which text/template gives out as an error.
            Err(CallError::new(
                "reflect: call of reflect.Value.Type on zero Value",
            ))
        }
        Value::Nil => Err(CallError::new("len of nil pointer")),
        other if is_nil_pointer(other) => Err(CallError::new("len of nil pointer")),
        other => Err(CallError::new(format!("len of type {}", pointed(other)))),
    }
}

/// The type of a value; of a pointer, that of what it points to.
fn pointed(value: &Value) -> String {
    let name = value.type_name();
    name.strip_prefix('*').map(str::to_owned).unwrap_or(name)
}

/// An index into something of this length; Go lets the length itself pass here.
/// The number of an object whose kind is that of whole numbers.
fn whole(object: &dyn Object) -> Option<i64> {
    object.counted(0)?;
    match object.to_data() {
        Ok(Value::Int(_, number)) => Some(number),
        _ => None,
    }
}

fn index_arg(index: &Value, length: usize) -> Result<usize, CallError> {
    let number = match index {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => *number as i64,
        Value::Nil => return Err(CallError::new("cannot index slice/array with nil")),
        Value::Object(object) if let Some(number) = whole(&**object) => number,
        other => {
            let message = format!("cannot index slice/array with type {}", other.type_name());
            return Err(CallError::new(message));
        }
    };
    match usize::try_from(number) {
        Ok(index) if index <= length => Ok(index),
        _ => Err(CallError::new(format!("index out of range: {number}"))),
    }
}

fn index(value: &Value, indexes: &[Value]) -> Result<Value, CallError> {
    if value.is_nil() {
        return Err(CallError::new("index of untyped nil"));
    }
    let mut item = value.clone();
    for index in indexes {
        item = index_one(&item, index)?;
    }
    Ok(item)
}

fn index_one(item: &Value, index: &Value) -> Result<Value, CallError> {
    let seen = entries(item);
    match seen.as_ref().unwrap_or(item) {
        Value::Nil => Err(CallError::new("index of nil pointer")),
        other if is_nil_pointer(other) => Err(CallError::new("index of nil pointer")),
        Value::List(list) => list
            .get(index_arg(index, list.len())?)
            .ok_or_else(|| CallError::new("reflect: slice index out of range")),
        Value::Bytes(bytes) => bytes
            .get(index_arg(index, bytes.len())?)
            .map(|&byte| Value::byte(byte))
            .ok_or_else(|| CallError::new("reflect: slice index out of range")),
        Value::String(text) => text
            .as_bytes()
            .get(index_arg(index, text.as_bytes().len())?)
            .map(|&byte| Value::byte(byte))
            .ok_or_else(|| CallError::new("reflect: string index out of range")),
        Value::Map(map) => match index {
            Value::String(key) => Ok(map.get(key.as_bytes()).unwrap_or_else(|| match item {
                Value::Object(object) => object.zero_entry(),
                _ => map.type_of().element().zero(),
            })),
            Value::Nil => Err(CallError::new("value is nil; should be of type string")),
            other => {
                let message = format!("value has type {}; should be string", other.type_name());
                Err(CallError::new(message))
            }
        },
        other => Err(CallError::new(format!(
            "can't index item of type {}",
            pointed(other)
        ))),
    }
}

fn slice(value: &Value, indexes: &[Value], boxed: u64) -> Result<Value, CallError> {
    let seen = entries(value);
    let item = seen.as_ref().unwrap_or(value);
    if item.is_nil() {
        return Err(CallError::new("slice of untyped nil"));
    }
    if is_nil_pointer(item) {
        return Err(CallError::new("slice of nil pointer"));
    }
    if indexes.len() > 3 {
        return Err(CallError::new(format!(
            "too many slice indexes: {}",
            indexes.len()
        )));
    }
    let length = match item {
        Value::String(_) if indexes.len() == 3 => {
            return Err(CallError::new("cannot 3-index slice a string"));
        }
        Value::String(text) => text.as_bytes().len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.len(),
        other => {
            return Err(CallError::new(format!(
                "can't slice item of type {}",
                other.type_name()
            )));
        }
    };
    let mut bounds = [0, length, length];
    for (position, (bound, index)) in bounds.iter_mut().zip(indexes).enumerate() {
        if boxed >> position & 1 == 1 {
            return Err(CallError::new(
                "cannot index slice/array with type interface {}",
            ));
        }
        *bound = index_arg(index, length)?;
    }
    let [from, to, capacity] = bounds;
    for (low, high) in [(from, to), (to, capacity)] {
        if low > high {
            return Err(CallError::new(format!(
                "invalid slice index: {low} > {high}"
            )));
        }
    }
    Ok(match item {
        Value::String(text) => Value::String(Text::from_bytes(&text.as_bytes()[from..to])),
        Value::Bytes(bytes) => Value::Bytes(bytes[from..to].into()),
        Value::List(list) if list.is_nil() => Value::List(list.clone()),
        Value::List(list) => {
            Value::List(List::new(list.type_of(), list.items()[from..to].to_vec()))
        }
        _ => Value::Nil,
    })
}
