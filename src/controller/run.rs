//! The loop: HelmReleases and the objects of their releases wake turns until the program stops.

use std::collections::HashSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use kube::runtime::controller::{Config, ReconcileRequest, applier};
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{Predicate, WatchStreamExt, predicates, watcher};
use kube::{Api, Client, ResourceExt as _};
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};

use super::context::{Context, Guarded, Settings};
use super::reconcile::{on_error, reconcile};
use super::watches::Watches;
use crate::api::HelmRelease;
use crate::source::{Digest, Sources};
use crate::telemetry::{Metrics, Readiness};

/// How often the cache of charts is tidied.
const TIDY_PAUSE: Duration = Duration::from_secs(3600);

/// Why the controller could not begin.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The definition is not installed, or may not be read.
    #[error(
        "list HelmReleases: is the definition installed (`pintle crd | kubectl apply -f -`), and may this account read it?"
    )]
    List(#[source] Box<kube::Error>),
}

/// Keeps HelmReleases as declared until `shutdown` comes, then ends turns that are under way.
///
/// # Errors
/// [`RunError::List`] if HelmReleases cannot be listed at the start.
pub async fn run(
    client: Client,
    sources: Sources,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    settings: Settings,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), RunError> {
    let probe: Api<HelmRelease> = scoped(&client, &settings);
    let one = kube::api::ListParams::default().limit(1);
    probe
        .list_metadata(&one)
        .await
        .map_err(|error| RunError::List(Box::new(error)))?;

    let (stop, stopping) = watch::channel(false);
    let shutdown = shutdown.map(move |()| stop.send_replace(true)).shared();
    let (wake, woken) = mpsc::unbounded_channel();
    let (store, writer) = reflector::store::<Guarded>();
    let api: Api<Guarded> = scoped(&client, &settings);
    // Writing a status, or a finalizer, is no reason for another turn.
    let changed = predicates::generation::<Guarded>.combine(predicates::annotations::<Guarded>);
    let declared = watcher(api, watcher::Config::default())
        .default_backoff()
        // Who wrote which field of a HelmRelease is asked by nobody, and larger than its spec.
        .modify(|resource| *resource.managed_fields_mut() = Vec::new())
        .reflect(writer)
        .applied_objects()
        .predicate_filter(changed, kube::runtime::PredicateConfig::default())
        .filter_map(|event| async {
            match event {
                Ok(resource) => Some(ObjectRef::from_obj(&resource)),
                Err(error) => {
                    warn!(%error, "the watch of HelmReleases broke off and is begun again");
                    None
                }
            }
        });
    let woken = stream::unfold(woken, |mut woken| async {
        woken.recv().await.map(|next| (next, woken))
    });
    let queue = stream::select(declared.boxed(), woken.boxed())
        .map(|reference| Ok::<_, std::convert::Infallible>(ReconcileRequest::from(reference)))
        .take_until(shutdown.clone());

    let watches = Watches::new(client.clone(), settings.namespace.is_some(), wake);
    let tidying = tidy(sources.clone(), store.clone());
    let context = Context::new(
        client,
        &settings,
        sources,
        metrics,
        watches.clone(),
        store.clone(),
        stopping,
    );
    // What helm does to a release by hand is seen at once, and its records need not be listed.
    let records = context
        .storage
        .follow(settings.namespace.as_deref())
        .take_until(shutdown.clone())
        .for_each(move |release| {
            watches.recorded(&release);
            std::future::ready(())
        });
    // Who may only look into one namespace reads it where needed.
    let namespaces = match settings.namespace {
        Some(_) => stream::pending().left_stream(),
        None => {
            let client = context.client.clone();
            context.namespaces.follow(client).right_stream()
        }
    };
    let namespaces = namespaces
        .take_until(shutdown.clone())
        .for_each(|()| std::future::ready(()));
    let ready = async {
        if store.wait_until_ready().await.is_ok() {
            readiness.set(true);
        }
    };
    let turns = applier(
        |resource, context| reconcile(resource, context).boxed(),
        on_error,
        Arc::new(context),
        store.clone(),
        queue,
        Config::default().debounce(Duration::ZERO),
    )
    .for_each(|turn| async {
        if let Err(error) = turn {
            debug!(%error, "a turn ended with an error");
        }
    });
    let work = async { tokio::join!(turns, ready, records, namespaces) };
    tokio::select! {
        _ = work => {}
        () = tidying => {}
    }
    readiness.set(false);
    Ok(())
}

/// Keeps the cache of charts from growing old, for as long as it is polled. What a release's history
/// was made of is needed.
async fn tidy(sources: Sources, resources: Store<Guarded>) {
    let unready = || std::future::pending::<()>();
    if resources.wait_until_ready().await.is_err() {
        return unready().await;
    }
    loop {
        let mut needed = HashSet::new();
        for resource in resources.state() {
            let Some(status) = resource.0.as_ref().ok().and_then(|r| r.status.as_ref()) else {
                continue;
            };
            let history = status.history.iter().map(|known| &known.chart_digest);
            let used = status.source.iter().map(|source| &source.digest);
            needed.extend(
                history
                    .chain(used)
                    .filter_map(|text| text.parse::<Digest>().ok()),
            );
        }
        sources.tidy(needed).await;
        tokio::time::sleep(TIDY_PAUSE).await;
    }
}

fn scoped<K>(client: &Client, settings: &Settings) -> Api<K>
where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
{
    match &settings.namespace {
        Some(namespace) => Api::namespaced(client.clone(), namespace),
        None => Api::all(client.clone()),
    }
}
