//! Indexes as they came, compressed: one download for all charts of a repository.
//!
//! In: an index's URL, and the way to it. Out: its bytes, which each chart then searches by itself:
//! those that come now for everybody who asks now, and those of before where the server says that
//! they are still the same. Never: more bytes held than the bound; a copy for another login than the
//! one that it came with.

use std::io::{self, Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use futures::FutureExt as _;
use reqwest::header::HeaderMap;
use url::Url;

use super::cache::ReferenceKey;
use super::error::{Error, Missing, Part};
use super::flight::Flights;
use super::helm_repository::{conditions_of, get, malformed, retried};
use super::index::Failure;
use super::search::Search;
use super::target::Target;
use super::{ChartRef, Shared};

/// Compressed bytes of all copies that are held: the 26 MiB of a large index take some 3.
const HELD: usize = if cfg!(test) { 4 << 10 } else { 12 << 20 };
/// Bytes that are decompressed at once.
const STEP: usize = 1 << 16;

/// The copies that are held, and the downloads under way.
pub(super) struct Indexes {
    under_way: Flights<ReferenceKey, Result<Answered, Error>>,
    /// The one that was used last stands last.
    held: Mutex<Vec<(ReferenceKey, Arc<IndexCopy>)>>,
}

/// An index, compressed.
pub(super) struct IndexCopy {
    /// What asks whether it has changed since; empty where its server does not say.
    pub(super) conditions: HeaderMap,
    bytes: Vec<u8>,
}

/// What a server said of an index.
#[derive(Clone)]
pub(super) enum Answered {
    /// This is it.
    Copy(Arc<IndexCopy>),
    /// It is what it was when these were true.
    Unchanged(HeaderMap),
    /// It is too large to be held.
    TooLarge,
}

impl Indexes {
    pub(super) fn new() -> Self {
        Self {
            under_way: Flights::new(),
            held: Mutex::default(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Vec<(ReferenceKey, Arc<IndexCopy>)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &ReferenceKey) -> Option<Arc<IndexCopy>> {
        let mut held = self.held();
        let at = held.iter().position(|(known, _)| known == key)?;
        let found = held.remove(at);
        let copy = Arc::clone(&found.1);
        held.push(found);
        Some(copy)
    }

    fn put(&self, key: &ReferenceKey, copy: &Arc<IndexCopy>) {
        let mut held = self.held();
        held.retain(|(known, _)| known != key);
        if copy.conditions.is_empty() {
            return;
        }
        held.push((key.clone(), Arc::clone(copy)));
        let mut total = 0;
        let kept = held.iter().rev().take_while(|(_, copy)| {
            total += copy.bytes.len();
            total <= HELD
        });
        let excess = held.len() - kept.count();
        held.drain(..excess);
    }
}

/// The index at a URL; `known` asks whether it has changed since, where no copy of it is held. All who
/// ask at once get one answer.
pub(super) async fn ask(
    shared: &Arc<Shared>,
    target: &Target<'_>,
    url: &Url,
    known: Option<HeaderMap>,
) -> Result<Answered, Error> {
    let chart = target.chart().clone();
    // Of a place, not of a chart: the login counts.
    let key = shared.cache.key(&ChartRef {
        name: String::new(),
        version: String::new(),
        ..chart.clone()
    });
    let flight = key.clone();
    let work = move || {
        let (shared, url, key) = (Arc::clone(shared), url.clone(), flight);
        async move {
            let held = shared.indexes.get(&key);
            let conditions = held.as_ref().map(|copy| copy.conditions.clone());
            let conditions = conditions.or(known).unwrap_or_default();
            // What was permitted to the one who asks first is permitted.
            let target = Target::new(&chart, true)?;
            let answer = retried(&shared, || fetch(&shared, &target, &url, &conditions)).await?;
            Ok(match answer {
                Some(Answered::Copy(copy)) => {
                    shared.indexes.put(&key, &copy);
                    Answered::Copy(copy)
                }
                Some(other) => other,
                None => held.map_or(Answered::Unchanged(conditions), Answered::Copy),
            })
        }
        .boxed()
    };
    let answered = shared.indexes.under_way.join(key, work).await;
    answered.map_err(|error| error.told_of(target))
}

/// None where it has not changed.
async fn fetch(
    shared: &Shared,
    target: &Target<'_>,
    url: &Url,
    conditions: &HeaderMap,
) -> Result<Option<Answered>, Error> {
    let answer = get(shared, target, url, "*/*", conditions.clone()).await?;
    match answer.status().as_u16() {
        304 if !conditions.is_empty() => return Ok(None),
        200 => {}
        _ => return Err(answer.refusal(target, Missing::Index)),
    }
    let conditions = conditions_of(&answer);
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let mut fits = true;
    let limit = shared.limits.index;
    let unusable = |error: io::Error| malformed(target, url, error.to_string());
    let poured = answer.pour(target, Part::Index, limit, |bytes| {
        encoder.write_all(bytes).map_err(unusable)?;
        fits = encoder.get_ref().len() <= HELD;
        fits.then_some(())
            .ok_or_else(|| malformed(target, url, "it is too large to be held".to_owned()))
    });
    match poured.await {
        Err(_) if !fits => return Ok(Some(Answered::TooLarge)),
        poured => poured?,
    }
    let mut bytes = encoder.finish().map_err(unusable)?;
    bytes.shrink_to_fit();
    Ok(Some(Answered::Copy(Arc::new(IndexCopy {
        conditions,
        bytes,
    }))))
}

impl IndexCopy {
    /// Gives all of it to a search. Blocks.
    pub(super) fn read(&self, mut search: Search) -> Result<Search, Failure> {
        let broken = |error: io::Error| Failure::Malformed(error.to_string());
        let mut decoder = ZlibDecoder::new(self.bytes.as_slice());
        let mut piece = vec![0; STEP];
        loop {
            let read = decoder.read(&mut piece).map_err(broken)?;
            match piece.get(..read) {
                None | Some([]) => return Ok(search),
                Some(bytes) => search.push(bytes)?,
            }
        }
    }
}
