//! Only the named bytes: what a version stood for when it was first used is what it stands for.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::Value;

use crate::stage::{Space, Stage, chart_folder, condition};

/// The test chart under another name, with this greeting. Each call makes other bytes.
fn chart(stage: &Stage, name: &str, greeting: &str) -> Result<PathBuf> {
    let folder = stage.testbed.dir().join("sources").join(name);
    copy(&chart_folder("web"), &folder)?;
    let rename = |file: &str, from: &str, to: &str| {
        let path = folder.join(file);
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(path, text.replace(from, to))
    };
    rename("Chart.yaml", "name: web", &format!("name: {name}"))?;
    rename(
        "values.yaml",
        "greeting: hello",
        &format!("greeting: {greeting}"),
    )?;
    Ok(folder)
}

pub(crate) fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let (path, target) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        match path.is_dir() {
            true => copy(&path, &target)?,
            false => std::fs::copy(&path, &target).map(|_| ())?,
        }
    }
    Ok(())
}

fn greeting(space: &Space, release: &str) -> Result<Value> {
    Ok(space.get(&format!("cm/{release}-config"))?["data"]["greeting"].clone())
}

fn revisions(release: &Value) -> usize {
    release["status"]["history"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_version_that_moves_does_not_touch_its_release_until_it_is_accepted() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("moved")?;
    stage.publish(&chart(stage, "moving", "first")?, "1.0.0")?;
    let url = format!("repo: {}", stage.testbed.charts_url());
    let places = [
        ("registry", "name: moving".to_owned()),
        ("http", format!("name: moving\n{url}")),
    ];
    for (name, spec) in &places {
        space.apply(&space.release(name, spec))?;
    }
    let mut firsts = Vec::new();
    for (name, _) in &places {
        let release = space.ready(name)?;
        let source = &release["status"]["source"];
        assert_eq!(
            source["digest"],
            release["status"]["history"][0]["chartDigest"]
        );
        assert_eq!(source["digest"], release["status"]["inputs"]["chart"]);
        let record = space.get(&format!("secret/sh.helm.release.v1.{name}.v1"))?;
        let noted = record["metadata"]["annotations"]["helm.pintle.dev/source"].as_str();
        let noted: Value = serde_json::from_str(noted.unwrap_or_default())?;
        assert_eq!(&noted, source, "the record tells it, too");
        firsts.push(source["digest"].clone());
    }

    stage.publish(&chart(stage, "moving", "second")?, "1.0.0")?;
    for ((name, spec), first) in places.iter().zip(&firsts) {
        space.apply(&space.release(name, &format!("{spec}\nvalues: {{replicas: 2}}")))?;
        let release = space.failed(name, "SourceChanged")?;
        let message = space.message(&release, "Ready");
        assert!(message.contains(first.as_str().unwrap_or("?")), "{message}");
        assert_eq!(revisions(&release), 1, "{name}: {release:#}");
        assert_eq!(greeting(&space, name)?, "first");
        assert_eq!(space.get(&format!("deploy/{name}"))?["spec"]["replicas"], 1);
        assert_eq!(condition(&release, "Released")["status"], "True");
        let series = format!(
            "planton_helm_release_reconciliation_status{{name=\"{name}\",namespace=\"moved\",reason=\"SourceChanged\"}} 0"
        );
        let metrics = crate::observability::page(&format!("{}/metrics", stage.metrics_url))?;
        assert!(metrics.contains(&series), "{metrics}");

        let wrong = format!("source.pintle.dev/accept=sha256:{}", "0".repeat(64));
        space.kubectl(&["annotate", "hr", name, &wrong])?;
        space.failed(name, "SourceChanged")?;
        let found = message
            .rsplit_once("/accept=")
            .map_or("?", |(_, digest)| digest);
        let accept = format!("source.pintle.dev/accept={found}");
        space.kubectl(&["annotate", "--overwrite", "hr", name, &accept])?;
        let release = space.ready(name)?;
        assert_eq!(release["status"]["source"]["digest"], found);
        assert_eq!(greeting(&space, name)?, "second");
        space.kubectl(&["annotate", "hr", name, "source.pintle.dev/accept-"])?;
    }

    // A digest in the spec accepts, too: of the archive, or of what the tag names.
    stage.publish(&chart(stage, "moving", "third")?, "1.0.0")?;
    let (name, spec) = &places[0];
    space.apply(&space.release(name, &format!("{spec}\nvalues: {{replicas: 3}}")))?;
    let release = space.failed(name, "SourceChanged")?;
    let message = space.message(&release, "Ready");
    let found = message
        .rsplit_once("/accept=")
        .map_or("?", |(_, digest)| digest);
    space.apply(&space.release(name, &format!("{spec}\ndigest: {found}")))?;
    space.ready(name)?;
    assert_eq!(greeting(&space, name)?, "third");
    Ok(())
}

#[test]
fn logins_come_from_an_accounts_pull_secrets() -> Result<()> {
    let space = Stage::shared().namespace("pull-secrets")?;
    space.kubectl(&["create", "serviceaccount", "puller"])?;
    let spec = "auth: {serviceAccountName: puller}";
    space.apply(&space.release("shop", spec))?;
    let release = space.failed("shop", "ValuesNotFound")?;
    let message = space.message(&release, "Ready");
    assert!(
        message.contains("ServiceAccount puller has no key \"imagePullSecrets"),
        "{message}"
    );
    space.kubectl(&[
        "create",
        "secret",
        "docker-registry",
        "login",
        "--docker-server=registry.example.com",
        "--docker-username=somebody",
        "--docker-password=hidden",
    ])?;
    // One that is missing is passed over, as the kubelet does.
    let patch = "{\"imagePullSecrets\": [{\"name\": \"missing\"}, {\"name\": \"login\"}]}";
    space.kubectl(&["patch", "serviceaccount", "puller", "-p", patch])?;
    space.kubectl(&[
        "annotate",
        "hr/shop",
        "reconcile.pintle.dev/requestedAt=now",
    ])?;
    space.ready("shop")?;

    space.apply(&space.release("cloud", "auth: {provider: Google}"))?;
    let release = space.failed("cloud", "SourceRefused")?;
    let message = space.message(&release, "Ready");
    assert!(message.contains("--cloud-logins"), "{message}");
    Ok(())
}
