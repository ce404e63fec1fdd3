//! Which objects need a look. One metadata watch for each kind that any release holds tells of
//! every change; a change that we made ourselves, or have judged already, costs nothing more.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, pin_mut};
use kube::api::{DynamicObject, ObjectMeta, PartialObjectMeta};
use kube::core::ApiResource;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde_json::Value;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::context::Guarded;
use crate::cluster::Endpoint;
use crate::manifest::ObjectKey;
use crate::plan::{OWNED_SELECTOR, ReleaseName};

/// The objects of all releases, and what is known of each.
#[derive(Clone)]
pub(super) struct Watches {
    client: Client,
    shared: Arc<Mutex<Known>>,
    wake: mpsc::UnboundedSender<ObjectRef<Guarded>>,
}

#[derive(Default)]
struct Known {
    objects: HashMap<ObjectId, Entry>,
    releases: HashMap<ReleaseName, Release>,
    kinds: HashSet<ApiResource>,
}

struct Release {
    resource: ObjectRef<Guarded>,
    objects: Vec<ObjectId>,
    /// A turn is at work on the release and will look by itself.
    busy: bool,
}

/// An object by what no version of its API changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ObjectId {
    group: String,
    kind: String,
    namespace: Option<String>,
    name: String,
}

struct Entry {
    release: ReleaseName,
    key: ObjectKey,
    /// The state that was compared with what was applied.
    judged: Option<Version>,
    /// The state that the watch told of last.
    seen: Seen,
    /// The judged state was not as applied, and nobody has put it back.
    drifted: bool,
    /// How often the object was put back in quick succession, and when last.
    repairs: Option<(u32, Instant)>,
}

/// An object that is put back so often within [`TRUCE`] is fought over by somebody else.
const PATIENCE: u32 = 5;

/// A fight is over when nothing had to be put back for so long.
const TRUCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    There(Version),
    Gone,
}

/// A state of an object as far as its metadata tells. The status does not count: it moves neither
/// the generation nor labels and annotations. Kinds without a generation are told by their
/// resource version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version(u64);

impl Version {
    fn of(metadata: &ObjectMeta) -> Self {
        let mut hasher = DefaultHasher::new();
        match metadata.generation {
            Some(generation) => generation.hash(&mut hasher),
            None => metadata.resource_version.hash(&mut hasher),
        }
        metadata.uid.hash(&mut hasher);
        metadata.labels.hash(&mut hasher);
        metadata.annotations.hash(&mut hasher);
        metadata.deletion_timestamp.is_some().hash(&mut hasher);
        Self(hasher.finish())
    }

    fn of_value(object: &Value) -> Option<Self> {
        let metadata = serde_json::from_value(object.get("metadata")?.clone()).ok()?;
        Some(Self::of(&metadata))
    }
}

