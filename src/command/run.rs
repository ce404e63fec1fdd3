//! `pintle run`: the controller, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use pintle::controller::{self, Holder, Settings};
use pintle::source::{Sources, SourcesConfig};
use pintle::telemetry::{self, Metrics, Readiness};

/// The arguments of `pintle run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArguments {
    /// Where /metrics, /healthz and /readyz are served.
    #[arg(long, default_value = "0.0.0.0:8080", value_name = "ADDRESS")]
    metrics_addr: SocketAddr,
    /// The folder in which fetched charts are kept; made where it is missing.
    #[arg(long, value_name = "FOLDER", env = "PINTLE_CACHE_DIR")]
    cache_dir: Option<PathBuf>,
    /// Keep only the HelmReleases of this namespace. Default: all namespaces.
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Who this process is, on the records of work under way: what another one holds is left alone
    /// until its timeout has passed. Default: the pod ($POD_NAMESPACE and $POD_NAME), or the host.
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
    /// Let a HelmRelease with `insecure: true` use plain HTTP.
    #[arg(long)]
    allow_insecure_sources: bool,
    /// What is logged, in the notation of RUST_LOG.
    #[arg(long, default_value = "info", value_name = "FILTER")]
    log: String,
}

/// Runs the controller with the in-cluster configuration or the kubeconfig.
pub(crate) fn run(arguments: RunArguments) -> anyhow::Result<()> {
    telemetry::init_logs(&arguments.log);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(keep(arguments))
}

async fn keep(arguments: RunArguments) -> anyhow::Result<()> {
    let config = kube::Config::infer().await.context(
        "find the cluster: neither an in-cluster configuration nor a kubeconfig can be used",
    )?;
    let client = pintle::cluster::connect(config).context("connect to the cluster")?;
    let sources = Sources::new(SourcesConfig {
        allow_insecure: arguments.allow_insecure_sources,
        ..SourcesConfig::new(arguments.cache_dir.unwrap_or_else(default_cache))
    })?;
    let metrics = Arc::new(Metrics::new().context("set up the metrics")?);
    let readiness = Readiness::default();
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let stopped = move || {
        let mut stopping = stopping.clone();
        async move {
            // The sender lives as long as the program, so there is nothing to handle.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    };
    let (address, pages) = telemetry::serve(
        arguments.metrics_addr,
        Arc::clone(&metrics),
        readiness.clone(),
        stopped(),
    )
    .await?;
    tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "pintle runs");
    let settings = Settings {
        namespace: arguments.namespace,
        holder: holder(arguments.holder),
    };
    let controller = controller::run(client, sources, metrics, readiness, settings, stopped());
    let signal = async {
        let end = tokio::select! {
            end = signal() => end,
            () = stopped() => Ok(()),
        };
        stop.send_replace(true);
        end
    };
    let (pages, controller, signal) = tokio::join!(
        async { pages.await.map_err(anyhow::Error::from) },
        async {
            // Without its controller the program is of no use: whoever started it starts it again.
            let end = controller.await.map_err(anyhow::Error::from);
            stop.send_replace(true);
            end
        },
        signal
    );
    controller.and(pages).and(signal)
}

/// Ends with SIGTERM, or with an interrupt from the keyboard.
async fn signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted.context("listen for interrupts"),
    }
}

/// Who this process is if nobody says who.
fn holder(named: Option<String>) -> Holder {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match (named, variable("POD_NAMESPACE"), variable("POD_NAME")) {
        (Some(name), ..) => Holder::named(name),
        (None, Some(namespace), Some(pod)) => Holder::pod(&namespace, &pod),
        _ => {
            let host = || std::fs::read_to_string("/etc/hostname").ok();
            let host = variable("HOSTNAME").or_else(host).unwrap_or_default();
            Holder::named(format!("host:{}", host.trim()))
        }
    }
}

/// Where charts are kept if nobody says where.
fn default_cache() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(home);
    base.unwrap_or_else(std::env::temp_dir)
        .join("pintle")
        .join("charts")
}
