//! The documents of an OCI image layout.
// image-spec: image-layout.md, descriptor.md

use std::collections::BTreeMap;

use serde::Serialize;

use super::digest;

/// The file that says what the folder is, and what it holds.
pub const LAYOUT_FILE: &str = "oci-layout";
/// What [`LAYOUT_FILE`] holds.
pub const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;
/// The media type of a manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of an index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Says where a document belongs.
const REFERENCE: &str = "org.opencontainers.image.ref.name";

/// What names a document or a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    artifact_type: String,
}

impl Descriptor {
    /// Names these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: digest(bytes),
            size: bytes.len() as u64,
            annotations: BTreeMap::new(),
            artifact_type: String::new(),
        }
    }

    /// The same, with the kind of artifact that it is.
    pub fn with_artifact_type(mut self, artifact_type: &str) -> Self {
        artifact_type.clone_into(&mut self.artifact_type);
        self
    }
}

/// What the layout's index lists.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    named: BTreeMap<String, Descriptor>,
    unnamed: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

impl Layout {
    /// Lists a document under the name of where it belongs; answers another one that has that name.
    pub fn name(&mut self, reference: &str, document: Descriptor) -> Option<Descriptor> {
        let known = self.named.get(reference);
        if let Some(other) = known.filter(|known| known.digest != document.digest) {
            return Some(other.clone());
        }
        self.named.insert(reference.to_owned(), document);
        None
    }

    /// Lists a document that belongs nowhere else.
    pub fn add(&mut self, document: Descriptor) {
        self.unnamed.push(document);
    }

    /// The names, in order, each with the document's digest.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.named.iter();
        named.map(|(name, document)| (name.as_str(), document.digest.as_str()))
    }

    /// `index.json`.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub fn index(&self) -> Result<Vec<u8>, serde_json::Error> {
        let named = self.named.iter().map(|(name, document)| {
            let mut document = document.clone();
            let annotation = (REFERENCE.to_owned(), name.clone());
            document.annotations.extend([annotation]);
            document
        });
        let mut json = serde_json::to_vec_pretty(&Index {
            schema_version: 2,
            media_type: INDEX,
            manifests: named.chain(self.unnamed.iter().cloned()).collect(),
        })?;
        json.push(b'\n');
        Ok(json)
    }
}

/// Where the bytes of a digest are, below the layout's folder.
pub fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}
