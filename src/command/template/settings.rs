//! What holds for every command of Helm's: its environment variables and global flags.

use std::env;
use std::path::{Component, Path, PathBuf};

use super::Failed;
use super::arguments::OptionFlag;
use crate::command::flags::{Integer, Place, go_bool, go_quoted, integer_of};

/// Helm's settings, from the environment and then from flags.
// helm: pkg/cli/environment.go EnvSettings
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) namespace: String,
    pub(super) kubeconfig: String,
    pub(super) kube_context: String,
    pub(super) kube_token: String,
    pub(super) kube_as_user: String,
    pub(super) kube_as_groups: Vec<String>,
    pub(super) kube_apiserver: String,
    pub(super) kube_ca_file: String,
    pub(super) kube_tls_server_name: String,
    pub(super) kube_insecure_skip_tls_verify: bool,
    pub(super) debug: bool,
    pub(super) registry_config: String,
    pub(super) repository_config: String,
    pub(super) repository_cache: String,
    pub(super) content_cache: String,
    pub(super) color: String,
    /// Requests to a cluster are not held back here.
    burst_limit: i64,
    qps: f32,
}

impl Settings {
    /// The public keys that `helm` verifies with.
    // helm: pkg/cmd/dependency_build.go defaultKeyring
    pub(super) fn keyring() -> String {
        let home = PathBuf::from(text("HOME").unwrap_or_default()).join(".gnupg");
        let folder = text("GNUPGHOME").map_or(home, PathBuf::from);
        let legacy = folder.join("pubring.gpg");
        let keybox = folder.join("pubring.kbx");
        let found = if !legacy.exists() && keybox.exists() {
            keybox
        } else {
            legacy
        };
        found.to_string_lossy().into_owned()
    }

    // helm: pkg/cli/environment.go New
    pub(super) fn from_environment() -> Self {
        let text = |name: &str| text(name).unwrap_or_default();
        let config = base("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", &[".config"]);
        let cache = base("HELM_CACHE_HOME", "XDG_CACHE_HOME", &[".cache"]);
        let path = |name, folder: &Path, file: &str| {
            self::text(name).unwrap_or_else(|| folder.join(file).to_string_lossy().into_owned())
        };
        let groups = text("HELM_KUBEASGROUPS");
        let groups = groups.trim_matches([',', ' ']);
        let insecure = text("HELM_KUBEINSECURE_SKIP_TLS_VERIFY");
        let form = Integer {
            base: Some(10),
            bits: 64,
        };
        Self {
            namespace: text("HELM_NAMESPACE"),
            kubeconfig: String::new(),
            kube_context: text("HELM_KUBECONTEXT"),
            kube_token: text("HELM_KUBETOKEN"),
            kube_as_user: text("HELM_KUBEASUSER"),
            kube_as_groups: match groups {
                "" => Vec::new(),
                groups => groups.split(',').map(str::to_owned).collect(),
            },
            kube_apiserver: text("HELM_KUBEAPISERVER"),
            kube_ca_file: text("HELM_KUBECAFILE"),
            kube_tls_server_name: text("HELM_KUBETLS_SERVER_NAME"),
            kube_insecure_skip_tls_verify: go_bool(&insecure).unwrap_or(false),
            debug: go_bool(&text("HELM_DEBUG")).unwrap_or(false),
            registry_config: path("HELM_REGISTRY_CONFIG", &config, "registry/config.json"),
            repository_config: path("HELM_REPOSITORY_CONFIG", &config, "repositories.yaml"),
            repository_cache: path("HELM_REPOSITORY_CACHE", &cache, "repository"),
            content_cache: path("HELM_CONTENT_CACHE", &cache, "content"),
            color: color(),
            burst_limit: integer_of(&text("HELM_BURST_LIMIT"), form).unwrap_or(100),
            qps: text("HELM_QPS").parse().unwrap_or(0.0),
        }
    }

    /// Helm gives up on these before it looks at its command.
    // helm: pkg/cmd/root.go newRootCmdWithConfig
    pub(super) fn check(&self) -> Result<(), Failed> {
        match self.color.as_str() {
            "never" | "auto" | "always" => {}
            color => {
                return Err(Failed(format!(
                    "invalid color mode {}: must be one of: never, auto, always",
                    go_quoted(color)
                )));
            }
        }
        super::download::login_files(&self.registry_config)
            .map(|_| ())
            .map_err(Failed)
    }

