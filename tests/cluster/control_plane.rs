//! The testbed itself: what every other test here relies on.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::testbed::{StartOptions, Testbed};

/// Each test has a namespace of its own on the shared testbed.
fn namespace(testbed: &Testbed, name: &str) -> Result<()> {
    testbed
        .kubectl(&["create", "namespace", name])?
        .successful()?;
    Ok(())
}

fn field(testbed: &Testbed, namespace: &str, object: &str, path: &str) -> Result<String> {
    let output = format!("jsonpath={path}");
    testbed
        .kubectl(&["get", object, "-n", namespace, "-o", &output])?
        .successful()
}

fn created_chart(testbed: &Testbed, name: &str) -> Result<String> {
    let path = testbed.dir().join(name).display().to_string();
    testbed.helm(&["create", &path])?.successful()?;
    Ok(path)
}

#[test]
fn a_chart_is_installed_ready_pushed_and_installed_from_the_registry() -> Result<()> {
    let testbed = Testbed::shared();
    namespace(testbed, "charts")?;
    let chart = created_chart(testbed, "web")?;
    let wait = ["-n", "charts", "--wait", "--timeout", "60s"];
    testbed
        .helm(&[&["install", "from-folder", &chart], &wait[..]].concat())?
        .successful()?;

    let folder = testbed.charts_folder().display().to_string();
    testbed
        .helm(&["package", &chart, "-d", &folder])?
        .successful()?;
    let archive = format!("{folder}/web-0.1.0.tgz");
    let registry = format!("oci://{}/charts", testbed.registry());
    testbed
        .helm(&["push", &archive, &registry, "--plain-http"])?
        .successful()?;
    let chart = format!("{registry}/web");
    let from_registry = [
        "install",
        "from-registry",
        &chart,
        "--plain-http",
        "--version",
        "0.1.0",
    ];
    testbed
        .helm(&[&from_registry[..], &wait[..]].concat())?
        .successful()?;

    testbed.helm(&["repo", "index", &folder])?.successful()?;
    let from_repository = [
        "install",
        "from-repository",
        "web",
        "--repo",
        testbed.charts_url(),
        "-n",
        "charts",
    ];
    testbed
        .helm3(&[&from_repository[..], &["--wait"]].concat())?
        .successful()?;

    let list = ["list", "-n", "charts", "-o", "json"];
    for list in [testbed.helm(&list)?, testbed.helm3(&list)?] {
        let list: Value = serde_json::from_str(&list.successful()?)?;
        let releases = list.as_array().context("helm list prints an array")?;
        assert_eq!(releases.len(), 3, "{list}");
        assert!(
            releases
                .iter()
                .all(|release| release["status"] == "deployed"),
            "{list}"
        );
    }
    Ok(())
}

#[test]
fn the_programs_report_their_versions() -> Result<()> {
    let testbed = Testbed::shared();
    let short = ["version", "--template", "{{.Version}}"];
    assert_eq!(testbed.helm(&short)?.successful()?, "v4.3.1");
    assert_eq!(testbed.helm3(&short)?.successful()?, "v3.22.0");
    let versions = testbed.kubectl(&["version", "-o", "json"])?.successful()?;
    let versions: Value = serde_json::from_str(&versions)?;
    assert_eq!(versions["serverVersion"]["gitVersion"], "v1.36.3");
    assert_eq!(versions["clientVersion"]["gitVersion"], "v1.36.3");
    Ok(())
}

