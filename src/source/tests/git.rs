//! Charts in git: repositories that git itself makes, served by git's own `http-backend`.
//!
//! Where there is no git, these tests say so and pass.

use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::super::verify::{self, Trusted};
use super::super::{
    Archive, ChartRef, Checkout, Credentials, Declared, Digest, Error, Missing, Part, TlsMaterial,
    directory,
};
use super::server::{Reply, Request, Server};
use super::tls::Authority;
use super::{Fetcher, shop};
use crate::chart::Chart;

/// A repository, made by git.
struct Repository {
    folder: TempDir,
}

/// The chart `shop` 1.2.3, in a folder that has other things beside it.
const CHART: &[(&str, &str)] = &[
    (
        "charts/shop/Chart.yaml",
        "apiVersion: v2\nname: shop\nversion: 1.2.3\n",
    ),
    ("charts/shop/values.yaml", "greeting: hello\n"),
    ("charts/shop/.helmignore", "*.bak\n/docs/\n"),
    ("charts/shop/templates/config.yaml", "kind: ConfigMap\n"),
    ("charts/shop/templates/.hidden", "no part of it\n"),
    ("charts/shop/templates/old.bak", "no part of it\n"),
    ("charts/shop/docs/page.md", "no part of it\n"),
    (
        "charts/shop/charts/sub/Chart.yaml",
        "apiVersion: v2\nname: sub\nversion: 0.1.0\n",
    ),
    ("README.md", "beside the chart\n"),
];

impl Repository {
    /// None where there is no git.
    fn new() -> Option<Self> {
        Self::of_kind("sha1")
    }

    fn of_kind(kind: &str) -> Option<Self> {
        if Command::new("git").arg("--version").output().is_err() {
            eprintln!("skipped: there is no git");
            return None;
        }
        let repository = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let format = format!("--object-format={kind}");
        repository.git(&["init", "-q", "-b", "main", &format]);
        repository.git(&["config", "uploadpack.allowFilter", "true"]);
        Some(repository)
    }

