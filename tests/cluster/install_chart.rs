//! pintle as people install it: its own chart, by the real helm, and the program itself with the
//! rights that the chart gives its account.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::testbed::{self, StartOptions, Testbed};

const NAMESPACE: &str = "pintle-system";

/// A testbed of its own, because the definition is one for the whole cluster; its namespace takes
/// only pods that keep Kubernetes' restricted standard.
fn begin(options: StartOptions) -> Result<Testbed> {
    let testbed = Testbed::start_with(options)?;
    testbed
        .kubectl(&["create", "namespace", NAMESPACE])?
        .successful()?;
    let restricted = "pod-security.kubernetes.io/enforce=restricted";
    testbed
        .kubectl(&["label", "namespace", NAMESPACE, restricted])?
        .successful()?;
    Ok(testbed)
}

fn project(path: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(path)
        .display()
        .to_string()
}

/// `helm VERB pintle charts/pintle`, waiting until the controller's pod is ready.
fn helm(testbed: &Testbed, verb: &str, set: &str) -> Result<String> {
    let chart = project("charts/pintle");
    let arguments = [
        verb,
        "pintle",
        &chart,
        "-n",
        NAMESPACE,
        "--wait",
        "--timeout",
        "60s",
        "--set",
        set,
    ];
    testbed.helm(&arguments)?.successful()
}

