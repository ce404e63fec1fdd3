//! The spec as later stages see it: defaults filled in, values merged, identity settled.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::exemptions::Exemptions;
use crate::api::{
    CrdPolicy, Deletion, Drift, Guard, HelmRelease, HelmReleaseSpec, Randomness, Replace, Test,
};

/// Which release: what Helm calls it, and where its record is stored.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ReleaseName {
    /// The namespace of the record and of the objects that name none.
    pub namespace: String,
    /// Helm's name.
    pub name: String,
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Which chart, as declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChartReference {
    /// The repository.
    pub repo: String,
    /// The chart's name.
    pub name: String,
    /// The exact version.
    pub version: String,
    /// The exact commit, of a chart in git.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The folder in that commit, if it is not the root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The only digest that is taken, if one is declared.
    pub digest: Option<String>,
}

/// Everything that is wanted of one release.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The release.
    pub release: ReleaseName,
    /// The chart.
    pub chart: ChartReference,
    /// The user's values: `valuesFrom` in order, then `values`.
    pub values: Map<String, Value>,
    /// The digest of `values`.
    pub values_digest: String,
    /// The digest of everything that a revision is made of; it fits a label.
    pub inputs: String,
    /// Failed revisions are undone.
    pub atomic: bool,
    /// Deployed means ready.
    pub wait: bool,
    /// How long hooks and waiting may take.
    pub timeout: Duration,
    /// How often failed inputs are tried again.
    pub retries: u32,
    /// How many revisions are kept; 0 keeps all.
    pub history_max: u32,
    /// What to do about drift.
    pub drift: Drift,
    /// How often everything is looked at, whatever the watches say.
    pub interval: Duration,
    /// What to do with crds/.
    pub crds: CrdPolicy,
    /// Whether upgrades and rollbacks ask before they delete what cannot be brought back.
    pub guard: Guard,
    /// Whether what cannot be changed is replaced.
    pub replace: Replace,
    /// Whether passwords and certificates of templates are kept.
    pub randomness: Randomness,
    /// Whether to run the chart's tests.
    pub test: Test,
    /// What to do on deletion.
    pub deletion: Deletion,
    /// Create the target namespace.
    pub create_namespace: bool,
}

/// A spec that the API server let through and that still cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSpec {
    /// A resource without a name or namespace never comes from an API server.
    #[error("the HelmRelease has no {0}")]
    Unnamed(&'static str),
    /// Helm stores a release under its name in a label.
    #[error("the release name {0:?} is longer than Helm's 53 characters: set spec.releaseName")]
    LongName(String),
    /// Ranges and words are no versions.
    #[error("{0:?} is no exact version: write one such as 1.4.2")]
    InexactVersion(String),
}

impl Desired {
    /// The spec with its values merged.
    pub fn new(resource: &HelmRelease, values: Map<String, Value>) -> Result<Self, InvalidSpec> {
        let release = ReleaseName::of(resource)?;
        let spec = &resource.spec;
        let chart = ChartReference::of(spec)?;
        let values_digest = values_digest(&values);
        Ok(Self {
            inputs: inputs_digest(&chart, &values_digest),
            release,
            chart,
            values,
            values_digest,
            atomic: spec.atomic,
            wait: spec.wait,
            timeout: spec.timeout.0,
            retries: spec.retries,
            history_max: spec.history_max,
            drift: spec.drift.clone(),
            interval: spec.interval.0,
            crds: spec.crds,
            guard: spec.guard,
            replace: spec.replace,
            randomness: spec.randomness,
            test: spec.test.clone(),
            deletion: spec.deletion.clone(),
            create_namespace: spec.create_namespace,
        })
    }
}

impl Desired {
    /// What drift, and what of an upgrade, is left alone.
    pub fn exemptions(&self) -> Exemptions<'_> {
        Exemptions::new(&self.drift.ignore, &self.release.namespace)
    }
}

impl ReleaseName {
    /// The release that a resource declares.
    pub fn of(resource: &HelmRelease) -> Result<Self, InvalidSpec> {
        let metadata = &resource.metadata;
        let own_namespace = metadata
            .namespace
            .as_ref()
            .ok_or(InvalidSpec::Unnamed("namespace"))?;
        let own_name = metadata.name.as_ref().ok_or(InvalidSpec::Unnamed("name"))?;
        let name = resource
            .spec
            .release_name
            .as_ref()
            .unwrap_or(own_name)
            .clone();
        if name.len() > 53 {
            return Err(InvalidSpec::LongName(name));
        }
        let namespace = resource
            .spec
            .target_namespace
            .as_ref()
            .unwrap_or(own_namespace)
            .clone();
        Ok(Self { namespace, name })
    }
}

impl ChartReference {
    /// The chart that a spec names. The API server has checked the version already; a definition
    /// of an older release of this program may not have.
    fn of(spec: &HelmReleaseSpec) -> Result<Self, InvalidSpec> {
        let exact = spec
            .version
            .trim_start_matches('v')
            .starts_with(|c: char| c.is_ascii_digit())
            && spec
                .version
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-+".contains(c));
        if !exact {
            return Err(InvalidSpec::InexactVersion(spec.version.clone()));
        }
        Ok(Self {
            repo: spec.repo.trim_end_matches('/').to_owned(),
            name: spec.name.clone(),
            version: spec.version.clone(),
            commit: spec.commit.clone(),
            path: spec
                .path
                .as_deref()
                .map(|path| path.trim_end_matches('/').to_owned()),
            digest: spec.digest.clone(),
        })
    }
}

/// The digest of a set of values: equal values, however they were written, have equal digests.
pub fn values_digest(values: &Map<String, Value>) -> String {
    // serde_json keeps keys sorted, so the text is canonical.
    let text = Value::Object(values.clone()).to_string();
    format!("sha256:{}", hex(&Sha256::digest(text.as_bytes())))
}

/// The digest of all that a revision is made of, short enough for a label's 63 characters.
fn inputs_digest(chart: &ChartReference, values_digest: &str) -> String {
    let mut hash = Sha256::new();
    let digest = chart.digest.as_deref().unwrap_or("");
    for part in [
        &*chart.repo,
        &*chart.name,
        &*chart.version,
        digest,
        values_digest,
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    // A release that was made before there were any has other inputs by nothing.
    for (field, part) in [("commit", &chart.commit), ("path", &chart.path)] {
        if let Some(part) = part {
            hash.update(format!("{field}={part}\0").as_bytes());
        }
    }
    hex(&hash.finalize()[..20])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