    /// One with the chart, and its commit.
    fn with_chart() -> Option<(Self, String)> {
        let repository = Self::new()?;
        let commit = repository.commit(CHART);
        Some((repository, commit))
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = git(self.folder.path()).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes files, and commits them with all else that was changed.
    fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        self.git(&["add", "--all", "--force"]);
        self.git(&["commit", "-q", "-m", "more"]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn serve(&self) -> Server {
        let root = self.folder.path().to_owned();
        Server::start(move |request| backend(&root, request).into())
    }
}

fn git(folder: &Path) -> Command {
    let mut git = Command::new("git");
    git.current_dir(folder).env_clear();
    git.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    git.env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
    for who in ["AUTHOR", "COMMITTER"] {
        git.env(format!("GIT_{who}_NAME"), "tests");
        git.env(format!("GIT_{who}_EMAIL"), "tests@example.com");
        git.env(format!("GIT_{who}_DATE"), "1600000000 +0200");
    }
    git
}

/// What git's own server says to a request.
struct Answer {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self::new(answer.status, answer.body).header("Content-Type", answer.content_type)
    }
}

fn backend(root: &Path, request: &Request) -> Answer {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let path = path.strip_prefix("/team/shop.git").unwrap_or("/nothing");
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let mut child = git(root)
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root.join(".git"))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(request.body.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap().stdout;
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let field = |name: &str| {
        let mut lines = head.lines();
        let found = lines.find_map(|line| line.strip_prefix(name));
        found.map(|value| value.trim().to_owned())
    };
    let status = field("Status:").map_or(200, |status| status[..3].parse().unwrap());
    Answer {
        status,
        content_type: field("Content-Type:").unwrap_or_default(),
        body: output[end + 4..].to_vec(),
    }
}

fn url(server: &Server) -> String {
    format!("git+{}", server.url("/team/shop.git"))
}

fn chart(server: &Server, commit: &str) -> ChartRef {
    ChartRef {
        checkout: Some(Checkout::new(commit, "charts/shop").unwrap()),
        ..shop(&url(server))
    }
}

async fn refused(fetcher: &Fetcher, chart: &ChartRef) -> Error {
    fetcher.fetch(chart).await.unwrap_err()
}

/// The chart, as its files lie on the disk.
fn on_disk(folder: &Path) -> Chart {
    Chart::from_files(directory::read(folder, &mut Vec::new()).unwrap()).unwrap()
}

fn assert_same(archive: &Archive, folder: &Path) {
    let (ours, disk) = (Chart::load(&archive.bytes).unwrap(), on_disk(folder));
    let names = |files: &[crate::chart::File]| -> Vec<_> {
        let files = files.iter();
        files
            .map(|file| (file.name.clone(), file.data.clone()))
            .collect()
    };
    assert_eq!(names(&ours.templates), names(&disk.templates));
    assert_eq!(names(&ours.files), names(&disk.files));
    assert_eq!(ours.values, disk.values);
    let inner = |chart: &Chart| -> Vec<_> {
        let dependencies = chart.dependencies.iter();
        dependencies
            .map(|dependency| dependency.name().to_owned())
            .collect()
    };
    assert_eq!(inner(&ours), inner(&disk));
}

#[tokio::test]
async fn a_chart_is_a_folder_of_one_commit() {
    let Some((repository, first)) = Repository::with_chart() else {
        return;
    };
    let server = repository.serve();
    let fetcher = Fetcher::new();
    let archive = fetcher.fetch(&chart(&server, &first)).await.unwrap();
    assert_same(&archive, &repository.path("charts/shop"));
    // The same on every machine, and in every version.
    let digest = "sha256:8d7f58b3c27929c0b675022ae1181cf1bfe9751635f538ef2f3414fb4ff2724e";
    assert_eq!(archive.digest.to_string(), digest);
    assert_eq!(archive.digest, Digest::of(&archive.bytes));
    let asked = server.seen().len();
    assert_eq!(asked, 3, "what the server can do, the commit, the files");
    assert!(
        server
            .seen()
            .iter()
            .all(|request| !request.body.contains("main"))
    );

    // A commit never changes: nobody is asked again.
    assert_eq!(
        fetcher.fetch(&chart(&server, &first)).await.unwrap(),
        archive
    );
    assert_eq!(server.seen().len(), asked);

    let second = repository.commit(&[("charts/shop/values.yaml", "greeting: bye\n")]);
    let other = fetcher.fetch(&chart(&server, &second)).await.unwrap();
    assert_same(&other, &repository.path("charts/shop"));
    assert_ne!(other.digest, archive.digest);
    // What is no tip any more is still what it was.
    let again = Fetcher::new().fetch(&chart(&server, &first)).await.unwrap();
    assert_eq!(again, archive);

    let mut pinned = chart(&server, &first);
    pinned.digest = Some(archive.digest);
    assert_eq!(Fetcher::new().fetch(&pinned).await.unwrap(), archive);
    pinned.digest = Some(other.digest);
    let error = refused(&Fetcher::new(), &pinned).await;
    let declared = Declared::Reference;
    assert!(matches!(error, Error::DigestMismatch { declared: found, .. } if found == declared));
}

#[tokio::test]
async fn what_is_outside_the_folder_does_not_travel() {
    let Some((repository, _)) = Repository::with_chart() else {
        return;
    };
    let noise: Vec<u8> = (0..300_000).map(|_| rand::random()).collect();
    std::fs::write(repository.path("large"), &noise).unwrap();
    let commit = repository.commit(&[("charts/other/Chart.yaml", "name: other\n")]);
    let other = repository.git(&["rev-parse", "HEAD:charts/other/Chart.yaml"]);
    for filters in [true, false] {
        repository.git(&["config", "uploadpack.allowFilter", &filters.to_string()]);
        let (root, sent) = (
            repository.folder.path().to_owned(),
            Arc::new(AtomicUsize::new(0)),
        );
        let counted = Arc::clone(&sent);
        let server = Server::start(move |request| {
            let answer = backend(&root, request);
            counted.fetch_add(answer.body.len(), Ordering::Relaxed);
            answer.into()
        });
        let archive = Fetcher::new()
            .fetch(&chart(&server, &commit))
            .await
            .unwrap();
        assert_same(&archive, &repository.path("charts/shop"));
        let (sent, asked) = (sent.load(Ordering::Relaxed), server.seen());
        assert!(asked.iter().all(|request| !request.body.contains(&other)));
        let wants = asked
            .iter()
            .map(|request| request.body.matches("want ").count());
        let wants: Vec<_> = wants.collect();
        if filters {
            assert!(sent < 10_000, "{sent} bytes");
            // What .helmignore leaves out is known only then; three of the eight are equal.
            assert_eq!(wants, [0, 1, 6]);
        } else {
            assert!(sent > noise.len(), "{sent} bytes");
            assert_eq!(wants, [0, 1]);
        }
    }
}

#[tokio::test]
async fn a_server_that_keeps_single_files_sends_all() {
    let Some((repository, commit)) = Repository::with_chart() else {
        return;
    };
    let root = repository.folder.path().to_owned();
    let server = Server::start(move |request| {
        let single = request.method == "POST" && !request.body.contains("deepen 1");
        match single {
            true => Reply::ok("002dERR want 0123456789 not valid, not today\n")
                .header("Content-Type", "application/x-git-upload-pack-result"),
            false => backend(&root, request).into(),
        }
    });
    let reference = chart(&server, &commit);
    let archive = Fetcher::new().fetch(&reference).await.unwrap();
    assert_same(&archive, &repository.path("charts/shop"));
    let filtered = server.seen();
    let filtered = filtered
        .iter()
        .map(|one| one.body.contains("filter blob:none"));
    assert_eq!(filtered.collect::<Vec<_>>(), [false, true, false, false]);
}

#[tokio::test]
async fn names_that_no_archive_can_hold_are_refused_in_the_chart_alone() {
    let Some((repository, _)) = Repository::with_chart() else {
        return;
    };
    let server = repository.serve();
    let name = std::ffi::OsStr::from_bytes(b"charts/\xff\\");
    std::fs::write(repository.folder.path().join(name), "").unwrap();
    let commit = repository.commit(&[("charts/shop/docs/a\\b", "ignored, too")]);
    let fetcher = Fetcher::new();
    let archive = fetcher.fetch(&chart(&server, &commit)).await.unwrap();
    assert_same(&archive, &repository.path("charts/shop"));
    let commit = repository.commit(&[("charts/shop/files/a\\b", "")]);
    let error = refused(&fetcher, &chart(&server, &commit))
        .await
        .to_string();
    assert!(error.contains("cannot stand in a chart"), "{error}");
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let Some((repository, commit)) = Repository::with_chart() else {
        return;
    };
    repository.git(&["tag", "-a", "-m", "a tag", "v1"]);
    let tag = repository.git(&["rev-parse", "v1"]);
    let server = repository.serve();
    let fetcher = Fetcher::new();
    let missing = |error: &Error| match error {
        Error::NotFound { missing, .. } => Some(*missing),
        _ => None,
    };
    let error = refused(&fetcher, &chart(&server, &"1".repeat(40))).await;
    assert_eq!(missing(&error), Some(Missing::Commit), "{error:?}");
    let mut reference = chart(&server, &commit);
    reference.checkout = Some(Checkout::new(&commit, "charts/none").unwrap());
    let error = refused(&fetcher, &reference).await;
    assert_eq!(missing(&error), Some(Missing::Folder), "{error:?}");
    reference.checkout = Some(Checkout::new(&commit, "README.md").unwrap());
    let error = refused(&fetcher, &reference).await.to_string();
    assert!(error.contains("is no folder but a file"), "{error}");
    reference.repo = format!("git+{}", server.url("/team/none.git"))
        .parse()
        .unwrap();
    let error = refused(&fetcher, &reference).await;
    assert_eq!(missing(&error), Some(Missing::Repository), "{error:?}");
    let error = refused(&fetcher, &chart(&server, &tag)).await.to_string();
    assert!(error.contains("of a tag, and not of a commit"), "{error}");
    reference = chart(&server, &commit);
    reference.checkout = None;
    let error = refused(&fetcher, &reference).await;
    assert!(matches!(error, Error::InvalidReference { .. }), "{error:?}");
    reference = chart(&server, &commit);
    reference.repo = "https://charts.example.com".parse().unwrap();
    let error = refused(&fetcher, &reference).await;
    assert!(matches!(error, Error::InvalidReference { .. }), "{error:?}");
}

#[tokio::test]
async fn the_folder_must_hold_the_chart_that_was_named() {
    let Some((repository, _)) = Repository::with_chart() else {
        return;
    };
    let server = repository.serve();
    let fetcher = Fetcher::new();
    for (text, reason) in [
        (
            "name: cart\nversion: 1.2.3\n",
            r#"the name in its Chart.yaml is "cart""#,
        ),
        (
            "name: shop\nversion: v1.2.3\n",
            r#"the version in its Chart.yaml is "v1.2.3""#,
        ),
        ("name: shop\n", "the version in its Chart.yaml is none"),
        (
            "name: shop\nversion: 1.2\n",
            "the version in its Chart.yaml is none",
        ),
        ("name: [", "Chart.yaml: "),
    ] {
        let commit = repository.commit(&[("charts/shop/Chart.yaml", text)]);
        let error = refused(&fetcher, &chart(&server, &commit)).await;
        assert!(matches!(error, Error::Checkout { .. }), "{error:?}");
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!error.is_transient());
    }
    std::fs::remove_file(repository.path("charts/shop/Chart.yaml")).unwrap();
    let commit = repository.commit(&[]);
    let error = refused(&fetcher, &chart(&server, &commit))
        .await
        .to_string();
    assert!(error.contains("it has no Chart.yaml"), "{error}");
}

