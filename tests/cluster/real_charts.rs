//! Charts that people really use: installed through a HelmRelease with their default values, ready,
//! listed by helm, and left in peace while nobody but the control plane touches them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::observability::page;
use crate::stage::{Space, Stage, condition, definition};

/// How long the charts are left alone.
const PEACE: Duration = Duration::from_secs(120);

/// Ten charts of the corpus: metrics, ingress, databases, a queue, dashboards, a workflow engine
/// and secrets. Four have subcharts (kube-prometheus-stack, airflow, postgresql, rabbitmq), three
/// have definitions in crds/ or bring their own (kube-prometheus-stack, traefik, sealed-secrets).
const CHARTS: [&str; 10] = [
    "prometheus-community_helm-charts__kube-prometheus-stack-88.5.3/kube-prometheus-stack",
    "kubernetes-sigs_metrics-server__metrics-server-3.13.1/metrics-server",
    "traefik_traefik-helm-chart__traefik-42.0.0/traefik",
    "bitnami_charts__postgresql-17.1.0/postgresql",
    "bitnami_charts__rabbitmq-16.0.16/rabbitmq",
    "cowboysysop_charts__redis-21.2.6/redis",
    "grafana-community_helm-charts__grafana-12.11.1/grafana",
    "bitnami_charts__airflow-25.1.0/airflow",
    "external-secrets_external-secrets__external-secrets-2.9.0/external-secrets",
    "bitnami-labs_sealed-secrets__sealed-secrets-2.18.5/sealed-secrets",
];

/// The corpus, unpacked where its own `check` unpacks it too; `None` where there is no corpus.
fn corpus() -> Result<Option<PathBuf>> {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/charts.tar.zst");
    if !packed.exists() {
        return Ok(None);
    }
    let unpacked = std::env::temp_dir().join("pintle-corpus");
    if unpacked.join("complete").exists() {
        return Ok(Some(unpacked.join("charts")));
    }
    std::fs::create_dir_all(&unpacked)?;
    let mut zstd = Command::new("zstd")
        .args(["-dc", "--long=27"])
        .arg(&packed)
        .stdout(Stdio::piped())
        .spawn()
        .context("start zstd, which unpacks the corpus: is it installed?")?;
    let text = zstd.stdout.take().context("zstd has an output")?;
    let tar = Command::new("tar")
        .arg("-x")
        .arg("-C")
        .arg(&unpacked)
        .stdin(text)
        .status()?;
    ensure!(
        zstd.wait()?.success() && tar.success(),
        "the corpus cannot be unpacked"
    );
    std::fs::write(unpacked.join("complete"), "")?;
    Ok(Some(unpacked.join("charts")))
}

#[test]
fn ten_charts_of_the_corpus_become_ready_and_helm_lists_them() -> Result<()> {
    let Some(corpus) = corpus()? else {
        println!("skipped: ../shared/corpus is not there");
        return Ok(());
    };
    let stage = Stage::alone(&definition()?)?;
    let mut failures = Vec::new();
    let mut spaces = Vec::new();
    for (chart, from_registry) in CHARTS.iter().zip([true, false].into_iter().cycle()) {
        match becomes_ready(stage, &corpus.join(chart), from_registry) {
            Ok(space) => spaces.push(space),
            Err(error) => failures.push(format!("{chart}: {error:#}")),
        }
    }
    ensure!(failures.is_empty(), "{}", failures.join("\n"));
    std::thread::sleep(PEACE);
    for (space, name) in spaces {
        // Whatever the watches let pass is read and compared now.
        let asked = [
            "annotate",
            "hr",
            &name,
            "reconcile.pintle.dev/requestedAt=peace",
        ];
        space.kubectl(&asked)?;
        let release = space.until(&format!("hr/{name}"), |release| {
            release["status"]["lastHandledReconcileAt"] == "peace"
        })?;
        let drifted = condition(&release, "Drifted");
        ensure!(drifted.is_null(), "{name}: {drifted}");
    }
    let found = page(&format!("{}/metrics", stage.metrics_url))?;
    let found: Vec<&str> = found
        .lines()
        .filter(|line| line.starts_with("planton_helm_release_drift_") && line.contains("_total{"))
        .collect();
    ensure!(found.is_empty(), "{found:?}");
    Ok(())
}

/// Every second one comes from the HTTP repository.
fn becomes_ready(
    stage: &'static Stage,
    folder: &Path,
    from_registry: bool,
) -> Result<(Space, String)> {
    let name = folder
        .file_name()
        .and_then(|name| name.to_str())
        .context("a chart has a name")?;
    let (_, version) = stage.publish_as_is(folder)?;
    let space = stage.namespace(format!("real-{name}").leak())?;
    let repo = if from_registry {
        stage.registry()
    } else {
        stage.testbed.charts_url().to_owned()
    };
    space.apply(&space.release(
        name,
        &format!("repo: {repo}\nname: {name}\nversion: {version}\ntimeout: 80s\nretries: 0"),
    ))?;
    let release = space.settled(name)?;
    let message = space.message(&release, "Ready");
    ensure!(
        condition(&release, "Ready")["status"] == "True",
        "{message}"
    );
    let listed = space.helm(&["list"])?;
    ensure!(
        listed.contains(&format!("{name}-{version}")) && listed.contains("deployed"),
        "{listed}"
    );
    Ok((space, name.to_owned()))
}

#[test]
fn the_chart_that_helm_creates_becomes_ready() -> Result<()> {
    let stage = Stage::shared();
    let folder = stage.testbed.dir().join("created");
    stage
        .testbed
        .helm(&["create", &folder.display().to_string()])?
        .successful()?;
    stage.publish(&folder, "0.1.0")?;
    let space = stage.namespace("real-created")?;
    space.apply(&space.release("created", "name: created\nversion: 0.1.0"))?;
    space.ready("created")?;
    let ours = space.helm(&["get", "manifest", "created"])?;
    let archive = stage
        .testbed
        .charts_folder()
        .join("created-0.1.0.tgz")
        .display()
        .to_string();
    let theirs = space.helm(&["template", "created", &archive, "--no-hooks"])?;
    assert_eq!(
        ours.trim(),
        theirs.trim(),
        "the stored manifest is what helm renders"
    );
    Ok(())
}

#[test]
fn the_sample_charts_become_ready() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("real-samples")?;
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/charts");
    for sample in std::fs::read_dir(&samples)? {
        let folder = sample?.path();
        let (name, version) = stage.publish_as_is(&folder)?;
        space.apply(&space.release(&name, &format!("name: {name}\nversion: {version}")))?;
        space.ready(&name)?;
    }
    Ok(())
}
