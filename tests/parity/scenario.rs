//! What a scenario is: the shape of `scenarios.yaml`, and the flags that stand for a spec.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// One scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// New releases are applied server-side by helm, as it does by default.
    #[serde(default)]
    pub(crate) server_side: bool,
    pub(crate) steps: Vec<Step>,
    #[serde(default)]
    pub(crate) differences: Vec<Expected>,
}

/// One deed, done on both sides.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Step {
    /// `helm install` or `helm upgrade`, and the same declared.
    Release(Release),
    /// The same by helm on both sides: nothing is declared.
    ByHelm(Release),
    /// Declared, and nothing that helm would have to do.
    Adopt(Release),
    /// The HelmRelease goes, and the release stays.
    LetGo {},
    /// `helm uninstall`, and a HelmRelease that is deleted.
    Uninstall(Uninstall),
    /// Arguments of a helm that runs on both sides.
    Helm(String),
    /// Arguments of a kubectl that runs on both sides.
    Kubectl(String),
    /// Arguments of a kubectl that is needed with helm, and not otherwise.
    ByHand(String),
    /// `helm test`, and the annotation that forces another try.
    TestAgain {
        #[serde(default)]
        fails: bool,
    },
    /// Declared, and held until a person confirms it; not done with helm yet.
    Held(Release),
    /// `helm upgrade`, and the confirmation.
    Confirmed(Release),
    /// A HelmRelease that is deleted, and held; nothing with helm yet.
    HeldUninstall {},
    /// `helm uninstall`, and the confirmation.
    ConfirmedUninstall {},
    /// An object that is there for another reason.
    Apply(Value),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Release {
    #[serde(default = "anything")]
    pub(crate) chart: String,
    #[serde(default = "first")]
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) values: Map<String, Value>,
    /// Fields of the spec beside chart and values; they stay for the steps that follow.
    #[serde(default)]
    pub(crate) spec: Map<String, Value>,
    /// Both fail.
    #[serde(default)]
    pub(crate) fails: bool,
    /// The HelmRelease rests with this reason, though more will be tried.
    #[serde(default)]
    pub(crate) until: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Uninstall {
    #[serde(default)]
    pub(crate) fails: bool,
    #[serde(default)]
    pub(crate) until: Option<String>,
}

/// A difference that is known, and must occur.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    /// The path, as it is printed, with `*` for anything.
    pub(crate) at: String,
    /// The row of COMPATIBILITY.md, by its first words.
    pub(crate) because: String,
}

fn anything() -> String {
    "anything".to_owned()
}

fn first() -> String {
    "1.0.0".to_owned()
}

/// All of them.
pub(crate) fn all() -> Result<Vec<Scenario>> {
    let text = include_str!("scenarios.yaml");
    let value = pintle::yaml::from_slice(text.as_bytes())?;
    serde_json::from_value(value).context("read scenarios.yaml")
}

/// The spec of every HelmRelease here, where the scenario says nothing else. One try, so that a
/// failure is an end; definitions as Helm treats them; and nothing is put right behind a step's
/// back.
pub(crate) fn usual_spec() -> Map<String, Value> {
    let spec = json!({
        "retries": 0, "timeout": "30s", "crds": "Create", "drift": {"mode": "Off"},
        "insecure": true,
    });
    spec.as_object().cloned().unwrap_or_default()
}

/// The flags of `helm install` and `helm upgrade` that mean what the spec means.
pub(crate) fn flags(spec: &Map<String, Value>, install: bool, server_side: bool) -> Vec<String> {
    let holds = |key: &str, default: bool| spec.get(key).map_or(default, |v| *v == json!(true));
    let mut flags = vec![format!(
        "--timeout={}",
        spec["timeout"].as_str().unwrap_or("30s")
    )];
    if holds("wait", true) {
        flags.push("--wait".into());
    }
    if holds("atomic", true) {
        flags.push("--rollback-on-failure".into());
    }
    if spec["crds"] == "Skip" {
        flags.push("--skip-crds".into());
    }
    if install {
        flags.push(format!("--server-side={server_side}"));
        if holds("createNamespace", false) {
            flags.push("--create-namespace".into());
        }
    } else {
        // What a HelmRelease says of its values is all there is to say.
        flags.push("--reset-values".into());
        if let Some(kept) = spec.get("historyMax") {
            flags.push(format!("--history-max={kept}"));
        }
    }
    flags
}
