//! Redirects, times, refusals: what can happen to any request.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use super::super::{Error, ProxyServer, Route};
use super::registry::{content, manifest, repo};
use super::server::{Reply, Server};
use super::{CHART, Fetcher, shop};

#[tokio::test]
async fn redirects_end() {
    let server = Server::start(|request| Reply::redirect(format!("{}x", request.path)));
    let error = Fetcher::new()
        .fetch(&shop(&repo(&server)))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Redirect { .. }) && !error.is_transient(),
        "{error}"
    );
    assert_eq!(server.seen().len(), 11);
}

#[tokio::test]
async fn redirects_lead_to_http_servers_only() {
    for location in ["file:///etc/passwd", "https://", ""] {
        let server = Server::start(move |_| {
            let reply = Reply::new(302, "");
            if location.is_empty() {
                reply
            } else {
                reply.header("Location", location)
            }
        });
        let error = Fetcher::new()
            .fetch(&shop(&repo(&server)))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Redirect { .. }),
            "{location}: {error}"
        );
    }
}

#[tokio::test]
async fn plain_http_needs_two_permissions() {
    let server = Server::start(content);
    let fetcher = Fetcher::with(|config| config.allow_insecure = false);
    let mut chart = shop(&repo(&server));
    let error = fetcher.fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::InsecureRefused { .. }), "{error}");
    chart.insecure = false;
    chart.repo = server.url("/stable").parse().unwrap();
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::InsecureRefused { .. }), "{error}");
    // oci:// speaks TLS, which this server does not.
    chart.repo = repo(&server).parse().unwrap();
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn names_that_would_change_the_url_are_refused() {
    let server = Server::start(content);
    for (name, version) in [
        ("", "1.2.3"),
        ("..", "1.2.3"),
        ("a/b", "1.2.3"),
        ("shop?x", "1.2.3"),
        ("shop", ""),
        ("shop", "../1"),
        ("shop", "1.2.3@sha256"),
        ("shop", "^1.2"),
    ] {
        let mut chart = shop(&repo(&server));
        (chart.name, chart.version) = (name.to_owned(), version.to_owned());
        let error = Fetcher::new().fetch(&chart).await.unwrap_err();
        assert!(
            matches!(error, Error::InvalidReference { .. }),
            "{name} {version}: {error}"
        );
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_silent_server_times_out() {
    let server = Server::start(|_| {
        std::thread::sleep(Duration::from_secs(30));
        Reply::ok("")
    });
    let fetcher = Fetcher::with(|config| config.timeouts.idle = Duration::from_millis(200));
    let begun = Instant::now();
    let error = fetcher.fetch(&shop(&repo(&server))).await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout { .. }) && error.is_transient(),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_server_that_drips_times_out() {
    let server = Server::start(|_| Reply::ok(vec![b' '; 1_000]).drips(Duration::from_millis(50)));
    let fetcher = Fetcher::with(|config| config.timeouts.whole = Duration::from_millis(500));
    let begun = Instant::now();
    let error = fetcher.fetch(&shop(&repo(&server))).await.unwrap_err();
    assert!(
        matches!(error, Error::Timeout { .. }) && error.is_transient(),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn no_server_is_transient() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = Fetcher::new()
        .fetch(&shop(&format!("oci://{closed}/charts")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Connect { .. }) && error.is_transient(),
        "{error:?}"
    );
    let error = Fetcher::new()
        .fetch(&shop("oci://registry.invalid/charts"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Dns { .. }) && error.is_transient(),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_busy_server_says_when_to_come_back() {
    for (status, transient) in [
        (429, true),
        (500, true),
        (503, true),
        (400, false),
        (418, false),
    ] {
        let server = Server::start(move |_| Reply::new(status, "").header("Retry-After", "7"));
        let error = Fetcher::new()
            .fetch(&shop(&repo(&server)))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::Status { status: got, .. } if got == status),
            "{error}"
        );
        assert_eq!(error.is_transient(), transient, "{status}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    }
}

#[tokio::test]
async fn many_waiters_share_one_download() {
    let server = Server::start(|request| {
        std::thread::sleep(Duration::from_millis(200));
        content(request)
    });
    let (fetcher, chart) = (Fetcher::new(), shop(&repo(&server)));
    let archives = futures::future::join_all((0..1_000).map(|_| fetcher.fetch(&chart))).await;
    assert!(
        archives
            .into_iter()
            .all(|archive| archive.unwrap().bytes == CHART)
    );
    assert_eq!(
        (server.count("/manifests/"), server.count("/blobs/")),
        (1, 1)
    );
}

#[tokio::test]
async fn a_waiter_that_leaves_does_not_end_the_download() {
    let server = Server::start(|request| {
        std::thread::sleep(Duration::from_millis(200));
        content(request)
    });
    let (fetcher, chart) = (Fetcher::new(), shop(&repo(&server)));
    let hasty = tokio::time::timeout(Duration::from_millis(50), fetcher.fetch(&chart));
    let (hasty, patient) = futures::join!(hasty, fetcher.fetch(&chart));
    assert!(hasty.is_err());
    assert_eq!(patient.unwrap().bytes, CHART);
    assert_eq!(server.count("/manifests/"), 1);
}

#[tokio::test]
async fn a_proxy_stands_between() {
    // A proxy is asked for whole URLs.
    let proxy = Server::start(|request| {
        if request.header("proxy-authorization") != Some("Basic dXNlcjpwYXNz") {
            return Reply::new(407, "");
        }
        match request.path.contains("/manifests/") {
            true => Reply::ok(manifest()),
            false => Reply::ok(CHART),
        }
    });
    let mut chart = shop("oci://registry.example.com/charts");
    let login = ("user".to_owned(), "pass".to_owned());
    let through = |login| Route::Through(ProxyServer::new(&proxy.url(""), login).unwrap());
    chart.route = through(Some(login));
    let fetcher = Fetcher::new();
    assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
    assert!(
        proxy.seen()[0]
            .path
            .starts_with("http://registry.example.com/v2/")
    );
    chart.route = through(None);
    let error = fetcher.fetch(&chart).await.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 407, .. }),
        "{error}"
    );
    for address in [
        "",
        "proxy:8080",
        "socks5://proxy",
        "http://user:hidden@proxy",
    ] {
        let error = ProxyServer::new(address, None).unwrap_err().to_string();
        assert!(!error.contains("hidden"), "{error}");
    }
}

#[tokio::test]
async fn https_goes_through_a_proxy_as_a_tunnel() {
    let proxy = Server::start(|_| Reply::new(502, ""));
    let mut chart = shop("oci://registry.example.com/charts");
    chart.insecure = false;
    chart.route = Route::Through(ProxyServer::new(&proxy.url(""), None).unwrap());
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let asked = &proxy.seen()[0];
    assert_eq!(
        (&*asked.method, &*asked.path),
        ("CONNECT", "registry.example.com:443")
    );
}
