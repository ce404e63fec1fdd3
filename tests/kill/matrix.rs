//! The matrix: each scenario without a kill, and then with one before and after each of its writes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::proxy::{Kill, Proxy};
use crate::state;
use crate::testbed::Testbed;

/// What is done to a release that may be there already.
struct Scenario {
    name: &'static str,
    /// The values of a first install that nobody disturbs, if there is one.
    before: Option<&'static str>,
    /// The values that are wanted then; `None` deletes the HelmRelease.
    then: Option<&'static str>,
    /// Lines of the spec beside the values.
    spec: &'static str,
    /// Helm makes the first install, server-side.
    by_helm: bool,
}

const SCENARIOS: [Scenario; 6] = [
    Scenario {
        name: "install",
        before: None,
        then: Some("{greeting: first}"),
        spec: "test: {enabled: true}",
        by_helm: false,
    },
    Scenario {
        name: "upgrade",
        before: Some("{greeting: first, extra: true}"),
        then: Some("{greeting: second}"),
        spec: "",
        by_helm: false,
    },
    Scenario {
        name: "rollback",
        before: Some("{greeting: first}"),
        then: Some("{greeting: second, outcome: fail, extra: true}"),
        spec: "retries: 0\n  timeout: 60s",
        by_helm: false,
    },
    Scenario {
        name: "replace",
        before: Some("{greeting: first, fixed: old}"),
        then: Some("{greeting: second, fixed: new}"),
        spec: "replace: WhenImmutable",
        by_helm: false,
    },
    Scenario {
        name: "server-side",
        before: Some("{greeting: first}"),
        then: Some("{greeting: second, extra: true}"),
        spec: "",
        by_helm: true,
    },
    Scenario {
        name: "uninstall",
        before: Some("{greeting: first}"),
        then: None,
        spec: "",
        by_helm: false,
    },
];

/// How long anything may take before a run counts as stuck; it is no measurement.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long after its end a run may still be killed.
const GRACE: Duration = Duration::from_secs(1);

struct Ground {
    testbed: Testbed,
    client: kube::Client,
    cache: tempfile::TempDir,
    chart: String,
    commands: Semaphore,
    runs: AtomicUsize,
    /// Kills that a run came to its end without.
    unreached: AtomicUsize,
}

/// How a run ended.
struct End {
    state: std::collections::BTreeMap<String, Value>,
    /// The writes to objects of charts that the API server took, sorted.
    taken: Vec<String>,
    writes: usize,
}

/// Runs at once: most of a run is waiting.
const AT_ONCE: usize = 16;

