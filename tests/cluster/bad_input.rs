//! Bad input ends in a condition with its own reason and a message that names the culprit. It
//! leaves the last good revision, and every other release, alone.

use anyhow::Result;

use crate::stage::Stage;

#[test]
fn kubectl_refuses_what_the_definition_forbids_with_a_sentence() -> Result<()> {
    let space = Stage::shared().namespace("refused")?;
    for (spec, sentence) in [
        (
            "version: ^1.2",
            "version must be one exact version such as 1.4.2",
        ),
        (
            "version: latest",
            "version must be one exact version such as 1.4.2",
        ),
        (
            "version: ''",
            "version must be one exact version such as 1.4.2",
        ),
        (
            "repo: ftp://charts.example.com",
            "repo must begin with oci://, https:// or git+https://",
        ),
        (
            "digest: sha256:abc",
            "digest must be sha256: followed by 64 hexadecimal digits",
        ),
        (
            "timeout: 5 minutes",
            "write a duration such as 90s, 5m or 1h30m",
        ),
        ("name: team/web", "name is the chart's name alone"),
        (
            "auth: {serviceAccountName: a, provider: Aws}",
            "auth takes exactly one of secretRef, serviceAccountName and provider",
        ),
        ("auth: {passCredentials: true}", "auth takes exactly one of"),
        ("tls: {}", "tls takes secretRef, serverName or both"),
        (
            "verify: {provider: cosign}",
            "verify takes exactly one of secretRef, for public keys, and trustRoot, for identities",
        ),
        (
            "verify: {provider: cosign, trustRoot: {configMapRef: {name: a}}}",
            "a signature by anybody at all proves nothing",
        ),
        (
            "verify: {provider: pgp, trustRoot: {configMapRef: {name: a}}, identities: [{issuer: a, subject: b}]}",
            "trustRoot is for cosign",
        ),
        (
            "verify: {provider: cosign, trustRoot: {}, identities: [{issuer: a, subject: b}]}",
            "trustRoot takes exactly one of secretRef and configMapRef",
        ),
        (
            "verify: {provider: cosign, trustRoot: {secretRef: {name: a}}, identities: [{subject: b}]}",
            "a subject alone can be anybody's",
        ),
        (
            "verify: {provider: cosign, trustRoot: {secretRef: {name: a}}, identities: [{issuer: a, subject: b, subjectRegExp: c}]}",
            "an identity takes exactly one of subject and subjectRegExp",
        ),
        ("approval: Manual", "unknown field \"spec.approval\""),
        (
            "repo: git+https://git.example.com/shop",
            "a chart in git needs `commit`",
        ),
        (
            "repo: git+https://git.example.com/shop\ncommit: main",
            "commit must be the whole id of one commit",
        ),
        (
            "repo: git+ssh://git@git.example.com/shop",
            "git+ssh:// is not supported",
        ),
        ("path: charts/web", "commit and path are for charts in git"),
        (
            "repo: git+https://git.example.com/shop\npath: ../shop",
            "path is the chart's folder below the root of the repository",
        ),
        (
            "repo: git+https://git.example.com/shop\nverify: {provider: pgp, secretRef: {name: a}}",
            "there is no signature to verify in git",
        ),
    ] {
        let said = space.refused(&space.release("shop", spec))?;
        assert!(said.contains(sentence), "{spec}: {said}");
    }
    space.apply(&space.release("shop", ""))?;
    let said = space.refused(&space.release("shop", "releaseName: other"))?;
    assert!(said.contains("releaseName cannot be changed"), "{said}");
    Ok(())
}

#[test]
fn a_chart_that_cannot_be_had_is_named() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("no-chart")?;
    let nobody = "repo: oci://127.0.0.1:9/charts";
    let wrong = format!("digest: sha256:{}", "0".repeat(64));
    let url = format!("repo: {}", stage.testbed.charts_url());
    for (name, spec, reason, words) in [
        ("unknown", "name: nothing", "SourceNotFound", "nothing"),
        (
            "unknown-http",
            &*format!("{url}\nname: nothing"),
            "SourceNotFound",
            "nothing",
        ),
        ("version", "version: 9.9.9", "SourceNotFound", "9.9.9"),
        ("digest", &*wrong, "DigestMismatch", "sha256:000000"),
        ("down", nobody, "SourceUnavailable", "127.0.0.1:9"),
    ] {
        space.apply(&space.release(name, spec))?;
        let release = space.failed(name, reason)?;
        let message = space.message(&release, "Ready");
        assert!(message.contains(words), "{name}: {message}");
        assert_eq!(
            release["status"]["history"].as_array().map_or(0, Vec::len),
            0,
            "{name} left a trace"
        );
    }
    Ok(())
}

