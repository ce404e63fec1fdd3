//! A chart becomes a manifest.
//!
//! In: a [`Chart`], [`Inputs`] (the release, the user's values, what the cluster can do, the time
//! and randomness), and a [`Lookup`] that answers what templates ask of the cluster. Out:
//! [`Rendered`], which is byte for byte what Helm 4.3.1 renders; or a [`Failure`] in Helm's words.
//! Never: a client, a clock, a file or a network beside what the inputs hand in.
//!
//! [`render`] takes a thread for the engine, because templates may nest deeper than a caller's
//! stack; the caller's own answers `lookup` meanwhile. It blocks until both are done.

mod capabilities;
mod data;
mod draws;
mod duration;
mod engine;
mod files;
mod functions;
mod glob;
mod inputs;
mod lookup;
mod pretty;
mod scope;
mod session;
mod text;
mod toml;
mod trace;
mod worker;

use std::ops::Range;
use std::sync::Arc;

pub use capabilities::{Capabilities, HelmVersion, InvalidKubeVersion, KubeVersion};
pub use inputs::{Environment, Inputs, Options, RandomBytes, ReleaseFacts, Rendered, ResolveHost};
pub use lookup::{Lookup, LookupError, NoCluster};
pub use text::text;
pub use worker::stack;

use engine::Engine;
use session::Asker;

use crate::chart::{self, Chart, Warning, dependency, schema, values};
use crate::manifest::{self, Manifest};

