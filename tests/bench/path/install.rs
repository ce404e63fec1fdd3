//! From a wish to a release that is ready, three ways in turn: a HelmRelease created by a client
//! that is already running, the same by `kubectl apply`, and `helm install --wait`.
//!
//! In: the ground and how many rounds. Out: two tables: how long it took, and where that time
//! went. Never: two installs at once, or one while an earlier one is being taken away.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::controller::Stages;
use crate::figures::{Series, ratio, short, table};
use crate::ground::{CHART, Ground};
use crate::witness::{HELM_RELEASE, INSTALL, Sighting, Witness};

/// Between two measurements, so that what one leaves to be done does not fall into the next.
const SETTLE: Duration = Duration::from_millis(700);

/// How an install is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Client,
    Kubectl,
    Helm,
}

/// The phases of an install, as the witness sees them from outside, and whose time each is.
const PHASES: [(&str, bool); 6] = [
    ("asked → rendered, checked, revision stored", true),
    ("→ last workload applied", true),
    ("→ workloads ready: the cluster's", false),
    ("→ hook created", true),
    ("→ hook complete: the cluster's", false),
    ("→ reported ready, or exit", true),
];

/// All that was measured of one way.
#[derive(Default)]
struct Runs {
    total: Series,
    ours: Series,
    cluster: Series,
    phases: [Series; PHASES.len()],
    requests: Series,
    stages: BTreeMap<String, Series>,
}

/// The namespaces in which the releases of the first way stay, for what is measured next.
pub(crate) fn kept(rounds: usize) -> Vec<String> {
    (1..=rounds)
        .map(|round| format!("client-{round}"))
        .collect()
}

/// Measures and prints.
pub(crate) fn measure(ground: &Ground, rounds: usize) -> Result<()> {
    let ways = [Way::Client, Way::Kubectl, Way::Helm];
    let spaces = (0..=rounds).flat_map(|round| ways.map(|way| way.namespace(round)));
    ground.make_namespaces(&spaces.collect::<Vec<_>>())?;
    let mut first: [Runs; 3] = Default::default();
    let mut runs: [Runs; 3] = Default::default();
    for round in 0..=rounds {
        for (number, way) in ways.into_iter().enumerate() {
            std::thread::sleep(SETTLE);
            let into = if round == 0 {
                &mut first[number]
            } else {
                &mut runs[number]
            };
            let namespace = way.namespace(round);
            run(ground, way, &namespace, into)
                .with_context(|| format!("install the sample chart in {namespace}"))?;
            if round == 0 || way != Way::Client {
                way.take_away(ground, &namespace)?;
            }
        }
    }
    print_totals(&first, &runs);
    print_phases(&runs);
    print_stages(&runs[0]);
    Ok(())
}

impl Way {
    fn namespace(self, round: usize) -> String {
        let prefix = match self {
            Self::Client => "client",
            Self::Kubectl => "kubectl",
            Self::Helm => "helm",
        };
        format!("{prefix}-{round}")
    }

    /// How the requests of the program that does the work begin their `User-Agent`.
    fn agent(self) -> &'static str {
        if self == Self::Helm {
            "Helm/"
        } else {
            "pintle/"
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Client => "pintle: HelmRelease created → Ready=True seen",
            Self::Kubectl => "pintle: `kubectl apply`, with its own start → Ready=True seen",
            Self::Helm => "`helm install --wait`, with its own start → exit",
        }
    }

    fn ask(self, ground: &Ground, namespace: &str) -> Result<()> {
        match self {
            Self::Client => ground.declare(namespace),
            Self::Kubectl => {
                let declaration = ground.declaration(namespace).to_string();
                let applied = ground
                    .testbed
                    .kubectl_with_input(&["apply", "-f", "-"], &declaration)?;
                applied.successful().map(|_| ())
            }
            Self::Helm => {
                let chart = format!("{}/{CHART}", ground.registry());
                let version = &ground.version;
                let command = [
                    "install",
                    CHART,
                    &chart,
                    "--version",
                    version,
                    "--plain-http",
                ];
                let rest = ["--wait", "-n", namespace];
                ground
                    .testbed
                    .helm(&[&command[..], &rest].concat())?
                    .successful()
                    .map(|_| ())
            }
        }
    }

    fn take_away(self, ground: &Ground, namespace: &str) -> Result<()> {
        match self {
            Self::Client | Self::Kubectl => ground.withdraw(namespace),
            Self::Helm => {
                let command = ["uninstall", CHART, "--wait", "-n", namespace];
                ground.testbed.helm(&command)?.successful().map(|_| ())
            }
        }
    }
}

/// One install, measured.
fn run(ground: &Ground, way: Way, namespace: &str, into: &mut Runs) -> Result<()> {
    let witness = Witness::of(&ground.runtime, &ground.client, namespace, &INSTALL)?;
    let requests_before = ground.testbed.requests_by(way.agent())?.len();
    let stages_before = ground.controller.stages()?;
    let began = Instant::now();
    way.ask(ground, namespace)?;
    let mut seen = Vec::new();
    let ended = if way == Way::Helm {
        Instant::now()
    } else {
        loop {
            let sighting = witness.next().with_context(|| last_words(&seen))?;
            let (at, ready) = (sighting.at, sighting.is_ready_release());
            seen.push(sighting);
            if ready {
                break at;
            }
        }
    };
    // News of one kind may come a little later than that of another.
    std::thread::sleep(SETTLE);
    seen.extend(witness.rest());
    into.total.push_time(ended.saturating_duration_since(began));
    into.add_phases(&phases(began, &seen, ended)?);
    if way != Way::Helm {
        into.add_stages(&stages_before, &ground.controller.stages()?);
    }
    let requests = ground.testbed.requests_by(way.agent())?.len() - requests_before;
    into.requests.push(f64::from(u32::try_from(requests)?));
    Ok(())
}

