//! Single requests about single objects. Objects travel as plain JSON, so that nothing that a
//! chart wrote is lost in a type that does not know it.

use kube::Client;
use kube::api::{DeleteParams, DynamicObject, GetParams, Patch, PatchParams, PostParams};
use kube::api::{PropagationPolicy, ValidationDirective};
use kube::core::Request;
use kube::discovery::{ApiResource, Scope};
use serde_json::Value;

use super::FIELD_MANAGER;
use super::error::{Error, Result};
use super::kinds::{Capabilities, Kinds};
use crate::manifest::ObjectKey;
use crate::merge;

/// The cluster as this room sees it.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    pub(super) kinds: Kinds,
}

/// Where the objects of a kind live.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The kind's resource.
    pub resource: ApiResource,
    /// The namespace; `None` for a kind without one.
    pub namespace: Option<String>,
    /// The object, for messages.
    pub object: ObjectKey,
}

/// How an object is applied server-side.
#[derive(Clone, Copy, Debug)]
pub struct Applying<'m> {
    /// The name under which it is applied.
    pub manager: &'m str,
    /// Take fields over from others, instead of failing.
    pub force: bool,
    /// Change nothing.
    pub dry_run: bool,
    /// There is no such object yet.
    pub creates: bool,
}

impl Endpoint {
    fn request(&self) -> Request {
        let path =
            <DynamicObject as kube::Resource>::url_path(&self.resource, self.namespace.as_deref());
        Request::new(path)
    }

    /// helm: pkg/action/validate.go resourceString.
    pub(super) fn in_helms_words(&self) -> String {
        let namespace = self.namespace.as_deref().unwrap_or_default();
        format!(
            "{} {:?} in namespace {namespace:?}",
            self.object.kind, self.object.name
        )
    }

    fn describe(&self) -> String {
        let object = &self.object;
        match &self.namespace {
            Some(namespace) => format!("{} {namespace}/{}", object.kind, object.name),
            None => format!("{} {}", object.kind, object.name),
        }
    }
}

impl Cluster {
    /// The cluster behind a client.
    pub fn new(client: Client) -> Self {
        Self {
            kinds: Kinds::new(client.clone()),
            client,
        }
    }

    /// What the cluster can do, for `.Capabilities`.
    pub async fn capabilities(&self) -> Result<Capabilities> {
        self.kinds.capabilities().await
    }

    /// Where an object lives; one that names no namespace lives in the release's.
    pub async fn endpoint(&self, object: &ObjectKey, release_namespace: &str) -> Result<Endpoint> {
        let (resource, scope) = self.kinds.resolve(object).await?;
        let namespace = match scope {
            Scope::Cluster => None,
            Scope::Namespaced => Some(
                object
                    .namespace
                    .clone()
                    .unwrap_or_else(|| release_namespace.to_owned()),
            ),
        };
        Ok(Endpoint {
            resource,
            namespace,
            object: object.clone(),
        })
    }

    /// The object as it is; `None` where there is none.
    pub async fn get(&self, at: &Endpoint) -> Result<Option<Value>> {
        let request = at.request().get(&at.object.name, &GetParams::default());
        match self.send("get", at, request).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_status(404) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates the object. The API server refuses fields that it does not know, as under Helm.
    pub async fn create(&self, at: &Endpoint, object: &Value) -> Result<Value> {
        self.send_create(at, object, "").await
    }

    /// What the object would be if it were created; nothing is.
    pub async fn try_create(&self, at: &Endpoint, object: &Value) -> Result<Value> {
        self.send_create(at, object, "&dryRun=All").await
    }

    async fn send_create(&self, at: &Endpoint, object: &Value, more: &str) -> Result<Value> {
        let path = at.request().url_path;
        let uri = format!("{path}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict{more}");
        let request = http::Request::post(uri)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(object.to_string().into_bytes())
            .map_err(kube::core::request::Error::BuildRequest);
        self.send("create", at, request).await
    }

    /// Replaces the object; `object` carries the resource version that is replaced.
    pub async fn replace(&self, at: &Endpoint, object: &Value) -> Result<Value> {
        let parameters = PostParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PostParams::default()
        };
        let body = object.to_string().into_bytes();
        self.send(
            "update",
            at,
            at.request().replace(&at.object.name, &parameters, body),
        )
        .await
    }

    /// Patches the object.
    pub async fn patch(&self, at: &Endpoint, patch: &merge::Patch) -> Result<Value> {
        self.send_patch(at, patch, false).await
    }

    /// What the object would be after the patch; nothing is changed.
    pub async fn try_patch(&self, at: &Endpoint, patch: &merge::Patch) -> Result<Value> {
        self.send_patch(at, patch, true).await
    }

