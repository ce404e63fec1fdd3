//! Values: read from YAML, merged, and laid over those of a chart and its dependencies.

use serde_json::{Map, Number, Value};

use crate::yaml;

use super::error::DataError;
use super::table::{MAX_DEPTH, Node, Table};
use super::{Chart, Coalesced, Error, Warning, decode, print};

/// The key of the values that every chart sees.
const GLOBAL: &str = "global";

/// Tables and lists within one another in one document; YAML itself has a higher bound, but the
/// stack has not.
const MAX_READ_DEPTH: usize = 1000;

/// Reads the documents of a file of values and merges them, the last winning.
///
/// # Errors
/// Where one of them is no YAML, or no table.
pub fn load(data: &[u8]) -> Result<Map<String, Value>, DataError> {
    read(data)
}

// helm: pkg/chart/v2/loader LoadValues
pub(super) fn read(data: &[u8]) -> Result<Map<String, Value>, DataError> {
    let mut merged = Map::new();
    for document in yaml::Documents::new(data) {
        let document = document.map_err(|source| DataError::Document {
            context: "error reading yaml document",
            source: Box::new(source.into()),
        })?;
        let table = parse(&document).map_err(|source| DataError::Document {
            context: "cannot unmarshal yaml document",
            source: Box::new(source),
        })?;
        merge_into(&mut merged, table);
    }
    Ok(merged)
}

fn parse(document: &[u8]) -> Result<Map<String, Value>, DataError> {
    let mut table = decode::table(yaml::from_slice(document)?)?;
    if table
        .values_mut()
        .all(|value| make_floats(value, MAX_READ_DEPTH))
    {
        Ok(table)
    } else {
        Err(DataError::Depth(MAX_READ_DEPTH))
    }
}

/// Makes every number a float64; answers whether no value lies deeper than so many levels.
// go: encoding/json decodes every number into an interface{} so
fn make_floats(value: &mut Value, levels: usize) -> bool {
    let Some(inner) = levels.checked_sub(1) else {
        return false;
    };
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
            true
        }
        Value::Array(items) => items.iter_mut().all(|item| make_floats(item, inner)),
        Value::Object(entries) => entries.values_mut().all(|value| make_floats(value, inner)),
        _ => true,
    }
}

/// Lays `over` on `base`: maps are merged, everything else is replaced.
pub fn merge(mut base: Map<String, Value>, over: Map<String, Value>) -> Map<String, Value> {
    merge_into(&mut base, over);
    base
}

// helm: pkg/chart/v2/loader MergeMaps
fn merge_into(base: &mut Map<String, Value>, over: Map<String, Value>) {
    if base.is_empty() {
        *base = over;
        return;
    }
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(base)), Value::Object(over)) => merge_into(base, over),
            (Some(slot), value) => *slot = value,
            (None, value) => {
                base.insert(key, value);
            }
        }
    }
}

/// The values that the chart's templates see: `values` over the chart's own over those of its
/// dependencies, nulls deleting defaults, and globals handed down. What Helm says on standard
/// error about it is added to `warnings`.
///
/// # Errors
/// Where the values hold something else than a table under the name of a dependency.
// helm: pkg/chart/common/util/coalesce.go CoalesceValues
pub fn coalesce<'a>(
    chart: &'a Chart,
    values: &'a Map<String, Value>,
    warnings: &mut Vec<Warning>,
) -> Result<Coalesced<'a>, Error> {
    let table = Coalescer {
        warnings,
        too_deep: false,
    }
    .chart(&Scope::of(chart), Table::copy_of(values), Keep::Values)?;
    Ok(table.freeze())
}

/// What coalescing needs to know of a chart.
pub(super) struct Scope<'a> {
    pub(super) name: &'a str,
    pub(super) defaults: Defaults<'a>,
    pub(super) dependencies: Vec<Scope<'a>>,
}

