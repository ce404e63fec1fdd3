//! Fetching from a Helm repository: URLs, mirrors, logins, and repositories that lie.

use std::sync::{Arc, OnceLock};

use serde_json::json;

use super::super::{Credentials, Declared, Digest, DockerConfig, Error, Missing, Part};
use super::server::{Reply, Server};
use super::{CHART, Fetcher, registry, shop};

fn index(urls: &[&str], digest: Option<Digest>) -> String {
    let urls: String = urls.iter().map(|url| format!("    - {url}\n")).collect();
    let digest = digest
        .map(|digest| format!("    digest: {}\n", digest.hex()))
        .unwrap_or_default();
    format!(
        "apiVersion: v1\nentries:\n  shop:\n  - name: shop\n    version: 1.2.3\n{digest}    urls:\n{urls}"
    )
}

/// A repository at `/stable` with this index, and the chart at `/stable/charts/shop-1.2.3.tgz`.
fn repository(index: String) -> Server {
    Server::start(move |request| match request.path.as_str() {
        "/stable/index.yaml" => Reply::ok(index.clone()),
        "/stable/charts/shop-1.2.3.tgz" => Reply::ok(CHART),
        _ => Reply::new(404, ""),
    })
}

fn login() -> Option<Credentials> {
    Some(Credentials::Basic {
        username: "user".to_owned(),
        password: "pass".to_owned(),
    })
}

#[tokio::test]
async fn fetches_a_chart_by_a_relative_url() {
    let server = repository(index(&["charts/shop-1.2.3.tgz"], Some(Digest::of(CHART))));
    for base in ["/stable", "/stable/"] {
        let archive = Fetcher::new()
            .fetch(&shop(&server.url(base)))
            .await
            .unwrap();
        assert_eq!(
            (archive.bytes.as_ref(), archive.digest, archive.manifest),
            (CHART, Digest::of(CHART), None)
        );
    }
}

#[tokio::test]
async fn fetches_a_chart_by_an_absolute_url_without_the_login() {
    let storage = repository(String::new());
    let url = storage.url("/stable/charts/shop-1.2.3.tgz");
    let server = repository(index(&[&url], None));
    let mut chart = shop(&server.url("/stable"));
    chart.credentials = login();
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    assert_eq!(server.seen()[0].authorization(), Some("Basic dXNlcjpwYXNz"));
    assert_eq!(storage.seen()[0].authorization(), None);
}

#[tokio::test]
async fn a_login_that_is_passed_on_goes_to_the_hosts_of_archives_but_follows_no_redirect() {
    let third = Server::start(|_| Reply::ok(CHART));
    let away = third.url("/shop.tgz");
    let elsewhere = Server::start(move |request| match request.path.as_str() {
        "/moved.tgz" => Reply::redirect(away.clone()),
        _ => Reply::ok(CHART),
    });
    for (path, at) in [("/shop.tgz", &elsewhere), ("/moved.tgz", &third)] {
        let server = repository(index(&[&elsewhere.url(path)], None));
        let mut chart = shop(&server.url("/stable"));
        chart.credentials = login();
        chart.pass_credentials = true;
        Fetcher::new().fetch(&chart).await.unwrap();
        let asked = elsewhere.seen();
        let asked = asked.iter().find(|request| request.path == path).unwrap();
        assert_eq!(asked.authorization(), server.seen()[0].authorization());
        assert!(asked.authorization().is_some());
        if path == "/moved.tgz" {
            assert_eq!(at.seen()[0].authorization(), None);
        }
    }
}

#[tokio::test]
async fn a_docker_configuration_names_other_hosts() {
    let storage = repository(String::new());
    let url = storage.url("/stable/charts/shop-1.2.3.tgz");
    let server = repository(index(&[&url], None));
    let config = json!({"auths": {storage.authority(): {"auth": "dXNlcjpwYXNz"}}}).to_string();
    let mut chart = shop(&server.url("/stable"));
    chart.credentials = Some(Credentials::Docker(
        DockerConfig::parse(config.as_bytes()).unwrap(),
    ));
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    assert_eq!(server.seen()[0].authorization(), None);
    assert_eq!(
        storage.seen()[0].authorization(),
        Some("Basic dXNlcjpwYXNz")
    );
}

#[tokio::test]
async fn a_token_is_a_bearer() {
    let server = repository(index(&["charts/shop-1.2.3.tgz"], None));
    let mut chart = shop(&server.url("/stable"));
    chart.credentials = Some(Credentials::Token("abc".to_owned()));
    Fetcher::new().fetch(&chart).await.unwrap();
    assert!(
        server
            .seen()
            .iter()
            .all(|request| request.authorization() == Some("Bearer abc"))
    );
}

