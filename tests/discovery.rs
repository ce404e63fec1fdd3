//! What Helm makes of discovery documents such as the testbed's API server does not give: a group that
//! does not answer, a kind twice, a resource without one. `tests/discovery/expected.json` holds it,
//! written by the Go program in `tests/oracle/release`.
#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::routing::get;
use pintle::cluster::{Cluster, Error, connect};
use pintle::manifest::ObjectKey;
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    versions: Vec<String>,
    kinds: Vec<Found>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    api_version: String,
    kind: String,
    /// Empty where no such kind is found.
    resource: String,
    namespaced: bool,
}

/// A group version that has been heard of, and does not answer now.
const SILENT: &str = "metrics.example.com/v1";

const VERSION: &str = r#"{"major":"1","minor":"36","gitVersion":"v1.36.3","gitCommit":"","gitTreeState":"","buildDate":"","goVersion":"","compiler":"","platform":""}"#;

/// A cluster that says of itself what the documents say.
async fn cluster() -> Cluster {
    let document = |text: &'static str| get(move || async move { text });
    let answers = Router::new()
        .route("/version", document(VERSION))
        .route("/api", document(include_str!("discovery/core.json")))
        .route("/apis", document(include_str!("discovery/groups.json")));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, answers).into_future());
    let config = kube::Config::new(address.parse().unwrap());
    Cluster::new(connect(config).unwrap())
}

#[tokio::test]
async fn discovery_documents_are_read_as_helm_reads_them() {
    let expected: Expected = serde_json::from_str(include_str!("discovery/expected.json")).unwrap();
    let cluster = cluster().await;
    let mut versions = cluster.capabilities().await.unwrap().api_versions;
    versions.sort();
    assert_eq!(versions, expected.versions, "the oracle sorts them");
    for helm in expected.kinds {
        // What was in a group that does not answer now is there still; to Helm it is unknown.
        if helm.api_version == SILENT {
            continue;
        }
        let looked_for = object(&helm.api_version, &helm.kind);
        let (resource, namespaced) = match cluster.endpoint(&looked_for, "here").await {
            Ok(at) => (at.resource.plural, at.namespace.is_some()),
            Err(Error::UnknownKind { .. }) => (String::new(), false),
            Err(error) => panic!("{helm:?}: {error}"),
        };
        let is_so = resource == helm.resource && namespaced == helm.namespaced;
        assert!(is_so, "helm {helm:?}, here {resource:?}");
    }
}

#[tokio::test]
async fn what_a_silent_group_has_is_not_known_to_be_gone() {
    let cluster = cluster().await;
    let at = cluster.endpoint(&object(SILENT, "Sample"), "here").await;
    assert_eq!(at.unwrap().resource.plural, "samples");
    for unknown in [
        object(SILENT, "Other"),
        object("gone.example.com/v1", "Anything"),
    ] {
        let error = cluster.endpoint(&unknown, "here").await.unwrap_err();
        assert!(matches!(error, Error::StaleGroup { .. }) && error.is_transient());
    }
}

fn object(api_version: &str, kind: &str) -> ObjectKey {
    ObjectKey {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: None,
        name: "one".to_owned(),
    }
}
