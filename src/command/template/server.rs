//! `--dry-run=server`: a cluster tells what it can do, answers `lookup`, and knows the objects.
//! Nothing is written to it.
// helm: pkg/action/install.go RunWithContext with DryRunServer

use kube::config::{KubeConfigOptions, Kubeconfig};
use pintle::cluster::{self, Cluster, ClusterLookup};
use pintle::manifest;
use pintle::plan::{self, ReleaseName};
use pintle::render::{Capabilities, KubeVersion, Rendered};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::kubeconfig::{self, Target};
use super::settings::Settings;
use super::{Failed, access, network};
use crate::command::files;
use crate::command::flags::go_quoted;

/// A cluster that answers.
pub(super) struct Server {
    runtime: Runtime,
    cluster: Cluster,
}

impl Server {
    /// The cluster that the settings mean.
    // helm: pkg/kube/client.go IsReachable
    pub(super) fn reach(settings: &Settings) -> Result<Self, String> {
        let unreachable = |reason: String| format!("kubernetes cluster unreachable: {reason}");
        // Lookups come from another thread, so one must be there to drive the requests.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| unreachable(format!("start the runtime: {error}")))?;
        let target = kubeconfig::target(settings).map_err(unreachable)?;
        let config = runtime.block_on(configuration(&target));
        let config = config.map_err(unreachable)?;
        let address = config.cluster_url.to_string();
        let asked = format!("{}/version", address.trim_end_matches('/'));
        let client = {
            let _guard = runtime.enter();
            cluster::connect(config).map_err(|error| unreachable(error.to_string()))?
        };
        runtime
            .block_on(client.apiserver_version())
            .map_err(|error| unreachable(words(&asked, &error)))?;
        Ok(Self {
            runtime,
            cluster: Cluster::new(client),
        })
    }

    /// What the cluster can do.
    // helm: pkg/action/action.go getCapabilities
    pub(super) fn capabilities(&self) -> Result<Capabilities, Failed> {
        let found = self.runtime.block_on(self.cluster.capabilities());
        let found = found.map_err(|error| {
            let Failed(words) = Failed::of(&error);
            Failed(format!(
                "could not get apiVersions from Kubernetes: {words}"
            ))
        })?;
        Ok(Capabilities {
            kube_version: KubeVersion::of_cluster(found.kube_version, found.major, found.minor),
            api_versions: found.api_versions,
            ..Capabilities::default()
        })
    }

    /// What answers templates.
    pub(super) fn lookup(&self) -> ClusterLookup {
        let _guard = self.runtime.enter();
        ClusterLookup::new(self.cluster.clone())
    }

    /// `Err` if the cluster does not know a kind, or, where `claim` says so, if an object is
    /// there already and is not the release's own.
    pub(super) fn check(
        &self,
        rendered: &Rendered,
        release: &ReleaseName,
        claim: Claim,
    ) -> Result<(), Failed> {
        let objects = manifest::parse(&rendered.manifest).map_err(|error| {
            let Failed(words) = Failed::of(&error);
            Failed(format!("{UNBUILT}: {words}"))
        })?;
        let check = async {
            let (mut known, mut unknown) = (Vec::new(), Vec::new());
            for object in &objects {
                let endpoint = self.cluster.endpoint(&object.key, &release.namespace);
                match endpoint.await {
                    Ok(endpoint) => known.push(endpoint),
                    Err(cluster::Error::UnknownKind { object }) => unknown.push(no_match(&object)),
                    Err(error) => unknown.push(Failed::of(&error).0),
                }
            }
            match unknown.as_slice() {
                [] => {}
                [one] => return Err(Failed(format!("{UNBUILT}: {one}"))),
                several => {
                    let several = several.join(", ");
                    return Err(Failed(format!("{UNBUILT}: [{several}]")));
                }
            }
            for endpoint in known.iter().filter(|_| claim != Claim::Nothing) {
                self.check_owner(endpoint, release, claim).await?;
            }
            Ok(())
        };
        self.runtime.block_on(check)
    }

