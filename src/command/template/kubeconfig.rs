//! The kubeconfig: which namespace, and which cluster.
//!
//! In: Helm's settings, `$KUBECONFIG` or `~/.kube/config`. Out: the namespace of the context in use,
//! or all that a connection to its cluster needs. Never: a file that is changed.
// client-go: tools/clientcmd

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::settings::{Settings, clean};
use crate::command::files::{self, go_error};

/// Where a pod finds what its service account may.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// The cluster that is named where nothing names one.
// client-go: tools/clientcmd/client_config.go getDefaultServer
const DEFAULT_SERVER: &str = "http://localhost:8080";

/// The release's namespace: the one that is named, or the context's, or the pod's own.
// helm: pkg/cli/environment.go Namespace; client-go: merged_client_builder.go Namespace
pub(super) fn namespace(settings: &Settings) -> String {
    let default = || "default".to_owned();
    if !settings.namespace.is_empty() {
        return settings.namespace.clone();
    }
    match target(settings) {
        Err(_) => default(),
        Ok(Target {
            namespace: Some(namespace),
            ..
        }) => namespace,
        Ok(_) if in_cluster() => pod_namespace().unwrap_or_else(default),
        Ok(_) => default(),
    }
}

/// What the context in use stands for.
pub(super) fn target(settings: &Settings) -> Result<Target, String> {
    Kubeconfig::load(settings)?.target(settings)
}

/// Whether this program runs in a pod that may ask its own cluster.
// client-go: client_config.go inClusterClientConfig
pub(super) fn in_cluster() -> bool {
    let set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    set("KUBERNETES_SERVICE_HOST")
        && set("KUBERNETES_SERVICE_PORT")
        && Path::new(SERVICE_ACCOUNT).join("token").is_file()
}

fn pod_namespace() -> Option<String> {
    let named = env::var("POD_NAMESPACE").ok();
    named.filter(|name| !name.is_empty()).or_else(|| {
        let text = fs::read_to_string(Path::new(SERVICE_ACCOUNT).join("namespace")).ok()?;
        let name = text.trim();
        (!name.is_empty()).then(|| name.to_owned())
    })
}

/// What all files say together: the first that names something is right about it.
#[derive(Default)]
struct Kubeconfig {
    clusters: BTreeMap<String, Map<String, Value>>,
    users: BTreeMap<String, Map<String, Value>>,
    contexts: BTreeMap<String, Map<String, Value>>,
    current: String,
}

/// What one context stands for.
pub(super) struct Target {
    /// The namespace that the context names.
    namespace: Option<String>,
    /// What the kubeconfig says of the cluster.
    pub(super) cluster: Map<String, Value>,
    /// What it says of the user.
    pub(super) user: Map<String, Value>,
    /// Whether no cluster was named at all.
    pub(super) is_default: bool,
}

impl Kubeconfig {
    // client-go: tools/clientcmd/loader.go Load
    fn load(settings: &Settings) -> Result<Self, String> {
        let explicit = &settings.kubeconfig;
        let files: Vec<PathBuf> = match env::var_os("KUBECONFIG").filter(|list| !list.is_empty()) {
            _ if !explicit.is_empty() => {
                fs::metadata(explicit)
                    .map_err(|error| format!("stat {explicit}: {}", go_error(&error)))?;
                vec![explicit.into()]
            }
            Some(list) => env::split_paths(&list).collect(),
            None => {
                let home = env::var_os("HOME").unwrap_or_default();
                vec![Path::new(&home).join(".kube/config")]
            }
        };
        let mut merged = Self::default();
        for file in files.iter().filter(|file| !file.as_os_str().is_empty()) {
            let failed = |reason: String| {
                format!("error loading config file \"{}\": {reason}", file.display())
            };
            match files::read(&file.to_string_lossy()) {
                Ok(bytes) => merged.add(&bytes, file).map_err(failed)?,
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(failed(error.to_string())),
            }
        }
        Ok(merged)
    }

