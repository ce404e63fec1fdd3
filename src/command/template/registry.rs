//! Charts in OCI registries, as Helm pulls them: which tag a version means, and what it names.
// helm: pkg/registry; oras-go

use std::thread;
use std::time::Duration;

use bytes::Bytes;
use pintle::semver::{Constraint, Version};
use pintle::source::{Credentials, Digest, Get, LoginWhen, Part, Reply};
use serde_json::Value;

use super::access::TlsFiles;
use super::getter::{Failure, Getter, status_text};
use super::url::Url;
use super::{Failed, network};
use crate::command::flags::go_quoted;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const LEGACY_CHART: &str = "application/tar+gzip";

/// oras-go: registry/remote/manifest.go defaultManifestMediaTypes
const ACCEPT: &str = "application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.oci.artifact.manifest.v1+json";

/// Manifests within manifests.
const DEPTH: usize = 8;
/// Pages of a list of tags.
const PAGES: usize = 1000;

/// A client for registries, and what it says while it works.
pub(super) struct Registry<'a> {
    pub(super) getter: &'a Getter,
    pub(super) tls: TlsFiles,
    pub(super) plain_http: bool,
    pub(super) logins: Logins,
    /// Whether it tells what it pulled.
    pub(super) quiet: bool,
}

/// Where logins come from.
pub(super) struct Logins {
    /// One for every host.
    pub(super) given: Option<Credentials>,
    /// Helm's file of logins, then Docker's.
    pub(super) files: Vec<Credentials>,
}

/// `host/repository:tag` or `host/repository@digest`.
// oras-go: registry/reference.go; helm: pkg/registry/reference.go
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    host: String,
    repository: String,
    tag: String,
    digest: String,
}

impl Reference {
    /// Helm's own reading: a plus in the tag becomes an underscore.
    // helm: pkg/registry/reference.go newReference
    fn new(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix("oci://").unwrap_or(text);
        let (mut raw, digest) = match text.rsplit_once('@') {
            Some((raw, digest)) => (raw.to_owned(), digest),
            None => (text.to_owned(), ""),
        };
        if let Some((_, tag)) = raw.rsplit_once(':')
            && !tag.contains('/')
            && !tag.is_empty()
        {
            raw = raw.replace(tag, &tag.replace('+', "_"));
        }
        let mut reference = Self::parse(&raw)?;
        reference.digest = digest.to_owned();
        Ok(reference)
    }

    // oras-go: registry/reference.go ParseReference
    fn parse(text: &str) -> Result<Self, String> {
        let invalid = |reason: String| Err(format!("invalid reference: {reason}"));
        let Some((host, path)) = text.split_once('/') else {
            return invalid("missing registry or repository".to_owned());
        };
        let (repository, tag, digest) = match path.split_once('@') {
            Some((named, digest)) => (named.split(':').next().unwrap_or_default(), "", digest),
            None => match path.split_once(':') {
                Some((repository, tag)) => (repository, tag, ""),
                None => (path, "", ""),
            },
        };
        let is_host = Url::parse(&format!("dummy://{host}"))
            .is_ok_and(|url| !host.is_empty() && url.host() == host);
        if !is_host {
            return invalid(format!("invalid registry {}", go_quoted(host)));
        }
        if !repository.split('/').all(is_repository_part) {
            return invalid(format!("invalid repository {}", go_quoted(repository)));
        }
        if !tag.is_empty() && !is_tag(tag) {
            return invalid(format!("invalid tag {}", go_quoted(tag)));
        }
        let reference = Self {
            host: host.to_owned(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
            digest: digest.to_owned(),
        };
        reference.check_digest()?;
        Ok(reference)
    }

    // oras-go: registry/reference.go ValidateReferenceAsDigest
    fn check_digest(&self) -> Result<(), String> {
        let digest = &self.digest;
        if digest.is_empty() || !self.tag.is_empty() {
            return Ok(());
        }
        check_digest(digest).map_err(|reason| {
            let digest = go_quoted(digest);
            format!("invalid reference: invalid digest {digest}: {reason}")
        })
    }

    // helm: pkg/registry/reference.go String
    fn shown(&self) -> String {
        let Self {
            host, repository, ..
        } = self;
        match (self.tag.as_str(), self.digest.as_str()) {
            ("", "") => format!("{host}/{repository}@"),
            ("", digest) => format!("{host}/{repository}@{digest}"),
            (tag, _) => format!("{host}/{repository}:{tag}"),
        }
    }

    /// The tag, or else the digest.
    fn wanted(&self) -> &str {
        if self.tag.is_empty() {
            &self.digest
        } else {
            &self.tag
        }
    }
}

/// Letters and digits, with separators between them.
fn is_repository_part(part: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = part.as_bytes();
    let edges = bytes.first().is_some_and(plain) && bytes.last().is_some_and(plain);
    let between = part
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|mark| matches!(mark, "" | "." | "_" | "__") || mark.bytes().all(|b| b == b'-'));
    edges && between
}

