//! Which kinds the cluster serves, and what a chart may know of it. Discovery is read once and
//! again when a definition was applied, when a kind is unknown, and when it was read long ago.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Discovery, Scope};

use super::error::{Error, Result};
use crate::manifest::ObjectKey;

/// What the cluster can do, as `.Capabilities` shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The API server's version, such as `v1.36.3`.
    pub kube_version: String,
    /// The API server's major version.
    pub major: String,
    /// The API server's minor version.
    pub minor: String,
    /// `v1`, `apps/v1`, `apps/v1/Deployment` and so on.
    pub api_versions: Vec<String>,
}

/// The kinds that the cluster serves.
#[derive(Clone)]
pub struct Kinds {
    client: Client,
    known: Arc<Mutex<Option<Arc<Known>>>>,
}

/// How long what was read is taken for what is: somebody else may apply definitions, too.
const AGE: Duration = Duration::from_secs(300);

struct Known {
    read: Instant,
    discovery: Discovery,
    capabilities: Capabilities,
}

impl Kinds {
    /// Nothing is asked yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            known: Arc::default(),
        }
    }

    /// What the cluster can do.
    pub async fn capabilities(&self) -> Result<Capabilities> {
        Ok(self.known().await?.capabilities.clone())
    }

    /// Forgets what was read: a definition was applied or deleted.
    pub fn invalidate(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The resource of an object's kind, and whether it is namespaced. An unknown kind is looked
    /// up afresh once: its definition may have come since.
    pub async fn resolve(&self, object: &ObjectKey) -> Result<(ApiResource, Scope)> {
        let fresh = self
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none();
        if let Some(found) = self.known().await?.resolve(object) {
            return Ok(found);
        }
        if !fresh {
            self.invalidate();
            if let Some(found) = self.known().await?.resolve(object) {
                return Ok(found);
            }
        }
        Err(Error::UnknownKind {
            object: Box::new(object.clone()),
        })
    }

    /// Whether a kind was served when the kinds were read last.
    pub async fn is_served(&self, object: &ObjectKey) -> Result<bool> {
        Ok(self.known().await?.resolve(object).is_some())
    }

    async fn known(&self) -> Result<Arc<Known>> {
        if let Some(known) = &*self.known.lock().unwrap_or_else(PoisonError::into_inner)
            && known.read.elapsed() < AGE
        {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(self.read().await?);
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&known));
        Ok(known)
    }

    async fn read(&self) -> Result<Known> {
        let failed = |error| Error::of("discover", "the cluster's kinds", error);
        let version = self.client.apiserver_version().await.map_err(failed)?;
        let discovery = Discovery::new(self.client.clone())
            .run_aggregated()
            .await
            .map_err(failed)?;
        let capabilities = Capabilities {
            kube_version: version.git_version,
            major: version.major,
            minor: version.minor,
            api_versions: api_versions(&discovery),
        };
        Ok(Known {
            read: Instant::now(),
            discovery,
            capabilities,
        })
    }
}

impl Known {
    fn resolve(&self, object: &ObjectKey) -> Option<(ApiResource, Scope)> {
        let kind = GroupVersionKind::gvk(object.group(), object.version(), &object.kind);
        let (resource, capabilities) = self.discovery.resolve_gvk(&kind)?;
        Some((resource, capabilities.scope))
    }
}

/// helm: pkg/action/action.go GetVersionSet.
fn api_versions(discovery: &Discovery) -> Vec<String> {
    let mut versions = std::collections::BTreeSet::new();
    for group in discovery.groups() {
        for version in group.versions() {
            for (resource, _) in group.versioned_resources(version) {
                versions.insert(format!("{}/{}", resource.api_version, resource.kind));
                versions.insert(resource.api_version);
            }
        }
    }
    versions.into_iter().collect()
}
