//! The difference of two objects as half a patch: the changes and additions, or the deletions.

use serde_json::{Value, json};

use super::order::{Identities, arrange, deduplicate};
use super::{DELETE_FROM_LIST, Object, PATCH, RETAIN_KEYS, SET_ORDER};
use crate::merge::Fault;
use crate::merge::go_order::{self, Type};
use crate::merge::schema::{Field, Node, Rule, Schema};

/// Which half of a difference is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Half {
    Changes,
    Deletions,
}

pub(super) struct Diff<'s> {
    pub(super) schema: &'s Schema,
    pub(super) half: Half,
}

/// The three parts of a patch for one list.
#[derive(Default)]
struct ListPatch {
    items: Vec<Value>,
    deleted_scalars: Vec<Value>,
    order: Vec<Value>,
}

impl Diff<'_> {
    // apimachinery: strategicpatch/patch.go diffMaps
    pub(super) fn objects(
        &self,
        original: &Object,
        modified: &Object,
        node: Node,
        retain_keys: bool,
    ) -> Result<Object, Fault> {
        let mut patch = Object::new();
        for (key, new) in modified {
            match original.get(key) {
                Some(old) => self.value(key, old, new, node, &mut patch)?,
                None => self.change(&mut patch, key, new),
            }
        }
        if self.half == Half::Deletions {
            let dropped = original.keys().filter(|key| !modified.contains_key(*key));
            patch.extend(dropped.map(|key| (key.clone(), Value::Null)));
        }
        if retain_keys {
            let mut retained: Vec<&String> = modified
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(key, _)| key)
                .collect();
            let clears = original
                .iter()
                .any(|(key, v)| !v.is_null() && !modified.contains_key(key));
            if !retained.is_empty() && (!patch.is_empty() || clears) {
                retained.sort();
                patch.insert(RETAIN_KEYS.to_owned(), json!(retained));
            }
        }
        Ok(patch)
    }

    fn change(&self, patch: &mut Object, key: &str, new: &Value) {
        if self.half == Half::Changes {
            patch.insert(key.to_owned(), new.clone());
        }
    }

    fn value(
        &self,
        key: &str,
        old: &Value,
        new: &Value,
        node: Node,
        patch: &mut Object,
    ) -> Result<(), Fault> {
        if key == PATCH {
            // a directive that is itself part of both objects: upstream takes it for text, and copies it
            let (Value::String(was), Value::String(is)) = (old, new) else {
                return Err(Fault::Directive);
            };
            if was != is {
                patch.insert(key.to_owned(), new.clone());
            }
            return Ok(());
        }
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                self.nested_object(key, old, new, node, patch)
            }
            (Value::Array(old), Value::Array(new)) => self.nested_list(key, old, new, node, patch),
            _ => {
                if old != new {
                    self.change(patch, key, new);
                }
                Ok(())
            }
        }
    }

    // apimachinery: strategicpatch/patch.go handleMapDiff
    fn nested_object(
        &self,
        key: &str,
        old: &Object,
        new: &Object,
        node: Node,
        patch: &mut Object,
    ) -> Result<(), Fault> {
        let (inner, field) = match self.schema.object(node, key) {
            Ok(found) => found,
            // a field the API does not know is no trouble while nobody changes it
            Err(_) if old == new => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if field.rule == Rule::Replace {
            self.change(patch, key, &Value::Object(new.clone()));
            return Ok(());
        }
        let nested = self.objects(old, new, inner, field.retain_keys)?;
        if !nested.is_empty() {
            patch.insert(key.to_owned(), Value::Object(nested));
        }
        Ok(())
    }

    // apimachinery: strategicpatch/patch.go handleSliceDiff
    fn nested_list(
        &self,
        key: &str,
        old: &[Value],
        new: &[Value],
        node: Node,
        patch: &mut Object,
    ) -> Result<(), Fault> {
        let (inner, field) = match self.schema.list(node, key) {
            Ok(found) => found,
            Err(_) if old == new => return Ok(()),
            Err(fault) => return Err(fault),
        };
        if field.rule != Rule::Merge {
            if old != new {
                self.change(patch, key, &Value::Array(new.to_vec()));
            }
            return Ok(());
        }
        let list = self.lists(key, old, new, inner, field)?;
        for (name, part) in [
            (key.to_owned(), list.items),
            (format!("{DELETE_FROM_LIST}/{key}"), list.deleted_scalars),
            (format!("{SET_ORDER}/{key}"), list.order),
        ] {
            if !part.is_empty() {
                patch.insert(name, Value::Array(part));
            }
        }
        Ok(())
    }

    // apimachinery: strategicpatch/patch.go diffLists
    fn lists(
        &self,
        key: &str,
        old: &[Value],
        new: &[Value],
        element: Node,
        field: &Field,
    ) -> Result<ListPatch, Fault> {
        if old.is_empty() {
            let items = if self.half == Half::Changes {
                new.to_vec()
            } else {
                Vec::new()
            };
            return Ok(ListPatch {
                items,
                ..ListPatch::default()
            });
        }
        if super::order::element_type(key, [old, new])? == Type::Map {
            self.lists_of_objects(key, old, new, element, field)
        } else {
            self.lists_of_scalars(key, old, new)
        }
    }

    fn lists_of_objects(
        &self,
        key: &str,
        old: &[Value],
        new: &[Value],
        element: Node,
        field: &Field,
    ) -> Result<ListPatch, Fault> {
        let merge_key = field.merge_key.as_str();
        let (changed, deleted) = self.elements(key, old, new, element, field)?;
        let new_order = Identities::of_objects(key, new, merge_key)?;
        let old_order = Identities::of_objects(key, old, merge_key)?;
        let mut items = arrange(key, changed, &new_order)?;
        items.extend(deleted);
        let reordered = !old_order.same_as(key, &new_order)? && self.half == Half::Changes;
        let order = if items.is_empty() && !reordered {
            Vec::new()
        } else {
            new_order
                .values()
                .map(|value| json!({ merge_key: value }))
                .collect()
        };
        Ok(ListPatch {
            items,
            order,
            ..ListPatch::default()
        })
    }

    /// Pairs the elements of two lists by merge key; the changed ones and the directives that delete.
    // apimachinery: strategicpatch/patch.go diffListsOfMaps
    fn elements(
        &self,
        key: &str,
        old: &[Value],
        new: &[Value],
        element: Node,
        field: &Field,
    ) -> Result<(Vec<Value>, Vec<Value>), Fault> {
        let merge_key = field.merge_key.as_str();
        let old = sorted_by_key(key, old, merge_key)?;
        let new = sorted_by_key(key, new, merge_key)?;
        let (mut changed, mut deleted) = (Vec::new(), Vec::new());
        let (mut i, mut j) = (0, 0);
        loop {
            let order = match (old.get(i), new.get(j)) {
                (Some(was), Some(is)) => was.printed.cmp(&is.printed),
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, None) => return Ok((changed, deleted)),
            };
            if order.is_eq() {
                let (was, is) = (&old[i], &new[j]);
                let mut patch = self.objects(was.object, is.object, element, field.retain_keys)?;
                if !patch.is_empty() {
                    patch.insert(merge_key.to_owned(), is.value.clone());
                    changed.push(Value::Object(patch));
                }
                i += 1;
                j += 1;
            } else if order.is_gt() {
                if self.half == Half::Changes {
                    changed.push(Value::Object(new[j].object.clone()));
                }
                j += 1;
            } else {
                if self.half == Half::Deletions {
                    deleted.push(json!({ merge_key: old[i].value, PATCH: "delete" }));
                }
                i += 1;
            }
        }
    }

    // apimachinery: strategicpatch/patch.go diffListsOfScalars
    fn lists_of_scalars(
        &self,
        key: &str,
        old: &[Value],
        new: &[Value],
    ) -> Result<ListPatch, Fault> {
        let (old, new_sorted) = (sorted_scalars(old), sorted_scalars(new));
        let (mut added, mut deleted) = (Vec::new(), Vec::new());
        let (mut i, mut j) = (0, 0);
        loop {
            let order = match (old.get(i), new_sorted.get(j)) {
                (Some((was, _)), Some((is, _))) => was.cmp(is),
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, None) => break,
            };
            if order.is_gt() {
                added.push(new_sorted[j].1.clone());
            } else if order.is_lt() {
                deleted.push(old[i].1.clone());
            }
            i += usize::from(order.is_le());
            j += usize::from(order.is_ge());
        }
        let mut list = ListPatch::default();
        match self.half {
            Half::Changes => {
                list.items = arrange(key, added, &Identities::of_scalars(key, new)?)?;
                // upstream sorts the live list in place before it compares, so a list that merely is not
                // in alphabetical order gets an order directive
                if !old.iter().map(|(_, value)| *value).eq(new) {
                    list.order = new.to_vec();
                }
            }
            Half::Deletions => {
                let kept = deduplicate(&mut deleted);
                deleted.truncate(kept);
                list.deleted_scalars = deleted;
                if !list.deleted_scalars.is_empty() {
                    list.order = new.to_vec();
                }
            }
        }
        Ok(list)
    }
}