fn is_tag(tag: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    tag.len() <= 128
        && tag.starts_with(word)
        && tag.chars().all(|c| word(c) || c == '.' || c == '-')
}

// go-digest: digest.go Validate
fn check_digest(digest: &str) -> Result<(), String> {
    let (algorithm, hex) = digest
        .split_once(':')
        .filter(|(algorithm, hex)| !algorithm.is_empty() && !hex.is_empty())
        .ok_or("invalid checksum digest format")?;
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err("unsupported digest algorithm".to_owned()),
    };
    if hex.len() != length {
        return Err("invalid checksum digest length".to_owned());
    }
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if hex.bytes().all(lower) {
        Ok(())
    } else {
        Err("invalid checksum digest format".to_owned())
    }
}

/// Content that is named by digest.
#[derive(Clone)]
struct Descriptor {
    kind: String,
    digest: String,
    size: u64,
}

impl Descriptor {
    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            kind: value["mediaType"].as_str()?.to_owned(),
            digest: value["digest"].as_str()?.to_owned(),
            size: value["size"].as_u64()?,
        })
    }
}

/// What a version of a chart is found to be.
pub(super) struct Resolved {
    /// The digest of its manifest, if it was named with a tag that means the same.
    pub(super) digest: String,
    /// `oci://host/repository:tag`
    pub(super) url: String,
}

