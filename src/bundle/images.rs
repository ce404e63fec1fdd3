//! Which release runs which images: a document of the layout, and a plain list.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::json;

use super::go_json;
use super::layout::{Descriptor, MANIFEST};
use crate::images;
use crate::manifest::Object;

/// What the document is, for whoever finds it in the layout.
const ARTIFACT: &str = "application/vnd.pintle.bundle.images.v1";
const CONTENT: &str = "application/vnd.pintle.bundle.images.v1+json";
/// image-spec: manifest.md, guidance for an empty descriptor
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// What one release runs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReleaseImages {
    /// The namespace of the HelmRelease.
    pub namespace: String,
    /// The name of the HelmRelease.
    pub name: String,
    /// The chart's reference in the layout.
    pub chart: String,
    /// The images, in order.
    pub images: Vec<UsedImage>,
}

/// An image, and which objects name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct UsedImage {
    /// As it is written.
    pub image: String,
    /// `Kind namespace/name`, hooks included.
    pub objects: Vec<String>,
}

impl UsedImage {
    /// The images that objects name.
    pub fn of(objects: &[Object]) -> Vec<Self> {
        let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (object, image) in images::named(objects) {
            let users = found.entry(image.to_owned()).or_default();
            users.insert(object.to_string());
        }
        let found = found.into_iter().map(|(image, objects)| Self {
            image,
            objects: objects.into_iter().collect(),
        });
        found.collect()
    }
}

/// The plain list: each image once, in order, a line each.
pub fn listed(releases: &[ReleaseImages]) -> String {
    let all = releases.iter().flat_map(|release| &release.images);
    let all: BTreeSet<&str> = all.map(|used| used.image.as_str()).collect();
    all.into_iter().map(|image| format!("{image}\n")).collect()
}

/// The document, as an artifact: what names it, and the bytes of its manifest, configuration and
/// content.
///
/// # Errors
/// Never, as far as is known.
pub fn document(
    releases: &[ReleaseImages],
) -> Result<(Descriptor, [Vec<u8>; 3]), serde_json::Error> {
    let content = go_json(&json!({ "releases": releases }))?;
    let config = b"{}".to_vec();
    let manifest = serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": ARTIFACT,
        "config": Descriptor::of(EMPTY, &config),
        "layers": [Descriptor::of(CONTENT, &content)],
    }))?;
    let descriptor = Descriptor::of(MANIFEST, &manifest).with_artifact_type(ARTIFACT);
    Ok((descriptor, [manifest, config, content]))
}
