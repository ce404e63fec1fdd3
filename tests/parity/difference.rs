//! What differs between two trees: the paths, in words.

use std::collections::BTreeSet;

use serde_json::Value;

/// Each difference as `/path: helm …, pintle …`.
pub(crate) fn between(helm: &Value, pintle: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", helm, pintle, &mut found);
    found
}

fn walk(path: &str, helm: &Value, pintle: &Value, found: &mut Vec<String>) {
    match (helm, pintle) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            for key in keys {
                let next = format!("{path}/{key}");
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => walk(&next, a, b, found),
                    (a, b) => found.push(said(&next, a, b)),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                walk(&format!("{path}/{index}"), a, b, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(said(path, Some(a), Some(b))),
    }
}

fn said(path: &str, helm: Option<&Value>, pintle: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    format!("{path}: helm {}, pintle {}", shown(helm), shown(pintle))
}

/// Whether a text is as a pattern with `*` says.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|after| {
            (0..=after.len())
                .filter(|at| after.is_char_boundary(*at))
                .any(|at| matches(rest, &after[at..]))
        }),
    }
}
