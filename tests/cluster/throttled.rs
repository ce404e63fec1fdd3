//! An API server that has too much to do answers 429. It is given time, and nothing is concluded from
//! it. On a stage of its own, whose controller is somebody whom the API server may turn away.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Result, anyhow};
use serde_json::{Value, json};

use crate::stage::{Space, Stage, condition, until_so};

const PATIENT: &str = "patient@example.com";

const RIGHTS: &str = "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: patient}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: patient@example.com}]
";

/// Requests of the controller that have one place together. The API server lets one in even where there
/// is none; a Service that is asked about at an address that never answers takes it for half a minute.
struct Throttle<'s> {
    space: &'s Space,
    over: Arc<AtomicBool>,
    taker: JoinHandle<()>,
    _silent: TcpListener,
}

impl<'s> Throttle<'s> {
    fn of(space: &'s Space, verb: &str, resource: &str) -> Result<Self> {
        let silent = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("https://{}/", silent.local_addr()?);
        let rule = json!({
            "verbs": [verb], "apiGroups": ["*"], "resources": [resource], "namespaces": ["*"], "clusterScope": true,
        });
        let subject = json!({"kind": "User", "user": {"name": PATIENT}});
        let objects = [
            json!({
                "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
                "kind": "PriorityLevelConfiguration",
                "metadata": {"name": "narrow"},
                "spec": {"type": "Limited", "limited": {
                    "nominalConcurrencyShares": 0, "borrowingLimitPercent": 0, "limitResponse": {"type": "Reject"},
                }},
            }),
            json!({
                "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
                "kind": "FlowSchema",
                "metadata": {"name": "narrow"},
                "spec": {
                    "matchingPrecedence": 2,
                    "priorityLevelConfiguration": {"name": "narrow"},
                    "rules": [{"subjects": [subject], "resourceRules": [rule]}],
                },
            }),
            json!({
                "apiVersion": "admissionregistration.k8s.io/v1",
                "kind": "ValidatingWebhookConfiguration",
                "metadata": {"name": "silent"},
                "webhooks": [{
                    "name": "silent.example.com",
                    "clientConfig": {"url": url},
                    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["services"]}],
                    "objectSelector": {"matchLabels": {"app": "taker"}},
                    "failurePolicy": "Fail",
                    "timeoutSeconds": 30,
                    "sideEffects": "None",
                    "admissionReviewVersions": ["v1"],
                }],
            }),
        ];
        for object in objects {
            space.apply(&object.to_string())?;
        }
        let over = Arc::new(AtomicBool::new(false));
        let (taking, until) = (*space, Arc::clone(&over));
        let taker = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                // Refused in the end, or let pass where the API server does not know of it yet.
                let _answer = taking.kubectl(&TAKE);
            }
        });
        until_so("the controller is turned away", || {
            Ok(space.kubectl(&ASK).is_err())
        })?;
        Ok(Self {
            space,
            over,
            taker,
            _silent: silent,
        })
    }

    fn end(self) -> Result<()> {
        self.over.store(true, Ordering::Relaxed);
        for object in ["flowschema/narrow", "validatingwebhookconfiguration/silent"] {
            self.space.kubectl(&["delete", object])?;
        }
        let taken = self.taker.join();
        taken.map_err(|_| anyhow!("the place could not be taken"))
    }
}

/// As kubectl labels it with `app: taker`.
const TAKE: [&str; 7] = [
    "create",
    "service",
    "clusterip",
    "taker",
    "--tcp=1",
    "--dry-run=server",
    "--as=patient@example.com",
];

const ASK: [&str; 8] = [
    "create",
    "service",
    "clusterip",
    "asker",
    "--tcp=1",
    "--dry-run=server",
    "--as=patient@example.com",
    "--request-timeout=2s",
];

#[test]
fn an_api_server_that_turns_requests_away_is_given_time() -> Result<()> {
    let space = Stage::alone_as(PATIENT, RIGHTS)?.namespace("throttled")?;
    let throttle = Throttle::of(&space, "create", "services")?;
    space.apply(&space.release("shop", "retries: 0"))?;
    let release = space.until("hr/shop", |release| {
        let message = space.message(release, "Ready");
        message.to_lowercase().contains("too many requests")
    })?;
    assert_eq!(condition(&release, "Reconciling")["status"], "True");
    assert!(release["status"]["attempt"].is_null(), "{release:#}");
    throttle.end()?;
    let revisions = |release: &Value| release["status"]["history"].as_array().map(Vec::len);
    assert_eq!(revisions(&space.ready("shop")?), Some(1));

    // Not even a status can be written, and no watch begun.
    let throttle = Throttle::of(&space, "*", "*")?;
    space.apply(&space.release("shop", "retries: 0\nvalues: {greeting: late}"))?;
    space.kubectl(&["delete", "cm/shop-config"])?;
    std::thread::sleep(Duration::from_secs(5));
    assert!(space.get("cm/shop-config")?.is_null());
    throttle.end()?;
    assert_eq!(revisions(&space.ready("shop")?), Some(2));
    space.until("cm/shop-config", |map| map["data"]["greeting"] == "late")?;
    Ok(())
}
