//! An upgrade of twenty objects of which one changes: a HelmRelease's new spec, and `helm upgrade
//! --wait`, in turn.
//!
//! In: the ground and how many rounds. Out: a table of times and requests. Never: two upgrades at
//! once.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::figures::{Series, ratio, short, table};
use crate::ground::Ground;
use crate::witness::{HELM_RELEASE, Witness, api};

/// The chart, and the release of it.
const CHART: &str = "twenty";
const VERSION: &str = "1.0.0";

/// Where either way has its release.
const OURS: &str = "upgrade-pintle";
const HELMS: &str = "upgrade-helm";

/// Between two measurements, so that what one leaves to be done does not fall into the next.
const SETTLE: Duration = Duration::from_millis(700);

/// All that was measured of one way.
#[derive(Default)]
struct Runs {
    total: Series,
    reads: Series,
    writes: Series,
}

/// Measures and prints.
pub(crate) fn measure(ground: &Ground, rounds: usize) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cluster/charts")
        .join(CHART);
    ground.publish(&folder)?;
    ground.make_namespaces(&[OURS.to_owned(), HELMS.to_owned()])?;
    begin(ground)?;
    let (mut ours, mut helms) = (Runs::default(), Runs::default());
    for round in 1..=rounds {
        let word = format!("word-{round}");
        std::thread::sleep(SETTLE);
        run(ground, "pintle/", &mut ours, || change_spec(ground, &word))?;
        std::thread::sleep(SETTLE);
        run(ground, "Helm/", &mut helms, || {
            helm(ground, "upgrade", &word).map(|()| Instant::now())
        })?;
    }
    print(&ours, &helms);
    Ok(())
}

/// The first revision, either way.
fn begin(ground: &Ground) -> Result<()> {
    let witness = Witness::of(&ground.runtime, &ground.client, OURS, &[HELM_RELEASE])?;
    ground.declare_chart(CHART, VERSION, OURS)?;
    witness.until(|sighting| sighting.is_ready_release())?;
    helm(ground, "install", "hello")
}

/// One upgrade, measured; `act` answers when it had ended.
fn run(
    ground: &Ground,
    agent: &str,
    into: &mut Runs,
    act: impl FnOnce() -> Result<Instant>,
) -> Result<()> {
    let before = ground.testbed.requests_by(agent)?.len();
    let began = Instant::now();
    let ended = act()?;
    // What follows the last word belongs to it as well.
    std::thread::sleep(SETTLE);
    into.total.push_time(ended.saturating_duration_since(began));
    let requests = ground.testbed.requests_by(agent)?.split_off(before);
    let is_read = |verb: &str| matches!(verb, "get" | "list" | "watch");
    let reads = requests.iter().filter(|request| is_read(&request.verb));
    let reads = reads.count();
    into.reads.push(f64::from(u32::try_from(reads)?));
    into.writes
        .push(f64::from(u32::try_from(requests.len() - reads)?));
    Ok(())
}

fn change_spec(ground: &Ground, word: &str) -> Result<Instant> {
    let witness = Witness::of(&ground.runtime, &ground.client, OURS, &[HELM_RELEASE])?;
    let releases = api(&ground.client, HELM_RELEASE, OURS);
    let patch = Patch::Merge(json!({"spec": {"values": {"word": word}}}));
    let patched = ground
        .runtime
        .block_on(releases.patch(CHART, &PatchParams::default(), &patch));
    let generation = patched.context("change a HelmRelease")?.metadata.generation;
    let ready = witness.until(|sighting| {
        sighting.is_ready_release()
            && sighting.object["metadata"]["generation"].as_i64() == generation
    })?;
    Ok(ready.at)
}

fn helm(ground: &Ground, action: &str, word: &str) -> Result<()> {
    let chart = format!("{}/{CHART}", ground.registry());
    let word = format!("word={word}");
    let command = [
        action,
        CHART,
        &chart,
        "--version",
        VERSION,
        "--set",
        &word,
        "--plain-http",
        "--wait",
        "-n",
        HELMS,
    ];
    ground.testbed.helm(&command)?.successful().map(|_| ())
}

fn print(ours: &Runs, helms: &Runs) {
    println!(
        "Upgrade where one object of twenty changes; `helm upgrade --wait` with its own start.\n"
    );
    let row = |title: &str, of: fn(&Runs) -> f64| {
        vec![
            title.to_owned(),
            short(of(ours)),
            short(of(helms)),
            ratio(of(ours), of(helms)),
        ]
    };
    let rows = [
        row("spec changed → Ready=True seen, ms, median", |runs| {
            runs.total.median()
        }),
        row("the same, min", |runs| runs.total.least()),
        row("the same, max", |runs| runs.total.most()),
        row("requests that read, watches included", |runs| {
            runs.reads.median()
        }),
        row("requests that write, Events included", |runs| {
            runs.writes.median()
        }),
    ];
    table(&["", "pintle", "helm", "helm/pintle"], &rows);
}
