//! The dot of each chart: what its templates see under `.Values`, `.Chart`, `.Release`, ...

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::Files;
use super::inputs::ReleaseFacts;
use crate::chart::{Chart, Dependency, Entry, Maintainer, Metadata, Values};
use crate::template::{Map, Text, Type, Value};

/// Helm's type for the dot, `.Values` and `.Template`.
pub(super) const VALUES: Type = Type::Named(VALUES_TYPE);

/// Its name.
pub(super) const VALUES_TYPE: &str = "common.Values";

/// A template file and what it is executed on.
pub(super) struct Template {
    /// The path from the root chart: `web/charts/db/templates/a.yaml`.
    pub(super) path: String,
    /// How many slashes it has.
    depth: usize,
    pub(super) text: Arc<[u8]>,
    /// The dot of the template's chart, shared by all its templates.
    pub(super) dot: Map,
    /// `.Template.BasePath`
    base: Text,
}

impl Template {
    /// Whether it is only there for others to include.
    pub(super) fn is_partial(&self) -> bool {
        self.path
            .rsplit('/')
            .next()
            .is_some_and(|base| base.starts_with('_'))
    }

    /// Puts the template's own name into its chart's dot, and gives the dot.
    pub(super) fn enter(&self) -> Value {
        let own = map(
            VALUES,
            [
                ("BasePath", self.base.clone().into()),
                ("Name", Value::string(self.path.as_str())),
            ],
        );
        self.dot.insert("Template", own);
        Value::Map(self.dot.clone())
    }
}

/// What the dots of all charts of a release share.
pub(super) struct Shared {
    pub(super) release: Value,
    pub(super) capabilities: Value,
}

/// `.Release`. helm: pkg/chart/common/util/values.go ToRenderValues
pub(super) fn release(facts: &ReleaseFacts) -> Value {
    let release = [
        ("IsInstall", facts.is_install.into()),
        ("IsUpgrade", facts.is_upgrade.into()),
        ("Name", Value::string(facts.name.as_str())),
        ("Namespace", Value::string(facts.namespace.as_str())),
        ("Revision", Value::int(facts.revision)),
        ("Service", Value::string("Helm")),
    ];
    map(Type::ANY_MAP, release).into()
}

/// A map of this type with these entries.
fn map<const N: usize>(map_type: Type, entries: [(&str, Value); N]) -> Map {
    let entries = entries.map(|(name, value)| (Text::from(name), value));
    Map::with_entries(map_type, BTreeMap::from(entries))
}

/// The templates of a chart and of all charts below it, each with its dot: the deepest first, so
/// that a parent's definitions win over its dependencies', then from the last path to the first.
/// helm: pkg/engine/engine.go allTemplates, sortTemplates
pub(super) fn templates(chart: &Chart, values: Values<'_>, shared: &Shared) -> Vec<Template> {
    let mut templates = Vec::new();
    collect(chart, table(values).seen_as(VALUES), shared, &mut templates);
    // of several at one path the last is the one
    templates.reverse();
    templates.sort_by(|left, right| (right.depth, &right.path).cmp(&(left.depth, &left.path)));
    templates.dedup_by(|later, kept| later.path == kept.path);
    templates
}

/// The values as a map that templates may change.
fn table(values: Values<'_>) -> Map {
    if let Values::Read(map) = values {
        return Map::from_json(map);
    }
    let entries = values.iter().map(|(key, entry)| {
        let value = match entry {
            Entry::Leaf(value) => Value::from_json(value),
            Entry::Table(values) => Value::Map(table(values)),
        };
        (Text::from(key), value)
    });
    Map::with_entries(Type::ANY_MAP, entries.collect())
}

fn collect(chart: &Chart, values: Map, shared: &Shared, templates: &mut Vec<Template>) -> Map {
    let subcharts = Map::default();
    let dot = map(
        VALUES,
        [
            ("Capabilities", shared.capabilities.clone()),
            ("Chart", metadata(chart)),
            ("Files", Files::value(&chart.files)),
            ("Release", shared.release.clone()),
            ("Subcharts", subcharts.clone().into()),
            ("Values", values.clone().into()),
        ],
    );
    for dependency in &chart.dependencies {
        let name = dependency.name();
        let dot = collect(dependency, below(&values, name), shared, templates);
        subcharts.insert(name, dot.seen_as(Type::ANY_MAP));
    }
    let path = chart.chart_full_path();
    let base = Text::from(format!("{path}/templates"));
    for file in &chart.templates {
        let path = join(&path, &file.name);
        let template = Template {
            depth: path.bytes().filter(|byte| *byte == b'/').count(),
            path,
            text: Arc::clone(&file.data),
            dot: dot.clone(),
            base: base.clone(),
        };
        // A library lends its partials and prints nothing.
        if !chart.is_library() || template.is_partial() {
            templates.push(template);
        }
    }
    dot
}

