//! What every turn works with.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use kube::core::DeserializeGuard;
use kube::runtime::events::{Recorder, Reporter};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Client, ResourceExt};
use rand::{Rng as _, RngExt as _};
use tokio::sync::watch;

use super::holder::Holder;
use super::namespaces::Namespaces;
use super::watches::Watches;
use crate::api::{HelmRelease, HelmReleaseStatus, Images, Reason};
use crate::cluster::{Cluster, Place, Places};
use crate::plan::ReleaseName;
use crate::release::Seed;
use crate::render::Environment;
use crate::source::Sources;
use crate::storage::Storage;
use crate::telemetry::Metrics;

/// A HelmRelease as it is watched: one that cannot be read stops only itself.
pub(super) type Guarded = DeserializeGuard<HelmRelease>;

/// How many turns are at work at once, as opposed to waiting for the cluster or a download: enough
/// to keep an API server busy, and few enough to know how much memory they take.
const TURNS_AT_WORK: usize = 16;

/// The reference under which turns and watches know a resource.
pub(super) fn guarded(name: &str, namespace: Option<&str>) -> ObjectRef<Guarded> {
    let reference = ObjectRef::new(name);
    namespace.map_or(reference.clone(), |namespace| reference.within(namespace))
}

/// What the command line decides.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The only namespace whose HelmReleases are kept; all where it is `None`.
    pub namespace: Option<String>,
    /// Who this process is.
    pub holder: Holder,
    /// What is asked of images where neither a HelmRelease nor its namespace says.
    pub images: Images,
}

/// What every turn works with.
pub struct Context {
    pub(super) client: Client,
    pub(super) holder: Holder,
    pub(super) images: Images,
    pub(super) cluster: Cluster,
    pub(super) storage: Storage,
    pub(super) sources: Sources,
    pub(super) metrics: Arc<Metrics>,
    recorder: Recorder,
    /// The last note of each event, as a hash, by the resource's uid and the reason.
    told: Mutex<HashMap<(String, Reason), u64>>,
    pub(super) watches: Watches,
    pub(super) resources: Store<Guarded>,
    /// True once the program is to stop.
    pub(super) stopping: watch::Receiver<bool>,
    /// How many turns of a resource in a row ended in an error that may pass.
    troubles: Mutex<HashMap<ObjectRef<Guarded>, u32>>,
    /// The status that stands in the API server, by the resource's uid: the watch brings our own
    /// writes back later than the next turn may come.
    statuses: Mutex<HashMap<String, HelmReleaseStatus>>,
    pub(super) namespaces: Namespaces,
    turns: Places,
    /// A release whose objects are known and of which one was changed does not wait behind others.
    repairs: Places,
    /// When every object of a resource was last looked at.
    looks: Mutex<HashMap<ObjectRef<Guarded>, Instant>>,
}

