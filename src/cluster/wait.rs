//! Waiting, by watches on the objects themselves. A waiting release is a future, not a worker: it
//! has left its place of work. A newer wish ends it at once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{FuturesUnordered, SelectAll};
use futures::{Stream, StreamExt, TryStreamExt};
use jiff::Timestamp;
use kube::Api;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::runtime::{WatchStreamExt, watcher};
use serde_json::Value;

use super::error::{Error, Result};
use super::live::{Cluster, Endpoint};
use super::permit::Permit;
use crate::health::{self, Health};
use crate::manifest::ObjectKey;

/// An object that is not ready, and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unready {
    /// The object.
    pub object: ObjectKey,
    /// A word.
    pub reason: String,
    /// A sentence.
    pub message: String,
    /// It has failed, and does not become ready by waiting.
    pub failed: bool,
}

/// How long a failed object may stay so before it counts as failed for good.
const LAST_HOPE: Duration = Duration::from_secs(3);

/// One watched object's news: its index, and its state unless it is gone.
type News = (usize, Option<Value>);

impl Cluster {
    /// Waits until every object is ready; answers those that were not when time was up, when no
    /// other was left but failed ones, or when the wait was interrupted. Each object comes with its last known state, which is judged
    /// first, so that most objects need no watch at all.
    pub async fn await_ready(
        &self,
        objects: Vec<(Endpoint, Option<Value>)>,
        timeout: Duration,
        permit: &Permit,
        report: &(dyn Fn(&[Unready]) + Sync),
    ) -> Result<Vec<Unready>> {
        let judge = |at: &Endpoint, state: Option<&Value>| match state {
            Some(object) => unready(at, &health::of(object, Timestamp::now())),
            None => Some(missing(at)),
        };
        self.until(objects, timeout, permit, report, &judge).await
    }

    /// Waits until every object is gone; answers those that were not.
    pub async fn await_gone(
        &self,
        objects: Vec<Endpoint>,
        timeout: Duration,
        permit: &Permit,
        report: &(dyn Fn(&[Unready]) + Sync),
    ) -> Result<Vec<Unready>> {
        let mut present = Vec::new();
        let mut reads: FuturesUnordered<_> = objects
            .into_iter()
            .map(|at| async move { self.get(&at).await.map(|live| (at, live)) })
            .collect();
        while let Some((at, live)) = reads.try_next().await? {
            if live.is_some() {
                present.push((at, live));
            }
        }
        let judge = |at: &Endpoint, state: Option<&Value>| state.map(|_| terminating(at));
        self.until(present, timeout, permit, report, &judge).await
    }

    /// Watches the objects that `judge` finds wanting, until it finds none, or none but failed ones.
    // helm: pkg/kube/statuswait.go statusObserver: failure is final. Not at once here: a Deployment
    // that is rolled back has its new generation observed a moment before its old failure is gone.
    pub(super) async fn until(
        &self,
        objects: Vec<(Endpoint, Option<Value>)>,
        timeout: Duration,
        permit: &Permit,
        report: &(dyn Fn(&[Unready]) + Sync),
        judge: &(dyn Fn(&Endpoint, Option<&Value>) -> Option<Unready> + Sync),
    ) -> Result<Vec<Unready>> {
        let mut wanting: BTreeMap<usize, Unready> = objects
            .iter()
            .enumerate()
            .filter_map(|(index, (at, state))| Some((index, judge(at, state.as_ref())?)))
            .collect();
        if wanting.is_empty() {
            return Ok(Vec::new());
        }
        // Only names are kept while it lasts: many may wait at once.
        let objects: Vec<Endpoint> = objects.into_iter().map(|(at, _)| at).collect();
        let mut watches = SelectAll::new();
        for index in wanting.keys() {
            watches.push(self.watch(*index, &objects[*index]));
        }
        let waiting = async {
            let deadline = tokio::time::sleep(timeout);
            tokio::pin!(deadline);
            while !wanting.is_empty() {
                report(&wanting.values().cloned().collect::<Vec<_>>());
                let hopeless = wanting.values().all(|unready| unready.failed);
                let news = tokio::select! {
                    news = watches.next() => news,
                    () = &mut deadline => None,
                    () = tokio::time::sleep(LAST_HOPE), if hopeless => None,
                    () = permit.revoked() => None,
                };
                let Some(news) = news else { break };
                let (index, state) = news?;
                match judge(&objects[index], state.as_ref()) {
                    Some(still) => wanting.insert(index, still),
                    None => wanting.remove(&index),
                };
            }
            Ok(wanting.into_values().collect())
        };
        permit.while_waiting(waiting).await
    }