    /// Applies the object server-side; creates it where there is none.
    pub async fn apply(&self, at: &Endpoint, object: &Value, how: Applying<'_>) -> Result<Value> {
        let parameters = PatchParams {
            dry_run: how.dry_run,
            force: how.force,
            field_manager: Some(how.manager.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
        };
        let name = &at.object.name;
        let request = at.request().patch(name, &parameters, &Patch::Apply(object));
        self.send("patch", at, request).await
    }

    /// Writes who owns the object's fields; fails where `live` is not the newest.
    pub async fn put_managed_fields(
        &self,
        at: &Endpoint,
        live: &Value,
        fields: Value,
    ) -> Result<Value> {
        let patch = serde_json::json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": fields},
            {"op": "replace", "path": "/metadata/resourceVersion",
                "value": live["metadata"]["resourceVersion"]},
        ]);
        let (path, name) = (at.request().url_path, &at.object.name);
        let uri = format!("{path}/{name}?fieldManager={FIELD_MANAGER}");
        let request = http::Request::patch(uri)
            .header(http::header::CONTENT_TYPE, "application/json-patch+json")
            .body(patch.to_string().into_bytes())
            .map_err(kube::core::request::Error::BuildRequest);
        self.send("patch", at, request).await
    }

    async fn send_patch(
        &self,
        at: &Endpoint,
        patch: &merge::Patch,
        dry_run: bool,
    ) -> Result<Value> {
        let parameters = PatchParams {
            dry_run,
            field_manager: Some(FIELD_MANAGER.to_owned()),
            field_validation: Some(ValidationDirective::Strict),
            ..PatchParams::default()
        };
        let body = match patch.strategy {
            merge::Strategy::Strategic => Patch::Strategic(&patch.body),
            merge::Strategy::JsonMerge => Patch::Merge(&patch.body),
        };
        self.send(
            "patch",
            at,
            at.request().patch(&at.object.name, &parameters, &body),
        )
        .await
    }

    /// Deletes the object and, in the background, what it owns. Gone already is as good.
    pub async fn delete(&self, at: &Endpoint) -> Result<()> {
        self.delete_as(at, PropagationPolicy::Background).await
    }

    /// Deletes the object, and does so with what it owns.
    pub async fn delete_as(&self, at: &Endpoint, propagation: PropagationPolicy) -> Result<()> {
        let parameters = DeleteParams {
            propagation_policy: Some(propagation),
            ..DeleteParams::default()
        };
        match self
            .send(
                "delete",
                at,
                at.request().delete(&at.object.name, &parameters),
            )
            .await
        {
            Ok(_) => Ok(()),
            Err(error) if error.is_status(404) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The objects of a kind in a namespace, or in all.
    pub async fn list(&self, at: &Endpoint) -> Result<Value> {
        self.send(
            "list",
            at,
            at.request().list(&kube::api::ListParams::default()),
        )
        .await
    }

    /// Whether there is any object of a live definition.
    pub async fn has_objects(&self, definition: &Value) -> Result<bool> {
        let spec = &definition["spec"];
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut versions = spec["versions"].as_array().into_iter().flatten();
        let Some(version) = versions.find(|version| version["served"] == true) else {
            // Nobody can ask, and some may be stored.
            return Ok(true);
        };
        let (group, version) = (word(&spec["group"]), word(&version["name"]));
        let path = format!("/apis/{group}/{version}/{}", word(&spec["names"]["plural"]));
        let parameters = kube::api::ListParams::default().limit(1);
        let request = Request::new(path).list(&parameters);
        let at = format!("{} objects", word(&spec["names"]["kind"]));
        let request =
            request.map_err(|error| Error::of("list", &at, kube::Error::BuildRequest(error)))?;
        match self.client.request::<Value>(request).await {
            Ok(list) => Ok(list["items"]
                .as_array()
                .is_some_and(|items| !items.is_empty())),
            // It is not served yet.
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(error) => Err(Error::of("list", at, error)),
        }
    }

    /// The first object of a kind that is so, in the namespace of `at`.
    pub(super) async fn first(
        &self,
        at: &Endpoint,
        is_so: impl Fn(&Value) -> bool,
    ) -> Result<Option<Value>> {
        let mut list = self.list(at).await?;
        let items = list["items"].as_array_mut().map(std::mem::take);
        let first = items.into_iter().flatten().find(is_so);
        // The items of a list do not say their kind.
        Ok(first.map(|mut object| {
            object["apiVersion"] = at.object.api_version.clone().into();
            object["kind"] = at.object.kind.clone().into();
            object
        }))
    }

    async fn send(
        &self,
        action: &'static str,
        at: &Endpoint,
        request: std::result::Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value> {
        let request = request
            .map_err(|error| Error::of(action, at.describe(), kube::Error::BuildRequest(error)))?;
        let answer = self.client.request::<Value>(request).await;
        answer.map_err(|error| Error::of(action, at.describe(), error))
    }
}
