//! Which objects are no longer as they were applied.

use futures::future::try_join_all;
use serde_json::Value;

use super::error::{Error, Result};
use super::live::Cluster;
use crate::manifest::Object;
use crate::merge::{self, Drift, Kind};

/// An object beside what it should be.
#[derive(Clone, Debug)]
pub struct ObjectDrift {
    /// The object as it was applied.
    pub object: Object,
    /// The live object; `None` where it is gone.
    pub live: Option<Value>,
    /// What differs; `None` where nothing does, or where the object is gone.
    pub drift: Option<Drift>,
}

impl ObjectDrift {
    /// Whether the object must be put back.
    pub fn is_drifted(&self) -> bool {
        self.live.is_none() || self.drift.is_some()
    }
}

/// An object without what changes at every write.
fn content(object: &Value) -> Value {
    let mut content = object.clone();
    if let Some(metadata) = content.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in ["managedFields", "resourceVersion", "generation"] {
            metadata.remove(key);
        }
    }
    content
}

/// How many objects are read at once.
const READS: usize = 8;

impl Cluster {
    /// Reads each object once and compares it with what was applied: the very comparison of an
    /// upgrade, so a defaulted or foreign field is no drift.
    pub async fn compare(
        &self,
        applied: &[Object],
        release_namespace: &str,
    ) -> Result<Vec<ObjectDrift>> {
        let mut compared = Vec::with_capacity(applied.len());
        for objects in applied.chunks(READS) {
            let reads = objects
                .iter()
                .map(|object| self.compare_one(object, release_namespace));
            compared.extend(try_join_all(reads).await?);
        }
        Ok(compared)
    }

    async fn compare_one(&self, object: &Object, release_namespace: &str) -> Result<ObjectDrift> {
        let live = match self.endpoint(&object.key, release_namespace).await {
            Ok(at) => self.get(&at).await?,
            // Its definition is gone, and the object with it.
            Err(Error::UnknownKind { .. }) => None,
            Err(error) => return Err(error),
        };
        let mut drift =
            match &live {
                None => None,
                Some(live) => merge::drift(Kind::of(&object.value), &object.value, live).map_err(
                    |source| Error::Merge {
                        object: object.key.to_string(),
                        source,
                    },
                )?,
            };
        if let (Some(live), Some(found)) = (&live, &drift)
            && !found.is_certain()
            && self
                .repairs_nothing(object, live, release_namespace)
                .await?
        {
            drift = None;
        }
        Ok(ObjectDrift {
            object: object.clone(),
            live,
            drift,
        })
    }

    /// Whether the server itself made the difference (a default, a field that it dropped): then it
    /// answers a dry run of the repair with the very object that is there.
    async fn repairs_nothing(
        &self,
        object: &Object,
        live: &Value,
        release_namespace: &str,
    ) -> Result<bool> {
        let applied = &object.value;
        let patch = merge::three_way(Kind::of(applied), Some(applied), applied, live).map_err(
            |source| Error::Merge {
                object: object.key.to_string(),
                source,
            },
        )?;
        let Some(patch) = patch else { return Ok(true) };
        let at = self.endpoint(&object.key, release_namespace).await?;
        match self.try_patch(&at, &patch).await {
            Ok(answer) => Ok(content(&answer) == content(live)),
            // What the server refuses is told when the repair is really tried.
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(false),
        }
    }
}
