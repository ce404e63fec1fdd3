//! What people install from agrees with what it is made from: the charts are sound, the plain
//! manifests are the chart's, the alerts and the dashboard speak of figures that exist.
//!
//! `PINTLE_REWRITE=1 cargo test --test deploy` writes deploy/pintle.yaml anew.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "testbed/mod.rs"]
mod testbed;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use pintle::api::Reason;
use pintle::telemetry::Metrics;

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> Result<String> {
    fs::read_to_string(project(path)).with_context(|| format!("read {path}"))
}

/// What the real helm prints, run in the project's folder without the user's settings.
fn helm(arguments: &[&str]) -> Result<String> {
    let home = tempfile::tempdir()?;
    let output = Command::new(testbed::program("helm")?)
        .args(arguments)
        .current_dir(project(""))
        .env_clear()
        .env("HOME", home.path())
        .output()
        .context("run helm")?;
    if !output.status.success() {
        bail!(
            "helm {}:\n{}{}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn the_charts_are_sound() -> Result<()> {
    for chart in [
        "charts/pintle",
        "examples/charts/hello",
        "examples/charts/shop",
    ] {
        let said = helm(&["lint", "--strict", chart])?;
        assert!(
            said.contains("1 chart(s) linted, 0 chart(s) failed"),
            "{said}"
        );
        assert!(!said.contains("[WARNING]"), "{said}");
    }
    Ok(())
}

#[test]
fn every_value_of_the_chart_is_taken_and_a_misspelt_one_is_refused() -> Result<()> {
    let everything = "rbac.scope=aggregate,rbac.aggregateToView=true,controller.namespace=apps,\
        controller.allowInsecureSources=true,controller.log=debug,cache.existingClaim=charts,\
        controller.mirrors[0].repo=oci://ghcr.io,controller.mirrors[0].to[0]=oci://mirror.local,\
        controller.floatingTags=Deny,controller.requireDigest=true,\
        controller.mirrorLogins=mirror-login,controller.cloudLogins={aws,azure},\
        metrics.serviceMonitor.enabled=true,image.digest=sha256:";
    let everything = format!("{everything}{}", "a".repeat(64));
    let rendered = helm(&["template", "pintle", "charts/pintle", "--set", &everything])?;
    for expected in [
        "kind: ServiceMonitor",
        "name: pintle-charts",
        "name: pintle-view",
        "- --namespace=apps",
        "- --allow-insecure-sources",
        "- --log=debug",
        "- --mirrors=/etc/pintle/mirrors/mirrors.yaml",
        "- --mirror-logins=/etc/pintle/mirror-logins/.dockerconfigjson",
        "mirrors.yaml: |",
        "- --floating-tags=Deny",
        "- --require-digest",
        "- --cloud-logins=aws,azure",
        "claimName: charts",
        "image: registry.example.com/pintle@sha256:aaaa",
    ] {
        assert!(
            rendered.contains(expected),
            "{expected} is not in\n{rendered}"
        );
    }
    assert!(!rendered.contains("name: cluster-admin"), "{rendered}");
    for refused in [
        "rbac.scpoe=base",
        "rbac.scope=everything",
        "controller.mirrors[0].repo=ghcr.io",
        "image.tag=latest",
    ] {
        let error = helm(&["template", "pintle", "charts/pintle", "--set", refused]).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("values don't meet the specifications"),
            "{error}"
        );
    }
    Ok(())
}

const PLAIN_MANIFESTS: &str = "deploy/pintle.yaml";

const PREFACE: &str = "\
# Rendered from charts/pintle; do not edit. To write it anew:
#   PINTLE_REWRITE=1 cargo test --test deploy
apiVersion: v1
kind: Namespace
metadata:
  name: pintle-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
";

#[test]
fn the_plain_manifests_are_the_charts() -> Result<()> {
    let rendered = helm(&[
        "template",
        "pintle",
        "charts/pintle",
        "--namespace",
        "pintle-system",
        "--set",
        "crds.keep=false",
    ])?;
    // These two say that Helm looks after an object, and nobody does.
    let for_helm = ["helm.sh/chart: ", "app.kubernetes.io/managed-by: "];
    let lines = rendered.lines().filter(|line| {
        !for_helm
            .iter()
            .any(|label| line.trim_start().starts_with(label))
    });
    let plain: String = PREFACE
        .lines()
        .chain(lines)
        .map(|line| format!("{line}\n"))
        .collect();
    if std::env::var_os("PINTLE_REWRITE").is_some() {
        fs::write(project(PLAIN_MANIFESTS), &plain)?;
    }
    assert!(
        text(PLAIN_MANIFESTS)? == plain,
        "{PLAIN_MANIFESTS} is not what the chart renders: run PINTLE_REWRITE=1 cargo test --test deploy"
    );
    Ok(())
}

/// The names that Prometheus will see, a histogram's parts included.
fn figures() -> Result<BTreeSet<String>> {
    let metrics = Metrics::new()?;
    // A figure without a series is not printed, so each gets one.
    metrics.stands("apps", "shop", true, Reason::Succeeded);
    metrics.succeeded("apps", "shop", 1);
    metrics.stage("render", std::time::Duration::from_millis(1));
    metrics.acted("install", "succeeded");
    metrics.drifted("apps", "shop", 1);
    metrics.corrected("Deployment");
    let text = metrics.text()?;
    Ok(text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['{', ' ']).next())
        .map(str::to_owned)
        .collect())
}

