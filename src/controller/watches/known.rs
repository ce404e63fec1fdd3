//! What is known of every object that a release holds.
//!
//! In: the objects of releases, news of them, judgements on them. Out: which of them to look at,
//! which release to wake, which places to watch. Never: a request, or a look at the clock.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::core::ApiResource;
use kube::runtime::reflector::ObjectRef;

use super::Guarded;
use super::fight::Fight;
use super::version::Version;
use crate::cluster::Endpoint;
use crate::manifest::ObjectKey;
use crate::plan::ReleaseName;

/// The objects of all releases, and what is known of each.
#[derive(Default)]
pub(super) struct Known {
    objects: HashMap<Arc<ObjectId>, Entry>,
    releases: HashMap<Arc<ReleaseName>, Release>,
    places: HashMap<Arc<Place>, Watched>,
}

/// What one watch looks at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) resource: ApiResource,
    /// `None` for all namespaces, and for kinds without one.
    pub(super) namespace: Option<String>,
    /// One object, which does not carry Helm's label; else all that carry it.
    pub(super) name: Option<String>,
}

/// An object by what no version of its API changes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ObjectId {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// An object that a release holds from now on.
pub(super) struct Held {
    pub(super) id: ObjectId,
    pub(super) key: ObjectKey,
    pub(super) place: Place,
    /// The state that was just judged, if one was.
    pub(super) judged: Option<Version>,
}

/// Places to watch from now on, and those that nobody needs any more.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) begin: Vec<Arc<Place>>,
    pub(super) end: Vec<Arc<Place>>,
}

/// News of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    There(Version),
    /// It was deleted at this moment, where that is known.
    Gone(Option<u64>),
}

struct Watched {
    objects: usize,
    /// Why nothing is seen there, where the server refuses to tell.
    blind: Option<String>,
}

struct Release {
    resource: ObjectRef<Guarded>,
    interval: Duration,
    objects: Vec<Arc<ObjectId>>,
    /// A turn is at work on the release and will look by itself.
    busy: bool,
    /// Somebody has written a record of the release while a turn was at work.
    recorded: bool,
    /// What is applied is not known any more.
    doubted: bool,
}

struct Entry {
    release: Arc<ReleaseName>,
    key: ObjectKey,
    place: Arc<Place>,
    /// The state that was compared with what was applied.
    judged: Option<Version>,
    /// What the watch told last.
    seen: Option<News>,
    /// The judged state was not as applied, and nobody has put it back.
    drifted: bool,
    fight: Fight,
}

impl Known {
    pub(super) fn knows(&self, release: &ReleaseName) -> bool {
        let release = self.releases.get(release);
        release.is_some_and(|release| !release.doubted)
    }

    pub(super) fn busy(&mut self, release: &ReleaseName) {
        if let Some(release) = self.releases.get_mut(release) {
            release.busy = true;
            release.recorded = false;
        }
    }

    /// Somebody has written a record of the release; answers whom to wake.
    pub(super) fn recorded(&mut self, release: &ReleaseName) -> Option<ObjectRef<Guarded>> {
        let release = self.releases.get_mut(release)?;
        release.recorded = release.busy;
        (!release.busy).then(|| release.resource.clone())
    }

    /// The turn is over; answers whom to wake, where something changed meanwhile.
    pub(super) fn idle(&mut self, release: &ReleaseName) -> Option<ObjectRef<Guarded>> {
        self.releases.get_mut(release)?.busy = false;
        let suspect = self.entries(release).any(Entry::is_suspect);
        let release = self.releases.get(release)?;
        (suspect || release.recorded).then(|| release.resource.clone())
    }

