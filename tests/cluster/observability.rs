//! What an operator sees: metrics, pages, events.

use anyhow::{Context, Result};

use crate::stage::Stage;

/// The body of a page of the controller.
pub(crate) fn page(url: &str) -> Result<String> {
    use std::io::{Read, Write};
    let address = url.strip_prefix("http://").context("an http URL")?;
    let (host, path) = address.split_once('/').context("a path")?;
    let mut stream = std::net::TcpStream::connect(host)?;
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn prometheus_and_the_kubelet_are_told() -> Result<()> {
    let stage = Stage::shared();
    let space = stage.namespace("metrics")?;
    space.apply(&space.release("shop", ""))?;
    space.ready("shop")?;
    let url = &stage.metrics_url;
    let series = r#"planton_helm_release_reconciliation_status{name="shop",namespace="metrics",reason="InstallSucceeded"} 1"#;
    let metrics = page(&format!("{url}/metrics"))?;
    assert!(metrics.contains(series), "{metrics}");
    assert!(page(&format!("{url}/healthz"))?.starts_with("HTTP/1.1 200"));
    assert!(page(&format!("{url}/readyz"))?.starts_with("HTTP/1.1 200"));
    space.kubectl(&["delete", "hr/shop", "--timeout=60s"])?;
    assert!(!page(&format!("{url}/metrics"))?.contains(r#"namespace="metrics""#));
    Ok(())
}

#[test]
fn kubectl_shows_columns_explains_fields_and_tells_of_events() -> Result<()> {
    let space = Stage::shared().namespace("events")?;
    space.apply(&space.release("shop", ""))?;
    space.kubectl(&["wait", "--for=condition=Ready", "hr/shop", "--timeout=60s"])?;
    let columns = space.kubectl(&["get", "hr"])?;
    for word in [
        "NAME",
        "READY",
        "CHART",
        "VERSION",
        "REVISION",
        "STATUS",
        "AGE",
        "web",
        "1.0.0",
        "InstallSucceeded",
    ] {
        assert!(columns.contains(word), "{word}: {columns}");
    }
    let explained = space.kubectl(&["explain", "hr.spec.version"])?;
    assert!(explained.contains("exact version"), "{explained}");
    let events = space.kubectl(&[
        "get",
        "events",
        "--field-selector=involvedObject.kind=HelmRelease",
    ])?;
    assert!(events.contains("InstallSucceeded"), "{events}");
    Ok(())
}
