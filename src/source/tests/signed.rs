//! Signatures on their way: where they are looked for, and what becomes of a chart without one.
//! What is signed comes from `tests/signatures`, which real tools made.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::super::verify::identity::{Identity, Name};
use super::super::verify::keyless::Keyless;
use super::super::verify::{self, Trusted, pgp};
use super::super::{Archive, ChartRef, Digest, Error};
use super::server::{Reply, Request, Server};
use super::{Fetcher, shop};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

fn case(file: &str, name: &str) -> Value {
    let path = format!(
        "{}/tests/signatures/{file}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    cases[name].clone()
}

fn bytes(case: &Value, field: &str) -> Vec<u8> {
    STANDARD.decode(case[field].as_str().unwrap()).unwrap()
}

fn chart(repo: &str) -> ChartRef {
    ChartRef {
        name: "signed".to_owned(),
        version: "1.2.3+4".to_owned(),
        ..shop(repo)
    }
}

fn archive(bytes: Vec<u8>, manifest: Option<Digest>) -> Archive {
    Archive {
        digest: Digest::of(&bytes),
        bytes: bytes.into(),
        manifest,
    }
}

fn keyring(case: &Value) -> Trusted {
    let mut trusted = Trusted::Pgp(pgp::Keyring::default());
    trusted.add(&bytes(case, "keyring")).unwrap();
    trusted
}

fn cosign(case: &Value) -> Trusted {
    let mut trusted = Trusted::Cosign(Vec::new());
    trusted
        .add(case["keys"].as_str().unwrap().as_bytes())
        .unwrap();
    trusted
}

/// The trusted root of a case, and the one identity that its names are.
fn keyless(case: &Value) -> Trusted {
    let root = self::case("roots", case["root"].as_str().unwrap());
    let trusted = &case["identities"][0];
    let name = |field: &str| Name::Exactly(trusted[field].as_str().unwrap().to_owned());
    let identity = Identity {
        issuer: name("issuer"),
        subject: name("subject"),
    };
    let keyless = Keyless::new(root.to_string().as_bytes(), vec![identity]);
    Trusted::Keyless(Arc::new(keyless.unwrap()))
}

async fn verify(
    chart: &ChartRef,
    archive: &Archive,
    trusted: &Trusted,
) -> Result<String, verify::Error> {
    // Certificates and the words of logs are annotations of a manifest.
    let fetcher = Fetcher::with(|config| config.limits.manifest = 1 << 20);
    match fetcher.sources.verify(chart, archive, trusted).await {
        Ok(signer) => Ok(signer.0),
        Err(Error::Unverified { source, .. }) => Err(source),
        Err(other) => panic!("{other}"),
    }
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(content).to_string(), "size": content.len()})
}

/// A registry that has these documents under these paths, and blobs under their digests.
fn registry(documents: Vec<(String, Vec<u8>)>) -> Server {
    Server::start(move |request: &Request| {
        let found = documents.iter().find(|(path, content)| {
            let path = match path.as_str() {
                kind @ ("blobs" | "manifests") => format!("{kind}/{}", Digest::of(content)),
                path => path.to_owned(),
            };
            request.path == format!("/v2/charts/signed/{path}")
        });
        match found {
            Some((_, content)) => Reply::ok(content.clone()),
            None => Reply::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#),
        }
    })
}

fn document(path: &str, content: impl Into<Vec<u8>>) -> (String, Vec<u8>) {
    (path.to_owned(), content.into())
}

fn repo(server: &Server) -> String {
    format!("oci://{}/charts", server.authority())
}

#[tokio::test]
async fn a_provenance_lies_beside_the_archive() {
    let case = case("provenance", "rsa");
    let (signed, provenance) = (bytes(&case, "archive"), bytes(&case, "provenance"));
    let index = format!(
        "apiVersion: v1\nentries:\n  signed:\n  - name: signed\n    version: 1.2.3+4\n    digest: {}\n    urls: [missing/signed-1.2.3+4.tgz, charts/signed-1.2.3%2B4.tgz]\n",
        Digest::of(&signed).hex()
    );
    let content = signed.clone();
    let server = Server::start(move |request| match request.path.as_str() {
        "/index.yaml" => Reply::ok(index.clone()),
        "/charts/signed-1.2.3%2B4.tgz" => Reply::ok(content.clone()),
        "/charts/signed-1.2.3%2B4.tgz.prov" => Reply::ok(provenance.clone()),
        _ => Reply::new(404, ""),
    });
    let chart = chart(&server.url("/"));
    let fetcher = Fetcher::new();
    let fetched = fetcher.fetch(&chart).await.unwrap();
    let signer = fetcher
        .sources
        .verify(&chart, &fetched, &keyring(&case))
        .await
        .unwrap();
    assert!(signer.0.contains(case["signer"].as_str().unwrap()));
    let changed = archive([&signed[..], b"\0"].concat(), None);
    let refused = verify(&chart, &changed, &keyring(&case)).await.unwrap_err();
    assert!(matches!(refused, verify::Error::OtherContent { .. }));
    // Of an archive alone cosign has no word.
    let key = cosign(&self::case("cosign", "simple p256"));
    let refused = verify(&chart, &fetched, &key).await;
    assert_eq!(refused, Err(verify::Error::Unsigned));
}