/// A list element with its merge key and the text that upstream sorts by.
struct Keyed<'v> {
    object: &'v Object,
    value: &'v Value,
    printed: String,
}

// apimachinery: strategicpatch/patch.go sortMapsBasedOnField
fn sorted_by_key<'v>(
    list: &str,
    items: &'v [Value],
    merge_key: &str,
) -> Result<Vec<Keyed<'v>>, Fault> {
    let mut keyed = items
        .iter()
        .map(|item| {
            let object = item.as_object().ok_or_else(|| Fault::MixedList {
                list: list.to_owned(),
            })?;
            let value = object.get(merge_key).ok_or_else(|| Fault::NoMergeKey {
                list: list.to_owned(),
                merge_key: merge_key.to_owned(),
            })?;
            Ok(Keyed {
                object,
                value,
                printed: go_order::print(value),
            })
        })
        .collect::<Result<Vec<_>, Fault>>()?;
    go_order::sort(&mut keyed, |a, b| a.printed <= b.printed);
    Ok(keyed)
}

fn sorted_scalars(items: &[Value]) -> Vec<(String, &Value)> {
    let mut printed: Vec<_> = items
        .iter()
        .map(|item| (go_order::print(item), item))
        .collect();
    go_order::sort(&mut printed, |a, b| a.0 <= b.0);
    printed
}
