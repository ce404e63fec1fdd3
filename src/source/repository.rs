//! Where charts live: `oci://host/path`, `https://host/path` or `git+https://host/path`, parsed once and
//! never holding a login.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::error::Error;

/// A place with charts: an OCI registry (`oci://`), a Helm repository (`https://`, and `http://`
/// where a chart reference is `insecure`) or a repository of git (the same after `git+`). A login in the URL is refused: it would end in logs.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Repository(Kind);

#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Registry(Registry),
    /// The folder that holds `index.yaml`; a query is kept, as Helm does.
    Index(Url),
    /// The repository of git, without a slash at its end.
    Git(Url),
}

/// A registry host and the path below which charts are named.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Registry {
    /// `host` or `host:port`.
    pub(super) authority: String,
    /// Without slashes at its ends; may be empty.
    pub(super) path: String,
}

impl Repository {
    /// The place of one request.
    pub(super) fn of_url(url: Url) -> Self {
        Self(Kind::Index(url))
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.0
    }
}

impl Kind {
    /// Everything that tells this place from another, the query included.
    pub(super) fn parts(&self) -> [&str; 3] {
        match self {
            Self::Registry(registry) => ["oci", &registry.authority, &registry.path],
            Self::Index(url) => ["index", url.as_str(), ""],
            Self::Git(url) => ["git", url.as_str(), ""],
        }
    }
}

impl Registry {
    /// The name of a chart's repository inside the registry: the path, a slash, the chart.
    pub(super) fn repository_of(&self, chart: &str) -> String {
        if self.path.is_empty() {
            chart.to_owned()
        } else {
            format!("{}/{chart}", self.path)
        }
    }

    /// The root of the registry's API, `https://host:port/v2/`.
    pub(super) fn api(&self, plain_http: bool) -> Result<Url, Error> {
        // oras-go: registry/reference.go Host: Docker Hub's API lives under another name.
        let authority = match self.authority.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            other => other,
        };
        let scheme = if plain_http { "http" } else { "https" };
        Url::parse(&format!("{scheme}://{authority}/v2/"))
            .map_err(|_| invalid(&self.to_string(), "the host cannot be understood"))
    }
}

impl FromStr for Repository {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.split_once("://") {
            Some(("oci", rest)) => parse_registry(text, rest).map(|r| Self(Kind::Registry(r))),
            Some(("https" | "http", _)) => parse_index(text).map(|u| Self(Kind::Index(u))),
            Some(("git+https" | "git+http", _)) => parse_git(text).map(|u| Self(Kind::Git(u))),
            Some(("git+ssh" | "ssh" | "git", _)) => Err(invalid(
                text,
                "git is spoken over git+https:// alone, with a token or a password as the login",
            )),
            _ => Err(invalid(
                text,
                "it must begin with oci://, https:// or git+https://",
            )),
        }
    }
}

fn parse_registry(text: &str, rest: &str) -> Result<Registry, Error> {
    // The rules of https:// for host and port are wanted; oci:// is opaque to the URL standard.
    let url = checked(text, &format!("https://{rest}"))?;
    if url.query().is_some() {
        return Err(invalid(text, "a registry takes no query"));
    }
    let host = url
        .host_str()
        .ok_or_else(|| invalid(text, "it names no host"))?;
    let written = rest.split('/').next().unwrap_or_default();
    let authority = match url.port() {
        Some(port) => format!("{host}:{port}"),
        // Parsed as https://, its own port vanishes; on plain HTTP it would become 80.
        None if written.ends_with(":443") => format!("{host}:443"),
        None => host.to_owned(),
    };
    let path = url.path().trim_matches('/').to_owned();
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !path.chars().all(plain) || path.contains("//") {
        return Err(invalid(
            text,
            "its path may hold letters, digits and . _ - / alone",
        ));
    }
    Ok(Registry { authority, path })
}

fn parse_index(text: &str) -> Result<Url, Error> {
    checked(text, text)
}

