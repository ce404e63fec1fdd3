//! The health room against kstatus and Helm's own readers: `tests/health/expected.json` holds what they say
//! about the objects beside it, written by the Go program in `tests/oracle/kstatus`.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use pintle::health::{Health, Status, awaited, completed, of};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Expectation {
    health: Verdict,
    completed: Verdict,
}

#[derive(Debug, Deserialize)]
struct Verdict {
    status: String,
    reason: String,
    message: String,
}

impl Verdict {
    /// Where kstatus only has an error, the words are ours.
    fn matches(&self, health: &Health) -> bool {
        let words = self.reason == health.reason && self.message == health.message;
        self.status == health.status.as_str() && (words || health.status == Status::Unknown)
    }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

#[test]
fn every_object_is_judged_as_kstatus_judges_it() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/health");
    let expected: BTreeMap<String, Expectation> =
        serde_json::from_str(&fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    // an object without an expectation, or the other way round, is a mistake of the one who added it
    assert_eq!(
        fs::read_dir(&folder).unwrap().count(),
        expected.len() + 1,
        "run tests/oracle/kstatus"
    );
    assert!(expected.len() >= 80);
    let mut failures = Vec::new();
    for (name, expectation) in &expected {
        let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let object: Value = serde_json::from_str(&text).unwrap();
        for (verdict, health) in [
            (&expectation.health, of(&object, now())),
            (&expectation.completed, completed(&object)),
        ] {
            if !verdict.matches(&health) {
                failures.push(format!(
                    "{name}\n  theirs: {verdict:?}\n  ours:   {health:?}"
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} differ:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn the_scheduler_gets_fifteen_seconds() {
    let pod = |created: &str| {
        json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "creationTimestamp": created},
            "status": {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}],
            },
        })
    };
    assert_eq!(
        of(&pod("2025-12-31T23:59:46Z"), now()).status,
        Status::InProgress
    );
    assert_eq!(
        of(&pod("2025-12-31T23:59:45Z"), now()).status,
        Status::Failed
    );
}

#[test]
fn nobody_waits_for_a_paused_deployment() {
    let deployment = |paused: bool| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"paused": paused}});
    assert!(!awaited(&deployment(true)));
    assert!(awaited(&deployment(false)));
    assert!(awaited(
        &json!({"apiVersion": "v1", "kind": "Pod", "spec": {"paused": true}})
    ));
}

#[test]
fn what_is_no_object_is_unknown_or_current_but_never_a_panic() {
    for odd in [
        json!(null),
        json!([]),
        json!("text"),
        json!({}),
        json!({"metadata": 1, "status": []}),
    ] {
        let status = of(&odd, now()).status;
        assert!(matches!(status, Status::Unknown | Status::Current), "{odd}");
        assert_eq!(completed(&odd).status, Status::Current);
    }
}
