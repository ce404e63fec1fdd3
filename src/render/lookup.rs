//! `lookup`: how a template asks for objects of the cluster.

use serde_json::Value as Json;

/// Where `lookup` finds objects: a cluster, or [`NoCluster`].
pub trait Lookup {
    /// The object of this kind, or the list of all of them where the name is empty. An empty
    /// namespace stands for all, and for kinds without one. What is not there is `None`.
    ///
    /// # Errors
    /// Where the cluster does not know the kind, or does not answer: the render fails.
    fn get(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Json>, LookupError>;

    /// Whether there is anything to be found: where not, nobody asks.
    fn finds_anything(&self) -> bool {
        true
    }
}

/// Why an object could not be looked up. The template's error shows the text.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct LookupError(pub String);

/// No cluster: nothing is ever found, as in `helm template`.
pub struct NoCluster;

impl Lookup for NoCluster {
    fn get(&self, _: &str, _: &str, _: &str, _: &str) -> Result<Option<Json>, LookupError> {
        Ok(None)
    }

    fn finds_anything(&self) -> bool {
        false
    }
}
