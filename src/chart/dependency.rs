//! Which dependencies of a chart are switched on, under which names, and what values a chart
//! takes from them.
//!
//! Helm works on charts by pointer: a chart that is used under two aliases is copied one level
//! deep, and what lies deeper is shared, with its parent as it was. That can be seen, in paths
//! and in which dependencies remain, so the charts are numbered here and shared likewise, and
//! made into a tree again at the end.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::semver;

use super::metadata::Dependency;
use super::table::Table;
use super::values::{Coalescer, Defaults, Keep, Scope};
use super::{Chart, Error, Warning, print};

/// Charts that one chart may come to, counting each as often as it is used: aliases within
/// aliases multiply.
const MAX_CHARTS: usize = 4096;

/// Names in the path of an import.
const MAX_PATH: usize = 200;

/// Removes the dependencies that are switched off by conditions and tags in `values`, gives the
/// others the names that the chart uses them by, and imports the values that it asks for. What
/// Helm says on standard error about it is added to `warnings`. Where it fails, the chart is as
/// it was.
///
/// # Errors
/// Where the values hold something else than a table under the name of a dependency.
// helm: pkg/chart/v2/util/dependencies.go ProcessDependencies
pub fn process(
    chart: &mut Chart,
    values: &Map<String, Value>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    if !declares(chart) {
        return Ok(());
    }
    let mut imports = Vec::new();
    collect_imports(chart, &mut imports);
    let mut graph = Graph {
        nodes: Vec::new(),
        identities: Vec::new(),
        coalescer: Coalescer {
            warnings,
            too_deep: false,
        },
    };
    graph.add(chart, None, &mut imports.iter())?;
    graph.switch(ROOT, &Table::copy_of(values), "")?;
    graph.import(ROOT)?;
    let mut uses = vec![0; graph.nodes.len()];
    let made = graph.made(ROOT, &mut uses)?;
    let mut sources = Vec::new();
    take_apart(std::mem::take(chart), &mut sources);
    *chart = made.build(&mut sources, &mut uses);
    Ok(())
}

/// A chart and those within it, each alone, in the order in which they are numbered.
fn take_apart(mut chart: Chart, sources: &mut Vec<Chart>) {
    let dependencies = std::mem::take(&mut chart.dependencies);
    sources.push(chart);
    for dependency in dependencies {
        take_apart(dependency, sources);
    }
}

/// What a chart came out as, beside what it came with.
struct Made {
    source: usize,
    name: String,
    wanted: Option<Vec<Dependency>>,
    /// Nothing where they are as they were read.
    values: Option<Map<String, Value>>,
    parent: Option<Arc<str>>,
    dependencies: Vec<Made>,
}

impl Made {
    /// The chart, out of those that were taken apart; `uses` counts how often each is wanted yet.
    fn build(self, sources: &mut [Chart], uses: &mut [usize]) -> Chart {
        uses[self.source] -= 1;
        let source = &mut sources[self.source];
        let mut chart = if uses[self.source] == 0 {
            std::mem::take(source)
        } else {
            source.clone()
        };
        chart.metadata.name = self.name;
        chart.metadata.declares_dependencies = self.wanted.is_some();
        chart.metadata.dependencies = self.wanted.unwrap_or_default();
        if let Some(values) = self.values {
            chart.values = values;
        }
        chart.parent = self.parent;
        let dependencies = self.dependencies.into_iter();
        chart.dependencies = dependencies.map(|one| one.build(sources, uses)).collect();
        chart
    }
}

fn declares(chart: &Chart) -> bool {
    chart.metadata.declares_dependencies || chart.dependencies.iter().any(declares)
}

/// Whether a version lies in a range; where either cannot be read, it does not.
// helm: pkg/chart/v2/util/compatible.go IsCompatibleRange
pub(super) fn in_range(range: &str, version: &str) -> bool {
    match (
        semver::Version::parse(version),
        semver::Constraint::parse(range),
    ) {
        (Ok(version), Ok(range)) => range.check(&version),
        _ => false,
    }
}

/// A part of the values of a dependency that becomes a part of those of its parent.
struct Import {
    child: String,
    parent: String,
    /// Whether it was named by what the dependency exports.
    exported: bool,
}