/// The values that a chart brings along.
#[derive(Clone)]
pub(super) enum Defaults<'a> {
    /// As they were read.
    Read(&'a Map<String, Value>),
    /// As they were put together from those of the dependencies.
    Merged(Table<'a>),
}

impl<'a> Scope<'a> {
    fn of(chart: &'a Chart) -> Self {
        Self {
            name: chart.name(),
            defaults: Defaults::Read(&chart.values),
            dependencies: chart.dependencies.iter().map(Self::of).collect(),
        }
    }
}

impl<'a> Defaults<'a> {
    fn copy(&self) -> Table<'a> {
        match self {
            Self::Read(map) => Table::copy_of(map),
            Self::Merged(table) => table.deep_copy(),
        }
    }
}

/// Whether nulls delete, or are kept for a later turn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Helm's coalescing: a null deletes what it stands for.
    Values,
    /// Helm's merging: a null stays.
    Nulls,
}

/// Where a value stands, from the root: told only when there is something to say about it.
#[derive(Clone, Copy)]
struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    name: &'p str,
    depth: usize,
}

const ROOT: Place<'static> = Place {
    parent: None,
    name: "",
    depth: 0,
};

impl<'p> Place<'p> {
    fn child(&'p self, name: &'p str) -> Place<'p> {
        Place {
            parent: Some(self),
            name,
            depth: self.depth + 1,
        }
    }
}

