//! What is asked for again, and what never is.

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::super::{
    CachePlace, Credentials, Declared, Digest, Error, Missing, Sources, SourcesConfig,
};
use super::registry::{content, descriptor, manifest, repo};
use super::server::{Reply, Server};
use super::{CHART, Fetcher, shop};

fn files(fetcher: &Fetcher, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(fetcher.cache.path().join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn a_known_digest_needs_no_network() {
    let server = Server::start(content);
    let fetcher = Fetcher::new();
    let mut chart = shop(&repo(&server));
    let first = fetcher.fetch(&chart).await.unwrap();
    let asked = server.seen().len();
    for digest in [Digest::of(CHART), Digest::of(manifest().as_bytes())] {
        chart.digest = Some(digest);
        assert_eq!(fetcher.fetch(&chart).await.unwrap(), first);
    }
    // Not even after a restart.
    let mut config = SourcesConfig::new(fetcher.cache.path());
    config.allow_insecure = true;
    assert_eq!(
        Sources::new(config).unwrap().fetch(&chart).await.unwrap(),
        first
    );
    assert_eq!(server.seen().len(), asked);
}

#[tokio::test]
async fn a_version_that_moved_is_refused_until_it_is_accepted() {
    let moved = Arc::new(AtomicU8::new(0));
    let state = Arc::clone(&moved);
    let other: &[u8] = b"\x1f\x8b other bytes under the same version";
    let other_manifest = json!({
        "config": descriptor("application/vnd.cncf.helm.config.v1+json", b"{}"),
        "layers": [descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", other)],
    })
    .to_string();
    let served = other_manifest.clone();
    let server = Server::start(move |request| match state.load(Ordering::Relaxed) {
        0 => content(request),
        2 => Reply::new(503, ""),
        _ if request.path.contains("/manifests/") => Reply::ok(served.clone()),
        _ => Reply::ok(other),
    });
    let fetcher = Fetcher::new();
    let mut chart = shop(&repo(&server));
    let first = fetcher.fetch(&chart).await.unwrap();
    chart.recorded = Some(first.digest);
    assert_eq!(fetcher.fetch(&chart).await.unwrap(), first);

    moved.store(1, Ordering::Relaxed);
    let refused = fetcher.fetch(&chart).await.unwrap_err();
    assert!(
        matches!(&refused, Error::DigestMismatch { declared: Declared::Record, expected, found, .. }
            if *expected == first.digest && *found == Digest::of(other)),
        "{refused:?}"
    );
    assert_eq!(
        server.count("/blobs/"),
        1,
        "the other bytes were not fetched"
    );
    // Where nobody answers, the recorded bytes are still there.
    moved.store(2, Ordering::Relaxed);
    assert_eq!(fetcher.fetch(&chart).await.unwrap(), first);

    moved.store(1, Ordering::Relaxed);
    chart.accepted = Some(Digest::of(b"yet other bytes"));
    assert!(fetcher.fetch(&chart).await.is_err());
    for accepted in [Digest::of(other), Digest::of(other_manifest.as_bytes())] {
        chart.accepted = Some(accepted);
        assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, other);
    }
}

#[tokio::test]
async fn without_a_digest_the_tag_is_looked_up_but_the_blob_is_not_fetched_twice() {
    let server = Server::start(content);
    let (fetcher, chart) = (Fetcher::new(), shop(&repo(&server)));
    for _ in 0..3 {
        assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
    }
    assert_eq!(
        (server.count("/manifests/"), server.count("/blobs/")),
        (3, 1)
    );
}

#[tokio::test]
async fn another_login_must_prove_itself() {
    let server = Server::start(content);
    let fetcher = Fetcher::new();
    let mut chart = shop(&repo(&server));
    chart.digest = Some(Digest::of(CHART));
    fetcher.fetch(&chart).await.unwrap();
    for password in ["a", "b", "a"] {
        let (username, password) = ("user".to_owned(), password.to_owned());
        chart.credentials = Some(Credentials::Basic { username, password });
        assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
    }
    assert_eq!(
        (server.count("/manifests/"), server.count("/blobs/")),
        (3, 3)
    );
}

#[tokio::test]
async fn a_damaged_file_is_fetched_again() {
    let server = Server::start(content);
    let fetcher = Fetcher::new();
    let mut chart = shop(&repo(&server));
    chart.digest = Some(Digest::of(CHART));
    for damage in [b"damage".as_slice(), b"", &CHART[1..]] {
        fetcher.fetch(&chart).await.unwrap();
        let [archive] = files(&fetcher, "archives").try_into().unwrap();
        fs::write(&archive, damage).unwrap();
        assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
        assert_eq!(fs::read(&archive).unwrap(), CHART);
    }
    let [reference] = files(&fetcher, "references").try_into().unwrap();
    fs::write(&reference, "damage").unwrap();
    assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
    assert_eq!(
        (server.count("/manifests/"), server.count("/blobs/")),
        (5, 5)
    );
}

#[tokio::test]
async fn nothing_in_the_cache_tells_of_a_login() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Server::start(content);
    let fetcher = Fetcher::new();
    let mut chart = shop(&repo(&server));
    chart.credentials = Some(Credentials::Token("hidden".to_owned()));
    fetcher.fetch(&chart).await.unwrap();
    for file in [files(&fetcher, "archives"), files(&fetcher, "references")].concat() {
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let text = format!(
            "{file:?} {}",
            String::from_utf8_lossy(&fs::read(&file).unwrap())
        );
        assert!(!text.contains("hidden"), "{text}");
    }
    let folder = fs::metadata(fetcher.cache.path()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn what_was_used_longest_ago_makes_room() {
    let server = Server::start(content);
    let fetcher = Fetcher::with(|config| config.cache_bytes = CHART.len() as u64 + 100);
    let archives = fetcher.cache.path().join("archives");
    let old = |name: &str, age: u64| {
        let path = archives.join(Digest::of(name.as_bytes()).hex());
        fs::write(&path, [0; 50]).unwrap();
        let used = SystemTime::now() - Duration::from_secs(age);
        fs::File::open(&path).unwrap().set_modified(used).unwrap();
        path
    };
    let kept = [old("a", 100), old("b", 200)];
    let dropped = [old("c", 300), old("d", 400)];
    let abandoned = archives.join("x.1-1.part");
    fs::write(&abandoned, "half").unwrap();
    fs::File::open(&abandoned)
        .unwrap()
        .set_modified(SystemTime::UNIX_EPOCH)
        .unwrap();
    fetcher.fetch(&shop(&repo(&server))).await.unwrap();
    assert!(archives.join(Digest::of(CHART).hex()).exists());
    assert!(kept.iter().all(|path| path.exists()));
    assert!(!dropped.iter().any(|path| path.exists()));
    assert!(!abandoned.exists());
}

#[tokio::test]
async fn a_cache_that_cannot_be_written_does_not_stop_a_fetch() {
    let server = Server::start(content);
    let fetcher = Fetcher::new();
    fs::remove_dir_all(fetcher.cache.path()).unwrap();
    fs::write(fetcher.cache.path(), "a file where a folder was").unwrap();
    assert_eq!(
        fetcher.fetch(&shop(&repo(&server))).await.unwrap().bytes,
        CHART
    );
    fs::remove_file(fetcher.cache.path()).unwrap();
}

#[tokio::test]
async fn naming_a_digest_does_not_open_the_cache() {
    let private = Server::start(content);
    let fetcher = Fetcher::new();
    fetcher.fetch(&shop(&repo(&private))).await.unwrap();
    // A registry and a repository that name the bytes of another, and do not have them.
    let registry = Server::start(|request| match request.path.contains("/blobs/") {
        true => Reply::new(404, ""),
        false => content(request),
    });
    let index = format!(
        "apiVersion: v1\nentries:\n  shop:\n  - version: 1.2.3\n    digest: {}\n    urls: [shop.tgz]\n",
        Digest::of(CHART).hex()
    );
    let repository = Server::start(move |request| match request.path.as_str() {
        "/index.yaml" => Reply::ok(index.clone()),
        _ => Reply::new(404, ""),
    });
    for repo in [repo(&registry), repository.url("")] {
        let mut chart = shop(&repo);
        chart.digest = Some(Digest::of(CHART));
        let error = fetcher.fetch(&chart).await.unwrap_err();
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
}

#[tokio::test]
async fn what_nobody_uses_grows_old_and_what_a_history_needs_does_not() {
    let server = Server::start(content);
    for in_memory in [false, true] {
        let fetcher = Fetcher::with(|config| {
            config.cache_age = Duration::ZERO;
            if in_memory {
                config.cache = CachePlace::Memory;
            }
        });
        let mut chart = shop(&repo(&server));
        chart.digest = Some(fetcher.fetch(&chart).await.unwrap().digest);
        let before = server.seen().len();
        for needed in [HashSet::from([Digest::of(CHART)]), HashSet::new()] {
            let gone = needed.is_empty();
            tokio::time::sleep(Duration::from_millis(5)).await;
            fetcher.sources.tidy(needed).await;
            assert_eq!(fetcher.fetch(&chart).await.unwrap().bytes, CHART);
            assert_eq!(server.seen().len() > before, gone);
        }
    }
}

/// A registry in which each version has bytes of its own, all of one length.
fn versions() -> Server {
    let bytes = |version: &str| format!("\u{1f}\u{8b} chart {version:>20}").into_bytes();
    Server::start(move |request| {
        let (_, last) = request.path.rsplit_once('/').unwrap();
        if request.path.contains("/manifests/") {
            let manifest = json!({
                "config": descriptor("application/vnd.cncf.helm.config.v1+json", b"{}"),
                "layers": [descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", &bytes(last))],
            });
            return Reply::ok(manifest.to_string());
        }
        let all = ["1", "2", "3"].map(bytes);
        let found = all.into_iter().find(|b| Digest::of(b).to_string() == last);
        found.map_or(Reply::new(404, ""), Reply::ok)
    })
}

#[tokio::test]
async fn what_no_history_needs_makes_room_first() {
    for in_memory in [false, true] {
        let server = versions();
        let fetcher = Fetcher::with(|config| {
            config.cache_bytes = 60;
            if in_memory {
                config.cache = CachePlace::Memory;
            }
        });
        let version = |version: &str| {
            let mut chart = shop(&repo(&server));
            version.clone_into(&mut chart.version);
            chart
        };
        let first = fetcher.fetch(&version("1")).await.unwrap();
        assert_eq!(first.bytes.len(), 30, "two fit, three do not");
        fetcher.fetch(&version("2")).await.unwrap();
        fetcher.sources.tidy(HashSet::from([first.digest])).await;
        fetcher.fetch(&version("3")).await.unwrap();
        for (number, downloads) in [("1", 3), ("3", 3), ("2", 4)] {
            fetcher.fetch(&version(number)).await.unwrap();
            assert_eq!(server.count("/blobs/"), downloads, "{number}");
        }
    }
}
