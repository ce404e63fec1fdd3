//! Fetches a chart from a Helm repository: index.yaml, then the archive that its entry names.

pub(super) mod provenance;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::header::{
    ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use url::Url;

use super::cache::ReferenceKey;
use super::digest::Digest;
use super::error::{Declared, Error, Missing, Part};
use super::http::{Answer, Ask};
use super::index::{self, Entry, Failure};
use super::indexes::{self, Answered};
use super::oci::{self, Reference};
use super::search::Search;
use super::target::Target;
use super::{Archive, Shared};

/// URLs of one entry that are tried.
const MIRRORS: usize = 16;

/// The entries of charts that were fetched before, each with what asks its server whether the index
/// has changed since: a thousand releases of one chart read its index once.
#[derive(Default)]
pub(super) struct KnownEntries(Mutex<HashMap<ReferenceKey, Known>>);

#[derive(Clone)]
struct Known {
    /// `If-None-Match` and `If-Modified-Since`, at least one of them.
    conditions: HeaderMap,
    found: Found,
}

/// What an index says of a version. That it does not have it is worth knowing, too: it is asked
/// again and again until someone publishes the version.
type Found = Result<Entry, Missing>;

/// Entries kept; more begin anew.
const KNOWN_ENTRIES: usize = 4096;

impl KnownEntries {
    fn get(&self, reference: &ReferenceKey) -> Option<Known> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(reference)
            .cloned()
    }

    fn put(&self, reference: &ReferenceKey, conditions: HeaderMap, found: &Found) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= KNOWN_ENTRIES {
            known.clear();
        }
        if conditions.is_empty() {
            known.remove(reference);
        } else {
            known.insert(
                reference.clone(),
                Known {
                    conditions,
                    found: found.clone(),
                },
            );
        }
    }
}

/// Fetches the archive of the target's exact version from the repository at `base`.
pub(super) async fn fetch(
    shared: &Arc<Shared>,
    target: &Target<'_>,
    base: &Url,
    reference: &ReferenceKey,
) -> Result<Archive, Error> {
    let (url, entry) = find(shared, target, base, reference).await?;
    // In a registry the digest may be the manifest's: what a pin means shows there.
    let in_registry = entry.urls.iter().any(|url| url.starts_with("oci://"));
    if let Some(digest) = entry.digest.filter(|_| !in_registry) {
        target.check_pins(&url, digest, None)?;
        let kept = shared.cache.recall(reference).await;
        if let Some(archive) = kept.filter(|kept| kept.digest == digest) {
            return Ok(archive);
        }
    }
    let mut failed: Option<Error> = None;
    let fetch = Fetch {
        shared,
        target,
        base,
        reference,
    };
    for url in entry.urls.iter().take(MIRRORS) {
        match fetch.download(url, entry.digest).await {
            Ok(archive) => return Ok(archive),
            // If any mirror may answer later, the whole may.
            Err(error)
                if failed
                    .as_ref()
                    .is_none_or(|first| error.is_transient() && !first.is_transient()) =>
            {
                failed = Some(error);
            }
            Err(_) => {}
        }
    }
    Err(failed.unwrap_or_else(|| malformed(target, &url, "its entry has no urls".to_owned())))
}

/// The entry of the target's version, and the index's URL.
async fn find(
    shared: &Arc<Shared>,
    target: &Target<'_>,
    base: &Url,
    reference: &ReferenceKey,
) -> Result<(Url, Entry), Error> {
    let url = index::resolve(base, "index.yaml")
        .ok_or_else(|| malformed(target, base, "its URL cannot be formed".to_owned()))?;
    let found = find_in_index(shared, target, &url, reference).await?;
    let entry = found.map_err(|missing| Error::NotFound {
        place: target.at(&url),
        missing,
    })?;
    Ok((url, entry))
}

async fn find_in_index(
    shared: &Arc<Shared>,
    target: &Target<'_>,
    url: &Url,
    reference: &ReferenceKey,
) -> Result<Found, Error> {
    let known = shared.known_entries.get(reference);
    let conditions = known.as_ref().map(|known| known.conditions.clone());
    let mut answered = indexes::ask(shared, target, url, conditions).await?;
    let unchanged = |conditions: &HeaderMap| {
        let known = known
            .as_ref()
            .filter(|known| known.conditions == *conditions);
        known.map(|known| known.found.clone())
    };
    if let Answered::Unchanged(conditions) = &answered {
        if let Some(found) = unchanged(conditions) {
            return Ok(found);
        }
        // Somebody else's answer: what it has not changed since is not known here.
        answered = indexes::ask(shared, target, url, None).await?;
    }
    let copy = match answered {
        Answered::Copy(copy) => copy,
        Answered::Unchanged(_) | Answered::TooLarge => {
            return retried(shared, || find_as_it_comes(shared, target, url, reference)).await;
        }
    };
    if !copy.conditions.is_empty()
        && let Some(found) = unchanged(&copy.conditions)
    {
        return Ok(found);
    }
    let conditions = copy.conditions.clone();
    let search = Search::new(target.name(), target.version());
    let turn = Arc::clone(&shared.reading_turns).acquire_owned().await;
    let read = on_a_thread(target, url, move || {
        let read = copy.read(search);
        drop(turn);
        read
    });
    let found = match read.await? {
        Ok(search) => end(shared, target, url, search).await?,
        Err(missing) => Err(missing),
    };
    shared.known_entries.put(reference, conditions, &found);
    Ok(found)
}

