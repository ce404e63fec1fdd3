//! The controller, in this very process: what `pintle run` does, without its command line.
//!
//! In: a client, a folder for charts. Out: the address of its pages, and its end. Never: a second
//! way to run it; all is the library's.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use kube::Client;
use pintle::controller::{self, Holder, Settings};
use pintle::source::{Sources, SourcesConfig};
use pintle::telemetry::{self, Metrics, Readiness};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::observe::within;

/// The running controller.
pub(crate) struct Controller {
    /// Where /metrics, /healthz and /readyz are.
    pub(crate) url: String,
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<()>>,
}

impl Controller {
    /// Begins, and returns when all HelmReleases are listed.
    pub(crate) async fn begin(client: Client, cache: PathBuf) -> Result<Self> {
        // The testbed's registry speaks plain HTTP.
        let config = SourcesConfig {
            allow_insecure: true,
            ..SourcesConfig::new(cache)
        };
        let sources = Sources::new(config)?;
        let metrics = Arc::new(Metrics::new()?);
        let readiness = Readiness::default();
        let (stop, stopping) = watch::channel(false);
        let stopped = move || {
            let mut stopping = stopping.clone();
            async move {
                // A sender that is gone says the same.
                let _ = stopping.wait_for(|stopping| *stopping).await;
            }
        };
        let anywhere = "127.0.0.1:0".parse()?;
        let (address, pages) =
            telemetry::serve(anywhere, Arc::clone(&metrics), readiness.clone(), stopped()).await?;
        let settings = Settings {
            namespace: None,
            holder: Holder::named("demo"),
            images: Default::default(),
        };
        let turns = controller::run(
            client,
            sources,
            metrics,
            readiness.clone(),
            settings,
            stopped(),
        );
        let task = tokio::spawn(async move {
            let (turns, pages) = tokio::join!(turns, pages);
            turns
                .map_err(anyhow::Error::from)
                .and(pages.map_err(anyhow::Error::from))
        });
        let mut controller = Self {
            url: format!("http://{address}"),
            stop,
            task,
        };
        tokio::select! {
            ready = within("the controller lists its HelmReleases", until_ready(readiness)) => ready?,
            error = controller.ended() => return Err(error),
        }
        Ok(controller)
    }

    /// Why it ended, though nobody stopped it.
    pub(crate) async fn ended(&mut self) -> anyhow::Error {
        match (&mut self.task).await {
            Ok(Ok(())) => anyhow!("the controller ended by itself"),
            Ok(Err(error)) => error.context("the controller ended"),
            Err(panic) => anyhow::Error::from(panic).context("the controller ended"),
        }
    }

    /// Lets turns that are under way come to their end.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.stop.send_replace(true);
        if self.task.is_finished() {
            return Ok(());
        }
        match tokio::time::timeout(Duration::from_secs(10), &mut self.task).await {
            Ok(end) => end.context("stop the controller")?,
            Err(_) => Err(anyhow!("the controller did not stop within 10 s")),
        }
    }
}

async fn until_ready(readiness: Readiness) -> Result<()> {
    while !readiness.get() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

/// A page of the controller, as Prometheus would fetch it.
pub(crate) async fn page(url: &str, path: &str) -> Result<String> {
    let address = url.strip_prefix("http://").context("an http URL")?;
    let mut answer = String::new();
    let fetch = async {
        let mut connection = tokio::net::TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
        connection.write_all(request.as_bytes()).await?;
        connection.read_to_string(&mut answer).await
    };
    fetch.await.with_context(|| format!("fetch {url}{path}"))?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .context("read the page: it has no head")?;
    let status = head.lines().next().unwrap_or_default();
    anyhow::ensure!(status.contains(" 200 "), "fetch {url}{path}: {status}");
    Ok(body.to_owned())
}
