//! The stage on which behaviour is tested: one testbed, one controller, and the test charts in the
//! registry and in the HTTP repository.
//!
//! In: HelmReleases as a person writes them. Out: what kubectl and helm say of them. Never: a look
//! into the controller; what a user cannot see is no behaviour.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use pintle::controller::{self, Holder, Settings};
use pintle::source::{Sources, SourcesConfig};
use pintle::telemetry::{self, Metrics, Readiness};
use serde_json::Value;

use crate::testbed::{StartOptions, Testbed};

/// The stage of this test binary.
pub(crate) struct Stage {
    pub(crate) testbed: &'static Testbed,
    pub(crate) metrics_url: String,
}

/// How long anything on the testbed may take before a test gives up; it is no measurement.
const PATIENCE: Duration = Duration::from_secs(120);

impl Stage {
    /// The stage, set by whoever asks first.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Stage, String>> = OnceLock::new();
        let set = || Self::on(Testbed::shared(), &definition()?, None);
        match SHARED.get_or_init(|| set().map_err(|error| format!("{error:#}"))) {
            Ok(stage) => stage,
            Err(error) => panic!("the stage cannot be set: {error}"),
        }
    }

    /// A stage on a testbed of its own, for tests that would disturb the others, or count requests.
    pub(crate) fn alone(definition: &Value) -> Result<&'static Self> {
        // The controller's thread and the tests' namespaces live as long as the process.
        let options = StartOptions { audit: true };
        let testbed = Box::leak(Box::new(Testbed::start_with(options)?));
        Ok(Box::leak(Box::new(Self::on(testbed, definition, None)?)))
    }

    /// A stage on which a test can count requests: as long as it holds the guard, it is alone there.
    pub(crate) fn counted() -> Result<(&'static Self, MutexGuard<'static, ()>)> {
        static COUNTED: OnceLock<Result<&'static Stage, String>> = OnceLock::new();
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let set = || Self::alone(&definition()?);
        match COUNTED.get_or_init(|| set().map_err(|error| format!("{error:#}"))) {
            Ok(stage) => Ok((stage, turn)),
            Err(error) => bail!("the stage cannot be set: {error}"),
        }
    }

    /// A stage on a testbed of its own, whose controller has no other rights than these manifests
    /// give to this user.
    pub(crate) fn alone_as(user: &str, rights: &str) -> Result<&'static Self> {
        let testbed = Box::leak(Box::new(Testbed::start()?));
        testbed
            .kubectl_with_input(&["apply", "-f", "-"], rights)?
            .successful()?;
        let stage = Self::on(testbed, &definition()?, Some(user))?;
        Ok(Box::leak(Box::new(stage)))
    }

    fn on(testbed: &'static Testbed, definition: &Value, user: Option<&str>) -> Result<Self> {
        testbed
            .kubectl_with_input(&["apply", "-f", "-"], &definition.to_string())?
            .successful()?;
        let began = Instant::now();
        let established = [
            "wait",
            "--for=condition=Established",
            "crd/helmreleases.helm.pintle.dev",
            "--timeout=30s",
        ];
        // kubectl takes a definition that has no status yet for an error.
        while let Err(error) = testbed.kubectl(&established)?.successful() {
            if began.elapsed() > PATIENCE {
                return Err(error);
            }
        }
        let metrics_url = begin_controller(testbed, user, "stage")?;
        let stage = Self {
            testbed,
            metrics_url,
        };
        for version in ["1.0.0", "1.1.0"] {
            stage.publish(&chart_folder("web"), version)?;
        }
        stage.publish(&chart_folder("ten"), "1.0.0")?;
        Ok(stage)
    }

    /// Begins a second controller beside the first, as when two replicas run.
    pub(crate) fn rival(&self) -> Result<()> {
        begin_controller(self.testbed, None, "rival").map(|_| ())
    }

    /// Puts a chart into the registry and into the HTTP repository, under this version.
    pub(crate) fn publish(&self, folder: &Path, version: &str) -> Result<()> {
        self.package(folder, &["--version", version])
    }

    /// The same under its own version; answers its name and version.
    pub(crate) fn publish_as_is(&self, folder: &Path) -> Result<(String, String)> {
        self.package(folder, &[])?;
        let metadata = self
            .testbed
            .helm(&["show", "chart", &folder.display().to_string()])?;
        let metadata = pintle::yaml::from_slice(metadata.successful()?.as_bytes())?;
        let text = |key: &str| metadata[key].as_str().unwrap_or_default().to_owned();
        Ok((text("name"), text("version")))
    }

    fn package(&self, folder: &Path, arguments: &[&str]) -> Result<()> {
        let folder = folder.display().to_string();
        let to = self.testbed.charts_folder().display().to_string();
        let packaged = self
            .testbed
            .helm(&[&["package", &folder, "-d", &to], arguments].concat())?;
        let said = packaged.successful()?;
        let archive = said
            .rsplit(": ")
            .next()
            .unwrap_or_default()
            .trim()
            .to_owned();
        self.testbed
            .helm(&["push", &archive, &self.registry(), "--plain-http"])?
            .successful()?;
        self.reindex()
    }

    /// Writes the index of the HTTP repository anew.
    pub(crate) fn reindex(&self) -> Result<()> {
        // Tests run at once, and so would the writers of the index.
        static INDEX: Mutex<()> = Mutex::new(());
        let _turn = INDEX.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.testbed.charts_folder().display().to_string();
        self.testbed
            .helm(&["repo", "index", &folder])?
            .successful()?;
        Ok(())
    }

    /// The registry, as a HelmRelease names it.
    pub(crate) fn registry(&self) -> String {
        format!("oci://{}/charts", self.testbed.registry())
    }

    /// A namespace of the test's own.
    pub(crate) fn namespace(&'static self, name: &'static str) -> Result<Space> {
        self.testbed
            .kubectl(&["create", "namespace", name])?
            .successful()?;
        Ok(Space { stage: self, name })
    }
}