const PODS: &str = r"
apiVersion: batch/v1
kind: Job
metadata: {name: succeeds}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: main, image: none}]}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: fails}
spec:
  backoffLimit: 0
  template:
    metadata: {annotations: {testbed.pintle.dev/outcome: fail}}
    spec: {restartPolicy: Never, containers: [{name: main, image: none}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: takes-two-seconds}
spec:
  template:
    metadata: {annotations: {testbed.pintle.dev/delay: 2s}}
    spec: {restartPolicy: OnFailure, containers: [{name: main, image: none}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: never-ends}
spec:
  template:
    metadata: {annotations: {testbed.pintle.dev/outcome: never}}
    spec: {restartPolicy: Never, containers: [{name: main, image: none}]}
---
apiVersion: v1
kind: Pod
metadata: {name: is-never-ready, annotations: {testbed.pintle.dev/outcome: never}}
spec: {containers: [{name: main, image: none}]}
---
apiVersion: v1
kind: Pod
metadata: {name: crashes, annotations: {testbed.pintle.dev/outcome: fail}}
spec: {containers: [{name: main, image: none}]}
---
apiVersion: v1
kind: Pod
metadata: {name: is-slow, annotations: {testbed.pintle.dev/delay: 5s}}
spec: {containers: [{name: main, image: none}]}
";

#[test]
fn pods_do_what_their_annotations_say() -> Result<()> {
    let testbed = Testbed::shared();
    namespace(testbed, "pods")?;
    testbed
        .kubectl_with_input(&["apply", "-n", "pods", "-f", "-"], PODS)?
        .successful()?;
    let await_that = |object: &str, condition: &str| {
        let condition = format!("--for={condition}");
        let wait = ["wait", object, &condition, "-n", "pods", "--timeout=30s"];
        testbed.kubectl(&wait)?.successful()
    };
    let ready = r#"{.status.conditions[?(@.type=="Ready")].status}"#;
    assert_ne!(
        field(testbed, "pods", "pod/is-slow", ready)?,
        "True",
        "before its delay"
    );
    await_that("job/succeeds", "condition=Complete")?;
    await_that("job/fails", "condition=Failed")?;
    let crash_loop =
        "jsonpath={.status.containerStatuses[0].state.waiting.reason}=CrashLoopBackOff";
    await_that("pod/crashes", crash_loop)?;
    await_that("pod/is-never-ready", "jsonpath={.status.phase}=Running")?;
    await_that("pod/is-slow", "condition=Ready")?;
    await_that("job/takes-two-seconds", "condition=Complete")?;
    assert_eq!(
        field(testbed, "pods", "pod/is-never-ready", ready)?,
        "False"
    );
    assert_eq!(
        field(testbed, "pods", "job/never-ends", "{.status.active}")?,
        "1"
    );
    // A pod changes its ways when its annotation does.
    let annotate = ["annotate", "--overwrite", "-n", "pods"];
    let pods = [
        "pod/crashes",
        "pod/is-never-ready",
        "testbed.pintle.dev/outcome=ready",
    ];
    testbed
        .kubectl(&[&annotate[..], &pods].concat())?
        .successful()?;
    await_that("pod/is-never-ready", "condition=Ready")?;
    await_that("pod/crashes", "condition=Ready")?;
    let log = testbed
        .kubectl(&["logs", "-n", "pods", "job/fails"])?
        .successful()?;
    assert!(log.contains("the container's last line"), "{log}");
    Ok(())
}

const VOLUMES: &str = r"
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: store
  replicas: 2
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec:
      initContainers: [{name: prepare, image: none}]
      containers: [{name: main, image: none, volumeMounts: [{name: data, mountPath: /data}]}]
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Service
metadata: {name: store}
spec: {type: LoadBalancer, selector: {app: store}, ports: [{port: 80}]}
";

#[test]
fn claims_are_bound_and_load_balancers_get_an_address() -> Result<()> {
    let testbed = Testbed::shared();
    namespace(testbed, "volumes")?;
    testbed
        .kubectl_with_input(&["apply", "-n", "volumes", "-f", "-"], VOLUMES)?
        .successful()?;
    let rollout = [
        "rollout",
        "status",
        "statefulset/store",
        "-n",
        "volumes",
        "--timeout=30s",
    ];
    testbed.kubectl(&rollout)?.successful()?;
    assert_eq!(
        field(testbed, "volumes", "pvc/data-store-1", "{.status.phase}")?,
        "Bound"
    );
    let address = "jsonpath={.status.loadBalancer.ingress[0].ip}=203.0.113.1";
    let address = format!("--for={address}");
    let wait = [
        "wait",
        "service/store",
        &address,
        "-n",
        "volumes",
        "--timeout=10s",
    ];
    testbed.kubectl(&wait)?.successful()?;

    // Everything goes again, the volumes included.
    let volume = field(testbed, "volumes", "pvc/data-store-1", "{.spec.volumeName}")?;
    testbed
        .kubectl(&["delete", "namespace", "volumes", "--timeout=30s"])?
        .successful()?;
    let gone = format!("persistentvolume/{volume}");
    testbed
        .kubectl(&["wait", &gone, "--for=delete", "--timeout=10s"])?
        .successful()?;
    Ok(())
}

#[test]
fn requests_are_counted_and_components_come_and_go() -> Result<()> {
    let testbed = Testbed::start_with(StartOptions { audit: true })?;
    testbed
        .kubectl(&["get", "configmaps", "-n", "kube-system"])?
        .successful()?;
    let requests = testbed.requests_by("kubectl/")?;
    let lists = requests
        .iter()
        .filter(|request| request.uri.contains("/configmaps?"))
        .count();
    assert_eq!(lists, 1, "{requests:?}");
    assert_eq!(testbed.requests_by("no such client")?, []);

    testbed.stop("registry")?;
    let chart = created_chart(&testbed, "web")?;
    let folder = testbed.charts_folder().display().to_string();
    testbed
        .helm(&["package", &chart, "-d", &folder])?
        .successful()?;
    let archive = format!("{folder}/web-0.1.0.tgz");
    let registry = format!("oci://{}/charts", testbed.registry());
    let push = ["push", &archive, &registry, "--plain-http"];
    let refusal = testbed.helm(&push)?.refused()?;
    assert!(refusal.contains("connection refused"), "{refusal}");
    testbed.resume("registry")?;
    testbed.helm(&push)?.successful()?;

    testbed.stop("etcd")?;
    testbed.resume("etcd")?;
    testbed.stop("kube-apiserver")?;
    testbed.kubectl(&["get", "nodes"])?.refused()?;
    testbed.resume("kube-apiserver")?;
    testbed
        .helm(&["install", "web", &chart, "--wait", "--timeout", "60s"])?
        .successful()?;
    assert!(testbed.stop("nonsense").is_err());
    Ok(())
}
