//! What an action asks of the API server, counted in its audit log. On a stage of its own, whose
//! log holds nobody else's requests.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::stage::{Stage, chart_folder};
use crate::testbed::Request;

/// How many objects the chart `twenty` has.
const OBJECTS: usize = 20;

/// After a release is Ready: Events and what else is not waited for.
const SETTLE: Duration = Duration::from_secs(2);

#[test]
fn an_upgrade_writes_what_changed_and_reads_no_more_than_there_is() -> Result<()> {
    let (stage, _turn) = Stage::counted()?;
    stage.publish(&chart_folder("twenty"), "1.0.0")?;
    let space = stage.namespace("traffic")?;
    space.apply(&space.release("many", "name: twenty"))?;
    space.ready("many")?;
    assert_eq!(
        space
            .helm(&["get", "manifest", "many"])?
            .matches("\nkind: ")
            .count(),
        OBJECTS
    );
    std::thread::sleep(SETTLE);

    let before = stage.testbed.requests_by("pintle/")?.len();
    space.apply(&space.release("many", "name: twenty\nvalues: {word: again}"))?;
    space.until("cm/many-changing", |map| map["data"]["word"] == "again")?;
    space.ready("many")?;
    std::thread::sleep(SETTLE);
    let requests = stage.testbed.requests_by("pintle/")?.split_off(before);

    let mut asked: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for request in &requests {
        let said = format!("{} {}", request.verb, request.uri);
        asked.entry(purpose(request)).or_default().push(said);
    }
    let count = |purpose| asked.get(purpose).map_or(0, Vec::len);
    assert_eq!(count("object written"), 1, "{asked:#?}");
    // What changes is tried before anything is: one dry run for each object that is written.
    assert_eq!(count("object tried"), 1, "{asked:#?}");
    // The new revision as pending, then as deployed, and the old one as superseded.
    assert_eq!(count("record written"), 3, "{asked:#?}");
    assert!(count("status written") <= 2, "{asked:#?}");
    let reads = count("object read") + count("record read");
    assert!(reads <= OBJECTS, "{asked:#?}");
    assert_eq!(count("another write"), 0, "{asked:#?}");
    // A chart is told what the cluster can do now; what has not changed is not sent again.
    let unchanged = requests.iter().filter(|request| request.status == 304);
    assert_eq!(
        (count("cluster asked"), unchanged.count()),
        (3, 2),
        "{asked:#?}"
    );
    space.kubectl(&["delete", "hr/many", "--timeout=60s"])?;
    Ok(())
}

fn purpose(request: &Request) -> &'static str {
    let uri = request.uri.split('?').next().unwrap_or_default();
    let is_record = uri.ends_with("/secrets") || uri.contains("/secrets/sh.helm.release.");
    match request.verb.as_str() {
        "watch" => "watch",
        "get" if matches!(uri, "/version" | "/api" | "/apis") => "cluster asked",
        "get" | "list" if is_record => "record read",
        "get" | "list" => "object read",
        _ if uri.contains("/events") => "event",
        _ if uri.ends_with("/status") => "status written",
        _ if is_record => "record written",
        "patch" if request.uri.contains("dryRun=All") => "object tried",
        "patch" if uri.ends_with("/configmaps/many-changing") => "object written",
        _ => "another write",
    }
}

/// A watch, or the safety net's list of metadata: all that a release at rest may ask for.
fn is_of_rest(request: &Request) -> bool {
    request.verb == "watch" || (request.verb == "list" && request.uri.contains("limit=500"))
}

#[test]
fn a_release_at_rest_is_listed_by_kind_and_read_by_nobody() -> Result<()> {
    let (stage, _turn) = Stage::counted()?;
    let space = stage.namespace("drift-rest")?;
    space.apply(&space.release("rest", "name: ten\ninterval: 5s"))?;
    space.ready("rest")?;
    std::thread::sleep(SETTLE);
    let before = stage.testbed.requests_by("pintle/")?.len();
    std::thread::sleep(Duration::from_secs(12));
    let requests = stage.testbed.requests_by("pintle/")?.split_off(before);
    let others: Vec<_> = requests.iter().filter(|r| !is_of_rest(r)).collect();
    assert!(others.is_empty(), "{others:#?}");
    let listed = |plural: &str| {
        let path = format!("/{plural}?");
        requests
            .iter()
            .any(|request| request.verb == "list" && request.uri.contains(&path))
    };
    assert!(
        listed("configmaps") && listed("deployments"),
        "{requests:#?}"
    );
    space.kubectl(&["delete", "hr/rest", "--timeout=60s"])?;
    Ok(())
}
