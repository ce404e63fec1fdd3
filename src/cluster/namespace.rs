//! The release's own namespace.

use serde_json::json;

use super::error::{Error, Result};
use super::live::Cluster;
use crate::manifest::ObjectKey;

impl Cluster {
    /// Creates the namespace where it is missing, labelled as Helm does.
    // helm: pkg/action/install.go RunWithContext, CreateNamespace
    pub async fn ensure_namespace(&self, name: &str) -> Result<()> {
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        let at = self.endpoint(&key, name).await?;
        let object = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": name, "labels": { "name": name } },
        });
        match self.create(&at, &object).await {
            Ok(_) => Ok(()),
            Err(Error::Refused { code: 409, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
