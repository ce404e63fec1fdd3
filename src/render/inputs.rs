//! What a render is given, and what it gives.

use std::ops::Range;

use serde_json::{Map, Value};

use super::capabilities::Capabilities;
use crate::chart::{Chart, Warning};
use crate::manifest::Hook;
use crate::release::Seed;
use crate::template::Limits;

/// All that a render depends on besides the chart and the cluster's answers to `lookup`.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Which release it is.
    pub release: ReleaseFacts,
    /// The values that the user gave.
    pub values: Map<String, Value>,
    /// What the cluster can do.
    pub capabilities: Capabilities,
    /// The time and the randomness that templates get.
    pub environment: Environment,
    /// How to render.
    pub options: Options,
}

/// Which release it is, as templates see it under `.Release`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// The release's name.
    pub name: String,
    /// The release's namespace.
    pub namespace: String,
    /// The revision that is being made, from 1.
    pub revision: i64,
    /// Whether this is an install.
    pub is_install: bool,
    /// Whether this is an upgrade or a rollback.
    pub is_upgrade: bool,
}

/// How to render. The default is what Helm does when it installs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Do not hold the values against the charts' schemas.
    pub skip_schema_validation: bool,
    /// Put the files of `crds/` in front of the manifest.
    pub include_crds: bool,
    /// Add the NOTES.txt of subcharts to the notes.
    pub sub_notes: bool,
    /// Fail where a template wants a value that is not there (`helm lint --strict`).
    pub strict: bool,
    /// Let `fail` and `required` pass (`helm lint`).
    pub lint: bool,
    /// What the execution of each template may take. No deeper than the default: the threads have
    /// the stack for that.
    pub limits: Limits,
}

/// Fills a buffer with random bytes.
pub type RandomBytes = dyn FnMut(&mut [u8]) + Send;
/// The addresses of a host name; none if it cannot be resolved.
pub type ResolveHost = dyn Fn(&str) -> Vec<String> + Send;

/// What templates get to know of the world.
pub struct Environment {
    /// The time, which stands still while a chart is rendered.
    pub now: jiff::Timestamp,
    /// The zone that dates are shown in where none is named.
    pub time_zone: jiff::tz::TimeZone,
    /// The source of randomness: passwords and keys are made of it, so it must be one that is fit
    /// for them.
    pub random: Box<RandomBytes>,
    /// What templates draw from instead, where a release is to keep its passwords and certificates.
    pub seed: Option<Seed>,
    /// What `getHostByName` asks. Helm has nothing here unless told to, and no host has an address.
    pub resolve_host: Option<Box<ResolveHost>>,
}

impl Default for Environment {
    /// The beginning of 1970 in UTC, and numbers that are the same at every render: no good for
    /// keys and passwords that are used.
    fn default() -> Self {
        let mut state = 0_u64;
        Self {
            now: jiff::Timestamp::UNIX_EPOCH,
            time_zone: jiff::tz::TimeZone::UTC,
            random: Box::new(move |buffer| {
                for byte in buffer {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    *byte = (state >> 56) as u8;
                }
            }),
            seed: None,
            resolve_host: None,
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A rendered chart.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The objects without hooks, in install order, each under its `# Source:` line: what the
    /// release record stores.
    pub manifest: String,
    /// Which template each part of `manifest` comes from, and where its text stands in it.
    pub parts: Vec<(String, Range<usize>)>,
    /// The hooks, by kind.
    pub hooks: Vec<Hook>,
    /// The rendered NOTES.txt.
    pub notes: String,
    /// What Helm says on standard error without stopping.
    pub warnings: Vec<Warning>,
    /// The chart as the release record stores it: dependencies that are switched off removed, and
    /// the values of the others imported.
    pub chart: Chart,
}

impl Rendered {
    /// The parts of the manifest: the template that each comes from, and its text.
    pub fn manifests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parts
            .iter()
            .map(|(path, range)| (path.as_str(), &self.manifest[range.clone()]))
    }
}