impl std::fmt::Display for Place<'_> {
    // helm: pkg/chart/common/util/coalesce.go concatPrefix
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut names = Vec::new();
        let mut at = *self;
        while let Some(parent) = at.parent {
            names.push(at.name);
            at = *parent;
        }
        // leading names that are empty leave no dot
        while names.len() > 1 && names.pop_if(|name| name.is_empty()).is_some() {}
        for (i, name) in names.iter().rev().enumerate() {
            if i > 0 {
                f.write_str(".")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// Lays values over those of charts, and remembers what there is to say about it.
pub(super) struct Coalescer<'w> {
    pub(super) warnings: &'w mut Vec<Warning>,
    /// Tables were found that hold one another, or nearly so.
    pub(super) too_deep: bool,
}

impl Coalescer<'_> {
    /// Lays `values` over those of a chart and its dependencies.
    pub(super) fn chart<'a>(
        &mut self,
        chart: &Scope<'a>,
        values: Table<'a>,
        keep: Keep,
    ) -> Result<Table<'a>, Error> {
        self.nested(chart, &values, &ROOT, keep)?;
        if self.too_deep {
            values.dismantle();
            return Err(Error::ValuesDepth);
        }
        Ok(values)
    }

    fn nested<'a>(
        &mut self,
        chart: &Scope<'a>,
        values: &Table<'a>,
        place: &Place<'_>,
        keep: Keep,
    ) -> Result<(), Error> {
        let place = place.child(chart.name);
        self.own_values(chart, values, &place, keep);
        for dependency in &chart.dependencies {
            let inner = match values.get(dependency.name) {
                Some(Node::Table(table)) => table,
                None => {
                    let table = Table::default();
                    values.insert(dependency.name, Node::Table(table.clone()));
                    table
                }
                Some(Node::Leaf(value)) => {
                    return Err(Error::TypeMismatch {
                        chart: dependency.name.to_owned(),
                        value: print::boolean(value),
                    });
                }
            };
            self.globals(&inner, values, &place);
            self.nested(dependency, &inner, &place, keep)?;
            values.insert(dependency.name, Node::Table(inner));
        }
        Ok(())
    }

    // helm: pkg/chart/common/util/coalesce.go coalesceGlobals
    fn globals<'a>(&mut self, inner: &Table<'a>, outer: &Table<'a>, place: &Place<'_>) {
        let own = match inner.get(GLOBAL) {
            None => Table::default(),
            Some(Node::Table(table)) => table,
            Some(Node::Leaf(_)) => {
                return self.say(
                    "warning: skipping globals because destination global is not a table."
                        .to_owned(),
                );
            }
        };
        let handed = match outer.get(GLOBAL) {
            None => Table::default(),
            Some(Node::Table(table)) => table,
            Some(Node::Leaf(_)) => {
                return self.say(
                    "warning: skipping globals because source global is not a table.".to_owned(),
                );
            }
        };
        for (key, node) in handed.entries() {
            match (node, own.get(key)) {
                (Node::Table(table), present) => {
                    // its first level is copied, everything below stays shared
                    let table = table.shallow_copy();
                    match present {
                        None => {}
                        Some(Node::Table(present)) => {
                            self.tables(&table, &present, &place.child(key), Keep::Nulls);
                        }
                        Some(Node::Leaf(_)) => {
                            let key = super::quote::quote(key);
                            self.say(format!(
                                "Conflict: cannot merge map onto non-map for {key}. Skipping."
                            ));
                            continue;
                        }
                    }
                    own.insert(key, Node::Table(table));
                }
                (Node::Leaf(_), Some(Node::Table(_))) => {
                    self.say(format!("key {key} is table. Skipping"))
                }
                (leaf, _) => own.insert(key, leaf),
            }
        }
        inner.insert(GLOBAL, Node::Table(own));
    }

    // helm: pkg/chart/common/util/coalesce.go coalesceValues
    fn own_values<'a>(
        &mut self,
        chart: &Scope<'a>,
        values: &Table<'a>,
        place: &Place<'_>,
        keep: Keep,
    ) {
        for (key, default) in chart.defaults.copy().entries() {
            match (values.get(key), default) {
                (Some(Node::Leaf(Value::Null)), _) if keep == Keep::Values => values.remove(key),
                (Some(Node::Table(value)), Node::Table(default)) => {
                    // values for a dependency keep their nulls until that chart's turn
                    let dependency = chart
                        .dependencies
                        .iter()
                        .any(|dependency| dependency.name == key);
                    let keep = if dependency { Keep::Nulls } else { keep };
                    if keep == Keep::Values {
                        default.drop_nulls();
                    }
                    self.tables(&value, &default, &place.child(key), keep);
                }
                (Some(Node::Table(_)), Node::Leaf(default)) => {
                    if !default.is_null() {
                        self.say(format!(
                            "warning: skipped value for {place}.{key}: Not a table."
                        ));
                    }
                }
                (Some(Node::Leaf(_)), _) => {}
                (None, default) => {
                    if keep == Keep::Values {
                        if default.is_null() {
                            continue;
                        }
                        if let Node::Table(table) = &default {
                            table.drop_nulls();
                        }
                    }
                    values.insert(key, default);
                }
            }
        }
    }

    /// Lays `over` on `under`, in place; both are changed.
    pub(super) fn merge_tables<'a>(&mut self, over: &Table<'a>, under: &Table<'a>) {
        self.tables(over, under, &ROOT, Keep::Nulls);
    }

    // helm: pkg/chart/common/util/coalesce.go coalesceTablesFullKey
    fn tables<'a>(&mut self, over: &Table<'a>, under: &Table<'a>, place: &Place<'_>, keep: Keep) {
        if over.is(under) || over.covers(under, MAX_DEPTH.saturating_sub(place.depth)) {
            return;
        }
        if place.depth > MAX_DEPTH {
            self.too_deep = true;
            return;
        }
        // nulls that stand for a default, and not for nothing
        let mut deleting = Vec::new();
        for key in over.nulls() {
            if under.get(key).is_some_and(|node| !node.is_null()) {
                deleting.push(key);
            }
            under.insert(key, Node::Leaf(&Value::Null));
        }
        for (key, default) in under.entries() {
            match (over.get(key), default) {
                (Some(value), _)
                    if keep == Keep::Values
                        && value.is_null()
                        && deleting.binary_search(&key).is_ok() =>
                {
                    over.remove(key);
                }
                (None, default) => over.insert(key, default),
                (Some(Node::Table(value)), Node::Table(default)) => {
                    self.tables(&value, &default, &place.child(key), keep);
                }
                (Some(Node::Leaf(_)), Node::Table(default)) => {
                    let place = place.child(key);
                    let default = Node::Table(default).print();
                    self.say(format!(
                        "warning: cannot overwrite table with non table for {place} ({default})"
                    ));
                }
                (Some(Node::Table(_)), default) if !default.is_null() => {
                    let place = place.child(key);
                    let default = default.print();
                    self.say(format!("warning: destination for {place} is a table. Ignoring non-table value ({default})"));
                }
                _ => {}
            }
        }
    }

    fn say(&mut self, message: String) {
        self.warnings.push(Warning::info(message));
    }
}