    /// These are the release's objects now.
    pub(super) fn hold(
        &mut self,
        release: &ReleaseName,
        resource: &ObjectRef<Guarded>,
        interval: Duration,
        held: Vec<Held>,
    ) -> Changes {
        let mut changes = Changes::default();
        let before = self.releases.remove(release);
        let mut earlier: HashMap<Arc<ObjectId>, Entry> = before
            .into_iter()
            .flat_map(|release| release.objects)
            .filter_map(|id| self.objects.remove_entry(&id))
            .collect();
        let release = Arc::new(release.clone());
        let mut ids = Vec::with_capacity(held.len());
        for held in held {
            let id = Arc::new(held.id);
            let place = self.look_at(held.place, &mut changes);
            let old = earlier.remove(&id);
            let (seen, fight, known) = match &old {
                Some(entry) => (entry.seen, entry.fight, entry.judged),
                None => (None, Fight::default(), None),
            };
            let entry = Entry {
                release: Arc::clone(&release),
                key: held.key,
                place,
                judged: held.judged.or(known),
                seen,
                drifted: false,
                fight,
            };
            ids.push(Arc::clone(&id));
            if let Some(entry) = old {
                self.look_away(&entry.place, &mut changes);
            }
            // Two releases that claim one object: the later one watches it.
            if let Some(other) = self.objects.insert(id, entry) {
                self.look_away(&other.place, &mut changes);
            }
        }
        for entry in earlier.into_values() {
            self.look_away(&entry.place, &mut changes);
        }
        let entry = Release {
            resource: resource.clone(),
            interval,
            objects: ids,
            busy: true,
            recorded: false,
            doubted: false,
        };
        self.releases.insert(release, entry);
        changes
    }

    pub(super) fn doubt(&mut self, release: &ReleaseName) {
        if let Some(release) = self.releases.get_mut(release) {
            release.doubted = true;
        }
    }

    /// The release is gone, or is not ours any more.
    pub(super) fn forget(&mut self, release: &ReleaseName) -> Changes {
        let mut changes = Changes::default();
        let Some(gone) = self.releases.remove(release) else {
            return changes;
        };
        for id in gone.objects {
            // Another release may have taken the object over.
            if self
                .objects
                .get(&id)
                .is_some_and(|entry| *entry.release == *release)
                && let Some(entry) = self.objects.remove(&id)
            {
                self.look_away(&entry.place, &mut changes);
            }
        }
        changes
    }

    fn look_at(&mut self, place: Place, changes: &mut Changes) -> Arc<Place> {
        let place = match self.places.get_key_value(&place) {
            Some((known, _)) => Arc::clone(known),
            None => Arc::new(place),
        };
        let begin = || Watched {
            objects: 0,
            blind: None,
        };
        let watched = self.places.entry(Arc::clone(&place)).or_insert_with(begin);
        if watched.objects == 0 {
            changes.begin.push(Arc::clone(&place));
        }
        watched.objects += 1;
        place
    }

    fn look_away(&mut self, place: &Arc<Place>, changes: &mut Changes) {
        let Some(watched) = self.places.get_mut(place) else {
            return;
        };
        watched.objects -= 1;
        if watched.objects == 0 {
            self.places.remove(place);
            changes.end.push(Arc::clone(place));
        }
    }

    /// The objects whose state nobody has judged yet, or that are known to have drifted.
    pub(super) fn suspects(&self, release: &ReleaseName) -> HashSet<ObjectKey> {
        let suspects = self
            .entries(release)
            .filter(|entry| entry.is_suspect() || entry.drifted);
        suspects.map(|entry| entry.key.clone()).collect()
    }

    /// The objects of which no watch tells, and why, by kind.
    pub(super) fn unwatched(&self, release: &ReleaseName) -> Vec<(ObjectKey, String)> {
        let blind = |entry: &Entry| self.places.get(&entry.place)?.blind.clone();
        let unwatched = self
            .entries(release)
            .filter_map(|entry| Some((entry.key.clone(), blind(entry)?)));
        unwatched.collect()
    }

    fn entries(&self, name: &ReleaseName) -> impl Iterator<Item = &Entry> {
        let release = self.releases.get(name).into_iter();
        release
            .flat_map(|release| &release.objects)
            .filter_map(|id| self.objects.get(id))
            .filter(move |entry| *entry.release == *name)
    }

    /// News of one object; answers whom to wake.
    pub(super) fn seen(&mut self, id: &ObjectId, news: News) -> Option<ObjectRef<Guarded>> {
        let entry = self.objects.get_mut(id)?;
        if entry.is_old(news) {
            return None;
        }
        entry.seen = Some(news);
        if !entry.is_suspect() {
            return None;
        }
        let release = self.releases.get(&entry.release)?;
        (!release.busy).then(|| release.resource.clone())
    }

