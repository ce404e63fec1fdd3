//! Which objects need a look. One metadata watch for each kind that any release holds tells of
//! every change; a change that we made ourselves, or have judged already, costs nothing more.
//!
//! In: the objects of each release, and what was judged of them. Out: the releases that need a
//! turn, and the objects that it has to look at. Never: a read of an object, or a judgement.

mod fight;
mod known;
mod stream;
mod version;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use kube::runtime::reflector::ObjectRef;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::debug;

use super::context::{self, Guarded};
use crate::cluster::Endpoint;
use crate::manifest::ObjectKey;
use crate::plan::{ReleaseName, is_marked_owned};
pub(super) use fight::Fight;
use known::{Changes, Held, Known, News, ObjectId, Place};
use version::Version;

/// The watches of this process.
#[derive(Clone)]
pub(super) struct Watches {
    client: Client,
    /// Each namespace has watches of its own: this program may look at no others.
    by_namespace: bool,
    known: Arc<Mutex<Known>>,
    tasks: Arc<Mutex<HashMap<Arc<Place>, AbortHandle>>>,
    wake: mpsc::UnboundedSender<ObjectRef<Guarded>>,
}

/// Where no release says how often to look.
const INTERVAL: Duration = Duration::from_secs(600);

impl Watches {
    /// Nothing is watched yet. `wake` is told of each resource that needs a turn.
    pub(super) fn new(
        client: Client,
        by_namespace: bool,
        wake: mpsc::UnboundedSender<ObjectRef<Guarded>>,
    ) -> Self {
        Self {
            client,
            by_namespace,
            known: Arc::default(),
            tasks: Arc::default(),
            wake,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this release's objects are watched: if not, nobody has looked at them yet.
    pub(super) fn knows(&self, release: &ReleaseName) -> bool {
        self.known().knows(release)
    }

    /// A turn begins: until [`Self::idle`], changes are noted and wake nobody.
    pub(super) fn busy(&self, release: &ReleaseName) {
        self.known().busy(release);
    }

    /// The turn is over: what changed meanwhile, and is not what was judged, gets its own turn.
    pub(super) fn idle(&self, release: &ReleaseName) {
        let woken = self.known().idle(release);
        woken.into_iter().for_each(|resource| self.wake(resource));
    }

    /// Somebody has written a record of the release.
    pub(super) fn recorded(&self, release: &ReleaseName) {
        let woken = self.known().recorded(release);
        woken.into_iter().for_each(|resource| self.wake(resource));
    }

    /// These are the release's objects now, each with the state that was just judged, if one was.
    pub(super) fn hold(
        &self,
        release: &ReleaseName,
        resource: &ObjectRef<Guarded>,
        interval: Duration,
        objects: &[(Endpoint, Option<Value>)],
    ) {
        let held = objects.iter().map(|(at, state)| {
            let unmarked = state.as_ref().is_some_and(|state| !is_marked_owned(state));
            let namespaced = self.by_namespace || unmarked;
            Held {
                id: ObjectId::of(at),
                key: at.object.clone(),
                place: Place {
                    resource: at.resource.clone(),
                    namespace: at.namespace.clone().filter(|_| namespaced),
                    name: unmarked.then(|| at.object.name.clone()),
                },
                judged: state.as_ref().and_then(Version::of_value),
            }
        });
        let held = held.collect();
        self.change(|known| known.hold(release, resource, interval, held));
    }

    /// The objects whose state nobody has judged yet, or that are known to have drifted.
    pub(super) fn suspects(&self, release: &ReleaseName) -> HashSet<ObjectKey> {
        self.known().suspects(release)
    }

    /// The objects of which no watch tells, each with the reason.
    pub(super) fn unwatched(&self, release: &ReleaseName) -> Vec<(ObjectKey, String)> {
        self.known().unwatched(release)
    }

    /// An object was read and compared, or is gone: this state of it wakes nobody any more. Answers
    /// whether it is drift that was not known.
    pub(super) fn judged(&self, at: &Endpoint, state: Option<&Value>, drifted: bool) -> bool {
        let judged = state.and_then(Version::of_value);
        self.known().judged(&ObjectId::of(at), judged, drifted)
    }

    /// An object was put back.
    pub(super) fn repaired(&self, at: &Endpoint, state: &Value) {
        let (id, judged) = (ObjectId::of(at), Version::of_value(state));
        let mut known = self.known();
        known.judged(&id, judged, false);
        known.repaired(&id, Instant::now());
    }

    /// Whether somebody else undoes every repair of an object.
    pub(super) fn fight(&self, at: &Endpoint) -> Fight {
        self.known().fight(&ObjectId::of(at))
    }

    /// Nobody knows any more what of the release is applied: its next turn looks at everything.
    pub(super) fn doubt(&self, release: &ReleaseName) {
        self.known().doubt(release);
    }

    /// The release is gone, or is not ours any more.
    pub(super) fn forget(&self, release: &ReleaseName) {
        self.change(|known| known.forget(release));
    }

    /// Changes what is held, and the watches with it: as one, or two releases that come and go
    /// would leave a watch too many or too few.
    fn change(&self, change: impl FnOnce(&mut Known) -> Changes) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = change(&mut self.known());
        for place in changes.end {
            if let Some(task) = tasks.remove(&place) {
                task.abort();
            }
        }
        for place in changes.begin {
            let task = tokio::spawn(stream::follow(self.clone(), Arc::clone(&place)));
            tasks.insert(place, task.abort_handle());
        }
    }

    fn seen(&self, id: &ObjectId, news: News) {
        let woken = self.known().seen(id, news);
        if let Some(resource) = woken {
            debug!(kind = %id.kind, name = %id.name, ?news, "changed by somebody else");
            self.wake(resource);
        }
    }

    /// A list of a place is complete: what was there before and is not in it has gone meanwhile.
    fn missing(&self, place: &Place, listed: &HashSet<ObjectId>, at: Option<u64>) {
        let gone = self.known().missing(place, listed, at);
        gone.iter().for_each(|id| self.seen(id, News::Gone(at)));
    }

    fn set_blind(&self, place: &Place, blind: Option<String>) {
        self.known().set_blind(place, blind);
    }

    fn interval(&self, place: &Place) -> Duration {
        self.known().interval(place).unwrap_or(INTERVAL)
    }

    fn wake(&self, resource: ObjectRef<Guarded>) {
        // The receiver is dropped only when the controller stops, and then nobody needs waking.
        let _ = self.wake.send(resource);
    }
}