/// Why a chart was not rendered. The text and those of its sources, joined by `: `, are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The dependencies do not go together with the values.
    #[error("chart dependencies processing failed")]
    Dependencies(#[source] chart::Error),
    /// The values do not fit the chart or its schemas.
    #[error(transparent)]
    Values(chart::Error),
    /// The chart is not made for the cluster's version.
    #[error(transparent)]
    KubeVersion(chart::Error),
    /// A template does not parse, or fails.
    #[error("{0}")]
    Template(String),
    /// What a template printed is no manifest.
    #[error(transparent)]
    Manifest(#[from] manifest::Error),
    /// A defect of the engine, kept to this render.
    #[error("rendering template failed: {0}")]
    Panic(String),
    /// The system has no thread left.
    #[error("start the template engine")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// Whether Helm logs it on standard error before it ends with it.
    pub fn is_logged(&self) -> bool {
        matches!(self, Self::Dependencies(_))
    }
}

/// A render that failed, and what there is to say beside the error.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// What Helm says on standard error before the error.
    pub warnings: Vec<Warning>,
    /// What was rendered until then, if it came to that: empty if a template failed, and
    /// everything, broken as it may be, if the result is no manifest.
    pub partial: Option<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

/// Renders a chart as Helm does for an install or upgrade.
///
/// # Errors
/// [`Failure`] with the first thing that Helm would refuse.
pub fn render(chart: Chart, inputs: Inputs, lookup: &dyn Lookup) -> Result<Rendered, Box<Failure>> {
    worker::run(chart, inputs, lookup).unwrap_or_else(|error| {
        Err(Box::new(Failure {
            error,
            warnings: Vec::new(),
            partial: None,
        }))
    })
}

/// The whole of it, where the stack bears it.
fn render_here(
    chart: Chart,
    inputs: Inputs,
    asker: Option<Asker>,
    engine: &mut Engine,
) -> Result<Rendered, Box<Failure>> {
    let mut rendered = Rendered {
        chart,
        ..Rendered::default()
    };
    let mut partial = None;
    match steps(inputs, asker, engine, &mut rendered, &mut partial) {
        Ok(()) => Ok(rendered),
        Err(error) => Err(Box::new(Failure {
            error,
            warnings: rendered.warnings,
            partial,
        })),
    }
}

/// helm: pkg/action/install.go RunWithContext, pkg/action/action.go renderResources
fn steps(
    inputs: Inputs,
    asker: Option<Asker>,
    engine: &mut Engine,
    rendered: &mut Rendered,
    partial: &mut Option<String>,
) -> Result<(), Error> {
    let Inputs {
        release,
        values,
        capabilities,
        environment,
        options,
    } = inputs;
    let Rendered {
        chart, warnings, ..
    } = rendered;
    dependency::process(chart, &values, warnings).map_err(Error::Dependencies)?;
    let values = values::coalesce(chart, &values, warnings).map_err(Error::Values)?;
    if !options.skip_schema_validation {
        schema::validate(chart, values.view(), warnings).map_err(Error::Values)?;
    }
    // From here on Helm has a release to show, if an empty one.
    *partial = Some(String::new());
    let capabilities = Arc::new(capabilities);
    let kube_version = &capabilities.kube_version;
    let compatible = chart.check_compatible(kube_version.for_constraints(), kube_version.version());
    compatible.map_err(Error::KubeVersion)?;
    let facts = engine::Facts {
        chart,
        values: values.view(),
        release: &release,
        capabilities: &capabilities,
        options,
    };
    let (printed, said) = engine.run(&facts, environment, asker);
    warnings.extend(said);
    let mut printed = printed?;
    let notes = take_notes(&mut printed, chart, options.sub_notes);
    let mut unknown_hooks = Vec::new();
    let sorted = manifest::sort(&printed, &mut unknown_hooks);
    for types in &unknown_hooks {
        warnings.push(Warning::info("skipping unknown hooks").with("hookTypes", types));
    }
    let sorted = sorted.inspect_err(|_| *partial = Some(all(&printed)))?;
    // Of a large chart each copy of what it prints is large.
    drop(printed);
    let joined = join(chart, sorted.manifests, options.include_crds);
    *rendered = Rendered {
        manifest: joined.text,
        parts: joined.parts,
        hooks: sorted.hooks,
        notes,
        chart: std::mem::take(&mut rendered.chart),
        warnings: std::mem::take(&mut rendered.warnings),
    };
    Ok(())
}

/// Takes each NOTES.txt out of what was printed, and gives the chart's, or all of them.
fn take_notes(printed: &mut engine::Printed, chart: &Chart, sub_notes: bool) -> String {
    let own = format!("{}/templates/NOTES.txt", chart.name());
    let mut notes = String::new();
    printed.retain(|path, text| {
        if !path.ends_with("NOTES.txt") {
            return true;
        }
        if sub_notes || *path == own {
            if !notes.is_empty() {
                notes.push('\n');
            }
            notes.push_str(&String::from_utf8_lossy(text));
        }
        false
    });
    notes
}

/// A manifest as it grows.
#[derive(Default)]
struct Joined {
    text: String,
    parts: Vec<(String, Range<usize>)>,
}

impl Joined {
    /// What is written around a path and its content.
    const AROUND: usize = "---\n# Source: \n\n".len();

    fn add(&mut self, path: &str, content: &str) {
        self.text.push_str("---\n# Source: ");
        self.text.push_str(path);
        self.text.push('\n');
        let start = self.text.len();
        self.text.push_str(content);
        self.parts.push((path.to_owned(), start..self.text.len()));
        self.text.push('\n');
    }
}

/// Everything that was printed, to show what is wrong with it.
fn all(printed: &engine::Printed) -> String {
    let mut joined = Joined::default();
    for (path, content) in printed {
        let content = String::from_utf8_lossy(content);
        if !content.trim().is_empty() {
            joined.add(path, &content);
        }
    }
    joined.text
}

fn join(chart: &Chart, manifests: Vec<Manifest>, include_crds: bool) -> Joined {
    let crds = match include_crds {
        true => chart.crds(),
        false => Vec::new(),
    };
    let defined = crds.iter().map(|crd| (&crd.path, crd.file.data.len()));
    let printed = manifests.iter().map(|one| (&one.path, one.content.len()));
    let lengths = defined.chain(printed);
    let mut joined = Joined::default();
    // Of a large chart it is large, and would be copied to where there is room for more.
    joined.text.reserve_exact(
        lengths
            .map(|(path, content)| Joined::AROUND + path.len() + content)
            .sum(),
    );
    for crd in crds {
        joined.add(&crd.path, &String::from_utf8_lossy(&crd.file.data));
    }
    for manifest in manifests {
        joined.add(&manifest.path, &manifest.content);
    }
    joined
}