/// The same of an index that is not held.
async fn find_as_it_comes(
    shared: &Shared,
    target: &Target<'_>,
    url: &Url,
    reference: &ReferenceKey,
) -> Result<Found, Error> {
    let answer = get(shared, target, url, "*/*", HeaderMap::new()).await?;
    if answer.status() != 200 {
        return Err(answer.refusal(target, Missing::Index));
    }
    let conditions = conditions_of(&answer);
    let mut search = Search::new(target.name(), target.version());
    let unusable = |failure| match failure {
        Failure::Missing(missing) => Error::NotFound {
            place: target.at(url),
            missing,
        },
        Failure::Malformed(reason) => malformed(target, url, reason),
    };
    let limit = shared.limits.index;
    answer
        .pour(target, Part::Index, limit, |bytes| {
            search.push(bytes).map_err(unusable)
        })
        .await?;
    let found = end(shared, target, url, search).await?;
    shared.known_entries.put(reference, conditions, &found);
    Ok(found)
}

/// What is read of an index as it comes must come anew where that breaks off.
pub(super) async fn retried<T, F: Future<Output = Result<T, Error>>>(
    shared: &Shared,
    mut once: impl FnMut() -> F,
) -> Result<T, Error> {
    let mut attempt = 0;
    loop {
        match once().await {
            Err(error @ (Error::Interrupted { .. } | Error::Timeout { .. }))
                if shared.http.pauses(&mut attempt, None).await =>
            {
                tracing::debug!(%error, "the index is read once more");
            }
            ended => return ended,
        }
    }
}

/// Ends a search. A parsed entry is many times its size: one at a time.
async fn end(
    shared: &Shared,
    target: &Target<'_>,
    url: &Url,
    search: Search,
) -> Result<Found, Error> {
    let turn = Arc::clone(&shared.index_turn).acquire_owned().await;
    let found = on_a_thread(target, url, move || {
        let found = search.end();
        // Not earlier: the thread goes on even if nobody waits for it any more.
        drop(turn);
        found
    });
    found.await
}

async fn on_a_thread<T: Send + 'static>(
    target: &Target<'_>,
    url: &Url,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<Result<T, Missing>, Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(done)) => Ok(Ok(done)),
        Ok(Err(Failure::Missing(missing))) => Ok(Err(missing)),
        Ok(Err(Failure::Malformed(reason))) => Err(malformed(target, url, reason)),
        Err(_) => Err(malformed(
            target,
            url,
            "reading it was cancelled".to_owned(),
        )),
    }
}

/// What asks for this answer again only if it has changed.
pub(super) fn conditions_of(answer: &Answer) -> HeaderMap {
    let pairs = [(ETAG, IF_NONE_MATCH), (LAST_MODIFIED, IF_MODIFIED_SINCE)];
    let found = pairs.into_iter().filter_map(|(given, asked)| {
        let value = answer.headers(given.as_str()).next()?;
        Some((asked, HeaderValue::from_str(value).ok()?))
    });
    found.collect()
}

/// One fetch whose entry is known.
struct Fetch<'a> {
    shared: &'a Shared,
    target: &'a Target<'a>,
    base: &'a Url,
    reference: &'a ReferenceKey,
}

impl Fetch<'_> {
    /// The archive at one of the entry's URLs, which may lead to a registry.
    async fn download(&self, url: &str, declared: Option<Digest>) -> Result<Archive, Error> {
        let (shared, target) = (self.shared, self.target);
        let refused = |reason: &str| malformed(target, self.base, reason.to_owned());
        if url.starts_with("oci://") {
            let image = Reference::parse(url, target.plain_http())
                .ok_or_else(|| refused("its entry has an oci:// URL without chart and tag"))?;
            return oci::pull(shared, target, &image, declared, self.reference).await;
        }
        let url = index::resolve(self.base, url)
            .ok_or_else(|| refused("its entry has a URL that is none"))?;
        let accept = "application/gzip, application/octet-stream, */*";
        let answer = get(shared, target, &url, accept, HeaderMap::new()).await?;
        if answer.status() != 200 {
            return Err(answer.refusal(target, Missing::Archive));
        }
        let (http, part, limit) = (&shared.http, Part::Archive, shared.limits.archive);
        let bytes = match declared {
            Some(_) => http.receive_verified(target, answer, part, limit).await?,
            None => http.receive(target, answer, part, limit).await?,
        };
        let digest = Digest::of(&bytes);
        target.check_pins(&url, digest, None)?;
        match declared {
            Some(expected) if expected != digest => {
                let (place, declared) = (target.at(&url), Declared::Index);
                Err(Error::DigestMismatch {
                    place,
                    declared,
                    expected,
                    found: digest,
                })
            }
            _ => Ok(Archive {
                bytes,
                digest,
                manifest: None,
            }),
        }
    }
}

/// A login is sent at once, as Helm does: these servers often answer 404 without one.
pub(super) async fn get(
    shared: &Shared,
    target: &Target<'_>,
    url: &Url,
    accept: &'static str,
    conditions: HeaderMap,
) -> Result<Answer, Error> {
    let login = target.login(url, url.path().trim_start_matches('/'));
    let authorization = login
        .map(|login| login.authorization())
        .transpose()?
        .flatten();
    let mut ask = Ask::get(url.clone(), accept, authorization.as_ref());
    ask.headers.extend(conditions);
    shared.http.send(target, ask).await
}

pub(super) fn malformed(target: &Target<'_>, url: &Url, reason: String) -> Error {
    Error::Malformed {
        place: target.at(url),
        part: Part::Index,
        reason,
    }
}
