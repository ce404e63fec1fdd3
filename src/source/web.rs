//! One request, for a command that finds charts as Helm's command line does: by ranges, by URLs, in
//! indexes that it has read itself.
//!
//! In: a URL, a login and when to show it. Out: status, headers and body as they came. Never: a
//! login for another origin than the URL's, or more bytes than the bound. Unlike
//! [`Sources`](super::Sources) it keeps nothing and pins nothing: plain HTTP is the caller's to
//! allow, bytes are the caller's to verify.

use bytes::Bytes;
use url::Url;

use super::credentials::Credentials;
use super::error::{Error, Part};
use super::http::{Ask, Http};
use super::repository::Repository;
use super::target::Target;
use super::tls::{TlsMaterial, client_config};
use super::token::authorize;
use super::{ChartRef, Limits, Retries, Timeouts};

/// Bytes of one body.
const BODY_LIMIT: u64 = 256 << 20;

/// Redirects of one request.
// go: net/http defaultCheckRedirect takes ten requests
const REDIRECTS: usize = 9;

/// Asks for URLs, always with the same TLS material.
pub struct Web {
    http: Http,
    tls: Option<TlsMaterial>,
}

/// A GET.
pub struct Get<'a> {
    /// What is wanted.
    pub url: &'a Url,
    /// The `Accept` header.
    pub accept: &'static str,
    /// What the body is, for errors.
    pub part: Part,
    /// The login; it goes to the origin of `url` alone.
    pub credentials: Option<&'a Credentials>,
    /// When the login is shown.
    pub login: LoginWhen<'a>,
}

/// When a login is shown.
#[derive(Clone, Copy)]
pub enum LoginWhen<'a> {
    /// At once.
    AtOnce,
    /// When a registry asks for it, to read this repository of its.
    Asked(&'a str),
}

/// What came.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status, which may be any but a redirect.
    pub status: u16,
    /// Where it came from after all redirects.
    pub url: Url,
    /// Headers whose values are texts, by their lower-case names.
    headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Bytes,
}

impl Web {
    /// Reads the system's certificate authorities. Blocks shortly.
    ///
    /// # Errors
    /// [`Error::InvalidTls`] if the material cannot be used.
    pub fn new(tls: Option<TlsMaterial>) -> Result<Self, Error> {
        let limits = Limits {
            redirects: REDIRECTS,
            ..Limits::default()
        };
        // Helm's getters ask once.
        let retries = Retries {
            count: 0,
            ..Retries::default()
        };
        let http = Http::new(Timeouts::default(), &limits, retries);
        client_config(&rustls::RootCertStore::empty(), tls.as_ref())?;
        Ok(Self { http, tls })
    }

    /// Asks once; with [`LoginWhen::Asked`] a second time if the server wants a login.
    ///
    /// # Errors
    /// Where no answer comes, or too large a one. A status is no error.
    pub async fn get(&self, get: &Get<'_>) -> Result<Reply, Error> {
        let chart = ChartRef {
            repo: Repository::of_url(get.url.clone()),
            name: String::new(),
            version: String::new(),
            checkout: None,
            digest: None,
            recorded: None,
            accepted: None,
            pass_credentials: false,
            route: Default::default(),
            insecure: true,
            credentials: get.credentials.cloned(),
            tls: self.tls.clone(),
        };
        let target = Target::of_url(&chart, get.url.clone());
        let path = match get.login {
            LoginWhen::AtOnce => get.url.path().trim_start_matches('/'),
            LoginWhen::Asked(repository) => repository,
        };
        let login = target.login(get.url, path);
        let header = match (&login, get.login) {
            (Some(login), LoginWhen::AtOnce) => login.authorization()?,
            _ => None,
        };
        let ask = Ask::get(get.url.clone(), get.accept, header.as_ref());
        let mut answer = self.http.send(&target, ask).await?;
        if let LoginWhen::Asked(repository) = get.login
            && answer.status() == 401
            && answer.from_asked_origin
        {
            let scope = format!("repository:{repository}:pull");
            let header = authorize(&self.http, &target, &answer, login.as_ref(), &scope).await?;
            if header.is_some() {
                let ask = Ask::get(get.url.clone(), get.accept, header.as_ref());
                answer = self.http.send(&target, ask).await?;
            }
        }
        let (status, url) = (answer.status().as_u16(), answer.url.clone());
        let headers = answer.all_headers();
        let body = self
            .http
            .receive(&target, answer, get.part, BODY_LIMIT)
            .await?;
        Ok(Reply {
            status,
            url,
            headers,
            body,
        })
    }
}

impl Reply {
    /// The first value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
