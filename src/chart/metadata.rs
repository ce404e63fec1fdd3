//! `Chart.yaml` and `Chart.lock`: their fields, and the rules they must keep.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::semver;

use super::quote::{is_print, is_space, quote};
use super::{Error, decode};

/// What `Chart.yaml` says. Serialises with Helm's names; what is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The chart's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The project's page.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub home: String,
    /// Where the chart's source is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// The chart's version, semantic but for a missing minor or patch and a leading `v`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// One sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find the chart by.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Who cares for the chart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub maintainers: Vec<Maintainer>,
    /// An image.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub icon: String,
    /// `v1` or `v2`; `v3` is read, but cannot be installed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// A condition; Helm keeps it and makes nothing of it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Tags; Helm keeps them and makes nothing of them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tags: String,
    /// The version of what the chart installs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub app_version: String,
    /// Whether one should no longer use the chart.
    #[serde(skip_serializing_if = "is_false")]
    pub deprecated: bool,
    /// Words for other tools.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// The versions of Kubernetes that the chart is for, such as `>=1.28.0-0`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kube_version: String,
    /// The charts that this one depends on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Dependency>,
    /// `application`, `library` or nothing.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Whether the chart has a list of dependencies, be it an empty one: only then does Helm look
    /// at the dependencies of those in `charts/`.
    #[serde(skip)]
    pub(crate) declares_dependencies: bool,
}

/// Who cares for a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintainer {
    /// The person's or organisation's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Where to write to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// Where to read more.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub url: String,
}

/// A chart that another depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Dependency {
    /// The name of the chart; after processing its alias, where it has one.
    pub name: String,
    /// The version, or a range of versions.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Where the chart comes from.
    pub repository: String,
    /// Paths in the values, joined by commas; the first that is a boolean switches the chart.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub condition: String,
    /// Names below `tags` in the values that switch the chart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Whether the chart is switched on.
    #[serde(skip_serializing_if = "is_false")]
    pub enabled: bool,
    /// Values of the chart that become values of its parent: names below `exports`, or pairs of
    /// `child` and `parent`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub import_values: Vec<Value>,
    /// The name that the chart goes by here.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
}

/// `Chart.lock`: the dependencies as they were resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lock {
    /// When it was written, as Go prints a time for JSON.
    pub generated: String,
    /// A hash of the dependencies that `Chart.yaml` names.
    pub digest: String,
    /// The dependencies with one version each.
    pub dependencies: Option<Vec<Option<Dependency>>>,
}

impl Default for Lock {
    fn default() -> Self {
        // go: the zero time
        Self {
            generated: "0001-01-01T00:00:00Z".to_owned(),
            digest: String::new(),
            dependencies: None,
        }
    }
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !value
}

/// `Chart.yaml` as it was read, before its rules are checked: lists may be missing or hold nulls.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) metadata: Metadata,
    pub(super) maintainers: Vec<Option<Maintainer>>,
    pub(super) dependencies: Option<Vec<Option<Dependency>>>,
}

impl Draft {
    /// Checks the rules, in Helm's order, and cleans the texts that people read.
    // helm: pkg/chart/v2/metadata.go Validate
    pub(super) fn validate(self) -> Result<Metadata, Error> {
        let mut metadata = self.metadata;
        metadata.sanitize();
        metadata.check_identity()?;
        for maintainer in self.maintainers {
            let mut maintainer = maintainer
                .ok_or_else(|| invalid("maintainers must not contain empty or null nodes"))?;
            sanitize_all([
                &mut maintainer.name,
                &mut maintainer.email,
                &mut maintainer.url,
            ]);
            metadata.maintainers.push(maintainer);
        }
        metadata.declares_dependencies = self.dependencies.is_some();
        let mut taken = HashSet::new();
        for dependency in self.dependencies.into_iter().flatten() {
            let mut dependency = dependency
                .ok_or_else(|| invalid("dependencies must not contain empty or null nodes"))?;
            dependency.validate()?;
            let key = if dependency.alias.is_empty() {
                &dependency.name
            } else {
                &dependency.alias
            };
            if !taken.insert(key.clone()) {
                return Err(invalid(format!(
                    "more than one dependency with name or alias {}",
                    quote(key)
                )));
            }
            metadata.dependencies.push(dependency);
        }
        Ok(metadata)
    }
}

impl Metadata {
    /// Reads an entry of a repository's index, which holds the fields of a `Chart.yaml` beside
    /// others; one without an `apiVersion` is of the first.
    ///
    /// # Errors
    /// Where a field has the wrong type, or Helm would refuse the chart.
    // helm: pkg/repo/v1/index.go loadIndex
    pub fn of_index(entry: &Value) -> Result<Self, Error> {
        let mut draft = Draft::default();
        decode::metadata(&mut draft, entry).map_err(|source| Error::File {
            file: "index.yaml",
            source: source.into(),
        })?;
        if draft.metadata.api_version.is_empty() {
            draft.metadata.api_version = "v1".to_owned();
        }
        draft.validate()
    }

    fn sanitize(&mut self) {
        sanitize_all([
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ]);
        sanitize_all(&mut self.sources);
        sanitize_all(&mut self.keywords);
    }

    fn check_identity(&self) -> Result<(), Error> {
        if self.api_version.is_empty() {
            return Err(invalid("chart.metadata.apiVersion is required"));
        }
        if self.name.is_empty() {
            return Err(invalid("chart.metadata.name is required"));
        }
        if self.name == "." || self.name == ".." {
            return Err(invalid(format!(
                "chart.metadata.name {} is not allowed",
                quote(&self.name)
            )));
        }
        // go: a name that is not its own path/filepath Base
        if self.name.contains('/') && self.name != "/" {
            return Err(invalid(format!(
                "chart.metadata.name {} is invalid",
                quote(&self.name)
            )));
        }
        if self.version.is_empty() {
            return Err(invalid("chart.metadata.version is required"));
        }
        if semver::Version::parse(&self.version).is_err() {
            return Err(invalid(format!(
                "chart.metadata.version {} is invalid",
                quote(&self.version)
            )));
        }
        if !matches!(self.kind.as_str(), "" | "application" | "library") {
            return Err(invalid(
                "chart.metadata.type must be application or library",
            ));
        }
        Ok(())
    }
}

impl Dependency {
    // helm: pkg/chart/v2/dependency.go Validate
    fn validate(&mut self) -> Result<(), Error> {
        sanitize_all([
            &mut self.name,
            &mut self.version,
            &mut self.repository,
            &mut self.condition,
        ]);
        sanitize_all(&mut self.tags);
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if !self.alias.chars().all(legal) {
            let name = quote(&self.name);
            return Err(invalid(format!(
                "dependency {name} has disallowed characters in the alias"
            )));
        }
        Ok(())
    }
}

fn invalid(rule: impl Into<String>) -> Error {
    Error::Invalid(rule.into())
}

/// Every space becomes a plain one, and what cannot be printed is dropped.
// helm: pkg/chart/v2/metadata.go sanitizeString
fn sanitize_all<'a>(texts: impl IntoIterator<Item = &'a mut String>) {
    for text in texts {
        let clean = |c: char| c != '\n' && (c.is_ascii_graphic() || c == ' ');
        if text.chars().all(clean) {
            continue;
        }
        *text = text
            .chars()
            .filter_map(|c| {
                if is_space(c) {
                    Some(' ')
                } else {
                    is_print(c).then_some(c)
                }
            })
            .collect();
    }
}
