//! The functions of the cases, as tests/oracle/template has them in Go.

use std::cell::Cell;
use std::rc::Rc;

use pintle::template::print::{show, sprintf};
use pintle::template::{
    CallError, Function, Functions, IntKind, List, Machine, Map, Rest, Text, Type, Value,
};

use super::data::VALUES;

fn shown(value: impl Into<Value>) -> Text {
    let value = value.into();
    sprintf(b"%T=%v", &[value.clone(), value])
}

fn shown_with_nil(value: Value, nil: bool) -> Text {
    sprintf(b"%T=%v %v", &[value.clone(), value, Value::Bool(nil)])
}

pub(crate) fn functions() -> Functions {
    let mut functions = Functions::builtin();
    let depth = Cell::new(0);
    add_typed(&mut functions);
    let mut add = |name: &str, function: Function| functions.insert(name, function);
    add("two", Function::new(|a: Text, b: isize| format!("{a}-{b}")));
    add(
        "variadic",
        Function::new(|Rest(v): Rest<Value>| {
            let count = Value::int(v.len() as i64);
            sprintf(b"%d%v", &[count, Value::list(v)])
        }),
    );
    add(
        "variadicInt",
        Function::new(|a: Text, Rest(v): Rest<isize>| {
            let count = Value::int(v.len() as i64);
            let numbers = v.into_iter().map(|n| Value::int(n as i64)).collect();
            sprintf(b"%s%d%v", &[Value::String(a), count, Value::list(numbers)])
        }),
    );
    add(
        "fails",
        Function::new(|message: Text| Err::<Text, _>(CallError::new(message.to_string()))),
    );
    add("nothing", Function::new(|| Value::Nil));
    add("one", Function::new(|| 1_isize));
    add(
        "list",
        Function::new(|Rest(v): Rest<Value>| List::new(Type::ANY_SLICE, v)),
    );
    add("identity", Function::new(|v: Value| v));
    add(
        "dict",
        Function::new(|Rest(v): Rest<Value>| {
            let map = Map::default();
            for pair in v.chunks_exact(2) {
                map.insert(show(&pair[0]), pair[1].clone());
            }
            map
        }),
    );
    add(
        "set",
        Function::new(|map: Map, key: Text, value: Value| match map.is_nil() {
            true => Err(CallError::new("assignment to entry in nil map")),
            false => {
                map.insert(key, value);
                Ok(map)
            }
        }),
    );
    add(
        "include",
        Function::with_machine(vec![Type::String, Type::Any], None, move |machine, args| {
            depth.set(depth.get() + 1);
            let result = match depth.get() > 20 {
                true => Err(CallError::new("too many includes")),
                false => include(machine, args),
            };
            depth.set(depth.get() - 1);
            result
        }),
    );
    add_methods(&mut functions);
    functions
}

fn include(machine: &mut Machine<'_>, args: &[Value]) -> Result<Value, CallError> {
    let [Value::String(name), data] = args else {
        return Err(CallError::new("wrong arguments"));
    };
    Ok(machine.include(&name.to_str_lossy(), data)?.into())
}

fn add_typed(functions: &mut Functions) {
    let mut add = |name: &str, function: Function| functions.insert(name, function);
    add("takesAny", Function::new(|v: Value| shown(v)));
    add("takesBool", Function::new(|v: bool| shown(v)));
    add("takesInt", Function::new(|v: isize| shown(v)));
    add("takesInt64", Function::new(|v: i64| shown(v)));
    add(
        "takesInt32",
        Function::new(|v: i32| shown(Value::Int(IntKind::Int32, i64::from(v)))),
    );
    add("takesUint32", Function::new(|v: u32| shown(v)));
    add("takesFloat", Function::new(|v: f64| shown(v)));
    add("takesString", Function::new(|v: Text| shown(v)));
    add("takesBytes", Function::new(|v: Rc<[u8]>| shown(v)));
    add(
        "takesList",
        Function::new(|v: List| shown_with_nil(v.clone().into(), v.is_nil())),
    );
    add(
        "takesMap",
        Function::new(|v: Map| shown_with_nil(v.clone().into(), v.is_nil())),
    );
}

fn add_methods(functions: &mut Functions) {
    let size = |_: &mut Machine<'_>, args: &[Value]| match args {
        [Value::Map(map)] => Ok(Value::int(map.len() as i64)),
        _ => Err(CallError::new("wrong arguments")),
    };
    let table = |_: &mut Machine<'_>, args: &[Value]| match args {
        [Value::Map(map), Value::String(name)] => match map.get(name.as_bytes()) {
            Some(Value::Map(table)) if table.type_of() == Type::ANY_MAP => {
                Ok(table.seen_as(VALUES).into())
            }
            _ => {
                let quoted = sprintf(b"%q", &[Value::String(name.clone())]);
                Err(CallError::new(format!("{quoted} is not a table")))
            }
        },
        _ => Err(CallError::new("wrong arguments")),
    };
    functions.insert_method(
        "main.Values",
        "Size",
        Function::with_machine(vec![], None, size),
    );
    functions.insert_method(
        "main.Values",
        "Table",
        Function::with_machine(vec![Type::String], None, table),
    );
}