impl Registry<'_> {
    /// The tag that a version, a range of versions or nothing means.
    // helm: pkg/registry/client.go ValidateReference
    pub(super) fn resolve(
        &self,
        reference: &str,
        version: &str,
        url: &Url,
    ) -> Result<Resolved, String> {
        let named = Reference::new(&format!("{}{}", url.host(), url.path()))?;
        if !version.is_empty() && !named.tag.is_empty() && named.tag != version {
            return Err(format!(
                "chart reference and version mismatch: {version} is not {}",
                named.tag
            ));
        }
        let version = if version.is_empty() {
            named.tag.as_str()
        } else {
            version
        };
        if !named.digest.is_empty() {
            return self.resolve_digest(&named, version, url);
        }
        let tag = if Version::parse(version).is_ok() {
            version.to_owned()
        } else {
            let place = reference.strip_prefix("oci://").unwrap_or(reference);
            let tags = self.tags(place)?;
            if tags.is_empty() {
                return Err(format!(
                    "unable to locate any tags in provided repository: {reference}"
                ));
            }
            choose(&tags, version)?
        };
        Ok(Resolved {
            digest: String::new(),
            url: url
                .with_path(format!("{}:{tag}", named.repository))
                .to_string(),
        })
    }

    fn resolve_digest(
        &self,
        named: &Reference,
        version: &str,
        url: &Url,
    ) -> Result<Resolved, String> {
        let mut resolved = Resolved {
            digest: String::new(),
            url: url.to_string(),
        };
        if version.is_empty() {
            return Ok(resolved);
        }
        let path = format!("{}@{}", named.repository, named.digest);
        resolved.url = url.with_path(path).to_string();
        let tagged = format!("{}/{}:{version}", named.host, named.repository);
        let tagged = Reference::new(&tagged).and_then(|tagged| self.manifest(&tagged));
        // What is named by digest need not have a tag.
        let Ok((manifest, _)) = tagged else {
            return Ok(resolved);
        };
        if manifest.digest != named.digest {
            return Err(format!(
                "chart reference digest mismatch: {} is not {}",
                manifest.digest, named.digest
            ));
        }
        resolved.digest = named.digest.clone();
        Ok(resolved)
    }

    /// All tags that are versions, the newest first.
    // helm: pkg/registry/client.go Tags
    fn tags(&self, place: &str) -> Result<Vec<String>, String> {
        let reference = Reference::parse(place)?;
        let mut url = self.url(&reference, "tags/list")?;
        let mut versions: Vec<Version> = Vec::new();
        for _ in 0..PAGES {
            let reply = self.ask(&reference, &url, "*/*", Part::Manifest)?;
            if reply.status != 200 {
                return Err(refusal(&url, &reply));
            }
            let page: Value = serde_json::from_slice(&reply.body).map_err(|error| {
                let url = go_quoted(&url);
                format!("GET {url}: failed to decode response: {error}")
            })?;
            let tags = page["tags"].as_array().into_iter().flatten();
            let tags = tags.filter_map(Value::as_str);
            versions
                .extend(tags.filter_map(|tag| Version::parse_strict(&tag.replace('_', "+")).ok()));
            match next_page(&url, &reply)? {
                Some(next) => url = next,
                None => break,
            }
        }
        versions.sort_by(|a, b| b.cmp(a));
        Ok(versions.iter().map(Version::to_string).collect())
    }

    /// The chart's archive; what was pulled is told on standard error.
    // helm: pkg/registry/client.go Pull, processChartPull
    pub(super) fn pull(&self, url: &str) -> Result<Bytes, String> {
        let reference = Reference::new(url)?;
        reference.check_digest()?;
        let (root, body) = self
            .manifest(&reference)
            .map_err(|error| format!("failed to perform \"FetchReference\" on source: {error}"))?;
        let mut found = Vec::new();
        self.walk(&reference, &root, &body, 0, &mut found)?;
        if found.len() < 2 {
            return Err(format!(
                "manifest does not contain minimum number of descriptors (2), descriptors found: \
                 {}",
                found.len()
            ));
        }
        let last = |kinds: &[&str]| {
            let of_kind = |content: &&Descriptor| kinds.contains(&content.kind.as_str());
            found.iter().rev().find(of_kind)
        };
        for legacy in found.iter().filter(|content| content.kind == LEGACY_CHART) {
            self.tell(&format!(
                "Warning: chart media type {} is deprecated",
                legacy.kind
            ));
        }
        let config = last(&[CONFIG])
            .ok_or_else(|| format!("could not load config with mediatype {CONFIG}"))?;
        let chart = last(&[CHART, LEGACY_CHART])
            .ok_or_else(|| format!("manifest does not contain a layer with mediatype {CHART}"))?;
        let config = self.blob(&reference, config)?;
        serde_json::from_slice::<Value>(&config).map_err(|error| error.to_string())?;
        let archive = self.blob(&reference, chart)?;
        let shown = reference.shown();
        self.tell(&format!("Pulled: {shown}\nDigest: {}", root.digest));
        if shown.contains('_') {
            self.tell(&format!("{shown} contains an underscore.\n{UNDERSCORE}"));
        }
        Ok(archive)
    }

    fn tell(&self, text: &str) {
        if !self.quiet {
            eprintln!("{text}");
        }
    }

    /// Collects what a manifest names, of the kinds that a chart consists of.
    // oras-go: content/graph.go Successors
    fn walk(
        &self,
        reference: &Reference,
        node: &Descriptor,
        body: &[u8],
        depth: usize,
        found: &mut Vec<Descriptor>,
    ) -> Result<(), String> {
        if depth > DEPTH {
            return Err("manifests are nested too deeply".to_owned());
        }
        let manifest: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let list = |name: &str| manifest[name].as_array().cloned().unwrap_or_default();
        let mut named = vec![manifest["config"].clone()];
        named.extend(list("layers"));
        named.extend(list("manifests"));
        for content in named.iter().filter_map(Descriptor::read) {
            match content.kind.as_str() {
                MANIFEST | INDEX => {
                    let part = Reference {
                        tag: String::new(),
                        digest: content.digest.clone(),
                        ..reference.clone()
                    };
                    let (_, body) = self.manifest(&part).map_err(|error| {
                        format!("failed to perform \"FindSuccessors\" on source: {error}")
                    })?;
                    self.walk(reference, &content, &body, depth + 1, found)?;
                }
                CONFIG | CHART | LEGACY_CHART => found.push(content),
                _ => {}
            }
        }
        if matches!(node.kind.as_str(), MANIFEST | INDEX) {
            found.push(node.clone());
        }
        Ok(())
    }

    /// What a tag or digest names.
    // oras-go: registry/remote/repository.go FetchReference
    fn manifest(&self, reference: &Reference) -> Result<(Descriptor, Bytes), String> {
        let wanted = reference.wanted();
        if wanted.is_empty() {
            return Err("invalid reference".to_owned());
        }
        let url = self.url(reference, &format!("manifests/{wanted}"))?;
        let reply = self.ask(reference, &url, ACCEPT, Part::Manifest)?;
        match reply.status {
            200 => {}
            404 => return Err(format!("{}: not found", reference.shown())),
            _ => return Err(refusal(&url, &reply)),
        }
        let digest = Digest::of(&reply.body).to_string();
        let announced = reply.header("docker-content-digest");
        let pinned = reference.tag.is_empty().then_some(wanted);
        for expected in announced.into_iter().chain(pinned) {
            if expected.starts_with("sha256:") && expected != digest {
                return Err(format!(
                    "GET {}: invalid response; digest mismatch in Docker-Content-Digest: received \
                     {} when expecting {}",
                    go_quoted(&url),
                    go_quoted(&digest),
                    go_quoted(expected)
                ));
            }
        }
        let kind = reply.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
        let size = reply.body.len() as u64;
        let descriptor = Descriptor { kind, digest, size };
        Ok((descriptor, reply.body))
    }

    /// Bytes that are exactly those that the manifest names.
    // oras-go: registry/remote/repository.go blobStore.Fetch
    fn blob(&self, reference: &Reference, content: &Descriptor) -> Result<Bytes, String> {
        let failed = |reason: String| format!("failed to perform \"Fetch\" on source: {reason}");
        let digest = &content.digest;
        let url = self.url(reference, &format!("blobs/{digest}"))?;
        let reply = self
            .ask(reference, &url, "*/*", Part::Archive)
            .map_err(failed)?;
        match reply.status {
            200 => {}
            404 => return Err(failed(format!("{digest}: not found"))),
            _ => return Err(failed(refusal(&url, &reply))),
        }
        let found = Digest::of(&reply.body).to_string();
        if reply.body.len() as u64 != content.size || found != *digest {
            return Err(format!(
                "failed to perform \"Push\" on destination: {digest}: the registry sent other \
                 bytes ({found})"
            ));
        }
        Ok(reply.body)
    }

    // oras-go: registry/remote/url.go
    fn url(&self, reference: &Reference, rest: &str) -> Result<String, String> {
        let scheme = if self.plain_http { "http" } else { "https" };
        let host = match reference.host.as_str() {
            "docker.io" => "registry-1.docker.io",
            host => host,
        };
        Ok(format!(
            "{scheme}://{host}/v2/{}/{rest}",
            reference.repository
        ))
    }

    /// Asks, and again if the registry is busy.
    // oras-go: registry/remote/retry/policy.go
    fn ask(
        &self,
        reference: &Reference,
        url: &str,
        accept: &'static str,
        part: Part,
    ) -> Result<Reply, String> {
        let parsed = url::Url::parse(url).map_err(|error| format!("parse \"{url}\": {error}"))?;
        let credentials = self.logins.of(&parsed, &reference.repository);
        let get = Get {
            url: &parsed,
            accept,
            part,
            credentials: credentials.as_ref(),
            login: LoginWhen::Asked(&reference.repository),
        };
        let mut wait = Duration::from_millis(200);
        for attempt in 0.. {
            let reply = match self.getter.ask(&self.tls, &get) {
                Ok(reply) => reply,
                Err(Failure::Own(reason)) => return Err(reason),
                Err(Failure::Network(error)) => return Err(network::words(url, &error)),
            };
            let busy = matches!(reply.status, 408 | 429 | 500..);
            // A client with TLS files of its own does not try again.
            if !busy || attempt == 5 || self.tls.matter() {
                return check_login(url, reply, credentials.is_some());
            }
            thread::sleep(wait);
            wait = (wait * 2).min(Duration::from_secs(3));
        }
        Err(format!("GET {}: no answer", go_quoted(url)))
    }
}

