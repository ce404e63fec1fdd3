//! Lays a patch over an object: over a live one, as a server does, or over another patch, which is how the
//! two halves of a three-way merge become one.

use serde_json::Value;

use super::order::{Identities, deduplicate, deletes, element_type, identity, interleave, same};
use super::{DELETE_FROM_LIST, Object, PATCH, RETAIN_KEYS, SET_ORDER};
use crate::merge::Fault;
use crate::merge::go_order::{Type, type_of};
use crate::merge::schema::{Field, Node, Rule, Schema};

/// What a patch is laid over.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    /// Another patch: directives and nulls are kept for the server.
    TwoPatches,
    /// A live object: directives are carried out, and a null deletes.
    Server,
}

pub(super) struct Combine<'s> {
    pub(super) schema: &'s Schema,
    pub(super) side: Side,
}

/// A merged list, and the live list as Go's memory shows it afterwards. Upstream goes on to order the
/// merged list by the live one, whose array it has deleted from and appended to in the meantime.
struct Merged<'k> {
    items: Vec<Value>,
    live: Result<Identities<'k>, Fault>,
}

impl Combine<'_> {
    // apimachinery: strategicpatch/patch.go mergeMap
    pub(super) fn objects(
        &self,
        mut original: Object,
        mut patch: Object,
        node: Node,
    ) -> Result<Object, Fault> {
        if let Some(directive) = patch.remove(PATCH) {
            return match directive.as_str() {
                Some("replace") => Ok(patch),
                Some("delete") => Ok(Object::new()),
                _ => Err(Fault::Directive),
            };
        }
        self.retain_keys(&mut original, &mut patch)?;
        self.ordered_lists(&mut original, &mut patch, node)?;
        for (key, value) in patch {
            self.value(&mut original, key, value, node)?;
        }
        Ok(original)
    }

    fn value(
        &self,
        original: &mut Object,
        key: String,
        mut new: Value,
        node: Node,
    ) -> Result<(), Fault> {
        let deletes_scalars = key.starts_with(DELETE_FROM_LIST);
        if deletes_scalars && self.side == Side::TwoPatches {
            original.insert(key, new);
            return Ok(());
        }
        let key = if deletes_scalars {
            field_of(&key, DELETE_FROM_LIST)?
        } else {
            key
        };
        if new.is_null() {
            original.remove(&key);
            if self.side == Side::Server {
                return Ok(());
            }
        }
        let merged = match (original.remove(&key), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let (inner, field) = self.schema.object(node, &key)?;
                Some(Value::Object(match field.rule {
                    Rule::Replace => new,
                    _ => self.objects(old, new, inner)?,
                }))
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let (inner, field) = self.schema.list(node, &key)?;
                Some(Value::Array(
                    self.lists(&key, old, new, inner, field, deletes_scalars)?
                        .items,
                ))
            }
            // scalars to delete from something that is no list: nothing happens
            (Some(old), new) if deletes_scalars && type_of(&old) != type_of(&new) => Some(old),
            (None, _) if deletes_scalars => None,
            (_, taken) => {
                new = taken;
                if self.side == Side::Server {
                    strip_nulls(&mut new);
                }
                without_directives(new)
            }
        };
        original.extend(merged.map(|value| (key, value)));
        Ok(())
    }

    // apimachinery: strategicpatch/patch.go applyRetainKeysDirective
    fn retain_keys(&self, original: &mut Object, patch: &mut Object) -> Result<(), Fault> {
        let Some(retained) = patch.remove(RETAIN_KEYS) else {
            return Ok(());
        };
        if self.side == Side::TwoPatches {
            return match original.get(RETAIN_KEYS) {
                Some(other) if *other != retained => Err(Fault::Directive),
                Some(_) => Ok(()),
                None => {
                    original.insert(RETAIN_KEYS.to_owned(), retained);
                    Ok(())
                }
            };
        }
        let Value::Array(names) = retained else {
            return Err(Fault::Directive);
        };
        let keeps = |key: &String| names.iter().any(|name| name == key);
        let directive =
            |key: &String| key.starts_with(DELETE_FROM_LIST) || key.starts_with(SET_ORDER);
        if patch
            .iter()
            .any(|(key, value)| !value.is_null() && !directive(key) && !keeps(key))
        {
            return Err(Fault::Directive);
        }
        original.retain(|key, _| keeps(key));
        Ok(())
    }

    /// Merges the lists that come with an order, and takes them out of the patch.
    // apimachinery: strategicpatch/patch.go mergePatchIntoOriginal
    fn ordered_lists(
        &self,
        original: &mut Object,
        patch: &mut Object,
        node: Node,
    ) -> Result<(), Fault> {
        let directives: Vec<String> = patch
            .keys()
            .filter(|key| key.starts_with(SET_ORDER))
            .cloned()
            .collect();
        for directive in directives {
            let Some(order) = patch.remove(&directive) else {
                continue;
            };
            if self.side == Side::TwoPatches {
                match original.get(&directive) {
                    Some(other) if *other != order => return Err(Fault::Directive),
                    Some(_) => {}
                    None => {
                        original.insert(directive.clone(), order.clone());
                    }
                }
            }
            let key = field_of(&directive, SET_ORDER)?;
            let Value::Array(order) = order else {
                return Err(Fault::Directive);
            };
            let old = list_at(original, &key)?;
            let new = list_at(patch, &key)?;
            if let Some(merged) = self.ordered_list(&key, old, new, &order, node)? {
                original.insert(key, Value::Array(merged));
            }
        }
        Ok(())
    }

    fn ordered_list(
        &self,
        key: &str,
        old: Option<Vec<Value>>,
        new: Option<Vec<Value>>,
        order: &[Value],
        node: Node,
    ) -> Result<Option<Vec<Value>>, Fault> {
        let (inner, field) = self.schema.list(node, key)?;
        let by_key = Some(field.merge_key.as_str()).filter(|merge_key| !merge_key.is_empty());
        check_order(key, new.as_deref().unwrap_or_default(), order, by_key)?;
        let types = [
            old.as_deref().unwrap_or_default(),
            new.as_deref().unwrap_or_default(),
        ];
        let element = element_type(key, types);
        let by_type = element
            .as_ref()
            .is_ok_and(|t| *t == Type::Map)
            .then_some(field.merge_key.as_str());
        let merged = match (old, new) {
            (None, None) => return Ok(None),
            (Some(old), None) => Merged {
                live: Identities::of(key, &old, by_type),
                items: old,
            },
            (None, Some(new)) => Merged {
                items: new.into_iter().filter_map(without_directives).collect(),
                live: Identities::of(key, &[], by_type),
            },
            (Some(old), Some(new)) => self.lists(key, old, new, inner, field, false)?,
        };
        let (named, server_only) = partition(key, merged.items, order, by_key)?;
        element?;
        let patch_order = Identities::of(key, order, by_type)?;
        interleave(key, named, server_only, &patch_order, &merged.live?).map(Some)
    }

    // apimachinery: strategicpatch/patch.go mergeSliceHandler
    fn lists<'f>(
        &self,
        key: &str,
        old: Vec<Value>,
        new: Vec<Value>,
        element: Node,
        field: &'f Field,
        deletes_scalars: bool,
    ) -> Result<Merged<'f>, Fault> {
        if field.rule != Rule::Merge && !deletes_scalars || old.is_empty() && new.is_empty() {
            let merge_key = old
                .iter()
                .all(Value::is_object)
                .then_some(field.merge_key.as_str());
            let live = Identities::of(key, &old, merge_key);
            let items = if old.is_empty() && new.is_empty() {
                old
            } else {
                new
            };
            return Ok(Merged { items, live });
        }
        if element_type(key, [&old, &new])? == Type::Map {
            return self.lists_of_objects(key, old, new, element, field);
        }
        if deletes_scalars && self.side == Side::Server {
            let live = Identities::of_scalars(key, &old);
            let items = old.into_iter().filter(|item| !new.contains(item)).collect();
            return Ok(Merged { items, live });
        }
        lists_of_scalars(key, old, new, field)
    }

    fn lists_of_objects<'f>(
        &self,
        key: &str,
        old: Vec<Value>,
        new: Vec<Value>,
        element: Node,
        field: &'f Field,
    ) -> Result<Merged<'f>, Fault> {
        let merge_key = field.merge_key.as_str();
        if merge_key.is_empty() {
            return Err(Fault::NoMergeKey {
                list: key.to_owned(),
                merge_key: String::new(),
            });
        }
        let mut array = Array::of(&old, merge_key);
        let mut items = old;
        let (mut replace, mut plain) = (false, Vec::new());
        for item in new {
            match item.get(PATCH).map(Value::as_str) {
                None => plain.push(item),
                Some(Some("delete")) => {
                    let gone = identity(key, &item, Some(merge_key))?;
                    delete_matching(key, &mut items, &mut array, merge_key, gone)?;
                }
                Some(Some("replace")) => replace = true,
                Some(_) => return Err(Fault::Directive),
            }
        }
        if replace {
            (items, plain) = (plain, Vec::new());
        }
        let server_order = items.clone();
        let patch_order = plain.clone();
        for item in plain {
            let wanted = identity(key, &item, Some(merge_key))?;
            match find(key, &items, merge_key, wanted)? {
                Some(at) => {
                    let (Value::Object(old), Value::Object(new)) = (items[at].take(), item) else {
                        return Err(Fault::MixedList {
                            list: key.to_owned(),
                        });
                    };
                    items[at] = Value::Object(self.objects(old, new, element)?);
                }
                None => {
                    array.append(wanted);
                    items.push(item);
                }
            }
        }
        let (named, server_only) = partition(key, items, &patch_order, Some(merge_key))?;
        let patch_order = Identities::of_objects(key, &patch_order, merge_key)?;
        let server_order = Identities::of_objects(key, &server_order, merge_key)?;
        let items = interleave(key, named, server_only, &patch_order, &server_order)?;
        Ok(Merged {
            items,
            live: array.identities(key, merge_key),
        })
    }
}