#[test]
fn a_broken_archive_is_named() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("broken-archive")?;
    let folder = stage.testbed.charts_folder().join("broken");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("web-1.0.0.tgz"), b"\x1f\x8b this is no archive")?;
    std::fs::write(
        folder.join("index.yaml"),
        "apiVersion: v1\nentries:\n  web:\n  - {name: web, version: 1.0.0, urls: [web-1.0.0.tgz]}\n",
    )?;
    let url = format!("repo: {}/broken", stage.testbed.charts_url());
    space.apply(&space.release("shop", &url))?;
    let release = space.failed("shop", "ArtifactFailed")?;
    assert!(space.message(&release, "Ready").contains("web 1.0.0"));
    Ok(())
}

#[test]
fn a_bad_change_leaves_the_last_good_revision_and_the_neighbours_alone() -> Result<()> {
    let space = Stage::shared().namespace("bad-change")?;
    for name in ["template", "schema", "refused", "neighbour"] {
        space.apply(&space.release(name, ""))?;
    }
    for name in ["template", "schema", "refused", "neighbour"] {
        space.ready(name)?;
    }
    for (name, spec, reason, words) in [
        (
            "template",
            "values: {fail: no such luck}",
            "RenderFailed",
            &["web/templates/refuse.yaml:2:4", "no such luck"][..],
        ),
        (
            "schema",
            "values: {replicas: -1}",
            "ValuesInvalid",
            &["replicas"][..],
        ),
        (
            "refused",
            "retries: 0\natomic: false\nvalues: {broken: true}",
            "RetriesExceeded",
            &["Deployment", "refused", "imagePullPolicy"][..],
        ),
    ] {
        space.apply(&space.release(name, spec))?;
        let release = space.failed(name, reason)?;
        let message = space.message(&release, "Ready");
        for word in words {
            assert!(message.contains(word), "{name}: {message}");
        }
        assert_eq!(
            space.get(&format!("deploy/{name}"))?["status"]["readyReplicas"],
            1,
            "{name}"
        );
        assert_eq!(
            space.get(&format!("cm/{name}-config"))?["data"]["greeting"],
            "hello",
            "{name}"
        );
    }
    space.apply(&space.release("neighbour", "values: {greeting: still here}"))?;
    space.ready("neighbour")?;
    assert_eq!(
        space.get("cm/neighbour-config")?["data"]["greeting"],
        "still here"
    );
    Ok(())
}

#[test]
fn a_namespace_that_is_not_there_is_named_and_made_on_request() -> Result<()> {
    let space = Stage::shared().namespace("elsewhere")?;
    space.apply(&space.release("shop", "targetNamespace: elsewhere-not-there"))?;
    let release = space.failed("shop", "NamespaceNotFound")?;
    assert!(
        space
            .message(&release, "Ready")
            .contains("elsewhere-not-there")
    );
    space.apply(&space.release(
        "shop",
        "targetNamespace: elsewhere-not-there\ncreateNamespace: true",
    ))?;
    space.ready("shop")?;
    let listed = space
        .stage
        .testbed
        .helm(&["list", "-n", "elsewhere-not-there"])?
        .successful()?;
    assert!(listed.contains("shop"), "{listed}");
    Ok(())
}

#[test]
fn an_object_of_somebody_else_is_not_taken() -> Result<()> {
    let space = Stage::shared().namespace("foreign")?;
    space.kubectl(&[
        "create",
        "configmap",
        "shop-config",
        "--from-literal=greeting=mine",
    ])?;
    space.apply(&space.release("shop", ""))?;
    let release = space.failed("shop", "OwnershipConflict")?;
    let message = space.message(&release, "Ready");
    assert!(
        message.contains(
            "ConfigMap \"shop-config\" in namespace \"foreign\" exists and cannot be imported"
        ),
        "{message}"
    );
    assert_eq!(space.get("cm/shop-config")?["data"]["greeting"], "mine");
    assert!(space.get("deploy/shop")?.is_null(), "nothing was touched");
    Ok(())
}

#[test]
fn missing_values_are_named_without_their_contents() -> Result<()> {
    let space = Stage::shared().namespace("missing-values")?;
    space.apply(&space.release("object", "valuesFrom: [{kind: Secret, name: none}]"))?;
    let release = space.failed("object", "ValuesNotFound")?;
    assert!(
        space
            .message(&release, "Ready")
            .contains("Secret none does not exist")
    );
    space.kubectl(&[
        "create",
        "secret",
        "generic",
        "word",
        "--from-literal=values.yaml=secret: [unclosed",
    ])?;
    space.apply(&space.release("yaml", "valuesFrom: [{kind: Secret, name: word}]"))?;
    let release = space.failed("yaml", "ValuesNotFound")?;
    let message = space.message(&release, "Ready");
    assert!(
        message.contains("Secret word") && !message.contains("unclosed"),
        "{message}"
    );
    Ok(())
}
