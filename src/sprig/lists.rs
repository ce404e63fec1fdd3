//! Lists. Each function has one body under its plain and its `must` name: Go's plain one panics
//! with the error that the other returns, and a template shows both alike.

use std::cell::Ref;
use std::ops::Deref;

use crate::template::compare::deep_equal;
use crate::template::{CallError, Function, List, Rest, Type, Value};

use super::bounds;
use super::cast::to_int64;
use super::defaults::is_empty;
use super::strings::{to_string, to_strings};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    let list = || Function::new(|items: Rest<Value>| Value::list(items.0));
    let mut functions = vec![
        ("list", list()),
        ("tuple", list()),
        ("sortAlpha", Function::new(sort_alpha)),
        ("concat", Function::new(concat)),
    ];
    let twins = [
        ("append", "mustAppend", Function::new(append)),
        ("push", "mustPush", Function::new(append)),
        ("prepend", "mustPrepend", Function::new(prepend)),
        ("first", "mustFirst", Function::new(first)),
        ("last", "mustLast", Function::new(last)),
        ("rest", "mustRest", Function::new(rest)),
        ("initial", "mustInitial", Function::new(initial)),
        ("reverse", "mustReverse", Function::new(reverse)),
        ("uniq", "mustUniq", Function::new(unique)),
        ("compact", "mustCompact", Function::new(compact)),
        ("without", "mustWithout", Function::new(without)),
        ("has", "mustHas", Function::new(has)),
        ("slice", "mustSlice", Function::new(slice)),
        ("chunk", "mustChunk", Function::new(chunk)),
    ];
    for (plain, must, function) in twins {
        functions.push((plain, function.clone()));
        functions.push((must, function));
    }
    functions
}

/// The items of what Go's reflection calls a slice.
pub(super) enum Items<'v> {
    Shared(Ref<'v, Vec<Value>>),
    Own(Vec<Value>),
}

impl<'v> Items<'v> {
    /// The items; nothing if the value is no slice.
    pub(super) fn of(value: &'v Value) -> Option<Self> {
        match value {
            Value::List(list) => Some(Self::Shared(list.items())),
            Value::Bytes(bytes) => Some(Self::Own(
                bytes.iter().map(|&byte| Value::byte(byte)).collect(),
            )),
            Value::Object(object) if matches!(object.kind(), "slice" | "array") => {
                match object.entries()? {
                    Value::List(list) => Some(Self::Own(list.to_vec())),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The items, or Go's complaint that one cannot `action` such a type.
    fn expect(value: &'v Value, action: &str) -> Result<Self, CallError> {
        not_nil(value)?;
        Self::of(value)
            .ok_or_else(|| CallError::new(format!("Cannot {action} type {}", value.kind())))
    }
}

impl Deref for Items<'_> {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        match self {
            Self::Shared(items) => items,
            Self::Own(items) => items,
        }
    }
}

/// What becomes of a nil whose type is asked for.
pub(super) fn not_nil(value: &Value) -> Result<(), CallError> {
    match value {
        Value::Nil => Err(CallError::new(
            "runtime error: invalid memory address or nil pointer dereference",
        )),
        _ => Ok(()),
    }
}

/// A part of a list: a list of its own, or the nil slice where there is none.
fn part(items: Option<&[Value]>) -> Value {
    match items {
        Some(items) => Value::list(items.to_vec()),
        None => List::nil(Type::ANY_SLICE).into(),
    }
}

fn first(list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "find first on")?;
    Ok(items.first().cloned().unwrap_or_default())
}

fn last(list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "find last on")?;
    Ok(items.last().cloned().unwrap_or_default())
}

fn rest(list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "find rest on")?;
    Ok(part(items.split_first().map(|(_, rest)| rest)))
}

fn initial(list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "find initial on")?;
    Ok(part(items.split_last().map(|(_, initial)| initial)))
}

fn reverse(list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "find reverse on")?;
    Ok(Value::list(items.iter().rev().cloned().collect()))
}

fn compact(list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "compact on")?;
    let kept = items.iter().filter(|item| !is_empty(item)).cloned();
    Ok(Value::list(kept.collect()))
}

fn without(list: Value, omitted: Rest<Value>) -> Result<Value, CallError> {
    let items = Items::expect(&list, "find without on")?;
    let kept = items
        .iter()
        .filter(|item| !contains(&omitted.0, item))
        .cloned();
    Ok(Value::list(kept.collect()))
}

fn append(list: Value, item: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "push on")?;
    Ok(Value::list(items.iter().cloned().chain([item]).collect()))
}