#[tokio::test]
async fn links_are_followed_within_the_chart_alone() {
    let Some((repository, _)) = Repository::with_chart() else {
        return;
    };
    let server = repository.serve();
    let fetcher = Fetcher::with(|config| config.limits.archive = 1 << 20);
    let folder = repository.path("charts/shop");
    symlink("values.yaml", folder.join("linked.yaml")).unwrap();
    symlink("../values.yaml", folder.join("templates/up.yaml")).unwrap();
    symlink("templates", folder.join("more")).unwrap();
    symlink("more/config.yaml", folder.join("through")).unwrap();
    let commit = repository.commit(&[]);
    let archive = fetcher.fetch(&chart(&server, &commit)).await.unwrap();
    assert_same(&archive, &folder);
    for (target, reason) in [
        ("../../README.md", "leads out of the chart's folder"),
        ("/etc/passwd", "leads out of the chart's folder"),
        ("nowhere", "leads nowhere"),
        ("values.yaml/below", "leads nowhere"),
        ("link", "too many links"),
        (".", "too many links"),
    ] {
        symlink(target, folder.join("link")).unwrap();
        let commit = repository.commit(&[]);
        let error = refused(&fetcher, &chart(&server, &commit)).await;
        assert!(
            matches!(error, Error::Checkout { .. }),
            "{target}: {error:?}"
        );
        let error = error.to_string();
        let deep = target == "." && error.contains("folders stand in each other");
        assert!(error.contains(reason) || deep, "{target}: {error}");
        std::fs::remove_file(folder.join("link")).unwrap();
    }
    let inner = folder.join("inner");
    std::fs::create_dir(&inner).unwrap();
    assert!(git(&inner).args(["init", "-q"]).status().unwrap().success());
    let made = git(&inner)
        .args(["commit", "-q", "--allow-empty", "-m", "inner"])
        .status();
    assert!(made.unwrap().success());
    let commit = repository.commit(&[]);
    let error = refused(&fetcher, &chart(&server, &commit))
        .await
        .to_string();
    assert!(error.contains("inner is a submodule"), "{error}");
    let rules = "*.bak\n/docs/\ninner\n";
    let commit = repository.commit(&[("charts/shop/.helmignore", rules)]);
    fetcher.fetch(&chart(&server, &commit)).await.unwrap();
}

