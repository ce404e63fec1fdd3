//! JSON merge patches (RFC 7386) for custom resources, with the three-way form kubectl gave them.
//!
//! Integers are compared and kept exactly; upstream reads them as floats and rounds beyond 2^53.

use serde_json::{Map, Value};

use super::Fault;

type Object = Map<String, Value>;

/// The changes from `live` to `target`, and the removal of what `previous` had and `target` has not.
// apimachinery: jsonmergepatch/patch.go CreateThreeWayJSONMergePatch, with kubectl's preconditions
pub(super) fn three_way(
    previous: &Object,
    target: &Object,
    live: &Object,
) -> Result<Object, Fault> {
    let changes = without_nulls(difference(live, target));
    let removals = only_nulls(difference(previous, target));
    if objects_conflict(&changes, &removals) {
        return Err(Fault::Conflict);
    }
    let mut patch = removals;
    merge(&mut patch, changes);
    for field in ["apiVersion", "kind"] {
        if patch.contains_key(field) {
            return Err(Fault::Identity { field });
        }
    }
    if patch
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
        .is_some()
    {
        return Err(Fault::Identity {
            field: "metadata.name",
        });
    }
    Ok(patch)
}

/// What a server makes of `live` when it gets `patch`.
// json-patch v4: merge.go MergePatch
pub(super) fn apply(live: &Value, patch: &Value) -> Value {
    match (live, patch) {
        (Value::Object(live), Value::Object(patch)) => {
            let mut merged = live.clone();
            merge(&mut merged, patch.clone());
            Value::Object(merged)
        }
        (_, patch) => {
            let mut taken = patch.clone();
            prune_nulls(&mut taken);
            taken
        }
    }
}

// json-patch v4: merge.go getDiff
fn difference(old: &Object, new: &Object) -> Object {
    let mut patch = Object::new();
    for (key, value) in new {
        match (old.get(key), value) {
            (Some(Value::Object(was)), Value::Object(is)) => {
                let nested = difference(was, is);
                if !nested.is_empty() {
                    patch.insert(key.clone(), Value::Object(nested));
                }
            }
            (Some(was), is) if same(was, is) => {}
            (_, is) => {
                patch.insert(key.clone(), is.clone());
            }
        }
    }
    let dropped = old.keys().filter(|key| !new.contains_key(*key));
    patch.extend(dropped.map(|key| (key.clone(), Value::Null)));
    patch
}

/// Equality in which 1 is 1.0.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x == y || (x.is_f64() || y.is_f64()) && x.as_f64() == y.as_f64()
        }
        (Value::Array(x), Value::Array(y)) => {
            x.len() == y.len() && x.iter().zip(y).all(|(x, y)| same(x, y))
        }
        (Value::Object(x), Value::Object(y)) => {
            x.len() == y.len()
                && x.iter()
                    .all(|(key, x)| y.get(key).is_some_and(|y| same(x, y)))
        }
        _ => a == b,
    }
}

/// The additions and changes of a patch. An empty object is a value; one that held only nulls is none.
// apimachinery: jsonmergepatch/patch.go keepOrDeleteNullInObj
fn without_nulls(patch: Object) -> Object {
    let kept = patch.into_iter().filter_map(|(key, value)| match value {
        Value::Null => None,
        Value::Object(nested) if !nested.is_empty() => {
            let nested = without_nulls(nested);
            (!nested.is_empty()).then_some((key, Value::Object(nested)))
        }
        value => Some((key, value)),
    });
    kept.collect()
}

/// The removals of a patch.
fn only_nulls(patch: Object) -> Object {
    let kept = patch.into_iter().filter_map(|(key, value)| match value {
        Value::Null => Some((key, Value::Null)),
        Value::Object(nested) => {
            let nested = only_nulls(nested);
            (!nested.is_empty()).then_some((key, Value::Object(nested)))
        }
        _ => None,
    });
    kept.collect()
}

// apimachinery: mergepatch/util.go HasConflicts
fn objects_conflict(left: &Object, right: &Object) -> bool {
    left.iter()
        .any(|(key, left)| right.get(key).is_some_and(|right| conflict(left, right)))
}

fn conflict(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => objects_conflict(left, right),
        (Value::Array(left), Value::Array(right)) => {
            left.len() != right.len()
                || left
                    .iter()
                    .zip(right)
                    .any(|(left, right)| conflict(left, right))
        }
        _ => left != right,
    }
}

// json-patch v4: merge.go mergeDocs
fn merge(document: &mut Object, patch: Object) {
    for (key, mut value) in patch {
        if value.is_null() {
            document.remove(&key);
            continue;
        }
        match (document.get_mut(&key), value) {
            (Some(Value::Object(nested)), Value::Object(patch)) => merge(nested, patch),
            // what replaces an object is taken as it is, nulls in its lists included
            (Some(Value::Object(_)), taken) => {
                document.insert(key, taken);
            }
            (_, taken) => {
                value = taken;
                prune_nulls(&mut value);
                document.insert(key, value);
            }
        }
    }
}

/// Drops null fields everywhere; a null that is an element of a list stays.
fn prune_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(prune_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(prune_nulls),
        _ => {}
    }
}
