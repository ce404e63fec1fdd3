//! Many releases of ten objects each: disturbed, and left alone.
//!
//! In: how many releases; how many of their objects are deleted or edited, and how fast. Out: how
//! long each stayed as somebody else had made it, what was written that need not have been, and
//! what the fleet costs that nobody touches. Never: the same object twice, which could not be told
//! from a fight.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use futures::{StreamExt, TryStreamExt, stream};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams};
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::controller::Usage;
use crate::figures::{Series, short, table};
use crate::ground::Ground;
use crate::idle;
use crate::witness::{HELM_RELEASE, Sighting, Witness, api};

/// The chart.
const CHART: &str = "ten";

/// Releases of one namespace.
const PER_NAMESPACE: usize = 20;

/// How many HelmReleases are created at once, as by an impatient person.
const AT_ONCE: usize = 8;

/// How long the fleet may take to come up, or to be put back, before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(1800);

/// Which objects are deleted and edited: the same at each run.
const SEED: u64 = 20_261_121;

/// A kind of the chart, how somebody edits it, and how that is seen to be undone.
struct Prey {
    kind: (&'static str, &'static str, &'static str),
    plural: &'static str,
    /// A merge patch.
    edit: &'static str,
    /// What the edit changes, as a JSON pointer.
    at: &'static str,
}

const PREY: [Prey; 10] = [
    Prey {
        kind: ("", "v1", "ServiceAccount"),
        plural: "serviceaccounts",
        edit: r#"{"metadata":{"annotations":{"meta.helm.sh/release-name":"somebody"}}}"#,
        at: "/metadata/annotations/meta.helm.sh~1release-name",
    },
    Prey {
        kind: ("", "v1", "ConfigMap"),
        plural: "configmaps",
        edit: r#"{"data":{"word":"tampered"}}"#,
        at: "/data/word",
    },
    Prey {
        kind: ("", "v1", "Secret"),
        plural: "secrets",
        edit: r#"{"data":{"word":"dGFtcGVyZWQ="}}"#,
        at: "/data/word",
    },
    Prey {
        kind: ("rbac.authorization.k8s.io", "v1", "Role"),
        plural: "roles",
        edit: r#"{"rules":[]}"#,
        at: "/rules/0/verbs/0",
    },
    Prey {
        kind: ("rbac.authorization.k8s.io", "v1", "RoleBinding"),
        plural: "rolebindings",
        edit: r#"{"subjects":[]}"#,
        at: "/subjects/0/kind",
    },
    Prey {
        kind: ("", "v1", "Service"),
        plural: "services",
        edit: r#"{"spec":{"selector":{"app":"tampered"}}}"#,
        at: "/spec/selector/app",
    },
    Prey {
        kind: ("networking.k8s.io", "v1", "NetworkPolicy"),
        plural: "networkpolicies",
        edit: r#"{"spec":{"podSelector":{"matchLabels":{"app":"tampered"}}}}"#,
        at: "/spec/podSelector/matchLabels/app",
    },
    Prey {
        kind: ("policy", "v1", "PodDisruptionBudget"),
        plural: "poddisruptionbudgets",
        edit: r#"{"spec":{"maxUnavailable":7}}"#,
        at: "/spec/maxUnavailable",
    },
    Prey {
        kind: ("networking.k8s.io", "v1", "Ingress"),
        plural: "ingresses",
        edit: r#"{"spec":{"ingressClassName":"tampered"},"metadata":{"labels":{"app.kubernetes.io/managed-by":null}}}"#,
        at: "/metadata/labels/app.kubernetes.io~1managed-by",
    },
    Prey {
        kind: ("apps", "v1", "Deployment"),
        plural: "deployments",
        edit: r#"{"spec":{"replicas":3}}"#,
        at: "/spec/replicas",
    },
];

/// What was done to an object.
struct Blow {
    kind: &'static str,
    namespace: String,
    name: String,
    deleted: bool,
    /// When the API server had acknowledged it.
    at: Instant,
    /// The object before, by its uid, and the field that was edited.
    uid: String,
    was: Value,
}

/// Makes the fleet, and answers its namespaces.
pub(crate) fn muster(ground: &Ground, releases: usize, replicas: u32) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/charts/ten");
    ground.publish(&folder)?;
    let namespaces: Vec<String> = (0..releases.div_ceil(PER_NAMESPACE))
        .map(|number| format!("fleet-{number}"))
        .collect();
    ground.make_namespaces(&namespaces)?;
    let began = Instant::now();
    let declared = stream::iter(0..releases)
        .map(|number| declare(ground, number, replicas))
        .buffer_unordered(AT_ONCE)
        .try_collect::<Vec<()>>();
    ground.runtime.block_on(declared)?;
    loop {
        let ready = ready(ground)?;
        if ready >= releases {
            break;
        }
        if began.elapsed() > PATIENCE {
            bail!("only {ready} of {releases} releases are ready");
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    println!(
        "{releases} releases of ten objects became ready in {} s.\n",
        short(began.elapsed().as_secs_f64())
    );
    Ok(())
}

async fn declare(ground: &Ground, number: usize, replicas: u32) -> Result<()> {
    let namespace = format!("fleet-{}", number / PER_NAMESPACE);
    let mut release = ground.declaration_of(CHART, "1.0.0", &namespace);
    release["metadata"]["name"] = format!("ten-{number}").into();
    release["spec"]["values"] = json!({ "replicas": replicas });
    let release: DynamicObject = serde_json::from_value(release)?;
    let api = api(&ground.client, HELM_RELEASE, &namespace);
    let created = api.create(&Default::default(), &release).await;
    created.context("create a HelmRelease").map(|_| ())
}

fn ready(ground: &Ground) -> Result<usize> {
    let api = everywhere(ground, HELM_RELEASE);
    let releases = ground.runtime.block_on(api.list(&Default::default()))?;
    let is_ready = |release: &&DynamicObject| {
        let conditions = release.data["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        conditions.any(|c| c["type"] == "Ready" && c["status"] == "True")
            && release.metadata.name.as_deref().is_some_and(is_of_fleet)
    };
    Ok(releases.items.iter().filter(is_ready).count())
}

fn is_of_fleet(name: &str) -> bool {
    name.starts_with("ten-")
}

fn everywhere(ground: &Ground, kind: (&str, &str, &str)) -> Api<DynamicObject> {
    let (group, version, kind) = kind;
    let kind = kube::core::GroupVersionKind::gvk(group, version, kind);
    Api::all_with(
        ground.client.clone(),
        &kube::core::ApiResource::from_gvk(&kind),
    )
}

/// Deletes and edits objects, and prints how they were put back.
pub(crate) fn disturb(ground: &Ground, releases: usize, blows: usize, rate: u32) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut targets: Vec<(usize, usize)> = (0..releases)
        .flat_map(|release| (0..PREY.len()).map(move |prey| (release, prey)))
        .collect();
    targets.shuffle(&mut rng);
    targets.truncate(blows);
    let kinds = PREY.each_ref().map(|prey| prey.kind);
    let witness = Witness::everywhere(&ground.runtime, &ground.client, &kinds)?;
    std::thread::sleep(Duration::from_secs(5));
    witness.rest();
    let requests_before = ground.testbed.requests_by("pintle/")?.len();
    let cpu_before = ground.controller.usage()?.cpu;
    let began = Instant::now();
    let pace = Duration::from_secs(1) / rate;
    let dealt = stream::iter(targets.into_iter().zip(0_u32..))
        .map(|((release, prey), number)| {
            let deleted = rng.random_bool(0.5);
            async move {
                let due = began + pace * number;
                tokio::time::sleep_until(due.into()).await;
                deal(ground, release, &PREY[prey], deleted).await
            }
        })
        .buffer_unordered(256)
        .try_collect::<Vec<Blow>>();
    let dealt = ground.runtime.block_on(dealt)?;
    let took = began.elapsed();
    let repairs = repairs(&witness, &dealt);
    std::thread::sleep(Duration::from_secs(5));
    let cpu = ground.controller.usage()?.cpu.saturating_sub(cpu_before);
    let requests = ground.testbed.requests_by("pintle/")?;
    let writes = requests[requests_before..].iter().filter(|request| {
        (200..300).contains(&request.status)
            && matches!(&*request.verb, "create" | "patch" | "update" | "delete")
            && PREY.iter().any(|prey| {
                let path = format!("/{}", prey.plural);
                request.uri.contains(&path) && !request.uri.contains("sh.helm.release")
            })
    });
    let writes = writes.count();
    let mut kinds: HashMap<&str, Series> = HashMap::new();
    let mut all = Series::default();
    for (blow, repaired) in dealt.iter().zip(&repairs) {
        if let Some(repaired) = repaired {
            let took = repaired.saturating_duration_since(blow.at);
            kinds.entry(blow.kind).or_default().push_time(took);
            all.push_time(took);
        }
    }
    let corrected = repairs.iter().flatten().count();
    println!(
        "Drift: {blows} objects of {releases} releases deleted or edited in {} s, by turns of all kinds.\n\
         Corrected: {corrected}. Writes of objects: {writes}, {} more than there were changes. Processor time: {} ms each; requests: {} each.\n",
        short(took.as_secs_f64()),
        i64::try_from(writes)? - i64::try_from(blows)?,
        short(cpu.as_secs_f64() * 1000.0 / blows as f64),
        short((requests.len() - requests_before) as f64 / blows as f64),
    );
    let row = |title: &str, took: &Series| {
        vec![
            title.to_owned(),
            short(took.quantile(0.5)),
            short(took.quantile(0.99)),
            short(took.most()),
        ]
    };
    let mut rows: Vec<_> = kinds.iter().map(|(kind, took)| row(kind, took)).collect();
    rows.sort();
    rows.push(row("all", &all));
    table(
        &[
            "change acknowledged → seen put back, ms",
            "p50",
            "p99",
            "max",
        ],
        &rows,
    );
    Ok(())
}

async fn deal(ground: &Ground, release: usize, prey: &Prey, delete: bool) -> Result<Blow> {
    let namespace = format!("fleet-{}", release / PER_NAMESPACE);
    let name = format!("ten-{release}");
    let api = api(&ground.client, prey.kind, &namespace);
    let before = api.get(&name).await.context("read an object")?;
    let value = serde_json::to_value(&before)?;
    if delete {
        api.delete(&name, &DeleteParams::background()).await?;
    } else {
        let edit: Value = serde_json::from_str(prey.edit)?;
        let parameters = PatchParams {
            field_manager: Some("somebody".to_owned()),
            ..PatchParams::default()
        };
        api.patch(&name, &parameters, &Patch::Merge(edit)).await?;
    }
    Ok(Blow {
        kind: prey.kind.2,
        namespace,
        name,
        deleted: delete,
        at: Instant::now(),
        uid: before.metadata.uid.unwrap_or_default(),
        was: value.pointer(prey.at).cloned().unwrap_or_default(),
    })
}

/// When each was seen to be as before.
fn repairs(witness: &Witness, blows: &[Blow]) -> Vec<Option<Instant>> {
    type Key = (&'static str, String, String);
    let mut open: HashMap<Key, (usize, bool)> = HashMap::new();
    for (number, blow) in blows.iter().enumerate() {
        let key = (blow.kind, blow.namespace.clone(), blow.name.clone());
        open.insert(key, (number, false));
    }
    let mut repaired = vec![None; blows.len()];
    let patience = Instant::now() + Duration::from_secs(60);
    while !open.is_empty() && Instant::now() < patience {
        let Some(seen) = witness.within(Duration::from_secs(5)) else {
            continue;
        };
        let namespace = seen.object["metadata"]["namespace"].as_str();
        let namespace = namespace.unwrap_or_default().to_owned();
        let key = (seen.kind, namespace, seen.name.clone());
        let Some((number, broken)) = open.get_mut(&key) else {
            continue;
        };
        let blow = &blows[*number];
        let as_before = !seen.gone && is_as_before(blow, &seen);
        if !as_before {
            *broken = true;
        } else if *broken || seen.at > blow.at {
            repaired[*number] = Some(seen.at);
            open.remove(&key);
        }
    }
    repaired
}

fn is_as_before(blow: &Blow, seen: &Sighting) -> bool {
    if blow.deleted {
        return seen.uid != blow.uid;
    }
    let prey = PREY.iter().find(|prey| prey.kind.2 == blow.kind);
    prey.is_some_and(|prey| seen.object.pointer(prey.at) == Some(&blow.was))
}

/// Looks at the fleet at rest, and prints it beside what reading it would cost.
pub(crate) fn rest(
    ground: &Ground,
    releases: usize,
    at_start: Usage,
    time: Duration,
) -> Result<()> {
    idle::measure(ground, releases, at_start, time)?;
    let objects = releases * PREY.len();
    println!(
        "Reading each of the {objects} objects every ten minutes would be {} requests a minute; Flux with drift detection makes some 15 for each release of three objects at each interval, which is {} here.\n",
        objects / 10,
        objects * 5 / 10,
    );
    Ok(())
}
