//! Logins, and which of them a host gets. Their text is never shown, not even by `Debug`.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use reqwest::header::HeaderValue;
use serde::Deserialize;
use url::Url;

use super::cloud::Cloud;
use super::error::Error;

/// A login as a Secret holds it.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// User and password, for the repository's own host.
    Basic {
        /// The user; not empty.
        username: String,
        /// The password, or whatever the server takes in its place.
        password: String,
    },
    /// A bearer token that the repository's own host takes as it is.
    Token(String),
    /// Logins by host, from a `kubernetes.io/dockerconfigjson` Secret.
    Docker(DockerConfig),
    /// What this cloud lends to the controller itself.
    Cloud(Cloud),
}

/// The logins of a `.dockerconfigjson`, found by host and path as the kubelet finds them.
#[derive(Clone, PartialEq, Eq)]
pub struct DockerConfig {
    /// Longest pattern first.
    entries: Vec<(Pattern, Login)>,
}

/// What one host is given.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Login {
    Basic {
        username: String,
        password: String,
    },
    Bearer(String),
    /// An OAuth2 refresh token (`identitytoken`), good for the token server alone.
    Refresh(String),
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    path: String,
    host: String,
    /// Empty for the scheme's own.
    port: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    username: String,
    password: String,
    auth: String,
    identitytoken: String,
    registrytoken: String,
}

impl Credentials {
    /// The login for a host (`host` or `host:port`, as in the reference) and a path on it.
    pub(super) fn login(&self, authority: &str, path: &str) -> Option<Login> {
        match self {
            Self::Basic { username, password } => Some(Login::Basic {
                username: username.clone(),
                password: password.clone(),
            }),
            // A Secret made from a file keeps the newline at its end.
            Self::Token(token) => Some(Login::Bearer(token.trim().to_owned())),
            Self::Docker(config) => config.find(authority, path).cloned(),
            // It is exchanged for a login before any request.
            Self::Cloud(_) => None,
        }
    }

    /// Whether there is a login for a path on the URL's host.
    pub fn knows(&self, url: &Url, path: &str) -> bool {
        self.login(&authority(url), path).is_some()
    }

    /// Everything that tells this login from another, for a keyed sum.
    pub(super) fn parts(&self) -> Vec<&str> {
        match self {
            Self::Basic { username, password } => vec!["basic", username, password],
            Self::Token(token) => vec!["token", token],
            Self::Cloud(Cloud::Aws) => vec!["cloud", "aws"],
            Self::Cloud(Cloud::Google) => vec!["cloud", "google"],
            Self::Cloud(Cloud::Azure) => vec!["cloud", "azure"],
            Self::Docker(config) => {
                let mut parts = vec!["docker"];
                for (pattern, login) in &config.entries {
                    parts.extend([pattern.host.as_str(), &pattern.port, &pattern.path]);
                    match login {
                        Login::Basic { username, password } => {
                            parts.extend(["basic", username, password])
                        }
                        Login::Bearer(token) => parts.extend(["bearer", token]),
                        Login::Refresh(token) => parts.extend(["refresh", token]),
                    }
                }
                parts
            }
        }
    }
}

impl DockerConfig {
    /// Reads the JSON of a `.dockerconfigjson`. Entries without a login are left out.
    pub fn parse(json: &[u8]) -> Result<Self, Error> {
        // serde_json's own words may quote the input.
        let invalid = |reason| Error::InvalidCredentials { reason };
        let file: File = serde_json::from_slice(json)
            .map_err(|_| invalid("the docker configuration is not JSON with an object `auths`"))?;
        let mut entries = Vec::new();
        for (key, entry) in file.auths {
            let pattern = Pattern::parse(&key)
                .ok_or_else(|| invalid("the docker configuration has a key that is not a host"))?;
            if let Some(login) = entry.login()? {
                entries.push((pattern, login));
            }
        }
        // k8s: pkg/credentialprovider/keyring.go Add: the most specific path first.
        entries.sort_by(|(a, _), (b, _)| b.cmp(a));
        Ok(Self { entries })
    }

