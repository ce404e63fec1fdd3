//! What a turn found, told to the API server: the status, written once and only where it differs,
//! and events.

use kube::api::{Patch, PatchParams};
use kube::runtime::events::{Event, EventType};
use kube::{Api, Resource as _, ResourceExt};
use serde_json::json;
use tracing::warn;

use super::conclude::{Conclusion, News};
use super::context::{Context, Guarded};
use super::error::Error;
use crate::api::{FINALIZER, HelmReleaseStatus};
use crate::cluster::FIELD_MANAGER;

impl Context {
    fn api(&self, resource: &Guarded) -> Api<Guarded> {
        Api::namespaced(
            self.client.clone(),
            &resource.namespace().unwrap_or_default(),
        )
    }

    /// Writes the status where it differs from what stands there, and publishes the events.
    pub(super) async fn publish(
        &self,
        resource: &Guarded,
        conclusion: &Conclusion,
    ) -> Result<(), Error> {
        let (namespace, name) = (
            resource.namespace().unwrap_or_default(),
            resource.name_any(),
        );
        self.metrics
            .stands(&namespace, &name, conclusion.ready, conclusion.reason);
        if conclusion.ready {
            self.metrics
                .succeeded(&namespace, &name, super::context::now().as_second());
        }
        self.write_status(resource, &conclusion.status).await?;
        self.tell(resource, &conclusion.events).await;
        Ok(())
    }

    /// Writes a status where it differs from what stands there.
    pub(super) async fn write_status(
        &self,
        resource: &Guarded,
        status: &HelmReleaseStatus,
    ) -> Result<(), Error> {
        let before = self.status_of(resource);
        if before == *status {
            return Ok(());
        }
        let patch = merge_patch(&json!(before), &json!(status));
        let patch = Patch::Merge(json!({ "status": patch }));
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        match self
            .api(resource)
            .patch_status(&resource.name_any(), &parameters, &patch)
            .await
        {
            Ok(_) => {
                self.status_written(resource, status);
                Ok(())
            }
            // The resource is gone, and its status with it.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(source) => Err(self.failed("write the status", resource, source)),
        }
    }

    /// Tells of events. They are a courtesy: one that cannot be published is logged.
    async fn tell(&self, resource: &Guarded, news: &[News]) {
        let reference = resource.object_ref(&());
        for news in news {
            let event = Event {
                type_: if news.warning {
                    EventType::Warning
                } else {
                    EventType::Normal
                },
                reason: news.reason.to_string(),
                note: Some(shortened(&news.note)),
                action: "Reconcile".to_owned(),
                secondary: None,
            };
            let recorder = self.recorder(resource, news.reason, &news.note);
            if let Err(error) = recorder.publish(&event, &reference).await {
                warn!(%error, "an event could not be published");
            }
        }
    }

    /// Puts our finalizer on the resource, so that its deletion waits for us.
    pub(super) async fn hold_resource(&self, resource: &Guarded) -> Result<(), Error> {
        self.change_finalizers(resource, |finalizers| finalizers.push(FINALIZER.to_owned()))
            .await
    }

    /// Takes our finalizer off the resource, so that it may go.
    pub(super) async fn release_resource(&self, resource: &Guarded) -> Result<(), Error> {
        self.change_finalizers(resource, |finalizers| finalizers.retain(|f| f != FINALIZER))
            .await
    }

    /// Changes the finalizers as they are now: what the watch told is older than our own writes of
    /// the status, and nobody else's finalizer may be lost.
    async fn change_finalizers(
        &self,
        resource: &Guarded,
        change: impl Fn(&mut Vec<String>),
    ) -> Result<(), Error> {
        let failed = |source| self.failed("write the finalizers", resource, source);
        let api = self.api(resource);
        let name = resource.name_any();
        for _ in 0..5 {
            let Some(newest) = api.get_metadata_opt(&name).await.map_err(failed)? else {
                return Ok(());
            };
            if newest.uid() != resource.uid() {
                return Ok(());
            }
            let mut finalizers = newest.finalizers().to_vec();
            change(&mut finalizers);
            let patch = json!({ "metadata": {
                "finalizers": finalizers,
                "resourceVersion": newest.resource_version(),
            }});
            match api
                .patch_metadata(&name, &PatchParams::default(), &Patch::Merge(patch))
                .await
            {
                Ok(_) => return Ok(()),
                Err(kube::Error::Api(status)) if status.code == 404 => return Ok(()),
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(source) => return Err(failed(source)),
            }
        }
        Err(Error::Contended { resource: name })
    }

    fn failed(&self, action: &'static str, resource: &Guarded, source: kube::Error) -> Error {
        let resource = format!(
            "{}/{}",
            resource.namespace().unwrap_or_default(),
            resource.name_any()
        );
        Error::Resource {
            action,
            resource,
            source: Box::new(source),
        }
    }
}

/// The JSON merge patch from one object to another: new and changed fields, and null for what is
/// no longer there.
fn merge_patch(before: &serde_json::Value, after: &serde_json::Value) -> serde_json::Value {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return after.clone();
    };
    let mut patch = serde_json::Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(same) if same == value => {}
            Some(other) => {
                patch.insert(key.clone(), merge_patch(other, value));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), serde_json::Value::Null);
    }
    patch.into()
}

/// The API server takes notes of at most 1 kB.
fn shortened(note: &str) -> String {
    const BYTES: usize = 1000;
    if note.len() <= BYTES {
        return note.to_owned();
    }
    format!("{}…", &note[..note.floor_char_boundary(BYTES)])
}
