//! Whose object is it? Helm's rule: a label and two annotations say so.

use serde_json::{Map, Value};

use super::desired::ReleaseName;

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

/// The label selector of everything that Helm, or this program, applied.
pub const OWNED_SELECTOR: &str = "app.kubernetes.io/managed-by=Helm";

/// Marks an object as the release's own, over whatever the chart wrote there.
// helm: pkg/action/validate.go setMetadataVisitor
pub fn mark_owned(object: &mut Value, release: &ReleaseName) {
    set(object, "labels", MANAGED_BY, "Helm");
    set(object, "annotations", RELEASE_NAME, &release.name);
    set(object, "annotations", RELEASE_NAMESPACE, &release.namespace);
}

/// Whether a live object carries the label of [`OWNED_SELECTOR`].
pub fn is_marked_owned(live: &Value) -> bool {
    live["metadata"]["labels"][MANAGED_BY] == "Helm"
}

/// What speaks against a live object being the release's own, in Helm's words.
// helm: pkg/action/validate.go checkOwnership
pub fn foreign(live: &Value, release: &ReleaseName) -> Option<String> {
    let requirements = [
        ("label", "labels", MANAGED_BY, "Helm"),
        ("annotation", "annotations", RELEASE_NAME, &*release.name),
        (
            "annotation",
            "annotations",
            RELEASE_NAMESPACE,
            &*release.namespace,
        ),
    ];
    let problems: Vec<String> = requirements
        .iter()
        .filter_map(|(what, field, key, wanted)| {
            let problem = match live["metadata"][field][key].as_str() {
                Some(found) if found == *wanted => return None,
                Some(found) => {
                    format!("key {key:?} must equal {wanted:?}: current value is {found:?}")
                }
                None => format!("missing key {key:?}: must be set to {wanted:?}"),
            };
            Some(format!("{what} validation error: {problem}"))
        })
        .collect();
    (!problems.is_empty()).then(|| problems.join("; "))
}

fn set(object: &mut Value, field: &str, key: &str, value: &str) {
    let Some(object) = object.as_object_mut() else {
        return;
    };
    let metadata = table(object, "metadata");
    table(metadata, field).insert(key.to_owned(), value.into());
}

/// The table under a key, made where there is none.
fn table<'m>(parent: &'m mut Map<String, Value>, key: &str) -> &'m mut Map<String, Value> {
    let entry = parent.entry(key).or_insert(Value::Null);
    if !entry.is_object() {
        *entry = Value::Object(Map::new());
    }
    entry
        .as_object_mut()
        .expect("a table was put here if there was none")
}
