//! What namespaces ask for, by their annotations.
//!
//! In: a watch of their metadata. Out: the annotations of this program's that a namespace carries,
//! without a request. Never: anything else of a namespace.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::ObjectMeta;
use kube::core::ApiResource;
use kube::{Api, Client};

use crate::api::IMAGES;
use crate::watch::{self, Selector, Told};

type Annotations = BTreeMap<String, String>;

/// Shared by the watch and all turns.
#[derive(Clone, Default)]
pub(super) struct Namespaces {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    /// Whether the watch has told of all namespaces there are.
    complete: bool,
    annotations: HashMap<String, Annotations>,
    /// Those told of since the watch began anew.
    listed: HashMap<String, Annotations>,
}

impl Namespaces {
    /// The annotations of a namespace; `None` where no watch tells.
    pub(super) fn annotations(&self, namespace: &str) -> Option<Annotations> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let known = || seen.annotations.get(namespace).cloned();
        seen.complete.then(|| known().unwrap_or_default())
    }

    /// Watches all namespaces for as long as the stream is polled.
    pub(super) fn follow(&self, client: Client) -> impl Stream<Item = ()> + use<> {
        let resource = ApiResource::erase::<Namespace>(&());
        let api = Api::all_with(client, &resource);
        let namespaces = self.clone();
        let told = watch::follow(api, Selector::default(), resource.plural.clone());
        told.map(move |told| {
            let mut seen = namespaces
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            seen.note(told);
        })
    }
}

impl Seen {
    fn note(&mut self, told: Told) {
        match told {
            Told::Began => self.listed.clear(),
            Told::There(metadata) => {
                let (name, annotations) = ours(*metadata);
                self.listed.insert(name.clone(), annotations.clone());
                self.annotations.insert(name, annotations);
            }
            Told::Complete => {
                self.annotations = std::mem::take(&mut self.listed);
                self.complete = true;
            }
            Told::Gone(metadata) => {
                let (name, _) = ours(*metadata);
                self.listed.remove(&name);
                self.annotations.remove(&name);
            }
            Told::Refused(_) => self.complete = false,
        }
    }
}

fn ours(metadata: ObjectMeta) -> (String, Annotations) {
    let mut annotations = metadata.annotations.unwrap_or_default();
    annotations.retain(|key, _| IMAGES.contains(&key.as_str()));
    (metadata.name.unwrap_or_default(), annotations)
}