// apimachinery: strategicpatch/patch.go mergeSlice, the part for scalars
fn lists_of_scalars<'f>(
    key: &str,
    old: Vec<Value>,
    new: Vec<Value>,
    field: &'f Field,
) -> Result<Merged<'f>, Fault> {
    let length = old.len();
    // Go's append writes into the array of the live list where that has room left: a list read from JSON
    // grows by doubling. What is then moved in the union shows in the live list, too.
    let shared = length + new.len() <= length.next_power_of_two() && length > 0 || new.is_empty();
    let mut union = old.clone();
    union.extend(new.iter().cloned());
    let kept = deduplicate(&mut union);
    let live = Identities::of_scalars(key, if shared { &union[..length] } else { &old })?;
    union.truncate(kept);
    let by_key = Some(field.merge_key.as_str()).filter(|merge_key| !merge_key.is_empty());
    let (named, server_only) = partition(key, union, &new, by_key)?;
    let patch_order = Identities::of_scalars(key, &new)?;
    let items = interleave(key, named, server_only, &patch_order, &live)?;
    Ok(Merged {
        items,
        live: Ok(live),
    })
}

/// The memory behind a live list of objects, as far as its old length reaches: only merge keys are kept.
struct Array {
    keys: Vec<Option<Value>>,
    length: usize,
}