#[tokio::test]
async fn a_repository_without_provenance_is_refused() {
    let case = case("provenance", "rsa");
    let server = Server::start(|request| match request.path.as_str() {
        "/index.yaml" => Reply::ok(
            "apiVersion: v1\nentries:\n  signed:\n  - {name: signed, version: 1.2.3+4, urls: [a.tgz]}\n",
        ),
        "/broken/index.yaml" => Reply::ok(
            "apiVersion: v1\nentries:\n  signed:\n  - {name: signed, version: 1.2.3+4, urls: [a.tgz]}\n",
        ),
        "/broken/a.tgz.prov" => Reply::new(503, ""),
        _ => Reply::new(404, ""),
    });
    let fetched = archive(bytes(&case, "archive"), None);
    let refused = verify(&chart(&server.url("/")), &fetched, &keyring(&case)).await;
    assert_eq!(refused, Err(verify::Error::Unsigned));
    let trusted = keyring(&case);
    let chart = chart(&server.url("/broken/"));
    let fetcher = Fetcher::new();
    let failed = fetcher.sources.verify(&chart, &fetched, &trusted);
    assert!(failed.await.unwrap_err().is_transient());
}

#[tokio::test]
async fn a_provenance_is_a_layer_of_the_manifest() {
    let case = case("provenance", "ed25519");
    let (signed, provenance) = (bytes(&case, "archive"), bytes(&case, "provenance"));
    let layers = [
        descriptor(LAYER, &signed),
        descriptor(PROVENANCE, &provenance),
    ];
    let manifest = json!({"mediaType": MANIFEST, "layers": layers}).to_string();
    let unsigned = json!({"mediaType": MANIFEST, "layers": layers[..1]}).to_string();
    let index =
        json!({"mediaType": INDEX, "manifests": [descriptor(MANIFEST, manifest.as_bytes())]})
            .to_string();
    let server = registry(vec![
        document("manifests", manifest.clone()),
        document("manifests", unsigned.clone()),
        document("manifests", index.clone()),
        document("blobs", provenance.clone()),
    ]);
    let chart = chart(&repo(&server));
    let trusted = keyring(&case);
    for named in [&manifest, &index] {
        let fetched = archive(signed.clone(), Some(Digest::of(named.as_bytes())));
        let signer = verify(&chart, &fetched, &trusted).await.unwrap();
        assert!(signer.contains(case["signer"].as_str().unwrap()));
    }
    let fetched = archive(signed.clone(), Some(Digest::of(unsigned.as_bytes())));
    let refused = verify(&chart, &fetched, &trusted).await;
    assert_eq!(refused, Err(verify::Error::Unsigned));
    let other = keyring(&self::case("provenance", "p256"));
    let fetched = archive(signed, Some(Digest::of(manifest.as_bytes())));
    let refused = verify(&chart, &fetched, &other).await;
    assert_eq!(refused, Err(verify::Error::UnknownSigner));
}

/// What cosign pushes under the tag of the older form.
fn simple(case: &Value) -> Vec<(String, Vec<u8>)> {
    let signed = bytes(case, "document");
    let mut layer = descriptor("application/vnd.dev.cosign.simplesigning.v1+json", &signed);
    layer["annotations"] = match &case["annotations"] {
        Value::Null => json!({"dev.cosignproject.cosign/signature": case["signature"]}),
        annotations => annotations.clone(),
    };
    let manifest = json!({"mediaType": MANIFEST, "layers": [layer]}).to_string();
    let named: Digest = case["manifest"].as_str().unwrap().parse().unwrap();
    let tag = format!("manifests/sha256-{}.sig", named.hex());
    vec![document(&tag, manifest), document("blobs", signed)]
}

/// What cosign pushes as a referrer, listed at this path.
fn bundled(case: &Value, path: &str) -> Vec<(String, Vec<u8>)> {
    let bundle = case["bundle"].to_string();
    let manifest =
        json!({"mediaType": MANIFEST, "layers": [descriptor(BUNDLE, bundle.as_bytes())]})
            .to_string();
    let mut entry = descriptor(MANIFEST, manifest.as_bytes());
    entry["artifactType"] = json!(BUNDLE);
    let sbom = json!({"mediaType": MANIFEST, "artifactType": "application/spdx+json", "digest": Digest::of(b"").to_string(), "size": 9});
    let index = json!({"mediaType": INDEX, "manifests": [sbom, entry]}).to_string();
    let named: Digest = case["manifest"].as_str().unwrap().parse().unwrap();
    let path = path.replace("DIGEST", &named.hex());
    vec![
        document(&path, index),
        document("manifests", manifest),
        document("blobs", bundle),
    ]
}