    /// Reads the JSON of an older `.dockercfg`: the same entries, without an object around them.
    pub fn parse_older(json: &[u8]) -> Result<Self, Error> {
        let entries: serde_json::Value =
            serde_json::from_slice(json).map_err(|_| Error::InvalidCredentials {
                reason: "the .dockercfg is not JSON",
            })?;
        Self::parse(
            serde_json::json!({ "auths": entries })
                .to_string()
                .as_bytes(),
        )
    }

    /// The logins of several, of which the first counts where two are for the same.
    pub fn join(configs: impl IntoIterator<Item = Self>) -> Self {
        let mut entries: Vec<_> = configs
            .into_iter()
            .flat_map(|config| config.entries)
            .collect();
        // The order of equals stays.
        entries.sort_by(|(a, _), (b, _)| b.cmp(a));
        Self { entries }
    }

    /// One host's login, whatever the path.
    pub(super) fn of_host(authority: &str, login: Login) -> Option<Self> {
        Some(Self {
            entries: vec![(Pattern::parse(authority)?, login)],
        })
    }

    fn find(&self, authority: &str, path: &str) -> Option<&Login> {
        let target = Pattern::parse(&format!("{authority}/{path}"))?;
        self.entries
            .iter()
            .find(|(pattern, _)| pattern.covers(&target))
            .map(|(_, login)| login)
    }
}

impl Entry {
    fn login(self) -> Result<Option<Login>, Error> {
        if !self.registrytoken.is_empty() {
            return Ok(Some(Login::Bearer(self.registrytoken)));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Some(Login::Refresh(self.identitytoken)));
        }
        if self.auth.is_empty() {
            let known = !self.username.is_empty() || !self.password.is_empty();
            return Ok(known.then_some(Login::Basic {
                username: self.username,
                password: self.password,
            }));
        }
        let invalid = Error::InvalidCredentials {
            reason: "an `auth` of the docker configuration is not base64 of user:password",
        };
        let text = self.auth.trim();
        let engine = if text.ends_with('=') {
            STANDARD
        } else {
            STANDARD_NO_PAD
        };
        let decoded = engine
            .decode(text)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded.as_deref().and_then(|text| text.split_once(':')) {
            Some((username, password)) => Ok(Some(Login::Basic {
                username: username.to_owned(),
                // docker: cli/config/configfile decodeAuth: old files end in a zero byte.
                password: password.trim_end_matches('\0').to_owned(),
            })),
            None => Err(invalid),
        }
    }
}

impl Pattern {
    /// A host with an optional scheme, port and path; `*` may stand in the host.
    fn parse(key: &str) -> Option<Self> {
        let rest = key
            .strip_prefix("https://")
            .or_else(|| key.strip_prefix("http://"))
            .unwrap_or(key);
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let colon = authority
            .rfind(':')
            .filter(|at| !authority[*at..].contains(']'));
        let (host, port) = match colon {
            Some(at) => (
                &authority[..at],
                authority[at + 1..].parse::<u16>().ok()?.to_string(),
            ),
            None => (authority, String::new()),
        };
        if host.is_empty() {
            return None;
        }
        // k8s: keyring.go Add: /v1/ and /v2/ are the host itself.
        let path = path.trim_matches('/');
        let path = ["v1", "v2"]
            .iter()
            .find_map(|api| {
                path.strip_prefix(api)
                    .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            })
            .unwrap_or(path);
        let host = match host.to_ascii_lowercase().as_str() {
            "docker.io" | "registry-1.docker.io" => "index.docker.io".to_owned(),
            other => other.to_owned(),
        };
        Some(Self {
            path: path.trim_matches('/').to_owned(),
            host,
            port,
        })
    }

    fn covers(&self, target: &Self) -> bool {
        // Unlike keyring.go, `team` does not cover `team-two`: a login must not reach a neighbour.
        let below = target
            .path
            .strip_prefix(self.path.as_str())
            .is_some_and(|rest| self.path.is_empty() || rest.is_empty() || rest.starts_with('/'));
        let mut ours = self.host.split('.');
        let mut theirs = target.host.split('.');
        let host = loop {
            match (ours.next(), theirs.next()) {
                (None, None) => break true,
                (Some(glob), Some(label)) if matches_label(glob, label) => {}
                _ => break false,
            }
        };
        below && host && self.port == target.port
    }
}

