//! From a chart's name to its archive in Helm's cache: which URL it has, and the bytes from there.
// helm: pkg/downloader/chart_downloader.go, pkg/action/install.go LocateChart

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use pintle::source::{Credentials, Digest, DockerConfig};

use super::access::TlsFiles;
use super::arguments::{Options, Origin};
use super::getter::{self, Asking, Getter};
use super::index::Index;
use super::registry::{Logins, Registry};
use super::repositories::{self, Repository};
use super::settings::{self, Settings};
use super::url::{self, Url};
use super::{Failed, Log};
use crate::command::files::{self, PathError, go_error, make_folders};
use crate::command::flags::go_quoted;

/// Fetches charts for one run of the command.
pub(super) struct Downloader<'a> {
    pub(super) settings: &'a Settings,
    pub(super) origin: &'a Origin,
    pub(super) getter: &'a Getter,
    pub(super) log: Log,
}

/// A chart whose URL is known.
struct Found {
    /// What an index says of the archive's digest; may be empty.
    digest: String,
    url: Url,
    asking: Asking,
}

impl Origin {
    /// The files for connections.
    pub(super) fn tls(&self) -> TlsFiles {
        TlsFiles {
            certificate: self.cert_file.clone(),
            key: self.key_file.clone(),
            ca: self.ca_file.clone(),
            insecure: self.insecure_skip_tls_verify,
        }
    }
}

impl<'a> Downloader<'a> {
    pub(super) fn new(options: &'a Options, getter: &'a Getter, log: Log) -> Self {
        Self {
            settings: &options.settings,
            origin: &options.origin,
            getter,
            log,
        }
    }

    /// The path of the chart's archive in Helm's cache, where it is put if need be.
    pub(super) fn download(&self, reference: &str) -> Result<PathBuf, Failed> {
        self.locate(reference).map_err(Failed)
    }

    fn locate(&self, reference: &str) -> Result<PathBuf, String> {
        let version = self.origin.version.trim();
        let mut asking = Asking {
            username: self.origin.username.clone(),
            password: self.origin.password.clone(),
            pass_credentials: self.origin.pass_credentials,
            tls: self.origin.tls(),
            accept: Some(getter::ARCHIVE),
            ..Asking::default()
        };
        let mut reference = reference.to_owned();
        if !self.origin.repo.is_empty() {
            let url = self.find_in_repository(&reference, version)?;
            let repository = Url::parse(&self.origin.repo)?;
            let beside = Url::parse(&url)?.is_beside(&repository);
            if !self.origin.pass_credentials && !beside {
                asking.username.clear();
                asking.password.clear();
            }
            reference = url;
        }
        let cache = Path::new(&self.settings.repository_cache);
        make_folders(cache).map_err(|error| error.to_string())?;
        self.to_cache(&reference, version, asking)
    }

    /// The URL that a repository's index has for a chart.
    // helm: pkg/repo/v1/chartrepo.go FindChartInRepoURL
    fn find_in_repository(&self, name: &str, version: &str) -> Result<String, String> {
        let repository = &self.origin.repo;
        repositories::check_url(repository)?;
        let index = self.fetch_index(repository).map_err(|error| {
            let repository = go_quoted(repository);
            format!(
                "looks like {repository} is not a valid chart repository or cannot be reached: \
                 {error}"
            )
        })?;
        // Helm reads the index once more, from a file with a random name that it has gone to by then.
        let name_of_copy = STANDARD
            .encode(rand::random::<[u8; 20]>())
            .replace('/', "-");
        let folder = settings::base("HELM_CACHE_HOME", "XDG_CACHE_HOME", &[".cache"]);
        let copy = folder.join(format!("repository/{name_of_copy}-index.yaml"));
        index.tell(&copy.to_string_lossy(), self.log);
        let mut shown = format!("chart {}", go_quoted(name));
        if !version.is_empty() {
            shown.push_str(&format!(" version {}", go_quoted(version)));
        }
        let entry = index
            .get(name, version, self.log)
            .map_err(|_| format!("{shown} not found in {repository} repository"))?;
        let first = entry
            .urls
            .first()
            .ok_or_else(|| format!("{shown} has no downloadable URLs"))?;
        url::resolve(repository, first)
            .map_err(|error| format!("failed to make chart URL absolute: {error}"))
    }

    // helm: pkg/repo/v1/chartrepo.go DownloadIndexFile
    fn fetch_index(&self, repository: &str) -> Result<Index, String> {
        let place = url::resolve(repository, "index.yaml")?;
        let asking = Asking {
            home: repository.to_owned(),
            username: self.origin.username.clone(),
            password: self.origin.password.clone(),
            pass_credentials: self.origin.pass_credentials,
            tls: self.origin.tls(),
            accept: None,
        };
        let bytes = if repository.starts_with("oci://") {
            self.registry(true)?.pull(&place)?
        } else {
            self.getter.get(&place, &asking)?
        };
        Index::load(&bytes, repository, self.log)
    }