    // helm: pkg/action/validate.go existingResourceConflict, requireAdoption
    async fn check_owner(
        &self,
        endpoint: &cluster::Endpoint,
        release: &ReleaseName,
        claim: Claim,
    ) -> Result<(), Failed> {
        let name = &endpoint.object.name;
        if name.is_empty() {
            return Ok(());
        }
        let shown = format!(
            "{} {} in namespace {}",
            endpoint.object.kind,
            go_quoted(name),
            go_quoted(endpoint.namespace.as_deref().unwrap_or_default())
        );
        let live = self.cluster.get(endpoint).await.map_err(|error| {
            let Failed(words) = Failed::of(&error);
            Failed(format!(
                "{STOPPED}: could not get information about the resource {shown}: {words}"
            ))
        })?;
        let foreign = live.and_then(|live| plan::foreign(&live, release));
        match foreign {
            Some(problem) if claim == Claim::Own => Err(Failed(format!(
                "{STOPPED}: {shown} exists and cannot be imported into the current release: \
                 invalid ownership metadata; {problem}"
            ))),
            _ => Ok(()),
        }
    }
}

const UNBUILT: &str = "unable to build kubernetes objects from release manifest";
const STOPPED: &str = "unable to continue with install";

/// What a release may do with objects that exist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is an upgrade, and nobody looks.
    Nothing,
    /// They must be its own.
    Own,
    /// It takes them over.
    Any,
}

// cli-runtime: pkg/resource/mapper.go; helm adds the last line
fn no_match(object: &manifest::ObjectKey) -> String {
    format!(
        "resource mapping not found for name: {} namespace: {} from \"\": no matches for kind {} \
         in version {}\nensure CRDs are installed first",
        go_quoted(&object.name),
        go_quoted(object.namespace.as_deref().unwrap_or_default()),
        go_quoted(&object.kind),
        go_quoted(&object.api_version)
    )
}

/// The kubeconfig's cluster, or the one that this program runs in.
// client-go: tools/clientcmd/merged_client_builder.go ClientConfig
async fn configuration(target: &Target) -> Result<kube::Config, String> {
    if target.is_default && kubeconfig::in_cluster() {
        return kube::Config::incluster().map_err(|error| error.to_string());
    }
    check_authority(target)?;
    let named = |part: &str, value: &Value| json!([{"name": "target", part: value}]);
    let context = json!({"cluster": "target", "user": "target"});
    let file = json!({
        "clusters": named("cluster", &Value::Object(target.cluster.clone())),
        "users": named("user", &Value::Object(target.user.clone())),
        "contexts": named("context", &context),
        "current-context": "target",
    });
    let file: Kubeconfig = serde_json::from_value(file).map_err(|error| error.to_string())?;
    kube::Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(|error| error.to_string())
}

// client-go: transport/transport.go rootCertPool
fn check_authority(target: &Target) -> Result<(), String> {
    let text = |name: &str| target.cluster.get(name).and_then(Value::as_str);
    let is_https = text("server").is_some_and(|server| !server.starts_with("http://"));
    // Data goes before a file, and its form is the client's to judge.
    let path = text("certificate-authority").filter(|path| !path.is_empty());
    let (Some(path), None, true) = (path, text("certificate-authority-data"), is_https) else {
        return Ok(());
    };
    let pem = files::read(path).map_err(|error| error.to_string())?;
    let found = access::kinds(&pem);
    if found.iter().any(|kind| kind == access::CERTIFICATE) {
        return Ok(());
    }
    Err("unable to load root certificates: unable to parse bytes as PEM block".to_owned())
}

// client-go: rest/request.go
fn words(url: &str, error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 401 => {
            "the server has asked for the client to provide credentials".to_owned()
        }
        kube::Error::Api(status) => status.message.clone(),
        error => format!("Get {}: {}", go_quoted(url), network::cause(url, error)),
    }
}
