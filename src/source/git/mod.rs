//! Fetches a chart from a folder of a commit, over git's smart HTTP protocol.
//!
//! One request asks what the server can do, one the commit without its history and, where the server
//! can leave them out, without its files; one more the files of the chart's folder alone. The ids of
//! all objects are computed from their bytes, so that what comes is the commit that was named.

pub(super) mod checkout;
pub mod folder;
pub mod pack;
mod package;
pub mod protocol;

use std::time::{Duration, Instant};

use http::{HeaderName, HeaderValue};
use url::Url;

use self::checkout::Checkout;
use self::folder::{Folder, Problem};
use self::pack::Objects;
use self::protocol::{Refusal, Response, Server, Wanted};
use super::digest::Digest;
use super::error::{Error, Missing, Part};
use super::http::{Answer, Ask, Post};
use super::target::{Target, same_origin};
use super::{Archive, Shared};
use crate::chart::File;
use crate::yaml;

/// The path below a repository that tells what a server can do.
const REFS: &str = "/info/refs";
/// Bytes of what a server says of itself.
const ADVERTISEMENT: u64 = 1 << 20;
/// What lines and progress take of an answer, beside the pack.
const OVERHEAD: u64 = 8 << 20;
/// How long what was fetched is read.
const READING: Duration = Duration::from_secs(60);

/// Fetches the folder of the target's chart as an archive.
pub(super) async fn fetch(
    shared: &Shared,
    target: &Target<'_>,
    repository: &Url,
    checkout: &Checkout,
) -> Result<Archive, Error> {
    let fetch = Fetch {
        shared,
        target,
        checkout,
    };
    let (mut server, base) = fetch.discover(repository).await?;
    let fetched = fetch.archive(&server, &base).await;
    match fetched {
        // jgit: RequestPolicy: some leave files out, and do not give them one by one.
        Err(Error::NotFound {
            missing: Missing::Files,
            ..
        }) if server.filters => {
            server.filters = false;
            fetch.archive(&server, &base).await
        }
        fetched => fetched,
    }
}

/// `Err` unless this is the chart that was named.
fn check(files: &[File], name: &str, version: &str) -> Result<(), String> {
    let chart = files.iter().find(|file| file.name == "Chart.yaml");
    let chart = chart.ok_or("the folder is no chart: it has no Chart.yaml")?;
    let text = crate::chart::without_mark(&chart.data);
    let chart = yaml::from_slice(text).map_err(|error| format!("Chart.yaml: {error}"))?;
    for (field, wanted) in [("name", name), ("version", version)] {
        let found = chart[field].as_str();
        if found != Some(wanted) {
            let found = found.map_or("none".to_owned(), |found| format!("{found:?}"));
            return Err(format!(
                "the {field} in its Chart.yaml is {found}, and not {wanted:?}"
            ));
        }
    }
    Ok(())
}

/// Where requests go.
struct Base {
    /// Without a slash at its end.
    url: Url,
    /// It is where the reference says, and not where a server has sent us.
    own: bool,
}

impl Base {
    fn below(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        url
    }
}

/// One fetch.
struct Fetch<'a> {
    shared: &'a Shared,
    target: &'a Target<'a>,
    checkout: &'a Checkout,
}

