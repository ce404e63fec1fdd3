//! A small HTTP/1.1 server on threads that answers as a test tells it, and misbehaves on request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A request as it came.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// Whether the client showed a certificate.
    pub(super) client_certificate: bool,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }
}

/// What is sent back.
pub(super) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    manner: Manner,
}

#[derive(Clone, Copy)]
enum Manner {
    Plain,
    /// Claims this many bytes, sends what it has, and hangs up.
    Claims(usize),
    /// Sends a byte, and waits so long before the next.
    Drips(Duration),
    /// Sends the body again and again without saying how long it is.
    Repeats(usize),
    /// Sends the body without saying how long it is.
    Unsized,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            manner: Manner::Plain,
        }
    }

    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    pub(super) fn redirect(to: impl Into<String>) -> Self {
        Self::new(307, "").header("Location", to)
    }

    pub(super) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn claims(mut self, bytes: usize) -> Self {
        self.manner = Manner::Claims(bytes);
        self
    }

    /// The part of the body that a `Range` asks for; all of it where it asks for none.
    pub(super) fn ranged(mut self, request: &Request) -> Self {
        let range = request.header("range");
        let from = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let Some(from) = from.and_then(|from| from.parse::<usize>().ok()) else {
            return self;
        };
        let size = self.body.len();
        self.status = 206;
        self.body = self.body.split_off(from.min(size));
        self.header(
            "Content-Range",
            format!("bytes {from}-{}/{size}", size.saturating_sub(1)),
        )
    }

    /// Sends these bytes, and hangs up before the rest.
    pub(super) fn breaks_after(mut self, bytes: usize) -> Self {
        self.manner = Manner::Claims(self.body.len());
        self.body.truncate(bytes);
        self
    }

    pub(super) fn drips(mut self, pause: Duration) -> Self {
        self.manner = Manner::Drips(pause);
        self
    }

    pub(super) fn repeats(mut self, times: usize) -> Self {
        self.manner = Manner::Repeats(times);
        self
    }

    pub(super) fn without_length(mut self) -> Self {
        self.manner = Manner::Unsized;
        self
    }

    /// Errors mean that the client hung up, which many of these make it do.
    fn send(&self, stream: &mut impl Write) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Test\r\nConnection: close\r\n", self.status);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        let length = match self.manner {
            Manner::Plain | Manner::Drips(_) => Some(self.body.len()),
            Manner::Claims(bytes) => Some(bytes),
            Manner::Repeats(_) | Manner::Unsized => None,
        };
        if let Some(length) = length {
            head += &format!("Content-Length: {length}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        match self.manner {
            Manner::Drips(pause) => {
                for byte in &self.body {
                    stream.write_all(&[*byte])?;
                    stream.flush()?;
                    thread::sleep(pause);
                }
            }
            Manner::Repeats(times) => {
                for _ in 0..times {
                    stream.write_all(&self.body)?;
                }
            }
            Manner::Plain | Manner::Claims(_) | Manner::Unsized => stream.write_all(&self.body)?,
        }
        stream.flush()
    }
}

/// A running server; its threads end with the test's process.
pub(super) struct Server {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler)
    }

    pub(super) fn start_tls(
        tls: ServerConfig,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_with(Some(Arc::new(tls)), handler)
    }

    fn start_with(
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (handler, log) = (Arc::new(handler), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (tls, handler, log) = (tls.clone(), Arc::clone(&handler), Arc::clone(&log));
                thread::spawn(move || match tls {
                    None => serve(stream, |_| false, &*handler, &log),
                    Some(tls) => {
                        let session = ServerConnection::new(tls).unwrap();
                        let known = |stream: &StreamOwned<ServerConnection, TcpStream>| {
                            stream.conn.peer_certificates().is_some()
                        };
                        serve(StreamOwned::new(session, stream), known, &*handler, &log)
                    }
                });
            }
        });
        Self {
            address,
            scheme,
            seen,
        }
    }

    /// `127.0.0.1:port`.
    pub(super) fn authority(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}://{}{path}", self.scheme, self.address)
    }

    /// All requests so far.
    pub(super) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests had a path that contains this.
    pub(super) fn count(&self, part: &str) -> usize {
        self.seen()
            .iter()
            .filter(|request| request.path.contains(part))
            .count()
    }
}

fn serve<S: Read + Write>(
    stream: S,
    known: impl Fn(&S) -> bool,
    handler: &dyn Fn(&Request) -> Reply,
    log: &Mutex<Vec<Request>>,
) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None => break,
        }
    }
    let mut request = Request {
        method,
        path,
        headers,
        body: String::new(),
        client_certificate: known(reader.get_ref()),
    };
    let length = request
        .header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    log.lock().unwrap().push(request.clone());
    handler(&request).send(reader.get_mut()).ok()
}