/// `*` in a label stands for any letters of that label.
fn matches_label(glob: &str, label: &str) -> bool {
    let mut pieces = glob.split('*');
    let Some(mut rest) = label.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    if !glob.contains('*') {
        return rest.is_empty();
    }
    let mut pieces = pieces.peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    true
}

/// The authority as a docker configuration would write it.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

impl Login {
    /// The header that gives this login to a server itself; a refresh token is for token servers.
    pub(super) fn authorization(&self) -> Result<Option<HeaderValue>, Error> {
        let text = match self {
            Self::Basic { username, password } => {
                format!(
                    "Basic {}",
                    STANDARD.encode(format!("{username}:{password}"))
                )
            }
            Self::Bearer(token) => format!("Bearer {token}"),
            Self::Refresh(_) => return Ok(None),
        };
        let mut value = HeaderValue::from_str(&text).map_err(|_| Error::InvalidCredentials {
            reason: "the token holds characters that a header cannot",
        })?;
        value.set_sensitive(true);
        Ok(Some(value))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(hidden)",
            Self::Token(_) => "Token(hidden)",
            Self::Docker(_) => "Docker(hidden)",
            Self::Cloud(_) => "Cloud",
        })
    }
}

impl fmt::Debug for DockerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DockerConfig(hidden)")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn user(config: &DockerConfig, authority: &str, path: &str) -> Option<String> {
        config.find(authority, path).map(|login| match login {
            Login::Basic { username, .. } => username.clone(),
            Login::Bearer(token) | Login::Refresh(token) => token.clone(),
        })
    }

    #[test]
    fn the_most_specific_host_and_path_wins() {
        let config = DockerConfig::parse(
            br#"{"auths": {
                "quay.io": {"username": "host", "password": "p"},
                "quay.io/team": {"username": "team", "password": "p"},
                "*.example.com": {"username": "glob", "password": "p"},
                "reg*try.example.org:5000": {"username": "port", "password": "p"},
                "https://index.docker.io/v1/": {"auth": "aHViOnNlY3JldDpwYXNz"},
                "https://api.example.net/v2/": {"identitytoken": "refresh"},
                "bearer.example.net": {"registrytoken": "bearer", "auth": "eDp5"},
                "empty.example.net": {}
            }}"#,
        )
        .unwrap();
        for (authority, path, expected) in [
            ("quay.io", "other/chart", Some("host")),
            ("quay.io", "team/chart", Some("team")),
            ("quay.io", "team-two/chart", Some("host")),
            ("quay.io:5000", "team", None),
            ("a.example.com", "x", Some("glob")),
            ("a.b.example.com", "x", None),
            ("registry.example.org:5000", "x", Some("port")),
            ("registry.example.org", "x", None),
            ("docker.io", "bitnamicharts/x", Some("hub")),
            ("registry-1.docker.io", "bitnamicharts/x", Some("hub")),
            ("api.example.net", "x", Some("refresh")),
            ("bearer.example.net", "x", Some("bearer")),
            ("empty.example.net", "x", None),
        ] {
            assert_eq!(
                user(&config, authority, path).as_deref(),
                expected,
                "{authority}/{path}"
            );
        }
        assert!(matches!(
            config.find("docker.io", "x"),
            Some(Login::Basic { password, .. }) if password == "secret:pass"
        ));
    }

    #[test]
    fn a_broken_file_is_refused_without_being_shown() {
        for json in [
            "hidden",
            r#"{"auths": "hidden"}"#,
            r#"{"auths": {"r": {"auth": "hidden!"}}}"#,
            r#"{"auths": {"r": {"auth": "aGlkZGVu"}}}"#,
            r#"{"auths": {"/hidden": {}}}"#,
            r#"{"auths": {"r:hidden": {}}}"#,
        ] {
            let refused = DockerConfig::parse(json.as_bytes())
                .unwrap_err()
                .to_string();
            assert!(!refused.contains("hidden"), "{refused}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let login = Credentials::Basic {
            username: "u".into(),
            password: "hunter2".into(),
        };
        assert_eq!(format!("{login:?}"), "Basic(hidden)");
    }
}