impl Watches {
    /// Nothing is watched yet. `wake` is told of each resource that needs a turn.
    pub(super) fn new(client: Client, wake: mpsc::UnboundedSender<ObjectRef<Guarded>>) -> Self {
        Self {
            client,
            shared: Arc::default(),
            wake,
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this release's objects are watched: if not, nobody has looked at them yet.
    pub(super) fn knows(&self, release: &ReleaseName) -> bool {
        self.known().releases.contains_key(release)
    }

    /// A turn begins: until [`Self::idle`], changes are noted and wake nobody.
    pub(super) fn busy(&self, release: &ReleaseName) {
        if let Some(release) = self.known().releases.get_mut(release) {
            release.busy = true;
        }
    }

    /// The turn is over: what changed meanwhile, and is not what was judged, gets its own turn.
    pub(super) fn idle(&self, release: &ReleaseName) {
        let mut known = self.known();
        let Some(entry) = known.releases.get_mut(release) else {
            return;
        };
        entry.busy = false;
        let resource = entry.resource.clone();
        let ids = entry.objects.clone();
        if ids
            .iter()
            .filter_map(|id| known.objects.get(id))
            .any(Entry::is_suspect)
        {
            self.wake(resource);
        }
    }

    /// These are the release's objects now, each with the state that was just judged, if one was.
    pub(super) fn hold(
        &self,
        release: &ReleaseName,
        resource: &ObjectRef<Guarded>,
        objects: &[(Endpoint, Option<Value>)],
    ) {
        let mut known = self.known();
        let before = known
            .releases
            .remove(release)
            .map(|release| release.objects);
        let mut earlier: HashMap<ObjectId, Entry> = before
            .into_iter()
            .flatten()
            .filter_map(|id| known.objects.remove_entry(&id))
            .collect();
        let mut ids = Vec::new();
        for (at, state) in objects {
            let id = ObjectId::of(at);
            let old = earlier.remove(&id);
            let judged = state.as_ref().and_then(Version::of_value);
            let entry = Entry {
                release: release.clone(),
                key: at.object.clone(),
                judged: judged.or_else(|| old.as_ref().and_then(|entry| entry.judged)),
                seen: old.as_ref().map_or(Seen::Nothing, |entry| entry.seen),
                drifted: false,
                repairs: old.and_then(|entry| entry.repairs),
            };
            known.objects.insert(id.clone(), entry);
            ids.push(id);
            if known.kinds.insert(at.resource.clone()) {
                self.watch(at.resource.clone());
            }
        }
        let release_entry = Release {
            resource: resource.clone(),
            objects: ids,
            busy: true,
        };
        known.releases.insert(release.clone(), release_entry);
    }

    /// The objects whose state nobody has judged yet, or that are known to have drifted.
    pub(super) fn suspects(&self, release: &ReleaseName) -> Vec<ObjectKey> {
        let known = self.known();
        let Some(release) = known.releases.get(release) else {
            return Vec::new();
        };
        let entries = release
            .objects
            .iter()
            .filter_map(|id| known.objects.get(id));
        let suspects = entries.filter(|entry| entry.is_suspect() || entry.drifted);
        suspects.map(|entry| entry.key.clone()).collect()
    }

    /// An object was read and compared, or is gone: this state of it wakes nobody any more.
    pub(super) fn judged(&self, at: &Endpoint, state: Option<&Value>, drifted: bool) {
        let judged = state.and_then(Version::of_value);
        if let Some(entry) = self.known().objects.get_mut(&ObjectId::of(at)) {
            entry.judged = judged;
            entry.drifted = drifted;
            // A read is never older than the news that led to it, and may be newer.
            if entry.seen == Seen::Gone {
                entry.seen = judged.map_or(Seen::Nothing, Seen::There);
            }
        }
    }

    /// An object was put back.
    pub(super) fn repaired(&self, at: &Endpoint, state: &Value) {
        self.judged(at, Some(state), false);
        if let Some(entry) = self.known().objects.get_mut(&ObjectId::of(at)) {
            let before = entry.repairs.filter(|(_, last)| last.elapsed() < TRUCE);
            entry.repairs = Some((before.map_or(1, |(count, _)| count + 1), Instant::now()));
        }
    }

    /// Whether somebody else undoes every repair of an object.
    pub(super) fn is_fought_over(&self, at: &Endpoint) -> bool {
        let known = self.known();
        let repairs = known
            .objects
            .get(&ObjectId::of(at))
            .and_then(|entry| entry.repairs);
        repairs.is_some_and(|(count, last)| count >= PATIENCE && last.elapsed() < TRUCE)
    }

    /// The release is gone, or is not ours any more.
    pub(super) fn forget(&self, release: &ReleaseName) {
        let mut known = self.known();
        let Some(release) = known.releases.remove(release) else {
            return;
        };
        for id in release.objects {
            known.objects.remove(&id);
        }
    }

    /// Watches the metadata of every owned object of a kind, for as long as the program runs.
    fn watch(&self, resource: ApiResource) {
        let watches = self.clone();
        tokio::spawn(async move {
            let api: Api<PartialObjectMeta> = Api::all_with(watches.client.clone(), &resource);
            let config = watcher::Config::default().labels(OWNED_SELECTOR);
            let events = watcher(api, config).default_backoff();
            pin_mut!(events);
            let mut listed = HashSet::new();
            while let Some(event) = events.next().await {
                match event {
                    Ok(watcher::Event::Init) => listed.clear(),
                    Ok(watcher::Event::InitApply(object)) => {
                        let id = ObjectId::of_metadata(&resource, &object);
                        watches.seen(&id, Seen::There(Version::of(&object.metadata)));
                        listed.insert(id);
                    }
                    Ok(watcher::Event::InitDone) => watches.missing(&resource, &listed),
                    Ok(watcher::Event::Apply(object)) => {
                        let id = ObjectId::of_metadata(&resource, &object);
                        watches.seen(&id, Seen::There(Version::of(&object.metadata)));
                    }
                    Ok(watcher::Event::Delete(object)) => {
                        watches.seen(&ObjectId::of_metadata(&resource, &object), Seen::Gone);
                    }
                    Err(error) => {
                        warn!(kind = %resource.kind, error = %error, "the watch of a kind broke off and is begun again");
                    }
                }
            }
        });
    }

    /// News of one object.
    fn seen(&self, id: &ObjectId, news: Seen) {
        let mut known = self.known();
        let Some(entry) = known.objects.get_mut(id) else {
            return;
        };
        entry.seen = news;
        if !entry.is_suspect() {
            return;
        }
        let release = entry.release.clone();
        debug!(kind = %id.kind, name = %id.name, ?news, "changed by somebody else");
        if let Some(release) = known.releases.get(&release).filter(|release| !release.busy) {
            self.wake(release.resource.clone());
        }
    }

    /// A list of a kind is complete: what was there before and is not in it has gone meanwhile.
    fn missing(&self, resource: &ApiResource, listed: &HashSet<ObjectId>) {
        let gone: Vec<ObjectId> = {
            let known = self.known();
            let of_kind = known.objects.iter().filter(|(id, entry)| {
                id.kind == resource.kind
                    && id.group == resource.group
                    && (entry.judged.is_some() || matches!(entry.seen, Seen::There(_)))
                    && !listed.contains(*id)
            });
            of_kind.map(|(id, _)| id.clone()).collect()
        };
        for id in gone {
            self.seen(&id, Seen::Gone);
        }
    }

    fn wake(&self, resource: ObjectRef<Guarded>) {
        // The receiver is dropped only when the controller stops, and then nobody needs waking.
        let _ = self.wake.send(resource);
    }
}

impl Entry {
    /// Whether the object may differ from what was applied.
    fn is_suspect(&self) -> bool {
        match self.seen {
            Seen::Nothing => false,
            Seen::There(version) => self.judged != Some(version),
            Seen::Gone => true,
        }
    }
}

impl ObjectId {
    fn of(at: &Endpoint) -> Self {
        Self {
            group: at.resource.group.clone(),
            kind: at.resource.kind.clone(),
            namespace: at.namespace.clone(),
            name: at.object.name.clone(),
        }
    }

    fn of_metadata(resource: &ApiResource, object: &PartialObjectMeta<DynamicObject>) -> Self {
        Self {
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            namespace: object.meta().namespace.clone(),
            name: object.meta().name.clone().unwrap_or_default(),
        }
    }
}