    fn add(&mut self, bytes: &[u8], file: &Path) -> Result<(), String> {
        let root = pintle::yaml::map_from_slice(bytes).map_err(|error| error.to_string())?;
        let named = |list: &str, part: &str| {
            let entries = root.get(list).and_then(Value::as_array);
            entries
                .into_iter()
                .flatten()
                .filter_map(|entry| {
                    let name = entry["name"].as_str()?.to_owned();
                    Some((name, entry[part].as_object().cloned().unwrap_or_default()))
                })
                .collect::<Vec<_>>()
        };
        let file = std::path::absolute(file).map_err(|error| go_error(&error))?;
        let folder = file.parent().unwrap_or(Path::new("/"));
        for (name, mut cluster) in named("clusters", "cluster") {
            resolve(&mut cluster, folder, &["certificate-authority"]);
            self.clusters.entry(name).or_insert(cluster);
        }
        for (name, mut user) in named("users", "user") {
            let paths = ["client-certificate", "client-key", "tokenFile"];
            resolve(&mut user, folder, &paths);
            self.users.entry(name).or_insert(user);
        }
        for (name, context) in named("contexts", "context") {
            self.contexts.entry(name).or_insert(context);
        }
        if self.current.is_empty() {
            let current = root.get("current-context").and_then(Value::as_str);
            self.current = current.unwrap_or_default().to_owned();
        }
        Ok(())
    }

    /// The context in use, with what the settings put in its place.
    // client-go: tools/clientcmd/client_config.go getContext, getCluster, getAuthInfo
    fn target(&self, settings: &Settings) -> Result<Target, String> {
        let name = match settings.kube_context.as_str() {
            "" => &self.current,
            named => named,
        };
        let context = match self.contexts.get(name) {
            Some(context) => context.clone(),
            None if !settings.kube_context.is_empty() => {
                return Err(format!("context \"{name}\" does not exist"));
            }
            None if name.is_empty() => Map::new(),
            None => {
                return Err(format!(
                    "invalid configuration: context was not found for specified context: {name}"
                ));
            }
        };
        let named = |part: &str, of: &BTreeMap<String, Map<String, Value>>| {
            let name = text(&context, part).unwrap_or_default();
            (name.to_owned(), of.get(name).cloned().unwrap_or_default())
        };
        let (cluster_name, mut cluster) = named("cluster", &self.clusters);
        let (user_name, mut user) = named("user", &self.users);
        let is_default = cluster.is_empty() && settings.kube_apiserver.is_empty();
        if text(&cluster, "server").is_none() {
            let server = env::var("KUBERNETES_MASTER").ok();
            let server = server.filter(|server| !server.is_empty());
            let server = server.unwrap_or_else(|| DEFAULT_SERVER.to_owned());
            cluster.insert("server".to_owned(), json!(server));
        }
        settings.override_cluster(&mut cluster);
        settings.override_user(&mut user);
        let mut problems = user_problems(&user_name, &user);
        problems.extend(cluster_problems(&cluster_name, &cluster));
        match problems.as_slice() {
            [] => Ok(Target {
                namespace: text(&context, "namespace").map(str::to_owned),
                cluster,
                user,
                is_default,
            }),
            [problem] => Err(format!("invalid configuration: {problem}")),
            problems => Err(format!("invalid configuration: [{}]", problems.join(", "))),
        }
    }
}

impl Settings {
    // cli-runtime: pkg/genericclioptions/config_flags.go toRawKubeConfigLoader
    fn override_cluster(&self, cluster: &mut Map<String, Value>) {
        let put = |cluster: &mut Map<String, Value>, name: &str, value: &str| {
            if !value.is_empty() {
                cluster.insert(name.to_owned(), json!(value));
            }
        };
        put(cluster, "server", &self.kube_apiserver);
        if self.kube_insecure_skip_tls_verify || !self.kube_ca_file.is_empty() {
            cluster.remove("certificate-authority");
            cluster.remove("certificate-authority-data");
            let insecure = json!(self.kube_insecure_skip_tls_verify);
            cluster.insert("insecure-skip-tls-verify".to_owned(), insecure);
        }
        put(cluster, "certificate-authority", &self.kube_ca_file);
        if !self.kube_apiserver.is_empty() {
            cluster.remove("tls-server-name");
        }
        put(cluster, "tls-server-name", &self.kube_tls_server_name);
    }

