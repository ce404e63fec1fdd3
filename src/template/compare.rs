//! Truth, order and equality: Go's `template.IsTrue`, `eq` and its kin, and `reflect.DeepEqual`.

use std::cmp::Ordering;

use super::function::CallError;
use super::print::sprintf;
use super::value::{List, Map, Object, Value};

/// Go's truth: false are the zero of every type, what is empty, and nil; a struct is always true.
pub fn is_true(value: &Value) -> bool {
    match value {
        Value::Nil => false,
        Value::Bool(truth) => *truth,
        Value::Int(_, number) => *number != 0,
        Value::Uint(_, number) => *number != 0,
        Value::Float(_, number) => *number != 0.0,
        Value::String(text) => !text.as_bytes().is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::List(list) => !list.is_empty(),
        Value::Map(map) => !map.is_empty(),
        Value::Object(object) => object.is_true(),
    }
}

/// Go's basic kinds: what can be ordered, or compared across types of the same kind.
enum Basic<'v> {
    None,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    String(&'v [u8]),
}

impl<'v> Basic<'v> {
    fn of(value: &'v Value) -> Self {
        match value {
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(_, number) => Self::Int(*number),
            Value::Uint(_, number) => Self::Uint(*number),
            Value::Float(_, number) => Self::Float(*number),
            Value::String(text) => Self::String(text.as_bytes()),
            // A number with methods, such as a time.Duration.
            Value::Object(object) if object.kind().starts_with("int") => match object.to_data() {
                Ok(Value::Int(_, number)) => Self::Int(number),
                _ => Self::None,
            },
            _ => Self::None,
        }
    }
}

fn incompatible(first: &Value, second: &Value) -> CallError {
    CallError::new(format!(
        "incompatible types for comparison: {} and {}",
        first.type_name(),
        second.type_name()
    ))
}

