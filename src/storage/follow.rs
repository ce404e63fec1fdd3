//! The ledger, kept up to date by a watch.

use std::collections::HashSet;

use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::core::ApiResource;

use super::ledger::Scope;
use super::secrets::Storage;
use crate::plan::ReleaseName;
use crate::release::SECRET_TYPE;
use crate::watch::{self, Metadata, Selector, Told};

impl Storage {
    /// Watches the records of all releases, in one namespace or in all, for as long as the stream
    /// is polled: from then on [`Storage::recall`] answers. Tells of each release of which somebody
    /// has written or deleted a record.
    pub fn follow(&self, namespace: Option<&str>) -> impl Stream<Item = ReleaseName> + use<> {
        let resource = ApiResource::erase::<Secret>(&());
        let client = self.client.clone();
        let (api, scope): (Api<Metadata>, _) = match namespace {
            Some(namespace) => (
                Api::namespaced_with(client, namespace, &resource),
                Scope::Namespace(namespace.to_owned()),
            ),
            None => (Api::all_with(client, &resource), Scope::Everywhere),
        };
        let selector = Selector {
            labels: Some("owner=helm".to_owned()),
            fields: Some(format!("type={SECRET_TYPE}")),
        };
        let ledger = self.ledger.clone();
        let mut before = HashSet::new();
        let mut listed = None;
        watch::follow(api, selector, "records of releases".to_owned()).filter_map(move |told| {
            let written = match told {
                Told::Began => {
                    before = ledger.known();
                    listed = Some(HashSet::new());
                    None
                }
                Told::There(metadata) => {
                    if let Some(listed) = &mut listed {
                        listed.extend(metadata.uid.clone());
                    }
                    ledger.stored(&metadata)
                }
                Told::Complete => {
                    let listed = listed.take().unwrap_or_default();
                    before.retain(|uid| !listed.contains(uid));
                    ledger.forget(&before);
                    ledger.complete(Some(scope.clone()));
                    None
                }
                Told::Gone(metadata) => ledger.gone(&metadata),
                Told::Refused(_) => {
                    ledger.complete(None);
                    None
                }
            };
            std::future::ready(written)
        })
    }
}
