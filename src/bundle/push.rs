//! An archive as `helm push` puts it into a registry.

use std::collections::BTreeMap;

use serde::Serialize;

use super::go_json;
use super::layout::Descriptor;
use crate::chart::{self, Chart, Metadata};

/// helm: pkg/registry/constants.go
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// What a registry holds of a chart beside its archive and provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The manifest.
    pub manifest: Vec<u8>,
    /// The configuration: `Chart.yaml` as JSON.
    pub config: Vec<u8>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    schema_version: u8,
    config: Descriptor,
    layers: Vec<Descriptor>,
    annotations: BTreeMap<String, String>,
}

/// The documents that `helm push` writes. The time of creation is that of `Chart.yaml` in the
/// archive, as Helm's own (the file's on the disk) would differ from one download to the next.
///
/// # Errors
/// Where the archive is no chart.
// helm: pkg/registry/client.go Push
pub fn pack(archive: &[u8], provenance: Option<&[u8]>) -> Result<Packed, chart::Error> {
    let chart = Chart::load_exact(archive)?;
    let metadata = &chart.metadata;
    let unwritable = |error: serde_json::Error| chart::Error::Invalid(error.to_string());
    let config = go_json(metadata).map_err(unwritable)?;
    let mut layers = vec![Descriptor::of(CHART, archive)];
    layers.extend(provenance.map(|text| Descriptor::of(PROVENANCE, text)));
    layers.sort_by(|a, b| a.digest.cmp(&b.digest));
    let manifest = Manifest {
        schema_version: 2,
        config: Descriptor::of(CONFIG, &config),
        layers,
        annotations: annotations(metadata, &created(&chart)),
    };
    let manifest = go_json(&manifest).map_err(unwritable)?;
    Ok(Packed { manifest, config })
}

fn created(chart: &Chart) -> String {
    let modified = chart.modified().unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    modified.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

// helm: pkg/registry/chart.go generateOCIAnnotations
fn annotations(metadata: &Metadata, created: &str) -> BTreeMap<String, String> {
    let own = |name: &str| format!("org.opencontainers.image.{name}");
    let source = metadata.sources.first().map_or("", String::as_str);
    let authors = authors(metadata);
    let found = [
        ("description", metadata.description.as_str()),
        ("title", &metadata.name),
        ("version", &metadata.version),
        ("url", &metadata.home),
        ("created", created),
        ("source", source),
        ("authors", &authors),
    ];
    let mut annotations: BTreeMap<_, _> = found
        .into_iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(name, text)| (own(name), text.to_owned()))
        .collect();
    let fixed = [own("version"), own("title")];
    let charts = metadata.annotations.iter();
    let charts = charts.filter(|(name, _)| !fixed.contains(name));
    annotations.extend(charts.map(|(name, text)| (name.clone(), text.clone())));
    annotations
}

// helm: pkg/registry/chart.go generateChartOCIAnnotations
fn authors(metadata: &Metadata) -> String {
    let each = metadata.maintainers.iter().map(|maintainer| {
        let mut text = maintainer.name.clone();
        if !maintainer.email.is_empty() {
            text.push_str(&format!(" ({})", maintainer.email));
        }
        text
    });
    each.collect::<Vec<_>>().join(", ")
}
