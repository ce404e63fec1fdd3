//! What is asked for again within one fetch, and what is gone on with.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::{Digest, Error, Mirrors};
use super::registry::{content, repo};
use super::server::{Reply, Request, Server};
use super::{CHART, Fetcher, shop};

fn patient() -> Fetcher {
    Fetcher::with(|config| config.retries.count = 3)
}

/// The first so many requests for this part of a path are answered otherwise.
fn at_first(
    part: &'static str,
    times: usize,
    otherwise: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Server {
    let seen = AtomicUsize::new(0);
    Server::start(move |request| {
        let odd = request.path.contains(part) && seen.fetch_add(1, Ordering::Relaxed) < times;
        if odd {
            otherwise(request)
        } else {
            content(request)
        }
    })
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let server = at_first("/manifests/", 3, move |_| Reply::new(status, ""));
        let archive = patient().fetch(&shop(&repo(&server))).await.unwrap();
        assert_eq!(archive.bytes, CHART);
        assert_eq!(server.count("/manifests/"), 4, "{status}");
    }
    let server = at_first("/manifests/", 4, |_| Reply::new(503, ""));
    let error = patient().fetch(&shop(&repo(&server))).await.unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 503, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn what_says_no_is_asked_once() {
    for status in [400, 401, 403, 404, 410, 501] {
        let server = at_first("/manifests/", 9, move |_| Reply::new(status, ""));
        patient().fetch(&shop(&repo(&server))).await.unwrap_err();
        assert_eq!(server.count("/manifests/"), 1, "{status}");
    }
}

#[tokio::test]
async fn a_server_that_wants_to_be_left_alone_is() {
    let busy =
        |wish: &'static str| move |_: &Request| Reply::new(429, "").header("Retry-After", wish);
    let server = at_first("/manifests/", 1, busy("1"));
    let began = std::time::Instant::now();
    patient().fetch(&shop(&repo(&server))).await.unwrap();
    assert!(
        began.elapsed() >= Duration::from_secs(1),
        "it was asked too early"
    );
    // What takes long is the caller's to wait for.
    let server = at_first("/manifests/", 1, busy("3600"));
    let error = patient().fetch(&shop(&repo(&server))).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.count("/manifests/"), 1);
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    for knows_ranges in [true, false] {
        let seen = AtomicUsize::new(0);
        let server = Server::start(move |request| {
            if !request.path.contains("/blobs/") {
                return content(request);
            }
            let number = seen.fetch_add(1, Ordering::Relaxed);
            let reply = content(request);
            // A server that does not know ranges sends the whole.
            let reply = if knows_ranges || number < 3 {
                reply.ranged(request)
            } else {
                reply
            };
            if number < 3 {
                reply.breaks_after(7)
            } else {
                reply
            }
        });
        let archive = patient().fetch(&shop(&repo(&server))).await.unwrap();
        assert_eq!(archive.bytes, CHART);
        let ranges: Vec<_> = server
            .seen()
            .iter()
            .filter(|request| request.path.contains("/blobs/"))
            .map(|request| request.header("range").map(str::to_owned))
            .collect();
        let at = |bytes: usize| Some(format!("bytes={bytes}-"));
        assert_eq!(ranges, [None, at(7), at(14), at(21)]);
    }
}

/// A repository whose one archive breaks at first.
fn breaking(tag: Option<&'static str>, digest: bool) -> Server {
    let seen = AtomicUsize::new(0);
    let digest = if digest {
        format!(", digest: '{}'", Digest::of(CHART))
    } else {
        String::new()
    };
    Server::start(move |request| {
        if request.path.ends_with("index.yaml") {
            return Reply::ok(format!(
                "apiVersion: v1\nentries:\n  shop:\n  - {{version: 1.2.3, urls: [shop.tgz]{digest}}}\n"
            ));
        }
        let mut reply = Reply::ok(CHART);
        if let Some(tag) = tag {
            reply = reply.header("ETag", tag);
        }
        let reply = reply.ranged(request);
        match seen.fetch_add(1, Ordering::Relaxed) {
            0 => reply.breaks_after(9),
            _ => reply,
        }
    })
}