/// Waits until kubectl prints this for these arguments; rights take a moment to be known.
fn until(testbed: &Testbed, arguments: &[&str], expected: &str) -> Result<()> {
    let began = Instant::now();
    loop {
        let printed = testbed.kubectl(arguments)?;
        if printed.stdout.trim() == expected {
            return Ok(());
        }
        if began.elapsed() > Duration::from_secs(60) {
            bail!("kubectl {arguments:?} prints {printed:?}, and not {expected}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until this is what the controller's account may do, or may not.
fn may(testbed: &Testbed, verb: &str, resource: &str, answer: &str) -> Result<()> {
    let account = "--as=system:serviceaccount:pintle-system:pintle";
    until(
        testbed,
        &["auth", "can-i", verb, resource, "--all-namespaces", account],
        answer,
    )
}

#[test]
fn helm_installs_and_removes_the_chart_and_the_definition_stays() -> Result<()> {
    let testbed = begin(StartOptions::default())?;
    let notes = helm(&testbed, "install", "rbac.scope=cluster")?;
    assert!(
        notes.contains("WARNING: image.repository is still the placeholder"),
        "{notes}"
    );
    let hello = fs::read_to_string(project("examples/hello.yaml"))?;
    testbed
        .kubectl_with_input(&["apply", "-f", "-"], &hello)?
        .successful()?;
    testbed
        .helm(&["uninstall", "pintle", "-n", NAMESPACE, "--wait"])?
        .successful()?;
    let left = testbed
        .kubectl(&["get", "helmreleases", "-A", "-o", "name"])?
        .successful()?;
    assert_eq!(left.trim(), "helmrelease.helm.pintle.dev/hello");
    let left = [
        "get",
        "clusterroles,clusterrolebindings",
        "-o",
        "name",
        "-l",
        "app.kubernetes.io/name=pintle",
    ];
    assert_eq!(testbed.kubectl(&left)?.successful()?, "");
    // The definition that stayed is taken over.
    helm(&testbed, "install", "rbac.scope=cluster")?;
    Ok(())
}

const MORE_RIGHTS: &str = r#"
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: for-pintle
  labels: {rbac.pintle.dev/aggregate-to-pintle: "true"}
rules: [{apiGroups: [""], resources: [nodes], verbs: [delete]}]
"#;

/// From one scope to the next by `helm upgrade`, which cannot change a binding's role.
#[test]
fn each_scope_gives_the_rights_that_it_names() -> Result<()> {
    let testbed = begin(StartOptions::default())?;
    helm(&testbed, "install", "rbac.scope=cluster")?;
    may(&testbed, "delete", "nodes", "yes")?;

    helm(&testbed, "upgrade", "rbac.scope=aggregate")?;
    may(&testbed, "delete", "nodes", "no")?;
    may(&testbed, "create", "deployments", "yes")?;
    may(&testbed, "get", "pods/log", "yes")?;
    may(&testbed, "create", "clusterroles", "no")?;
    may(&testbed, "update", "helmreleases/finalizers", "yes")?;
    may(&testbed, "create", "helmreleases", "no")?;
    may(&testbed, "delete", "customresourcedefinitions", "no")?;
    testbed
        .kubectl_with_input(&["apply", "-f", "-"], MORE_RIGHTS)?
        .successful()?;
    may(&testbed, "delete", "nodes", "yes")?;
    // What the control plane folded in is no quarrel for the next upgrade.
    helm(
        &testbed,
        "upgrade",
        "rbac.scope=aggregate,podLabels.again=yes",
    )?;
    may(&testbed, "delete", "nodes", "yes")?;

    helm(&testbed, "upgrade", "rbac.scope=base")?;
    may(&testbed, "create", "deployments", "no")?;
    may(&testbed, "create", "secrets", "yes")?;
    Ok(())
}

#[test]
fn the_plain_manifests_can_be_applied() -> Result<()> {
    let testbed = begin(StartOptions::default())?;
    let manifests = project("deploy/pintle.yaml");
    let said = testbed.kubectl(&["apply", "-f", &manifests])?;
    let warnings: Vec<&str> = said
        .stderr
        .lines()
        .filter(|line| !line.contains("last-applied-configuration"))
        .collect();
    assert_eq!(warnings, Vec::<&str>::new(), "the API server warns");
    said.successful()?;
    let rollout = [
        "rollout",
        "status",
        "deployment/pintle",
        "-n",
        NAMESPACE,
        "--timeout=60s",
    ];
    testbed.kubectl(&rollout)?.successful()?;
    Ok(())
}

/// A running `pintle run`; ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to end.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Runs the program as the chart's Deployment does, with the account's own token.
    fn start(testbed: &Testbed) -> Result<Self> {
        let token = [
            "create",
            "token",
            "pintle",
            "-n",
            NAMESPACE,
            "--duration=1h",
        ];
        let token = testbed.kubectl(&token)?.successful()?;
        let kubeconfig = testbed.dir().join("account.kubeconfig");
        fs::copy(testbed.kubeconfig(), &kubeconfig).context("copy the kubeconfig")?;
        let path = kubeconfig.display().to_string();
        let token = format!("--token={}", token.trim());
        let config = ["config", "--kubeconfig", path.as_str()];
        testbed
            .kubectl(&[&config[..], &["set-credentials", "account", &token]].concat())?
            .successful()?;
        let context = ["set-context", "--current", "--user=account"];
        testbed
            .kubectl(&[&config[..], &context].concat())?
            .successful()?;
        let log = fs::File::create(testbed.dir().join("pintle.log"))?;
        // Under the supervisor it dies with this process, whatever becomes of it.
        let child = Command::new(testbed::program("supervisor")?)
            .arg("exec")
            .arg(env!("CARGO_BIN_EXE_pintle"))
            .args([
                "run",
                "--metrics-addr=127.0.0.1:0",
                "--allow-insecure-sources",
            ])
            .arg(format!(
                "--cache-dir={}",
                testbed.dir().join("charts-cache").display()
            ))
            .env_clear()
            .env("KUBECONFIG", &kubeconfig)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .context("start pintle run")?;
        Ok(Self(child))
    }
}

/// Packages a sample chart and pushes it to the testbed's registry.
fn publish(testbed: &Testbed, chart: &str, version: &str) -> Result<()> {
    let to = testbed.charts_folder().display().to_string();
    let folder = project(&format!("examples/charts/{chart}"));
    testbed
        .helm(&["package", &folder, "--version", version, "-d", &to])?
        .successful()?;
    let archive = format!("{to}/{chart}-{version}.tgz");
    let registry = format!("oci://{}/charts", testbed.registry());
    testbed
        .helm(&["push", &archive, &registry, "--plain-http"])?
        .successful()?;
    Ok(())
}

/// Waits until a `NAMESPACE/NAME` is Ready; else says why it is not.
fn await_ready(testbed: &Testbed, release: &str) -> Result<()> {
    let (namespace, name) = release
        .split_once('/')
        .context("a release is NAMESPACE/NAME")?;
    let wait = [
        "wait",
        "helmrelease",
        name,
        "-n",
        namespace,
        "--for=condition=Ready",
        "--timeout=90s",
    ];
    let ready = testbed.kubectl(&wait)?.successful();
    ready.with_context(|| {
        let message = "jsonpath={.status.conditions[?(@.type==\"Ready\")].message}";
        let message =
            testbed.kubectl(&["get", "helmrelease", name, "-n", namespace, "-o", message]);
        format!("{release} is not ready: {message:?}")
    })?;
    Ok(())
}

/// Every example, as the demo and a reader of examples/README.md apply them.
#[test]
fn the_examples_run_with_the_rights_of_scope_aggregate() -> Result<()> {
    let testbed = begin(StartOptions { audit: true })?;
    helm(&testbed, "install", "rbac.scope=aggregate")?;
    for (chart, version) in [("hello", "1.0.0"), ("hello", "1.1.0"), ("shop", "1.4.2")] {
        publish(&testbed, chart, version)?;
    }
    let _program = Program::start(&testbed)?;
    let ours = format!(
        "repo: oci://{}/charts\n  insecure: true",
        testbed.registry()
    );
    for file in ["hello", "hello-staging", "shop"] {
        let manifest = fs::read_to_string(project(&format!("examples/{file}.yaml")))?;
        let manifest = manifest.replace("repo: oci://registry.example.com/charts", &ours);
        testbed
            .kubectl_with_input(&["apply", "-f", "-"], &manifest)?
            .successful()?;
    }
    for release in ["default/hello", "default/hello-staging", "shop/shop"] {
        await_ready(&testbed, release)?;
    }
    let settings = ["get", "configmap/shop", "-n", "shop", "-o"];
    let currency = [
        &settings[..],
        &["jsonpath={.data.SHOP_CURRENCY} {.data.SHOP_TITLE}"],
    ]
    .concat();
    assert_eq!(testbed.kubectl(&currency)?.successful()?, "EUR Pintle Shop");

    // Drift is seen by watches, which these rights have to allow.
    testbed
        .kubectl(&["delete", "deployment/shop", "-n", "shop"])?
        .successful()?;
    let available = [
        "get",
        "deployment/shop",
        "-n",
        "shop",
        "--ignore-not-found",
        "-o",
    ];
    let available = [&available[..], &["jsonpath={.status.availableReplicas}"]].concat();
    until(&testbed, &available, "1")?;

    testbed
        .kubectl(&["delete", "helmrelease/hello-staging", "--timeout=60s"])?
        .successful()?;
    let kept = ["history", "hello-staging", "-n", "staging"];
    assert!(testbed.helm(&kept)?.successful()?.contains("uninstalled"));

    let requests = testbed.requests_by("pintle")?;
    assert!(requests.len() > 20, "{requests:?}");
    let refused: Vec<_> = requests
        .iter()
        .filter(|request| request.status == 403)
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
    Ok(())
}
