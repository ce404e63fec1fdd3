//! Who this process is, on the records that it writes, and whether another one is still there.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, Client};
use tracing::warn;

/// Who this process is. After a restart in the same place it is the same one again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `namespace/pod` in a cluster, anything else outside.
    pub name: String,
    /// The namespace of this process's own pod, if it runs in one.
    pub namespace: Option<String>,
}

impl Holder {
    /// The pod that this process runs in.
    pub fn pod(namespace: &str, name: &str) -> Self {
        Self {
            name: format!("{namespace}/{name}"),
            namespace: Some(namespace.to_owned()),
        }
    }

    /// A process outside of any cluster.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            namespace: None,
        }
    }

    /// Whether another holder is a pod that has ended. What cannot be told counts as not gone: its
    /// record is left alone until its timeout has passed.
    pub(super) async fn is_gone(&self, client: &Client, other: &str) -> bool {
        let Some((namespace, pod)) = other.split_once('/') else {
            return false;
        };
        if self.namespace.as_deref() != Some(namespace) {
            return false;
        }
        let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
        match pods.get_opt(pod).await {
            Ok(None) => true,
            Ok(Some(found)) => {
                let phase = found.status.and_then(|status| status.phase);
                matches!(phase.as_deref(), Some("Succeeded" | "Failed"))
            }
            Err(error) => {
                warn!(pod = other, %error, "whether the holder of a record is still there cannot be told");
                false
            }
        }
    }
}
