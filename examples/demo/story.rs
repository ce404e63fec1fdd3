//! The story: what a person would do with Pintle on the first day, and what comes of it.
//!
//! In: a stage with a running controller. Out: six chapters and a summary, or the first thing that
//! did not come true. Never: a time that was not measured in this run.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use pintle::api::HelmRelease;
use serde_json::json;

use crate::controller::page;
use crate::observe::{Watched, condition, within};
use crate::samples;
use crate::stage::Stage;
use crate::voice::seconds;

/// Tells all of it. `started` is how long the control plane took.
pub(crate) async fn tell(stage: &Stage, pages: &str, started: Duration) -> Result<()> {
    charts(stage).await?;
    let installed = first_release(stage).await?;
    let shop = larger_releases(stage).await?;
    let recreated = deleted_deployment(stage).await?;
    let restored = edited_config_map(stage).await?;
    let upgraded = upgrade(stage).await?;
    views(stage, pages).await?;
    let voice = &stage.voice;
    voice.chapter("In short");
    voice.figure(
        "to start the control plane (and to build it, if it was not built)",
        started,
    );
    voice.figure(
        &format!(
            "from a new HelmRelease to Ready: hello (shop, with its hook: {})",
            seconds(shop)
        ),
        installed,
    );
    voice.figure("from the deletion of a Deployment to its return", recreated);
    voice.figure("from the edit of a ConfigMap to its undoing", restored);
    voice.figure("from a new version in a HelmRelease to Ready", upgraded);
    Ok(())
}

async fn charts(stage: &Stage) -> Result<()> {
    stage.voice.chapter("Charts in a registry");
    stage
        .voice
        .say("The charts of examples/charts, packaged and pushed by the real helm.\n");
    stage.push_charts().await
}

async fn first_release(stage: &Stage) -> Result<Duration> {
    let voice = &stage.voice;
    voice.chapter("A first release");
    voice.say(
        "This is examples/hello.yaml. It is applied with the demo's registry for a repository.\n",
    );
    for line in samples::shown("hello.yaml")?.lines() {
        voice.say(&format!("    {line}"));
    }
    voice.say("");
    let hello = Watched::<HelmRelease>::now(stage.api("default"), "hello").await?;
    let (ready, applied) = tokio::join!(awaited(stage, &hello), stage.apply_sample("hello.yaml"));
    applied.and(ready)
}

async fn larger_releases(stage: &Stage) -> Result<Duration> {
    let voice = &stage.voice;
    voice.chapter("Two more, side by side");
    voice.say(
        "A chart with a subchart, a hook and values from a ConfigMap and a Secret; and hello once",
    );
    voice.say("more, in a namespace that Pintle makes.\n");
    let shop = Watched::<HelmRelease>::now(stage.api("shop"), "shop").await?;
    let staging = Watched::<HelmRelease>::now(stage.api("default"), "hello-staging").await?;
    let apply = async {
        stage.apply_sample("shop.yaml").await?;
        stage.apply_sample("hello-staging.yaml").await
    };
    let (shop, staging, applied) =
        tokio::join!(awaited(stage, &shop), awaited(stage, &staging), apply);
    applied.and(staging).and(shop)
}

/// Waits until a release is Ready, says so, and answers how long it took.
async fn awaited(stage: &Stage, watched: &Watched<HelmRelease>) -> Result<Duration> {
    let (release, took) = watched.ready().await?;
    let message = condition(&release, "Ready").map(|ready| ready.message.as_str());
    let text = format!("{} ({})", message.unwrap_or_default(), seconds(took));
    stage
        .voice
        .event(&kube::ResourceExt::name_any(&release), "ready", &text);
    Ok(took)
}