/// Helm's and kubectl's processes at once, which do not wait: more of them would starve the rest.
const COMMANDS_AT_ONCE: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_write_changes_nothing() {
    let ground = Ground::prepare().await.unwrap();
    let only = std::env::var("PINTLE_KILL_ONLY").unwrap_or_default();
    let at = std::env::var("PINTLE_KILL_AT").ok();
    let at: Option<usize> = at.map(|at| at.parse().unwrap());
    let mut differences = Vec::new();
    let mut kills = 0;
    for scenario in SCENARIOS.iter().filter(|s| s.name.contains(&only)) {
        let began = Instant::now();
        let undisturbed = ground.play(scenario, None).await.unwrap();
        let writes = undisturbed.writes;
        assert!(writes > 3, "{} writes next to nothing", scenario.name);
        let points: Vec<Kill> = (1..=writes)
            .filter(|n| at.is_none_or(|at| at == *n))
            .flat_map(|n| [Kill::Before(n), Kill::After(n)])
            .collect();
        kills += points.len();
        let found: Vec<Option<String>> = futures::stream::iter(points)
            .map(|kill| {
                let (ground, undisturbed) = (&ground, &undisturbed);
                async move {
                    let found = match ground.play(scenario, Some(kill)).await {
                        Ok(end) => difference(undisturbed, &end),
                        Err(error) => Some(format!("{error:#}")),
                    };
                    found.map(|found| format!("{}, {kill:?}: {found}", scenario.name))
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        differences.extend(found.into_iter().flatten());
        let took = began.elapsed().as_secs();
        println!("{}: {writes} writes, {took} s", scenario.name);
    }
    let failed = crate::registry::FAILED.load(Ordering::SeqCst);
    assert!(failed > 0, "the registry never failed");
    let unreached = ground.unreached.into_inner();
    let found = differences.len();
    println!("{kills} kills, {unreached} of them too late, {found} differences");
    assert!(
        unreached * 20 <= kills,
        "{unreached} of {kills} came too late"
    );
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn difference(undisturbed: &End, end: &End) -> Option<String> {
    let mut lines = Vec::new();
    let names = undisturbed.state.keys().chain(end.state.keys());
    for name in names.collect::<std::collections::BTreeSet<_>>() {
        let (without, with) = (undisturbed.state.get(name), end.state.get(name));
        if without != with {
            let shown = |value: Option<&Value>| value.map_or("absent".to_owned(), Value::to_string);
            lines.push(format!(
                "{name}:\n   without {}\n   with    {}",
                shown(without),
                shown(with)
            ));
        }
    }
    if undisturbed.taken != end.taken {
        lines.push(format!(
            "writes:\n   without {:?}\n   with    {:?}",
            undisturbed.taken, end.taken
        ));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

impl Ground {
    async fn prepare() -> Result<Self> {
        let testbed = Testbed::start()?;
        let definition = serde_json::to_string(&pintle::api::custom_resource_definition())?;
        testbed
            .kubectl_with_input(&["apply", "-f", "-"], &definition)?
            .successful()?;
        let established = "--for=condition=Established";
        let crd = "crd/helmreleases.helm.pintle.dev";
        testbed
            .kubectl(&["wait", established, crd, "--timeout=30s"])?
            .successful()?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/charts/hooked");
        let to = testbed.charts_folder().display().to_string();
        testbed
            .helm(&["package", &folder.display().to_string(), "-d", &to])?
            .successful()?;
        let chart = format!("oci://{}/charts", testbed.registry());
        let archive = format!("{to}/hooked-1.0.0.tgz");
        testbed
            .helm(&["push", &archive, &chart, "--plain-http"])?
            .successful()?;
        let unreliable = crate::registry::unreliable(testbed.registry())?;
        let chart = format!("oci://{unreliable}/charts");
        let config = kube::config::Kubeconfig::read_from(testbed.kubeconfig())?;
        let options = kube::config::KubeConfigOptions::default();
        let mut config = kube::Config::from_custom_kubeconfig(config, &options).await?;
        // A busy machine may take longer for a handshake than a client waits by itself.
        config.connect_timeout = Some(PATIENCE);
        Ok(Self {
            testbed,
            client: kube::Client::try_from(config)?,
            cache: tempfile::tempdir()?,
            chart,
            commands: Semaphore::new(COMMANDS_AT_ONCE),
            runs: AtomicUsize::new(0),
            unreached: AtomicUsize::new(0),
        })
    }

    fn releases(&self, namespace: &str) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("helm.pintle.dev", "v1", "HelmRelease");
        let resource = ApiResource::from_gvk(&kind);
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    // Namespaces stay: what holds them is the test's end, and their removal is work.
    async fn play(&self, scenario: &Scenario, kill: Option<Kill>) -> Result<End> {
        let number = self.runs.fetch_add(1, Ordering::SeqCst);
        let namespace = format!("{}-{number}", scenario.name);
        let mut created = Namespace::default();
        created.metadata.name = Some(namespace.clone());
        Api::all(self.client.clone())
            .create(&PostParams::default(), &created)
            .await?;
        let (proxy, address) = Proxy::start(self.client.clone()).await?;
        let kubeconfig = self.cache.path().join(format!("{namespace}.kubeconfig"));
        std::fs::write(&kubeconfig, kubeconfig_of(&address))?;
        let begin = || self.begin(&kubeconfig, &namespace, &proxy);

        begin()?;
        let ended = async {
            if let (Some(values), true) = (scenario.before, scenario.by_helm) {
                let _turn = self.commands.acquire().await?;
                tokio::task::block_in_place(|| self.install(&namespace, values))?;
            } else if let Some(values) = scenario.before {
                self.declare(&namespace, scenario, values).await?;
                self.until(&namespace, is_settled).await?;
            }
            proxy.arm(kill);
            match scenario.then {
                Some(values) => self.declare(&namespace, scenario, values).await?,
                None => {
                    let releases = self.releases(&namespace);
                    releases.delete("shop", &DeleteParams::default()).await?;
                }
            }
            let is_over = |release: &Value| match scenario.then {
                Some(_) => is_settled(release),
                None => release.is_null(),
            };
            if kill.is_some() {
                // How often a wait is told of depends on how long it is: there may be one write less.
                let ended = async {
                    self.until(&namespace, is_over).await?;
                    tokio::time::sleep(GRACE).await;
                    anyhow::Ok(())
                };
                tokio::select! {
                    () = proxy.killed.notified() => begin()?,
                    ended = ended => {
                        self.unreached.fetch_add(1, Ordering::SeqCst);
                        return ended;
                    }
                }
            }
            self.until(&namespace, is_over).await
        };
        let ended = ended.await;
        let victim = proxy.victim.lock().unwrap().take();
        if let Some(mut victim) = victim {
            victim.kill()?;
            victim.wait()?;
        }
        ended?;
        let _turn = self.commands.acquire().await?;
        Ok(End {
            state: tokio::task::block_in_place(|| state::of(&self.testbed, &namespace))?,
            taken: on_objects(&proxy.taken(), &namespace),
            writes: proxy.writes(),
        })
    }

    fn begin(&self, kubeconfig: &Path, namespace: &str, proxy: &Proxy) -> Result<()> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.testbed.dir().join(format!("{namespace}.log")))?;
        let process = Command::new(env!("CARGO_BIN_EXE_pintle"))
            .args([
                "run",
                "--metrics-addr",
                "127.0.0.1:0",
                "--allow-insecure-sources",
            ])
            .args([
                "--namespace",
                namespace,
                "--holder",
                "victim",
                "--log",
                "info",
            ])
            .arg("--cache-dir")
            .arg(self.cache.path().join("charts"))
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .context("start the controller")?;
        *proxy.victim.lock().unwrap() = Some(process);
        Ok(())
    }

    fn install(&self, namespace: &str, values: &str) -> Result<()> {
        let file = self.cache.path().join(format!("{namespace}.values"));
        std::fs::write(&file, values)?;
        let values = format!("--values={}", file.display());
        let chart = format!("{}/hooked", self.chart);
        let install = ["install", "shop", &chart, "--plain-http", "--wait", &values];
        self.testbed
            .helm(&[&install[..], &["-n", namespace]].concat())?
            .successful()?;
        Ok(())
    }

    async fn declare(&self, namespace: &str, scenario: &Scenario, values: &str) -> Result<()> {
        let manifest = format!(
            "apiVersion: helm.pintle.dev/v1\nkind: HelmRelease\nmetadata: {{name: shop, namespace: {namespace}}}\nspec:\n  repo: {}\n  name: hooked\n  version: 1.0.0\n  insecure: true\n  values: {values}\n  {}\n",
            self.chart, scenario.spec
        );
        let manifest = pintle::yaml::from_slice(manifest.as_bytes())?;
        self.releases(namespace)
            .patch(
                "shop",
                &PatchParams::apply("person"),
                &Patch::Apply(&manifest),
            )
            .await?;
        Ok(())
    }

    async fn until(&self, namespace: &str, is_so: impl Fn(&Value) -> bool) -> Result<()> {
        let began = Instant::now();
        let releases = self.releases(namespace);
        loop {
            let found = match releases.get_opt("shop").await? {
                None => Value::Null,
                Some(release) => serde_json::to_value(release)?,
            };
            if is_so(&found) {
                return Ok(());
            }
            if began.elapsed() > PATIENCE {
                bail!("it does not end: {}", found["status"]);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn kubeconfig_of(address: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: proxy\ncontexts: [{{name: proxy, context: {{cluster: proxy, user: proxy}}}}]\nclusters: [{{name: proxy, cluster: {{server: \"{address}\"}}}}]\nusers: [{{name: proxy, user: {{}}}}]\n"
    )
}

/// Ready or given up, for the newest spec.
fn is_settled(release: &Value) -> bool {
    let holds = |kind: &str| {
        let conditions = release["status"]["conditions"].as_array();
        conditions.is_some_and(|all| {
            all.iter()
                .any(|c| c["type"] == kind && c["status"] == "True")
        })
    };
    release["status"]["observedGeneration"] == release["metadata"]["generation"]
        && !release.is_null()
        && (holds("Ready") || holds("Stalled"))
}

/// Writes to what a chart holds; records and the HelmRelease may be written once more.
fn on_objects(taken: &[String], namespace: &str) -> Vec<String> {
    let mut taken: Vec<String> = taken
        .iter()
        .filter(|write| !write.contains("/secrets") && !write.contains("/helmreleases/"))
        .map(|write| write.replace(namespace, "NAMESPACE"))
        .collect();
    taken.sort();
    taken
}
