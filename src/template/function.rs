//! What a template can call: ordinary Rust functions, with the Go signature that their Rust types
//! imply, so that the evaluator can check and convert arguments exactly as Go does.

use std::fmt;
use std::rc::Rc;

use super::exec::Machine;
use super::text::Text;
use super::value::{FloatKind, IntKind, List, Map, Type, UintKind, Value};

/// Why a function failed: its message, in the words of the Go function, and the error of the
/// template that it executed, if it did (`include`, `tpl`).
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// The whole message, as Go's `error.Error()` gives it.
    pub message: String,
    /// The template error behind it.
    pub template: Option<Box<super::error::Error>>,
}

impl CallError {
    /// An error with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            template: None,
        }
    }
}

/// The body of a function: the machine that executes the template (for `include`, `tpl`), and the
/// arguments, already of the types that the signature asks for.
pub type Body = dyn Fn(&mut Machine<'_>, &[Value]) -> Result<Value, CallError>;

/// A function or method with its Go signature.
#[derive(Clone)]
pub struct Function {
    /// The types of the fixed parameters.
    pub parameters: Vec<Type>,
    /// The element type of the variadic parameter, if there is one.
    pub variadic: Option<Type>,
    /// What it does.
    pub body: Rc<Body>,
}

impl Function {
    /// A function from a Rust function over [`Argument`] types, the last of which may be a
    /// [`Rest`]: `Function::new(|text: Text, n: isize| ...)`.
    pub fn new<Arguments, F: Native<Arguments>>(function: F) -> Self {
        function.into_function()
    }

    /// A function that needs the machine, or whose signature is not implied by Rust types.
    pub fn with_machine(
        parameters: Vec<Type>,
        variadic: Option<Type>,
        body: impl Fn(&mut Machine<'_>, &[Value]) -> Result<Value, CallError> + 'static,
    ) -> Self {
        Self {
            parameters,
            variadic,
            body: Rc::new(body),
        }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "func({:?}, {:?}...)", self.parameters, self.variadic)
    }
}

/// A Rust type that stands for a Go parameter type.
pub trait Argument: Sized {
    /// The Go type.
    const TYPE: Type;

    /// The argument out of a value that the evaluator has already checked against [`Self::TYPE`].
    fn take(value: &Value) -> Self;
}

/// The variadic last parameter, `...T` in Go.
pub struct Rest<T>(pub Vec<T>);

/// What a Rust function may give back: a Go value, or a `Result` of one.
pub trait Answer {
    /// The Go result.
    fn answer(self) -> Result<Value, CallError>;
}

/// A Rust function that can become a [`Function`].
pub trait Native<Arguments> {
    /// The function with its Go signature.
    fn into_function(self) -> Function;
}

impl<V: Into<Value>> Answer for V {
    fn answer(self) -> Result<Value, CallError> {
        Ok(self.into())
    }
}

impl<V: Into<Value>> Answer for Result<V, CallError> {
    fn answer(self) -> Result<Value, CallError> {
        self.map(Into::into)
    }
}

macro_rules! native {
    ($($argument:ident $index:tt),* ; $count:tt) => {
        impl<F, R, $($argument,)*> Native<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> R + 'static,
            R: Answer,
            $($argument: Argument + 'static,)*
        {
            fn into_function(self) -> Function {
                Function::with_machine(vec![$($argument::TYPE),*], None, move |_, _values| {
                    self($($argument::take(&_values[$index])),*).answer()
                })
            }
        }

        impl<F, R, Last, $($argument,)*> Native<($($argument,)* Rest<Last>,)> for F
        where
            F: Fn($($argument,)* Rest<Last>) -> R + 'static,
            R: Answer,
            Last: Argument + 'static,
            $($argument: Argument + 'static,)*
        {
            fn into_function(self) -> Function {
                Function::with_machine(vec![$($argument::TYPE),*], Some(Last::TYPE), move |_, values| {
                    let rest = Rest(values[$count..].iter().map(Last::take).collect());
                    self($($argument::take(&values[$index]),)* rest).answer()
                })
            }
        }
    };
}

native!(; 0);
native!(A 0; 1);
native!(A 0, B 1; 2);
native!(A 0, B 1, C 2; 3);
native!(A 0, B 1, C 2, D 3; 4);
native!(A 0, B 1, C 2, D 3, E 4; 5);
native!(A 0, B 1, C 2, D 3, E 4, G 5; 6);

/// Rust's `isize` stands for Go's `int`, `i64` for `int64`, and so on.
macro_rules! arguments {
    ($($rust:ty: $go:expr, $variant:pat => $taken:expr;)*) => {
        $(impl Argument for $rust {
            const TYPE: Type = $go;

            fn take(value: &Value) -> Self {
                match value {
                    $variant => $taken,
                    other => unreachable!("the evaluator let a {:?} through for {}", other.type_of(), Self::TYPE),
                }
            }
        })*
    };
}

arguments! {
    bool: Type::Bool, Value::Bool(truth) => *truth;
    isize: Type::INT, Value::Int(_, number) => *number as isize;
    i64: Type::INT64, Value::Int(_, number) => *number;
    i32: Type::Int(IntKind::Int32), Value::Int(_, number) => *number as i32;
    u32: Type::Uint(UintKind::Uint32), Value::Uint(_, number) => *number as u32;
    f64: Type::FLOAT64, Value::Float(_, number) => *number;
    Text: Type::String, Value::String(text) => text.clone();
    Rc<[u8]>: Type::BYTES, Value::Bytes(bytes) => Rc::clone(bytes);
    List: Type::ANY_SLICE, Value::List(list) => list.clone();
    Map: Type::ANY_MAP, Value::Map(map) => map.clone();
}

impl Argument for Value {
    const TYPE: Type = Type::Any;

    fn take(value: &Value) -> Self {
        value.clone()
    }
}

macro_rules! into_value {
    ($($rust:ty, $name:ident => $value:expr;)*) => {
        $(impl From<$rust> for Value {
            fn from($name: $rust) -> Self {
                $value
            }
        })*
    };
}

into_value! {
    bool, truth => Value::Bool(truth);
    isize, number => Value::int(number as i64);
    i64, number => Value::int64(number);
    u32, number => Value::Uint(UintKind::Uint32, u64::from(number));
    f64, number => Value::Float(FloatKind::Float64, number);
    Text, text => Value::String(text);
    String, text => Value::String(text.into());
    &str, text => Value::String(text.into());
    Rc<[u8]>, bytes => Value::Bytes(bytes);
}
