//! `values.schema.json`: whether the values of a chart and its dependencies keep to it.
//!
//! Helm prints what its schema library says, as a tree of every rule that was broken. So this is
//! a schema validator after that library (santhosh-tekuri/jsonschema v6): the same drafts, the
//! same order of keywords, the same sentences. Where the library goes by the order of a Go map,
//! names are taken in their own order here.
//!
//! `document` finds the schemas within a document, `compile` makes them into `rule`s, `check`
//! holds an `instance` against them, `failure` tells the tree. Nothing is ever loaded: a `$ref`
//! to another file or host is an error, as for Helm where there is no such file or network.

mod address;
mod cache;
mod check;
mod compile;
mod decimal;
mod document;
mod draft;
mod failure;
mod format;
mod instance;
mod ip;
mod pattern;
mod rule;
mod url;

use std::sync::Arc;

use serde_json::Value;

use super::json::Json;
use super::{Chart, Entry, Error, Values, Warning};
use compile::Compiler;
use instance::Instance;
use rule::{Id, Rules};

/// Checks coalesced values against the schemas of a chart and its dependencies; what Helm says on
/// standard error about it is added to `warnings`.
///
/// # Errors
/// Where a schema is broken or refuses the values: the sentences of all such charts.
// helm: pkg/chart/common/util/jsonschema.go ValidateAgainstSchema
pub fn validate(
    chart: &Chart,
    values: Values<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    let mut report = Report {
        text: String::new(),
        warnings,
    };
    report.chart(chart, values);
    if report.text.is_empty() {
        Ok(())
    } else {
        Err(Error::Schema(report.text))
    }
}

struct Report<'w> {
    text: String,
    warnings: &'w mut Vec<Warning>,
}

impl Report<'_> {
    fn chart(&mut self, chart: &Chart, values: Values<'_>) {
        if let Some(schema) = &chart.schema {
            let name = Warning::debug("chart name").with("chart-name", chart.name());
            self.warnings.push(name);
            if let Err(text) = self.single(schema, values) {
                self.text.push_str(&format!("{}:\n{text}", chart.name()));
            }
        }
        let dependencies = chart.dependencies.len().to_string();
        self.warnings.push(
            Warning::debug("number of dependencies in the chart")
                .with("chart", chart.name())
                .with("dependencies", dependencies),
        );
        for dependency in &chart.dependencies {
            match values.get(dependency.name()) {
                None | Some(Entry::Leaf(Value::Null)) => {}
                Some(Entry::Table(values)) => self.chart(dependency, values),
                Some(Entry::Leaf(other)) => {
                    let kind = match other {
                        Value::Bool(_) => "bool",
                        Value::Number(n) if n.is_f64() => "float64",
                        Value::Number(_) => "int64",
                        Value::String(_) => "string",
                        _ => "[]interface {}",
                    };
                    let name = dependency.name();
                    self.text.push_str(&format!(
                        "{name}:\ninvalid type for values: expected object (map), got {kind}\n"
                    ));
                }
            }
        }
    }

    // helm: pkg/chart/common/util/jsonschema.go ValidateAgainstSingleSchema
    fn single(&mut self, schema: &Arc<[u8]>, values: Values<'_>) -> Result<(), String> {
        let compiled = cache::compiled(schema);
        if compiled.read {
            let text = String::from_utf8_lossy(schema);
            let read = Warning::debug("unmarshalled JSON schema").with("schema", text);
            self.warnings.push(read);
        }
        for urn in &compiled.unresolved {
            let warning =
                Warning::warn("unresolved URN reference ignored; using permissive schema")
                    .with("urn", urn);
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
        }
        let (rules, root) = compiled.rules.as_ref().map_err(String::clone)?;
        check::validate(rules, *root, Instance::Table(values), None).map_err(|stop| match stop {
            check::Stop::Refused(failure) => {
                let text = failure.to_string();
                let headline = format!("jsonschema validation failed with '{URL}#'\n");
                format!("{}\n", text.strip_prefix(&headline).unwrap_or(&text))
            }
            check::Stop::Bound(text) => format!("unable to validate schema: {text}"),
        })
    }
}

/// Where Helm says that a chart's schema is.
const URL: &str = "file:///values.schema.json";

/// What a schema came to.
struct Compiled {
    /// Whether it is JSON at all.
    read: bool,
    rules: Result<(Rules, Id), String>,
    /// References to names that nobody knows.
    unresolved: Vec<String>,
}

impl Compiled {
    fn of(schema: &[u8]) -> Self {
        let document = match Json::read_whole(schema) {
            Ok(document) => document,
            Err(error) => {
                return Self {
                    read: false,
                    rules: Err(error),
                    unresolved: Vec::new(),
                };
            }
        };
        let mut compiler = Compiler::new(Some((URL, document)));
        let root = compiler.compile(URL).map_err(|error| error.to_string());
        Self {
            read: true,
            unresolved: compiler.unresolved_names().to_vec(),
            rules: root.map(|root| (compiler.rules(), root)),
        }
    }
}
