//! Seeing for oneself, through the API server's watches and not through the controller.
//!
//! In: a client, what is looked for. Out: the object, and the moment at which it was seen. Never:
//! the start-up time of a tool in a measured time, or a wait without an end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::TryStreamExt;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use pintle::api::{Condition, HelmRelease};

/// How long anything may take before the demo gives up; it is no measurement.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Ends with an error that says what did not come true.
pub(crate) async fn within<T>(what: &str, event: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, event).await {
        Ok(done) => done.with_context(|| format!("wait until {what}")),
        Err(_) => bail!(
            "it did not come true within {} s that {what}",
            PATIENCE.as_secs()
        ),
    }
}

/// One object that is watched from a known moment on.
pub(crate) struct Watched<K> {
    api: Api<K>,
    name: String,
    since: String,
    pub(crate) before: Option<K>,
}

impl<K> Watched<K>
where
    K: kube::Resource<DynamicType = ()> + Clone + DeserializeOwned + std::fmt::Debug,
{
    /// The object as it is now, or is not yet. What happens from now on will be seen.
    pub(crate) async fn now(api: Api<K>, name: &str) -> Result<Self> {
        let only = ListParams::default().fields(&format!("metadata.name={name}"));
        let mut list = api
            .list(&only)
            .await
            .with_context(|| format!("look at {name}"))?;
        let since = list.metadata.resource_version.take();
        let since = since.with_context(|| format!("look at {name}: the list has no version"))?;
        Ok(Self {
            api,
            name: name.to_owned(),
            since,
            before: list.items.pop(),
        })
    }

    /// The first state since then that is as asked, and when it was seen.
    pub(crate) async fn first(&self, is_so: impl Fn(&K) -> bool) -> Result<(K, Instant)> {
        let only = WatchParams::default().fields(&format!("metadata.name={}", self.name));
        let events = self.api.watch(&only, &self.since).await;
        let mut events = Box::pin(events.with_context(|| format!("watch {}", self.name))?);
        while let Some(event) = events.try_next().await? {
            match event {
                WatchEvent::Added(state) | WatchEvent::Modified(state) if is_so(&state) => {
                    return Ok((state, Instant::now()));
                }
                WatchEvent::Error(status) => bail!("watch {}: {}", self.name, status.message),
                _ => {}
            }
        }
        bail!("watch {}: the API server ended the watch", self.name)
    }
}

impl Watched<HelmRelease> {
    /// Waits until a newer spec than the one before is Ready. The time runs from the moment at
    /// which the API server shows the spec until it shows the condition.
    pub(crate) async fn ready(&self) -> Result<(HelmRelease, Duration)> {
        let generation = |release: &HelmRelease| release.metadata.generation;
        let before = self.before.as_ref().and_then(generation);
        let is_newer = |release: &HelmRelease| generation(release) > before;
        let is_ready = |release: &HelmRelease| is_newer(release) && is_ready(release);
        let what = format!("HelmRelease {} is Ready", self.name);
        let both = async { tokio::try_join!(self.first(is_newer), self.first(is_ready)) };
        let seen = within(&what, both).await;
        let ((_, declared), (release, ready)) = match seen {
            Ok(seen) => seen,
            Err(error) => bail!("{error:#}; {}", self.says().await),
        };
        Ok((release, ready.duration_since(declared)))
    }

    /// What the resource says of itself, for a failure's message.
    async fn says(&self) -> String {
        let only = ListParams::default().fields(&format!("metadata.name={}", self.name));
        let found = self
            .api
            .list(&only)
            .await
            .ok()
            .and_then(|mut list| list.items.pop());
        let Some(release) = found else {
            return "it does not exist".to_owned();
        };
        match condition(&release, "Ready") {
            Some(ready) => format!("it says: {}: {}", ready.reason, ready.message),
            None => "it says nothing yet: it has no condition Ready".to_owned(),
        }
    }
}

/// Whether the status speaks of the spec as it is, and says that it is Ready.
fn is_ready(release: &HelmRelease) -> bool {
    let observed = release
        .status
        .as_ref()
        .and_then(|status| status.observed_generation);
    observed == release.metadata.generation
        && condition(release, "Ready").is_some_and(|ready| ready.status == "True")
}

/// A condition of a HelmRelease.
pub(crate) fn condition<'r>(release: &'r HelmRelease, kind: &str) -> Option<&'r Condition> {
    release
        .status
        .as_ref()?
        .conditions
        .iter()
        .find(|condition| condition.type_ == kind)
}
