//! The repositories that `helm repo add` wrote down, and their indexes in Helm's cache.

use serde_json::Value;

use super::Log;
use super::access::TlsFiles;
use super::index::{Index, json_word};
use super::settings::Settings;
use super::url::Url;
use crate::command::files;

/// One repository.
// helm: pkg/repo/v1/chartrepo.go Entry
#[derive(Clone, Default)]
pub(super) struct Repository {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) username: String,
    pub(super) password: String,
    pub(super) pass_credentials: bool,
    pub(super) tls: TlsFiles,
}

/// All repositories; none if there is no such file.
// helm: pkg/repo/v1/repo.go LoadFile, pkg/downloader/chart_downloader.go loadRepoConfig
pub(super) fn load(settings: &Settings) -> Result<Vec<Repository>, String> {
    let path = &settings.repository_config;
    let bytes = match files::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.is_missing() => return Ok(Vec::new()),
        Err(error) => {
            return Err(format!("couldn't load repositories file ({path}): {error}"));
        }
    };
    let root = pintle::yaml::from_slice(&bytes).map_err(|error| error.to_string())?;
    if !root.is_object() && !root.is_null() {
        let found = json_word(&root);
        return Err(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go \
             value of type repo.File"
        ));
    }
    let entries = root.get("repositories").and_then(Value::as_array);
    let entries = entries.into_iter().flatten();
    Ok(entries.map(Repository::read).collect())
}

impl Repository {
    fn read(entry: &Value) -> Self {
        let text = |name: &str| {
            let value = entry.get(name).unwrap_or(&Value::Null);
            pintle::yaml::scalar_text(value).unwrap_or_default()
        };
        Self {
            name: text("name"),
            url: text("url"),
            username: text("username"),
            password: text("password"),
            pass_credentials: entry["pass_credentials_all"].as_bool().unwrap_or(false),
            tls: TlsFiles {
                certificate: text("certFile"),
                key: text("keyFile"),
                ca: text("caFile"),
                // Helm heeds this one while it reads indexes alone.
                insecure: false,
            },
        }
    }

    /// `Err` if its URL is of no use.
    // helm: pkg/repo/v1/chartrepo.go NewChartRepository
    pub(super) fn check(&self) -> Result<(), String> {
        check_url(&self.url)
    }

    /// The index as `helm repo update` left it.
    pub(super) fn index(&self, settings: &Settings, log: Log) -> Result<Index, String> {
        let name = match self.name.as_str() {
            "" => "index.yaml".to_owned(),
            name => format!("{name}-index.yaml"),
        };
        let path = std::path::Path::new(&settings.repository_cache).join(name);
        Index::load_file(&path.to_string_lossy(), log)
            .map_err(|error| format!("no cached repo found. (try 'helm repo update'): {error}"))
    }
}

/// `Err` unless charts can be had from such a URL without a plugin.
// helm: pkg/repo/v1/chartrepo.go NewChartRepository
pub(super) fn check_url(url: &str) -> Result<(), String> {
    let parsed = Url::parse(url).map_err(|_| format!("invalid chart URL format: {url}"))?;
    match parsed.scheme.as_str() {
        "http" | "https" | "oci" => Ok(()),
        other => Err(format!("could not find protocol handler for: {other}")),
    }
}

/// Two names stand for places that are no more.
// helm: pkg/cmd/root.go checkForExpiredRepos
pub(super) fn warn_of_expired(settings: &Settings) {
    let Ok(repositories) = load(settings) else {
        return;
    };
    for (name, old, new) in [
        (
            "stable",
            "kubernetes-charts.storage.googleapis.com",
            "https://charts.helm.sh/stable",
        ),
        (
            "incubator",
            "kubernetes-charts-incubator.storage.googleapis.com",
            "https://charts.helm.sh/incubator",
        ),
    ] {
        let Some(found) = repositories.iter().find(|known| known.name == name) else {
            return;
        };
        if found.url.contains(old) {
            eprintln!(
                "WARNING: \"{old}\" is deprecated for \"{name}\" and will be deleted Nov. 13, \
                 2020.\nWARNING: You should switch to \"{new}\" via:\nWARNING: helm repo add \
                 \"{name}\" \"{new}\" --force-update"
            );
        }
    }
}
