//! Fetches one URL as Helm's getters do: an index, an archive, a file of values.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use bytes::Bytes;
use http::StatusCode;
use pintle::source::{Credentials, Error, Get, LoginWhen, Part, Reply, Web};

use tokio::runtime::Runtime;

use super::access::TlsFiles;
use super::url::Url;
use super::{Log, network};

/// The network, for one run of the command.
pub(super) struct Getter {
    log: Log,
    /// Made when something is fetched.
    runtime: OnceCell<Runtime>,
    /// One for each set of TLS files.
    webs: RefCell<Vec<(TlsFiles, Rc<Web>)>>,
}

/// How a URL is asked for.
// helm: pkg/getter/getter.go getterOptions
#[derive(Clone, Default)]
pub(super) struct Asking {
    /// The URL that the login belongs to.
    pub(super) home: String,
    pub(super) username: String,
    pub(super) password: String,
    /// Show the login to any host.
    pub(super) pass_credentials: bool,
    pub(super) tls: TlsFiles,
    pub(super) accept: Option<&'static str>,
}

/// The `Accept` header for archives.
// helm: pkg/downloader/chart_downloader.go DownloadToCache
pub(super) const ARCHIVE: &str = "application/gzip,application/octet-stream";

impl Getter {
    pub(super) fn new(log: Log) -> Self {
        Self {
            log,
            runtime: OnceCell::new(),
            webs: RefCell::default(),
        }
    }

    fn runtime(&self) -> Result<&Runtime, String> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("start the runtime: {error}"))?;
        Ok(self.runtime.get_or_init(|| runtime))
    }

    /// The bytes at a URL.
    // helm: pkg/getter/httpgetter.go get
    pub(super) fn get(&self, url: &str, asking: &Asking) -> Result<Bytes, String> {
        let home = Url::parse(&asking.home)
            .map_err(|error| format!("unable to parse getter URL: {error}"))?;
        let asked = Url::parse(url)?;
        let at_home = home.scheme == asked.scheme && home.host() == asked.host();
        let known = !asking.username.is_empty() && !asking.password.is_empty();
        let login = (known && (asking.pass_credentials || at_home)).then(|| Credentials::Basic {
            username: asking.username.clone(),
            password: asking.password.clone(),
        });
        let web = self.web(&asking.tls)?;
        self.log.debug("fetching", &[("url", url)]);
        if asked.host().is_empty() {
            return Err(format!("Get \"{asked}\": http: no Host in request URL"));
        }
        let parsed = url::Url::parse(url).map_err(|error| format!("parse \"{url}\": {error}"))?;
        let get = Get {
            url: &parsed,
            accept: asking.accept.unwrap_or("*/*"),
            part: Part::Archive,
            credentials: login.as_ref(),
            login: LoginWhen::AtOnce,
        };
        let reply = self
            .runtime()?
            .block_on(web.get(&get))
            .map_err(|error| network::words(url, &error))?;
        let status = status_text(reply.status);
        let length = reply.header("content-length").unwrap_or("-1");
        let told = [
            ("url", url),
            ("status", &status),
            ("content-length", length),
        ];
        self.log.debug("fetch complete", &told);
        if reply.status != 200 {
            return Err(format!("failed to fetch {url} : {status}"));
        }
        Ok(reply.body)
    }

    /// One answer of a registry, whatever its status.
    pub(super) fn ask(&self, tls: &TlsFiles, get: &Get<'_>) -> Result<Reply, Failure> {
        let web = self.web(tls).map_err(Failure::Own)?;
        self.runtime()
            .map_err(Failure::Own)?
            .block_on(web.get(get))
            .map_err(|error| Failure::Network(Box::new(error)))
    }

    fn web(&self, files: &TlsFiles) -> Result<Rc<Web>, String> {
        let mut webs = self.webs.borrow_mut();
        if let Some((_, web)) = webs.iter().find(|(known, _)| known == files) {
            return Ok(Rc::clone(web));
        }
        let failed = |error: Error| format!("can't create TLS config for client: {error}");
        let web = Rc::new(Web::new(files.read()?).map_err(failed)?);
        webs.push((files.clone(), Rc::clone(&web)));
        Ok(web)
    }
}

/// Why no answer came.
pub(super) enum Failure {
    /// It could not even be asked.
    Own(String),
    Network(Box<Error>),
}

/// `404 Not Found`
// go: net/http Response.Status
pub(super) fn status_text(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    format!("{status} {}", reason.unwrap_or_default())
}