/// The definition of HelmRelease.
pub(crate) fn definition() -> Result<Value> {
    Ok(serde_json::to_value(
        pintle::api::custom_resource_definition(),
    )?)
}

/// The folder of a test chart.
pub(crate) fn chart_folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cluster/charts")
        .join(name)
}

/// Runs the controller beside the tests, for as long as the process lives; answers its pages.
fn begin_controller(
    testbed: &'static Testbed,
    user: Option<&str>,
    holder: &'static str,
) -> Result<String> {
    let (told, tell) = std::sync::mpsc::channel();
    let kubeconfig = testbed.kubeconfig().to_owned();
    let cache = testbed.dir().join(format!("chart-cache-{holder}"));
    let user = user.map(str::to_owned);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime can be started");
        let end = runtime.block_on(keep(kubeconfig, user, holder, cache, told));
        panic!("the controller ended: {end:?}");
    });
    tell.recv_timeout(PATIENCE)
        .context("the controller did not come up")
}

async fn keep(
    kubeconfig: PathBuf,
    user: Option<String>,
    holder: &'static str,
    cache: PathBuf,
    told: std::sync::mpsc::Sender<String>,
) -> Result<()> {
    telemetry::init_logs("pintle=debug,warn");
    let config = kube::config::Kubeconfig::read_from(kubeconfig)?;
    let mut config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await?;
    config.auth_info.impersonate = user;
    let client = pintle::cluster::connect(config)?;
    let sources = Sources::new(SourcesConfig {
        allow_insecure: true,
        ..SourcesConfig::new(cache)
    })?;
    let metrics = Arc::new(Metrics::new()?);
    let readiness = Readiness::default();
    let anywhere = "127.0.0.1:0".parse()?;
    let (address, pages) = telemetry::serve(
        anywhere,
        Arc::clone(&metrics),
        readiness.clone(),
        std::future::pending(),
    )
    .await?;
    tokio::spawn(pages);
    told.send(format!("http://{address}"))?;
    let settings = Settings {
        namespace: None,
        holder: Holder::named(holder),
        images: Default::default(),
    };
    controller::run(
        client,
        sources,
        metrics,
        readiness,
        settings,
        std::future::pending(),
    )
    .await?;
    bail!("the controller ended by itself")
}

/// One test's namespace.
#[derive(Clone, Copy)]
pub(crate) struct Space {
    pub(crate) stage: &'static Stage,
    pub(crate) name: &'static str,
}