/// `eq`: whether the first equals any of the others.
pub(super) fn equal(first: &Value, others: &[Value]) -> Result<bool, CallError> {
    if others.is_empty() {
        return Err(CallError::new("missing argument for comparison"));
    }
    for other in others {
        if equal_pair(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal_pair(first: &Value, second: &Value) -> Result<bool, CallError> {
    Ok(match (Basic::of(first), Basic::of(second)) {
        (Basic::Bool(a), Basic::Bool(b)) => a == b,
        (Basic::Int(a), Basic::Int(b)) => a == b,
        (Basic::Uint(a), Basic::Uint(b)) => a == b,
        (Basic::Float(a), Basic::Float(b)) => a == b,
        (Basic::String(a), Basic::String(b)) => a == b,
        // Integers compare whatever their signs.
        (Basic::Int(a), Basic::Uint(b)) | (Basic::Uint(b), Basic::Int(a)) => {
            u64::try_from(a) == Ok(b)
        }
        (Basic::None, Basic::None) => return equal_others(first, second),
        _ if first.is_nil() || second.is_nil() => false,
        _ => return Err(incompatible(first, second)),
    })
}

/// Two values of no basic kind. Go: funcs.go eq, the default branch.
fn equal_others(first: &Value, second: &Value) -> Result<bool, CallError> {
    if first.is_nil() || second.is_nil() {
        return Ok(nil_of_type(first) == nil_of_type(second));
    }
    if first.kind() != second.kind() {
        let (first_type, second_type) = (type_text(first), type_text(second));
        let args = [first.clone(), first_type, second_type, second.clone()];
        let text = sprintf(b"non-comparable types %s: %v, %s: %v", &args);
        return Err(CallError::new(text.to_string()));
    }
    if nil_of_type(first) || nil_of_type(second) {
        return Ok(nil_of_type(first) == nil_of_type(second));
    }
    match (first, second) {
        (Value::Object(a), Value::Object(b)) if !matches!(a.kind(), "map" | "slice") => {
            Ok(equal_objects(a.as_ref(), b.as_ref()))
        }
        _ => {
            let text = sprintf(
                b"non-comparable type %s: %v",
                &[second.clone(), type_text(second)],
            );
            Err(CallError::new(text.to_string()))
        }
    }
}

fn type_text(value: &Value) -> Value {
    Value::string(value.type_name())
}

/// Nil, or the nil of its type.
fn nil_of_type(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        Value::Object(object) => object.kind() == "ptr" && !object.is_true(),
        _ => false,
    }
}

/// Pointers are equal if they are the same; structs if their fields are.
fn equal_objects(first: &dyn Object, second: &dyn Object) -> bool {
    if std::ptr::addr_eq(first, second) {
        return true;
    }
    if first.kind() == "ptr" || first.type_name() != second.type_name() {
        return false;
    }
    match (first.to_data(), second.to_data()) {
        (Ok(first), Ok(second)) => deep_equal(&first, &second),
        _ => false,
    }
}

/// How two values stand to each other. Go: funcs.go lt.
fn less(first: &Value, second: &Value) -> Result<bool, CallError> {
    let invalid = || CallError::new("invalid type for comparison");
    let (a, b) = (Basic::of(first), Basic::of(second));
    if matches!(a, Basic::None) || matches!(b, Basic::None) {
        return Err(invalid());
    }
    Ok(match (a, b) {
        (Basic::Int(a), Basic::Int(b)) => a < b,
        (Basic::Uint(a), Basic::Uint(b)) => a < b,
        (Basic::Float(a), Basic::Float(b)) => a < b,
        (Basic::String(a), Basic::String(b)) => a < b,
        (Basic::Int(a), Basic::Uint(b)) => u64::try_from(a).map_or(true, |a| a < b),
        (Basic::Uint(a), Basic::Int(b)) => u64::try_from(b).is_ok_and(|b| a < b),
        (Basic::Bool(_), Basic::Bool(_)) => return Err(invalid()),
        _ => return Err(incompatible(first, second)),
    })
}

/// `lt`, `le`, `gt`, `ge`: whether the order of the two is among the wanted ones. Go builds all of
/// them on `lt` and `eq`, which shows with NaN.
pub(super) fn ordered(
    first: &Value,
    second: &Value,
    wanted: &[Ordering],
) -> Result<bool, CallError> {
    let less = less(first, second)?;
    Ok(match wanted {
        [Ordering::Less] => less,
        [Ordering::Less, Ordering::Equal] => less || equal_pair(first, second)?,
        [Ordering::Greater] => !(less || equal_pair(first, second)?),
        _ => !less,
    })
}

/// Go's `reflect.DeepEqual`: same types, same nilness, same items.
pub fn deep_equal(first: &Value, second: &Value) -> bool {
    Comparison::default().equal(first, second)
}

/// How deep values can be before cycles are looked out for.
const SHALLOW: usize = 64;

/// How deep values can be nested; beyond, they count as different.
const DEEPEST: usize = 2_000;

/// The pairs that are being compared: Go, too, takes a pair that it meets again for equal.
#[derive(Default)]
struct Comparison {
    lists: Vec<(List, List)>,
    maps: Vec<(Map, Map)>,
    depth: usize,
}

impl Comparison {
    fn equal(&mut self, first: &Value, second: &Value) -> bool {
        match (first, second) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a, x), Value::Int(b, y)) => a == b && x == y,
            (Value::Uint(a, x), Value::Uint(b, y)) => a == b && x == y,
            (Value::Float(a, x), Value::Float(b, y)) => a == b && x == y,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::List(a), Value::List(b)) => self.equal_lists(a, b),
            (Value::Map(a), Value::Map(b)) => self.equal_maps(a, b),
            (Value::Object(a), Value::Object(b)) => {
                a.type_name() == b.type_name()
                    && (std::ptr::addr_eq(a.as_ref(), b.as_ref())
                        || match (a.to_data(), b.to_data()) {
                            (Ok(first), Ok(second)) => {
                                self.deeper(|this| this.equal(&first, &second))
                            }
                            _ => false,
                        })
            }
            _ => false,
        }
    }

    fn deeper(&mut self, equal: impl FnOnce(&mut Self) -> bool) -> bool {
        self.depth += 1;
        let equal = self.depth < DEEPEST && equal(self);
        self.depth -= 1;
        equal
    }

    fn equal_lists(&mut self, first: &List, second: &List) -> bool {
        if first.type_of() != second.type_of()
            || first.is_nil() != second.is_nil()
            || first.len() != second.len()
        {
            return false;
        }
        let met = |(a, b): &(List, List)| a.same(first) && b.same(second);
        if first.same(second) || self.lists.iter().any(met) {
            return true;
        }
        if self.depth >= SHALLOW {
            self.lists.push((first.clone(), second.clone()));
        }
        let (first, second) = (first.items(), second.items());
        self.deeper(|this| {
            first
                .iter()
                .zip(second.iter())
                .all(|(a, b)| this.equal(a, b))
        })
    }

    fn equal_maps(&mut self, first: &Map, second: &Map) -> bool {
        if first.type_of() != second.type_of()
            || first.is_nil() != second.is_nil()
            || first.len() != second.len()
        {
            return false;
        }
        let met = |(a, b): &(Map, Map)| a.same(first) && b.same(second);
        if first.same(second) || self.maps.iter().any(met) {
            return true;
        }
        if self.depth >= SHALLOW {
            self.maps.push((first.clone(), second.clone()));
        }
        let (first, second) = (first.entries(), second.entries());
        self.deeper(|this| {
            first
                .iter()
                .zip(second.iter())
                .all(|((a, x), (b, y))| a == b && this.equal(x, y))
        })
    }
}
