//! Stands between the controller and the API server, and kills the controller at one write.
//!
//! In: every request of the controller, over plain HTTP. Out: the API server's answers, and a list
//! of the writes that it took. Never: a changed request or answer.

use std::process::Child;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use kube::Client;
use tokio::sync::Notify;

/// When the controller is killed: at the how manieth write, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kill {
    /// Before the API server hears of the write.
    Before(usize),
    /// After it has taken the write, before the controller hears of it.
    After(usize),
}

impl Kill {
    fn write(self) -> usize {
        match self {
            Self::Before(write) | Self::After(write) => write,
        }
    }
}

/// One proxy for one controller.
pub(crate) struct Proxy {
    client: Client,
    state: Mutex<Planned>,
    /// The controller's process.
    pub(crate) victim: Mutex<Option<Child>>,
    seen: AtomicUsize,
    pub(crate) killed: Notify,
}

#[derive(Default)]
struct Planned {
    counting: bool,
    kill: Option<Kill>,
    taken: Vec<String>,
}

impl Proxy {
    /// Begins to listen; answers the address to reach it under.
    pub(crate) async fn start(client: Client) -> Result<(Arc<Self>, String)> {
        let proxy = Arc::new(Self {
            client,
            state: Mutex::default(),
            victim: Mutex::default(),
            seen: AtomicUsize::new(0),
            killed: Notify::new(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let router = axum::Router::new()
            .fallback(pass)
            .with_state(Arc::clone(&proxy));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((proxy, address))
    }

    /// From now on writes count.
    pub(crate) fn arm(&self, kill: Option<Kill>) {
        let mut state = self.state.lock().unwrap();
        state.counting = true;
        state.kill = kill;
        self.seen.store(0, Ordering::SeqCst);
    }

    /// How many writes there were since then.
    pub(crate) fn writes(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// The writes that the API server took, as `METHOD path`.
    pub(crate) fn taken(&self) -> Vec<String> {
        self.state.lock().unwrap().taken.clone()
    }

    /// Whether this write, counted now, is the one.
    fn is_the_one(&self) -> Option<Kill> {
        let mut state = self.state.lock().unwrap();
        if !state.counting {
            return None;
        }
        let number = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        let kill = state.kill.filter(|kill| kill.write() == number)?;
        state.kill = None;
        Some(kill)
    }

    fn strike(&self) {
        let victim = self.victim.lock().unwrap().take();
        if let Some(mut victim) = victim {
            victim.kill().unwrap();
            victim.wait().unwrap();
        }
        self.killed.notify_one();
    }
}

/// A write that is on its way when the controller dies beside it is taken all the same, and has to
/// be told of: the controller's end must not end this.
async fn pass(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    tokio::spawn(pass_on(proxy, request)).await.unwrap()
}

async fn pass_on(proxy: Arc<Proxy>, request: Request) -> Response {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let is_write = !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS")
        && !path.ends_with("/events")
        && !path.contains("/events/")
        && !path.contains("subjectaccessreviews")
        && !request
            .uri()
            .query()
            .is_some_and(|query| query.contains("dryRun=All"));
    let kill = match is_write {
        true => proxy.is_the_one(),
        false => None,
    };
    if matches!(kill, Some(Kill::Before(_))) {
        proxy.strike();
        return std::future::pending().await;
    }
    let answer = forward(&proxy, request).await;
    if is_write && answer.status().is_success() {
        let mut state = proxy.state.lock().unwrap();
        if state.counting {
            state.taken.push(format!("{method} {path}"));
        }
    }
    if kill.is_some() {
        proxy.strike();
        return std::future::pending().await;
    }
    answer
}

async fn forward(proxy: &Proxy, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove("host");
    parts.headers.remove("accept-encoding");
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let request = http::Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    match proxy.client.send(request).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => Response::builder()
            .status(502)
            .body(Body::from(error.to_string()))
            .unwrap(),
    }
}
