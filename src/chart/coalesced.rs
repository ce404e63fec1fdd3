//! Values that were laid over one another, as they stay: what templates and schemas look at.
//!
//! Most of them stand where they were read, in the chart's values and the user's; only the tables
//! that were put together of several are made anew.

use std::collections::{BTreeMap, btree_map};

use serde_json::{Map, Value, map};

/// A table of values that was put together.
#[derive(Debug)]
pub enum Coalesced<'a> {
    /// A map as it was read.
    Read(&'a Map<String, Value>),
    /// One that was made of several.
    Joined(BTreeMap<&'a str, Joined<'a>>),
}

/// A value in a table that was made of several.
#[derive(Debug)]
pub enum Joined<'a> {
    /// Anything but a table.
    Leaf(&'a Value),
    /// A table.
    Table(Coalesced<'a>),
}

/// A table of values to look at.
#[derive(Clone, Copy, Debug)]
pub enum Values<'v> {
    /// A map as it was read.
    Read(&'v Map<String, Value>),
    /// One that was made of several.
    Joined(&'v BTreeMap<&'v str, Joined<'v>>),
}

/// A value to look at.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'v> {
    /// Anything but a table.
    Leaf(&'v Value),
    /// A table.
    Table(Values<'v>),
}

impl<'v> Coalesced<'v> {
    /// The table to look at.
    pub fn view(&'v self) -> Values<'v> {
        match self {
            Self::Read(map) => Values::Read(map),
            Self::Joined(entries) => Values::Joined(entries),
        }
    }
}

impl<'v> From<&'v Map<String, Value>> for Values<'v> {
    fn from(map: &'v Map<String, Value>) -> Self {
        Self::Read(map)
    }
}

impl<'v> Values<'v> {
    /// The value under a key.
    pub fn get(self, key: &str) -> Option<Entry<'v>> {
        match self {
            Self::Read(map) => map.get(key).map(Entry::of_value),
            Self::Joined(entries) => entries.get(key).map(Entry::of_joined),
        }
    }

    /// The values by key.
    pub fn iter(self) -> Iter<'v> {
        Iter(match self {
            Self::Read(map) => Entries::Read(map.iter()),
            Self::Joined(entries) => Entries::Joined(entries.iter()),
        })
    }

    /// The table as a map of its own.
    pub fn to_map(self) -> Map<String, Value> {
        match self {
            Self::Read(map) => map.clone(),
            Self::Joined(_) => self
                .iter()
                .map(|(key, entry)| {
                    let value = match entry {
                        Entry::Leaf(value) => value.clone(),
                        Entry::Table(table) => Value::Object(table.to_map()),
                    };
                    (key.to_owned(), value)
                })
                .collect(),
        }
    }
}

impl<'v> Entry<'v> {
    fn of_value(value: &'v Value) -> Self {
        match value {
            Value::Object(map) => Self::Table(Values::Read(map)),
            leaf => Self::Leaf(leaf),
        }
    }

    fn of_joined(joined: &'v Joined<'v>) -> Self {
        match joined {
            Joined::Leaf(value) => Self::Leaf(value),
            Joined::Table(table) => Self::Table(table.view()),
        }
    }
}

/// The values of a table by key.
#[derive(Clone, Debug)]
pub struct Iter<'v>(Entries<'v>);

#[derive(Clone, Debug)]
enum Entries<'v> {
    Read(map::Iter<'v>),
    Joined(btree_map::Iter<'v, &'v str, Joined<'v>>),
}

impl<'v> Iterator for Iter<'v> {
    type Item = (&'v str, Entry<'v>);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Entries::Read(entries) => entries
                .next()
                .map(|(key, value)| (key.as_str(), Entry::of_value(value))),
            Entries::Joined(entries) => entries
                .next()
                .map(|(key, value)| (*key, Entry::of_joined(value))),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match &self.0 {
            Entries::Read(entries) => entries.size_hint(),
            Entries::Joined(entries) => entries.size_hint(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'v> IntoIterator for Values<'v> {
    type Item = (&'v str, Entry<'v>);
    type IntoIter = Iter<'v>;

    fn into_iter(self) -> Iter<'v> {
        self.iter()
    }
}