    /// The objects of a place that a complete list of it, made at this moment, does not have.
    pub(super) fn missing(
        &self,
        place: &Place,
        listed: &HashSet<ObjectId>,
        at: Option<u64>,
    ) -> Vec<ObjectId> {
        let gone = self.objects.iter().filter(|(id, entry)| {
            let known = match entry.seen {
                Some(News::There(version)) => Some(version),
                _ => entry.judged,
            };
            let older = known.is_some_and(|known| at.is_none() || known.is_before(at));
            *entry.place == *place && older && !listed.contains(&***id)
        });
        gone.map(|(id, _)| ObjectId::clone(id)).collect()
    }

    /// An object was read and compared, or is gone; answers whether it is drift that was not known.
    pub(super) fn judged(&mut self, id: &ObjectId, judged: Option<Version>, drifted: bool) -> bool {
        let Some(entry) = self.objects.get_mut(id) else {
            return drifted;
        };
        let news = drifted && !entry.drifted;
        entry.judged = judged;
        entry.drifted = drifted;
        // A read is never older than the news that led to it, and may be newer.
        if let Some(News::Gone(_)) = entry.seen {
            entry.seen = judged.map(News::There);
        }
        news
    }

    /// An object was put back at this time.
    pub(super) fn repaired(&mut self, id: &ObjectId, now: Instant) {
        if let Some(entry) = self.objects.get_mut(id) {
            entry.fight.repaired(now);
        }
    }

    /// How an object stands that somebody may be fighting over.
    pub(super) fn fight(&self, id: &ObjectId) -> Fight {
        let entry = self.objects.get(id);
        entry.map_or_else(Fight::default, |entry| entry.fight)
    }

    /// Whether the server tells of a place, and if not, why.
    pub(super) fn set_blind(&mut self, place: &Place, blind: Option<String>) {
        if let Some(watched) = self.places.get_mut(place) {
            watched.blind = blind;
        }
    }

    /// The shortest interval of the releases that hold an object of a place.
    pub(super) fn interval(&self, place: &Place) -> Option<Duration> {
        let here = self
            .objects
            .values()
            .filter(|entry| *entry.place == *place)
            .filter_map(|entry| self.releases.get(&entry.release));
        here.map(|release| release.interval).min()
    }
}

impl Entry {
    /// Whether the object may differ from what was applied.
    fn is_suspect(&self) -> bool {
        match (self.seen, self.judged) {
            (None, _) => false,
            (Some(News::Gone(_)), _) | (Some(News::There(_)), None) => true,
            (Some(News::There(version)), Some(judged)) => version.is_news_to(judged),
        }
    }

    /// Whether later news are known: a list may be older than what the watch told.
    fn is_old(&self, news: News) -> bool {
        let later = |known: Version| match news {
            News::There(version) => version.is_before(known.order()),
            News::Gone(at) => at.zip(known.order()).is_some_and(|(at, known)| at < known),
        };
        let seen = match self.seen {
            Some(News::There(version)) => later(version),
            Some(News::Gone(at)) => match news {
                News::There(version) => version.is_before(at),
                News::Gone(_) => false,
            },
            None => false,
        };
        seen || self.judged.is_some_and(later)
    }
}

