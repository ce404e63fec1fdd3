//! The way to a server: as the environment says, straight, or through a proxy of the reference's own.

use std::fmt;

use url::Url;

use super::error::Error;

/// Which way requests take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Route {
    /// As `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    /// Straight to the server.
    Direct,
    /// Through this proxy.
    Through(ProxyServer),
}

/// An HTTP proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyServer {
    address: Url,
    login: Option<(String, String)>,
}

impl ProxyServer {
    /// A proxy at `http://host:port` or `https://host:port`, with user and password where it wants
    /// some.
    ///
    /// # Errors
    /// [`Error::InvalidProxy`] where the address is none, or holds a login.
    pub fn new(address: &str, login: Option<(String, String)>) -> Result<Self, Error> {
        let invalid = |reason| Error::InvalidProxy { reason };
        let address =
            Url::parse(address.trim()).map_err(|_| invalid("its address is not a URL"))?;
        if !matches!(address.scheme(), "http" | "https") || address.host().is_none() {
            return Err(invalid("its address must begin with http:// or https://"));
        }
        if !address.username().is_empty() || address.password().is_some() {
            return Err(invalid("a login belongs under `username` and `password`"));
        }
        Ok(Self { address, login })
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "ProxyServer({})",
            super::repository::shown(&self.address)
        )
    }
}

/// Whether the environment exempts every host.
// go: golang.org/x/net/http/httpproxy init
fn exempts_all() -> bool {
    let names = ["NO_PROXY", "no_proxy"].into_iter();
    let mut lists = names.filter_map(|name| std::env::var(name).ok());
    let list = lists.find(|list| !list.is_empty()).unwrap_or_default();
    list.split(',').any(|entry| entry.trim() == "*")
}

impl Route {
    /// Everything that tells this way from another, for a keyed sum.
    pub(super) fn parts(&self) -> [&[u8]; 4] {
        match self {
            Self::Environment => [b"", b"", b"", b""],
            Self::Direct => [b"direct", b"", b"", b""],
            Self::Through(proxy) => {
                let (user, password) = match &proxy.login {
                    Some((user, password)) => (user.as_str(), password.as_str()),
                    None => ("", ""),
                };
                [
                    b"through",
                    proxy.address.as_str().as_bytes(),
                    user.as_bytes(),
                    password.as_bytes(),
                ]
            }
        }
    }

    /// Builds clients that take this way.
    pub(super) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> reqwest::Result<reqwest::ClientBuilder> {
        Ok(match self {
            // The library knows the star among names, but not among addresses.
            Self::Environment if exempts_all() => builder.no_proxy(),
            Self::Environment => builder,
            Self::Direct => builder.no_proxy(),
            Self::Through(server) => {
                let proxy = reqwest::Proxy::all(server.address.clone())?;
                let proxy = match &server.login {
                    Some((user, password)) => proxy.basic_auth(user, password),
                    None => proxy,
                };
                builder.no_proxy().proxy(proxy)
            }
        })
    }
}