async fn deleted_deployment(stage: &Stage) -> Result<Duration> {
    stage.voice.chapter("Somebody deletes a Deployment");
    let api: Api<Deployment> = stage.api("default");
    let release = Watched::<HelmRelease>::now(stage.api("default"), "hello").await?;
    let deployment = Watched::now(api.clone(), "hello").await?;
    let before = deployment
        .before
        .as_ref()
        .context("find Deployment hello")?;
    let first = before.metadata.uid.clone();
    let delete = async {
        stage.voice.step("by hand", "Deployment hello is deleted");
        let deleted = api.delete("hello", &DeleteParams::background()).await;
        deleted.context("delete Deployment hello")?;
        Ok(Instant::now())
    };
    let is_new = |deployment: &Deployment| deployment.metadata.uid != first;
    let new = within("Deployment hello exists again", deployment.first(is_new));
    let (acknowledged, (_, seen)) = tokio::try_join!(delete, new)?;
    let took = seen.saturating_duration_since(acknowledged);
    told_by_status(&release, "Deployment hello").await?;
    let text = format!(
        "there is a new Deployment hello, {} after the deletion",
        seconds(took)
    );
    stage.voice.event("hello", "repaired", &text);
    Ok(took)
}

async fn edited_config_map(stage: &Stage) -> Result<Duration> {
    const KEY: &str = "SHOP_CURRENCY";
    stage.voice.chapter("Somebody edits a ConfigMap");
    let api: Api<ConfigMap> = stage.api("shop");
    let release = Watched::<HelmRelease>::now(stage.api("shop"), "shop").await?;
    let map = Watched::now(api.clone(), "shop").await?;
    let before = map
        .before
        .as_ref()
        .context("find ConfigMap shop")?
        .data
        .clone();
    let value = before.as_ref().and_then(|data| data.get(KEY));
    let value = value.with_context(|| format!("find {KEY} in ConfigMap shop"))?;
    let edit = async {
        let text = format!("ConfigMap shop: {KEY} is changed from {value} to doubloons");
        stage.voice.step("by hand", &text);
        let patch = Patch::Merge(json!({ "data": { KEY: "doubloons" } }));
        let patched = api.patch("shop", &PatchParams::default(), &patch).await;
        patched.context("edit ConfigMap shop")?;
        Ok(Instant::now())
    };
    // The watch begins after the state before, so this is the state after the edit.
    let is_back = |map: &ConfigMap| map.data == before;
    let back = within("ConfigMap shop is as it was", map.first(is_back));
    let (acknowledged, (_, seen)) = tokio::try_join!(edit, back)?;
    let took = seen.saturating_duration_since(acknowledged);
    told_by_status(&release, "ConfigMap shop").await?;
    let text = format!("{KEY} is {value} again, {} after the edit", seconds(took));
    stage.voice.event("shop", "repaired", &text);
    Ok(took)
}

/// Waits until the release's status speaks of a repair.
async fn told_by_status(release: &Watched<HelmRelease>, object: &str) -> Result<()> {
    let speaks = |release: &HelmRelease| {
        let drifted = condition(release, "Drifted");
        drifted.is_some_and(|told| told.reason == "DriftCorrected" && told.message.contains(object))
    };
    let what = format!("the HelmRelease's status tells that {object} was put back");
    within(&what, release.first(speaks)).await.map(|_| ())
}

async fn upgrade(stage: &Stage) -> Result<Duration> {
    const SPEC: &str =
        r#"{"spec":{"version":"1.1.0","values":{"greeting":"Welcome","replicas":3}}}"#;
    stage.voice.chapter("An upgrade");
    let hello = Watched::<HelmRelease>::now(stage.api("default"), "hello").await?;
    let patch = [
        "kubectl",
        "patch",
        "helmrelease",
        "hello",
        "--type",
        "merge",
        "--patch",
        SPEC,
    ];
    let (ready, patched) = tokio::join!(awaited(stage, &hello), stage.show(&patch));
    patched.and(ready)
}

async fn views(stage: &Stage, pages: &str) -> Result<()> {
    stage.voice.chapter("What kubectl, helm and Prometheus see");
    stage.show(&["kubectl", "get", "hr", "-A"]).await?;
    stage.show(&["helm", "list", "-A"]).await?;
    stage.show(&["helm", "history", "hello"]).await?;
    let series = "planton_helm_release_reconciliation_status";
    let held = stage
        .voice
        .command(&format!("curl -s {pages}/metrics | grep ^{series}"));
    let metrics = page(pages, "/metrics").await?;
    let lines: Vec<&str> = metrics
        .lines()
        .filter(|line| line.starts_with(&format!("{series}{{")))
        .collect();
    ensure!(
        lines.len() == 3,
        "/metrics has {} series of {series}, not 3",
        lines.len()
    );
    held.output(&lines.join("\n"));
    Ok(())
}
