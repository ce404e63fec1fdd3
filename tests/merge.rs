//! The merge room against apimachinery itself: `tests/merge/cases.jsonl` holds triples with the patches and
//! results that Go computed. `PINTLE_MERGE_TRIPLES=100000 cargo test --test merge` runs as many new ones
//! through the Go program in `tests/oracle/strategicmerge` (`PINTLE_MERGE_SEED` picks others).
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use pintle::merge::{Drift, Kind, Patch, Strategy, apply, drift, three_way};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Case {
    seed: u64,
    index: u64,
    original: Value,
    modified: Value,
    live: Value,
    other: Value,
    strategy: String,
    patch: Answer,
    patched: Option<Answer>,
    moved: Option<Answer>,
    drifts: Option<bool>,
}

#[derive(Deserialize)]
struct Answer {
    body: Option<Value>,
    error: Option<String>,
}

/// Numbers are compared by value: Go writes 1.0 as 1.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

fn agree(what: &str, ours: Result<Value, String>, theirs: &Answer) -> Result<(), String> {
    match (&ours, &theirs.body, &theirs.error) {
        (Ok(ours), Some(theirs), None) if same(ours, theirs) => Ok(()),
        (Err(_), None, Some(_)) => Ok(()),
        _ => Err(format!(
            "{what}\n  ours:   {ours:?}\n  theirs: {:?} {:?}",
            theirs.body.as_ref().map(Value::to_string),
            theirs.error
        )),
    }
}

fn described<T>(result: Result<T, pintle::merge::Error>) -> Result<T, String> {
    result.map_err(|error| format!("{error}: {:?}", error.fault()))
}

fn check(case: &Case) -> Result<(), String> {
    let kind = Kind::of(&case.modified);
    let strategy = if case.strategy == "strategic" {
        Strategy::Strategic
    } else {
        Strategy::JsonMerge
    };
    if kind.strategy() != strategy {
        return Err("another strategy".to_owned());
    }
    let ours = described(three_way(
        kind,
        Some(&case.original),
        &case.modified,
        &case.live,
    ));
    let apply_to = |live: &Value, body: &Value| {
        described(apply(
            kind,
            live,
            &Patch {
                strategy,
                body: body.clone(),
            },
        ))
    };
    match (&ours, &case.patched, &case.patch.body) {
        // nothing to send: then Go's patch changes nothing
        (Ok(None), Some(patched), _) => agree("nothing", Ok(case.live.clone()), patched)?,
        (Ok(Some(patch)), _, _) => agree("the patch", Ok(patch.body.clone()), &case.patch)?,
        // ours asks right away what the patch does, and meets the error that Go meets later
        (Err(_), Some(patched), Some(_)) if patched.error.is_some() => {}
        _ => agree("the patch", ours.clone().map(|_| Value::Null), &case.patch)?,
    }
    if let (Some(body), Some(patched), Some(moved)) = (&case.patch.body, &case.patched, &case.moved)
    {
        agree("the patched object", apply_to(&case.live, body), patched)?;
        agree(
            "another object, patched",
            apply_to(&case.other, body),
            moved,
        )?;
    }
    Ok(())
}

/// What an API server never shows: `stringData`, and fields that are null.
fn as_shown(mut object: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, field| !field.is_null());
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut object);
    object.as_object_mut().unwrap().remove("stringData");
    object
}

/// Laws that hold whatever Go says: an object does not drift from itself, and once a repair comes to rest
/// (upstream's does not where a list holds a merge key twice), nothing drifts any more.
fn check_laws(case: &Case) -> Result<(), String> {
    let kind = Kind::of(&case.modified);
    let (applied, live) = (as_shown(case.modified.clone()), as_shown(case.live.clone()));
    if live.to_string().contains("$patch") {
        return Ok(());
    }
    if let Ok(Some(found)) = drift(kind, &live, &live) {
        return Err(format!("an object drifts from itself: {found:?}"));
    }
    if let Some(theirs) = case.drifts {
        agree_on_drift(theirs, described(drift(kind, &applied, &live))?)?;
    }
    if let Ok(Some(patch)) = three_way(kind, Some(&applied), &applied, &live) {
        let repaired = described(apply(kind, &live, &patch))?;
        let rests = matches!(
            three_way(kind, Some(&applied), &applied, &repaired),
            Ok(None)
        );
        if let (true, Ok(Some(found))) = (rests, drift(kind, &applied, &repaired)) {
            return Err(format!("a repaired object drifts: {found:?}"));
        }
    }
    Ok(())
}

/// Go compares what it decoded, so fields that the API does not have are gone.
fn agree_on_drift(theirs: bool, ours: Option<Drift>) -> Result<(), String> {
    match ours {
        Some(ours) if !theirs && ours.is_certain() => Err(format!("no drift: {ours:?}")),
        None if theirs => Err("a drift is missed".to_owned()),
        _ => Ok(()),
    }
}

