//! `pintle template` beside `helm template`: two whole processes, the same charts, in turn.
//! `cargo bench --bench template -- --help` tells what can be set; see tests/bench/README.md.

#[path = "../corpus.rs"]
mod corpus;
#[path = "../figures.rs"]
mod figures;
mod process;
#[path = "../../testbed/mod.rs"]
mod testbed;

use std::path::Path;

use anyhow::{Context, Result};
use clap::Parser;

use crate::figures::{Series, mebibytes, ratio, short, table};
use crate::process::{Meter, Renderer};

/// Measures `pintle template` beside `helm template`.
#[derive(Parser)]
struct Arguments {
    /// How often each chart is rendered by each program for the time.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// And for the memory, apart from that.
    #[arg(long, default_value_t = 3)]
    memory_rounds: usize,
    /// Put there by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    if !figures::is_wanted() {
        return Ok(());
    }
    let arguments = Arguments::parse();
    let home = tempfile::tempdir().context("make a home folder for helm")?;
    let ours = Renderer::new(Path::new(env!("CARGO_BIN_EXE_pintle")), home.path());
    let theirs = match testbed::program("helm") {
        Ok(helm) => Some(Renderer::new(&helm, home.path())),
        Err(missing) => {
            println!("helm: skipped: {missing:#}\n");
            None
        }
    };
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/charts/shop");
    let mut charts = vec![("shop (the sample chart)".to_owned(), sample)];
    match corpus::charts() {
        Ok(found) => charts.extend(found),
        Err(missing) => println!("the well-known charts: skipped: {missing:#}\n"),
    }
    let meter = Meter::choose(home.path());
    println!("template: {}", figures::surroundings());
    println!(
        "Whole processes, medians of {}, in turn. Memory: {meter}.\n",
        arguments.rounds
    );
    let mut rows = Vec::new();
    for (name, chart) in charts {
        match measure(&arguments, &meter, &ours, theirs.as_ref(), &chart) {
            Ok(row) => rows.push(row.shown(name)),
            Err(error) => println!("{name}: skipped: {error:#}\n"),
        }
    }
    let heads = [
        "chart",
        "pintle ms",
        "helm ms",
        "helm/pintle",
        "pintle MiB",
        "helm MiB",
        "helm/pintle",
        "output",
    ];
    table(&heads, &rows);
    println!("At the end: {}", figures::surroundings());
    Ok(())
}

/// What was measured of one chart.
#[derive(Default)]
struct Row {
    time: [Series; 2],
    memory: [Series; 2],
    output: String,
}

fn measure(
    arguments: &Arguments,
    meter: &Meter,
    ours: &Renderer,
    theirs: Option<&Renderer>,
    chart: &Path,
) -> Result<Row> {
    // This also brings the chart and the programs into the page cache.
    let printed = ours.output(chart)?;
    let output = match theirs {
        Some(theirs) => compared(&printed, &theirs.output(chart)?),
        None => "-".to_owned(),
    };
    let mut row = Row {
        output,
        ..Row::default()
    };
    let both = || [Some(ours), theirs].into_iter().enumerate();
    for _ in 0..arguments.rounds {
        for (column, renderer) in both() {
            if let Some(renderer) = renderer {
                row.time[column].push_time(renderer.time(chart)?);
            }
        }
    }
    for _ in 0..arguments.memory_rounds {
        for (column, renderer) in both() {
            if let Some(renderer) = renderer {
                row.memory[column].push(meter.peak(renderer, chart)?);
            }
        }
    }
    Ok(row)
}

impl Row {
    fn shown(&self, name: String) -> Vec<String> {
        let [ours, theirs] = [0, 1].map(|column: usize| self.time[column].median());
        let [our_peak, their_peak] = [0, 1].map(|column: usize| self.memory[column].median());
        vec![
            name,
            short(ours),
            short(theirs),
            ratio(ours, theirs),
            mebibytes(our_peak),
            mebibytes(their_peak),
            ratio(our_peak, their_peak),
            self.output.clone(),
        ]
    }
}

/// Speed is worth nothing where the output differs. Random passwords do, in helm's own too.
fn compared(ours: &[u8], theirs: &[u8]) -> String {
    if ours == theirs {
        return "equal".to_owned();
    }
    let lines = |text: &[u8]| {
        text.split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    };
    let (ours, theirs) = (lines(ours), lines(theirs));
    if ours.len() != theirs.len() {
        return format!("{} lines, helm {}", ours.len(), theirs.len());
    }
    let other = ours
        .iter()
        .zip(&theirs)
        .filter(|(ours, theirs)| ours != theirs)
        .count();
    format!("{other} of {} lines differ", ours.len())
}
