//! Reading fields of an object as kstatus does: leniently for numbers and words, strictly for conditions.

use serde_json::Value;

/// Why the health of an object cannot be told.
#[derive(Debug)]
pub(super) struct Unreadable(pub(super) String);

/// An entry of `status.conditions`; what is missing is empty.
pub(super) struct Condition<'o> {
    pub(super) kind: &'o str,
    pub(super) status: &'o str,
    pub(super) reason: &'o str,
    pub(super) message: &'o str,
}

impl Condition<'_> {
    pub(super) fn is(&self, kind: &str, status: &str) -> bool {
        self.kind == kind && self.status == status
    }
}

pub(super) fn kind(object: &Value) -> &str {
    text(object, "/kind", "")
}

/// The API group, empty for the core group; nothing if there is no telling.
pub(super) fn group(object: &Value) -> Option<&str> {
    let api_version = text(object, "/apiVersion", "");
    match api_version.split_once('/') {
        None => Some(""),
        Some((group, version)) => (!version.contains('/')).then_some(group),
    }
}

/// A number, or a default where there is none; a fraction is none.
pub(super) fn number(object: &Value, pointer: &str, default: i64) -> i64 {
    object
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or(default)
}

/// A text, or a default where there is none.
pub(super) fn text<'o>(object: &'o Value, pointer: &str, default: &'o str) -> &'o str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or(default)
}

/// A field that must have its type if it is there.
// apimachinery: unstructured/helpers.go NestedFieldNoCopy
pub(super) fn strict<'o, T>(
    object: &'o Value,
    (parent, field): (&str, &str),
    read: impl Fn(&'o Value) -> Option<T>,
) -> Result<Option<T>, Unreadable> {
    let fields = match object.get(parent) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(fields)) => fields,
        Some(_) => return Err(Unreadable(format!("{parent} is not an object"))),
    };
    let Some(value) = fields.get(field) else {
        return Ok(None);
    };
    read(value)
        .map(Some)
        .ok_or_else(|| Unreadable(format!("{parent}.{field} has an unexpected type")))
}

// cli-utils: pkg/kstatus/status/util.go GetObjectWithConditions
pub(super) fn conditions(object: &Value) -> Result<Vec<Condition<'_>>, Unreadable> {
    let items = strict(object, ("status", "conditions"), |value| match value {
        Value::Null => Some([].as_slice()),
        value => value.as_array().map(Vec::as_slice),
    })?;
    items.unwrap_or_default().iter().map(condition).collect()
}

fn condition(item: &Value) -> Result<Condition<'_>, Unreadable> {
    if !item.is_object() && !item.is_null() {
        return Err(Unreadable(
            "status.conditions holds something that is no condition".to_owned(),
        ));
    }
    let word = |field| match item.get(field) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(word)) => Ok(word.as_str()),
        Some(_) => Err(Unreadable(format!(
            "the {field} of a condition is not a text"
        ))),
    };
    Ok(Condition {
        kind: word("type")?,
        status: word("status")?,
        reason: word("reason")?,
        message: word("message")?,
    })
}