impl Array {
    fn of(items: &[Value], merge_key: &str) -> Self {
        let keys: Vec<_> = items
            .iter()
            .map(|item| item.get(merge_key).cloned())
            .collect();
        Self {
            length: keys.len(),
            keys,
        }
    }

    /// Go deletes by moving the rest down; what was last stays there twice.
    fn delete(&mut self, at: usize) {
        if at < self.length {
            for i in at + 1..self.length {
                self.keys[i - 1] = self.keys[i].clone();
            }
            self.length -= 1;
        }
    }

    fn append(&mut self, value: &Value) {
        if let Some(slot) = self.keys.get_mut(self.length) {
            *slot = Some(value.clone());
        }
        self.length += 1;
    }

    fn identities<'k>(self, list: &str, merge_key: &'k str) -> Result<Identities<'k>, Fault> {
        let keys: Option<Vec<Value>> = self.keys.into_iter().collect();
        keys.map(|keys| Identities::of_keys(keys, merge_key))
            .ok_or_else(|| Fault::NoMergeKey {
                list: list.to_owned(),
                merge_key: merge_key.to_owned(),
            })
    }
}

fn delete_matching(
    list: &str,
    items: &mut Vec<Value>,
    array: &mut Array,
    merge_key: &str,
    gone: &Value,
) -> Result<(), Fault> {
    while let Some(at) = find(list, items, merge_key, gone)? {
        items.remove(at);
        array.delete(at);
    }
    Ok(())
}

