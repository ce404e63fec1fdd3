//! The functions that Helm adds to Sprig's, and the methods of its values.

use std::rc::Rc;

use bstr::ByteSlice;
use jiff::tz::TimeZone;

use super::session::{self, Session};
use super::trace::mark;
use super::{data, duration};
use crate::chart::Warning;
use crate::sprig;
use crate::template::{CallError, Function, Functions, Machine, Map, Text, Type, Value};

/// helm: pkg/engine/engine.go recursionMaxNums
const MAX_NESTED_INCLUDES: usize = 1000;

/// Helm has no bound here but its stack, which it dies of. Each level keeps the text of all levels
/// within it for its error.
const MAX_NESTED_TPL: usize = 500;

/// The name under which Helm executes what `tpl` is given.
pub(super) const ROOT: &str = "gotpl";

/// All that a template can call. helm: pkg/engine/engine.go initFunMap
pub(super) fn all(session: &Rc<Session>, time_zone: TimeZone) -> Functions {
    let mut functions = Functions::builtin();
    let environment = Rc::new(session::environment(session, time_zone));
    for (type_name, name, method) in sprig::methods(&environment) {
        functions.insert_method(type_name, name, method);
    }
    for (name, function) in sprig::functions(&environment) {
        let function = match name {
            "getHostByName" => only_with_resolver(session, function),
            _ => function,
        };
        functions.insert(name, function);
    }
    data::insert(&mut functions, environment);
    duration::insert(&mut functions);
    functions.insert("include", include(session));
    functions.insert("tpl", tpl(session));
    functions.insert("required", required(session));
    functions.insert("fail", fail(session));
    functions.insert("lookup", lookup(session));
    insert_values_methods(&mut functions);
    functions
}

/// Without a resolver Helm puts a function that finds nothing in the place of Sprig's.
fn only_with_resolver(session: &Rc<Session>, resolving: Function) -> Function {
    let session = Rc::clone(session);
    let body = Rc::clone(&resolving.body);
    Function {
        body: Rc::new(move |machine, arguments| match session.resolves_hosts() {
            true => body(machine, arguments),
            false => Ok(Value::String(Text::default())),
        }),
        ..resolving
    }
}

/// helm: pkg/engine/lookup_func.go
fn lookup(session: &Rc<Session>) -> Function {
    let session = Rc::clone(session);
    Function::new(
        move |api_version: Text, kind: Text, namespace: Text, name: Text| {
            let text = |text: Text| text.to_str_lossy().into_owned();
            let wanted = [text(api_version), text(kind), text(namespace), text(name)];
            match session.look_up(wanted) {
                Ok(Some(object)) => Ok(Value::from_json(&object)),
                Ok(None) => Ok(Value::Map(Map::default())),
                Err(error) => Err(CallError::new(error.to_string())),
            }
        },
    )
}

/// helm: pkg/engine/engine.go includeFun
fn include(session: &Rc<Session>) -> Function {
    let session = Rc::clone(session);
    Function::with_machine(
        vec![Type::String, Type::Any],
        None,
        move |machine, arguments| {
            let [Value::String(name), dot] = arguments else {
                return Err(CallError::new("include takes a name and a value"));
            };
            if session.enter(name) > MAX_NESTED_INCLUDES {
                session.leave(name);
                return Err(CallError::new(format!(
                    "rendering template has a nested reference name: {name}: unable to execute template"
                )));
            }
            let result = machine.include(&name.to_str_lossy(), dot);
            session.leave(name);
            Ok(Value::String(result?))
        },
    )
}

/// Executes a text in a copy of the running set, so that what it defines is seen by what it
/// includes and by nobody else. helm: pkg/engine/engine.go tplFun
fn tpl(session: &Rc<Session>) -> Function {
    let session = Rc::clone(session);
    Function::with_machine(
        vec![Type::String, Type::Any],
        None,
        move |machine, arguments| {
            let [Value::String(text), dot] = arguments else {
                return Err(CallError::new("tpl takes a text and a value"));
            };
            // Most texts in values are no templates.
            if !text.as_bytes().contains_str("{{") {
                return Ok(Value::String(without_no_value(text.clone())));
            }
            let depth = session.tpl_depth();
            if depth.get() == MAX_NESTED_TPL {
                return Err(CallError::new(format!(
                    "tpl is nested deeper than {MAX_NESTED_TPL} levels"
                )));
            }
            depth.set(depth.get() + 1);
            let printed = execute(machine, text, dot);
            depth.set(depth.get() - 1);
            printed.map(|text| Value::String(without_no_value(text)))
        },
    )
}