/// Every word in the text that begins as our figures do.
fn figures_named(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("planton_helm_release_"))
        .collect()
}

#[test]
fn alerts_and_dashboard_speak_of_figures_that_exist() -> Result<()> {
    let figures = figures()?;
    for file in ["deploy/alerts.yaml", "deploy/dashboard.json"] {
        let text = text(file)?;
        let named = figures_named(&text);
        assert!(named.len() >= 4, "{file} names only {named:?}");
        for name in named {
            assert!(
                figures.contains(name),
                "{file} names {name}; there are {figures:?}"
            );
        }
    }
    let dashboard: serde_json::Value = serde_json::from_str(&text("deploy/dashboard.json")?)?;
    assert_eq!(dashboard["uid"], "pintle-releases");
    Ok(())
}

#[test]
fn alerts_speak_of_reasons_that_exist() -> Result<()> {
    let alerts = text("deploy/alerts.yaml")?;
    let mut reasons = BTreeSet::new();
    for matcher in alerts.split("reason").skip(1) {
        let quoted = matcher.trim_start_matches(['!', '=', '~']);
        if quoted.len() < matcher.len() {
            reasons.extend(quoted.split('"').nth(1).unwrap_or_default().split('|'));
        }
    }
    assert!(reasons.contains("RetriesExceeded"), "{reasons:?}");
    for reason in reasons {
        assert!(
            Reason::named(reason).is_some(),
            "{reason} is no reason of pintle's"
        );
    }
    Ok(())
}

#[test]
fn versions_are_the_same_everywhere() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let chart = text("charts/pintle/Chart.yaml")?;
    assert!(
        chart.contains(&format!("\nversion: {version}\nappVersion: {version}\n")),
        "{chart}"
    );
    let toolchain = text("rust-toolchain.toml")?;
    let rust = toolchain
        .split('"')
        .nth(1)
        .context("find the channel in rust-toolchain.toml")?;
    let dockerfile = text("deploy/Dockerfile")?;
    for line in [
        format!("FROM rust:{rust}-alpine AS build"),
        format!("ENV RUSTUP_TOOLCHAIN={rust}"),
    ] {
        assert!(
            dockerfile.contains(&line),
            "deploy/Dockerfile has no line {line}"
        );
    }
    Ok(())
}
