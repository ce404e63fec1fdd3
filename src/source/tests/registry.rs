//! Pulling from a registry: logins, indexes, and registries that lie.

use serde_json::{Value, json};

use super::super::{Credentials, Declared, Digest, DockerConfig, Error, Missing, Part};
use super::server::{Reply, Request, Server};
use super::{CHART, Fetcher, shop};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

pub(super) fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(content).to_string(), "size": content.len()})
}

pub(super) fn manifest() -> String {
    let (config, layer) = (descriptor(CONFIG, b"{}"), descriptor(LAYER, CHART));
    json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]})
        .to_string()
}

/// A registry with `charts/shop:1.2.3`, open to all.
pub(super) fn content(request: &Request) -> Reply {
    match request.path.as_str() {
        "/v2/charts/shop/manifests/1.2.3" => Reply::ok(manifest()).header(
            "Docker-Content-Digest",
            Digest::of(manifest().as_bytes()).to_string(),
        ),
        path if path == format!("/v2/charts/shop/blobs/{}", Digest::of(CHART)) => Reply::ok(CHART),
        _ => Reply::new(404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#),
    }
}

pub(super) fn repo(server: &Server) -> String {
    format!("oci://{}/charts", server.authority())
}

fn login(password: &str) -> Option<Credentials> {
    Some(Credentials::Basic {
        username: "user".to_owned(),
        password: password.to_owned(),
    })
}

/// `content` behind `Bearer good`, with a token server that `grants` as told.
fn guarded(grants: fn(&Request) -> bool) -> Server {
    Server::start(move |request| {
        if request.path.starts_with("/token") {
            return if grants(request) {
                Reply::ok(r#"{"token":"good"}"#)
            } else {
                Reply::new(401, "")
            };
        }
        if request.authorization() == Some("Bearer good") {
            return content(request);
        }
        let realm = format!("http://{}/token", request.header("host").unwrap());
        let scope = "repository:charts/shop:pull";
        Reply::new(401, "").header(
            "WWW-Authenticate",
            format!(r#"Bearer realm="{realm}",service="tests",scope="{scope}""#),
        )
    })
}

#[tokio::test]
async fn pulls_a_chart() {
    let server = Server::start(content);
    let archive = Fetcher::new().fetch(&shop(&repo(&server))).await.unwrap();
    assert_eq!(archive.bytes, CHART);
    assert_eq!(archive.digest, Digest::of(CHART));
    assert_eq!(archive.manifest, Some(Digest::of(manifest().as_bytes())));
    let accept = server.seen()[0].header("accept").unwrap().to_owned();
    assert!(
        accept.contains(MANIFEST) && accept.contains(INDEX),
        "{accept}"
    );
}

#[tokio::test]
async fn a_plus_in_the_version_is_an_underscore_in_the_tag() {
    let server = Server::start(|request| match request.path.as_str() {
        "/v2/shop/manifests/1.2.3-rc.1_build.5" => Reply::ok(manifest()),
        path if path.starts_with("/v2/shop/blobs/") => Reply::ok(CHART),
        _ => Reply::new(404, ""),
    });
    let mut chart = shop(&format!("oci://{}", server.authority()));
    chart.version = "1.2.3-rc.1+build.5".to_owned();
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
}

#[tokio::test]
async fn an_anonymous_token_opens_a_public_registry() {
    let server = guarded(|request| request.authorization().is_none());
    let archive = Fetcher::new().fetch(&shop(&repo(&server))).await.unwrap();
    assert_eq!(archive.bytes, CHART);
    let token = server
        .seen()
        .into_iter()
        .find(|request| request.path.starts_with("/token"))
        .unwrap();
    assert_eq!(
        token.path,
        "/token?scope=repository%3Acharts%2Fshop%3Apull&service=tests"
    );
    assert_eq!(server.count("/token"), 1);
}

#[tokio::test]
async fn a_password_goes_to_the_token_server_alone() {
    let server = guarded(|request| request.authorization() == Some("Basic dXNlcjpwYXNz"));
    let mut chart = shop(&repo(&server));
    chart.credentials = login("pass");
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    for request in server
        .seen()
        .iter()
        .filter(|request| request.path.starts_with("/v2/"))
    {
        assert_ne!(request.authorization(), Some("Basic dXNlcjpwYXNz"));
    }
}

#[tokio::test]
async fn a_wrong_login_is_unauthorized() {
    let server = guarded(|_| false);
    let mut chart = shop(&repo(&server));
    chart.credentials = login("hidden");
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(
        matches!(error, Error::Unauthorized { status: 401, .. }),
        "{error}"
    );
    assert!(!error.is_transient());
    assert!(!format!("{error} {error:?}").contains("hidden"));
}

#[tokio::test]
async fn a_refresh_token_is_posted() {
    let server = guarded(|request| {
        request.method == "POST" && request.body.contains("refresh_token=refresh%26me")
    });
    let config =
        json!({"auths": {server.authority(): {"identitytoken": "refresh&me"}}}).to_string();
    let mut chart = shop(&repo(&server));
    chart.credentials = Some(Credentials::Docker(
        DockerConfig::parse(config.as_bytes()).unwrap(),
    ));
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    let posted = server
        .seen()
        .into_iter()
        .find(|request| request.method == "POST")
        .unwrap();
    assert!(
        posted.body.contains("grant_type=refresh_token"),
        "{}",
        posted.body
    );
    assert_eq!(posted.path, "/token");
}

#[tokio::test]
async fn a_bearer_token_is_used_as_it_is() {
    let server = guarded(|_| false);
    let mut chart = shop(&repo(&server));
    chart.credentials = Some(Credentials::Token("good".to_owned()));
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    assert_eq!(server.count("/token"), 0);
}

#[tokio::test]
async fn a_basic_challenge_gets_the_password() {
    let server = Server::start(|request| match request.authorization() {
        Some("Basic dXNlcjpwYXNz") => content(request),
        _ => Reply::new(401, "").header("WWW-Authenticate", r#"Basic realm="tests""#),
    });
    let mut chart = shop(&repo(&server));
    chart.credentials = login("pass");
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    // Known from the first challenge on.
    assert_eq!(server.seen().len(), 3);
    chart.credentials = None;
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

#[tokio::test]
async fn no_login_goes_to_an_internal_token_server_of_another_host() {
    let elsewhere = Server::start(|_| Reply::ok(r#"{"token":"good"}"#));
    let realm = format!(
        "http://127.0.0.2:{}/token",
        elsewhere.authority().rsplit(':').next().unwrap()
    );
    let server = Server::start(move |_| {
        Reply::new(401, "").header("WWW-Authenticate", format!(r#"Bearer realm="{realm}""#))
    });
    let mut chart = shop(&repo(&server));
    chart.credentials = login("pass");
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Malformed {
                part: Part::Token,
                ..
            }
        ),
        "{error}"
    );
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_token_that_expires_in_between_is_asked_for_again() {
    let server = guarded_by_path();
    assert_eq!(
        Fetcher::new()
            .fetch(&shop(&repo(&server)))
            .await
            .unwrap()
            .bytes,
        CHART
    );
    assert_eq!(server.count("/token"), 2);
}

/// A token server whose tokens are good for one path each.
fn guarded_by_path() -> Server {
    Server::start(|request| {
        let kind = if request.path.contains("/blobs/") {
            "blobs"
        } else {
            "manifests"
        };
        if let Some(scope) = request.path.strip_prefix("/token?scope=") {
            return Reply::ok(json!({"access_token": scope}).to_string());
        }
        if request.authorization() == Some(&format!("Bearer {kind}")) {
            return content(request);
        }
        let realm = format!("http://{}/token", request.header("host").unwrap());
        let challenge = format!(r#"Bearer realm="{realm}",scope="{kind}""#);
        Reply::new(401, "").header("WWW-Authenticate", challenge)
    })
}

#[tokio::test]
async fn a_401_after_a_200_is_unauthorized() {
    let server = Server::start(|request| {
        if request.path.contains("/blobs/") {
            Reply::new(401, "")
        } else {
            content(request)
        }
    });
    let error = Fetcher::new()
        .fetch(&shop(&repo(&server)))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(error.to_string().contains("/blobs/"), "{error}");
}

#[tokio::test]
async fn a_blob_is_fetched_elsewhere_without_the_login() {
    let storage = Server::start(|request| {
        let signed = request.path == "/storage?signature=hidden";
        if signed && request.authorization().is_none() {
            Reply::ok(CHART)
        } else {
            Reply::new(400, "")
        }
    });
    let location = storage.url("/storage?signature=hidden");
    let server = Server::start(move |request| match request.authorization() {
        None => Reply::new(401, "").header("WWW-Authenticate", "Basic"),
        Some(_) if request.path.contains("/blobs/") => Reply::redirect(&location),
        Some(_) => content(request),
    });
    let mut chart = shop(&repo(&server));
    chart.credentials = login("pass");
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    assert_eq!(storage.seen().len(), 1);
}

#[tokio::test]
async fn a_challenge_from_elsewhere_gets_no_login() {
    let elsewhere = Server::start(|_| Reply::new(401, "").header("WWW-Authenticate", "Basic"));
    let location = elsewhere.url("/trap?hidden");
    let server = Server::start(move |_| Reply::redirect(&location));
    let mut chart = shop(&repo(&server));
    chart.credentials = login("pass");
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
    assert!(!error.to_string().contains("hidden"), "{error}");
    assert!(
        elsewhere
            .seen()
            .iter()
            .all(|request| request.authorization().is_none())
    );
}

#[tokio::test]
async fn an_index_leads_to_its_one_chart() {
    let image = json!({"config": descriptor("application/vnd.oci.image.config.v1+json", b"{}"), "layers": []}).to_string();
    let index = json!({
        "mediaType": INDEX,
        "manifests": [descriptor(MANIFEST, image.as_bytes()), descriptor(MANIFEST, manifest().as_bytes())],
    })
    .to_string();
    let tag = index.clone();
    let server = Server::start(
        move |request| match request.path.rsplit('/').next().unwrap() {
            "1.2.3" => Reply::ok(tag.clone()),
            name if name == Digest::of(image.as_bytes()).to_string() => Reply::ok(image.clone()),
            name if name == Digest::of(manifest().as_bytes()).to_string() => Reply::ok(manifest()),
            _ => content(request),
        },
    );
    let archive = Fetcher::new().fetch(&shop(&repo(&server))).await.unwrap();
    assert_eq!(archive.bytes, CHART);
    assert_eq!(archive.manifest, Some(Digest::of(index.as_bytes())));
}

#[tokio::test]
async fn the_declared_digest_is_checked_before_the_chart_is_fetched() {
    let server = Server::start(content);
    let fetcher = Fetcher::new();
    let other = Digest::of(b"other");
    let mut chart = shop(&repo(&server));
    chart.digest = Some(other);
    let error = fetcher.fetch(&chart).await.unwrap_err();
    assert!(
        matches!(error, Error::DigestMismatch { declared: Declared::Reference, expected, found, .. }
            if expected == other && found == Digest::of(CHART)),
        "{error}"
    );
    assert!(!error.is_transient());
    chart.digest = None;
    chart.recorded = Some(other);
    let error = fetcher.fetch(&chart).await.unwrap_err();
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
    assert_eq!(server.count("/blobs/"), 0);
    // `helm push` prints the digest of the manifest: it names the same bytes.
    for digest in [Digest::of(CHART), Digest::of(manifest().as_bytes())] {
        chart.digest = Some(digest);
        chart.recorded = Some(Digest::of(CHART));
        assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    for (code, expected) in [
        ("MANIFEST_UNKNOWN", Missing::Version),
        ("NAME_UNKNOWN", Missing::Chart),
    ] {
        let server = Server::start(move |_| {
            Reply::new(404, format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#))
        });
        let error = Fetcher::new()
            .fetch(&shop(&repo(&server)))
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::NotFound { missing, .. } if missing == expected),
            "{error}"
        );
        assert!(!error.is_transient());
        let words = error.to_string();
        for part in [
            "shop 1.2.3",
            &repo(&server),
            "/v2/charts/shop/manifests/1.2.3",
        ] {
            assert!(words.contains(part), "{words}");
        }
    }
    let server = Server::start(|request| {
        if request.path.contains("/blobs/") {
            Reply::new(404, "")
        } else {
            content(request)
        }
    });
    let error = Fetcher::new()
        .fetch(&shop(&repo(&server)))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::NotFound {
                missing: Missing::Archive,
                ..
            }
        ),
        "{error}"
    );
}

/// The error of a registry whose manifest and blob are these.
async fn refused(
    manifest: impl Fn() -> Reply + Send + Sync + 'static,
    blob: impl Fn() -> Reply + Send + Sync + 'static,
) -> Error {
    let server = Server::start(move |request| {
        if request.path.contains("/blobs/") {
            blob()
        } else {
            manifest()
        }
    });
    Fetcher::new()
        .fetch(&shop(&repo(&server)))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_blob_that_is_not_what_the_manifest_says_is_refused() {
    let good = || Reply::ok(manifest());
    let same_length = vec![b'x'; CHART.len()];
    let error = refused(good, move || Reply::ok(same_length.clone())).await;
    assert!(
        matches!(
            error,
            Error::DigestMismatch {
                declared: Declared::Registry,
                ..
            }
        ),
        "{error}"
    );
    let error = refused(good, || Reply::ok(&CHART[1..])).await;
    assert!(matches!(error, Error::Truncated { .. }), "{error}");
    let error = refused(good, || Reply::ok(&CHART[1..]).claims(CHART.len())).await;
    assert!(
        matches!(error, Error::Interrupted { .. }) && error.is_transient(),
        "{error}"
    );
    let error = refused(good, || Reply::ok(CHART).repeats(2)).await;
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
    let error = refused(good, || Reply::ok(CHART).claims(1 << 40)).await;
    assert!(matches!(error, Error::TooLarge { .. }), "{error}");
}

#[tokio::test]
async fn a_manifest_that_cannot_be_trusted_is_refused() {
    let chart = || Reply::ok(CHART);
    let lie =
        || Reply::ok(manifest()).header("Docker-Content-Digest", Digest::of(b"lie").to_string());
    let error = refused(lie, chart).await;
    assert!(
        matches!(
            error,
            Error::DigestMismatch {
                declared: Declared::Registry,
                ..
            }
        ),
        "{error}"
    );
    let error = refused(|| Reply::ok(" ").repeats(100_000), chart).await;
    assert!(
        matches!(
            error,
            Error::TooLarge {
                part: Part::Manifest,
                ..
            }
        ),
        "{error}"
    );
    let huge = descriptor(LAYER, CHART)
        .to_string()
        .replace(&format!("\"size\":{}", CHART.len()), "\"size\":10001");
    let huge = format!(
        r#"{{"config":{},"layers":[{huge}]}}"#,
        descriptor(CONFIG, b"{}")
    );
    let error = refused(move || Reply::ok(huge.clone()), chart).await;
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
    for text in [
        "<html>",
        "{}",
        &"[".repeat(3_000),
        &json!({"config": descriptor("image", b""), "layers": []}).to_string(),
    ] {
        let text = text.to_owned();
        let error = refused(move || Reply::ok(text.clone()), chart).await;
        assert!(
            matches!(
                error,
                Error::Malformed {
                    part: Part::Manifest,
                    ..
                }
            ),
            "{error}"
        );
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn an_index_that_is_unclear_is_refused() {
    let one = manifest();
    let two = one.replace(
        &Digest::of(CHART).to_string(),
        &Digest::of(b"two").to_string(),
    );
    let index = |of: &[&str]| {
        let manifests: Vec<_> = of
            .iter()
            .map(|text| descriptor(MANIFEST, text.as_bytes()))
            .collect();
        json!({"mediaType": INDEX, "manifests": manifests}).to_string()
    };
    let many: Vec<String> = (0..17).map(|number| number.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for tag in [index(&[]), index(&[&one, &two]), index(&many)] {
        let known = [one.clone(), two.clone()];
        let server = Server::start(move |request| {
            let name = request.path.rsplit('/').next().unwrap();
            let found = known
                .iter()
                .find(|text| Digest::of(text.as_bytes()).to_string() == name);
            Reply::ok(found.unwrap_or(&tag).clone())
        });
        let error = Fetcher::new()
            .fetch(&shop(&repo(&server)))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::Malformed {
                    part: Part::Manifest,
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_token_server_that_misbehaves_is_named() {
    for (status, body, malformed) in [
        (200, "<html>", true),
        (200, "{}", true),
        (200, r#"{"token":""}"#, true),
        (200, r#"{"token":"two\nlines"}"#, true),
        (404, "", false),
    ] {
        let server = Server::start(move |request| {
            if request.path.starts_with("/token") {
                return Reply::new(status, body);
            }
            let realm = format!("http://{}/token", request.header("host").unwrap());
            Reply::new(401, "").header("WWW-Authenticate", format!(r#"Bearer realm="{realm}""#))
        });
        let error = Fetcher::new()
            .fetch(&shop(&repo(&server)))
            .await
            .unwrap_err();
        match error {
            Error::Malformed {
                part: Part::Token, ..
            } => assert!(malformed, "{error}"),
            Error::Status { status: 404, .. } => assert!(!malformed, "{error}"),
            other => panic!("{other}"),
        }
        assert!(error.to_string().contains("/token"), "{error}");
    }
}

#[tokio::test]
async fn a_token_may_end_in_a_newline_but_not_hold_one() {
    let server = guarded(|_| false);
    let mut chart = shop(&repo(&server));
    chart.credentials = Some(Credentials::Token("good\n".to_owned()));
    assert_eq!(Fetcher::new().fetch(&chart).await.unwrap().bytes, CHART);
    chart.credentials = Some(Credentials::Token("hidden\nhidden".to_owned()));
    let error = Fetcher::new().fetch(&chart).await.unwrap_err();
    assert!(matches!(error, Error::InvalidCredentials { .. }), "{error}");
    assert!(!format!("{error:?}").contains("hidden"));
}
