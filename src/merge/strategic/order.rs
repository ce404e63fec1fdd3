//! The order of merged lists: `$setElementOrder` first, then the order of the patch, then that of the live list.

use std::cell::Cell;

use serde_json::Value;

use super::PATCH;
use crate::merge::Fault;
use crate::merge::go_order::{self, Type, type_of};

/// What tells the elements of a list apart, in list order: the merge key's values, or the scalars themselves.
#[derive(Debug)]
pub(super) struct Identities<'k> {
    merge_key: Option<&'k str>,
    values: Vec<Value>,
}

impl<'k> Identities<'k> {
    pub(super) fn of_objects(
        list: &str,
        items: &[Value],
        merge_key: &'k str,
    ) -> Result<Self, Fault> {
        let values = items
            .iter()
            .map(|item| identity(list, item, Some(merge_key)).cloned());
        Ok(Self {
            merge_key: Some(merge_key),
            values: values.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn of_keys(values: Vec<Value>, merge_key: &'k str) -> Self {
        Self {
            merge_key: Some(merge_key),
            values,
        }
    }

    pub(super) fn of_scalars(list: &str, items: &[Value]) -> Result<Self, Fault> {
        let values = items.iter().map(|item| identity(list, item, None).cloned());
        Ok(Self {
            merge_key: None,
            values: values.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn of(
        list: &str,
        items: &[Value],
        merge_key: Option<&'k str>,
    ) -> Result<Self, Fault> {
        match merge_key {
            Some(merge_key) => Self::of_objects(list, items, merge_key),
            None => Self::of_scalars(list, items),
        }
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        self.values.iter()
    }

    /// Whether two lists have the same elements in the same order.
    pub(super) fn same_as(&self, list: &str, other: &Self) -> Result<bool, Fault> {
        if self.values.len() != other.values.len() {
            return Ok(false);
        }
        for (a, b) in self.values.iter().zip(&other.values) {
            if !same(list, a, b)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn position(&self, list: &str, item: &Value) -> Result<Option<usize>, Fault> {
        let wanted = identity(list, item, self.merge_key)?;
        for (position, value) in self.values.iter().enumerate() {
            if same(list, wanted, value)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }
}

/// Equality of two identities. Go panics where it compares two objects or two lists.
pub(super) fn same(list: &str, a: &Value, b: &Value) -> Result<bool, Fault> {
    if a.is_object() && b.is_object() || a.is_array() && b.is_array() {
        return Err(Fault::Incomparable {
            list: list.to_owned(),
        });
    }
    Ok(a == b)
}

/// The merge key's value of an object, or a scalar itself.
pub(super) fn identity<'v>(
    list: &str,
    item: &'v Value,
    merge_key: Option<&str>,
) -> Result<&'v Value, Fault> {
    let Some(merge_key) = merge_key else {
        return Ok(item);
    };
    let object = item.as_object().ok_or_else(|| Fault::MixedList {
        list: list.to_owned(),
    })?;
    object.get(merge_key).ok_or_else(|| Fault::NoMergeKey {
        list: list.to_owned(),
        merge_key: merge_key.to_owned(),
    })
}

/// The one type of all elements.
// apimachinery: strategicpatch/patch.go sliceElementType, which panics on a null
pub(super) fn element_type<const N: usize>(
    list: &str,
    slices: [&[Value]; N],
) -> Result<Type, Fault> {
    let mut types = slices.into_iter().flatten().map(type_of);
    let first = types.next().ok_or_else(|| Fault::EmptyLists {
        list: list.to_owned(),
    })?;
    if first == Type::List {
        return Err(Fault::ListOfLists);
    }
    if first == Type::Nil || types.any(|other| other != first) {
        return Err(Fault::MixedList {
            list: list.to_owned(),
        });
    }
    Ok(first)
}

/// Sorts elements by an order; objects that say `$patch: delete` go last.
// apimachinery: strategicpatch/patch.go normalizeSliceOrder
pub(super) fn arrange(
    list: &str,
    items: Vec<Value>,
    order: &Identities<'_>,
) -> Result<Vec<Value>, Fault> {
    let (deletions, kept): (Vec<_>, Vec<_>) = items
        .into_iter()
        .partition(|item| order.merge_key.is_some() && deletes(item));
    for item in kept.iter().chain(&deletions) {
        identity(list, item, order.merge_key)?;
    }
    let mut placed: Vec<_> = kept
        .into_iter()
        .map(|item| (order.position(list, &item), item))
        .collect();
    // a fault counts only where the sort looks at it, as in Go
    let fault = Cell::new(None);
    let fail = |found: &Fault| {
        fault.set(Some(found.clone()));
        true
    };
    // what is not in the order counts as smaller than anything, on both sides of the comparison
    go_order::sort_stable(&mut placed, |(a, _), (b, _)| match (a, b) {
        (Err(found), _) | (Ok(Some(_)), Err(found)) => fail(found),
        (Ok(Some(a)), Ok(Some(b))) => a < b,
        _ => true,
    });
    match fault.into_inner() {
        Some(fault) => Err(fault),
        None => Ok(placed
            .into_iter()
            .map(|(_, item)| item)
            .chain(deletions)
            .collect()),
    }
}

pub(super) fn deletes(item: &Value) -> bool {
    item.get(PATCH)
        .is_some_and(|directive| directive == "delete")
}

/// Interleaves the elements a patch names with those only the server has.
// apimachinery: strategicpatch/patch.go normalizeElementOrder and mergeSortedSlice
pub(super) fn interleave(
    list: &str,
    named: Vec<Value>,
    server_only: Vec<Value>,
    patch_order: &Identities<'_>,
    server_order: &Identities<'_>,
) -> Result<Vec<Value>, Fault> {
    let named = arrange(list, named, patch_order)?;
    let server_only = arrange(list, server_only, server_order)?;
    let mut merged = Vec::with_capacity(named.len() + server_only.len());
    let mut named = named.into_iter().peekable();
    for item in server_only {
        while let Some(next) = named.peek() {
            let (here, there) = (
                server_order.position(list, &item)?,
                server_order.position(list, next)?,
            );
            if matches!((here, there), (Some(here), Some(there)) if here < there) {
                break;
            }
            merged.extend(named.next());
        }
        merged.push(item);
    }
    merged.extend(named);
    Ok(merged)
}

/// Moves the first of each scalar to the front and returns how many there are. A repeated one is overwritten
/// by the last, as upstream does it, so the order of the rest changes.
// apimachinery: strategicpatch/patch.go deduplicateScalars
pub(super) fn deduplicate(items: &mut [Value]) -> usize {
    let mut length = items.len();
    let mut i = 0;
    while i + 1 < length {
        let mut j = i + 1;
        while j < length {
            if items[i] == items[j] {
                items[j] = items[length - 1].clone();
                length -= 1;
            } else {
                j += 1;
            }
        }
        i += 1;
    }
    length
}
