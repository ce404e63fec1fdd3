//! Which kinds the cluster serves, and what a chart may know of it. Whoever renders is told what is
//! so now, as under Helm; whoever looks for a kind, what was so lately, and afresh where it is unknown.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use kube::Client;
use kube::core::GroupVersionKind;
use kube::discovery::{ApiResource, Scope};

use super::crds::Defined;
use super::discovery::Document;
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

/// How long what was read is taken for what is, where nobody renders: somebody else may delete
/// definitions.
const AGE: Duration = Duration::from_secs(300);

struct Known {
    read: Instant,
    core: Arc<Document>,
    groups: Arc<Document>,
}

impl Kinds {
    /// Nothing is asked yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            known: Arc::default(),
        }
    }

    /// What the cluster can do now.
    // helm: pkg/action/action.go getCapabilities
    pub async fn capabilities(&self) -> Result<Capabilities> {
        let version = async {
            let asked = self.client.apiserver_version().await;
            asked.map_err(|error| Error::of("discover", "the API server's version", error))
        };
        let (version, known) = tokio::try_join!(version, self.refresh())?;
        Ok(Capabilities {
            kube_version: version.git_version,
            major: version.major,
            minor: version.minor,
            api_versions: known.versions().cloned().collect(),
        })
    }

    /// The resource of an object's kind, and whether it is namespaced. An unknown kind is looked
    /// up afresh: its definition may have come since.
    pub async fn resolve(&self, object: &ObjectKey) -> Result<(ApiResource, Scope)> {
        let kind = kind_of(object);
        if let Some(found) = self.known().await?.resource(&kind) {
            return Ok(found.clone());
        }
        let known = self.refresh().await?;
        match known.resource(&kind) {
            Some(found) => Ok(found.clone()),
            None if known.is_stale(&object.api_version) => Err(Error::StaleGroup {
                object: Box::new(object.clone()),
            }),
            None => Err(Error::UnknownKind {
                object: Box::new(object.clone()),
            }),
        }
    }

    /// Whether a kind was served when the kinds were read last.
    pub async fn is_served(&self, object: &ObjectKey) -> Result<bool> {
        Ok(self.known().await?.resource(&kind_of(object)).is_some())
    }

    /// Whether a group version, such as `apps/v1`, was served when the kinds were read last.
    pub async fn is_version_served(&self, api_version: &str) -> Result<bool> {
        Ok(self.known().await?.versions().any(|one| one == api_version))
    }

    /// Whether the cluster now lists those of these kinds that it is to serve, and no others of them.
    pub(super) async fn are_listed(&self, expected: &[Defined]) -> Result<bool> {
        let known = self.refresh().await?;
        let is_as_expected = |one: &Defined| known.resource(&one.kind).is_some() == one.served;
        Ok(expected.iter().all(is_as_expected))
    }

    /// What is known, unless it was read long ago.
    async fn known(&self) -> Result<Arc<Known>> {
        match self.remembered() {
            Some(known) if known.read.elapsed() < AGE => Ok(known),
            _ => self.refresh().await,
        }
    }

    fn remembered(&self) -> Option<Arc<Known>> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What is so now.
    async fn refresh(&self) -> Result<Arc<Known>> {
        let read = Instant::now();
        let before = self.remembered();
        let core = before.as_ref().map(|known| Arc::clone(&known.core));
        let groups = before.map(|known| Arc::clone(&known.groups));
        let (core, groups) = tokio::try_join!(
            Document::read(&self.client, "/api", core),
            Document::read(&self.client, "/apis", groups)
        )?;
        let known = Arc::new(Known { read, core, groups });
        let mut newest = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Who asked earlier and was answered later knows less.
        if newest.as_ref().is_none_or(|newest| newest.read <= read) {
            *newest = Some(Arc::clone(&known));
        }
        Ok(known)
    }
}

impl Known {
    fn resource(&self, kind: &GroupVersionKind) -> Option<&(ApiResource, Scope)> {
        let documents = [&self.core, &self.groups];
        documents.iter().find_map(|of| of.resources.get(kind))
    }

    fn versions(&self) -> impl Iterator<Item = &String> {
        self.core.versions.iter().chain(&self.groups.versions)
    }

    fn is_stale(&self, api_version: &str) -> bool {
        self.groups.stale.contains(api_version)
    }
}

fn kind_of(object: &ObjectKey) -> GroupVersionKind {
    GroupVersionKind::gvk(object.group(), object.version(), &object.kind)
}
