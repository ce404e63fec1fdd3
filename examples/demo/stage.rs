//! What the story stands on: the testbed, its tools, a client, and the charts in the registry.
//!
//! In: a running testbed. Out: tools whose commands and output are told. Never: the story itself.

use std::sync::Arc;

use anyhow::{Context, Result};
use k8s_openapi::NamespaceResourceScope;
use kube::{Api, Client};

use crate::controller::Controller;
use crate::observe::within;
use crate::samples;
use crate::testbed::{self, Finished, Testbed};
use crate::voice::Voice;

/// The sample charts, in the versions that the manifests and the upgrade name.
const CHARTS: [(&str, &str); 3] = [("hello", "1.0.0"), ("hello", "1.1.0"), ("shop", "1.4.2")];

pub(crate) struct Stage {
    testbed: Arc<Testbed>,
    client: Client,
    pub(crate) voice: Arc<Voice>,
}

impl Stage {
    pub(crate) async fn new(testbed: &Arc<Testbed>, voice: &Arc<Voice>) -> Result<Self> {
        let config = kube::config::Kubeconfig::read_from(testbed.kubeconfig())?;
        let config = kube::Config::from_custom_kubeconfig(config, &Default::default()).await?;
        let client = pintle::cluster::connect(config)?;
        Ok(Self {
            testbed: Arc::clone(testbed),
            client,
            voice: Arc::clone(voice),
        })
    }

    /// The objects of a kind in a namespace.
    pub(crate) fn api<K>(&self, namespace: &str) -> Api<K>
    where
        K: kube::Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// Installs the definition and begins the controller.
    pub(crate) async fn begin_controller(&self) -> Result<Controller> {
        let definition = serde_json::to_string(&pintle::api::custom_resource_definition())?;
        self.told(
            "pintle crd | kubectl apply -f -",
            &["kubectl", "apply", "-f", "-"],
            Some(definition),
        )
        .await?;
        let name = "crd/helmreleases.helm.pintle.dev";
        let wait = [
            "kubectl",
            "wait",
            "--for=condition=Established",
            name,
            "--timeout=60s",
        ];
        self.run(&wait, None).await?;
        let cache = self.testbed.dir().join("chart-cache");
        let controller = Controller::begin(self.client.clone(), cache).await?;
        let text = format!(
            "the controller, in this process; its pages are at {}",
            controller.url
        );
        self.voice.step("started", &text);
        Ok(controller)
    }

    /// Packages the sample charts with the real helm, and pushes them.
    pub(crate) async fn push_charts(&self) -> Result<()> {
        let registry = self.registry();
        let archives = self.testbed.dir().join("archives").display().to_string();
        for (name, version) in CHARTS {
            let folder = samples::path("charts").join(name).display().to_string();
            let package = [
                "helm",
                "package",
                &folder,
                "--version",
                version,
                "-d",
                &archives,
            ];
            self.run(&package, None).await?;
            let archive = format!("{archives}/{name}-{version}.tgz");
            let push = ["helm", "push", &archive, &registry, "--plain-http"];
            self.run(&push, None).await?;
            self.voice
                .step("pushed", &format!("chart {name} {version} to {registry}"));
        }
        Ok(())
    }

    /// Applies a manifest of examples/, its registry replaced by the demo's.
    pub(crate) async fn apply_sample(&self, name: &str) -> Result<()> {
        let manifest = samples::adapted(name, &self.registry())?;
        let shown = format!("kubectl apply -f examples/{name}");
        self.told(&shown, &["kubectl", "apply", "-f", "-"], Some(manifest))
            .await
    }

    /// Runs a tool and tells its command and output.
    pub(crate) async fn show(&self, command: &[&str]) -> Result<()> {
        let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
        self.told(&words.join(" "), command, None).await
    }

    async fn told(&self, shown: &str, command: &[&str], input: Option<String>) -> Result<()> {
        let held = self.voice.command(shown);
        let output = self.run(command, input).await?;
        held.output(&output);
        Ok(())
    }

    /// Runs one of the testbed's tools to its end, in its patience.
    async fn run(&self, command: &[&str], input: Option<String>) -> Result<String> {
        let testbed = Arc::clone(&self.testbed);
        let owned: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
        let work = tokio::task::spawn_blocking(move || finish(&testbed, &owned, input));
        let what = format!("{} ends", command.join(" "));
        within(&what, async { work.await? }).await?.successful()
    }

    fn registry(&self) -> String {
        format!("oci://{}/charts", self.testbed.registry())
    }

    /// Says how a person goes on from here.
    pub(crate) fn invite(&self, pages: &str) -> Result<()> {
        let voice = &self.voice;
        voice.chapter("Yours");
        voice.say("The cluster stays up until Ctrl-C. In another terminal:\n");
        voice.say(&format!(
            "  export KUBECONFIG={}",
            self.testbed.kubeconfig().display()
        ));
        let folders = ["kubectl", "helm"].iter().map(|tool| {
            let program = testbed::program(tool)?;
            let folder = program
                .parent()
                .with_context(|| format!("find the folder of {tool}"))?;
            Ok(folder.display().to_string())
        });
        let folders = folders.collect::<Result<Vec<_>>>()?;
        voice.say(&format!(
            "  export PATH={}:$PATH   # the demo's own kubectl and helm\n",
            folders.join(":")
        ));
        for command in [
            "kubectl get helmreleases --all-namespaces --watch",
            "kubectl explain helmrelease.spec",
            "kubectl describe helmrelease shop --namespace shop",
            "kubectl scale deployment hello --replicas=5     # and it goes back",
            "kubectl patch hr hello --type merge --patch '{\"spec\":{\"version\":\"^1.0\"}}'     # refused",
            "kubectl delete helmrelease hello     # and helm no longer lists it",
            "helm get all shop --namespace shop",
            &format!("curl {pages}/metrics"),
        ] {
            voice.say(&format!("  {command}"));
        }
        voice.say("\nWhat the controller does is told here:");
        Ok(())
    }
}

fn finish(testbed: &Testbed, command: &[String], input: Option<String>) -> Result<Finished> {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let (tool, arguments) = words.split_first().context("run a tool: none is named")?;
    match (*tool, input) {
        ("helm", _) => testbed.helm(arguments),
        (_, Some(input)) => testbed.kubectl_with_input(arguments, &input),
        (_, None) => testbed.kubectl(arguments),
    }
}

/// A word as a shell would have it typed.
fn quoted(word: &str) -> String {
    if word.contains(['{', '"', ' ']) {
        format!("'{word}'")
    } else {
        word.to_owned()
    }
}
