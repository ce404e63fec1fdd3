//! A chart is taken only where somebody trusted has signed it. The signed charts are those of
//! `tests/signatures`, which Helm itself and sigstore's own module made.

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle::source::Digest;
use serde_json::{Value, json};

use crate::stage::{Stage, condition};

#[test]
fn a_signed_chart_is_installed_and_an_unsigned_one_is_not() -> Result<()> {
    let stage = Stage::shared();
    let cases: Value = serde_json::from_slice(&std::fs::read("tests/signatures/provenance.json")?)?;
    let bytes = |case: &str, field: &str| -> Result<Vec<u8>> {
        let text = cases[case][field].as_str().context("no such case")?;
        Ok(STANDARD.decode(text)?)
    };
    let space = stage.namespace("signed")?;
    let folder = stage.testbed.charts_folder();
    let file = folder.join("signed-1.2.3+4.tgz");
    std::fs::write(&file, bytes("rsa", "archive")?)?;
    stage.reindex()?;
    for (name, case) in [("ours", "rsa"), ("another", "p256")] {
        let keyring = &cases[case]["keyring"];
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "data": {"keyring.gpg": keyring},
            "metadata": {"name": name, "namespace": "signed"},
        });
        space.apply(&secret.to_string())?;
    }
    let release = |keys: &str| {
        let repo = stage.testbed.charts_url();
        let verify = format!("{{provider: pgp, secretRef: {{name: {keys}}}}}");
        let spec = format!("repo: {repo}\nname: signed\nversion: 1.2.3+4\nverify: {verify}");
        space.release("signed", &spec)
    };

    space.apply(&release("ours"))?;
    let refused = space.failed("signed", "VerificationFailed")?;
    let message = space.message(&refused, "Ready");
    assert!(message.contains("there is no signature"), "{message}");
    assert!(!space.helm(&["list"])?.contains("signed-1.2.3"));

    let provenance = folder.join("signed-1.2.3+4.tgz.prov");
    std::fs::write(provenance, bytes("rsa", "provenance")?)?;
    space.apply(&release("another"))?;
    let refused = space.until("hr/signed", |release| {
        let message = condition(release, "Ready")["message"].as_str();
        message.is_some_and(|message| message.contains("none of the trusted keys"))
    })?;
    assert_eq!(condition(&refused, "Ready")["reason"], "VerificationFailed");
    assert!(!space.helm(&["list"])?.contains("signed-1.2.3"));

    space.apply(&release("ours"))?;
    let signed = space.ready("signed")?;
    let signer = signed["status"]["history"][0]["signer"].as_str();
    let wanted = cases["rsa"]["signer"].as_str().unwrap_or_default();
    assert!(
        signer.is_some_and(|signer| signer.contains(wanted)),
        "{signer:?}"
    );
    Ok(())
}