#[tokio::test]
async fn a_login_goes_to_the_repository_alone() {
    let Some((repository, commit)) = Repository::with_chart() else {
        return;
    };
    let root = repository.folder.path().to_owned();
    let server = Server::start(move |request| match request.authorization() {
        Some("Basic dXNlcjpwYXNz" | "Bearer secret") => backend(&root, request).into(),
        _ => Reply::new(401, ""),
    });
    let mut reference = chart(&server, &commit);
    let error = refused(&Fetcher::new(), &reference).await;
    assert!(
        matches!(error, Error::Unauthorized { status: 401, .. }),
        "{error:?}"
    );
    for login in [
        Credentials::Token("secret".to_owned()),
        Credentials::Basic {
            username: "user".to_owned(),
            password: "pass".to_owned(),
        },
    ] {
        reference.credentials = Some(login);
        Fetcher::new().fetch(&reference).await.unwrap();
    }

    // Where the server sends us elsewhere, all goes there, and the login does not.
    let open = repository.serve();
    let elsewhere = open.url("");
    let first =
        Server::start(move |request| Reply::redirect(format!("{elsewhere}{}", request.path)));
    reference.repo = url(&first).parse().unwrap();
    reference.pass_credentials = true;
    Fetcher::new().fetch(&reference).await.unwrap();
    assert_eq!((first.seen().len(), open.seen().len()), (1, 3));
    assert!(
        first
            .seen()
            .iter()
            .all(|request| request.authorization().is_some())
    );
    assert!(
        open.seen()
            .iter()
            .all(|request| request.authorization().is_none())
    );
}

