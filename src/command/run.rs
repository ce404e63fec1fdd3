//! `pintle run`: the controller, until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use pintle::api::{FloatingTags, Images};
use pintle::controller::{self, Holder, Settings};
use pintle::source::{
    AwsIdentity, AwsProof, AzureIdentity, DockerConfig, GoogleIdentity, Identities, Mirrors,
    Sources, SourcesConfig,
};
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
    /// Keep fetched charts in memory instead, 64Mi of them if nothing else is said.
    #[arg(long, conflicts_with = "cache_dir")]
    cache_in_memory: bool,
    /// How much fetched charts may take, such as 512Mi; what was used longest ago goes first.
    /// Default: 768Mi.
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    cache_size: Option<u64>,
    /// How many days a fetched chart is kept that nobody uses, and that no release's history was
    /// made of.
    #[arg(long, default_value_t = 30, value_name = "DAYS")]
    cache_days: u32,
    /// Keep only the HelmReleases of this namespace. Default: all namespaces.
    #[arg(long, short, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// Who this process is, on the records of work under way: what another one holds is left alone
    /// until its timeout has passed. Default: the pod ($POD_NAMESPACE and $POD_NAME), or the host.
    #[arg(long, value_name = "NAME")]
    holder: Option<String>,
    /// A YAML file that says where charts are fetched instead of where HelmReleases say:
    /// `mirrors: [{repo: oci://ghcr.io/team, to: [oci://mirror.local/team]}]`. Each place is tried in
    /// turn, and the declared one only where it is among them.
    #[arg(long, value_name = "FILE")]
    mirrors: Option<PathBuf>,
    /// The mirrors' logins: a file as docker's config.json.
    #[arg(long, value_name = "FILE", requires = "mirrors")]
    mirror_logins: Option<PathBuf>,
    /// The clouds whose registries HelmReleases may log in to with this program's own workload
    /// identity (auth.provider), as the clouds' webhooks tell it: aws, google, azure.
    #[arg(long, value_delimiter = ',', value_name = "CLOUD")]
    cloud_logins: Vec<CloudLogin>,
    /// Let a HelmRelease with `insecure: true` use plain HTTP.
    #[arg(long)]
    allow_insecure_sources: bool,
    /// What happens with images of the tag latest, or without tag and digest, where neither a
    /// HelmRelease nor its namespace says: Allow, Warn or Deny.
    #[arg(long, default_value = "Allow", value_name = "WORD")]
    floating_tags: FloatingTags,
    /// Apply nothing whose images are not named by digest, where neither a HelmRelease nor its
    /// namespace says.
    #[arg(long)]
    require_digest: bool,
    /// What is logged, in the notation of RUST_LOG.
    #[arg(long, default_value = "info", value_name = "FILTER")]
    log: String,
}

/// A cloud, as the flag spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum CloudLogin {
    Aws,
    Google,
    Azure,
}

/// How many charts are loaded or rendered at once, and files read. A thousand releases that are
/// declared together would have a thread each, all their trees in memory, and gain nothing by it.
const BLOCKING_THREADS: usize = 8;

/// Runs the controller with the in-cluster configuration or the kubeconfig.
pub(crate) fn run(arguments: RunArguments) -> anyhow::Result<()> {
    telemetry::init_logs(&arguments.log);
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS)
        .build()
        .context("start the runtime")?
        .block_on(keep(arguments))
}

async fn keep(arguments: RunArguments) -> anyhow::Result<()> {
    let config = kube::Config::infer().await.context(
        "find the cluster: neither an in-cluster configuration nor a kubeconfig can be used",
    )?;
    let client = pintle::cluster::connect(config).context("connect to the cluster")?;
    let sources = Sources::new(sources(&arguments)?)?;
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
        images: Images {
            floating_tags: Some(arguments.floating_tags),
            require_digest: Some(arguments.require_digest),
        },
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

/// How charts are fetched and kept.
fn sources(arguments: &RunArguments) -> anyhow::Result<SourcesConfig> {
    let read =
        |file: &PathBuf| std::fs::read(file).with_context(|| format!("read {}", file.display()));
    let logins = arguments.mirror_logins.as_ref().map(read).transpose()?;
    let logins = logins.map(|json| DockerConfig::parse(&json)).transpose()?;
    let mirrors = arguments.mirrors.as_ref().map(read).transpose()?;
    let mirrors = mirrors.map(|yaml| Mirrors::parse(&yaml, logins.as_ref()));
    let defaults = match arguments.cache_in_memory {
        true => SourcesConfig::in_memory(),
        false => SourcesConfig::new(arguments.cache_dir.clone().unwrap_or_else(default_cache)),
    };
    Ok(SourcesConfig {
        identities: identities(&arguments.cloud_logins)?,
        mirrors: mirrors.transpose()?.unwrap_or_default(),
        cache_bytes: arguments.cache_size.unwrap_or(defaults.cache_bytes),
        cache_age: Duration::from_secs(u64::from(arguments.cache_days) * 24 * 3600),
        allow_insecure: arguments.allow_insecure_sources,
        ..defaults
    })
}

/// Who this program is in the clouds that it may speak for, by the variables that the clouds document.
fn identities(clouds: &[CloudLogin]) -> anyhow::Result<Identities> {
    let optional = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let variable = |cloud: CloudLogin, name: &'static str| {
        optional(name).with_context(|| {
            format!(
                "--cloud-logins={cloud:?}: {name} is not set, so this pod has no workload identity"
            )
        })
    };
    let mut identities = Identities::default();
    for cloud in clouds {
        match cloud {
            CloudLogin::Aws => {
                let agent = optional("AWS_CONTAINER_CREDENTIALS_FULL_URI");
                let proof = match agent {
                    Some(url) => AwsProof::Agent {
                        url: url.parse().context("AWS_CONTAINER_CREDENTIALS_FULL_URI")?,
                        token_file: variable(*cloud, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")?
                            .into(),
                    },
                    None => AwsProof::Role {
                        arn: variable(*cloud, "AWS_ROLE_ARN")?,
                        token_file: variable(*cloud, "AWS_WEB_IDENTITY_TOKEN_FILE")?.into(),
                    },
                };
                identities.aws = Some(AwsIdentity {
                    proof,
                    token_service: None,
                    registry_service: None,
                });
            }
            CloudLogin::Google => {
                let host = optional("GCE_METADATA_HOST");
                let host = host.as_deref().unwrap_or("metadata.google.internal");
                identities.google = Some(GoogleIdentity {
                    metadata: format!("http://{host}/")
                        .parse()
                        .context("GCE_METADATA_HOST")?,
                });
            }
            CloudLogin::Azure => {
                let authority = optional("AZURE_AUTHORITY_HOST");
                let authority = authority
                    .as_deref()
                    .unwrap_or("https://login.microsoftonline.com/");
                identities.azure = Some(AzureIdentity {
                    tenant: variable(*cloud, "AZURE_TENANT_ID")?,
                    client: variable(*cloud, "AZURE_CLIENT_ID")?,
                    token_file: variable(*cloud, "AZURE_FEDERATED_TOKEN_FILE")?.into(),
                    authority: authority.parse().context("AZURE_AUTHORITY_HOST")?,
                    exchange: None,
                });
            }
        }
    }
    Ok(identities)
}

/// Bytes, as Kubernetes writes them.
fn bytes(text: &str) -> Result<u64, String> {
    let units = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("", 0)];
    let number = units.iter().find_map(|(unit, shift)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(1 << shift)
    });
    number.ok_or_else(|| "write a size such as 512Mi or 1Gi".to_owned())
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