    // helm: pkg/downloader/chart_downloader.go DownloadToCache
    fn to_cache(&self, reference: &str, version: &str, asking: Asking) -> Result<PathBuf, String> {
        if self.settings.content_cache.is_empty() {
            return Err("content cache must be set".to_owned());
        }
        self.log.debug("set up default downloader cache", &[]);
        let found = self.find(reference, version, asking)?;
        match found.url.scheme.as_str() {
            "http" | "https" | "oci" => {}
            other => return Err(format!("scheme {} not supported", go_quoted(other))),
        }
        let declared = declared(&found.digest)?;
        if let Some(digest) = &declared {
            let path = self.cached(digest);
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_dir() => return Err("is a directory".to_owned()),
                Ok(metadata) if metadata.len() > 0 => {
                    let told = [("id", found.digest.as_str())];
                    self.log.debug("found chart in cache", &told);
                    return absolute(&path);
                }
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    let path = path.to_string_lossy().into_owned();
                    let action = "stat";
                    return Err(PathError {
                        action,
                        path,
                        error,
                    }
                    .to_string());
                }
                _ => {}
            }
        }
        let told = [("ref", reference), ("version", version)];
        self.log.debug("attempting to download chart", &told);
        let bytes = self.fetch(&found)?;
        // Helm keeps the bytes under the digest that was declared, whatever theirs is. A manifest's
        // digest is that of no archive, so it may be right; an archive's must be.
        let own = Digest::of(&bytes).hex();
        let key = match declared {
            Some(digest) if found.url.scheme == "oci" => digest,
            _ => own,
        };
        let path = self.cached(&key);
        write(&path, &bytes)?;
        let told = [("id", key.as_str())];
        self.log.debug("put downloaded chart in cache", &told);
        absolute(&path)
    }

    fn fetch(&self, found: &Found) -> Result<Bytes, String> {
        let url = found.url.to_string();
        if found.url.scheme == "oci" {
            return self.registry(false)?.pull(&url);
        }
        self.getter.get(&url, &found.asking)
    }

    // helm: pkg/downloader/cache.go fileName
    fn cached(&self, digest: &str) -> PathBuf {
        let folder = Path::new(&self.settings.content_cache);
        let start = digest.get(..2).unwrap_or_default();
        folder.join(start).join(format!("{digest}.chart"))
    }

    // helm: pkg/downloader/chart_downloader.go ResolveChartVersion
    fn find(&self, reference: &str, version: &str, mut asking: Asking) -> Result<Found, String> {
        let url =
            Url::parse(reference).map_err(|_| format!("invalid chart URL format: {reference}"))?;
        if url.to_string().starts_with("oci://") {
            let registry = self.registry(false)?;
            let resolved = registry.resolve(reference, version, &url)?;
            return Ok(Found {
                digest: resolved.digest,
                url: Url::parse(&resolved.url)?,
                asking,
            });
        }
        let known = repositories::load(self.settings)?;
        if !url.scheme.is_empty() && !url.host().is_empty() && !url.path().is_empty() {
            asking.home = reference.to_owned();
            if let Some(owner) = self.owner(&url, &known)? {
                asking.of_repository(&owner);
            }
            return Ok(Found {
                digest: String::new(),
                url,
                asking,
            });
        }
        let path = url.path();
        let Some((repository, chart)) = path.split_once('/') else {
            return Err(format!(
                "non-absolute URLs should be in form of repo_name/path_to_chart, got: {url}"
            ));
        };
        let entry = known
            .iter()
            .find(|known| known.name == repository)
            .ok_or_else(|| format!("repo {repository} not found"))?;
        if entry.url.is_empty() {
            return Err(format!("no URL found for repository {repository}"));
        }
        entry.check()?;
        asking.of_repository(entry);
        let index = entry.index(self.settings, self.log)?;
        let version = index.get(chart, version, self.log).map_err(|error| {
            format!(
                "chart {} matching {version} not found in {} index. (try 'helm repo update'): \
                 {error}",
                go_quoted(chart),
                entry.name
            )
        })?;
        let first = version.urls.first();
        let first = first
            .ok_or_else(|| format!("chart {} has no downloadable URLs", go_quoted(reference)))?;
        let resolved = url::resolve(&entry.url, first)
            .map_err(|_| format!("invalid chart URL format: {reference}"))?;
        Ok(Found {
            digest: version.digest.clone(),
            url: Url::parse(&resolved)?,
            asking,
        })
    }

    /// The repository whose index names a URL: its login and its files count for it.
    // helm: pkg/downloader/chart_downloader.go scanReposForURL
    fn owner(&self, url: &Url, known: &[Repository]) -> Result<Option<Repository>, String> {
        for repository in known {
            repository.check()?;
            let index = repository.index(self.settings, self.log)?;
            let mut urls = index.urls();
            let names = urls.any(|known| Url::parse(known).is_ok_and(|known| known.is_same(url)));
            if names {
                return Ok(Some(repository.clone()));
            }
        }
        Ok(None)
    }

    /// The client for registries.
    // helm: pkg/cmd/root.go newRegistryClient
    fn registry(&self, quiet: bool) -> Result<Registry<'a>, String> {
        let tls = self.origin.tls();
        let (username, password) = (&self.origin.username, &self.origin.password);
        let known = !username.is_empty() && !password.is_empty();
        Ok(Registry {
            getter: self.getter,
            // A client with TLS files never speaks plain HTTP.
            plain_http: self.origin.plain_http && !tls.matter(),
            tls,
            logins: Logins {
                given: known.then(|| Credentials::Basic {
                    username: username.clone(),
                    password: password.clone(),
                }),
                files: login_files(&self.settings.registry_config)?,
            },
            quiet,
        })
    }
}