impl Context {
    pub(super) fn new(
        client: Client,
        settings: &Settings,
        sources: Sources,
        metrics: Arc<Metrics>,
        watches: Watches,
        resources: Store<Guarded>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            cluster: Cluster::new(client.clone()),
            storage: Storage::new(client.clone()),
            recorder: recorder(&client),
            told: Mutex::default(),
            namespaces: Namespaces::default(),
            turns: Places::new(TURNS_AT_WORK),
            repairs: Places::new(TURNS_AT_WORK),
            client,
            holder: settings.holder.clone(),
            images: settings.images,
            sources,
            metrics,
            watches,
            resources,
            stopping,
            troubles: Mutex::default(),
            statuses: Mutex::default(),
            looks: Mutex::default(),
        }
    }

    /// A place to work at a release; `None` where the program stops first.
    pub(super) async fn place(&self, release: &ReleaseName) -> Option<Arc<Place>> {
        let places = match self.watches.suspects(release).is_empty() {
            true => &self.turns,
            false => &self.repairs,
        };
        let mut stopping = self.stopping.clone();
        tokio::select! {
            place = places.take() => Some(Arc::new(place)),
            _ = stopping.wait_for(|stopping| *stopping) => None,
        }
    }

    /// How long to wait after one more passing trouble with a resource: a second, then twice as
    /// long each time, five minutes at most.
    pub(super) fn back_off(&self, resource: &ObjectRef<Guarded>) -> Duration {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let count = troubles.entry(resource.clone()).or_default();
        *count = count.saturating_add(1);
        doubled(Duration::from_secs(1), *count, Duration::from_secs(300))
    }

    /// A turn of the resource went through.
    pub(super) fn calm(&self, resource: &ObjectRef<Guarded>) {
        self.troubles
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(resource);
    }

    /// The status that stands in the API server now.
    pub(super) fn status_of(&self, resource: &Guarded) -> HelmReleaseStatus {
        let statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        let written = resource.uid().and_then(|uid| statuses.get(&uid).cloned());
        let read = || {
            resource
                .0
                .as_ref()
                .ok()
                .and_then(|release| release.status.clone())
        };
        written.or_else(read).unwrap_or_default()
    }

    /// This status was just written.
    pub(super) fn status_written(&self, resource: &Guarded, status: &HelmReleaseStatus) {
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(uid) = resource.uid() {
            statuses.insert(uid, status.clone());
        }
    }

    /// Who publishes an event: the one who counts, where the same was told last; else somebody new,
    /// because the one who counts keeps the first note for all events of one reason.
    pub(super) fn recorder(&self, resource: &Guarded, reason: Reason, note: &str) -> Recorder {
        let key = (resource.uid().unwrap_or_default(), reason);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = DefaultHasher::new();
        note.hash(&mut hasher);
        let note = hasher.finish();
        match told.insert(key, note) {
            Some(before) if before == note => self.recorder.clone(),
            _ => recorder(&self.client),
        }
    }

    /// Whether it is time to look at every object of a resource; if so, the interval begins anew.
    pub(super) fn look_due(&self, resource: &ObjectRef<Guarded>, interval: Duration) -> bool {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looks
            .get(resource)
            // A turn that is due comes up to a tenth early.
            .is_none_or(|last| last.elapsed() >= interval.mul_f64(0.85));
        if due {
            looks.insert(resource.clone(), Instant::now());
        }
        due
    }

    /// The resource is gone: nothing of it is remembered.
    pub(super) fn forget(&self, resource: &Guarded, reference: &ObjectRef<Guarded>) {
        self.calm(reference);
        self.looks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(reference);
        if let Some(uid) = resource.uid() {
            self.statuses
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&uid);
            self.told
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .retain(|(told, _), _| *told != uid);
        }
    }
}

fn recorder(client: &Client) -> Recorder {
    let reporter = Reporter {
        controller: "pintle".to_owned(),
        instance: None,
    };
    Recorder::new(client.clone(), reporter)
}

/// `base`, doubled for each count after the first, up to `most`.
pub(super) fn doubled(base: Duration, count: u32, most: Duration) -> Duration {
    let factor = 1_u32
        .checked_shl(count.saturating_sub(1))
        .unwrap_or(u32::MAX);
    base.saturating_mul(factor).min(most)
}

/// A number drawn by lot, so that what began together does not go on in step.
pub(super) fn lot(range: std::ops::Range<f64>) -> f64 {
    rand::rng().random_range(range)
}

/// The time.
pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// A seed that nobody has.
pub(super) fn new_seed() -> Seed {
    let mut secret = [0; 32];
    rand::rng().fill_bytes(&mut secret);
    Seed::new(secret, now())
}

/// What a render gets of the outside world: the time, and the seed of what templates draw.
pub(super) fn environment(seed: Seed) -> Environment {
    Environment {
        now: now(),
        time_zone: TimeZone::system(),
        random: Box::new(|buffer| rand::rng().fill_bytes(buffer)),
        seed: Some(seed),
        resolve_host: None,
    }
}