// apimachinery: strategicpatch/patch.go findMapInSliceBasedOnKeyValue
fn find(
    list: &str,
    items: &[Value],
    merge_key: &str,
    wanted: &Value,
) -> Result<Option<usize>, Fault> {
    for (at, item) in items.iter().enumerate() {
        let object = item.as_object().ok_or_else(|| Fault::MixedList {
            list: list.to_owned(),
        })?;
        if let Some(value) = object.get(merge_key)
            && same(list, value, wanted)?
        {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Splits elements into those a list names and the others.
fn partition(
    list: &str,
    items: Vec<Value>,
    by: &[Value],
    merge_key: Option<&str>,
) -> Result<(Vec<Value>, Vec<Value>), Fault> {
    // Go takes scalars for map keys, and panics where they are none
    let composite = |item: &Value| item.is_object() || item.is_array();
    if merge_key.is_none() && (items.iter().any(composite) || by.iter().any(composite)) {
        return Err(Fault::Incomparable {
            list: list.to_owned(),
        });
    }
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for item in items {
        let wanted = identity(list, &item, merge_key)?;
        let found = match merge_key {
            Some(merge_key) => find(list, by, merge_key, wanted)?.is_some(),
            None => by.contains(wanted),
        };
        if found {
            named.push(item)
        } else {
            others.push(item)
        }
    }
    Ok((named, others))
}

/// A patch's elements must stand in the order that comes with them.
// apimachinery: strategicpatch/patch.go validatePatchWithSetOrderList
fn check_order(
    list: &str,
    items: &[Value],
    order: &[Value],
    merge_key: Option<&str>,
) -> Result<(), Fault> {
    if order.is_empty() || items.is_empty() {
        return Ok(());
    }
    if merge_key.is_some() && !items.iter().all(Value::is_object) {
        return Err(Fault::MixedList {
            list: list.to_owned(),
        });
    }
    let mut order = order.iter().peekable();
    for item in items
        .iter()
        .filter(|item| merge_key.is_none() || !deletes(item))
    {
        if order.peek().is_none() {
            return Err(Fault::Order {
                list: list.to_owned(),
            });
        }
        if item.get(PATCH).is_some() {
            continue;
        }
        let wanted = identity(list, item, merge_key)?;
        loop {
            let next = order.next().ok_or_else(|| Fault::Order {
                list: list.to_owned(),
            })?;
            if same(list, wanted, identity(list, next, merge_key)?)? {
                break;
            }
        }
    }
    Ok(())
}

/// The list under a key, taken out of its object.
fn list_at(object: &mut Object, key: &str) -> Result<Option<Vec<Value>>, Fault> {
    match object.remove(key) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items)),
        Some(_) => Err(Fault::NotAList {
            field: key.to_owned(),
        }),
    }
}

/// `$setElementOrder/ports` speaks of `ports`.
fn field_of(directive: &str, prefix: &str) -> Result<String, Fault> {
    match directive.split_once('/') {
        Some((found, field)) if found == prefix => Ok(field.to_owned()),
        _ => Err(Fault::Directive),
    }
}

/// A new value as it enters an object: what carries a `$patch` directive does not.
// apimachinery: strategicpatch/patch.go removeDirectives
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(PATCH) => None,
        Value::Object(fields) => {
            let kept = fields
                .into_iter()
                .filter_map(|(key, value)| Some((key, without_directives(value)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => Some(Value::Array(
            items.into_iter().filter_map(without_directives).collect(),
        )),
        scalar => Some(scalar),
    }
}

/// Drops the fields that are null, in lists as well.
// apimachinery: strategicpatch/patch.go discardNullValuesFromPatch
pub(super) fn strip_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(strip_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_nulls),
        _ => {}
    }
}