#[tokio::test]
async fn mirrors_are_tried_in_order() {
    let broken = Server::start(|_| Reply::new(503, ""));
    let lying = Server::start(|_| Reply::ok("other bytes"));
    let urls = [
        broken.url("/a"),
        lying.url("/b"),
        "charts/shop-1.2.3.tgz".to_owned(),
    ];
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let server = repository(index(&urls, Some(Digest::of(CHART))));
    assert_eq!(
        Fetcher::new()
            .fetch(&shop(&server.url("/stable")))
            .await
            .unwrap()
            .bytes,
        CHART
    );
    assert_eq!((broken.seen().len(), lying.seen().len()), (1, 1));
    // If all fail, one that may come back decides.
    let server = repository(index(&["gone.tgz", urls[0], "gone.tgz"], None));
    let error = Fetcher::new()
        .fetch(&shop(&server.url("/stable")))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Status { status: 503, .. }) && error.is_transient(),
        "{error}"
    );
}

#[tokio::test]
async fn an_entry_may_name_a_registry() {
    let oci = Server::start(registry::content);
    let url = format!("{}/shop:1.2.3", registry::repo(&oci));
    for declared in [
        None,
        Some(Digest::of(CHART)),
        Some(Digest::of(registry::manifest().as_bytes())),
    ] {
        let server = repository(index(&[&url], declared));
        let archive = Fetcher::new()
            .fetch(&shop(&server.url("/stable")))
            .await
            .unwrap();
        assert_eq!(
            (archive.bytes.as_ref(), archive.digest),
            (CHART, Digest::of(CHART))
        );
    }
    let server = repository(index(&[&url], Some(Digest::of(b"other"))));
    let error = Fetcher::new()
        .fetch(&shop(&server.url("/stable")))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::DigestMismatch {
                declared: Declared::Index,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(oci.count("/blobs/"), 3);
}

#[tokio::test]
async fn the_declared_digest_is_checked_first() {
    let server = repository(index(&["charts/shop-1.2.3.tgz"], Some(Digest::of(CHART))));
    let mut chart = shop(&server.url("/stable"));
    chart.digest = Some(Digest::of(b"other"));
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::DigestMismatch {
                declared: Declared::Reference,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(server.count(".tgz"), 0);
    // Without a digest in the index it shows only afterwards.
    let server = repository(index(&["charts/shop-1.2.3.tgz"], None));
    let mut chart = shop(&server.url("/stable"));
    chart.recorded = Some(Digest::of(b"other"));
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::DigestMismatch {
                declared: Declared::Record,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let server = repository(index(&["charts/gone.tgz"], None));
    let fetcher = Fetcher::new();
    let chart = shop(&server.url("/stable"));
    let mut unknown_chart = chart.clone();
    unknown_chart.name = "till".to_owned();
    let mut unknown_version = chart.clone();
    unknown_version.version = "9.9.9".to_owned();
    for (chart, expected) in [
        (shop(&server.url("/nothing")), Missing::Index),
        (unknown_chart, Missing::Chart),
        (unknown_version, Missing::Version),
        (chart, Missing::Archive),
    ] {
        let error = fetcher.fetch(&chart).await.unwrap_err();
        assert!(
            matches!(error, Error::NotFound { missing, .. } if missing == expected),
            "{error}"
        );
    }
}

#[tokio::test]
async fn bytes_that_the_index_does_not_name_are_refused() {
    let server = repository(index(
        &["charts/shop-1.2.3.tgz"],
        Some(Digest::of(b"other")),
    ));
    let error = Fetcher::new()
        .fetch(&shop(&server.url("/stable")))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::DigestMismatch {
                declared: Declared::Index,
                ..
            }
        ),
        "{error}"
    );
}

/// The error of a repository whose index and archive are these.
async fn refused(
    index: impl Fn() -> Reply + Send + Sync + 'static,
    archive: impl Fn() -> Reply + Send + Sync + 'static,
) -> Error {
    let server = Server::start(move |request| {
        if request.path.ends_with("/index.yaml") {
            index()
        } else {
            archive()
        }
    });
    Fetcher::new()
        .fetch(&shop(&server.url("/stable")))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_server_that_misbehaves_gets_a_named_error() {
    let good = || Reply::ok(index(&["shop.tgz"], None));
    let chart = || Reply::ok(CHART);
    let error = refused(|| Reply::ok("x: y\n").repeats(10_000), chart).await;
    assert!(
        matches!(
            error,
            Error::TooLarge {
                part: Part::Index,
                limit: 8_000,
                ..
            }
        ),
        "{error}"
    );
    let error = refused(|| Reply::ok("<html>not &here").without_length(), chart).await;
    assert!(
        matches!(
            error,
            Error::Malformed {
                part: Part::Index,
                ..
            }
        ),
        "{error}"
    );
    let bomb = || {
        let mut bomb = "apiVersion: v1\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..40 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb += &format!("a{level}: &a{level} [{below}]\n");
        }
        Reply::ok(format!("{bomb}entries: {{shop: *a39}}\n"))
    };
    let deep = || Reply::ok(format!("apiVersion: v1\nentries: {}\n", "[".repeat(7_000)));
    let empty = || Reply::ok("");
    for odd in [bomb(), deep(), empty()] {
        let odd = std::sync::Mutex::new(Some(odd));
        let error = refused(move || odd.lock().unwrap().take().unwrap(), chart).await;
        let index = Part::Index;
        assert!(
            matches!(error, Error::Malformed { part, .. } if part == index),
            "{error}"
        );
    }
    let error = refused(|| Reply::ok("apiVersion: v1").claims(100), chart).await;
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    let error = refused(good, || Reply::ok(CHART).repeats(1_000)).await;
    assert!(
        matches!(
            error,
            Error::TooLarge {
                part: Part::Archive,
                limit: 10_000,
                ..
            }
        ),
        "{error}"
    );
    let error = refused(good, || Reply::ok(CHART).claims(10_001)).await;
    assert!(
        matches!(
            error,
            Error::TooLarge {
                part: Part::Archive,
                ..
            }
        ),
        "{error}"
    );
    let error = refused(good, || Reply::ok(CHART).claims(CHART.len() + 1)).await;
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
    let error = refused(
        || Reply::ok(index(&["ftp://c.example.com/x.tgz"], None)),
        chart,
    )
    .await;
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
    let error = refused(|| Reply::ok(index(&["oci://r.example.com/x"], None)), chart).await;
    assert!(
        matches!(
            error,
            Error::Malformed {
                part: Part::Index,
                ..
            }
        ),
        "{error}"
    );
    let error = refused(good, || Reply::new(403, "")).await;
    assert!(
        matches!(error, Error::Unauthorized { status: 403, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn an_index_that_has_not_changed_is_not_sent_again() {
    let server = Server::start(|request| match request.path.as_str() {
        "/stable/index.yaml" if request.header("if-none-match") == Some("\"one\"") => {
            Reply::new(304, "")
        }
        "/stable/index.yaml" => {
            Reply::ok(index(&["shop.tgz"], Some(Digest::of(CHART)))).header("ETag", "\"one\"")
        }
        _ => Reply::ok(CHART),
    });
    let fetcher = Fetcher::new();
    let mut chart = shop(&server.url("/stable"));
    for _ in 0..3 {
        assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
    }
    let asked = |name: &str| {
        server
            .seen()
            .iter()
            .filter(|r| r.header(name).is_some())
            .count()
    };
    assert_eq!(
        (
            server.count("index.yaml"),
            asked("if-none-match"),
            server.count(".tgz")
        ),
        (3, 2, 1)
    );
    // What is not there is remembered as well.
    chart.version = "9.9.9".to_owned();
    for _ in 0..2 {
        let error = fetcher.fetch(&chart).await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::NotFound {
                    missing: Missing::Version,
                    ..
                }
            ),
            "{error}"
        );
    }
    assert_eq!((server.count("index.yaml"), asked("if-none-match")), (5, 4));
    // Another login asks for itself.
    chart.credentials = login();
    fetcher.fetch(&chart).await.unwrap_err();
    assert_eq!(asked("if-none-match"), 4);
}

#[tokio::test]
async fn a_304_that_nobody_asked_for_is_an_error() {
    let error = refused(|| Reply::new(304, ""), || Reply::ok(CHART)).await;
    assert!(
        matches!(error, Error::Status { status: 304, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_login_that_was_left_behind_does_not_come_back() {
    let home = Arc::new(OnceLock::<String>::new());
    let back = Arc::clone(&home);
    let elsewhere =
        Server::start(move |_| Reply::redirect(format!("{}/secret", back.get().unwrap())));
    let away = elsewhere.url("/away");
    let server = Server::start(move |request| match request.path.as_str() {
        "/secret" => Reply::ok(index(&["shop.tgz"], None)),
        _ => Reply::redirect(&away),
    });
    home.set(server.url("")).unwrap();
    let mut chart = shop(&server.url("/stable"));
    chart.credentials = login();
    let _ = Fetcher::new().fetch(&chart).await;
    let secret = server
        .seen()
        .into_iter()
        .find(|request| request.path == "/secret")
        .unwrap();
    assert_eq!(secret.authorization(), None);
}

/// An index of fifty charts, each with this text in it.
fn many(text: &str) -> String {
    let mut index = "apiVersion: v1\nentries:\n".to_owned();
    for number in 0..50 {
        index += &format!(
            "  chart-{number}:\n  - {{version: 1.2.3, urls: [{number}.tgz], digest: {}, description: '{text}'}}\n",
            Digest::of(format!("chart {number}").as_bytes())
        );
    }
    index
}

/// Fetches all fifty at once.
async fn fetch_many(fetcher: &Fetcher, server: &Server) {
    let charts = (0..50).map(|number| {
        let mut chart = shop(&server.url("/charts"));
        chart.name = format!("chart-{number}");
        async move { (number, fetcher.fetch(&chart).await) }
    });
    for (number, fetched) in futures::future::join_all(charts).await {
        assert_eq!(fetched.unwrap().bytes, format!("chart {number}"));
    }
}

#[tokio::test]
async fn many_charts_of_a_repository_share_one_download_of_its_index() {
    for tag in [Some("\"one\""), None] {
        let server = Server::start(move |request| {
            let path = request.path.trim_start_matches("/charts/");
            match path.strip_suffix(".tgz") {
                Some(number) => Reply::ok(format!("chart {number}")),
                None if tag.is_some() && request.header("if-none-match") == tag => {
                    Reply::new(304, "")
                }
                None => {
                    let reply = Reply::ok(many("")).without_length();
                    tag.map_or_else(|| Reply::ok(many("")), |tag| reply.header("ETag", tag))
                }
            }
        });
        let fetcher = Fetcher::with(|config| config.limits.index = 100_000);
        fetch_many(&fetcher, &server).await;
        assert_eq!(server.count("index.yaml"), 1);
        // One by one they ask whether it has changed; it is sent again where nobody can say.
        let mut chart = shop(&server.url("/charts"));
        for number in 0..3 {
            chart.name = format!("chart-{number}");
            chart.version = "9.9.9".to_owned();
            let refused = fetcher.fetch(&chart).await.unwrap_err().to_string();
            assert!(
                refused.contains(&format!("chart chart-{number} 9.9.9")),
                "{refused}"
            );
        }
        let seen = server.seen().into_iter();
        let sent =
            seen.filter(|r| r.path.ends_with("index.yaml") && r.header("if-none-match").is_none());
        assert_eq!(sent.count(), if tag.is_some() { 1 } else { 4 });
        // Another login asks for itself.
        chart.credentials = login();
        fetcher.fetch(&chart).await.unwrap_err();
        let asked = server.seen().pop().unwrap();
        assert_eq!(asked.header("if-none-match"), None);
    }
}

#[tokio::test]
async fn an_index_that_is_too_large_to_be_held_is_read_as_it_comes() {
    // Sums do not become smaller by compression.
    let noise: String = (0..40_u8).map(|n| Digest::of(&[n]).hex()).collect();
    let server = Server::start(move |request| match request.path.strip_suffix(".tgz") {
        Some(path) => Reply::ok(format!("chart {}", path.trim_start_matches("/charts/"))),
        None => Reply::ok(many(&noise)).header("ETag", "\"one\""),
    });
    let fetcher = Fetcher::with(|config| config.limits.index = 1 << 20);
    fetch_many(&fetcher, &server).await;
    assert!(server.count("index.yaml") > 50);
}

#[tokio::test]
async fn who_waits_for_an_index_that_fails_is_told_of_his_own_chart() {
    let server = Server::start(|_| Reply::new(500, ""));
    let fetcher = Fetcher::new();
    let (mut one, mut two) = (shop(&server.url("")), shop(&server.url("")));
    (one.name, two.name) = ("one".to_owned(), "two".to_owned());
    let (one, two) = tokio::join!(fetcher.fetch(&one), fetcher.fetch(&two));
    for (failed, name) in [(one, "chart one 1.2.3"), (two, "chart two 1.2.3")] {
        let failed = failed.unwrap_err().to_string();
        assert!(failed.contains(name), "{failed}");
    }
    assert_eq!(server.count(""), 1);
}

#[tokio::test]
async fn an_index_of_ten_million_entries_is_left_where_the_bound_is() {
    for (begin, entry) in [
        ("apiVersion: v1\nentries:\n", "  cart:\n"),
        ("apiVersion: v1\nentries:\n  shop:\n", "  - {}\n"),
        ("{\"apiVersion\":\"v1\",\"entries\":{", "\"cart\":[],"),
        ("{\"apiVersion\":\"v1\",\"entries\":{\"shop\":[", "{},"),
    ] {
        let entries = format!("{begin}{}", entry.repeat(10_000));
        let server = Server::start(move |_| Reply::ok(entries.clone()).repeats(1_000));
        let fetcher = Fetcher::with(|config| config.limits.index = 2 << 20);
        let error = fetcher.fetch(&shop(&server.url(""))).await.unwrap_err();
        // Some forms of it are given up earlier than that.
        let part = match error {
            Error::TooLarge { part, .. } | Error::Malformed { part, .. } => part,
            error => panic!("{error}"),
        };
        assert_eq!(part, Part::Index);
    }
}
