//! `.helmignore`: `ignore.json`, in which Helm says what is ignored.

use pintle::chart::ignore::Rules;
use serde_json::Value;

#[test]
fn rules_ignore_what_helm_ignores() {
    let all: Vec<Value> = serde_json::from_str(include_str!("ignore.json")).unwrap();
    assert!(!all.is_empty());
    for one in all {
        let rules = one["rules"].as_str().unwrap();
        let list = |key: &str| one[key].as_array().cloned().unwrap_or_default();
        match Rules::parse(rules.as_bytes()) {
            Err(error) => assert_eq!(
                error.to_string(),
                one["error"].as_str().unwrap_or(""),
                "{rules:?}"
            ),
            Ok(parsed) => {
                assert_eq!(one["error"], Value::Null, "{rules:?}");
                let ignored = list("paths").into_iter().filter(|path| {
                    let path = path.as_str().unwrap();
                    let name = path.trim_end_matches('/');
                    parsed.ignores(name, name != path)
                });
                assert_eq!(ignored.collect::<Vec<_>>(), list("ignored"), "{rules:?}");
            }
        }
    }
}