/// The imports of every dependency, in the order in which charts are numbered.
fn collect_imports(chart: &Chart, imports: &mut Vec<Vec<Import>>) {
    for dependency in &chart.metadata.dependencies {
        imports.push(
            dependency
                .import_values
                .iter()
                .filter_map(Import::read)
                .collect(),
        );
    }
    for dependency in &chart.dependencies {
        collect_imports(dependency, imports);
    }
}

impl Import {
    fn read(value: &Value) -> Option<Self> {
        let text = |value: Option<&Value>| print::plain(value.unwrap_or(&Value::Null));
        match value {
            Value::Object(pair) => Some(Self {
                child: text(pair.get("child")),
                parent: text(pair.get("parent")),
                exported: false,
            }),
            Value::String(name) => Some(Self {
                child: format!("exports.{name}"),
                parent: ".".to_owned(),
                exported: true,
            }),
            _ => None,
        }
    }
}

const ROOT: usize = 0;

/// A chart, and the numbers of what it shares with others.
#[derive(Clone)]
struct Node<'a> {
    source: &'a Chart,
    /// The source's number.
    number: usize,
    identity: usize,
    values: Defaults<'a>,
    dependencies: Vec<usize>,
    parent: Option<usize>,
}

/// What a chart says about itself, where it may change.
#[derive(Clone)]
struct Identity<'a> {
    name: &'a str,
    /// Nothing where the chart has no list of dependencies.
    wanted: Option<Vec<Wanted<'a>>>,
}

/// A dependency that a chart names.
#[derive(Clone)]
struct Wanted<'a> {
    source: &'a Dependency,
    name: &'a str,
    enabled: bool,
    imports: &'a [Import],
    imported: bool,
}

/// Charts by number.
struct Graph<'a, 'w> {
    nodes: Vec<Node<'a>>,
    identities: Vec<Identity<'a>>,
    coalescer: Coalescer<'w>,
}

