//! This library beside Helm's own engine: each in one process, the same charts of the corpus.
//! `cargo bench --bench engine -- --help` tells what can be set; see tests/bench/README.md.

#[path = "../corpus.rs"]
mod corpus;
#[path = "../figures.rs"]
mod figures;
mod helm;
mod ours;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use serde::Deserialize;

use crate::figures::{ratio, short, table};

/// As in the program.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Measures how long charts take to load and to render, beside Helm's engine.
#[derive(Parser)]
struct Arguments {
    /// How often each chart is loaded and rendered; the best counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// For how many milliseconds ours goes on with each chart, whatever the rounds: a profiler then sees
    /// as much of a small chart as of a large one, as the mean does.
    #[arg(long, default_value_t = 0)]
    at_least: u64,
    /// Only charts whose folder has this in its path.
    #[arg(long, default_value = "")]
    only: String,
    /// Leave Helm's engine out.
    #[arg(long)]
    alone: bool,
    /// Every chart that is slower than this many times Helm's speed is shown.
    #[arg(long, default_value_t = 1.0)]
    show_below: f64,
    /// Put there by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The best times of one chart, in nanoseconds.
#[derive(Clone, Debug, Default, Deserialize)]
struct Times {
    #[serde(default)]
    error: Option<String>,
    load: u64,
    /// Dependencies, values and schemas; not told apart from `render` where it is zero.
    prepare: u64,
    render: u64,
    /// The manifest split and sorted; not told apart from `render` where it is zero.
    sort: u64,
}

impl Times {
    /// All that lies between a loaded chart and its manifest.
    fn whole(&self) -> f64 {
        (self.prepare + self.render + self.sort) as f64 / 1e6
    }

    fn load(&self) -> f64 {
        self.load as f64 / 1e6
    }

    fn engine(&self) -> f64 {
        self.render as f64 / 1e6
    }
}

/// The charts that are shown one by one.
const SHOWN: [&str; 5] = [
    "kube-prometheus-stack",
    "harbor",
    "wordpress",
    "airflow",
    "podinfo",
];

fn main() -> Result<()> {
    if !figures::is_wanted() {
        return Ok(());
    }
    let arguments = Arguments::parse();
    let mut tasks = match corpus::tasks() {
        Ok(tasks) => tasks,
        Err(missing) => {
            println!("the corpus: skipped: {missing:#}");
            return Ok(());
        }
    };
    tasks.retain(|task| task.chart.to_string_lossy().contains(&arguments.only));
    println!("engine: {}\n", figures::surroundings());
    let at_least = Duration::from_millis(arguments.at_least);
    let ours = ours::all(&tasks, arguments.rounds, at_least)?;
    let theirs = if arguments.alone {
        vec![Times::default(); tasks.len()]
    } else {
        helm::best(&tasks, arguments.rounds)?
    };
    let mut both = Vec::new();
    for ((task, ours), theirs) in tasks.iter().zip(ours).zip(theirs) {
        match (&ours.error, &theirs.error) {
            (None, None) => both.push((name(&task.chart), ours, theirs)),
            (Some(error), None) => println!("{}: ours: {error}", task.chart.display()),
            (None, Some(error)) => println!("{}: helm: {error}", task.chart.display()),
            (Some(_), Some(_)) => println!("{}: refused by both", task.chart.display()),
        }
    }
    report(&both, arguments.show_below);
    println!("At the end: {}", figures::surroundings());
    Ok(())
}

fn name(chart: &Path) -> String {
    let folder = chart.parent().and_then(Path::file_name);
    folder.unwrap_or_default().to_string_lossy().into_owned()
}

/// What is compared: words, ours, Helm's.
type Column = (&'static str, fn(&Times) -> f64, fn(&Times) -> f64);

const COLUMNS: [Column; 2] = [
    ("load", Times::load, Times::load),
    ("render", Times::whole, Times::whole),
];

fn report(both: &[(String, Times, Times)], show_below: f64) {
    let heads = [
        "ms",
        "load",
        "helm",
        "helm/pintle",
        "render",
        "helm",
        "helm/pintle",
        "helm's engine alone",
    ];
    let mut rows = vec![means(both)];
    for shown in SHOWN {
        let found = both.iter().filter(|(name, ..)| {
            name.rsplit("__")
                .next()
                .is_some_and(|name| name.starts_with(shown))
        });
        rows.extend(found.map(|(name, ours, theirs)| row(name, ours, theirs)));
    }
    table(&heads, &rows);
    let slow: Vec<Vec<String>> = both
        .iter()
        .filter(|(_, ours, theirs)| {
            let below = |(_, mine, other): &Column| other(theirs) < show_below * mine(ours);
            COLUMNS.iter().any(below)
        })
        .map(|(name, ours, theirs)| row(name, ours, theirs))
        .collect();
    println!(
        "{} charts, {} of them below {show_below}x\n",
        both.len(),
        slow.len()
    );
    if !slow.is_empty() {
        table(&heads, &slow);
    }
}

fn row(name: &str, ours: &Times, theirs: &Times) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    for (_, mine, other) in COLUMNS {
        let (mine, other) = (mine(ours), other(theirs));
        cells.extend([short(mine), short(other), ratio(mine, other)]);
    }
    cells.push(short(theirs.engine()));
    cells
}

fn means(both: &[(String, Times, Times)]) -> Vec<String> {
    let mean = |of: &dyn Fn(&(String, Times, Times)) -> f64| {
        let sum: f64 = both.iter().map(|row| of(row).ln()).sum();
        (sum / both.len() as f64).exp()
    };
    let mut cells = vec![format!("geometric mean of {}", both.len())];
    for (_, mine, other) in COLUMNS {
        let (mine, other) = (mean(&|row| mine(&row.1)), mean(&|row| other(&row.2)));
        cells.extend([
            format!("{mine:.3}"),
            format!("{other:.3}"),
            ratio(mine, other),
        ]);
    }
    cells.push(format!("{:.3}", mean(&|row| row.2.engine())));
    cells
}