fn execute(machine: &mut Machine<'_>, text: &Text, dot: &Value) -> Result<Text, CallError> {
    let quoted = || {
        let quoted = crate::template::quote::quote(text.as_bytes());
        String::from_utf8_lossy(&quoted).into_owned()
    };
    let mut templates = machine.templates().clone();
    let template = templates
        .parse(ROOT, text.as_bytes())
        .map_err(|error| CallError {
            message: format!("cannot parse template {}: {error}", quoted()),
            template: Some(Box::new(error)),
        })?;
    machine
        .execute_template(&templates, &template, dot)
        .map_err(|error| CallError {
            message: format!(
                "error during tpl function execution for {}: {error}",
                quoted()
            ),
            template: Some(Box::new(error)),
        })
}

/// Helm takes every `<no value>` out of what a template prints, also one that the chart's author
/// wrote. helm: pkg/engine/engine.go render
pub(super) fn without_no_value(text: Text) -> Text {
    match text.as_bytes().find("<no value>") {
        None => text,
        Some(_) => Text::from(text.as_bytes().replace("<no value>", "")),
    }
}

fn required(session: &Rc<Session>) -> Function {
    let session = Rc::clone(session);
    Function::new(move |message: Text, value: Value| {
        let log_as = match &value {
            Value::Nil => "missing required value",
            Value::String(text) if text.is_empty() => "missing required values",
            _ => return Ok(value),
        };
        let message = message.to_str_lossy();
        if session.lints() {
            session.say(Warning::warn(log_as).with("message", message));
            return Ok(Value::string(""));
        }
        Err(CallError::new(mark(&message)))
    })
}

fn fail(session: &Rc<Session>) -> Function {
    let session = Rc::clone(session);
    Function::new(move |message: Text| {
        let message = message.to_str_lossy();
        if session.lints() {
            session.say(Warning::info("funcMap fail").with("message", message));
            return Ok(Value::string(""));
        }
        Err(CallError::new(mark(&message)))
    })
}

/// The methods of `.Values` and of the dot. helm: pkg/chart/common/values.go
fn insert_values_methods(functions: &mut Functions) {
    let mut insert = |name: &str,
                      parameters: Vec<Type>,
                      body: fn(&Map, &[Value]) -> Result<Value, CallError>| {
        let method =
            Function::with_machine(parameters, None, move |_, arguments| match arguments {
                [Value::Map(values), rest @ ..] => body(values, rest),
                _ => Err(CallError::new("a method of Values without Values")),
            });
        functions.insert_method(super::scope::VALUES_TYPE, name, method);
    };
    insert("AsMap", vec![], |values, _| match values.is_empty() {
        true => Ok(Value::Map(Map::default())),
        false => Ok(Value::Map(values.seen_as(Type::ANY_MAP))),
    });
    insert("YAML", vec![], |values, _| {
        let yaml = data::to_yaml(&Value::Map(values.clone()))?;
        Ok(Value::string(format!("{yaml}\n")))
    });
    // No template has an io.Writer.
    insert("Encode", vec![Type::Named("io.Writer")], |_, _| {
        Err(CallError::new("there is nothing to write to"))
    });
    insert("Table", vec![Type::String], |values, arguments| {
        let table = table(values, name(arguments))?;
        Ok(Value::Map(table.seen_as(super::scope::VALUES)))
    });
    insert("PathValue", vec![Type::String], |values, arguments| {
        path_value(values, name(arguments))
    });
}

fn name(arguments: &[Value]) -> Text {
    match arguments {
        [Value::String(name), ..] => name.clone(),
        _ => Text::default(),
    }
}

fn table(values: &Map, path: Text) -> Result<Map, CallError> {
    let mut table = values.clone();
    for step in path.as_bytes().split(|byte| *byte == b'.') {
        match table.get(step) {
            Some(Value::Map(next)) => table = next,
            _ => return Err(CallError::new(format!("{} is not a table", quoted(step)))),
        }
    }
    Ok(table)
}

fn path_value(values: &Map, path: Text) -> Result<Value, CallError> {
    if path.is_empty() {
        return Err(CallError::new("YAML path cannot be empty"));
    }
    let (parent, key) = match path.as_bytes().iter().rposition(|byte| *byte == b'.') {
        Some(dot) => (
            table(values, Text::from_bytes(&path.as_bytes()[..dot])).ok(),
            &path.as_bytes()[dot + 1..],
        ),
        None => (Some(values.clone()), path.as_bytes()),
    };
    match parent.and_then(|parent| parent.get(key)) {
        // What Go calls a table here is a map without a type of its own.
        Some(Value::Map(map)) if map.type_of() == Type::ANY_MAP => {}
        Some(value) => return Ok(value),
        None => {}
    }
    Err(CallError::new(format!("{} is not a value", quoted(key))))
}

fn quoted(text: &[u8]) -> String {
    String::from_utf8_lossy(&crate::template::quote::quote(text)).into_owned()
}
