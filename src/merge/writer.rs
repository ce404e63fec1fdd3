//! Who wrote a field.
//!
//! In: a live object, a JSON pointer into it. Out: the manager that `metadata.managedFields` name
//! for it. Never: a guess where they are silent.

use serde_json::{Map, Value};

/// A manager of fields, as the API server keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The program, as it calls itself: `kubectl-edit`.
    pub manager: String,
    /// The subresource that was written, such as `scale`.
    pub subresource: Option<String>,
    /// When it wrote last, as the server writes times.
    pub time: String,
}

/// The manager that wrote the field at a JSON pointer last, except for the status; for a field that is
/// not there any more, the one that wrote the object last. `except` are our own words.
#[must_use]
pub fn writer(live: &Value, pointer: &str, except: &str) -> Option<Writer> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let others = entries.iter().filter(|entry| {
        entry["subresource"] != "status" && entry["manager"].as_str() != Some(except)
    });
    let is_there = live.pointer(pointer).is_some();
    let steps: Vec<&str> = pointer.split('/').skip(1).collect();
    let candidates = others.filter(|entry| !is_there || owns(&entry["fieldsV1"], live, &steps));
    candidates
        .map(|entry| Writer {
            manager: text(&entry["manager"]),
            subresource: entry["subresource"].as_str().map(str::to_owned),
            time: text(&entry["time"]),
        })
        .max_by(|a, b| a.time.cmp(&b.time))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Whether a set of fields holds the one at these steps, something below it, or all around it.
// Kubernetes: sigs.k8s.io/structured-merge-diff fieldpath/serialize-pe.go
fn owns(set: &Value, live: &Value, steps: &[&str]) -> bool {
    let Some(fields) = set.as_object() else {
        return false;
    };
    let Some((step, rest)) = steps.split_first() else {
        return true;
    };
    // A leaf that ends above the field: a list or a map that is owned as a whole.
    if fields.keys().all(|key| key == ".") {
        return true;
    }
    match live {
        Value::Array(items) => {
            let item = step.parse().ok().and_then(|index: usize| items.get(index));
            item.is_some_and(|item| {
                fields
                    .iter()
                    .any(|(key, below)| is_item(key, item, step) && owns(below, item, rest))
            })
        }
        _ => {
            let name = step.replace("~1", "/").replace("~0", "~");
            let below = fields.get(&format!("f:{name}"));
            below.is_some_and(|below| owns(below, &live[&name], rest))
        }
    }
}

/// Whether a key of a set means this element of a list.
fn is_item(key: &str, item: &Value, index: &str) -> bool {
    let parsed = |json: &str| serde_json::from_str::<Value>(json).ok();
    match key.split_once(':') {
        Some(("k", json)) => {
            let keys: Option<Map<String, Value>> = serde_json::from_str(json).ok();
            keys.is_some_and(|keys| keys.iter().all(|(key, value)| item.get(key) == Some(value)))
        }
        Some(("v", json)) => parsed(json).as_ref() == Some(item),
        Some(("i", at)) => at == index,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn deployment() -> Value {
        json!({
            "metadata": {"managedFields": [
                {"manager": "pintle", "operation": "Update", "time": "2026-01-01T00:00:00Z",
                 "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"web\"}": {".": {}, "f:name": {}, "f:image": {}}}}}}}},
                {"manager": "kubectl-edit", "operation": "Update", "time": "2026-01-01T00:00:02Z",
                 "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"web\"}": {"f:image": {}}}}}}}},
                {"manager": "kube-controller-manager", "operation": "Update", "subresource": "scale",
                 "time": "2026-01-01T00:00:01Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                {"manager": "kubelet", "operation": "Update", "subresource": "status",
                 "time": "2026-01-01T00:00:09Z", "fieldsV1": {"f:status": {"f:replicas": {}}}},
            ]},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [
                {"name": "proxy", "image": "p"}, {"name": "web", "image": "b"}]}}},
        })
    }

    #[test]
    fn the_manager_of_a_field_is_found() {
        let live = deployment();
        let found = |pointer| writer(&live, pointer, "pintle").map(|writer| writer.manager);
        let image = "/spec/template/spec/containers/1/image";
        assert_eq!(found(image).unwrap(), "kubectl-edit");
        assert_eq!(found("/spec/template/spec/containers/0/image"), None);
        assert_eq!(found("/spec/replicas").unwrap(), "kube-controller-manager");
    }

    #[test]
    fn of_a_field_that_is_gone_the_last_writer_is_told() {
        let live = deployment();
        let found = writer(&live, "/spec/paused", "pintle").unwrap();
        assert_eq!(found.manager, "kubectl-edit");
    }

    #[test]
    fn what_is_owned_as_a_whole_owns_what_is_in_it() {
        let live = json!({
            "metadata": {"managedFields": [
                {"manager": "kubectl-patch", "time": "2026-01-01T00:00:00Z",
                 "fieldsV1": {"f:rules": {}}}]},
            "rules": [{"verbs": ["get", "list"]}],
        });
        assert_eq!(
            writer(&live, "/rules/0/verbs/1", "pintle").unwrap().manager,
            "kubectl-patch"
        );
    }
}
