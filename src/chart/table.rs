//! Values while they are laid over one another.
//!
//! Helm coalesces Go maps, which are handles: globals that a parent hands to its children stay
//! shared below their first level, so what one child adds there, its parent and its siblings see.
//! A [`Table`] is such a handle. Leaves and keys are borrowed from the chart and the user's values
//! until the result is exported, and so are whole maps, as long as nobody looks into them.

use std::cell::{Ref, RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::coalesced::{Coalesced, Joined};
use super::print;

/// Tables within one another, after all that charts add.
pub(super) const MAX_DEPTH: usize = 1500;

/// Values in a table and the tables within it, each counted as often as it is met.
const MAX_NODES: usize = 5_000_000;

/// A shared map of values.
#[derive(Clone, Debug, Default)]
pub(super) struct Table<'a>(Rc<RefCell<Entries<'a>>>);

#[derive(Debug, Default)]
struct Entries<'a> {
    /// The map that this is a copy of, until the copy is made.
    read: Option<&'a Map<String, Value>>,
    own: BTreeMap<&'a str, Node<'a>>,
}

/// A value in a [`Table`].
#[derive(Clone, Debug)]
pub(super) enum Node<'a> {
    /// Anything but a map.
    Leaf(&'a Value),
    /// A map.
    Table(Table<'a>),
}

impl<'a> Table<'a> {
    /// A deep copy of a map.
    pub(super) fn copy_of(map: &'a Map<String, Value>) -> Self {
        Self(Rc::new(RefCell::new(Entries {
            read: Some(map),
            own: BTreeMap::new(),
        })))
    }

    /// A table with these entries.
    fn with(own: BTreeMap<&'a str, Node<'a>>) -> Self {
        Self(Rc::new(RefCell::new(Entries { read: None, own })))
    }

    /// The map that this table still is.
    fn read(&self) -> Option<&'a Map<String, Value>> {
        self.0.borrow().read
    }

    /// The entries, which are this table's own from here on.
    fn own(&self) -> RefMut<'_, BTreeMap<&'a str, Node<'a>>> {
        RefMut::map(self.0.borrow_mut(), |entries| {
            if let Some(map) = entries.read.take() {
                entries.own = map
                    .iter()
                    .map(|(key, value)| (key.as_str(), Node::copy_of(value)))
                    .collect();
            }
            &mut entries.own
        })
    }

    /// The entries to look at: a table may be met again within itself.
    fn shared(&self) -> Ref<'_, BTreeMap<&'a str, Node<'a>>> {
        if self.read().is_some() {
            drop(self.own());
        }
        Ref::map(self.0.borrow(), |entries| &entries.own)
    }

    /// A deep copy of this table.
    pub(super) fn deep_copy(&self) -> Self {
        if let Some(map) = self.read() {
            return Self::copy_of(map);
        }
        let own = self.shared();
        Self::with(
            own.iter()
                .map(|(key, node)| (*key, node.deep_copy()))
                .collect(),
        )
    }

    /// A table of its own that shares the tables within this one.
    pub(super) fn shallow_copy(&self) -> Self {
        Self::with(self.shared().clone())
    }

    pub(super) fn get(&self, key: &str) -> Option<Node<'a>> {
        match self.read().map(|map| map.get(key)) {
            Some(None) => None,
            Some(Some(leaf)) if !leaf.is_object() => Some(Node::Leaf(leaf)),
            _ => self.shared().get(key).cloned(),
        }
    }

    pub(super) fn insert(&self, key: &'a str, node: Node<'a>) {
        self.own().insert(key, node);
    }

    pub(super) fn remove(&self, key: &str) {
        self.own().remove(key);
    }

    pub(super) fn is_empty(&self) -> bool {
        match self.read() {
            Some(map) => map.is_empty(),
            None => self.shared().is_empty(),
        }
    }

    /// The entries as they are now, by key.
    pub(super) fn entries(&self) -> Vec<(&'a str, Node<'a>)> {
        self.shared()
            .iter()
            .map(|(key, node)| (*key, node.clone()))
            .collect()
    }

    /// Whether both are the same handle.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Whether nothing would change, and nothing be said, if this were laid over another table; it
    /// is only told of tables that still are what was read, no deeper than so many levels.
    pub(super) fn covers(&self, under: &Self, levels: usize) -> bool {
        match (self.read(), under.read()) {
            (Some(over), Some(under)) => covers(over, under, levels),
            _ => false,
        }
    }

    /// The keys that hold null.
    pub(super) fn nulls(&self) -> Vec<&'a str> {
        match self.read() {
            Some(map) => {
                let nulls = map.iter().filter(|(_, value)| value.is_null());
                nulls.map(|(key, _)| key.as_str()).collect()
            }
            None => {
                let own = self.shared();
                let nulls = own.iter().filter(|(_, node)| node.is_null());
                nulls.map(|(key, _)| *key).collect()
            }
        }
    }

    /// Drops every null, at any depth.
    // helm: pkg/chart/common/util/coalesce.go cleanNilValues
    pub(super) fn drop_nulls(&self) {
        if self.read().is_some_and(|map| !has_nulls(map)) {
            return;
        }
        self.own().retain(|_, node| match node {
            Node::Leaf(value) => !value.is_null(),
            Node::Table(table) => {
                table.drop_nulls();
                true
            }
        });
    }

    /// The table at a path of names joined by dots, or the name that has none.
    // helm: pkg/chart/common/values.go Table
    pub(super) fn table(&self, path: &str) -> Result<Self, NoTable> {
        path.split('.')
            .try_fold(self.clone(), |table, name| match table.get(name) {
                Some(Node::Table(inner)) => Ok(inner),
                _ => Err(NoTable(name.to_owned())),
            })
    }

    /// The value at a path of names joined by dots, unless it is a table.
    // helm: pkg/chart/common/values.go PathValue
    pub(super) fn path_value(&self, path: &str) -> Option<&'a Value> {
        let found = match path.rsplit_once('.') {
            Some((parents, key)) => self.table(parents).ok()?.get(key),
            None => self.get(path),
        };
        match found? {
            Node::Leaf(value) => Some(value),
            Node::Table(_) => None,
        }
    }

    /// This table, below a path of names joined by dots.
    // helm: pkg/chart/v2/util/dependencies.go pathToMap
    pub(super) fn below(&self, path: &'a str) -> Self {
        path.rsplit('.').fold(self.clone(), |inner, name| {
            let outer = Self::default();
            outer.insert(name, Node::Table(inner));
            outer
        })
    }

    /// Whether the table ends, and soon enough: shared tables can hold one another.
    pub(super) fn is_bounded(&self) -> bool {
        self.measure(MAX_DEPTH, &mut 0)
    }

    fn measure(&self, levels: usize, nodes: &mut usize) -> bool {
        if let Some(map) = self.read() {
            return measure(map, levels, nodes);
        }
        let own = self.shared();
        *nodes += own.len();
        levels > 0
            && *nodes <= MAX_NODES
            && own.values().all(|node| match node {
                Node::Leaf(_) => true,
                Node::Table(table) => table.measure(levels - 1, nodes),
            })
    }

    /// Empties the table and all within it, so that tables that hold one another are freed.
    pub(super) fn dismantle(self) {
        let mut left = vec![self];
        while let Some(table) = left.pop() {
            let entries = std::mem::take(&mut *table.0.borrow_mut());
            left.extend(entries.own.into_values().filter_map(|node| match node {
                Node::Leaf(_) => None,
                Node::Table(table) => Some(table),
            }));
        }
    }

    /// The table as a map of its own.
    pub(super) fn export(&self) -> Map<String, Value> {
        match self.read() {
            Some(map) => map.clone(),
            None => {
                let own = self.shared();
                own.iter()
                    .map(|(key, node)| ((*key).to_owned(), node.export()))
                    .collect()
            }
        }
    }

    /// The table as it stays.
    pub(super) fn freeze(&self) -> Coalesced<'a> {
        match self.read() {
            Some(map) => Coalesced::Read(map),
            None => {
                let own = self.shared();
                Coalesced::Joined(
                    own.iter()
                        .map(|(key, node)| (*key, node.freeze()))
                        .collect(),
                )
            }
        }
    }

    fn write(&self, out: &mut String, levels: usize) {
        let entries = self.shared();
        let inner = levels.checked_sub(1);
        print::map(
            out,
            entries.iter(),
            |out, key| out.push_str(key),
            |out, node| match inner {
                Some(levels) => node.write(out, levels),
                None => out.push('…'),
            },
        );
    }
}