impl Fetch<'_> {
    /// What the server can do, and where it is: it may send us elsewhere, once and for all.
    // git: Documentation/config/http.txt http.followRedirects=initial
    async fn discover(&self, repository: &Url) -> Result<(Server, Base), Error> {
        let (http, target) = (&self.shared.http, self.target);
        let base = Base {
            url: repository.clone(),
            own: true,
        };
        let mut url = base.below(REFS);
        url.set_query(Some("service=git-upload-pack"));
        let answer = self.send(&base, url, None).await?;
        if answer.status() != 200 {
            return Err(answer.refusal(target, Missing::Repository));
        }
        let found = answer.url.clone();
        let malformed = |reason: &str| self.malformed(&found, Part::Advertisement, reason);
        let wanted = "application/x-git-upload-pack-advertisement";
        if answer.headers("content-type").next() != Some(wanted) {
            return Err(malformed("the server does not speak git's smart protocol"));
        }
        let base = Base {
            own: answer.from_asked_origin && same_origin(&found, repository),
            url: {
                let mut url = found.clone();
                let path = found.path().strip_suffix(REFS);
                let path =
                    path.ok_or_else(|| malformed("the server redirects to something else"))?;
                url.set_path(path);
                url.set_query(None);
                url
            },
        };
        let body = http
            .receive(target, answer, Part::Advertisement, ADVERTISEMENT)
            .await?;
        let server = protocol::advertisement(&body, self.checkout.commit.kind());
        Ok((server.map_err(|reason| malformed(&reason))?, base))
    }

    /// The folder as an archive.
    async fn archive(&self, server: &Server, base: &Base) -> Result<Archive, Error> {
        let (target, commit) = (self.target, &self.checkout.commit);
        let wanted = Wanted::Commit(commit);
        let pack = self.pack(base, server, &wanted, Missing::Commit).await?;
        let objects = Objects::new(commit.kind(), Instant::now());
        let own = self.checkout.clone();
        let found = self.blocking(&base.url, objects, move |objects| {
            objects.add(pack)?;
            let folder = Folder::find(objects, &own)?;
            let missing = folder.missing(objects)?;
            Ok((folder, missing))
        });
        let (mut objects, (folder, missing)) = found.await?;
        if !missing.is_empty() {
            let wanted = Wanted::Objects(&missing);
            let pack = self.pack(base, server, &wanted, Missing::Files).await?;
            let added = self.blocking(&base.url, objects, move |objects| Ok(objects.add(pack)?));
            (objects, ()) = added.await?;
        }
        let (name, version) = (target.name().to_owned(), target.version().to_owned());
        let packed = self.blocking(&base.url, objects, move |objects| {
            let files = folder.files(objects)?;
            check(&files, &name, &version).map_err(Problem::Chart)?;
            package::package(&name, &files, folder.time)
                .map_err(|error| Problem::Chart(error.to_string()))
        });
        let (_, bytes) = packed.await?;
        let limit = self.shared.limits.archive;
        if bytes.len() as u64 > limit {
            return Err(Error::TooLarge {
                place: target.at(&base.url),
                part: Part::Archive,
                limit,
            });
        }
        let digest = Digest::of(&bytes);
        target.check_pins(&base.url, digest, None)?;
        Ok(Archive {
            bytes: bytes.into(),
            digest,
            manifest: None,
        })
    }

    /// A pack with what is wanted.
    async fn pack(
        &self,
        base: &Base,
        server: &Server,
        wanted: &Wanted<'_>,
        missing: Missing,
    ) -> Result<Vec<u8>, Error> {
        let body = server.ask(wanted, self.checkout.commit.kind());
        let mut attempt = 0;
        loop {
            match self.pack_once(base, &body, missing).await {
                Err(error @ (Error::Interrupted { .. } | Error::Timeout { .. }))
                    if self.shared.http.pauses(&mut attempt, None).await =>
                {
                    tracing::debug!(%error, "a pack is asked for once more");
                }
                pack => return pack,
            }
        }
    }

    async fn pack_once(&self, base: &Base, body: &str, missing: Missing) -> Result<Vec<u8>, Error> {
        let target = self.target;
        let url = base.below("/git-upload-pack");
        let post = Post {
            content_type: "application/x-git-upload-pack-request",
            body: body.to_owned(),
        };
        let answer = self.send(base, url.clone(), Some(post)).await?;
        if answer.status() != 200 {
            return Err(answer.refusal(target, None));
        }
        let wanted = "application/x-git-upload-pack-result";
        if answer.headers("content-type").next() != Some(wanted) {
            let reason = "the server answers with something else";
            return Err(self.malformed(&url, Part::Pack, reason));
        }
        let refused = |refusal| match refusal {
            Refusal::Missing => Error::NotFound {
                place: target.at(&url),
                missing,
            },
            Refusal::Malformed(reason) => self.malformed(&url, Part::Pack, &reason),
        };
        let limit = self.shared.limits.pack;
        let mut response = Response::default();
        answer
            .pour(
                target,
                Part::Pack,
                limit.saturating_add(OVERHEAD),
                |bytes| response.push(bytes).map_err(refused),
            )
            .await?;
        let pack = response.end().map_err(refused)?;
        if pack.len() as u64 > limit {
            return Err(Error::TooLarge {
                place: target.at(&url),
                part: Part::Pack,
                limit,
            });
        }
        Ok(pack)
    }

    /// A login is sent at once, as in a Helm repository; elsewhere it is not.
    async fn send(&self, base: &Base, url: Url, post: Option<Post>) -> Result<Answer, Error> {
        let path = url.path().trim_start_matches('/');
        let login = self.target.login(&url, path).filter(|_| base.own);
        let authorization = login
            .map(|login| login.authorization())
            .transpose()?
            .flatten();
        let mut ask = Ask::get(url, "*/*", authorization.as_ref());
        let version = HeaderName::from_static("git-protocol");
        ask.headers
            .insert(version, HeaderValue::from_static("version=2"));
        ask.post = post;
        self.shared.http.send(self.target, ask).await
    }

    /// Reads objects on a thread of its own.
    async fn blocking<T: Send + 'static>(
        &self,
        url: &Url,
        mut objects: Objects,
        read: impl FnOnce(&mut Objects) -> Result<T, Problem> + Send + 'static,
    ) -> Result<(Objects, T), Error> {
        let read = tokio::task::spawn_blocking(move || {
            objects.give(Instant::now() + READING);
            let read = read(&mut objects);
            (objects, read)
        });
        let (objects, read) = read
            .await
            .map_err(|_| self.malformed(url, Part::Pack, "reading it was cancelled"))?;
        let read = read.map_err(|problem| match problem {
            Problem::Missing => Error::NotFound {
                place: self.target.at(url),
                missing: Missing::Folder,
            },
            Problem::Objects(reason) => self.malformed(url, Part::Pack, &reason),
            Problem::Chart(reason) => Error::Checkout {
                place: self.target.at(url),
                checkout: self.checkout.to_string(),
                reason,
            },
        })?;
        Ok((objects, read))
    }

    fn malformed(&self, url: &Url, part: Part, reason: &str) -> Error {
        Error::Malformed {
            place: self.target.at(url),
            part,
            reason: reason.to_owned(),
        }
    }
}
