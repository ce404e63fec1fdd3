//! The ground that scenarios are played on: a testbed with a controller, and the charts.
//!
//! In: the folders below `charts/`. Out: their archives, for helm as files and for HelmReleases in
//! the registry; the API server through tools and through a client. Never: anything that a
//! scenario could leave for another one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use pintle::controller::{self, Holder, Settings};
use pintle::source::{Sources, SourcesConfig};
use pintle::telemetry::{Metrics, Readiness};
use serde_json::Value;

use crate::state::Kinds;
use crate::testbed::{Finished, Testbed};

pub(crate) struct Ground {
    pub(crate) testbed: Testbed,
    pub(crate) client: kube::Client,
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) kinds: Kinds,
    /// Archives by chart, version and, where the chart names its namespace, that.
    archives: Mutex<HashMap<String, PathBuf>>,
}

impl Ground {
    pub(crate) fn prepare() -> Result<Self> {
        let testbed = Testbed::start()?;
        let definition = serde_json::to_string(&pintle::api::custom_resource_definition())?;
        testbed
            .kubectl_with_input(&["apply", "-f", "-"], &definition)?
            .successful()?;
        let crd = "crd/helmreleases.helm.pintle.dev";
        let established = ["wait", "--for=condition=Established", crd, "--timeout=30s"];
        testbed.kubectl(&established)?.successful()?;
        let runtime = tokio::runtime::Runtime::new()?;
        let (client, kinds) = runtime.block_on(async {
            let client = pintle::cluster::connect(config(&testbed).await?)?;
            let kinds = Kinds::discover(&client).await?;
            anyhow::Ok((client, kinds))
        })?;
        let ground = Self {
            testbed,
            client,
            runtime,
            kinds,
            archives: Mutex::default(),
        };
        let log = std::fs::File::create(ground.testbed.dir().join("pintle.log"))?;
        tracing_subscriber::fmt()
            .with_env_filter("pintle=debug,warn")
            .with_ansi(false)
            .with_writer(log)
            .init();
        let config = ground.runtime.block_on(config(&ground.testbed))?;
        let cache = ground.testbed.dir().join("chart-cache");
        ground.runtime.spawn(async move {
            if let Err(error) = keep(config, cache).await {
                eprintln!("the controller ended: {error:#}");
                std::process::exit(1);
            }
        });
        Ok(ground)
    }

    /// The registry, as a HelmRelease names it.
    pub(crate) fn registry(&self) -> String {
        format!("oci://{}/charts", self.testbed.registry())
    }

    /// A chart's archive, which lies in the registry too. Charts whose folder's name ends in
    /// `-of-namespace` have a copy for each namespace, with its name for every `NAMESPACE`.
    pub(crate) fn archive(&self, chart: &str, version: &str, namespace: &str) -> Result<Archive> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/parity/charts")
            .join(chart);
        let own = chart.ends_with("-of-namespace");
        let name = match own {
            true => format!("{}-{namespace}", chart.trim_end_matches("-of-namespace")),
            false => chart.to_owned(),
        };
        let mut archives = self.archives.lock().unwrap();
        let key = format!("{name}-{version}");
        if let Some(file) = archives.get(&key) {
            let file = file.clone();
            return Ok(Archive { name, file });
        }
        let to = self.testbed.dir().join("archives");
        std::fs::create_dir_all(&to)?;
        let folder = match own {
            false => folder,
            true => {
                let copy = self.testbed.dir().join("copies").join(&key);
                copy_for(&folder, &copy, namespace)?;
                copy
            }
        };
        let (folder, to) = (folder.display().to_string(), to.display().to_string());
        let package = ["package", &folder, "--version", version, "-d", &to];
        self.testbed.helm(&package)?.successful()?;
        let file = PathBuf::from(format!("{to}/{key}.tgz"));
        let push = [
            "push",
            &*file.to_string_lossy(),
            &self.registry(),
            "--plain-http",
        ];
        self.testbed.helm(&push)?.successful()?;
        archives.insert(key, file.clone());
        Ok(Archive { name, file })
    }

    /// A tool in a namespace.
    pub(crate) fn helm(&self, namespace: &str, arguments: &[String]) -> Result<Finished> {
        let mut all: Vec<&str> = arguments.iter().map(String::as_str).collect();
        all.extend(["-n", namespace]);
        self.testbed.helm(&all)
    }

    pub(crate) fn state(&self, namespace: &str) -> Result<Value> {
        let state = self.kinds.state(&self.client, namespace);
        self.runtime.block_on(state)
    }
}

/// A chart, as it is named and where its archive is.
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
}

fn copy_for(from: &Path, to: &Path, namespace: &str) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_for(&entry.path(), &target, namespace)?,
            false => {
                let text = std::fs::read_to_string(entry.path())?;
                std::fs::write(&target, text.replace("NAMESPACE", namespace))?;
                // Both copies are as old as what they are copies of.
                let age = entry.metadata()?.modified()?;
                std::fs::File::options()
                    .write(true)
                    .open(&target)?
                    .set_modified(age)?;
            }
        }
    }
    Ok(())
}

async fn config(testbed: &Testbed) -> Result<kube::Config> {
    let config = kube::config::Kubeconfig::read_from(testbed.kubeconfig())?;
    let options = kube::config::KubeConfigOptions::default();
    Ok(kube::Config::from_custom_kubeconfig(config, &options).await?)
}

async fn keep(config: kube::Config, cache: PathBuf) -> Result<()> {
    let client = pintle::cluster::connect(config)?;
    let sources = Sources::new(SourcesConfig {
        allow_insecure: true,
        ..SourcesConfig::new(cache)
    })?;
    let settings = Settings {
        namespace: None,
        holder: Holder::named("parity"),
        images: Default::default(),
    };
    controller::run(
        client,
        sources,
        Arc::new(Metrics::new()?),
        Readiness::default(),
        settings,
        std::future::pending(),
    )
    .await
    .context("run the controller")?;
    bail!("it ended by itself")
}