fn check_all(lines: impl Iterator<Item = String>) -> (usize, Vec<String>) {
    let mut count = 0;
    let mut failures = Vec::new();
    for line in lines {
        let case: Case = serde_json::from_str(&line).expect("the oracle writes cases");
        count += 1;
        if let Err(difference) = check(&case).and_then(|()| check_laws(&case)) {
            failures.push(format!(
                "seed {} index {}: {difference}",
                case.seed, case.index
            ));
        }
    }
    (count, failures)
}

#[test]
fn selected_triples_merge_as_in_go() {
    let lines = include_str!("merge/cases.jsonl").lines().map(str::to_owned);
    let (count, failures) = check_all(lines);
    assert!(count > 200, "only {count} cases");
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn new_triples_merge_as_in_go() {
    let Ok(wanted) = std::env::var("PINTLE_MERGE_TRIPLES") else {
        return;
    };
    let seed = std::env::var("PINTLE_MERGE_SEED").unwrap_or_else(|_| "2".to_owned());
    let mut oracle = Command::new("go")
        .args(["run", ".", "triples", &seed, &wanted])
        .current_dir(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/oracle/strategicmerge"
        ))
        .stdout(Stdio::piped())
        .spawn()
        .expect("PINTLE_MERGE_TRIPLES needs Go");
    let lines = BufReader::new(oracle.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let (count, failures) = check_all(lines);
    assert!(oracle.wait().unwrap().success());
    assert_eq!(count.to_string(), wanted);
    println!(
        "{count} triples compared with Go, {} differ",
        failures.len()
    );
    let shown = failures
        .iter()
        .take(10)
        .cloned()
        .collect::<Vec<_>>()
        .join("\n");
    assert!(
        failures.is_empty(),
        "{} of {count} differ:\n{shown}",
        failures.len()
    );
}

#[test]
fn the_table_is_what_go_writes() {
    if std::env::var("PINTLE_MERGE_TRIPLES").is_err() {
        return;
    }
    let written = Command::new("go")
        .args(["run", ".", "schema"])
        .current_dir(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/oracle/strategicmerge"
        ))
        .output()
        .expect("PINTLE_MERGE_TRIPLES needs Go");
    assert!(written.status.success());
    assert_eq!(
        String::from_utf8(written.stdout).unwrap(),
        include_str!("../src/merge/schema.json")
    );
}

fn deployment(replicas: Value, containers: Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": containers}}},
    })
}

fn container(name: &str, image: &str) -> Value {
    json!({"name": name, "image": image})
}

#[test]
fn what_others_own_survives_and_what_was_dropped_goes() {
    let mut previous = deployment(
        Value::Null,
        json!([container("web", "web:1"), container("old", "old:1")]),
    );
    previous["spec"].as_object_mut().unwrap().remove("replicas");
    let mut target = previous.clone();
    target["spec"]["template"]["spec"]["containers"] = json!([container("web", "web:2")]);
    let live = deployment(
        json!(7),
        json!([
            container("web", "web:1"),
            container("old", "old:1"),
            container("injected", "proxy:1")
        ]),
    );
    let kind = Kind::of(&target);
    let patch = three_way(kind, Some(&previous), &target, &live)
        .unwrap()
        .unwrap();
    let patched = apply(kind, &live, &patch).unwrap();
    assert_eq!(patched["spec"]["replicas"], 7);
    assert_eq!(
        patched["spec"]["template"]["spec"]["containers"],
        json!([container("web", "web:2"), container("injected", "proxy:1")])
    );
    assert_eq!(
        three_way(kind, Some(&target), &target, &patched).unwrap(),
        None
    );
}

#[test]
fn without_a_previous_object_the_live_one_is_the_base() {
    let live = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1", "b": "2"}});
    let target = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a": "1"}});
    let kind = Kind::of(&target);
    let patch = three_way(kind, None, &target, &live).unwrap().unwrap();
    assert_eq!(patch.body, json!({"data": {"b": null}}));
}

#[test]
fn drift_names_the_field_and_both_values() {
    let applied = deployment(json!(2), json!([container("web", "web:1")]));
    let live = deployment(
        json!(3),
        json!([
            container("web", "web:evil"),
            container("injected", "proxy:1")
        ]),
    );
    let found = drift(Kind::of(&applied), &applied, &live).unwrap().unwrap();
    assert!(found.is_certain());
    let named: Vec<_> = found
        .differences
        .iter()
        .map(|d| (d.path.as_str(), d.wanted.clone(), d.found.clone()))
        .collect();
    assert_eq!(
        named,
        [
            ("/spec/replicas", Some(json!(2)), Some(json!(3))),
            (
                "/spec/template/spec/containers/0/image",
                Some(json!("web:1")),
                Some(json!("web:evil"))
            ),
        ]
    );
}