impl Space {
    /// A HelmRelease of the test chart in the registry, with these lines added to its spec.
    pub(crate) fn release(&self, name: &str, spec: &str) -> String {
        let repo = self.stage.registry();
        let space = self.name;
        let spec = spec
            .lines()
            .map(|line| format!("\n  {line}"))
            .collect::<String>();
        let common = [
            ("repo:", format!("repo: {repo}")),
            ("name:", "name: web".into()),
            ("version:", "version: 1.0.0".into()),
        ];
        let common: String = common
            .iter()
            .filter(|(key, _)| {
                !spec.lines().any(|line| {
                    line.trim_start().starts_with(key)
                        && line.starts_with("  ")
                        && !line.starts_with("   ")
                })
            })
            .map(|(_, line)| format!("\n  {line}"))
            .collect();
        format!(
            "apiVersion: helm.pintle.dev/v1\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: {space}}}\nspec:\n  insecure: true{common}{spec}\n"
        )
    }

    /// Applies a manifest.
    pub(crate) fn apply(&self, manifest: &str) -> Result<()> {
        self.stage
            .testbed
            .kubectl_with_input(&["apply", "-f", "-"], manifest)?
            .successful()?;
        Ok(())
    }

    /// What `kubectl apply` says when it refuses a manifest.
    pub(crate) fn refused(&self, manifest: &str) -> Result<String> {
        self.stage
            .testbed
            .kubectl_with_input(&["apply", "-f", "-"], manifest)?
            .refused()
    }

    /// Merges a patch into an object of the namespace, as a person would.
    pub(crate) fn patch(&self, object: &str, patch: &str) -> Result<String> {
        self.kubectl(&["patch", object, "--type=merge", "-p", patch])
    }

    /// Runs kubectl in the namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.stage
            .testbed
            .kubectl(&[arguments, &["-n", self.name]].concat())?
            .successful()
    }

    /// Runs helm in the namespace.
    pub(crate) fn helm(&self, arguments: &[&str]) -> Result<String> {
        self.stage
            .testbed
            .helm(&[arguments, &["-n", self.name]].concat())?
            .successful()
    }

    /// An object, or null where there is none.
    pub(crate) fn get(&self, object: &str) -> Result<Value> {
        let text = self.kubectl(&["get", object, "-o", "json", "--ignore-not-found"])?;
        if text.trim().is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_str(&text)?)
        }
    }

    /// Waits until an object is as asked, and answers it.
    pub(crate) fn until(&self, object: &str, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        let began = Instant::now();
        loop {
            let found = self.get(object)?;
            if is_so(&found) {
                return Ok(found);
            }
            if began.elapsed() > PATIENCE {
                bail!("{object} in {} is not as asked: {found:#}", self.name);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Waits until a HelmRelease is Ready and its status speaks of its newest spec.
    pub(crate) fn ready(&self, name: &str) -> Result<Value> {
        self.until(&format!("hr/{name}"), |release| {
            is_current(release) && condition(release, "Ready")["status"] == "True"
        })
    }

    /// Waits until nothing more will be tried: a HelmRelease is Ready, or Stalled.
    pub(crate) fn settled(&self, name: &str) -> Result<Value> {
        self.until(&format!("hr/{name}"), |release| {
            let holds = |kind| condition(release, kind)["status"] == "True";
            is_current(release) && (holds("Ready") || holds("Stalled"))
        })
    }

    /// Waits until a HelmRelease is not Ready for this reason.
    pub(crate) fn failed(&self, name: &str, reason: &str) -> Result<Value> {
        self.until(&format!("hr/{name}"), |release| {
            let ready = condition(release, "Ready");
            is_current(release) && ready["status"] == "False" && ready["reason"] == reason
        })
    }

    /// The message of a HelmRelease's condition.
    pub(crate) fn message(&self, release: &Value, kind: &str) -> String {
        condition(release, kind)["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Asks until something is so.
pub(crate) fn until_so(what: &str, is_so: impl Fn() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !is_so()? {
        if began.elapsed() > PATIENCE {
            bail!("not so in time: {what}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

fn is_current(release: &Value) -> bool {
    !release["metadata"]["generation"].is_null()
        && release["status"]["observedGeneration"] == release["metadata"]["generation"]
}

/// A condition of an object, or null.
pub(crate) fn condition<'v>(object: &'v Value, kind: &str) -> &'v Value {
    let conditions = object["status"]["conditions"].as_array();
    conditions
        .and_then(|all| all.iter().find(|c| c["type"] == kind))
        .unwrap_or(&Value::Null)
}
