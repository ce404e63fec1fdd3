//! A HelmRelease becomes a release that helm knows, and is gone when it is deleted.

use anyhow::Result;

use crate::stage::{Stage, condition};

#[test]
fn a_release_from_the_registry_is_ready_and_known_to_helm() -> Result<()> {
    let space = Stage::shared().namespace("install-oci")?;
    space.apply(&space.release("shop", "values: {greeting: good day}"))?;
    let release = space.ready("shop")?;
    assert_eq!(condition(&release, "Ready")["reason"], "InstallSucceeded");
    assert_eq!(condition(&release, "Released")["status"], "True");
    assert!(
        condition(&release, "Reconciling").is_null(),
        "kstatus: present only while true"
    );
    let digest = release["status"]["inputs"]["chart"]
        .as_str()
        .unwrap_or_default();
    assert!(
        digest.starts_with("sha256:") && digest.len() == 71,
        "{digest}"
    );
    assert_eq!(release["status"]["history"][0]["chartVersion"], "1.0.0");
    assert_eq!(
        release["status"]["inventory"]["entries"]
            .as_array()
            .map(Vec::len),
        Some(3)
    );

    let deployment = space.get("deploy/shop")?;
    assert_eq!(
        deployment["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "Helm"
    );
    let annotations = &deployment["metadata"]["annotations"];
    assert_eq!(annotations["meta.helm.sh/release-name"], "shop");
    assert_eq!(annotations["meta.helm.sh/release-namespace"], "install-oci");
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "good day");

    let listed = space.helm(&["list"])?;
    assert!(
        listed.contains("shop") && listed.contains("deployed") && listed.contains("web-1.0.0"),
        "{listed}"
    );
    let status = space.helm(&["status", "shop"])?;
    assert!(
        status.contains("STATUS: deployed") && status.contains("shop says good day."),
        "{status}"
    );
    let all = space.helm(&["get", "all", "shop"])?;
    assert!(
        all.contains("greeting: good day") && all.contains("kind: Deployment"),
        "{all}"
    );
    let history = space.helm(&["history", "shop"])?;
    assert!(history.contains("Install complete"), "{history}");
    Ok(())
}

#[test]
fn a_release_from_an_http_repository_is_the_same() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("install-http")?;
    let url = stage.testbed.charts_url();
    space.apply(&space.release("shop", &format!("repo: {url}\nname: web\nversion: 1.1.0")))?;
    let release = space.ready("shop")?;
    assert_eq!(release["status"]["history"][0]["chartVersion"], "1.1.0");
    assert!(space.helm(&["list"])?.contains("web-1.1.0"));
    Ok(())
}

#[test]
fn a_deleted_resource_takes_its_release_with_it() -> Result<()> {
    let space = Stage::shared().namespace("uninstall")?;
    space.apply(&space.release("shop", ""))?;
    space.ready("shop")?;
    space.kubectl(&["delete", "hr/shop", "--timeout=60s"])?;
    assert!(space.get("deploy/shop")?.is_null());
    assert!(space.get("svc/shop")?.is_null());
    assert!(!space.helm(&["list"])?.contains("shop"));
    let secrets = space.kubectl(&["get", "secrets", "-l", "owner=helm", "-o", "name"])?;
    assert_eq!(secrets, "");
    Ok(())
}

#[test]
fn an_orphaned_release_stays_with_helm() -> Result<()> {
    let space = Stage::shared().namespace("orphan")?;
    space.apply(&space.release("shop", "deletion: {policy: Orphan}"))?;
    space.ready("shop")?;
    space.kubectl(&["delete", "hr/shop", "--timeout=60s"])?;
    assert!(!space.get("deploy/shop")?.is_null());
    assert!(space.helm(&["list"])?.contains("shop"));
    space.helm(&["uninstall", "shop", "--wait"])?;
    assert!(space.get("deploy/shop")?.is_null());
    Ok(())
}

#[test]
fn values_come_from_secrets_and_config_maps_below_the_specs_own() -> Result<()> {
    let space = Stage::shared().namespace("values-from")?;
    space.kubectl(&[
        "create",
        "configmap",
        "base",
        "--from-literal=values.yaml={replicas: 2, greeting: from the map}",
    ])?;
    space.kubectl(&[
        "create",
        "secret",
        "generic",
        "word",
        "--from-literal=word=from, the=secret",
    ])?;
    let spec = "values: {extra: true}\nvaluesFrom:\n- {kind: ConfigMap, name: base}\n- {kind: Secret, name: word, key: word, targetPath: greeting}\n- {kind: Secret, name: none, optional: true}";
    space.apply(&space.release("shop", spec))?;
    let release = space.ready("shop")?;
    assert_eq!(
        space.get("cm/shop-config")?["data"]["greeting"],
        "from, the=secret"
    );
    assert_eq!(space.get("deploy/shop")?["spec"]["replicas"], 2);
    assert_eq!(space.get("cm/shop-extra")?["data"]["extra"], "yes");
    assert!(
        !release.to_string().contains("the=secret"),
        "a value stands in the resource: {release:#}"
    );
    Ok(())
}

#[test]
fn hooks_run_at_their_time_and_stay_by_default() -> Result<()> {
    let space = Stage::shared().namespace("hooks")?;
    space.apply(&space.release("shop", "values: {hook: pre-install}"))?;
    space.ready("shop")?;
    let job = space.get("job/shop-pre-install")?;
    assert_eq!(job["status"]["succeeded"], 1);
    let made = |object: &serde_json::Value| {
        object["metadata"]["creationTimestamp"]
            .as_str()
            .map(str::to_owned)
    };
    assert!(made(&job) <= made(&space.get("deploy/shop")?));
    let hooks = space.helm(&["get", "hooks", "shop"])?;
    assert!(hooks.contains("shop-pre-install"), "{hooks}");
    Ok(())
}
