//! A small HTTP/1.1 server on threads: files, redirects, logins, TLS, and what it was asked.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use base64::Engine as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

/// Runs until the process ends.
pub(crate) struct Server {
    url: String,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    files: BTreeMap<String, Vec<u8>>,
    redirects: BTreeMap<String, String>,
    /// Paths below which a login is wanted.
    closed: BTreeMap<String, String>,
    requests: Vec<(String, String)>,
}

impl Server {
    pub(crate) fn plain() -> Self {
        Self::start("http", |stream| Some(Box::new(stream)))
    }

    /// With a certificate for 127.0.0.1; a `strict` one wants the client's, too.
    pub(crate) fn tls(identities: &Identities, strict: bool) -> Self {
        let config = Arc::new(identities.server(strict));
        Self::start("https", move |stream| {
            let connection = ServerConnection::new(Arc::clone(&config)).ok()?;
            Some(Box::new(StreamOwned::new(connection, stream)))
        })
    }

    fn start(
        scheme: &str,
        open: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (ours, open) = (Arc::clone(&shared), Arc::new(open));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, open) = (Arc::clone(&ours), Arc::clone(&open));
                thread::spawn(move || {
                    // A client that hangs up is no matter here.
                    if let Some(stream) = open(stream) {
                        let _ = serve(stream, &shared);
                    }
                });
            }
        });
        Self { url, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn put(&self, path: &str, body: &[u8]) {
        let mut shared = lock(&self.shared);
        shared.files.insert(path.to_owned(), body.to_vec());
    }

    pub(crate) fn redirect(&self, path: &str, to: &str) {
        let mut shared = lock(&self.shared);
        shared.redirects.insert(path.to_owned(), to.to_owned());
    }

    pub(crate) fn close(&self, below: &str, user: &str, password: &str) {
        let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        let mut shared = lock(&self.shared);
        shared
            .closed
            .insert(below.to_owned(), format!("Basic {login}"));
    }

    /// Path and `Authorization` of each request since the last time.
    pub(crate) fn take_requests(&self) -> Vec<(String, String)> {
        std::mem::take(&mut lock(&self.shared).requests)
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

fn serve(stream: Box<dyn Stream>, shared: &Mutex<Shared>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        if !line.trim_end().ends_with(" HTTP/1.1") {
            let refusal = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
            return stream.get_mut().write_all(refusal.as_bytes());
        }
        let target = words.nth(1).unwrap_or_default().to_owned();
        let mut authorization = String::new();
        loop {
            let mut header = String::new();
            stream.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("authorization") {
                authorization = value.to_owned();
            }
        }
        let (status, more, body) = lock(shared).answer(&target, authorization);
        let length = body.len();
        let head = format!("HTTP/1.1 {status}\r\n{more}Content-Length: {length}\r\n\r\n");
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(&body)?;
        stream.get_mut().flush()?;
    }
}

impl Shared {
    fn answer(&mut self, target: &str, authorization: String) -> (&'static str, String, Vec<u8>) {
        let path = target.split('?').next().unwrap_or_default();
        let closed = self
            .closed
            .iter()
            .find(|(below, _)| path.starts_with(*below));
        let let_in = closed.is_none_or(|(_, login)| *login == authorization);
        self.requests.push((target.to_owned(), authorization));
        if !let_in {
            let more = "WWW-Authenticate: Basic realm=\"test\"\r\n".to_owned();
            return ("401 Unauthorized", more, Vec::new());
        }
        if let Some(to) = self.redirects.get(path) {
            return ("302 Found", format!("Location: {to}\r\n"), Vec::new());
        }
        match self.files.get(path) {
            Some(body) => ("200 OK", String::new(), body.clone()),
            None => ("404 Not Found", String::new(), b"nothing\n".to_vec()),
        }
    }
}

/// An authority, what it signed, and one that nobody knows.
pub(crate) struct Identities {
    authority: CertifiedIssuer<'static, KeyPair>,
    other: CertifiedIssuer<'static, KeyPair>,
}

impl Identities {
    pub(crate) fn new() -> Self {
        let authority = |name: &str| {
            let mut parameters = CertificateParams::new(Vec::new()).unwrap();
            parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            parameters
                .distinguished_name
                .push(rcgen::DnType::CommonName, name);
            CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
        };
        Self {
            authority: authority("test"),
            other: authority("nobody"),
        }
    }

    /// `ca.pem`, `other.pem`, `client.pem` and `client.key`.
    pub(crate) fn write(&self, folder: &Path) {
        let (client, key) = self.issue();
        for (name, text) in [
            ("ca.pem", self.authority.pem()),
            ("other.pem", self.other.pem()),
            ("client.pem", client.pem()),
            ("client.key", key.serialize_pem()),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
    }

    fn issue(&self) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = parameters.signed_by(&key, &self.authority).unwrap();
        (certificate, key)
    }

    fn server(&self, strict: bool) -> ServerConfig {
        let (certificate, key) = self.issue();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone()).unwrap();
        let roots = Arc::new(roots);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if strict {
            let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }
}