#[test]
fn a_name_that_a_trusted_root_vouches_for_signs_a_chart() -> Result<()> {
    let stage = Stage::shared();
    let read = |file: &str| -> Result<Value> {
        let path = format!("tests/signatures/{file}.json");
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    };
    let (cases, roots) = (read("keyless")?, read("roots")?);
    let case = &cases["bundle of a chart"];
    let part = |name: &str| -> Result<Vec<u8>> {
        let text = case["chart"][name].as_str().context("no such part")?;
        Ok(STANDARD.decode(text)?)
    };
    let space = stage.namespace("named")?;
    let root = &roots[case["root"].as_str().unwrap_or_default()];
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"root": root.to_string()},
        "metadata": {"name": "trust", "namespace": "named"},
    });
    space.apply(&map.to_string())?;
    let registry = Registry(stage.testbed.registry());
    registry.push_blob(&part("config")?)?;
    registry.push_blob(&part("archive")?)?;
    registry.push_manifest("1.2.3_4", &part("manifest")?)?;
    let release = |subject: &str| {
        let repo = stage.registry();
        let issuer = "https://accounts.example.com";
        let verify = format!(
            "{{provider: cosign, trustRoot: {{configMapRef: {{name: trust, key: root}}}}, identities: [{{issuer: {issuer:?}, {subject}}}]}}"
        );
        let spec = format!("repo: {repo}\nname: signed\nversion: 1.2.3+4\nverify: {verify}");
        space.release("signed", &spec)
    };

    space.apply(&release("subject: somebody@example.com"))?;
    let refused = space.failed("signed", "VerificationFailed")?;
    let message = space.message(&refused, "Ready");
    assert!(message.contains("there is no signature"), "{message}");

    // distribution-spec: what a registry without the referrers API has under a tag
    let bundle = case["bundle"].to_string().into_bytes();
    let kind = "application/vnd.dev.sigstore.bundle.v0.3+json";
    let empty = registry.push_blob(b"{}")?;
    let layer = registry.push_blob(&bundle)?;
    let subject = part("manifest")?;
    let described = |kind: &str, digest: &str, size: usize| json!({"mediaType": kind, "digest": digest, "size": size});
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind,
        "config": described("application/vnd.oci.empty.v1+json", &empty, 2),
        "layers": [described(kind, &layer, bundle.len())],
        "subject": described(MANIFEST, &Digest::of(&subject).to_string(), subject.len()),
    })
    .to_string();
    let digest = Digest::of(manifest.as_bytes()).to_string();
    registry.push_manifest(&digest, manifest.as_bytes())?;
    let mut entry = described(MANIFEST, &digest, manifest.len());
    entry["artifactType"] = json!(kind);
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).to_string();
    let tag = format!("sha256-{}", Digest::of(&subject).hex());
    registry.push_manifest(&tag, index.as_bytes())?;

    space.apply(&release("subject: other@example.com"))?;
    let refused = space.until("hr/signed", |release| {
        let message = condition(release, "Ready")["message"].as_str();
        message.is_some_and(|message| message.contains("none of the trusted identities"))
    })?;
    assert_eq!(condition(&refused, "Ready")["reason"], "VerificationFailed");
    assert!(!space.helm(&["list"])?.contains("1.2.3"));

    space.apply(&release("subjectRegExp: '.*@example[.]com'"))?;
    let signed = space.ready("signed")?;
    let signer = &signed["status"]["history"][0]["signer"];
    let told = "somebody@example.com (issuer https://accounts.example.com)";
    assert_eq!(signer, told);
    Ok(())
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The testbed's registry, for what `helm push` does not push.
struct Registry<'a>(&'a str);

impl Registry<'_> {
    fn push_blob(&self, content: &[u8]) -> Result<String> {
        let begun = self.ask("POST", "/v2/charts/signed/blobs/uploads/", "", b"")?;
        let place = begun.lines().find_map(|line| {
            line.split_once(": ")
                .filter(|(name, _)| name.eq_ignore_ascii_case("location"))
        });
        let (_, place) = place.with_context(|| format!("no place to upload to: {begun}"))?;
        let place = place.split_once(self.0).map_or(place, |(_, path)| path);
        let digest = Digest::of(content).to_string();
        let joint = if place.contains('?') { '&' } else { '?' };
        let path = format!("{place}{joint}digest={digest}");
        self.ask("PUT", &path, "application/octet-stream", content)?;
        Ok(digest)
    }

    fn push_manifest(&self, reference: &str, content: &[u8]) -> Result<()> {
        let written: Value = serde_json::from_slice(content)?;
        let kind = written["mediaType"].as_str().context("no media type")?;
        let path = format!("/v2/charts/signed/manifests/{reference}");
        self.ask("PUT", &path, kind, content).map(|_| ())
    }

    fn ask(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> Result<String> {
        let mut stream = std::net::TcpStream::connect(self.0)?;
        let host = self.0;
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        )?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let accepted = ["HTTP/1.1 201", "HTTP/1.1 202"];
        ensure!(
            accepted.iter().any(|status| answer.starts_with(status)),
            "{method} {path}: {answer}"
        );
        Ok(answer)
    }
}

#[test]
fn cosign_is_for_registries() -> Result<()> {
    let space = Stage::shared().namespace("cosign")?;
    let spec = "repo: https://charts.example.com\nverify: {provider: cosign, secretRef: {name: a}}";
    let refused = space.refused(&space.release("signed", spec))?;
    assert!(
        refused.contains("cosign signs what is in registries"),
        "{refused}"
    );
    Ok(())
}