impl Asking {
    fn of_repository(&mut self, repository: &Repository) {
        self.home.clone_from(&repository.url);
        let TlsFiles {
            certificate,
            key,
            ca,
            ..
        } = &repository.tls;
        if !certificate.is_empty() || !key.is_empty() || !ca.is_empty() {
            self.tls = TlsFiles {
                insecure: self.tls.insecure,
                ..repository.tls.clone()
            };
        }
        if !repository.username.is_empty() && !repository.password.is_empty() {
            self.username.clone_from(&repository.username);
            self.password.clone_from(&repository.password);
            self.pass_credentials = repository.pass_credentials;
        }
    }
}

/// A file of values that is named by an `oci://` URL.
// helm: pkg/getter/ocigetter.go
pub(super) fn value_of_registry(url: &str, getter: &Getter) -> Result<Bytes, String> {
    let config = settings::base("HELM_CONFIG_HOME", "XDG_CONFIG_HOME", &[".config"]);
    let config = config.join("registry/config.json");
    let registry = Registry {
        getter,
        tls: TlsFiles::default(),
        plain_http: false,
        logins: Logins {
            given: None,
            files: login_files(&config.to_string_lossy())?,
        },
        quiet: true,
    };
    registry.pull(url)
}

/// Helm's file of logins, and after it Docker's.
// helm: pkg/registry/client.go NewClient
pub(super) fn login_files(path: &str) -> Result<Vec<Credentials>, String> {
    let docker = match std::env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".docker"),
    };
    let mut files = Vec::new();
    files.extend(login_file(Path::new(path))?);
    // Docker's own may be of any form: what cannot be read there is not missed.
    files.extend(login_file(&docker.join("config.json")).ok().flatten());
    Ok(files)
}

// oras-go: registry/remote/credentials/internal/config/config.go Load
fn login_file(path: &Path) -> Result<Option<Credentials>, String> {
    let shown = path.display();
    let failed = |reason: String| {
        format!("failed to decode config file {shown}: invalid config format: {reason}")
    };
    let json = match files::read(&path.to_string_lossy()) {
        Ok(json) => json,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) if error.action == "read" => return Err(failed(error.to_string())),
        Err(error) => return Err(format!("failed to open config file at {shown}: {error}")),
    };
    if json.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    pintle::sprig::json::decode(&json).map_err(|error| failed(error.message))?;
    match DockerConfig::parse(&json) {
        Ok(config) => Ok(Some(Credentials::Docker(config))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The 64 digits of a digest that an index declares.
fn declared(digest: &str) -> Result<Option<String>, String> {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    let digit = |c: char| c.is_ascii_hexdigit();
    // go: encoding/hex DecodeString
    let failed = |reason: String| Err(format!("unable to decode digest: encoding/hex: {reason}"));
    if let Some(other) = hex.chars().find(|c| !digit(*c)) {
        let code = u32::from(other);
        return failed(format!("invalid byte: U+{code:04X} '{other}'"));
    }
    if hex.len() % 2 == 1 {
        return failed("odd length hex string".to_owned());
    }
    match hex.len() {
        _ if digest.is_empty() => Ok(None),
        64 => Ok(Some(hex.to_lowercase())),
        0 => Err("invalid digest length: 0".to_owned()),
        length => Err(format!("invalid digest length: {}", length / 2)),
    }
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| go_error(&error))
}

/// Writes aside and renames, so that no reader ever sees a part.
fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    let shown = path.display();
    let folder = path.parent().unwrap_or(Path::new("."));
    make_folders(folder).map_err(|error| error.to_string())?;
    let aside = path.with_extension(format!("{}.part", std::process::id()));
    let written = fs::write(&aside, bytes).and_then(|()| fs::rename(&aside, path));
    written.map_err(|error| {
        let _ = fs::remove_file(&aside);
        format!("open {shown}: {}", go_error(&error))
    })
}