#[tokio::test]
async fn only_what_is_known_to_be_the_same_is_pieced_together() {
    for (tag, digest, range, condition) in [
        (None, false, None, None),
        (Some("W/\"1\""), false, None, None),
        (Some("\"1\""), false, Some("bytes=9-"), Some("\"1\"")),
        (None, true, Some("bytes=9-"), None),
    ] {
        let server = breaking(tag, digest);
        let archive = patient().fetch(&shop(&server.url(""))).await.unwrap();
        assert_eq!(archive.bytes, CHART);
        let last = server.seen().pop().unwrap();
        assert_eq!(last.header("range"), range, "{tag:?} {digest}");
        assert_eq!(last.header("if-range"), condition, "{tag:?} {digest}");
    }
}

#[tokio::test]
async fn a_part_that_begins_elsewhere_is_not_taken() {
    let seen = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        if !request.path.contains("/blobs/") {
            return content(request);
        }
        match seen.fetch_add(1, Ordering::Relaxed) {
            0 => content(request).breaks_after(7),
            _ => Reply::new(206, &CHART[8..]).header("Content-Range", "bytes 8-70/71"),
        }
    });
    let error = patient().fetch(&shop(&repo(&server))).await.unwrap_err();
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
}

#[tokio::test]
async fn an_index_that_breaks_is_read_anew() {
    let seen = AtomicUsize::new(0);
    let index = "apiVersion: v1\nentries:\n  shop:\n  - {version: 1.2.3, urls: [shop.tgz]}\n";
    let server = Server::start(move |request| {
        let is_index = request.path.ends_with("index.yaml");
        match is_index && seen.fetch_add(1, Ordering::Relaxed) < 2 {
            true => Reply::ok(index).breaks_after(30),
            false if is_index => Reply::ok(index),
            false => Reply::ok(CHART),
        }
    });
    let archive = patient().fetch(&shop(&server.url(""))).await.unwrap();
    assert_eq!(archive.bytes, CHART);
    assert_eq!(server.count("index.yaml"), 3);
}

#[tokio::test]
async fn mirrors_are_tried_in_turn_and_none_may_lie() {
    let empty = Server::start(|_| Reply::new(404, ""));
    let good = Server::start(content);
    let table = |places: &[&Server]| {
        let to: Vec<String> = places.iter().map(|server| repo(server)).collect();
        let to = to.join(", ");
        format!("mirrors: [{{repo: oci://charts.example.com/team, to: [{to}], insecure: true}}]")
    };
    let fetcher = |table: &str| {
        let mirrors = Mirrors::parse(table.as_bytes(), None).unwrap();
        Fetcher::with(|config| config.mirrors = mirrors)
    };
    let mut chart = shop("oci://charts.example.com/team");
    chart.insecure = false;
    let both = fetcher(&table(&[&empty, &good]));
    assert_eq!(both.fetch(&chart).await.unwrap().bytes, CHART);
    assert_eq!(
        (empty.count("/manifests/"), good.count("/manifests/")),
        (1, 1)
    );

    let error = fetcher(&table(&[&empty])).fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let error = fetcher(&table(&[])).fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::InvalidReference { .. }), "{error}");

    let lying = Server::start(|request| match request.path.contains("/blobs/") {
        true => Reply::ok(vec![b'x'; CHART.len()]),
        false => content(request),
    });
    let before = good.seen().len();
    let lied = fetcher(&table(&[&lying, &good]));
    let error = lied.fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::DigestMismatch { .. }), "{error}");
    assert_eq!(good.seen().len(), before);
}

#[tokio::test]
async fn a_registry_that_fails_every_third_request_still_serves() {
    let seen = AtomicUsize::new(0);
    let server = Server::start(
        move |request| match seen.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Reply::new(503, ""),
            _ => content(request),
        },
    );
    for _ in 0..20 {
        let archive = patient().fetch(&shop(&repo(&server))).await.unwrap();
        assert_eq!(archive.bytes, CHART);
    }
}
