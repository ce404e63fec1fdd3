//! Calls of functions and methods.

use super::argument::validate_type;
use super::{Frame, Machine, Reflected};
use crate::template::builtins::{Builtin, Circumstances};
use crate::template::compare::is_true;
use crate::template::error::Error;
use crate::template::function::Function;
use crate::template::functions::Callee;
use crate::template::node::{At, Identifier, Term};
use crate::template::value::{Type, Value};

impl Machine<'_> {
    /// A function by its name; `at` is what an error of the function itself is reported at.
    pub(super) fn eval_function<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        identifier: &'t Identifier,
        at: At<'t>,
        args: &'t [Term],
        last: Option<Value>,
    ) -> Result<Reflected, Error> {
        let name = &identifier.name;
        match &identifier.callee {
            Callee::Function(function) => {
                self.eval_call(frame, dot, function, None, at, name, args, last)
            }
            Callee::Builtin(builtin) => {
                check_count(frame, name, builtin.arity(), args.len(), last.is_some())?;
                let value = match builtin {
                    Builtin::And => self.eval_short_circuit(frame, dot, false, args, last)?,
                    Builtin::Or => self.eval_short_circuit(frame, dot, true, args, last)?,
                    _ => self.eval_builtin(frame, dot, *builtin, at, name, args, last)?,
                };
                Ok(Reflected::bare(value))
            }
        }
    }

    /// `and` and `or` evaluate arguments until one decides.
    fn eval_short_circuit<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        decisive: bool,
        args: &'t [Term],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let mut value = Value::Nil;
        for term in args {
            value = self.eval_reflected(frame, dot, term)?.value;
            if is_true(&value) == decisive {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    #[allow(clippy::too_many_arguments)]
    fn eval_builtin<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        builtin: Builtin,
        at: At<'t>,
        name: &[u8],
        args: &'t [Term],
        last: Option<Value>,
    ) -> Result<Value, Error> {
        let mut values = self.run.spare_arguments.pop().unwrap_or_default();
        let mut boxed = 0_u64;
        for term in args {
            if values.is_empty() && builtin == Builtin::Printf {
                values.push(self.eval_arg(frame, dot, Type::String, term)?);
                continue;
            }
            let argument = self.eval_reflected(frame, dot, term)?;
            boxed |= u64::from(argument.boxed) << values.len().min(63);
            values.push(without_address(argument.value));
        }
        if let Some(last) = last {
            let parameter = match builtin {
                Builtin::Printf if values.is_empty() => Type::String,
                _ => Type::Any,
            };
            let last = Reflected::bare(without_address(last));
            values.push(validate_type(frame, last, parameter)?);
        }
        let mut scratch = self.run.spare_buffers.pop().unwrap_or_default();
        let around = Circumstances {
            boxed,
            first_text: &|| first_text(args, &values),
            budget: self.output_left(),
        };
        let result = builtin.call(&values, &around, &mut scratch);
        scratch.clear();
        self.run.spare_buffers.push(scratch);
        values.clear();
        self.run.spare_arguments.push(values);
        match result {
            Ok(value) => {
                self.account_for(frame, &value)?;
                Ok(value)
            }
            Err(error) => {
                frame.at = at;
                Err(self.call_error(frame, name, error))
            }
        }
    }

    /// Texts are what grows: `{{ $x = print $x $x }}`.
    fn account_for(&mut self, frame: &Frame<'_>, value: &Value) -> Result<(), Error> {
        match value {
            Value::String(text) => self.account(frame, text.as_bytes().len()),
            _ => Ok(()),
        }
    }

    /// A call of a function, or of a method whose receiver comes first if there is one.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn eval_call<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Reflected,
        function: &Function,
        receiver: Option<Value>,
        at: At<'t>,
        name: &[u8],
        args: &'t [Term],
        last: Option<Value>,
    ) -> Result<Reflected, Error> {
        let arity = (function.parameters.len(), function.variadic.is_some());
        check_count(frame, name, arity, args.len(), last.is_some())?;
        let parameter = |index: usize| {
            function
                .parameters
                .get(index)
                .copied()
                .or(function.variadic)
        };
        let mut values = self.run.spare_arguments.pop().unwrap_or_default();
        values.extend(receiver);
        for (index, term) in args.iter().enumerate() {
            let parameter = parameter(index).unwrap_or(Type::Any);
            let value = self.eval_arg(frame, dot, parameter, term)?;
            values.push(without_address(value));
        }
        if let Some(last) = last {
            let parameter = parameter(args.len()).unwrap_or(Type::Any);
            let last = Reflected::bare(without_address(last));
            values.push(validate_type(frame, last, parameter)?);
        }
        let result = (function.body)(self, &values);
        values.clear();
        self.run.spare_arguments.push(values);
        match result {
            Ok(value) => {
                self.account_for(frame, &value)?;
                Ok(Reflected::result(value))
            }
            Err(error) => {
                frame.at = at;
                Err(self.call_error(frame, name, error))
            }
        }
    }
}

/// The value as it is handed to a function.
fn without_address(value: Value) -> Value {
    match &value {
        Value::Object(object) => object.without_address().unwrap_or(value),
        _ => value,
    }
}

/// Whether there are as many arguments as parameters. Go counts the piped one with those that are
/// there, but where there are too few for a variadic function, shows their number without it.
fn check_count(
    frame: &Frame<'_>,
    name: &[u8],
    (fixed, variadic): (usize, bool),
    args: usize,
    piped: bool,
) -> Result<(), Error> {
    let count = args + usize::from(piped);
    let name = bstr::BStr::new(name);
    if variadic && count < fixed {
        let message = format!("wrong number of args for {name}: want at least {fixed} got {args}");
        return Err(frame.error(message));
    }
    if !variadic && count != fixed {
        return Err(frame.error(format!(
            "wrong number of args for {name}: want {fixed} got {count}"
        )));
    }
    Ok(())
}

/// How `call` names what it cannot call.
fn first_text(args: &[Term], values: &[Value]) -> String {
    match (args.first(), values.first()) {
        (Some(term), _) => term.text(),
        (None, Some(Value::String(text))) => text.to_string(),
        (None, Some(value)) => format!("<{} Value>", value.type_name()),
        (None, None) => String::new(),
    }
}
