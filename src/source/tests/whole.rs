//! What belongs to a chart, gathered: manifests as they are, signatures in every form, and no more.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Archive, Digest, Error, Whole};
use super::registry::{descriptor, repo};
use super::server::{Reply, Server};
use super::{CHART, Fetcher, shop};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Documents by the ends of their paths.
type Documents = BTreeMap<String, Vec<u8>>;

fn serve(documents: Documents) -> Server {
    Server::start(move |request| {
        let found = documents
            .iter()
            .find(|(path, _)| request.path.ends_with(*path));
        found.map_or_else(|| Reply::new(404, ""), |(_, body)| Reply::ok(body.clone()))
    })
}

fn put(documents: &mut Documents, body: impl Into<Vec<u8>>) -> Digest {
    let body = body.into();
    let digest = Digest::of(&body);
    for kind in ["manifests", "blobs"] {
        documents.insert(format!("{kind}/{digest}"), body.clone());
    }
    digest
}

async fn whole(documents: Documents) -> Result<(Archive, Whole), Error> {
    let (server, fetcher) = (serve(documents), Fetcher::new());
    let chart = shop(&repo(&server));
    let archive = fetcher.fetch(&chart).await?;
    let whole = fetcher.sources.whole(&chart, &archive, true).await?;
    Ok((archive, whole))
}

#[tokio::test]
async fn a_chart_is_gathered_with_its_index_and_its_signatures() {
    let mut documents = Documents::new();
    let chart = json!({
        "config": descriptor(CONFIG, b"{}"),
        "layers": [descriptor(LAYER, CHART), descriptor(PROVENANCE, b"prov")],
        "unknown": "kept",
    });
    let chart = chart.to_string();
    let index = json!({"manifests": [descriptor(MANIFEST, chart.as_bytes())]}).to_string();
    let simple = json!({"mediaType": MANIFEST, "config": descriptor("c", b"old"), "layers": [descriptor("d", b"signed")]});
    let bundled = json!({"mediaType": MANIFEST, "config": descriptor("c", b"{}"), "layers": [descriptor(BUNDLE, b"bundle")]}).to_string();
    let mut entry = descriptor(MANIFEST, bundled.as_bytes());
    entry["artifactType"] = json!(BUNDLE);
    let mut other = descriptor(MANIFEST, b"a list of parts");
    other["artifactType"] = json!("application/spdx+json");
    let referrers = json!({"mediaType": INDEX, "manifests": [other, entry]}).to_string();
    for body in [CHART, b"{}", b"prov", b"old", b"signed", b"bundle"] {
        put(&mut documents, body);
    }
    for body in [&chart, &index, &bundled] {
        put(&mut documents, body.clone());
    }
    let digest = Digest::of(index.as_bytes());
    documents.insert("manifests/1.2.3".to_owned(), index.into());
    let hex = digest.hex();
    documents.insert(
        format!("manifests/sha256-{hex}.sig"),
        simple.to_string().into(),
    );
    documents.insert(format!("referrers/sha256:{hex}"), referrers.into());
    let (archive, found) = whole(documents.clone()).await.unwrap();
    assert_eq!(archive.manifest, Some(digest));
    let named = found.manifest.as_ref().unwrap();
    assert_eq!((named.media_type.as_str(), named.digest), (INDEX, digest));
    for (digest, body) in &found.contents {
        assert_eq!(Digest::of(body), *digest);
    }
    // All but the list of parts: six blobs, two documents of the chart, two of signatures, their index.
    assert_eq!(found.contents.len(), 6 + 2 + 2 + 1);
    let tags: Vec<&str> = found
        .signatures
        .iter()
        .map(|(tag, _)| tag.as_str())
        .collect();
    assert_eq!(tags, [format!("sha256-{hex}.sig"), format!("sha256-{hex}")]);

    // A registry that has nothing else, and no list of referrers, has all that there was.
    let mut carried = Documents::new();
    for body in found.contents.values() {
        put(&mut carried, body.to_vec());
    }
    let tagged = found
        .signatures
        .iter()
        .map(|(tag, named)| (tag.as_str(), named));
    for (tag, named) in tagged.chain([("1.2.3", named)]) {
        let body = found.contents[&named.digest].to_vec();
        carried.insert(format!("manifests/{tag}"), body);
    }
    let (_, again) = whole(carried).await.unwrap();
    assert_eq!(again.contents, found.contents);
    assert_eq!(again.signatures, found.signatures);
}

#[tokio::test]
async fn documents_that_name_too_much_are_refused() {
    let manifest = |layers: Vec<Value>| {
        json!({"config": descriptor(CONFIG, b"{}"), "layers": layers}).to_string()
    };
    let mut many: Vec<Value> = (0..300)
        .map(|n: u16| descriptor("x", &n.to_be_bytes()))
        .collect();
    many.insert(0, descriptor(LAYER, CHART));
    let mut lying = descriptor("x", b"other");
    lying["size"] = json!(4);
    for layers in [
        many,
        vec![descriptor(LAYER, CHART), lying],
        vec![descriptor(LAYER, CHART), descriptor("x", b"not there")],
    ] {
        let mut documents = Documents::new();
        for body in [CHART, b"{}", b"other"] {
            put(&mut documents, body);
        }
        for number in 0..300_u16 {
            put(&mut documents, number.to_be_bytes());
        }
        let manifest = manifest(layers);
        put(&mut documents, manifest.clone());
        documents.insert("manifests/1.2.3".to_owned(), manifest.into());
        let server = serve(documents);
        let fetcher = Fetcher::with(|config| config.limits.manifest = 1 << 20);
        let chart = shop(&repo(&server));
        let archive = fetcher.fetch(&chart).await.unwrap();
        let refused = fetcher.sources.whole(&chart, &archive, false).await;
        assert!(refused.is_err());
    }
}
