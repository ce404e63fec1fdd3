//! Who owns which fields of an object, as its `managedFields` tell.
//!
//! In: a live object. Out: the name under which Helm applied it server-side, and the list in which
//! what was patched under other names is that one's too. Never: a value of the object; the list holds
//! field names alone.

use serde_json::{Map, Value};

/// The field manager of the helm program; programs that have Helm built in choose their own.
// helm: cmd/helm/helm.go main
pub const HELM: &str = "helm";

/// The name under which the object was applied server-side as part of a release: whoever applied the
/// annotation that names the release did so.
#[must_use]
pub fn applier(live: &Value) -> &str {
    let owns_the_mark = |entry: &&Value| {
        is_of(entry, "Apply")
            && entry
                .pointer("/fieldsV1/f:metadata/f:annotations/f:meta.helm.sh~1release-name")
                .is_some()
    };
    let mut names = entries(live)
        .iter()
        .filter(owns_the_mark)
        .filter_map(|entry| entry["manager"].as_str());
    match names.next() {
        Some(first) if first != HELM => match names.any(|name| name == HELM) {
            true => HELM,
            false => first,
        },
        _ => HELM,
    }
}

/// The object's `managedFields` where what these `others` patched is what `applier` applied, so that
/// it can apply it once more; nothing where none of them patched anything.
// client-go: util/csaupgrade/upgrade.go upgradedManagedFields
#[must_use]
pub fn taken_over(live: &Value, others: &[&str], applier: &str) -> Option<Value> {
    let mut fields = entries(live).to_vec();
    let before = fields.clone();
    for other in others {
        let patched = |entry: &Value| entry["manager"] == *other && is_of(entry, "Update");
        let own = |entry: &Value| entry["manager"] == applier && is_of(entry, "Apply");
        let Some(at) = fields
            .iter()
            .position(own)
            .or_else(|| fields.iter().position(patched))
        else {
            continue;
        };
        fields[at]["manager"] = applier.into();
        let was_patched = std::mem::replace(&mut fields[at]["operation"], "Apply".into());
        let version = fields[at]["apiVersion"].clone();
        let same = fields
            .iter()
            .find(|entry| patched(entry) && entry["apiVersion"] == version);
        // The newest of them has become the applier's own.
        if was_patched == "Apply"
            && let Some(more) = same.map(|entry| entry["fieldsV1"].clone())
        {
            unite(&mut fields[at]["fieldsV1"], more);
        }
        fields.retain(|entry| !patched(entry));
    }
    (fields != before).then_some(Value::Array(fields))
}

fn entries(live: &Value) -> &[Value] {
    let fields = live["metadata"]["managedFields"].as_array();
    fields.map(Vec::as_slice).unwrap_or_default()
}

fn is_of(entry: &Value, operation: &str) -> bool {
    entry["operation"] == operation && entry["subresource"].as_str().unwrap_or_default().is_empty()
}

/// A field that is owned as a whole has no fields below it; where it has, it is owned by a dot.
// structured-merge-diff: fieldpath/serialize.go
fn unite(known: &mut Value, more: Value) {
    let (Some(known), Value::Object(mut more)) = (known.as_object_mut(), more) else {
        return;
    };
    own_whole(known, &more);
    own_whole(&mut more, known);
    for (field, below) in more {
        match known.get_mut(&field) {
            Some(known) => unite(known, below),
            None => {
                known.insert(field, below);
            }
        }
    }
}

fn own_whole(fields: &mut Map<String, Value>, others: &Map<String, Value>) {
    if fields.is_empty() && !others.is_empty() {
        fields.insert(".".to_owned(), Value::Object(Map::new()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(manager: &str, operation: &str, fields: Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    }

    fn object(entries: &[Value]) -> Value {
        json!({"metadata": {"managedFields": entries}})
    }

    #[test]
    fn whoever_applied_the_mark_of_the_release_is_its_applier() {
        let mark = json!({"f:metadata": {"f:annotations": {"f:meta.helm.sh/release-name": {}}}});
        let other = json!({"f:metadata": {"f:annotations": {"f:other": {}}}});
        let of = |entries: &[Value]| applier(&object(entries)).to_owned();
        assert_eq!(of(&[]), "helm");
        assert_eq!(of(&[entry("kubectl", "Apply", other)]), "helm");
        assert_eq!(of(&[entry("kubectl", "Update", mark.clone())]), "helm");
        let flux = entry("helm-controller", "Apply", mark.clone());
        assert_eq!(of(std::slice::from_ref(&flux)), "helm-controller");
        assert_eq!(of(&[flux, entry("helm", "Apply", mark)]), "helm");
    }

    #[test]
    fn what_was_patched_is_taken_over_and_the_rest_stays() {
        let patched = entry(
            "pintle",
            "Update",
            json!({"f:data": {"f:a": {}}, "f:x": {}}),
        );
        let applied = entry(
            "helm",
            "Apply",
            json!({"f:data": {"f:b": {}}, "f:x": {"f:y": {}}}),
        );
        let foreign = entry("kubectl", "Update", json!({"f:data": {"f:c": {}}}));
        let live = object(&[foreign.clone(), applied.clone(), patched.clone()]);
        let united = json!({"f:data": {"f:a": {}, "f:b": {}}, "f:x": {".": {}, "f:y": {}}});
        let taken = taken_over(&live, &["pintle", "helm"], "helm");
        let wanted = json!([foreign.clone(), entry("helm", "Apply", united)]);
        assert_eq!(taken, Some(wanted));
        // Without anything applied, what was patched is.
        let taken = taken_over(
            &object(std::slice::from_ref(&patched)),
            &["helm", "pintle"],
            "helm",
        );
        let applied_now = entry("helm", "Apply", patched["fieldsV1"].clone());
        assert_eq!(taken, Some(json!([applied_now])));
        assert_eq!(
            taken_over(&object(&[foreign, applied]), &["pintle"], "helm"),
            None
        );
    }
}
