//! Release records against Helm's own: those that Helm 4 and Helm 3 stored, and those that Helm 4
//! read out of ours (`tests/oracle/release`).

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use pintle::manifest::{self, HookEvent, Order};
use pintle::release::{self, Header, History, Record, Status};
use serde::Deserialize;
use serde_json::{Value, json};

fn oracle(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/oracle/release")
        .join(name)
}

/// A Secret as Helm stored it, and the JSON that Helm had put into it.
#[derive(Deserialize)]
struct Stored {
    secret: String,
    #[serde(rename = "type")]
    secret_type: String,
    labels: BTreeMap<String, String>,
    data: String,
    json: String,
}

fn stored(name: &str) -> Stored {
    serde_json::from_slice(&fs::read(oracle(&format!("records/{name}.json"))).unwrap()).unwrap()
}

fn json_of(record: &Record) -> Value {
    let encoded = release::encode(record).unwrap();
    // What is encoded is what is written: read it back without the record's own rules.
    let gzip = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&gzip[..]), &mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn helm_4_records_are_read_and_written_as_helm_4_does() {
    for name in ["helm4-full", "helm4-bare", "helm4-empty-chart"] {
        let stored = stored(name);
        let mut record = release::decode(stored.data.as_bytes()).unwrap();
        let wanted: Value = serde_json::from_str(&stored.json).unwrap();
        assert_eq!(json_of(&record), wanted, "{name}");

        let header = Header::from_labels(&stored.labels).unwrap();
        record.labels = header.labels;
        assert_eq!(
            release::secret_name(&record.name, record.version),
            stored.secret
        );
        assert_eq!(release::SECRET_TYPE, stored.secret_type);
        let mut labels = release::labels(&record, true, 0);
        assert_eq!(labels.remove("createdAt").as_deref(), Some("0"));
        assert_eq!(labels, stored.labels, "{name}");
    }
}

#[test]
fn a_record_has_its_fields() {
    let record = release::decode(stored("helm4-full").data.as_bytes()).unwrap();
    assert_eq!(record.chart_name_and_version(), ("web", "1.2.3"));
    assert_eq!(record.app_version(), "4.5");
    assert_eq!(record.info.status, Status::Deployed);
    assert_eq!(
        record.info.first_deployed,
        "2024-02-29T23:59:58.123456789+02:00"
    );
    assert_eq!(record.info.rollback_revision, 3);
    assert_eq!(record.apply_method, "ssa");
    assert_eq!(
        record.hooks[0].events,
        [HookEvent::PreInstall, HookEvent::Test]
    );
    assert_eq!(record.hooks[0].last_run.phase, "Succeeded");
    assert!(record.hooks[1].is_deleted("before-hook-creation"));
    // Go reads every number of JSON as a float.
    assert!(record.config["i"].is_f64());
}

#[test]
fn helm_3_records_are_read() {
    let stored = stored("helm3-full");
    let record = release::decode(stored.data.as_bytes()).unwrap();
    assert_eq!(record.info.status, Status::Superseded);
    assert_eq!(record.info.deleted, "");
    // Helm 4 leaves out the empty times that Helm 3 wrote.
    let mut wanted: Value = serde_json::from_str(&stored.json).unwrap();
    wanted["info"].as_object_mut().unwrap().remove("deleted");
    for time in ["started_at", "completed_at"] {
        wanted["hooks"][0]["last_run"]
            .as_object_mut()
            .unwrap()
            .remove(time);
    }
    assert_eq!(json_of(&record), wanted);
}

#[test]
fn the_json_is_written_as_go_writes_it() {
    let stored = stored("helm4-full");
    let record = release::decode(stored.data.as_bytes()).unwrap();
    let encoded = release::encode(&record).unwrap();
    let gzip = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, encoded).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&gzip[..]), &mut text).unwrap();
    // The chart is a tree here, whose keys are sorted; everything else keeps Helm's order.
    let cut = |text: &str| {
        let (before, after) = text.split_once(",\"chart\":").unwrap();
        format!("{before}{}", &after[after.find(",\"config\":").unwrap()..])
    };
    assert_eq!(cut(&text), cut(&stored.json));
}

#[test]
fn what_is_unknown_outlives_an_update() {
    let record = json!({
        "name": "r", "version": 1, "later": {"a": [1]},
        "info": {"status": "deployed", "resources": {"v1/Pod": []}},
        "hooks": [{"name": "h", "last_run": {"phase": ""}, "newer": true}],
    });
    let plain = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        record.to_string(),
    );
    assert_eq!(json_of(&release::decode(plain.as_bytes()).unwrap()), record);
}