#[tokio::test]
async fn a_private_authority_is_trusted_for_git_too() {
    let Some((repository, commit)) = Repository::with_chart() else {
        return;
    };
    let ca = Authority::new();
    let root = repository.folder.path().to_owned();
    let server = Server::start_tls(ca.server(&ca.issue(|_| {})), move |request| {
        backend(&root, request).into()
    });
    let mut reference = chart(&server, &commit);
    reference.insecure = false;
    let error = refused(&Fetcher::new(), &reference).await;
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    reference.tls = Some(TlsMaterial {
        ca: Some(ca.pem()),
        ..TlsMaterial::default()
    });
    Fetcher::new().fetch(&reference).await.unwrap();
    reference.repo = "git+http://git.example.com/a".parse().unwrap();
    let error = refused(&Fetcher::new(), &reference).await;
    assert!(matches!(error, Error::InsecureRefused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_lies_is_not_believed() {
    let Some((repository, commit)) = Repository::with_chart() else {
        return;
    };
    let other = repository.commit(&[("charts/shop/values.yaml", "greeting: bye\n")]);
    type Lie = fn(Request, &dyn Fn(&Request) -> Answer, &str, &str) -> Reply;
    let lies: [(&str, Lie); 6] = [
        ("its bytes are not those", |request, ask, _, _| {
            let mut answer = ask(&request);
            // In the sum of the pack, behind which an empty line ends all.
            let at = answer.body.len() - 4 - 10;
            answer.body[at] ^= 1;
            answer.into()
        }),
        ("it lacks the commit", |mut request, ask, commit, other| {
            request.body = request.body.replace(commit, other);
            ask(&request).into()
        }),
        ("it ends before its end", |request, ask, _, _| {
            let mut answer = ask(&request);
            answer.body.truncate(answer.body.len() - 9);
            answer.into()
        }),
        ("broke off", |request, ask, _, _| {
            let answer = ask(&request);
            let half = answer.body.len() / 2;
            Reply::from(answer).breaks_after(half)
        }),
        ("the server says \"no disk\"", |_, _, _, _| {
            let words = "0010ERR no disk\n";
            Reply::ok(words).header("Content-Type", "application/x-git-upload-pack-result")
        }),
        ("answers with something else", |_, _, _, _| {
            Reply::ok("0000")
        }),
    ];
    for (reason, lie) in lies {
        let root = repository.folder.path().to_owned();
        let (one, two) = (commit.clone(), other.clone());
        let server = Server::start(move |request| match request.method.as_str() {
            "POST" => lie(
                request.clone(),
                &|request| backend(&root, request),
                &one,
                &two,
            ),
            _ => backend(&root, request).into(),
        });
        let error = refused(&Fetcher::new(), &chart(&server, &commit)).await;
        assert!(error.to_string().contains(reason), "{reason}: {error:?}");
        assert!(error.is_transient(), "{error:?}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let Some((repository, _)) = Repository::with_chart() else {
        return;
    };
    let noise: String = (0..20_000).map(|_| rand::random_range('a'..='z')).collect();
    let commit = repository.commit(&[("charts/shop/large", &noise)]);
    let server = repository.serve();
    for (part, pack) in [(Part::Pack, 5_000), (Part::Archive, 100_000)] {
        let fetcher = Fetcher::with(|config| config.limits.pack = pack);
        let error = refused(&fetcher, &chart(&server, &commit)).await;
        assert!(
            matches!(error, Error::TooLarge { part: found, .. } if found == part),
            "{error:?}"
        );
        assert!(!error.is_transient());
    }
}

#[tokio::test]
async fn a_transfer_that_breaks_is_begun_anew() {
    let Some((repository, commit)) = Repository::with_chart() else {
        return;
    };
    let (root, posts) = (repository.folder.path().to_owned(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        let reply = Reply::from(backend(&root, request));
        let post = request.method == "POST";
        match post && posts.fetch_add(1, Ordering::Relaxed) == 0 {
            true => reply.breaks_after(100),
            false => reply,
        }
    });
    let fetcher = Fetcher::with(|config| config.retries.count = 1);
    fetcher.fetch(&chart(&server, &commit)).await.unwrap();
    assert_eq!(server.seen().len(), 4);
}

#[tokio::test]
async fn a_repository_may_name_its_objects_by_the_newer_sums() {
    let Some(repository) = Repository::of_kind("sha256") else {
        return;
    };
    let commit = repository.commit(CHART);
    let server = repository.serve();
    let archive = Fetcher::new()
        .fetch(&chart(&server, &commit))
        .await
        .unwrap();
    assert_same(&archive, &repository.path("charts/shop"));
    let error = refused(&Fetcher::new(), &chart(&server, &commit[..40]))
        .await
        .to_string();
    assert!(error.contains(r#"names commits by "sha256""#), "{error}");
}

#[tokio::test]
async fn many_deltas_make_the_same_files() {
    let Some((repository, _)) = Repository::with_chart() else {
        return;
    };
    // Files that differ little are sent as what they differ by.
    let lines: Vec<String> = (0..200)
        .map(|line| format!("line {line} {}\n", line * 7919))
        .collect();
    for file in 0..20 {
        let text = lines[..200 - file].concat();
        std::fs::write(repository.path(&format!("charts/shop/file-{file}")), text).unwrap();
    }
    let commit = repository.commit(&[]);
    repository.git(&["gc", "-q", "--aggressive"]);
    let server = repository.serve();
    let fetcher = Fetcher::with(|config| config.limits.archive = 1 << 20);
    let archive = fetcher.fetch(&chart(&server, &commit)).await.unwrap();
    assert_same(&archive, &repository.path("charts/shop"));
}

#[tokio::test]
async fn there_is_nothing_to_verify_in_git() {
    let reference = ChartRef {
        checkout: Some(Checkout::new(&"1".repeat(40), "").unwrap()),
        ..shop("git+http://git.example.com/a")
    };
    let archive = Archive {
        bytes: Default::default(),
        digest: Digest::of(b""),
        manifest: None,
    };
    let trusted = Trusted::Cosign(Vec::new());
    let sources = Fetcher::new().sources;
    let error = sources
        .verify(&reference, &archive, &trusted)
        .await
        .unwrap_err();
    let unsigned = verify::Error::Unsigned;
    assert!(matches!(error, Error::Unverified { source, .. } if source == unsigned));
}
