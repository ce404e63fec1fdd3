//! `pintle template --dry-run=server` beside helm's, on one control plane: what the cluster tells of
//! itself, what templates look up, and which objects it does not let pass.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::testbed::Testbed;

/// A chart with one template.
fn chart(folder: &Path, name: &str, template: &str) -> Result<()> {
    let folder = folder.join(name);
    fs::create_dir_all(folder.join("templates"))?;
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: 0.1.0\n");
    fs::write(folder.join("Chart.yaml"), metadata)?;
    fs::write(folder.join("templates/all.yaml"), template)?;
    Ok(())
}

const ASKS: &str = r#"apiVersion: v1
kind: ConfigMap
metadata: {name: asks}
data:
  version: {{ .Capabilities.KubeVersion.Version | quote }}
  numbers: {{ printf "%s.%s" .Capabilities.KubeVersion.Major .Capabilities.KubeVersion.Minor | quote }}
  deployments: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
  unknown: {{ .Capabilities.APIVersions.Has "unknown.example.com/v1" | quote }}
  namespace: {{ .Release.Namespace | quote }}
  here: {{ (lookup "v1" "ConfigMap" "server" "here").data | toJson | quote }}
  missing: {{ lookup "v1" "ConfigMap" "server" "missing" | toJson | quote }}
  default: {{ (lookup "v1" "Namespace" "" "default").metadata.name | quote }}
  all: {{ range (lookup "v1" "ConfigMap" "server" "").items }}{{ .metadata.name }} {{ end }}
"#;

const UNKNOWN: &str = "apiVersion: unknown.example.com/v1\nkind: Strange\nmetadata: {name: one}\n";

const SEVERAL: &str = "apiVersion: unknown.example.com/v1\nkind: Strange\nmetadata: {name: one}\n---\n\
    apiVersion: v1\nkind: Stranger\nmetadata: {name: two, namespace: there}\n";

/// A group that the cluster serves, and one that it does not.
const UNSERVED_KIND: &str = "found: {{ lookup \"apps/v1\" \"Strange\" \"\" \"\" | toJson }}\n";
const UNSERVED: &str =
    "found: {{ lookup \"strange.example.com/v1\" \"Strange\" \"\" \"x\" | toJson }}\n";
const UNSERVED_CORE: &str = "found: {{ lookup \"v7\" \"Pod\" \"\" \"x\" | toJson }}\n";

const WRONG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: wrong}\nstrange: 1\ndata: [1]\n";

const TAKEN: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: here}\n";

const LISTED: &str = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  \
    metadata: {name: here}\n";

const CRD: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n\
    metadata: {name: things.example.com}\n";

#[test]
fn a_cluster_is_asked_as_helm_asks_it() -> Result<()> {
    let testbed = Testbed::shared();
    testbed
        .kubectl(&["create", "namespace", "server"])?
        .successful()?;
    let create = ["create", "configmap", "here", "-n", "server"];
    testbed
        .kubectl(&[&create[..], &["--from-literal=a=b"]].concat())?
        .successful()?;
    let folder = tempfile::tempdir()?;
    chart(folder.path(), "asks", ASKS)?;
    chart(folder.path(), "unknown", UNKNOWN)?;
    chart(folder.path(), "several", SEVERAL)?;
    chart(folder.path(), "unserved-kind", UNSERVED_KIND)?;
    chart(folder.path(), "unserved", UNSERVED)?;
    chart(folder.path(), "unserved-core", UNSERVED_CORE)?;
    chart(folder.path(), "wrong", WRONG)?;
    chart(
        folder.path(),
        "untyped",
        "a: 1\n---\nkind: B\n---\napiVersion: v1\n",
    )?;
    chart(
        folder.path(),
        "unnamed",
        "apiVersion: v1\nkind: ConfigMap\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x}\n",
    )?;
    let half =
        "apiVersion: strange.example.com/v1\nkind: Strange\n---\napiVersion: v1\n---\nkind: A\n";
    chart(folder.path(), "half-typed", half)?;
    let both = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, generateName: x}\n";
    chart(folder.path(), "both-named", both)?;
    chart(folder.path(), "listed", LISTED)?;
    chart(folder.path(), "taken", TAKEN)?;
    chart(folder.path(), "defines", TAKEN)?;
    fs::create_dir_all(folder.path().join("defines/crds"))?;
    fs::write(folder.path().join("defines/crds/thing.yaml"), CRD)?;
    let lines = "x asks -n server --dry-run=server
        x asks -n server --validate
        x asks --dry-run=server
        x asks -n server --dry-run=server --kube-version 1.20 --api-versions unknown.example.com/v1
        x asks -n server --dry-run=client
        x unknown -n server --dry-run=server
        x several -n server --dry-run=server
        x unknown -n server --dry-run=server --disable-openapi-validation
        x unserved-kind --dry-run=server --output-dir out
        x unserved --dry-run=server
        x unserved-core --dry-run=server
        x wrong -n server --dry-run=server
        x untyped -n server --dry-run=server
        x half-typed -n server --dry-run=server
        x unnamed -n server --dry-run=server
        x both-named -n server --dry-run=server
        x listed -n server --dry-run=server
        x taken -n server --dry-run=server
        x taken -n server --dry-run=server --is-upgrade
        x taken -n server --dry-run=server --take-ownership
        x taken -n nowhere --dry-run=server
        x defines -n other --dry-run=server
        x defines -n other --dry-run=server --include-crds
        x defines -n other --dry-run=server --skip-crds
        x asks -n server --dry-run=server --kube-context nobody
        x asks -n server --dry-run=server --kube-token wrong --kube-insecure-skip-tls-verify
        x asks -n server --dry-run=server --kube-as-user nobody";
    let mut differences = Vec::new();
    for line in lines.lines().map(str::trim) {
        let run = |mut command: Command| -> Result<(Option<i32>, String, String)> {
            let answer = command
                .arg("template")
                .args(line.split_whitespace())
                .current_dir(folder.path())
                .output()
                .context("run it")?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let (stdout, stderr) = (text(&answer.stdout), text(&answer.stderr));
            Ok((answer.status.code(), stdout, stderr))
        };
        let mut ours = Command::new(env!("CARGO_BIN_EXE_pintle"));
        ours.env_clear()
            .env("HOME", folder.path())
            .env("KUBECONFIG", testbed.kubeconfig());
        let (helm, here) = (run(testbed.command("helm")?)?, run(ours)?);
        if helm != here {
            differences.push(format!("{line}\n  helm {helm:#?}\n  here {here:#?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    Ok(())
}