#[test]
fn broken_records_are_errors() {
    let base64 =
        |bytes: &[u8]| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    for bytes in [
        "",
        "%%%",
        "e30=x",
        &base64(b"[]"),
        &base64(b"\x1f\x8b\x08broken"),
        &base64(b"\x1f\x8b\x08"),
    ] {
        assert!(release::decode(bytes.as_bytes()).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_record_that_expands_without_end_is_refused() {
    let zeros = vec![b' '; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for _ in 0..=(release::MAX_RECORD >> 20) {
        std::io::Write::write_all(&mut gzip, &zeros).unwrap();
    }
    let bytes = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        gzip.finish().unwrap(),
    );
    assert!(matches!(
        release::decode(bytes.as_bytes()),
        Err(release::Error::TooLarge { .. })
    ));
}

/// Our records, as Helm 4 understood them. `cargo test --test release -- --ignored` writes them
/// anew; then `go run . read ours/full.b64 > ours/full.json` in tests/oracle/release.
#[test]
fn helm_reads_our_records() {
    let ours = fs::read(oracle("ours/full.b64")).unwrap();
    let wanted: Value =
        serde_json::from_slice(&fs::read(oracle("ours/full.json")).unwrap()).unwrap();
    assert_eq!(json_of(&release::decode(&ours).unwrap()), wanted);
    assert_eq!(json_of(&our_record()), wanted);
}

#[test]
#[ignore = "writes the records that Helm is to read"]
fn write_our_records() {
    fs::create_dir_all(oracle("ours")).unwrap();
    fs::write(
        oracle("ours/full.b64"),
        release::encode(&our_record()).unwrap(),
    )
    .unwrap();
}

fn our_record() -> Record {
    let files = [
        (
            "Chart.yaml",
            "apiVersion: v2\nname: web\nversion: 1.0.0\nannotations: {a: b}\nmaintainers: [{name: N}]\ndependencies: [{name: d, version: 1.x, repository: '', tags: [t]}]\n",
        ),
        (
            "Chart.lock",
            "generated: 2024-01-02T03:04:05Z\ndigest: sha256:0\ndependencies: [{name: d, version: 1.0.0, repository: ''}]\n",
        ),
        ("values.yaml", "replicas: 3\nratio: 0.5\nname: <x>\n"),
        ("values.schema.json", "{}"),
        ("templates/a.yaml", "kind: A\n"),
        ("README.md", "hello"),
    ];
    let files = files.map(|(name, data)| pintle::chart::File {
        name: name.to_owned(),
        data: data.as_bytes().into(),
        modified: None,
    });
    let chart = pintle::chart::Chart::from_files(files.to_vec()).unwrap();
    let rendered = BTreeMap::from([(
        "web/templates/h.yaml".to_owned(),
        b"kind: Job\nmetadata: {name: h, annotations: {helm.sh/hook: pre-install, helm.sh/hook-weight: '3'}}\n".to_vec(),
    )]);
    let mut record = Record {
        name: "web".to_owned(),
        chart: serde_json::to_value(&chart).unwrap(),
        manifest: "---\n# Source: web/templates/a.yaml\nkind: A\n".to_owned(),
        hooks: manifest::sort(&rendered, &mut Vec::new()).unwrap().hooks,
        version: 3,
        namespace: "apps".to_owned(),
        apply_method: "csa".to_owned(),
        ..Record::default()
    };
    record.config.insert("replicas".to_owned(), json!(4.0));
    record.config.insert("big".to_owned(), json!(1e21));
    record.info.first_deployed = "2024-01-02T03:04:05.678901234Z".to_owned();
    record.info.last_deployed = "2024-01-02T03:04:06Z".to_owned();
    record.info.notes = "notes & <more>".to_owned();
    record.hooks[0].last_run.started_at = "2024-01-02T03:04:05Z".to_owned();
    record.hooks[0].last_run.phase = "Running".to_owned();
    record.set_status(Status::PendingUpgrade, "Preparing upgrade");
    record
}

fn history(revisions: &[(i64, Status)]) -> History {
    let header = |(version, status): &(i64, Status)| Header {
        name: "r".to_owned(),
        version: *version,
        status: *status,
        labels: BTreeMap::new(),
    };
    History::new(revisions.iter().map(header).collect())
}

#[test]
fn a_history_knows_what_is_deployed_and_what_may_go() {
    use Status::{Deployed, Failed, PendingUpgrade, Superseded, Uninstalled};
    let versions = |found: Option<&Header>| found.map(|header| header.version);

    let empty = history(&[]);
    assert_eq!((empty.next_version(), versions(empty.last())), (1, None));
    assert_eq!(empty.surplus(1), Vec::<i64>::new());

    let mixed = history(&[
        (5, Failed),
        (1, Superseded),
        (4, Failed),
        (2, Deployed),
        (3, Failed),
    ]);
    assert_eq!(versions(mixed.last()), Some(5));
    assert_eq!(versions(mixed.deployed()), Some(2));
    assert_eq!(versions(mixed.current()), Some(2));
    assert_eq!(mixed.next_version(), 6);
    assert_eq!(mixed.surplus(0), Vec::<i64>::new());
    assert_eq!(mixed.surplus(6), Vec::<i64>::new());
    assert_eq!(mixed.surplus(5), [1]);
    assert_eq!(mixed.surplus(3), [1, 3, 4]);
    // The deployed one is kept above the limit.
    assert_eq!(mixed.surplus(1), [1, 3, 4, 5]);

    let two = history(&[(1, Deployed), (2, Deployed), (3, PendingUpgrade)]);
    assert_eq!(versions(two.deployed()), Some(2));
    assert_eq!(
        two.superseded_by(3)
            .map(|header| header.version)
            .collect::<Vec<_>>(),
        [1, 2]
    );

    assert_eq!(versions(history(&[(1, Failed)]).current()), Some(1));
    assert_eq!(versions(history(&[(1, Uninstalled)]).current()), None);
    assert!(PendingUpgrade.is_pending() && !Failed.is_pending());
}

#[test]
fn times_are_written_as_go_writes_them() {
    for time in [
        "2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05.1Z",
        "2024-01-02T03:04:05.000000001Z",
    ] {
        assert_eq!(release::time(time.parse().unwrap()), time);
    }
}

/// One case of `manifests.json`: rendered files, and what Helm made of them.
#[derive(Deserialize)]
struct Sorting {
    name: String,
    files: BTreeMap<String, String>,
    hooks: Option<Vec<Value>>,
    manifests: Option<Vec<Value>>,
    error: String,
}

#[test]
fn rendered_files_are_split_and_ordered_as_helm_does() {
    let cases: Vec<Sorting> =
        serde_json::from_slice(&fs::read(oracle("manifests.json")).unwrap()).unwrap();
    assert!(cases.len() > 70);
    for case in cases {
        let files = case
            .files
            .into_iter()
            .map(|(path, text)| (path, text.into_bytes()))
            .collect();
        let sorted = match manifest::sort(&files, &mut Vec::new()) {
            Ok(sorted) => sorted,
            Err(error) => {
                assert_eq!(error.to_string(), case.error, "{}", case.name);
                continue;
            }
        };
        assert_eq!(case.error, "", "{}", case.name);
        let hooks: Vec<Value> = sorted
            .hooks
            .iter()
            .map(|hook| serde_json::to_value(hook).unwrap())
            .collect();
        assert_eq!(hooks, case.hooks.unwrap_or_default(), "{}", case.name);
        let manifests: Vec<Value> = sorted
            .manifests
            .iter()
            .map(|found| json!({"name": found.path, "content": found.content, "kind": found.kind, "version": found.api_version}))
            .collect();
        assert_eq!(
            manifests,
            case.manifests.unwrap_or_default(),
            "{}",
            case.name
        );
    }
}

#[test]
fn a_stored_manifest_becomes_objects() {
    let text = "---\n# Source: web/templates/a.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: 2.0, ratio: 0.5, big: 1e30}\n\
                ---\n# Source: web/templates/b.yaml\n# nothing\n\
                ---\n# Source: web/templates/c.yaml\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: s, namespace: ns}}\n\
                ---\n# Source: web/templates/d.yaml\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleList\nitems:\n- metadata: {name: r}\n";
    let mut objects = manifest::parse(text).unwrap();
    let shown: Vec<String> = objects
        .iter()
        .map(|object| {
            format!(
                "{} {} {}",
                object.source, object.key.api_version, object.key
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "web/templates/a.yaml apps/v1 Deployment a",
            "web/templates/c.yaml v1 Service ns/s",
            "web/templates/d.yaml rbac.authorization.k8s.io/v1 Role r",
        ]
    );
    assert_eq!(
        objects[0].value["spec"],
        json!({"replicas": 2, "ratio": 0.5, "big": 1e30})
    );
    assert_eq!(
        (objects[0].key.group(), objects[0].key.version()),
        ("apps", "v1")
    );
    assert_eq!(
        (objects[1].key.group(), objects[1].key.version()),
        ("", "v1")
    );
    manifest::install_order(&mut objects);
    let kinds = |objects: &[manifest::Object]| {
        objects
            .iter()
            .map(|object| object.key.kind.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds(&objects), ["Role", "Service", "Deployment"]);
    manifest::uninstall_order(&mut objects);
    assert_eq!(kinds(&objects), ["Service", "Deployment", "Role"]);
    assert_eq!(
        Order::Install.compare("Zebra", "Ant"),
        std::cmp::Ordering::Greater
    );
}

#[test]
fn objects_that_do_not_say_what_they_are_are_errors() {
    for (text, field) in [
        ("kind: A\nmetadata: {name: a}", "apiVersion"),
        ("apiVersion: v1\nmetadata: {name: a}", "kind"),
        ("apiVersion: v1\nkind: A", "metadata.name"),
        (
            "apiVersion: v1\nkind: A\nmetadata: {name: 5}",
            "metadata.name",
        ),
        ("- a", "apiVersion"),
        ("text", "apiVersion"),
    ] {
        let error = manifest::parse(text).unwrap_err().to_string();
        assert!(error.ends_with(field), "{text:?}: {error}");
    }
    assert!(manifest::parse("apiVersion: v1\nkind: A\nmetadata: {generateName: a-}").is_ok());
    assert!(manifest::parse("a: b: c").is_err());
}
