//! Merging of dictionaries, with all that mergo v1.0.1 does: the first map is changed in place,
//! maps that it lacks are shared with where they came from, and what counts as empty is filled in.

use crate::template::{CallError, Function, Map, Rest, Text, Type, Value};

use super::bounds;

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    let merging = |rule: Rule| {
        Function::new(move |target: Map, sources: Rest<Map>| merge(&target, &sources.0, rule))
    };
    vec![
        ("merge", merging(Rule::FillEmpty)),
        ("mustMerge", merging(Rule::FillEmpty)),
        ("mergeOverwrite", merging(Rule::Overwrite)),
        ("mustMergeOverwrite", merging(Rule::Overwrite)),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Only what is missing or empty in the target is set.
    FillEmpty,
    /// Whatever the source has is set.
    Overwrite,
}

fn merge(target: &Map, sources: &[Map], rule: Rule) -> Result<Map, CallError> {
    let mut target = target.clone();
    for source in sources {
        // mergo makes the caller's variable a map, which nobody else sees.
        if target.is_nil() && !source.is_nil() {
            target = Map::default();
        }
        merge_maps(&target, source, rule, 0)?;
    }
    Ok(target)
}

// mergo: merge.go deepMerge, case reflect.Map
fn merge_maps(target: &Map, source: &Map, rule: Rule, depth: usize) -> Result<(), CallError> {
    bounds::depth(depth)?;
    // The source may be the target, or inside it: no borrow may last.
    for key in source.keys() {
        let Some(value) = source.get(&key) else {
            continue;
        };
        let present = target.get(&key);
        match (&value, &present) {
            (Value::Nil, _) => {
                if rule == Rule::Overwrite {
                    insert(target, key, Value::Nil)?;
                }
                continue;
            }
            // A nested nil map cannot be written to, and mergo lets it be.
            (Value::Map(value), Some(Value::Map(present))) if !present.is_nil() => {
                merge_maps(present, value, rule, depth + 1)?;
            }
            _ => {}
        }
        // Asked only now: what was an empty map may have been filled.
        if let Some(present) = present.as_ref().filter(|present| !is_empty(present)) {
            let merged = value.kind() == "map" && present.kind() == "map";
            if merged || rule == Rule::FillEmpty {
                continue;
            }
        }
        insert(target, key, value)?;
    }
    Ok(())
}

/// Sets an entry, if a map of this type can hold the value.
fn insert(target: &Map, key: Text, value: Value) -> Result<(), CallError> {
    match target.type_of() {
        Type::Map(Type::String) if !matches!(value, Value::String(_)) => Err(CallError::new(
            "reflect.Value.SetMapIndex: value of type interface {} is not assignable to type string",
        )),
        _ => {
            target.insert(key, value);
            Ok(())
        }
    }
}

// mergo: mergo.go isEmptyValue
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            object.kind() != "struct" && object.kind() != "ptr" && !object.is_true()
        }
        other => super::defaults::is_empty(other),
    }
}