fn prepend(list: Value, item: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "prepend on")?;
    Ok(Value::list(
        [item].into_iter().chain(items.iter().cloned()).collect(),
    ))
}

fn concat(lists: Rest<Value>) -> Result<Value, CallError> {
    let mut all = Vec::new();
    for list in &lists.0 {
        not_nil(list)?;
        let Some(items) = Items::of(list) else {
            return Err(CallError::new(format!(
                "Cannot concat type {} as list",
                list.kind()
            )));
        };
        bounds::items(all.len() + items.len())?;
        all.extend_from_slice(&items);
    }
    // Go appends to a nil slice.
    Ok(if all.is_empty() {
        List::nil(Type::ANY_SLICE).into()
    } else {
        Value::list(all)
    })
}

/// Sorted as strings: a `[]string` in place, anything else as a copy.
// sprig: list.go sortAlpha
fn sort_alpha(value: Value) -> Value {
    if Items::of(&value).is_none() {
        return Value::strings([to_string(&value)]);
    }
    let texts = to_strings(&value);
    if let Value::List(list) = &texts {
        list.items_mut().sort_by(|one, other| match (one, other) {
            (Value::String(one), Value::String(other)) => one.cmp(other),
            _ => std::cmp::Ordering::Equal,
        });
    }
    texts
}

fn contains(haystack: &[Value], needle: &Value) -> bool {
    haystack.iter().any(|item| deep_equal(needle, item))
}

fn unique(list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "find uniq on")?;
    let mut kept = Unique::default();
    items.iter().for_each(|item| kept.add(item));
    Ok(Value::list(kept.items))
}

/// Items without those that equal an earlier one. Strings are looked up, so that a long list of
/// them does not take the square of its length.
#[derive(Default)]
struct Unique {
    items: Vec<Value>,
    strings: std::collections::HashSet<crate::template::Text>,
    others: Vec<Value>,
}

impl Unique {
    fn add(&mut self, item: &Value) {
        let new = match item {
            Value::String(text) => self.strings.insert(text.clone()),
            other if contains(&self.others, other) => false,
            other => {
                self.others.push(other.clone());
                true
            }
        };
        if new {
            self.items.push(item.clone());
        }
    }
}

fn has(needle: Value, haystack: Value) -> Result<bool, CallError> {
    match haystack {
        Value::Nil => Ok(false),
        _ => Ok(contains(&Items::expect(&haystack, "find has on")?, &needle)),
    }
}

// sprig: list.go mustSlice
fn slice(list: Value, indices: Rest<Value>) -> Result<Value, CallError> {
    not_nil(&list)?;
    let Some(items) = Items::of(&list) else {
        return Err(CallError::new(format!(
            "list should be type of slice or array but {}",
            list.kind()
        )));
    };
    if items.is_empty() {
        return Ok(Value::Nil);
    }
    let index = |at: usize, otherwise: usize| match indices.0.get(at) {
        Some(index) => usize::try_from(to_int64(index)).ok(),
        None => Some(otherwise),
    };
    let range = match (index(0, 0), index(1, items.len())) {
        (Some(start), Some(end)) => items.get(start..end),
        _ => None,
    };
    let Some(range) = range else {
        return Err(CallError::new(
            "reflect.Value.Slice: slice index out of bounds",
        ));
    };
    Ok(match &list {
        Value::List(list) => List::new(list.type_of(), range.to_vec()).into(),
        Value::Bytes(bytes) => {
            let start = index(0, 0).unwrap_or_default();
            Value::Bytes(bytes[start..start + range.len()].into())
        }
        _ => Value::list(range.to_vec()),
    })
}

// sprig: list.go mustChunk
fn chunk(size: isize, list: Value) -> Result<Value, CallError> {
    let items = Items::expect(&list, "chunk")?;
    // sprig: list.go mustChunk reckons in floats how many chunks there will be.
    let count = ((items.len() as f64 - 1.0) / size as f64).floor() + 1.0;
    let size = match usize::try_from(size) {
        Ok(size) if size > 0 => size,
        _ if count == 0.0 => return Ok(List::new(Type::Slice(&Type::ANY_SLICE), vec![]).into()),
        // The last chunk has what is left over, however large the others would be.
        _ if size < -1 && items.len() == 1 => 1,
        _ => {
            return Err(CallError::new("runtime error: makeslice: len out of range"));
        }
    };
    let chunks = items
        .chunks(size)
        .map(|chunk| Value::list(chunk.to_vec()))
        .collect();
    Ok(List::new(Type::Slice(&Type::ANY_SLICE), chunks).into())
}