fn parse_git(text: &str) -> Result<Url, Error> {
    let mut url = checked(text, text.strip_prefix("git+").unwrap_or(text))?;
    if url.query().is_some() {
        return Err(invalid(text, "a repository of git takes no query"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

fn checked(text: &str, url: &str) -> Result<Url, Error> {
    let url = Url::parse(url).map_err(|_| invalid(text, "it is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid(text, "a login belongs in a Secret, not in the URL"));
    }
    if url.fragment().is_some() {
        return Err(invalid(text, "it must not have a fragment"));
    }
    Ok(url)
}

fn invalid(text: &str, reason: &'static str) -> Error {
    Error::InvalidRepository {
        text: without_login(text),
        reason,
    }
}

/// The text up to its query, without whatever stands before an `@`: a login may hold a slash.
fn without_login(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    match text.rsplit_once('@') {
        Some((login, host)) => match login.split_once("://") {
            Some((scheme, _)) => format!("{scheme}://{host}"),
            None => host.to_owned(),
        },
        None => text.to_owned(),
    }
}

/// A URL fit for people: no login, no query (it may be a signature), no fragment.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // These fail only for URLs that cannot have a host, and those have no login either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "oci://{}", self.authority)?;
        if self.path.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.path)
        }
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Registry(registry) => registry.fmt(f),
            Kind::Index(url) => f.write_str(shown(url).trim_end_matches('/')),
            Kind::Git(url) => write!(f, "git+{}", shown(url).trim_end_matches('/')),
        }
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn api(text: &str, plain: bool) -> String {
        match text.parse::<Repository>().unwrap().kind() {
            Kind::Registry(registry) => registry.api(plain).unwrap().into(),
            Kind::Index(url) | Kind::Git(url) => panic!("{url} is no registry"),
        }
    }

    #[test]
    fn a_registry_has_an_api() {
        assert_eq!(
            api("oci://r.example.com/charts", false),
            "https://r.example.com/v2/"
        );
        assert_eq!(
            api("oci://r.example.com:5000", true),
            "http://r.example.com:5000/v2/"
        );
        assert_eq!(
            api("oci://r.example.com:443/a/b/", true),
            "http://r.example.com:443/v2/"
        );
        assert_eq!(api("oci://[::1]:5000/a", true), "http://[::1]:5000/v2/");
        assert_eq!(
            api("oci://docker.io/bitnamicharts", false),
            "https://registry-1.docker.io/v2/"
        );
    }

    #[test]
    fn shows_what_was_written() {
        for text in [
            "oci://r.example.com:5000/a/b",
            "oci://r.example.com",
            "https://c.example.com/x",
            "git+https://c.example.com/x.git",
            "git+http://c.example.com:3000",
        ] {
            assert_eq!(text.parse::<Repository>().unwrap().to_string(), text);
        }
        let signed: Repository = "https://c.example.com/x/?sig=hidden".parse().unwrap();
        assert_eq!(format!("{signed:?}"), "https://c.example.com/x");
    }

    #[test]
    fn refuses_and_never_repeats_a_login() {
        for text in [
            "",
            "ftp://c.example.com",
            "r.example.com/charts",
            "oci://",
            "oci://user:hidden@r.example.com/charts",
            "https://user:hidden@c.example.com/charts",
            "https://hidden@c.example.com",
            "https://c.example.com/#hidden",
            "oci://r.example.com/charts?hidden",
            "oci://r.example.com/ch%41rts",
            "oci://r.example.com/a//b",
            "user:hidden@host",
            "https://user:hid/den@c.example.com",
            "git+https://user:hidden@c.example.com/a",
            "git+https://c.example.com/a?hidden",
            "git+ssh://git@c.example.com/a",
            "git+file:///a",
            "git@c.example.com:a",
        ] {
            let refused = text.parse::<Repository>().unwrap_err().to_string();
            assert!(!refused.contains("hid"), "{refused}");
        }
    }
}
