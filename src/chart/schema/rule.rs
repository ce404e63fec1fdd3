//! A schema in the form in which values are held against it.

use std::collections::BTreeMap;

use crate::chart::json::Json;

use super::address::Place;
use super::decimal::Decimal;
use super::draft::Draft;
use super::format::Format;
use super::pattern::Pattern;

/// The number of a [`Rule`] in its [`Rules`].
pub(super) type Id = usize;

/// Schemas by number; they refer to one another, in circles too.
#[derive(Default)]
pub(super) struct Rules {
    pub(super) all: Vec<Rule>,
}

impl std::ops::Index<Id> for Rules {
    type Output = Rule;

    fn index(&self, id: Id) -> &Rule {
        &self.all[id]
    }
}

/// Entries by name, of which most names that are looked for have none.
#[derive(Debug, Default)]
pub(super) struct Named<T> {
    entries: BTreeMap<String, T>,
    bits: NameBits,
}

impl<T: Copy> Named<T> {
    pub(super) fn get(&self, name: &str) -> Option<T> {
        if !self.bits.may_have(name) {
            return None;
        }
        self.entries.get(name).copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<T> From<BTreeMap<String, T>> for Named<T> {
    fn from(entries: BTreeMap<String, T>) -> Self {
        Self {
            bits: NameBits::of(entries.keys()),
            entries,
        }
    }
}

/// A bit for each of some names, and perhaps for others too.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NameBits(u64);

impl NameBits {
    pub(super) fn of<'n>(names: impl IntoIterator<Item = &'n String>) -> Self {
        let bits = names.into_iter().map(|name| Self::bit(name));
        Self(bits.fold(0, |all, bit| all | bit))
    }

    fn bit(name: &str) -> u64 {
        let last = name.bytes().last().unwrap_or(0);
        1 << ((name.len() * 11 + usize::from(last)) % 64)
    }

    /// Whether a name may be among them; where it is not, none of them is this one.
    pub(super) fn may_have(self, name: &str) -> bool {
        self.0 & Self::bit(name) != 0
    }
}

/// What a schema may demand of further properties or items.
#[derive(Clone, Copy, Debug)]
pub(super) enum Additional {
    Allowed(bool),
    Schema(Id),
}

/// The items of drafts before 2020.
#[derive(Debug)]
pub(super) enum Items {
    All(Id),
    Each(Vec<Id>),
}

/// What must hold where a property is there.
#[derive(Debug)]
pub(super) enum Dependency {
    Properties(Vec<String>),
    Schema(Id),
}

/// A `$dynamicRef`.
#[derive(Debug)]
pub(super) struct DynamicRef {
    pub(super) target: Id,
    pub(super) anchor: Option<String>,
}

/// Values that are listed, and which types they have.
#[derive(Debug)]
pub(super) struct Enum {
    pub(super) values: Vec<Json>,
    pub(super) types: Types,
}

/// A set of the types of JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

/// A type of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Number,
    Integer,
    String,
    Array,
    Object,
}

impl Type {
    const ALL: [Self; 7] = [
        Self::Null,
        Self::Boolean,
        Self::Number,
        Self::Integer,
        Self::String,
        Self::Array,
        Self::Object,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Number => "number",
            Self::Integer => "integer",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Types {
    pub(super) fn add(&mut self, kind: Type) {
        self.0 |= 1 << kind as u8;
    }

    pub(super) fn contains(self, kind: Type) -> bool {
        self.0 & 1 << kind as u8 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn names(self) -> String {
        let names: Vec<_> = Type::ALL
            .into_iter()
            .filter(|kind| self.contains(*kind))
            .map(Type::name)
            .collect();
        names.join(" or ")
    }
}

/// A schema.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) location: Place,
    pub(super) draft: Option<Draft>,
    /// The schema of the resource that this one belongs to.
    pub(super) resource: Id,
    pub(super) dynamic_anchors: BTreeMap<String, Id>,
    pub(super) all_properties_evaluated: bool,
    pub(super) all_items_evaluated: bool,
    pub(super) items_evaluated: usize,

    pub(super) boolean: Option<bool>,
    pub(super) reference: Option<Id>,
    pub(super) recursive_ref: Option<Id>,
    pub(super) recursive_anchor: bool,
    pub(super) dynamic_ref: Option<DynamicRef>,
    pub(super) dynamic_anchor: String,

    pub(super) types: Types,
    pub(super) constant: Option<Json>,
    pub(super) values: Option<Enum>,
    pub(super) not: Option<Id>,
    pub(super) all_of: Vec<Id>,
    pub(super) any_of: Vec<Id>,
    pub(super) one_of: Vec<Id>,
    pub(super) condition: Option<Id>,
    pub(super) then: Option<Id>,
    pub(super) otherwise: Option<Id>,
    pub(super) format: Option<Format>,

    pub(super) max_properties: Option<i64>,
    pub(super) min_properties: Option<i64>,
    pub(super) required: Vec<String>,
    pub(super) property_names: Option<Id>,
    pub(super) properties: Named<Id>,
    pub(super) pattern_properties: Vec<(Pattern, Id)>,
    pub(super) additional_properties: Option<Additional>,
    pub(super) dependencies: BTreeMap<String, Dependency>,
    pub(super) dependent_required: BTreeMap<String, Vec<String>>,
    pub(super) dependent_schemas: BTreeMap<String, Id>,
    pub(super) unevaluated_properties: Option<Id>,

    pub(super) max_items: Option<i64>,
    pub(super) min_items: Option<i64>,
    pub(super) unique_items: bool,
    pub(super) contains: Option<Id>,
    pub(super) min_contains: Option<i64>,
    pub(super) max_contains: Option<i64>,
    pub(super) items: Option<Items>,
    pub(super) additional_items: Option<Additional>,
    pub(super) prefix_items: Vec<Id>,
    pub(super) items_2020: Option<Id>,
    pub(super) unevaluated_items: Option<Id>,

    pub(super) min_length: Option<i64>,
    pub(super) max_length: Option<i64>,
    pub(super) pattern: Option<Pattern>,

    pub(super) maximum: Option<Box<Decimal>>,
    pub(super) minimum: Option<Box<Decimal>>,
    pub(super) exclusive_maximum: Option<Box<Decimal>>,
    pub(super) exclusive_minimum: Option<Box<Decimal>>,
    pub(super) multiple_of: Option<Box<Decimal>>,
}

impl Rule {
    pub(super) fn since(&self, draft: Draft) -> bool {
        self.draft.unwrap_or(Draft::LATEST) >= draft
    }
}