    // helm: pkg/cli/environment.go AddFlags
    pub(super) fn flags() -> Vec<OptionFlag> {
        let flags = vec![
            OptionFlag::new(
                "namespace",
                Place::Text(|o| &mut o.settings.namespace),
                "namespace that templates see",
            )
            .short(b'n'),
            OptionFlag::new(
                "kubeconfig",
                Place::Text(|o| &mut o.settings.kubeconfig),
                "path to the kubeconfig",
            ),
            OptionFlag::new(
                "kube-context",
                Place::Text(|o| &mut o.settings.kube_context),
                "context of the kubeconfig",
            ),
            OptionFlag::new(
                "kube-token",
                Place::Text(|o| &mut o.settings.kube_token),
                "bearer token for the cluster",
            ),
            OptionFlag::new(
                "kube-as-user",
                Place::Text(|o| &mut o.settings.kube_as_user),
                "user to impersonate in the cluster",
            ),
            OptionFlag::new(
                "kube-as-group",
                Place::Texts(|o| &mut o.settings.kube_as_groups),
                "group to impersonate in the cluster (several)",
            ),
            OptionFlag::new(
                "kube-apiserver",
                Place::Text(|o| &mut o.settings.kube_apiserver),
                "address of the cluster",
            ),
            OptionFlag::new(
                "kube-ca-file",
                Place::Text(|o| &mut o.settings.kube_ca_file),
                "authorities that are trusted for the cluster",
            ),
            OptionFlag::new(
                "kube-tls-server-name",
                Place::Text(|o| &mut o.settings.kube_tls_server_name),
                "host name that the cluster's certificate must have",
            ),
            OptionFlag::new(
                "kube-insecure-skip-tls-verify",
                Place::Bool(|o| &mut o.settings.kube_insecure_skip_tls_verify),
                "take any certificate of the cluster",
            ),
            OptionFlag::new(
                "debug",
                Place::Bool(|o| &mut o.settings.debug),
                "tell more on standard error, and print what was rendered even where it is broken",
            ),
            OptionFlag::new(
                "registry-config",
                Place::Text(|o| &mut o.settings.registry_config),
                "file of logins for registries",
            ),
            OptionFlag::new(
                "repository-config",
                Place::Text(|o| &mut o.settings.repository_config),
                "file of names and URLs of repositories",
            ),
            OptionFlag::new(
                "repository-cache",
                Place::Text(|o| &mut o.settings.repository_cache),
                "folder of the repositories' indexes",
            ),
            OptionFlag::new(
                "content-cache",
                Place::Text(|o| &mut o.settings.content_cache),
                "folder of fetched charts",
            ),
            OptionFlag::new(
                "burst-limit",
                Place::Integer(|o| &mut o.settings.burst_limit),
                "no effect: requests to a cluster are not held back",
            ),
            OptionFlag::new(
                "qps",
                Place::Number(|o| &mut o.settings.qps),
                "no effect: requests to a cluster are not held back",
            ),
            OptionFlag::new(
                "color",
                Place::Text(|o| &mut o.settings.color),
                "never, auto or always; nothing here has colours",
            ),
            OptionFlag::new(
                "colour",
                Place::Text(|o| &mut o.settings.color),
                "never, auto or always; nothing here has colours",
            ),
        ];
        flags.into_iter().map(OptionFlag::inherited).collect()
    }
}

/// A variable that is set, if to nothing.
fn text(name: &str) -> Option<String> {
    env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// One of Helm's folders.
// helm: pkg/helmpath/lazypath.go
pub(super) fn base(own: &str, shared: &str, below_home: &[&str]) -> PathBuf {
    let named = |name| text(name).filter(|value| !value.is_empty());
    if let Some(folder) = named(own) {
        return clean(Path::new(&folder));
    }
    let folder = named(shared).map(PathBuf::from).unwrap_or_else(|| {
        let mut folder = PathBuf::from(text("HOME").unwrap_or_default());
        folder.extend(below_home);
        folder
    });
    clean(&folder.join("helm"))
}

// go: path/filepath Clean
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

// helm: pkg/cli/environment.go envColorMode
fn color() -> String {
    if text("NO_COLOR").is_some_and(|value| !value.is_empty()) {
        return "never".to_owned();
    }
    let named = text("HELM_COLOR").unwrap_or_default().to_lowercase();
    match named.as_str() {
        "never" | "always" => named,
        _ => "auto".to_owned(),
    }
}