// oras-go: registry/remote/auth/client.go fetchBasicAuth
fn check_login(url: &str, reply: Reply, known: bool) -> Result<Reply, String> {
    let challenge = reply.header("www-authenticate").unwrap_or_default();
    let basic = challenge
        .get(..5)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
    if reply.status == 401 && basic && !known {
        let url = go_quoted(url);
        return Err(format!("GET {url}: basic credential not found"));
    }
    Ok(reply)
}

impl Logins {
    fn of(&self, url: &url::Url, repository: &str) -> Option<Credentials> {
        let files = || self.files.iter().find(|file| file.knows(url, repository));
        self.given.clone().or_else(|| files().cloned())
    }
}

/// The next page of a list.
// oras-go: registry/remote/utils.go parseLink
fn next_page(url: &str, reply: &Reply) -> Result<Option<String>, String> {
    let Some(link) = reply.header("link").filter(|link| !link.is_empty()) else {
        return Ok(None);
    };
    let invalid = |reason: &str| format!("invalid next link {}: {reason}", go_quoted(link));
    let rest = link
        .strip_prefix('<')
        .ok_or_else(|| invalid("missing '<'"))?;
    let (target, _) = rest.split_once('>').ok_or_else(|| invalid("missing '>'"))?;
    let base = url::Url::parse(url).map_err(|error| error.to_string())?;
    let next = base.join(target).map_err(|error| error.to_string())?;
    if next.origin() != base.origin() {
        let url = go_quoted(url);
        return Err(invalid(&format!("not the same origin as {url}")));
    }
    Ok(Some(next.into()))
}

