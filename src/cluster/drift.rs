//! Which objects are no longer as they were applied.

use futures::future::try_join_all;
use serde_json::Value;

use super::autoscaler::REPLICAS;
use super::error::{Error, Result};
use super::live::{Cluster, Endpoint};
use crate::manifest::Object;
use crate::merge::{self, Drift, Kind};
use crate::plan::{Exempt, Exemptions, asks_to_be_left_alone};

/// An object beside what it should be.
#[derive(Clone, Debug)]
pub struct ObjectDrift {
    /// The object as it was applied.
    pub object: Object,
    /// The live object; `None` where it is gone.
    pub live: Option<Value>,
    /// What differs; `None` where nothing does that is not left to others, or where the object is
    /// gone.
    pub drift: Option<Drift>,
    /// The object is left alone as a whole: that it is gone is no drift either.
    pub exempt: bool,
}

impl ObjectDrift {
    /// Whether the object must be put back.
    pub fn is_drifted(&self) -> bool {
        !self.exempt && (self.live.is_none() || self.drift.is_some())
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
    /// upgrade, so a defaulted or foreign field is no drift, nor one that is left to others.
    pub async fn compare(
        &self,
        applied: &[Object],
        release_namespace: &str,
        exemptions: Exemptions<'_>,
    ) -> Result<Vec<ObjectDrift>> {
        let mut compared = Vec::with_capacity(applied.len());
        for objects in applied.chunks(READS) {
            let reads = objects
                .iter()
                .map(|object| self.compare_one(object, release_namespace, exemptions));
            compared.extend(try_join_all(reads).await?);
        }
        Ok(compared)
    }

    async fn compare_one(
        &self,
        object: &Object,
        release_namespace: &str,
        exemptions: Exemptions<'_>,
    ) -> Result<ObjectDrift> {
        let at = match self.endpoint(&object.key, release_namespace).await {
            Ok(at) => Some(at),
            // Its definition is gone, and the object with it.
            Err(Error::UnknownKind { .. }) => None,
            Err(error) => return Err(error),
        };
        let live = match &at {
            Some(at) => self.get(at).await?,
            None => None,
        };
        let mut seen = ObjectDrift {
            object: object.clone(),
            live: None,
            drift: None,
            exempt: exemptions.of(&object.key, &object.value) == Exempt::Whole
                || live.as_ref().is_some_and(asks_to_be_left_alone),
        };
        if let (Some(at), Some(live), false) = (&at, &live, seen.exempt) {
            seen.drift = self.differences(at, object, live, exemptions).await?;
        }
        Ok(ObjectDrift { live, ..seen })
    }

    async fn differences(
        &self,
        at: &Endpoint,
        object: &Object,
        live: &Value,
        exemptions: Exemptions<'_>,
    ) -> Result<Option<Drift>> {
        let failed = |source| Error::Merge {
            object: object.key.to_string(),
            source,
        };
        let wanted = self
            .left_to_others(at, &object.value, live, exemptions)
            .await?;
        let found = merge::drift(Kind::of(&wanted), &wanted, live).map_err(failed)?;
        match found {
            Some(found)
                if !found.is_certain() && self.repairs_nothing(at, &wanted, live).await? =>
            {
                Ok(None)
            }
            found => Ok(found),
        }
    }

    /// An object as it is wanted, with those fields as they are live that are left to others: by the
    /// spec's rules, or to an autoscaler.
    pub(super) async fn left_to_others(
        &self,
        at: &Endpoint,
        wanted: &Value,
        live: &Value,
        exemptions: Exemptions<'_>,
    ) -> Result<Value> {
        let mut fields = match exemptions.of(&at.object, wanted) {
            Exempt::Fields(fields) => fields,
            Exempt::Whole => Vec::new(),
        };
        let replicas = wanted.pointer(REPLICAS);
        if replicas.is_some()
            && replicas != live.pointer(REPLICAS)
            && !fields.contains(&REPLICAS)
            && self.is_autoscaled(at, live).await?
        {
            fields.push(REPLICAS);
        }
        Ok(merge::leave(wanted, live, fields.into_iter()))
    }

    /// Whether the server itself made the difference (a default, a field that it dropped): then it
    /// answers a dry run of the repair with the very object that is there.
    async fn repairs_nothing(&self, at: &Endpoint, applied: &Value, live: &Value) -> Result<bool> {
        let patch = merge::three_way(Kind::of(applied), Some(applied), applied, live).map_err(
            |source| Error::Merge {
                object: at.object.to_string(),
                source,
            },
        )?;
        let Some(patch) = patch else { return Ok(true) };
        match self.try_patch(at, &patch).await {
            Ok(answer) => Ok(content(&answer) == content(live)),
            // What the server refuses is told when the repair is really tried.
            Err(error) if error.is_transient() => Err(error),
            Err(_) => Ok(false),
        }
    }
}
