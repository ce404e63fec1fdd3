//! What becomes of a chart, from loading to its schemas, in the form that the oracle writes.

use std::collections::BTreeSet;
use std::error::Error;

use pintle::chart::{Chart, Level, Warning, dependency, schema, values};
use serde_json::{Map, Value, json};

/// The steps of `helm template` before it renders.
pub(crate) struct Run {
    pub(crate) warnings: Vec<Warning>,
    outcome: Value,
}

/// Follows a chart through the steps; `loaded` is what loading came to, with the text of its error.
pub(crate) fn follow(
    loaded: Result<Chart, String>,
    warnings: Vec<Warning>,
    given: &Map<String, Value>,
    skip_schema: bool,
) -> Value {
    let mut run = Run {
        warnings,
        outcome: json!({"values": null}),
    };
    if let Err((stage, error)) = run.steps(loaded, given, skip_schema) {
        run.outcome["stage"] = stage.into();
        run.outcome["error"] = error.into();
    }
    // The oracle runs without `--debug`.
    let said = run
        .warnings
        .iter()
        .filter(|line| line.level != Level::Debug);
    let mut lines: Vec<String> = said.map(ToString::to_string).collect();
    lines.sort();
    if !lines.is_empty() {
        run.outcome["warnings"] = lines.into();
    }
    run.outcome
}

impl Run {
    fn steps(
        &mut self,
        loaded: Result<Chart, String>,
        given: &Map<String, Value>,
        skip_schema: bool,
    ) -> Result<(), (&'static str, String)> {
        let mut chart = loaded.map_err(|error| ("load", error))?;
        let warnings = &mut self.warnings;
        warnings.append(&mut chart.warnings);
        chart
            .check_installable(warnings)
            .map_err(|error| ("install", chain(&error)))?;
        dependency::process(&mut chart, given, warnings).map_err(|error| {
            (
                "process",
                format!("chart dependencies processing failed: {}", chain(&error)),
            )
        })?;
        let crds: Vec<String> = chart.crds().into_iter().map(|crd| crd.path).collect();
        if !crds.is_empty() {
            self.outcome["crds"] = crds.into();
        }
        self.outcome["chart"] = tree(&chart);
        let coalesced = values::coalesce(&chart, given, warnings)
            .map_err(|error| ("coalesce", chain(&error)))?;
        self.outcome["values"] = Value::Object(coalesced.view().to_map());
        if !skip_schema {
            schema::validate(&chart, coalesced.view(), warnings)
                .map_err(|error| ("schema", chain(&error)))?;
        }
        Ok(())
    }
}

/// The error and its sources, as Helm prints them.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

fn tree(chart: &Chart) -> Value {
    let names = |files: &[pintle::chart::File]| {
        files
            .iter()
            .map(|file| file.name.clone())
            .collect::<Vec<_>>()
    };
    let mut dependencies: Vec<Value> = chart.dependencies.iter().map(tree).collect();
    dependencies.sort_by_key(|tree| tree["path"].as_str().unwrap().to_owned());
    json!({
        "path": chart.chart_full_path(),
        "metadata": chart.metadata,
        "lock": chart.lock,
        "templates": names(&chart.templates),
        "files": names(&chart.files),
        "schema": chart.schema.is_some(),
        "values": chart.values,
        "dependencies": dependencies,
    })
}

/// Compares what came out with what Helm made of the same in some turns; says where they part.
///
/// Helm goes by the order of Go's maps, which is another one at each turn, so at each place it is
/// enough to agree with one of them.
pub(crate) fn difference(path: &str, ours: &Value, helms: &[&Value]) -> Option<String> {
    match ours {
        Value::Object(a) if helms.iter().any(|helm| helm.is_object()) => {
            let helms: Vec<_> = helms.iter().filter_map(|helm| helm.as_object()).collect();
            let keys: BTreeSet<&String> = a
                .keys()
                .chain(helms.iter().flat_map(|helm| helm.keys()))
                .collect();
            keys.into_iter().find_map(|key| {
                let path = format!("{path}.{key}");
                let present: Vec<&Value> = helms.iter().filter_map(|helm| helm.get(key)).collect();
                match a.get(key) {
                    Some(a) if present.is_empty() => {
                        Some(format!("{path}: ours {}, helm nothing", brief(a)))
                    }
                    Some(a) => difference(&path, a, &present),
                    None if present.len() < helms.len() => None,
                    None => Some(format!("{path}: ours nothing, helm {}", brief(present[0]))),
                }
            })
        }
        Value::Array(a)
            if helms
                .iter()
                .any(|helm| helm.as_array().is_some_and(|b| a.len() == b.len())) =>
        {
            let same: Vec<_> = helms
                .iter()
                .filter_map(|helm| helm.as_array())
                .filter(|b| a.len() == b.len())
                .collect();
            a.iter().enumerate().find_map(|(i, a)| {
                let items: Vec<&Value> = same.iter().map(|b| &b[i]).collect();
                difference(&format!("{path}[{i}]"), a, &items)
            })
        }
        ours if helms.iter().any(|helm| same(ours, helm)) => None,
        ours => Some(format!(
            "{path}: ours {}, helm {}",
            brief(ours),
            brief(helms[0])
        )),
    }
}

/// Whether both are equal, whole numbers and floats told apart, and sentences with their parts in
/// any order.
fn same(ours: &Value, helm: &Value) -> bool {
    match (ours, helm) {
        (Value::Number(a), Value::Number(b)) => {
            a.is_f64() == b.is_f64() && a.as_f64() == b.as_f64()
        }
        (Value::String(a), Value::String(b)) => {
            a == b || (a.contains("\n- at ") && sorted(a) == sorted(b))
        }
        (a, b) => a == b,
    }
}

fn sorted(text: &str) -> Vec<Vec<&str>> {
    let mut lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split([' ', ',']).collect())
        .collect();
    lines.iter_mut().for_each(|words| words.sort_unstable());
    lines.sort();
    lines
}

fn brief(value: &Value) -> String {
    value.to_string().chars().take(1200).collect()
}
