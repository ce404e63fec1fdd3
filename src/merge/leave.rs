//! Fields that are left to others.
//!
//! In: an object as it is wanted, the live one, JSON pointers. Out: the wanted object with these
//! fields as they are live, so that no comparison finds them and no patch writes them. Never: a
//! change of any other field.

use serde_json::Value;

/// `wanted` with the fields at these JSON pointers as they are in `live`; those that `live` lacks are
/// taken out. In lists, an index counts in `wanted`; the live element is the one of the same `name`, else
/// of the same index, and what is within an element that `live` lacks stays, as it comes back whole.
#[must_use]
pub fn leave<'p>(wanted: &Value, live: &Value, pointers: impl Iterator<Item = &'p str>) -> Value {
    let mut left = wanted.clone();
    for pointer in pointers {
        let steps: Vec<String> = pointer.split('/').skip(1).map(unescaped).collect();
        if let Some((last, parents)) = steps.split_last() {
            leave_one(&mut left, live, parents, last);
        }
    }
    left
}

fn leave_one(wanted: &mut Value, live: &Value, parents: &[String], last: &str) {
    let mut places = (wanted, live);
    for step in parents {
        let (wanted, live) = places;
        let Some(inner) = step_into(wanted, live, step) else {
            return;
        };
        places = inner;
    }
    match places {
        (Value::Object(wanted), Value::Object(live)) => match live.get(last) {
            Some(value) => drop(wanted.insert(last.to_owned(), value.clone())),
            None => drop(wanted.remove(last)),
        },
        (Value::Object(wanted), Value::Null) => drop(wanted.remove(last)),
        (wanted @ Value::Array(_), live @ Value::Array(_)) => {
            if let Some((wanted, live)) = step_into(wanted, live, last) {
                *wanted = live.clone();
            }
        }
        _ => {}
    }
}

fn step_into<'w, 'l>(
    wanted: &'w mut Value,
    live: &'l Value,
    step: &str,
) -> Option<(&'w mut Value, &'l Value)> {
    match (wanted, live) {
        (Value::Object(wanted), Value::Object(live)) => {
            let live = live.get(step).unwrap_or(&Value::Null);
            Some((wanted.get_mut(step)?, live))
        }
        (Value::Object(wanted), Value::Null) => Some((wanted.get_mut(step)?, live)),
        (Value::Array(wanted), Value::Array(live)) => {
            let index: usize = step.parse().ok()?;
            let wanted = wanted.get_mut(index)?;
            let name = wanted.get("name").filter(|name| name.is_string());
            let named = |item: &&Value| name.is_some() && item.get("name") == name;
            let live = match name {
                Some(_) => live.iter().find(named),
                None => live.get(index),
            };
            Some((wanted, live?))
        }
        _ => None,
    }
}

/// One step of a JSON pointer, as RFC 6901 writes it.
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_as_they_are_live_and_others_as_wanted() {
        let wanted = json!({"spec": {"replicas": 1, "paused": false, "image": "a"}});
        let live = json!({"spec": {"replicas": 5, "image": "b"}});
        let left = leave(
            &wanted,
            &live,
            ["/spec/replicas", "/spec/paused", "/status/x"].into_iter(),
        );
        assert_eq!(left, json!({"spec": {"replicas": 5, "image": "a"}}));
    }

    #[test]
    fn in_lists_the_name_counts() {
        let wanted = json!({"containers": [{"name": "web", "image": "a"}]});
        let live =
            json!({"containers": [{"name": "proxy", "image": "p"}, {"name": "web", "image": "b"}]});
        let left = leave(&wanted, &live, ["/containers/0/image"].into_iter());
        assert_eq!(left, json!({"containers": [{"name": "web", "image": "b"}]}));
    }

    #[test]
    fn a_field_goes_with_the_object_around_it_but_not_with_the_element() {
        let wanted = json!({"metadata": {"labels": {"a": "1"}}, "containers": [{"name": "web", "image": "a"}]});
        let live = json!({"metadata": {}, "containers": []});
        let pointers = ["/metadata/labels/a", "/containers/0/image"];
        let left = leave(&wanted, &live, pointers.into_iter());
        assert_eq!(left["metadata"], json!({"labels": {}}));
        assert_eq!(left["containers"], wanted["containers"]);
    }

    #[test]
    fn a_key_with_a_slash_is_escaped() {
        let wanted = json!({"metadata": {"labels": {"a/b": "1", "c": "2"}}});
        let live = json!({"metadata": {"labels": {"a/b": "9", "c": "9"}}});
        let left = leave(&wanted, &live, ["/metadata/labels/a~1b"].into_iter());
        assert_eq!(left["metadata"]["labels"], json!({"a/b": "9", "c": "2"}));
    }
}
