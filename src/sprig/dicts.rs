//! Dictionaries. `set` and `unset` change the map that they are given, for everyone who holds it.

use crate::template::{CallError, Function, List, Map, Rest, Text, Type, Value};

use super::bounds;
use super::strings::to_string;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    vec![
        ("dict", Function::new(dict)),
        (
            "get",
            Function::new(|map: Map, key: Text| map.get(&key).unwrap_or_else(|| "".into())),
        ),
        ("set", Function::new(set)),
        (
            "unset",
            Function::new(|map: Map, key: Text| {
                map.remove(&key);
                map
            }),
        ),
        (
            "hasKey",
            Function::new(|map: Map, key: Text| map.contains_key(&key)),
        ),
        (
            "pluck",
            Function::new(|key: Text, maps: Rest<Map>| {
                Value::list(maps.0.iter().filter_map(|map| map.get(&key)).collect())
            }),
        ),
        (
            "keys",
            Function::new(|maps: Rest<Map>| Value::strings(maps.0.iter().flat_map(Map::keys))),
        ),
        (
            "values",
            Function::new(|map: Map| Value::list(map.entries().values().cloned().collect())),
        ),
        (
            "pick",
            Function::new(|map: Map, keys: Rest<Text>| {
                let picked = keys
                    .0
                    .into_iter()
                    .filter_map(|key| map.get(&key).map(|value| (key, value)));
                Map::with_entries(Type::ANY_MAP, picked.collect())
            }),
        ),
        (
            "omit",
            Function::new(|map: Map, keys: Rest<Text>| {
                let mut kept = map.entries().clone();
                keys.0.iter().for_each(|key| {
                    kept.remove(key);
                });
                Map::with_entries(Type::ANY_MAP, kept)
            }),
        ),
        ("dig", Function::new(dig)),
        ("deepCopy", Function::new(deep_copy)),
        ("mustDeepCopy", Function::new(deep_copy)),
    ]
}

fn dict(entries: Rest<Value>) -> Map {
    let map = Map::default();
    for pair in entries.0.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| "".into());
        map.insert(to_string(&pair[0]), value);
    }
    map
}

fn set(map: Map, key: Text, value: Value) -> Result<Map, CallError> {
    if map.is_nil() {
        return Err(CallError::new("assignment to entry in nil map"));
    }
    map.insert(key, value);
    Ok(map)
}

/// The value under a path of keys, or the last argument but one.
// sprig: dict.go dig
fn dig(arguments: Rest<Value>) -> Result<Value, CallError> {
    let [keys @ .., default, root] = arguments.0.as_slice() else {
        return Err(CallError::new("dig needs at least three arguments"));
    };
    if keys.is_empty() {
        return Err(CallError::new("dig needs at least three arguments"));
    }
    let mut map = plain_map(root)?;
    let keys = keys.iter().map(|key| match key {
        Value::String(text) => Ok(text),
        other => Err(conversion(other, "string")),
    });
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let (last, path) = keys
        .split_last()
        .ok_or_else(|| CallError::new("dig needs at least three arguments"))?;
    for key in path {
        match map.get(key) {
            Some(step) => map = plain_map(&step)?,
            None => return Ok(default.clone()),
        }
    }
    Ok(map.get(last).unwrap_or_else(|| default.clone()))
}

/// Go's `value.(map[string]interface {})`, which a map of another name fails.
fn plain_map(value: &Value) -> Result<Map, CallError> {
    match value {
        Value::Map(map) if map.type_of() == Type::ANY_MAP => Ok(map.clone()),
        other => Err(conversion(other, "map[string]interface {}")),
    }
}

fn conversion(value: &Value, wanted: &str) -> CallError {
    let found = value
        .type_of()
        .map_or_else(|| "nil".to_owned(), |found| found.to_string());
    CallError::new(format!(
        "interface conversion: interface {{}} is {found}, not {wanted}"
    ))
}

fn deep_copy(value: Value) -> Result<Value, CallError> {
    match value {
        Value::Nil => Err(CallError::new(
            "reflect: call of reflect.Value.Type on zero Value",
        )),
        value => copied(&value, 0),
    }
}

fn copied(value: &Value, depth: usize) -> Result<Value, CallError> {
    bounds::depth(depth)?;
    Ok(match value {
        Value::List(list) if list.is_nil() => value.clone(),
        Value::Map(map) if map.is_nil() => value.clone(),
        Value::List(list) => {
            let items = list
                .items()
                .iter()
                .map(|item| copied(item, depth + 1))
                .collect::<Result<_, _>>()?;
            List::new(list.type_of(), items).into()
        }
        Value::Map(map) => {
            let copy = |(key, value): (&Text, &Value)| Ok((key.clone(), copied(value, depth + 1)?));
            let entries = map
                .entries()
                .iter()
                .map(copy)
                .collect::<Result<_, CallError>>()?;
            Map::with_entries(map.type_of(), entries).into()
        }
        Value::Object(object) => object.deep_copy().unwrap_or_else(|| value.clone()),
        other => other.clone(),
    })
}
