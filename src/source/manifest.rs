//! OCI manifests and indexes, read as far as a chart needs: which layer holds the archive.

use serde::Deserialize;

use super::digest::Digest;

/// helm: pkg/registry/constants.go
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const LEGACY_LAYER: &str = "application/tar+gzip";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What a request for a manifest accepts: [`MANIFEST`] and [`INDEX`].
pub(super) const ACCEPT: &str =
    "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json";

/// What the bytes of a manifest turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Document {
    /// A chart, in this layer.
    Chart(Content),
    /// Other documents, in order.
    Index(Vec<Content>),
    /// A manifest of something else: its config's media type.
    Other(String),
}

/// Bytes that a manifest names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// Their sum.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
}

/// Reads a manifest or index.
///
/// # Errors
/// What is wrong with it.
pub fn parse(json: &[u8]) -> Result<Document, String> {
    let written: Written = serde_json::from_slice(json).map_err(|error| error.to_string())?;
    let (is_index, is_manifest) = match written.media_type.as_deref() {
        Some(INDEX) => (true, false),
        Some(MANIFEST) => (false, true),
        None | Some("") => (true, true),
        Some(other) => return Err(format!("its media type is {other:?}")),
    };
    match (written.manifests, written.layers) {
        // CVE-2021-41190: one digest must not mean two things.
        (Some(_), Some(_)) => Err("it is a manifest and an index at once".to_owned()),
        (Some(manifests), None) if is_index => {
            let documents = manifests
                .iter()
                .filter(|entry| entry.media_type == MANIFEST);
            documents
                .map(Descriptor::content)
                .collect::<Result<_, _>>()
                .map(Document::Index)
        }
        (None, Some(layers)) if is_manifest => {
            let config = written.config.ok_or("it has no config")?;
            if config.media_type != CONFIG {
                return Ok(Document::Other(config.media_type));
            }
            chart_layer(&layers).map(Document::Chart)
        }
        _ => Err("it has no layers".to_owned()),
    }
}

fn chart_layer(layers: &[Descriptor]) -> Result<Content, String> {
    let of_type = |name: &str| {
        layers
            .iter()
            .filter(|l| l.media_type == name)
            .collect::<Vec<_>>()
    };
    let mut found = of_type(LAYER);
    if found.is_empty() {
        found = of_type(LEGACY_LAYER);
    }
    match found.as_slice() {
        [layer] => layer.content(),
        [] => Err(format!("it has no layer of type {LAYER}")),
        many => Err(format!("it has {} chart layers", many.len())),
    }
}

impl Descriptor {
    fn content(&self) -> Result<Content, String> {
        content(&self.digest, self.size)
    }
}

/// What a descriptor names. `Err` says what is wrong with it.
pub(super) fn content(digest: &str, size: u64) -> Result<Content, String> {
    let digest = digest
        .parse()
        .map_err(|_| format!("it names {digest:?}, which is no sha256 digest"))?;
    Ok(Content { digest, size })
}

/// Whether a registry's 404 says that it knows no such repository, rather than no such tag.
pub(super) fn is_name_unknown(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        errors: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        code: String,
    }
    let body: Option<Body> = serde_json::from_slice(body).ok();
    body.is_some_and(|body| body.errors.iter().any(|item| item.code == "NAME_UNKNOWN"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use serde_json::{Value, json};

    fn descriptor(media_type: &str, of: &[u8]) -> Value {
        json!({"mediaType": media_type, "digest": Digest::of(of).to_string(), "size": of.len()})
    }

    fn read(value: &Value) -> Result<Document, String> {
        parse(value.to_string().as_bytes())
    }

    #[test]
    fn finds_the_chart_layer() {
        let content = Content {
            digest: Digest::of(b"chart"),
            size: 5,
        };
        for layer in [LAYER, LEGACY_LAYER] {
            let manifest = json!({
                "schemaVersion": 2,
                "config": descriptor(CONFIG, b"{}"),
                "layers": [
                    descriptor("application/vnd.cncf.helm.chart.provenance.v1.prov", b"prov"),
                    descriptor(layer, b"chart"),
                ],
            });
            assert_eq!(read(&manifest), Ok(Document::Chart(content)));
        }
    }

    #[test]
    fn an_index_lists_its_manifests() {
        let index = json!({
            "mediaType": INDEX,
            "manifests": [descriptor(MANIFEST, b"one"), descriptor("application/other", b"two")],
        });
        let one = Content {
            digest: Digest::of(b"one"),
            size: 3,
        };
        assert_eq!(read(&index), Ok(Document::Index(vec![one])));
    }

    #[test]
    fn an_image_is_another_thing() {
        let config = "application/vnd.oci.image.config.v1+json";
        let image =
            json!({"mediaType": MANIFEST, "config": descriptor(config, b"{}"), "layers": []});
        assert_eq!(read(&image), Ok(Document::Other(config.to_owned())));
    }

    #[test]
    fn refuses_what_is_unclear() {
        let config = descriptor(CONFIG, b"{}");
        let layer = descriptor(LAYER, b"chart");
        for manifest in [
            json!(null),
            json!([]),
            json!({}),
            json!({"config": config, "layers": []}),
            json!({"config": config, "layers": [layer, layer]}),
            json!({"layers": [layer]}),
            json!({"config": config, "layers": [layer], "manifests": []}),
            json!({"mediaType": INDEX, "config": config, "layers": [layer]}),
            json!({"mediaType": MANIFEST, "manifests": []}),
            json!({"mediaType": "text/plain", "config": config, "layers": [layer]}),
            json!({"config": config, "layers": [{"mediaType": LAYER, "digest": "sha512:00", "size": 1}]}),
            json!({"config": config, "layers": [{"mediaType": LAYER, "digest": Digest::of(b"").to_string(), "size": -1}]}),
        ] {
            assert!(read(&manifest).is_err(), "{manifest} was taken");
        }
    }

    #[test]
    fn tells_an_unknown_name_from_an_unknown_tag() {
        assert!(is_name_unknown(
            br#"{"errors":[{"code":"NAME_UNKNOWN","message":"x"}]}"#
        ));
        assert!(!is_name_unknown(
            br#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#
        ));
        assert!(!is_name_unknown(b"<html>"));
    }
}
