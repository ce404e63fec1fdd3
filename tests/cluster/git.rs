//! A chart that lies in a repository of git, which git itself makes and serves.
//!
//! Where there is no git, this test says so and passes.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use serde_json::Value;

use crate::stage::{Stage, chart_folder};

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=tests",
            "-c",
            "user.email=tests@example.com",
        ])
        .args(arguments)
        .current_dir(folder)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {arguments:?}: {said}");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Commits all there is.
fn commit(folder: &Path) -> Result<String> {
    git(folder, &["add", "--all"])?;
    git(folder, &["commit", "-q", "-m", "more"])?;
    git(folder, &["rev-parse", "HEAD"])
}

/// One request to git's own server, a program that speaks CGI.
async fn backend(State(root): State<PathBuf>, request: Request) -> Response<axum::body::Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20)
        .await
        .unwrap_or_default();
    let header = |name: &str| {
        let value = head.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let run = || -> Result<Vec<u8>> {
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &root)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_PROTOCOL", header("git-protocol"))
            .env("REQUEST_METHOD", head.method.as_str())
            .env("PATH_INFO", head.uri.path())
            .env("QUERY_STRING", head.uri.query().unwrap_or_default())
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", body.len().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        child.stdin.take().context("no input")?.write_all(&body)?;
        Ok(child.wait_with_output()?.stdout)
    };
    let said = run().unwrap_or_default();
    let end = said.windows(4).position(|four| four == b"\r\n\r\n");
    let (fields, body) = said.split_at(end.unwrap_or(0));
    let fields = String::from_utf8_lossy(fields);
    let field = |name: &str| fields.lines().find_map(|line| line.strip_prefix(name));
    let status = field("Status: ").and_then(|status| status[..3].parse().ok());
    let body = Bytes::copy_from_slice(body.get(4..).unwrap_or_default());
    let mut response = Response::new(body.into());
    *response.status_mut() = status.unwrap_or(StatusCode::OK);
    if let Some(Ok(value)) = field("Content-Type: ").map(str::parse) {
        response.headers_mut().insert("content-type", value);
    }
    response
}

/// Serves the repositories below a folder for as long as the process lives.
fn serve(root: PathBuf) -> Result<String> {
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("git+http://{}", listener.local_addr()?);
    std::thread::spawn(move || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let router = Router::new().fallback(backend).with_state(root);
            Ok(axum::serve(listener, router).await?)
        })
    });
    Ok(url)
}

#[test]
fn a_chart_is_installed_from_a_commit() -> Result<()> {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("skipped: there is no git");
        return Ok(());
    }
    let stage = Stage::shared();
    let space = stage.namespace("git")?;
    let root = stage.testbed.dir().join("git");
    let folder = root.join("team");
    std::fs::create_dir_all(&root)?;
    git(&root, &["init", "-q", "team"])?;
    git(&folder, &["config", "uploadpack.allowFilter", "true"])?;
    let chart = folder.join("charts/web");
    crate::source::copy(&chart_folder("web"), &chart)?;
    let metadata = std::fs::read_to_string(chart.join("Chart.yaml"))?;
    let version = metadata
        .lines()
        .find_map(|line| line.strip_prefix("version: "));
    let version = version.context("the chart has a version")?;
    let first = commit(&folder)?;
    let values = std::fs::read_to_string(chart.join("values.yaml"))?;
    let changed = values.replace("greeting: hello", "greeting: bye");
    ensure!(changed != values, "{values}");
    std::fs::write(chart.join("values.yaml"), changed)?;
    let second = commit(&folder)?;
    let url = serve(root)?;
    let release = |commit: &str| {
        let place = format!("repo: {url}/team\npath: charts/web\ncommit: {commit}");
        space.release("shop", &format!("{place}\nname: web\nversion: {version}"))
    };
    let greeting =
        || -> Result<Value> { Ok(space.get("cm/shop-config")?["data"]["greeting"].clone()) };

    // What is no tip is installed as well, and the next commit is an upgrade of the same version.
    for (revision, (commit, expected)) in [(&first, "hello"), (&second, "bye")].iter().enumerate() {
        space.apply(&release(commit))?;
        let ready = space.ready("shop")?;
        let source = &ready["status"]["source"];
        assert_eq!(source["repo"], format!("{url}/team"));
        assert_eq!(source["commit"], commit.as_str());
        assert_eq!(source["path"], "charts/web");
        assert_eq!(source["digest"], ready["status"]["inputs"]["chart"]);
        assert_eq!(greeting()?, *expected);
        let revision = revision + 1;
        let record = space.get(&format!("secret/sh.helm.release.v1.shop.v{revision}"))?;
        let noted = record["metadata"]["annotations"]["helm.pintle.dev/source"].as_str();
        let noted: Value = serde_json::from_str(noted.unwrap_or_default())?;
        assert_eq!(&noted, source, "the record tells it, too");
        let listed = space.helm(&["list"])?;
        assert!(listed.contains(&format!("web-{version}")), "{listed}");
        let from_disk = ["template", "shop", chart.to_str().unwrap_or_default()];
        let ours = space.helm(&["get", "manifest", "shop"])?;
        if *commit == &second {
            assert_eq!(ours.trim(), space.helm(&from_disk)?.trim());
        }
    }

    let none = "a".repeat(40);
    space.apply(&release(&none))?;
    let failed = space.until("hr/shop", |release| {
        release.to_string().contains("does not have the commit")
    })?;
    assert_eq!(failed["status"]["source"]["commit"], second.as_str());
    let wrong = release(&second).replace(&format!("version: {version}"), "version: 9.9.9");
    space.apply(&wrong)?;
    let failed = space.failed("shop", "ArtifactFailed")?;
    let message = space.message(&failed, "Ready");
    let sentence = format!("the version in its Chart.yaml is {version:?}, and not \"9.9.9\"");
    assert!(message.contains(&sentence), "{message}");
    assert_eq!(greeting()?, "bye");
    Ok(())
}
