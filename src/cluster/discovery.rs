//! Discovery documents: what the API server says that it serves. A document that has not changed
//! since it was read last is not sent again.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use http::header::{ACCEPT, ETAG, IF_NONE_MATCH};
use http::{HeaderValue, Request, StatusCode};
use kube::Client;
use kube::client::Body;
use kube::core::discovery::v2::{
    ACCEPT_AGGREGATED_DISCOVERY_V2, APIGroupDiscovery, APIVersionDiscovery,
    GroupVersionKind as Answered,
};
use kube::core::{GroupVersion, GroupVersionKind, Status};
use kube::discovery::{ApiResource, Scope};

use super::error::{Error, Result};

/// One of the two documents, `/api` or `/apis`, read.
#[derive(Debug, Default)]
pub(super) struct Document {
    tag: Option<HeaderValue>,
    /// Resources by the kind of their objects.
    pub(super) resources: HashMap<GroupVersionKind, (ApiResource, Scope)>,
    /// `v1`, `apps/v1`, `apps/v1/Deployment` and so on.
    pub(super) versions: BTreeSet<String>,
    /// Group versions of which the API server does not know now what is in them.
    pub(super) stale: BTreeSet<String>,
}

impl Document {
    /// The document at this path; `before` where it is the same still.
    pub(super) async fn read(
        client: &Client,
        path: &str,
        before: Option<Arc<Self>>,
    ) -> Result<Arc<Self>> {
        let failed = |error| Error::of("discover", "the cluster's kinds", error);
        let mut request = Request::get(path).header(ACCEPT, ACCEPT_AGGREGATED_DISCOVERY_V2);
        if let Some(tag) = before.as_ref().and_then(|before| before.tag.as_ref()) {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let request = request
            .body(Body::empty())
            .map_err(|error| failed(kube::Error::HttpError(error)))?;
        let answer = client.send(request).await.map_err(failed)?;
        let (status, tag) = (answer.status(), answer.headers().get(ETAG).cloned());
        if let (StatusCode::NOT_MODIFIED, Some(before)) = (status, before) {
            return Ok(before);
        }
        let body = answer.into_body().collect_bytes().await.map_err(failed)?;
        if status != StatusCode::OK {
            return Err(failed(kube::Error::Api(refusal(status, &body).boxed())));
        }
        let unreadable = |error| failed(kube::Error::SerdeError(error));
        let list: Answer = serde_json::from_slice(&body).map_err(unreadable)?;
        match list.kind.as_str() {
            "APIGroupDiscoveryList" => Ok(Arc::new(Self::of(&list.items, tag))),
            kind => Err(Error::Refused {
                action: "discover",
                object: "the cluster's kinds".to_owned(),
                code: 0,
                reason: "NotAggregated".to_owned(),
                message: format!(
                    "the API server answers {path} with a {kind:?}: Kubernetes 1.27 or newer is needed"
                ),
            }),
        }
    }

    // client-go: discovery/aggregated_discovery.go SplitGroupsAndResources and
    // helm: pkg/action/action.go GetVersionSet
    fn of(groups: &[APIGroupDiscovery], tag: Option<HeaderValue>) -> Self {
        let mut document = Self {
            tag,
            ..Self::default()
        };
        for group in groups {
            for version in &group.versions {
                document.add(&group_version(group, version), version);
            }
        }
        document
    }

    fn add(&mut self, of: &GroupVersion, version: &APIVersionDiscovery) {
        let api_version = of.api_version();
        let is_stale = version.freshness.as_deref() == Some("Stale");
        for resource in &version.resources {
            let subresources = resource.subresources.iter();
            let answered = subresources.map(|subresource| &subresource.response_kind);
            if !is_stale {
                let kinds = answered
                    .chain([&resource.response_kind])
                    .filter_map(kind)
                    .map(|kind| format!("{api_version}/{kind}"));
                self.versions.extend(kinds);
            }
            let (Some(kind), Some(plural)) = (kind(&resource.response_kind), &resource.resource)
            else {
                continue;
            };
            let kind = of.clone().with_kind(kind);
            let scope = match resource.scope.as_deref() {
                Some("Namespaced") => Scope::Namespaced,
                _ => Scope::Cluster,
            };
            let resource = ApiResource::from_gvk_with_plural(&kind, plural);
            // client-go: restmapper/discovery.go NewDiscoveryRESTMapper: of two resources of one kind
            // (OpenShift's processedtemplates and templates) the last one is the kind's.
            self.resources.insert(kind, (resource, scope));
        }
        let versions = match is_stale {
            true => &mut self.stale,
            false => &mut self.versions,
        };
        versions.insert(api_version);
    }
}

#[derive(serde::Deserialize)]
struct Answer {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    items: Vec<APIGroupDiscovery>,
}

fn group_version(group: &APIGroupDiscovery, version: &APIVersionDiscovery) -> GroupVersion {
    let group = group.metadata.as_ref().and_then(|of| of.name.as_deref());
    let version = version.version.as_deref();
    GroupVersion::gv(group.unwrap_or_default(), version.unwrap_or_default())
}

fn kind(answered: &Option<Answered>) -> Option<&str> {
    let kind = answered.as_ref()?.kind.as_deref()?;
    (!kind.is_empty()).then_some(kind)
}

/// What came instead of a document: the API server's own words, or a proxy's.
fn refusal(status: StatusCode, body: &[u8]) -> Status {
    let in_its_words = serde_json::from_slice(body).unwrap_or_else(|_| {
        let words = String::from_utf8_lossy(body);
        Status::failure(words.trim(), "Unreadable")
    });
    in_its_words.with_code(status.as_u16())
}
