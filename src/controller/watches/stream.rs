//! One place, watched.
//!
//! In: a place. Out: news of its objects, as the watch brings them, and as a list of the metadata
//! brings them once an interval, page by page: the safety net below the watch. Never: a whole
//! object.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt, stream};
use kube::api::{ListParams, ObjectList, ObjectMeta};
use kube::{Api, Client};
use tokio::time::sleep;
use tracing::debug;

use super::known::{News, ObjectId, Place};
use super::version::{Version, order};
use super::{Watches, context};
use crate::plan::OWNED_SELECTOR;
use crate::watch::{self, Metadata, Selector, Told};

/// How many objects the safety net reads at once, and how long it rests between.
const SLICE: (u32, Duration) = (500, Duration::from_secs(1));

/// Watches a place until the task is ended.
pub(super) async fn follow(watches: Watches, place: Arc<Place>) {
    let api = api(&watches.client, &place);
    let what = place.resource.plural.clone();
    let mut told = pin!(watch::follow(api.clone(), selector(&place), what));
    let mut found = pin!(rounds(watches.clone(), Arc::clone(&place), api));
    let mut listed = None;
    loop {
        tokio::select! {
            Some(told) = told.next() => note(&watches, &place, told, &mut listed),
            Some((id, news)) = found.next() => watches.seen(&id, news),
            else => return,
        }
    }
}

fn note(watches: &Watches, place: &Place, told: Told, listed: &mut Option<HashSet<ObjectId>>) {
    match told {
        Told::Began => *listed = Some(HashSet::new()),
        Told::There(metadata) => {
            let id = id_of(place, &metadata);
            watches.seen(&id, News::There(Version::of(&metadata)));
            if let Some(listed) = listed {
                listed.insert(id);
            }
        }
        Told::Complete => {
            let listed = listed.take().unwrap_or_default();
            watches.missing(place, &listed, None);
            watches.set_blind(place, None);
        }
        Told::Gone(metadata) => {
            let at = order(metadata.resource_version.as_deref());
            watches.seen(&id_of(place, &metadata), News::Gone(at));
        }
        Told::Refused(why) => watches.set_blind(place, Some(why)),
    }
}

/// What the safety net finds, for ever: a round an interval.
fn rounds(
    watches: Watches,
    place: Arc<Place>,
    api: Api<Metadata>,
) -> impl Stream<Item = (ObjectId, News)> {
    let rounds = stream::unfold((), move |()| {
        let (watches, place, api) = (watches.clone(), Arc::clone(&place), api.clone());
        async move {
            // A watch begins with a list, so the first round is due an interval later; a part of it
            // is drawn by lot, so that not all kinds are read at once.
            sleep(watches.interval(&place).mul_f64(context::lot(0.75..1.0))).await;
            let round = round(&watches, &place, &api).await;
            let news = round.unwrap_or_else(|error| {
                debug!(kind = %place.resource.kind, %error, "a kind could not be listed");
                Vec::new()
            });
            Some((stream::iter(news), ()))
        }
    });
    rounds.flatten()
}

/// Lists a place once, slice by slice.
async fn round(
    watches: &Watches,
    place: &Place,
    api: &Api<Metadata>,
) -> kube::Result<Vec<(ObjectId, News)>> {
    let selector = selector(place);
    let mut slice = ListParams {
        label_selector: selector.labels,
        field_selector: selector.fields,
        limit: Some(SLICE.0),
        ..ListParams::default()
    };
    let mut listed = HashSet::new();
    let mut news = Vec::new();
    loop {
        let found: ObjectList<Metadata> = api.list(&slice).await?;
        for object in &found.items {
            let id = id_of(place, &object.metadata);
            news.push((id.clone(), News::There(Version::of(&object.metadata))));
            listed.insert(id);
        }
        match found.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => slice.continue_token = Some(token),
            None => {
                let at = order(found.metadata.resource_version.as_deref());
                let gone = watches.known().missing(place, &listed, at);
                news.extend(gone.into_iter().map(|id| (id, News::Gone(at))));
                return Ok(news);
            }
        }
        sleep(SLICE.1).await;
    }
}

fn api(client: &Client, place: &Place) -> Api<Metadata> {
    match &place.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &place.resource),
        None => Api::all_with(client.clone(), &place.resource),
    }
}

fn selector(place: &Place) -> Selector {
    match &place.name {
        Some(name) => Selector {
            fields: Some(format!("metadata.name={name}")),
            ..Selector::default()
        },
        None => Selector {
            labels: Some(OWNED_SELECTOR.to_owned()),
            ..Selector::default()
        },
    }
}

fn id_of(place: &Place, metadata: &ObjectMeta) -> ObjectId {
    ObjectId {
        group: place.resource.group.clone(),
        kind: place.resource.kind.clone(),
        namespace: metadata.namespace.clone(),
        name: metadata.name.clone().unwrap_or_default(),
    }
}
