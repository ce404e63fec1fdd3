//! The dot of each chart: what its templates see under `.Values`, `.Chart`, `.Release`, ...

use std::collections::BTreeMap;

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
    pub(super) text: Text,
    /// The dot of the template's chart, shared by all its templates.
    pub(super) dot: Map,
    /// `.Template.BasePath`
    base: String,
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
        let own = Map::new(VALUES);
        own.insert("Name", self.path.as_str());
        own.insert("BasePath", self.base.as_str());
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
    let release = Map::default();
    release.insert("Name", facts.name.as_str());
    release.insert("Namespace", facts.namespace.as_str());
    release.insert("IsUpgrade", facts.is_upgrade);
    release.insert("IsInstall", facts.is_install);
    release.insert("Revision", Value::int(facts.revision));
    release.insert("Service", "Helm");
    Value::Map(release)
}

/// The templates of a chart and of all charts below it, each with its dot.
/// helm: pkg/engine/engine.go allTemplates
pub(super) fn templates(chart: &Chart, values: Values<'_>, shared: &Shared) -> Vec<Template> {
    let mut templates = BTreeMap::new();
    collect(chart, table(values).seen_as(VALUES), shared, &mut templates);
    templates.into_values().collect()
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

fn collect(
    chart: &Chart,
    values: Map,
    shared: &Shared,
    templates: &mut BTreeMap<String, Template>,
) -> Map {
    let subcharts = Map::default();
    let dot = Map::new(VALUES);
    dot.insert("Chart", metadata(chart));
    dot.insert("Files", Files::value(&chart.files));
    dot.insert("Release", shared.release.clone());
    dot.insert("Capabilities", shared.capabilities.clone());
    dot.insert("Values", values.clone());
    dot.insert("Subcharts", subcharts.clone());
    for dependency in &chart.dependencies {
        let name = dependency.name();
        let dot = collect(dependency, below(&values, name), shared, templates);
        subcharts.insert(name, dot.seen_as(Type::ANY_MAP));
    }
    let path = chart.chart_full_path();
    for file in &chart.templates {
        let template = Template {
            path: join(&path, &file.name),
            text: Text::from_bytes(&file.data),
            dot: dot.clone(),
            base: format!("{path}/templates"),
        };
        // A library lends its partials and prints nothing.
        if !chart.is_library() || template.is_partial() {
            templates.insert(template.path.clone(), template);
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
    let fields = Map::default();
    let texts = [
        ("Name", name),
        ("Home", home),
        ("Version", version),
        ("Description", description),
        ("Icon", icon),
        ("APIVersion", api_version),
        ("Condition", condition),
        ("Tags", tags),
        ("AppVersion", app_version),
        ("KubeVersion", kube_version),
        ("Type", kind),
    ];
    for (name, text) in texts {
        fields.insert(name, text.as_str());
    }
    fields.insert("Sources", list(sources));
    fields.insert("Keywords", list(keywords));
    fields.insert(
        "Maintainers",
        Value::list(maintainers.iter().map(maintainer).collect()),
    );
    fields.insert("Deprecated", *deprecated);
    fields.insert("Annotations", annotations_map(annotations));
    fields.insert(
        "Dependencies",
        Value::list(dependencies.iter().map(dependency).collect()),
    );
    fields.insert("IsRoot", chart.is_root());
    Value::Map(fields)
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
    let map = Map::new(Type::STRING_MAP);
    for (name, text) in annotations {
        map.insert(name.as_str(), text.as_str());
    }
    Value::Map(map)
}

fn maintainer(maintainer: &Maintainer) -> Value {
    let Maintainer { name, email, url } = maintainer;
    let fields = Map::default();
    fields.insert("Name", name.as_str());
    fields.insert("Email", email.as_str());
    fields.insert("URL", url.as_str());
    Value::Map(fields)
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
    let fields = Map::default();
    let texts = [
        ("Name", name),
        ("Version", version),
        ("Repository", repository),
        ("Condition", condition),
        ("Alias", alias),
    ];
    for (name, text) in texts {
        fields.insert(name, text.as_str());
    }
    fields.insert("Tags", list(tags));
    fields.insert("Enabled", *enabled);
    fields.insert(
        "ImportValues",
        Value::list(import_values.iter().map(Value::from_json).collect()),
    );
    Value::Map(fields)
}