#[test]
fn what_the_server_writes_in_its_own_way_is_no_drift() {
    let applied = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "annotations": null, "labels": {}},
        "spec": {"template": {
            "metadata": {"creationTimestamp": null},
            "spec": {
                "hostNetwork": false, "nodeSelector": {}, "tolerations": [], "nodeName": "", "priority": null,
                "containers": [{
                    "name": "web", "env": [{"name": "EMPTY", "value": ""}],
                    "resources": {"limits": {"cpu": "1000m", "memory": "1024Mi"}, "requests": {"cpu": 0.5}},
                }],
            },
        }},
    });
    let live = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "uid": "1"},
        "spec": {"replicas": 1, "template": {
            "metadata": {},
            "spec": {
                "priority": 0, "restartPolicy": "Always",
                "containers": [{
                    "name": "web", "env": [{"name": "EMPTY"}], "imagePullPolicy": "Always",
                    "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
                }],
            },
        }},
    });
    assert_eq!(drift(Kind::of(&applied), &applied, &live).unwrap(), None);
}

#[test]
fn defaults_inside_lists_that_do_not_merge_are_uncertain() {
    let policy = |ports: Value| {
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"},
            "spec": {"podSelector": {}, "ingress": [{"ports": ports}]},
        })
    };
    let applied = policy(json!([{"port": 80}]));
    let kind = Kind::of(&applied);
    let defaulted = drift(
        kind,
        &applied,
        &policy(json!([{"port": 80, "protocol": "TCP"}])),
    )
    .unwrap()
    .unwrap();
    assert!(!defaulted.is_certain());
    let edited = drift(
        kind,
        &applied,
        &policy(json!([{"port": 81, "protocol": "TCP"}])),
    )
    .unwrap()
    .unwrap();
    assert!(edited.is_certain());
}

#[test]
fn defaults_beside_keys_that_are_retained_are_uncertain() {
    let deployment = |strategy: Value| {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"strategy": strategy},
        })
    };
    let applied = deployment(json!({"type": "RollingUpdate"}));
    let found = |live: Value| drift(Kind::of(&applied), &applied, &live).unwrap().unwrap();
    let default = json!({"maxSurge": "25%", "maxUnavailable": "25%"});
    let defaulted = deployment(json!({"type": "RollingUpdate", "rollingUpdate": default}));
    assert!(!found(defaulted).is_certain());
    assert!(found(deployment(json!({"type": "Recreate"}))).is_certain());
}

#[test]
fn a_secret_that_holds_its_texts_already_is_not_written() {
    let target = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
        "stringData": {"password": "hunter2"},
    });
    let mut live = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
        "data": {"password": "aHVudGVyMg=="}, "type": "Opaque",
    });
    let kind = Kind::of(&target);
    assert!(
        three_way(kind, Some(&target), &target, &live)
            .unwrap()
            .is_none()
    );
    live["data"]["password"] = json!("b3RoZXI=");
    let patch = three_way(kind, Some(&target), &target, &live)
        .unwrap()
        .unwrap();
    assert_eq!(patch.body, json!({"stringData": {"password": "hunter2"}}));
}

#[test]
fn a_secret_drifts_without_showing_its_values() {
    let applied = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "labels": {"a": "b"}},
        "data": {"user": "YQ=="}, "stringData": {"password": "hunter2"},
    });
    let mut live = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "labels": {"a": "b"}},
        "data": {"user": "YQ==", "password": "aHVudGVyMg=="}, "type": "Opaque",
    });
    let kind = Kind::of(&applied);
    assert_eq!(drift(kind, &applied, &live).unwrap(), None);
    live["data"]["password"] = json!("b3RoZXI=");
    live["metadata"]["labels"]["a"] = json!("c");
    let found = drift(kind, &applied, &live).unwrap().unwrap();
    let text = format!("{found:?}");
    assert_eq!(
        found
            .differences
            .iter()
            .map(|d| d.path.as_str())
            .collect::<Vec<_>>(),
        ["/data/password", "/metadata/labels/a"]
    );
    for secret in ["hunter2", "aHVudGVyMg==", "b3RoZXI="] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(found.differences[1].found, Some(json!("c")));
}

#[test]
fn errors_name_the_object_and_no_value() {
    let object = |value: Value| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "shop"}, "spec": value});
    let target = object(json!({"containers": [{"image": "secret"}]}));
    let live = object(json!({"containers": [{"name": "a"}]}));
    let error = three_way(Kind::of(&target), None, &target, &live).unwrap_err();
    assert_eq!(error.to_string(), "computing the patch of Pod shop/p");
    assert_eq!(
        error.fault().to_string(),
        "an element of the list \"containers\" has no \"name\""
    );
    assert!(three_way(Kind::of(&target), None, &json!([]), &live).is_err());
    assert!(drift(Kind::of(&target), &json!("text"), &json!(null)).is_err());
}

#[test]
fn custom_resources_keep_their_integers_exactly() {
    let object = |size: u64| json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"size": size}});
    let (target, live) = (object(9_007_199_254_740_993), object(9_007_199_254_740_992));
    let patch = three_way(Kind::of(&target), None, &target, &live)
        .unwrap()
        .unwrap();
    assert_eq!(
        patch.body,
        json!({"spec": {"size": 9_007_199_254_740_993u64}})
    );
}
