//! A registry's manifests: what is taken from one stands in it, once and under its own type.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pintle::source::manifest::{self, Content, Document};
use serde_json::Value;

const LAYERS: [&str; 2] = [
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
    "application/tar+gzip",
];
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fuzz_target!(|text: &[u8]| {
    let Ok(document) = manifest::parse(text) else {
        return;
    };
    // Texts that nobody asks for may be no UTF-8.
    let Ok(whole) = serde_json::from_slice::<Value>(text) else {
        return;
    };
    let listed = |field: &str| whole[field].as_array().cloned().unwrap_or_default();
    let is = |entry: &Value, kind: &str| entry["mediaType"] == kind;
    let names = |entry: &Value, content: &Content| {
        entry["digest"] == content.digest.to_string().as_str() && entry["size"] == content.size
    };
    match document {
        Document::Chart(content) => {
            assert!(whole["manifests"].is_null());
            let layers = listed("layers");
            let of = |kind: &str| layers.iter().filter(|l| is(l, kind)).count();
            let kind = LAYERS.into_iter().find(|kind| of(kind) > 0);
            let kind = kind.expect("a chart has a layer");
            assert_eq!(of(kind), 1);
            assert!(layers.iter().any(|l| is(l, kind) && names(l, &content)));
        }
        Document::Index(contents) => {
            assert!(whole["layers"].is_null());
            let entries = listed("manifests");
            let entries: Vec<_> = entries.iter().filter(|e| is(e, MANIFEST)).collect();
            assert_eq!(entries.len(), contents.len());
            assert!(entries.iter().zip(&contents).all(|(e, c)| names(e, c)));
        }
        // What is not there is the empty text.
        Document::Other(kind) => {
            let written = whole["config"]["mediaType"].as_str();
            assert_eq!(written.unwrap_or_default(), kind);
        }
    }
});