impl ObjectId {
    pub(super) fn of(at: &Endpoint) -> Self {
        Self {
            group: at.resource.group.clone(),
            kind: at.resource.kind.clone(),
            namespace: at.namespace.clone(),
            name: at.object.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn release(name: &str) -> ReleaseName {
        ReleaseName {
            namespace: "apps".to_owned(),
            name: name.to_owned(),
        }
    }

    fn version(order: u32, content: u32) -> Version {
        Version::of_value(&json!({"metadata": {
            "uid": "u", "generation": content, "resourceVersion": order.to_string(),
        }}))
        .unwrap()
    }

    fn place(kind: &str) -> Place {
        Place {
            resource: ApiResource {
                group: String::new(),
                version: "v1".to_owned(),
                api_version: "v1".to_owned(),
                kind: kind.to_owned(),
                plural: format!("{}s", kind.to_lowercase()),
            },
            namespace: None,
            name: None,
        }
    }

    fn id(kind: &str, name: &str) -> ObjectId {
        ObjectId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: Some("apps".to_owned()),
            name: name.to_owned(),
        }
    }

    fn held(kind: &str, name: &str, judged: Option<Version>) -> Held {
        Held {
            id: id(kind, name),
            key: ObjectKey {
                api_version: "v1".to_owned(),
                kind: kind.to_owned(),
                namespace: None,
                name: name.to_owned(),
            },
            place: place(kind),
            judged,
        }
    }

    fn known(objects: Vec<Held>) -> Known {
        let mut known = Known::default();
        let resource = ObjectRef::new("shop").within("apps");
        known.hold(
            &release("shop"),
            &resource,
            Duration::from_secs(600),
            objects,
        );
        known.idle(&release("shop"));
        known
    }

    #[test]
    fn what_we_wrote_wakes_nobody_and_what_others_wrote_does() {
        let mut known = known(vec![held("Deployment", "web", Some(version(10, 1)))]);
        let web = id("Deployment", "web");
        assert_eq!(known.seen(&web, News::There(version(10, 1))), None);
        assert_eq!(
            known.seen(&web, News::There(version(11, 1))),
            None,
            "a status"
        );
        assert!(known.seen(&web, News::There(version(12, 2))).is_some());
        assert_eq!(known.suspects(&release("shop")).len(), 1);
        known.judged(&web, Some(version(13, 3)), false);
        assert_eq!(known.idle(&release("shop")), None, "the read was newer");
        assert_eq!(known.seen(&web, News::There(version(13, 3))), None);
    }

    #[test]
    fn a_late_list_is_no_news() {
        let mut known = known(vec![held("Deployment", "web", Some(version(10, 1)))]);
        let web = id("Deployment", "web");
        assert!(known.seen(&web, News::There(version(12, 2))).is_some());
        known.judged(&web, Some(version(12, 2)), false);
        assert_eq!(known.seen(&web, News::There(version(10, 1))), None);
        let gone = known.missing(&place("Deployment"), &HashSet::new(), Some(11));
        assert!(gone.is_empty(), "it was written after that list");
        let gone = known.missing(&place("Deployment"), &HashSet::new(), Some(20));
        assert_eq!(gone, std::slice::from_ref(&web));
        assert!(known.seen(&web, News::Gone(Some(20))).is_some());
    }

    #[test]
    fn the_deletion_of_an_earlier_object_of_that_name_is_no_news() {
        let mut known = known(vec![held("Deployment", "web", Some(version(10, 1)))]);
        let web = id("Deployment", "web");
        assert_eq!(known.seen(&web, News::Gone(Some(9))), None);
        assert!(known.seen(&web, News::Gone(Some(11))).is_some());
        known.judged(&web, None, true);
        assert_eq!(
            known.suspects(&release("shop")).len(),
            1,
            "it is still to be put back"
        );
        assert_eq!(known.idle(&release("shop")), None, "and wakes nobody again");
    }

    #[test]
    fn nobody_is_woken_while_a_turn_is_at_work() {
        let mut known = known(vec![held("Deployment", "web", Some(version(10, 1)))]);
        known.busy(&release("shop"));
        let web = id("Deployment", "web");
        assert_eq!(known.seen(&web, News::There(version(12, 2))), None);
        assert!(known.idle(&release("shop")).is_some());
    }

    #[test]
    fn a_watch_begins_with_the_first_object_of_a_kind_and_ends_with_the_last() {
        let mut known = Known::default();
        let resource = ObjectRef::new("shop").within("apps");
        let interval = Duration::from_secs(600);
        let mut hold = |name: &str, kinds: &[&str]| {
            let objects = kinds.iter().map(|kind| held(kind, name, None)).collect();
            let changes = known.hold(&release(name), &resource, interval, objects);
            let kinds = |places: &[Arc<Place>]| -> Vec<String> {
                places.iter().map(|p| p.resource.kind.clone()).collect()
            };
            (kinds(&changes.begin), kinds(&changes.end))
        };
        let none: Vec<String> = Vec::new();
        assert_eq!(
            hold("a", &["Secret"]),
            (vec!["Secret".into()], none.clone())
        );
        assert_eq!(hold("b", &["Secret"]), (none.clone(), none.clone()));
        assert_eq!(
            hold("a", &["Service"]),
            (vec!["Service".into()], none.clone())
        );
        assert_eq!(
            hold("b", &["Service"]),
            (none.clone(), vec!["Secret".into()])
        );
        assert_eq!(known.forget(&release("a")), Changes::default());
        assert_eq!(known.forget(&release("b")).end.len(), 1);
        assert!(known.places.is_empty() && known.objects.is_empty());
    }
}
