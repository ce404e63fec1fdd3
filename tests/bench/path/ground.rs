//! What every part of the benchmark stands on: one testbed, the sample chart in its registry, the
//! controller as a process beside it, and a client that is neither kubectl's nor helm's.
//!
//! In: the sample charts of examples/. Out: a place where releases can be made and taken away.
//! Never: a measurement.

use std::path::Path;

use anyhow::{Context, Result};
use kube::Client;
use kube::api::{DeleteParams, DynamicObject, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::controller::Controller;
use crate::testbed::{StartOptions, Testbed};
use crate::witness::{HELM_RELEASE, Witness, api};

/// The name of the sample chart, and of every release of it.
pub(crate) const CHART: &str = "shop";

pub(crate) struct Ground {
    // Dropped in this order: the controller before what it talks to.
    pub(crate) controller: Controller,
    pub(crate) client: Client,
    pub(crate) runtime: Runtime,
    pub(crate) testbed: Testbed,
    /// The sample chart's version.
    pub(crate) version: String,
}

impl Ground {
    pub(crate) fn prepare() -> Result<Ground> {
        let testbed = Testbed::start_with(StartOptions { audit: true })?;
        let definition = definition()?;
        testbed
            .kubectl_with_input(&["apply", "-f", "-"], &definition)?
            .successful()?;
        let established = [
            "wait",
            "--for=condition=Established",
            "crd/helmreleases.helm.pintle.dev",
        ];
        testbed.kubectl(&established)?.successful()?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/charts")
            .join(CHART);
        let archive = publish(&testbed, &folder)?;
        let name = archive
            .strip_suffix(".tgz")
            .and_then(|path| path.rsplit_once(&format!("/{CHART}-")));
        let (_, version) = name.with_context(|| format!("read a version from {archive}"))?;
        let version = version.to_owned();
        let runtime = Runtime::new().context("start a runtime")?;
        let client = runtime.block_on(connect(testbed.kubeconfig()))?;
        let controller = Controller::start(&testbed)?;
        Ok(Ground {
            controller,
            client,
            runtime,
            testbed,
            version,
        })
    }

    /// The registry, as a HelmRelease and helm name it.
    pub(crate) fn registry(&self) -> String {
        format!("oci://{}/charts", self.testbed.registry())
    }

    /// Puts another chart into the registry.
    pub(crate) fn publish(&self, folder: &Path) -> Result<()> {
        publish(&self.testbed, folder).map(|_| ())
    }

    /// Makes namespaces beforehand, so that what Kubernetes puts into new ones is measured nowhere.
    pub(crate) fn make_namespaces(&self, names: &[String]) -> Result<()> {
        for name in names {
            self.testbed
                .kubectl(&["create", "namespace", name])?
                .successful()?;
        }
        Ok(())
    }

    /// A HelmRelease of the sample chart with its default values.
    pub(crate) fn declaration(&self, namespace: &str) -> serde_json::Value {
        self.declaration_of(CHART, &self.version, namespace)
    }

    /// A HelmRelease, named as its chart, with the chart's default values.
    pub(crate) fn declaration_of(
        &self,
        chart: &str,
        chart_version: &str,
        namespace: &str,
    ) -> serde_json::Value {
        let (group, version, kind) = HELM_RELEASE;
        json!({
            "apiVersion": format!("{group}/{version}"),
            "kind": kind,
            "metadata": {"name": chart, "namespace": namespace},
            "spec": {
                "repo": self.registry(),
                "name": chart,
                "version": chart_version,
                "insecure": true,
            },
        })
    }

    /// Creates the HelmRelease; returns when the API server has acknowledged it.
    pub(crate) fn declare(&self, namespace: &str) -> Result<()> {
        self.declare_chart(CHART, &self.version, namespace)
    }

    /// The same of another chart.
    pub(crate) fn declare_chart(&self, chart: &str, version: &str, namespace: &str) -> Result<()> {
        let release = self.declaration_of(chart, version, namespace);
        let release: DynamicObject = serde_json::from_value(release)?;
        let api = api(&self.client, HELM_RELEASE, namespace);
        let created = self
            .runtime
            .block_on(api.create(&PostParams::default(), &release));
        created.context("create a HelmRelease")?;
        Ok(())
    }

    /// Deletes the HelmRelease, and returns when its release is uninstalled.
    pub(crate) fn withdraw(&self, namespace: &str) -> Result<()> {
        let witness = Witness::of(&self.runtime, &self.client, namespace, &[HELM_RELEASE])?;
        let api = api(&self.client, HELM_RELEASE, namespace);
        let deleted = self
            .runtime
            .block_on(api.delete(CHART, &DeleteParams::default()));
        deleted.context("delete a HelmRelease")?;
        witness.until(|sighting| sighting.gone)?;
        Ok(())
    }
}

/// The definition as the binary itself prints it.
fn definition() -> Result<String> {
    let printed = std::process::Command::new(env!("CARGO_BIN_EXE_pintle"))
        .arg("crd")
        .output();
    let printed = printed.context("run `pintle crd`")?;
    String::from_utf8(printed.stdout).context("read what `pintle crd` printed")
}

async fn connect(kubeconfig: &Path) -> Result<Client> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    let options = KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?;
    Ok(Client::try_from(config)?)
}

/// Puts a chart into the registry, as the real helm does it; answers the archive's path.
fn publish(testbed: &Testbed, folder: &Path) -> Result<String> {
    let to = testbed.charts_folder().display().to_string();
    let packaged = testbed.helm(&["package", &folder.display().to_string(), "-d", &to])?;
    let said = packaged.successful()?;
    let archive = said.rsplit(": ").next().unwrap_or_default().trim();
    let registry = format!("oci://{}/charts", testbed.registry());
    testbed
        .helm(&["push", archive, &registry, "--plain-http"])?
        .successful()?;
    Ok(archive.to_owned())
}
