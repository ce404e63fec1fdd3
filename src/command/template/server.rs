//! `--dry-run=server`: a cluster tells what it can do, answers `lookup`, and knows the objects.
//! Nothing is written to it.
// helm: pkg/action/install.go RunWithContext with DryRunServer

use kube::config::{KubeConfigOptions, Kubeconfig};
use pintle::chart::Warning;
use pintle::cluster::{self, Cluster, ClusterLookup};
use pintle::manifest::{self, ObjectKey};
use pintle::plan::{self, ReleaseName};
use pintle::render::{Capabilities, KubeVersion, Lookup, LookupError, Rendered};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::kubeconfig::{self, Target};
use super::settings::Settings;
use super::{Failed, Log, access, network};
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
    pub(super) fn lookup(&self, log: Log) -> impl Lookup + use<> {
        let _guard = self.runtime.enter();
        Told {
            lookup: ClusterLookup::new(self.cluster.clone()),
            log,
        }
    }

    /// `Err` if the cluster does not know a kind, or, where `claim` says so, if an object is
    /// there already and is not the release's own.
    // helm: pkg/kube/client.go Build
    pub(super) fn check(
        &self,
        rendered: &Rendered,
        release: &ReleaseName,
        claim: Claim,
    ) -> Result<(), Failed> {
        let check = async {
            let (mut known, mut refused) = (Vec::new(), Vec::new());
            'manifest: for document in manifest::split(&rendered.manifest) {
                for object in objects(document)? {
                    if let Some(reason) = object.untyped() {
                        refused.push(reason);
                        break 'manifest;
                    }
                    let endpoint = self.cluster.endpoint(&object.key, &release.namespace);
                    match endpoint.await {
                        Ok(endpoint) => known.push((endpoint, object)),
                        Err(cluster::Error::UnknownKind { object }) => {
                            refused.push(no_match(&object));
                        }
                        Err(error) => refused.push(Failed::of(&error).0),
                    }
                }
            }
            match refused.as_slice() {
                [] => {}
                [one] => return Err(Failed(format!("{UNBUILT}: {one}"))),
                several => {
                    let several = several.join(", ");
                    return Err(Failed(format!("{UNBUILT}: [{several}]")));
                }
            }
            for (endpoint, object) in known.iter().filter(|_| claim != Claim::Nothing) {
                let owned = self.check_owner(endpoint, object, release, claim).await;
                owned.map_err(|reason| {
                    Failed(format!("unable to continue with install: {reason}"))
                })?;
            }
            Ok(())
        };
        self.runtime.block_on(check)
    }

    // helm: pkg/action/validate.go existingResourceConflict, requireAdoption
    async fn check_owner(
        &self,
        endpoint: &cluster::Endpoint,
        object: &Named,
        release: &ReleaseName,
        claim: Claim,
    ) -> Result<(), String> {
        let name = &object.key.name;
        match (name.as_str(), object.is_generated) {
            ("", true) => return Ok(()),
            (_, true) => {
                return Err("metadata.name and metadata.generateName cannot both be set".to_owned());
            }
            _ => {}
        }
        let shown = format!(
            "{} {} in namespace {}",
            object.key.kind,
            go_quoted(name),
            go_quoted(endpoint.namespace.as_deref().unwrap_or_default())
        );
        let unread = |reason: &str| {
            format!("could not get information about the resource {shown}: {reason}")
        };
        if name.is_empty() {
            return Err(unread("resource name may not be empty"));
        }
        let live = self.cluster.get(endpoint).await;
        let live = live.map_err(|error| match error {
            cluster::Error::Refused { message, .. } => unread(&message),
            error => unread(&Failed::of(&error).0),
        })?;
        let foreign = live.and_then(|live| plan::foreign(&live, release));
        match foreign {
            Some(problem) if claim == Claim::Own => Err(format!(
                "{shown} exists and cannot be imported into the current release: invalid \
                 ownership metadata; {problem}"
            )),
            _ => Ok(()),
        }
    }
}

/// An object of the manifest, as far as it is looked at.
struct Named {
    /// With nothing where the object names nothing.
    key: ObjectKey,
    is_generated: bool,
}

/// The objects of a document: one, or those of a list.
fn objects(document: &str) -> Result<Vec<Named>, Failed> {
    fn add(value: &Value, found: &mut Vec<Named>) {
        if let Some(items) = value["items"].as_array() {
            items.iter().for_each(|item| add(item, found));
        } else if !value.is_null() {
            found.push(Named::of(value));
        }
    }
    let value = pintle::yaml::from_slice(document.as_bytes())
        .map_err(|error| Failed(format!("{UNBUILT}: {error}")))?;
    let mut found = Vec::new();
    add(&value, &mut found);
    Ok(found)
}

impl Named {
    fn of(value: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let metadata = &value["metadata"];
        let namespace = text(&metadata["namespace"]);
        Self {
            key: ObjectKey {
                api_version: text(&value["apiVersion"]),
                kind: text(&value["kind"]),
                namespace: (!namespace.is_empty()).then_some(namespace),
                name: text(&metadata["name"]),
            },
            is_generated: !text(&metadata["generateName"]).is_empty(),
        }
    }

    // kubectl: pkg/validation/schema.go
    fn untyped(&self) -> Option<String> {
        let reason = match (self.key.api_version.is_empty(), self.key.kind.is_empty()) {
            (false, false) => return None,
            (true, true) => "[apiVersion not set, kind not set]",
            (true, false) => "apiVersion not set",
            (false, true) => "kind not set",
        };
        Some(format!(
            "error validating \"\": error validating data: {reason}"
        ))
    }
}

/// Lookups that fail for want of a group are told of on standard error.
struct Told {
    lookup: ClusterLookup,
    log: Log,
}

impl Lookup for Told {
    fn get(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, LookupError> {
        let found = self.lookup.get(api_version, kind, namespace, name);
        // helm: pkg/engine/lookup_func.go getAPIResourceForGVK, getDynamicClientOnKind
        if let Err(LookupError(words)) = &found
            && let Some(rest) = words.strip_prefix("unable to get apiresource from unstructured: ")
            && let Some((named, reason)) = rest.split_once(": ")
        {
            self.log.say(&[
                Warning::error("unable to retrieve resource list")
                    .with("GroupVersion", api_version)
                    .with("error", reason),
                Warning::error("unable to get apiresource")
                    .with("groupVersionKind", named)
                    .with("error", reason),
            ]);
        }
        found
    }
}

const UNBUILT: &str = "unable to build kubernetes objects from release manifest";

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
fn no_match(object: &ObjectKey) -> String {
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