impl<'a> Graph<'a, '_> {
    fn add(
        &mut self,
        source: &'a Chart,
        parent: Option<usize>,
        imports: &mut std::slice::Iter<'a, Vec<Import>>,
    ) -> Result<usize, Error> {
        let metadata = &source.metadata;
        let wanted = metadata.dependencies.iter().map(|dependency| Wanted {
            source: dependency,
            name: &dependency.name,
            enabled: dependency.enabled,
            imports: imports.next().map_or(&[], Vec::as_slice),
            imported: false,
        });
        let wanted: Vec<_> = wanted.collect();
        self.identities.push(Identity {
            name: &metadata.name,
            wanted: metadata.declares_dependencies.then_some(wanted),
        });
        let number = self.push(Node {
            source,
            number: self.nodes.len(),
            identity: self.identities.len() - 1,
            values: Defaults::Read(&source.values),
            dependencies: Vec::new(),
            parent,
        })?;
        for dependency in &source.dependencies {
            let dependency = self.add(dependency, Some(number), imports)?;
            self.nodes[number].dependencies.push(dependency);
        }
        Ok(number)
    }

    fn push(&mut self, node: Node<'a>) -> Result<usize, Error> {
        if self.nodes.len() == MAX_CHARTS {
            return Err(Error::Breadth(MAX_CHARTS));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn name(&self, chart: usize) -> &'a str {
        self.identities[self.nodes[chart].identity].name
    }

    fn wanted(&mut self, chart: usize) -> &mut Option<Vec<Wanted<'a>>> {
        &mut self.identities[self.nodes[chart].identity].wanted
    }

    fn scope(&self, chart: usize) -> Scope<'a> {
        let node = &self.nodes[chart];
        Scope {
            name: self.name(chart),
            defaults: node.values.clone(),
            dependencies: node
                .dependencies
                .iter()
                .map(|chart| self.scope(*chart))
                .collect(),
        }
    }

    fn set_dependencies(&mut self, chart: usize, dependencies: Vec<usize>) {
        for dependency in &dependencies {
            self.nodes[*dependency].parent = Some(chart);
        }
        self.nodes[chart].dependencies = dependencies;
    }

    /// Whether a chart in `charts/` is one that is wanted.
    fn fits(&self, wanted: &Wanted<'_>, chart: usize) -> bool {
        self.name(chart) == wanted.name
            && in_range(
                &wanted.source.version,
                &self.nodes[chart].source.metadata.version,
            )
    }

    /// Drops what is switched off, at every level.
    // helm: pkg/chart/v2/util/dependencies.go processDependencyEnabled
    fn switch(&mut self, chart: usize, values: &Table<'a>, path: &str) -> Result<(), Error> {
        let Some(mut wanted) = self.wanted(chart).clone() else {
            return Ok(());
        };
        self.name_dependencies(chart, &mut wanted)?;
        let values = self
            .coalescer
            .chart(&self.scope(chart), values.deep_copy(), Keep::Values)?;
        for dependency in &mut wanted {
            dependency.enabled = true;
        }
        self.apply_tags(&mut wanted, &values);
        self.apply_conditions(&mut wanted, &values, path);
        let off: HashSet<&str> = wanted
            .iter()
            .filter(|one| !one.enabled)
            .map(|one| one.name)
            .collect();
        let kept = self.nodes[chart].dependencies.iter().copied();
        let kept: Vec<usize> = kept.filter(|one| !off.contains(self.name(*one))).collect();
        // shared with this chart's copies: they see the new names, and what remains, from here on
        wanted.retain(|one| !off.contains(one.name));
        for dependency in &kept {
            let path = format!("{path}{}.", self.name(*dependency));
            self.switch(*dependency, &values, &path)?;
        }
        *self.wanted(chart) = (!wanted.is_empty()).then_some(wanted);
        self.set_dependencies(chart, kept);
        Ok(())
    }

    /// Gives each dependency that is named a copy of the chart it means, under its alias, after
    /// the charts that nobody names.
    fn name_dependencies(&mut self, chart: usize, wanted: &mut [Wanted<'a>]) -> Result<(), Error> {
        let present = self.nodes[chart].dependencies.clone();
        let unnamed = present
            .iter()
            .copied()
            .filter(|one| !wanted.iter().any(|wanted| self.fits(wanted, *one)));
        let mut named: Vec<usize> = unnamed.collect();
        for one in wanted {
            if let Some(found) = present
                .iter()
                .copied()
                .find(|present| self.fits(one, *present))
            {
                named.push(self.copy(found, &one.source.alias)?);
            }
            if !one.source.alias.is_empty() {
                one.name = &one.source.alias;
            }
        }
        self.set_dependencies(chart, named);
        Ok(())
    }

    /// A copy with an identity of its own, and copies of its dependencies without.
    // helm: pkg/chart/v2/util/dependencies.go getAliasDependency
    fn copy(&mut self, chart: usize, alias: &'a str) -> Result<usize, Error> {
        let mut identity = self.identities[self.nodes[chart].identity].clone();
        if !alias.is_empty() {
            identity.name = alias;
        }
        self.identities.push(identity);
        let mut node = self.nodes[chart].clone();
        node.identity = self.identities.len() - 1;
        let inner = std::mem::take(&mut node.dependencies);
        let copy = self.push(node)?;
        for one in inner {
            let node = Node {
                parent: Some(copy),
                ..self.nodes[one].clone()
            };
            let one = self.push(node)?;
            self.nodes[copy].dependencies.push(one);
        }
        Ok(copy)
    }

    // helm: pkg/chart/v2/util/dependencies.go processDependencyTags
    fn apply_tags(&mut self, wanted: &mut [Wanted<'a>], values: &Table<'a>) {
        let Ok(tags) = values.table("tags") else {
            return;
        };
        for one in wanted {
            let (mut on, mut off) = (false, false);
            for tag in &one.source.tags {
                match tags.get(tag).map(|node| node.as_bool()) {
                    None => {}
                    Some(Some(true)) => on = true,
                    Some(Some(false)) => off = true,
                    Some(None) => {
                        let warning = Warning::warn("returned non-bool value");
                        self.coalescer
                            .warnings
                            .push(warning.with("tag", tag).with("chart", one.name));
                    }
                }
            }
            one.enabled = on || !off;
        }
    }

    // helm: pkg/chart/v2/util/dependencies.go processDependencyConditions
    fn apply_conditions(&mut self, wanted: &mut [Wanted<'a>], values: &Table<'a>, path: &str) {
        for one in wanted {
            for condition in one
                .source
                .condition
                .trim()
                .split(',')
                .filter(|condition| !condition.is_empty())
            {
                match values.path_value(&format!("{path}{condition}")) {
                    None => {}
                    Some(Value::Bool(enabled)) => {
                        one.enabled = *enabled;
                        break;
                    }
                    Some(_) => {
                        let warning = Warning::warn("returned non-bool value");
                        self.coalescer
                            .warnings
                            .push(warning.with("path", condition).with("chart", one.name));
                    }
                }
            }
        }
    }

    /// Gives every chart that names dependencies their values, and those that it imports, from
    /// the innermost charts outwards.
    // helm: pkg/chart/v2/util/dependencies.go processDependencyImportValues
    fn import(&mut self, chart: usize) -> Result<(), Error> {
        for dependency in self.nodes[chart].dependencies.clone() {
            self.import(dependency)?;
        }
        let Some(mut wanted) = self.wanted(chart).clone() else {
            return Ok(());
        };
        let values = self
            .coalescer
            .chart(&self.scope(chart), Table::default(), Keep::Nulls)?;
        let imported = Table::default();
        for one in &mut wanted {
            if one.imported {
                // a chart that shares this list had its turn, which left nothing to read
                one.imports = &[];
            }
            for import in one.imports {
                self.import_one(one.name, import, &values, &imported);
                // what is imported into itself holds itself; Helm does not survive that
                if self.coalescer.too_deep || !values.is_bounded() || !imported.is_bounded() {
                    values.dismantle();
                    imported.dismantle();
                    return Err(Error::ValuesDepth);
                }
            }
            one.imported = true;
        }
        *self.wanted(chart) = Some(wanted);
        // what was imported may be shared with where it came from
        let values = values.deep_copy();
        self.coalescer.merge_tables(&values, &imported);
        self.nodes[chart].values = Defaults::Merged(values);
        Ok(())
    }

    fn import_one(
        &mut self,
        dependency: &str,
        import: &'a Import,
        values: &Table<'a>,
        imported: &Table<'a>,
    ) {
        if import.parent.split('.').count() > MAX_PATH {
            self.coalescer.too_deep = true;
            return;
        }
        match values.table(&format!("{dependency}.{}", import.child)) {
            Ok(table) => {
                let table = if table.is_empty() {
                    Table::default()
                } else {
                    table
                };
                let table = if import.parent == "." {
                    table
                } else {
                    table.below(&import.parent)
                };
                self.coalescer.merge_tables(imported, &table);
            }
            Err(error) => {
                let warning = if import.exported {
                    Warning::warn("ImportValues missing table")
                } else {
                    Warning::warn("ImportValues missing table from chart").with("chart", dependency)
                };
                self.coalescer
                    .warnings
                    .push(warning.with("error", error.to_string()));
            }
        }
    }

    /// What the chart and its dependencies came out as; counts how often each source is used.
    fn made(&self, chart: usize, uses: &mut [usize]) -> Result<Made, Error> {
        let node = &self.nodes[chart];
        uses[node.number] += 1;
        if uses.iter().sum::<usize>() > MAX_CHARTS {
            return Err(Error::Breadth(MAX_CHARTS));
        }
        let dependencies: Result<_, _> = node
            .dependencies
            .iter()
            .map(|one| self.made(*one, uses))
            .collect();
        let identity = &self.identities[node.identity];
        let wanted = identity.wanted.as_ref();
        Ok(Made {
            source: node.number,
            name: identity.name.to_owned(),
            wanted: wanted.map(|wanted| wanted.iter().map(Wanted::dependency).collect()),
            values: match &node.values {
                Defaults::Read(_) => None,
                Defaults::Merged(table) => Some(table.export()),
            },
            parent: node.parent.map(|parent| Arc::from(self.full_path(parent))),
            dependencies: dependencies?,
        })
    }

    fn full_path(&self, chart: usize) -> String {
        match self.nodes[chart].parent {
            Some(parent) => format!("{}/charts/{}", self.full_path(parent), self.name(chart)),
            None => self.name(chart).to_owned(),
        }
    }
}

impl Wanted<'_> {
    fn dependency(&self) -> Dependency {
        let mut dependency = self.source.clone();
        self.name.clone_into(&mut dependency.name);
        dependency.enabled = self.enabled;
        if self.imported {
            let imports = self.imports.iter();
            dependency.import_values = imports
                .map(|import| json!({"child": import.child, "parent": import.parent}))
                .collect();
        }
        dependency
    }
}