    fn override_user(&self, user: &mut Map<String, Value>) {
        if !self.kube_token.is_empty() {
            user.insert("token".to_owned(), json!(self.kube_token));
            user.remove("tokenFile");
        }
        if !self.kube_as_user.is_empty() {
            user.insert("as".to_owned(), json!(self.kube_as_user));
        }
        if !self.kube_as_groups.is_empty() {
            user.insert("as-groups".to_owned(), json!(self.kube_as_groups));
        }
    }
}

/// A text that is not empty.
fn text<'a>(of: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = of.get(name).and_then(Value::as_str);
    text.filter(|text| !text.is_empty())
}

/// Paths are relative to the file that names them.
// client-go: tools/clientcmd/loader.go ResolveLocalPaths
fn resolve(of: &mut Map<String, Value>, folder: &Path, names: &[&str]) {
    for name in names {
        if let Some(path) = text(of, name) {
            let path = clean(&folder.join(path)).to_string_lossy().into_owned();
            of.insert((*name).to_owned(), json!(path));
        }
    }
}

/// The part of a problem with a file that cannot be opened.
fn unreadable(path: &str) -> Option<String> {
    let error = fs::File::open(path).err()?;
    Some(format!("open {path}: {}", go_error(&error)))
}

// client-go: tools/clientcmd/validation.go validateClusterInfo
fn cluster_problems(name: &str, cluster: &Map<String, Value>) -> Vec<String> {
    let mut problems = Vec::new();
    let Some(path) = text(cluster, "certificate-authority") else {
        return problems;
    };
    if text(cluster, "certificate-authority-data").is_some() {
        problems.push(format!(
            "certificate-authority-data and certificate-authority are both specified for {name}. \
             certificate-authority-data will override."
        ));
    }
    if let Some(reason) = unreadable(path) {
        problems.push(format!(
            "unable to read certificate-authority {path} for {name} due to {reason}"
        ));
    }
    problems
}

// client-go: tools/clientcmd/validation.go validateAuthInfo
fn user_problems(name: &str, user: &Map<String, Value>) -> Vec<String> {
    let mut problems = Vec::new();
    let has = |part: &str| text(user, part).is_some();
    if has("client-certificate") || has("client-certificate-data") {
        if has("client-certificate") && has("client-certificate-data") {
            problems.push(format!(
                "client-cert-data and client-cert are both specified for {name}. \
                 client-cert-data will override."
            ));
        }
        if has("client-key") && has("client-key-data") {
            problems.push(format!(
                "client-key-data and client-key are both specified for {name}; \
                 client-key-data will override"
            ));
        }
        if !has("client-key") && !has("client-key-data") {
            problems.push(format!(
                "client-key-data or client-key must be specified for {name} to use the clientCert \
                 authentication method."
            ));
        }
        for (part, short) in [
            ("client-certificate", "client-cert"),
            ("client-key", "client-key"),
        ] {
            if let Some(path) = text(user, part)
                && let Some(reason) = unreadable(path)
            {
                problems.push(format!(
                    "unable to read {short} {path} for {name} due to {reason}"
                ));
            }
        }
    }
    if has("token") && (has("username") || has("password")) {
        problems.push(format!(
            "more than one authentication method found for {name}; found [token basicAuth], only \
             one is allowed"
        ));
    }
    let groups = user.get("as-groups").and_then(Value::as_array);
    if groups.is_some_and(|groups| !groups.is_empty()) && !has("as") {
        problems.push(format!(
            "requesting uid, groups or user-extra for {name} without impersonating a user"
        ));
    }
    problems
}
