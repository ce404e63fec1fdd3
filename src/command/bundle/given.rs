//! The manifests as a cluster would have them, for the one who reads what releases refer to: the same
//! code does so in the controller.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

/// A client of nothing but these objects, by their paths.
pub(super) fn client(objects: BTreeMap<String, Value>) -> kube::Client {
    let objects = Arc::new(objects);
    let answer = move |request: Request| {
        let found = objects.get(request.uri().path()).cloned();
        async move {
            let status = match found {
                Some(_) => StatusCode::OK,
                None => StatusCode::NOT_FOUND,
            };
            let missing = || {
                json!({
                    "kind": "Status", "apiVersion": "v1", "status": "Failure",
                    "message": "it is not among the manifests", "reason": "NotFound", "code": 404,
                })
            };
            let body = found.unwrap_or_else(missing).to_string();
            let mut response = Response::new(Body::from(body));
            *response.status_mut() = status;
            response
        }
    };
    kube::Client::new(Router::new().fallback(answer), "default")
}