async fn verify_cosigned(
    documents: Vec<(String, Vec<u8>)>,
    case: &Value,
) -> Result<String, verify::Error> {
    let server = registry(documents);
    let manifest = case["manifest"].as_str().unwrap().parse().unwrap();
    let fetched = archive(b"chart".to_vec(), Some(manifest));
    let trusted = match &case["root"] {
        Value::Null => cosign(case),
        _ => keyless(case),
    };
    verify(&chart(&repo(&server)), &fetched, &trusted).await
}

#[tokio::test]
async fn cosigns_signatures_are_found_in_every_place() {
    let [old, new] = ["simple p256", "bundle p256"].map(|name| case("cosign", name));
    let referrers = bundled(&new, "referrers/sha256:DIGEST");
    for (documents, case) in [
        (simple(&old), &old),
        (referrers.clone(), &new),
        // distribution-spec: the tag of registries without the API
        (bundled(&new, "manifests/sha256-DIGEST"), &new),
        // Whoever has the other key does not stand in the way.
        ([simple(&old), referrers.clone()].concat(), &new),
        ([simple(&old), referrers].concat(), &old),
    ] {
        let signer = verify_cosigned(documents, case).await.unwrap();
        assert!(signer.starts_with("cosign key sha256:"), "{signer}");
    }
}

#[tokio::test]
async fn no_signature_and_one_of_another_key_are_refused() {
    let [old, new, other] =
        ["simple p256", "bundle p256", "bundle, other predicate"].map(|name| case("cosign", name));
    let refused = verify_cosigned(Vec::new(), &old).await;
    assert_eq!(refused, Err(verify::Error::Unsigned));
    let refused = verify_cosigned(bundled(&new, "referrers/sha256:DIGEST"), &old).await;
    assert_eq!(refused, Err(verify::Error::UnknownSigner));
    let refused = verify_cosigned(bundled(&other, "referrers/sha256:DIGEST"), &other).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, verify::Error::OtherContent { .. }));
}

#[tokio::test]
async fn identities_sign_in_both_forms_and_in_every_place() {
    let [old, new, message] =
        ["simple", "bundle", "bundle of a message"].map(|name| case("keyless", name));
    let other = case("keyless", "bundle, other subject");
    let keyed = case("cosign", "bundle p256");
    let referrers = bundled(&new, "referrers/sha256:DIGEST");
    for (documents, case) in [
        (simple(&old), &old),
        (referrers.clone(), &new),
        (bundled(&new, "manifests/sha256-DIGEST"), &new),
        (bundled(&message, "referrers/sha256:DIGEST"), &message),
        // A key's signature, and one that does not hold, do not stand in the way.
        (
            [simple(&old), bundled(&keyed, "referrers/sha256:DIGEST")].concat(),
            &old,
        ),
        (
            [
                simple(&old),
                bundled(&forged(&new), "referrers/sha256:DIGEST"),
            ]
            .concat(),
            &old,
        ),
    ] {
        let signer = verify_cosigned(documents, case).await.unwrap();
        let told = "somebody@example.com (issuer https://accounts.example.com)";
        assert_eq!(signer, told);
    }
    let refused = verify_cosigned(bundled(&other, "referrers/sha256:DIGEST"), &other).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, verify::Error::UnknownIdentity(_)));
}

/// The same with another signature in it.
fn forged(case: &Value) -> Value {
    let mut forged = case.clone();
    forged["bundle"]["dsseEnvelope"]["signatures"][0]["sig"] = json!("AAAA");
    forged
}

#[tokio::test]
async fn neither_form_stands_in_for_the_other() {
    let [old, new, late] =
        ["simple", "bundle", "simple, log is too late"].map(|name| case("keyless", name));
    let broken = bundled(&forged(&new), "referrers/sha256:DIGEST");
    // The first that was found is told, and neither is a signature.
    let refused = verify_cosigned([simple(&late), broken].concat(), &new).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(
            refused,
            verify::Error::Certificate(_) | verify::Error::ForgedByKey(_)
        ),
        "{refused}"
    );
    let refused = verify_cosigned(Vec::new(), &old).await;
    assert_eq!(refused, Err(verify::Error::Unsigned));
    let keyed = case("cosign", "simple p256");
    let mut trusting_names = old.clone();
    trusting_names["manifest"] = keyed["manifest"].clone();
    let refused = verify_cosigned(simple(&keyed), &trusting_names).await;
    assert_eq!(refused, Err(verify::Error::NoCertificate));
    let mut trusting_keys = keyed.clone();
    trusting_keys["manifest"] = old["manifest"].clone();
    let refused = verify_cosigned(simple(&old), &trusting_keys).await;
    assert_eq!(refused, Err(verify::Error::UnknownSigner));
}

#[tokio::test]
async fn a_registry_that_fails_is_no_missing_signature() {
    let case = case("cosign", "simple p256");
    let server = Server::start(|_| Reply::new(503, ""));
    let manifest = case["manifest"].as_str().unwrap().parse().unwrap();
    let fetched = archive(b"chart".to_vec(), Some(manifest));
    let (chart, trusted) = (chart(&repo(&server)), cosign(&case));
    let fetcher = Fetcher::new();
    let failed = fetcher.sources.verify(&chart, &fetched, &trusted);
    assert!(failed.await.unwrap_err().is_transient());
}