/// What the HelmRelease says of itself, for a reader who wonders why it is not ready.
fn last_words(seen: &[Sighting]) -> String {
    let last = seen
        .iter()
        .rev()
        .find(|sighting| sighting.kind == HELM_RELEASE.2);
    last.map_or_else(String::new, |last| {
        last.object["status"]["conditions"].to_string()
    })
}

/// How long each of [`PHASES`] took.
fn phases(began: Instant, seen: &[Sighting], ended: Instant) -> Result<[Duration; PHASES.len()]> {
    let first = |holds: &dyn Fn(&Sighting) -> bool, what: &str| {
        let found = seen.iter().find(|sighting| holds(sighting));
        found
            .map(|sighting| sighting.at)
            .with_context(|| format!("nobody saw {what}"))
    };
    let last_of_firsts = |holds: &dyn Fn(&Sighting) -> bool, what: &str| {
        let mut firsts = HashMap::new();
        for sighting in seen.iter().filter(|sighting| holds(sighting)) {
            firsts.entry(&sighting.uid).or_insert(sighting.at);
        }
        firsts
            .into_values()
            .max()
            .with_context(|| format!("nobody saw {what}"))
    };
    let moments = [
        began,
        first(&Sighting::is_record, "the release's record")?,
        last_of_firsts(&Sighting::is_workload, "a workload")?,
        last_of_firsts(&Sighting::is_ready_workload, "a workload become ready")?,
        first(&Sighting::is_job, "the hook")?,
        first(&Sighting::is_complete_job, "the hook complete")?,
        ended,
    ];
    let mut took = [Duration::ZERO; PHASES.len()];
    for (took, pair) in took.iter_mut().zip(moments.windows(2)) {
        if let [from, to] = pair {
            *took = to.saturating_duration_since(*from);
        }
    }
    Ok(took)
}

impl Runs {
    fn add_phases(&mut self, took: &[Duration; PHASES.len()]) {
        let (mut ours, mut cluster) = (Duration::ZERO, Duration::ZERO);
        for ((series, took), (_, is_ours)) in self.phases.iter_mut().zip(took).zip(PHASES) {
            series.push_time(*took);
            *(if is_ours { &mut ours } else { &mut cluster }) += *took;
        }
        self.ours.push_time(ours);
        self.cluster.push_time(cluster);
    }

    /// What the controller's histogram grew by is this release's, as there was no other.
    fn add_stages(&mut self, before: &Stages, after: &Stages) {
        for (stage, (count, seconds)) in after {
            let (count_before, seconds_before) = before.get(stage).copied().unwrap_or_default();
            if *count > count_before {
                let series = self.stages.entry(stage.clone()).or_default();
                series.push((seconds - seconds_before) * 1000.0);
            }
        }
    }
}

fn print_totals(first: &[Runs; 3], runs: &[Runs; 3]) {
    let [client, _, helm] = runs;
    println!("Install of the sample chart, ms. The first after the controller's start is apart.\n");
    let rows: Vec<_> = [Way::Client, Way::Kubectl, Way::Helm]
        .into_iter()
        .zip(first.iter().zip(runs))
        .map(|(way, (first, runs))| {
            let total = &runs.total;
            let figures = [
                total.median(),
                total.least(),
                total.most(),
                first.total.median(),
            ];
            let figures = figures.map(short).into_iter();
            std::iter::once(way.title().to_owned())
                .chain(figures)
                .collect()
        })
        .collect();
    table(&["", "median", "min", "max", "first"], &rows);
    let times = ratio(client.total.median(), helm.total.median());
    println!("`helm install --wait` takes {times} the time of the first row.\n");
}

fn print_phases(runs: &[Runs; 3]) {
    let [client, _, helm] = runs;
    println!("Where it goes, ms, medians, seen by watches from outside.\n");
    let row = |title: &str, ours: &Series, theirs: &Series| {
        let (ours, theirs) = (ours.median(), theirs.median());
        vec![
            title.to_owned(),
            short(ours),
            short(theirs),
            ratio(ours, theirs),
        ]
    };
    let mut rows: Vec<_> = PHASES
        .iter()
        .enumerate()
        .map(|(phase, (title, _))| row(title, &client.phases[phase], &helm.phases[phase]))
        .collect();
    rows.push(row(
        "all but the cluster's, the API server's answers included",
        &client.ours,
        &helm.ours,
    ));
    rows.push(row(
        "the cluster's: pods and hook",
        &client.cluster,
        &helm.cluster,
    ));
    rows.push(row(
        "requests to the API server",
        &client.requests,
        &helm.requests,
    ));
    table(&["", "pintle", "helm", "helm/pintle"], &rows);
}

fn print_stages(client: &Runs) {
    println!(
        "The controller's own histogram, ms for each release. `execute` holds the cluster's part.\n"
    );
    let rows: Vec<_> = client
        .stages
        .iter()
        .map(|(stage, took)| {
            vec![
                stage.clone(),
                short(took.median()),
                short(took.least()),
                short(took.most()),
            ]
        })
        .collect();
    table(&["stage", "median", "min", "max"], &rows);
}