/// The values that a chart hands down: those under the dependency's name, which may be a path.
/// helm: pkg/chart/common/values.go Table
fn below(values: &Map, name: &str) -> Map {
    let mut table = values.clone();
    for step in name.split('.') {
        match table.get(step.as_bytes()) {
            Some(Value::Map(next)) => table = next,
            _ => return Map::new(VALUES),
        }
    }
    table.seen_as(VALUES)
}

/// Go: path.Join of a chart's path and a file's, neither of which leaves the chart.
fn join(chart: &str, file: &str) -> String {
    format!("{chart}/{file}")
}

/// `.Chart`: Go's fields by their Go names. helm: pkg/chart/common.go structToMap
fn metadata(chart: &Chart) -> Value {
    let Metadata {
        name,
        home,
        sources,
        version,
        description,
        keywords,
        maintainers,
        icon,
        api_version,
        condition,
        tags,
        app_version,
        deprecated,
        annotations,
        kube_version,
        dependencies,
        kind,
        declares_dependencies: _,
    } = &chart.metadata;
    let empty = Text::default();
    let text = |text: &str| match text {
        "" => Value::String(empty.clone()),
        text => Value::string(text),
    };
    let fields = [
        ("APIVersion", text(api_version)),
        ("Annotations", annotations_map(annotations)),
        ("AppVersion", text(app_version)),
        ("Condition", text(condition)),
        (
            "Dependencies",
            Value::list(dependencies.iter().map(dependency).collect()),
        ),
        ("Deprecated", (*deprecated).into()),
        ("Description", text(description)),
        ("Home", text(home)),
        ("Icon", text(icon)),
        ("IsRoot", chart.is_root().into()),
        ("Keywords", list(keywords)),
        ("KubeVersion", text(kube_version)),
        (
            "Maintainers",
            Value::list(maintainers.iter().map(maintainer).collect()),
        ),
        ("Name", text(name)),
        ("Sources", list(sources)),
        ("Tags", text(tags)),
        ("Type", text(kind)),
        ("Version", text(version)),
    ];
    map(Type::ANY_MAP, fields).into()
}

fn list(texts: &[String]) -> Value {
    Value::list(
        texts
            .iter()
            .map(|text| Value::string(text.as_str()))
            .collect(),
    )
}

fn annotations_map(annotations: &BTreeMap<String, String>) -> Value {
    if annotations.is_empty() {
        return Value::Map(Map::nil(Type::STRING_MAP));
    }
    let entries = annotations
        .iter()
        .map(|(name, text)| (Text::from(name.as_str()), Value::string(text.as_str())));
    Map::with_entries(Type::STRING_MAP, entries.collect()).into()
}

fn maintainer(maintainer: &Maintainer) -> Value {
    let Maintainer { name, email, url } = maintainer;
    let fields = [("Email", email), ("Name", name), ("URL", url)];
    let fields = fields.map(|(name, text)| (name, Value::string(text.as_str())));
    map(Type::ANY_MAP, fields).into()
}

fn dependency(dependency: &Dependency) -> Value {
    let Dependency {
        name,
        version,
        repository,
        condition,
        tags,
        enabled,
        import_values,
        alias,
    } = dependency;
    let fields = [
        ("Alias", Value::string(alias.as_str())),
        ("Condition", Value::string(condition.as_str())),
        ("Enabled", (*enabled).into()),
        (
            "ImportValues",
            Value::list(import_values.iter().map(Value::from_json).collect()),
        ),
        ("Name", Value::string(name.as_str())),
        ("Repository", Value::string(repository.as_str())),
        ("Tags", list(tags)),
        ("Version", Value::string(version.as_str())),
    ];
    map(Type::ANY_MAP, fields).into()
}
