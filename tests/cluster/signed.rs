//! A chart is taken only where somebody trusted has signed it. The signed chart is one of
//! `tests/signatures`, which Helm itself made.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
