//! One chart on its way: its names for errors, its login, and where that login may go.

use url::Url;

use super::credentials::{Login, authority};
use super::digest::Digest;
use super::error::{Declared, Error, Place};
use super::repository::{Kind, Repository, shown};
use super::{ChartRef, Checkout, Route, TlsMaterial, verify};

/// What every step of one fetch knows of the chart reference.
pub(super) struct Target<'a> {
    chart: &'a ChartRef,
    /// Where the login and the client certificate belong.
    home: Url,
}

impl<'a> Target<'a> {
    /// Refuses what must not be asked for at all: plain HTTP where it is not allowed, and names
    /// that would change the meaning of a URL.
    pub(super) fn new(chart: &'a ChartRef, allow_insecure: bool) -> Result<Self, Error> {
        let place = || Box::new(place(chart, None));
        let refused = |reason| {
            Err(Error::InsecureRefused {
                place: place(),
                reason,
            })
        };
        if chart.insecure && !allow_insecure {
            return refused(
                "`insecure: true` needs a controller started with --allow-insecure-sources",
            );
        }
        let home = match chart.repo.kind() {
            Kind::Registry(registry) => registry.api(chart.insecure)?,
            Kind::Index(url) | Kind::Git(url) if url.scheme() == "http" && !chart.insecure => {
                return refused("plain HTTP needs `insecure: true`");
            }
            Kind::Index(url) | Kind::Git(url) => url.clone(),
        };
        let invalid = |reason| {
            Err(Error::InvalidReference {
                place: place(),
                reason,
            })
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if chart.name.is_empty() || !chart.name.chars().all(plain) || chart.name.starts_with('.') {
            return invalid("a chart's name holds letters, digits and . _ - alone");
        }
        if chart.version.is_empty() || !chart.version.chars().all(|c| plain(c) || c == '+') {
            return invalid("a version holds letters, digits and . _ - + alone");
        }
        let in_git = matches!(chart.repo.kind(), Kind::Git(_));
        if chart.checkout.is_some() && !in_git {
            return invalid("a commit and a path are for charts in git: git+https://");
        }
        let target = Self { chart, home };
        if in_git {
            target.checkout()?;
        }
        Ok(target)
    }

    /// Which folder of which commit of a repository of git.
    pub(super) fn checkout(&self) -> Result<&Checkout, Error> {
        self.chart
            .checkout
            .as_ref()
            .ok_or_else(|| Error::InvalidReference {
                place: Box::new(place(self.chart, None)),
                reason: "a chart in git needs an exact commit",
            })
    }

    /// A request for one URL, which is its own home. Nothing is refused beforehand.
    pub(super) fn of_url(chart: &'a ChartRef, home: Url) -> Self {
        Self { chart, home }
    }

    pub(super) fn chart(&self) -> &ChartRef {
        self.chart
    }

    pub(super) fn name(&self) -> &str {
        &self.chart.name
    }

    pub(super) fn version(&self) -> &str {
        &self.chart.version
    }

    pub(super) fn tls(&self) -> Option<&TlsMaterial> {
        self.chart.tls.as_ref()
    }

    pub(super) fn route(&self) -> &Route {
        &self.chart.route
    }

    /// Whether this URL is on the repository's own host, where login and certificate belong.
    pub(super) fn is_home(&self, url: &Url) -> bool {
        same_origin(&self.home, url)
    }

    /// The login for a URL: the repository's own, or one that a docker configuration names for it.
    pub(super) fn login(&self, url: &Url, path: &str) -> Option<Login> {
        let credentials = self.chart.credentials.as_ref()?;
        let named = matches!(credentials, super::Credentials::Docker(_));
        (named || self.chart.pass_credentials || self.is_home(url))
            .then(|| credentials.login(&authority(url), path))
            .flatten()
    }

    /// `Err` unless a request may go to this URL: https, or http where the reference allows it.
    pub(super) fn permit(&self, url: &Url) -> Result<(), Error> {
        match url.scheme() {
            "https" => Ok(()),
            "http" if self.chart.insecure => Ok(()),
            "http" => Err(Error::InsecureRefused {
                place: self.at(url),
                reason: "the server points to plain HTTP, which needs `insecure: true`",
            }),
            _ => Err(Error::Redirect {
                place: self.at(url),
                reason: "the server points to something that is neither https nor http",
            }),
        }
    }

    pub(super) fn plain_http(&self) -> bool {
        self.chart.insecure
    }

    /// `Err` if the chart that was found, or announced, is not the one that was named.
    pub(super) fn check_pins(
        &self,
        url: &Url,
        archive: Digest,
        manifest: Option<Digest>,
    ) -> Result<(), Error> {
        let mismatch = |declared, expected| {
            Err(Error::DigestMismatch {
                place: self.at(url),
                declared,
                expected,
                found: archive,
            })
        };
        match (self.chart.digest, self.chart.recorded) {
            (Some(pin), _) if pin != archive && Some(pin) != manifest => {
                mismatch(Declared::Reference, pin)
            }
            (_, Some(pin)) if pin != archive && !self.is_accepted(archive, manifest) => {
                mismatch(Declared::Record, pin)
            }
            _ => Ok(()),
        }
    }

    fn is_accepted(&self, archive: Digest, manifest: Option<Digest>) -> bool {
        let accepted = self.chart.accepted;
        accepted.is_some_and(|accepted| accepted == archive || Some(accepted) == manifest)
    }

    /// Whether these are the digests that the reference names.
    pub(super) fn is_pinned(&self, archive: Digest, manifest: Option<Digest>) -> bool {
        self.check_pins(&self.home, archive, manifest).is_ok()
    }

    /// The chart's signature does not hold.
    pub(super) fn unverified(&self, url: &Url, source: verify::Error) -> Error {
        let place = self.at(url);
        Error::Unverified { place, source }
    }

    pub(super) fn at(&self, url: &Url) -> Box<Place> {
        Box::new(place(self.chart, Some(shown(url))))
    }
}

/// The words for a chart reference in errors.
pub(super) fn place(chart: &ChartRef, url: Option<String>) -> Place {
    Place {
        repository: chart.repo.to_string(),
        chart: chart.name.clone(),
        version: chart.version.clone(),
        url,
    }
}

/// The host that a repository's login is for.
pub(super) fn home(repository: &Repository) -> String {
    match repository.kind() {
        Kind::Registry(registry) => registry.authority.clone(),
        Kind::Index(url) | Kind::Git(url) => authority(url),
    }
}

/// Scheme, host and port (with its default) are equal.
pub(super) fn same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host() == b.host()
        && a.port_or_known_default() == b.port_or_known_default()
}
