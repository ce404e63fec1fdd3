//! `lookup` for templates: reads of the live cluster, from the thread that renders.

use serde_json::Value;
use tokio::runtime::Handle;

use super::error::{Error, Result};
use super::live::Cluster;
use crate::manifest::ObjectKey;
use crate::render::{Lookup, LookupError};

/// Reads for one render. Rendering is synchronous and runs on a thread of its own, which this
/// blocks while the API server answers.
pub struct ClusterLookup {
    cluster: Cluster,
    runtime: Handle,
}

impl Lookup for ClusterLookup {
    fn get(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> std::result::Result<Option<Value>, LookupError> {
        let object = ObjectKey {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
            name: name.to_owned(),
        };
        self.read(object).map_err(|error| {
            LookupError(match error {
                // The API server's sentence names the object itself.
                Error::Refused { message, .. } => message,
                error => error.to_string(),
            })
        })
    }
}

impl ClusterLookup {
    /// Lookups in this cluster; to be made where the runtime is.
    pub fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            runtime: Handle::current(),
        }
    }

    /// A kind that its group version does not have has no objects; a group version that the cluster
    /// does not have is an error.
    // helm: pkg/engine/lookup_func.go getAPIResourceForGVK
    async fn unknown(&self, object: &ObjectKey) -> Result<Option<Value>> {
        let kinds = &self.cluster.kinds;
        if kinds.is_version_served(&object.api_version).await? {
            return Ok(None);
        }
        Err(Error::UnknownGroup {
            group: object.group().to_owned(),
            version: object.version().to_owned(),
            kind: object.kind.clone(),
        })
    }

    /// One object, or all of a kind where `name` is empty; `None` where there is none.
    // helm: pkg/engine/lookup_func.go
    fn read(&self, object: ObjectKey) -> Result<Option<Value>> {
        self.runtime.block_on(async {
            let (resource, scope) = match self.cluster.kinds.resolve(&object).await {
                Ok(found) => found,
                Err(Error::UnknownKind { .. }) => return self.unknown(&object).await,
                Err(error) => return Err(error),
            };
            let namespace = match scope {
                kube::discovery::Scope::Cluster => None,
                kube::discovery::Scope::Namespaced => object.namespace.clone(),
            };
            let at = super::live::Endpoint {
                resource,
                namespace,
                object,
            };
            if at.object.name.is_empty() {
                return self.cluster.list(&at).await.map(Some);
            }
            self.cluster.get(&at).await
        })
    }
}