    /// The states of one object, as they come.
    fn watch(
        &self,
        index: usize,
        at: &Endpoint,
    ) -> futures::stream::BoxStream<'static, Result<News>> {
        let client = self.client.clone();
        let api: Api<DynamicObject> = match &at.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &at.resource),
            None => Api::all_with(client, &at.resource),
        };
        let config =
            watcher::Config::default().fields(&format!("metadata.name={}", at.object.name));
        let object = at.object.to_string();
        let resource = at.resource.clone();
        states(watcher::watcher(api, config).default_backoff())
            .map(move |state| match state {
                Ok(state) => Ok((index, state.map(|object| typed(object, &resource)))),
                Err(error) => Err(Error::of("watch", object.clone(), error)),
            })
            .boxed()
    }
}

/// The states in a watcher's events; `None` where the object is not there. Lost connections are
/// the watcher's own business, refusals are not.
fn states(
    events: impl Stream<Item = watcher::Result<watcher::Event<DynamicObject>>> + Send + 'static,
) -> impl Stream<Item = std::result::Result<Option<Value>, kube::Error>> + Send + 'static {
    let mut listed = false;
    events.filter_map(move |event| {
        let state = match event {
            Ok(watcher::Event::Init) => {
                listed = false;
                None
            }
            Ok(watcher::Event::InitApply(object)) => {
                listed = true;
                Some(Ok(serde_json::to_value(object).ok()))
            }
            Ok(watcher::Event::Apply(object)) => Some(Ok(serde_json::to_value(object).ok())),
            Ok(watcher::Event::InitDone) => (!listed).then_some(Ok(None)),
            Ok(watcher::Event::Delete(_)) => Some(Ok(None)),
            Err(error) => refusal(error).map(Err),
        };
        futures::future::ready(state)
    })
}

/// The items of a list do not say their kind; what judges them asks for it.
fn typed(mut object: Value, resource: &ApiResource) -> Value {
    object["apiVersion"] = resource.api_version.clone().into();
    object["kind"] = resource.kind.clone().into();
    object
}

/// The API server's no to a watch, such as a missing permission; anything else is tried again.
fn refusal(error: watcher::Error) -> Option<kube::Error> {
    match error {
        watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error) => {
            match error {
                kube::Error::Api(status) if matches!(status.code, 401 | 403 | 404 | 405) => {
                    Some(kube::Error::Api(status))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Why an object in this state is not ready; `None` where it is.
pub(super) fn readiness(at: &Endpoint, state: Option<&Value>) -> Option<Unready> {
    match state {
        Some(object) => unready(at, &health::of(object, Timestamp::now())),
        None => Some(missing(at)),
    }
}

fn unready(at: &Endpoint, health: &Health) -> Option<Unready> {
    (health.status != health::Status::Current).then(|| Unready {
        object: at.object.clone(),
        reason: health.reason.clone(),
        message: health.message.clone(),
        failed: health.status == health::Status::Failed,
    })
}

fn missing(at: &Endpoint) -> Unready {
    Unready {
        object: at.object.clone(),
        reason: "NotFound".to_owned(),
        message: "the object is not there".to_owned(),
        failed: false,
    }
}

fn terminating(at: &Endpoint) -> Unready {
    Unready {
        object: at.object.clone(),
        reason: "Terminating".to_owned(),
        message: "the object is being deleted".to_owned(),
        failed: false,
    }
}
