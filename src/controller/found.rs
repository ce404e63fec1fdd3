//! What was found to differ, in words.
//!
//! In: objects beside what they should be. Out: the sentences of conditions and events. Never: a
//! value of a Secret, or of a field that is named as one.

use serde_json::Value;

use super::observe::FoughtOver;
use crate::cluster::{FIELD_MANAGER, ObjectDrift};
use crate::merge::{Difference, writer};

/// How many objects, and fields of each, are named.
const NAMED: usize = 5;

/// How much of a value is shown.
const SHOWN: usize = 60;

/// Which objects differ, and where.
pub(super) fn places<'d>(drift: impl ExactSizeIterator<Item = &'d ObjectDrift>) -> String {
    listed(drift, |seen| match &seen.drift {
        None => format!("{} is gone", seen.object.key),
        Some(drift) => {
            let differences = drift.differences.iter();
            let paths: Vec<&str> = differences.take(NAMED).map(|d| d.path.as_str()).collect();
            format!("{} differs at {}", seen.object.key, paths.join(", "))
        }
    })
}

/// The same with what was and what is, and who wrote it.
pub(super) fn account<'d>(drift: impl ExactSizeIterator<Item = &'d ObjectDrift>) -> String {
    listed(drift, |seen| match (&seen.drift, &seen.live) {
        (Some(drift), Some(live)) => {
            let differences = drift.differences.iter().take(NAMED);
            let changes: Vec<String> = differences.map(|d| change(d, live)).collect();
            format!("{}: {}", seen.object.key, changes.join(", "))
        }
        _ => format!("{} was deleted", seen.object.key),
    })
}

/// What happens where an object is fought over.
pub(super) const SLOWED_DOWN: &str = "somebody undoes every repair, so repairs are slowed down";

/// Who changes what back, again and again.
pub(super) fn fights(fought_over: &[FoughtOver]) -> String {
    let each = listed(fought_over.iter(), |fight| {
        let seen = &fight.seen;
        format!(
            "{}; put back {} times, next in {} s",
            account(std::iter::once(seen)),
            fight.repairs,
            fight.left_alone_for.as_secs()
        )
    });
    format!("{SLOWED_DOWN}: {each}")
}

fn listed<T>(items: impl ExactSizeIterator<Item = T>, name: impl Fn(T) -> String) -> String {
    let more = items.len().saturating_sub(NAMED);
    let named: Vec<String> = items.take(NAMED).map(name).collect();
    match more {
        0 => named.join("; "),
        more => format!("{}; and {more} more", named.join("; ")),
    }
}

fn change(difference: &Difference, live: &Value) -> String {
    let Difference {
        path,
        wanted,
        found,
        ..
    } = difference;
    let by = writer(live, path, FIELD_MANAGER);
    let by = by.map_or_else(String::new, |writer| format!(" by {}", writer.manager));
    if is_named_as_secret(path) {
        return format!("{path} was changed{by}");
    }
    match (wanted, found) {
        (Some(wanted), None) => format!("{path} {} was removed{by}", shown(wanted)),
        (None, Some(found)) => format!("{path} {} was added{by}", shown(found)),
        (wanted, found) => {
            let text = |value: &Option<Value>| value.as_ref().map(shown).unwrap_or_default();
            format!("{path} {} became {}{by}", text(wanted), text(found))
        }
    }
}

/// A value, as far as a person needs it to recognise it. What has parts may hold a secret in one.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(fields) => format!("an object with {} fields", fields.len()),
        Value::String(text) if text.chars().count() > SHOWN || text.contains('\n') => {
            let start: String = text
                .chars()
                .take_while(|c| *c != '\n')
                .take(SHOWN)
                .collect();
            format!("\"{start}…\" ({} bytes)", text.len())
        }
        value => value.to_string(),
    }
}

/// Whether a field is likely to hold a secret: by its name, or as a container's environment.
fn is_named_as_secret(path: &str) -> bool {
    const WORDS: [&str; 7] = [
        "password",
        "passwd",
        "secret",
        "token",
        "credential",
        "apikey",
        "privatekey",
    ];
    let last = path.rsplit('/').next().unwrap_or_default().to_lowercase();
    let plain: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    WORDS.iter().any(|word| plain.contains(word))
        || (path.contains("/env/") && path.ends_with("/value"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(path: &str, wanted: Option<Value>, found: Option<Value>) -> String {
        let difference = Difference {
            path: path.to_owned(),
            wanted,
            found,
            certain: true,
        };
        let live = json!({
            "metadata": {"managedFields": [{"manager": "kubectl-edit", "time": "t", "fieldsV1": {
                "f:spec": {"f:replicas": {}, "f:paused": {}}}}]},
            "spec": {"replicas": 3, "paused": true},
        });
        change(&difference, &live)
    }

    #[test]
    fn a_change_is_told_with_its_writer() {
        assert_eq!(
            told("/spec/replicas", Some(json!(1)), Some(json!(3))),
            "/spec/replicas 1 became 3 by kubectl-edit"
        );
        assert_eq!(
            told("/spec/paused", None, Some(json!(true))),
            "/spec/paused true was added by kubectl-edit"
        );
        assert_eq!(
            told("/spec/ports", Some(json!([1, 2])), None),
            "/spec/ports a list of 2 was removed by kubectl-edit"
        );
    }

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for path in [
            "/data/admin-password",
            "/data/API_KEY",
            "/spec/clientSecret",
            "/spec/template/spec/containers/0/env/3/value",
        ] {
            let told = told(path, Some(json!("hunter2")), Some(json!("hunter3")));
            assert!(!told.contains("hunter"), "{told}");
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let told = told("/data/a", Some(json!("x".repeat(100))), Some(json!("a\nb")));
        let start = "x".repeat(60);
        let wanted = format!("/data/a \"{start}…\" (100 bytes) became \"a…\" (3 bytes)");
        assert!(told.starts_with(&wanted), "{told}");
    }
}