/// The first tag that is the version, or lies within the range; they are sorted.
// helm: pkg/registry/tag.go GetTagMatchingVersionOrConstraint
fn choose(tags: &[String], version: &str) -> Result<String, String> {
    if !version.is_empty()
        && let Some(tag) = tags.iter().find(|tag| *tag == version)
    {
        return Ok(tag.clone());
    }
    let range = if version.is_empty() { "*" } else { version };
    let range = Constraint::parse(range).map_err(|error| Failed::of(&error).0)?;
    let within = |tag: &&String| Version::parse(tag).is_ok_and(|version| range.check(&version));
    tags.iter().find(within).cloned().ok_or_else(|| {
        format!("could not locate a version matching provided version string {version}")
    })
}

/// What a registry says about an error.
// oras-go: registry/remote/errcode/errors.go
fn refusal(url: &str, reply: &Reply) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let words: Vec<String> = errors
        .iter()
        .map(|error| {
            let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
            let code = text("code").replace('_', " ").to_lowercase();
            match (text("message").as_str(), &error["detail"]) {
                ("", _) => code,
                (message, Value::Null) => format!("{code}: {message}"),
                (message, detail) => format!("{code}: {message}: {}", go_shown(detail)),
            }
        })
        .collect();
    let words = if words.is_empty() {
        let text = status_text(reply.status);
        text.split_once(' ')
            .map_or(String::new(), |(_, text)| text.to_owned())
    } else {
        words.join("; ")
    };
    let (url, status) = (go_quoted(url), reply.status);
    format!("GET {url}: response status code {status}: {words}")
}

/// Go's `%v` of what it read from JSON.
fn go_shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(go_shown).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{name}:{}", go_shown(value));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("map[{}]", fields.join(" "))
        }
        other => other.to_string(),
    }
}

/// helm: pkg/registry/client.go registryUnderscoreMessage
const UNDERSCORE: &str = "
OCI artifact references (e.g. tags) do not support the plus sign (+). To support
storing semantic versions, Helm adopts the convention of changing plus (+) to
an underscore (_) in chart version tags when pushing to a registry and back to
a plus (+) when pulling from a registry.";