/// Whether a map holds a null, at any depth.
fn has_nulls(map: &Map<String, Value>) -> bool {
    map.values().any(|value| match value {
        Value::Null => true,
        Value::Object(map) => has_nulls(map),
        _ => false,
    })
}

/// Whether nothing would change, and nothing be said, if one map were laid over another.
fn covers(over: &Map<String, Value>, under: &Map<String, Value>, levels: usize) -> bool {
    let Some(inner) = levels.checked_sub(1) else {
        return false;
    };
    over.len() >= under.len()
        && !over.values().any(Value::is_null)
        && under
            .iter()
            .all(|(key, default)| match (over.get(key), default) {
                (Some(Value::Object(value)), Value::Object(default)) => {
                    covers(value, default, inner)
                }
                (Some(Value::Object(_)), default) => default.is_null(),
                (Some(_), default) => !default.is_object(),
                (None, _) => false,
            })
}

/// Whether a map is no deeper than so many levels, nor larger than tables may be.
fn measure(map: &Map<String, Value>, levels: usize, nodes: &mut usize) -> bool {
    *nodes += map.len();
    levels > 0
        && *nodes <= MAX_NODES
        && map.values().all(|value| match value {
            Value::Object(map) => measure(map, levels - 1, nodes),
            _ => true,
        })
}

/// What Helm says where there is no table: the name that has none.
#[derive(Debug, thiserror::Error)]
#[error("{} is not a table", super::quote::quote(.0))]
pub(super) struct NoTable(String);

impl<'a> Node<'a> {
    fn copy_of(value: &'a Value) -> Self {
        match value {
            Value::Object(map) => Self::Table(Table::copy_of(map)),
            leaf => Self::Leaf(leaf),
        }
    }

    fn deep_copy(&self) -> Self {
        match self {
            Self::Leaf(value) => Self::Leaf(value),
            Self::Table(table) => Self::Table(table.deep_copy()),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Leaf(Value::Null))
    }

    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Leaf(value) => value.as_bool(),
            Self::Table(_) => None,
        }
    }

    /// The value as Go's `%v` prints it.
    pub(super) fn print(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, MAX_DEPTH);
        out
    }

    fn write(&self, out: &mut String, levels: usize) {
        match self {
            Self::Leaf(value) => print::write_plain(out, value),
            Self::Table(table) => table.write(out, levels),
        }
    }

    fn export(&self) -> Value {
        match self {
            Self::Leaf(value) => (*value).clone(),
            Self::Table(table) => Value::Object(table.export()),
        }
    }

    fn freeze(&self) -> Joined<'a> {
        match self {
            Self::Leaf(value) => Joined::Leaf(value),
            Self::Table(table) => Joined::Table(table.freeze()),
        }
    }
}
