//! Figures and how they are shown.
//!
//! In: what was measured. Out: rows of a Markdown table that can be pasted into the README.
//! Never: a verdict; a benchmark prints, and whoever reads it judges.
#![allow(
    dead_code,
    reason = "each benchmark that includes this room uses another part of it"
)]

use std::fmt::Display;
use std::time::Duration;

/// What was measured several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// One more measurement, in whatever unit the series has.
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// One more measurement of a series in milliseconds.
    pub(crate) fn push_time(&mut self, took: Duration) {
        self.push(took.as_secs_f64() * 1000.0);
    }

    /// The middle, or the mean of the middle two; not a number where nothing was measured.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
            (Some(below), Some(above)) if sorted.len().is_multiple_of(2) => {
                f64::midpoint(*below, *above)
            }
            (_, Some(middle)) => *middle,
            (_, None) => f64::NAN,
        }
    }

    /// The value below which this part of all lies.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (part * sorted.len() as f64).ceil() as usize;
        sorted
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or(f64::NAN)
    }

    pub(crate) fn least(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::min)
    }

    pub(crate) fn most(&self) -> f64 {
        self.0.iter().copied().fold(f64::NAN, f64::max)
    }
}

/// A figure with as many digits as it has meaning: 0.42, 4.2, 42, 420.
pub(crate) fn short(value: f64) -> String {
    match value.abs() {
        size if !size.is_finite() => "-".to_owned(),
        size if size < 1.0 => format!("{value:.2}"),
        size if size < 20.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// How many times the first goes into the second: `3.4x`.
pub(crate) fn ratio(ours: f64, theirs: f64) -> String {
    let ratio = theirs / ours;
    if ratio.is_finite() {
        format!("{}x", short(ratio))
    } else {
        "-".to_owned()
    }
}

/// Kibibytes as mebibytes.
pub(crate) fn mebibytes(kibibytes: f64) -> String {
    short(kibibytes / 1024.0)
}

/// Prints a table whose first column is words and whose others are figures.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) {
    let widths: Vec<usize> = heads
        .iter()
        .enumerate()
        .map(|(column, head)| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell| cell.chars().count())
                .fold(head.chars().count().max(4), usize::max)
        })
        .collect();
    line(heads, &widths);
    let rule: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| match column {
            0 => "-".repeat(*width),
            _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
        })
        .collect();
    line(&rule, &widths);
    for row in rows {
        line(row, &widths);
    }
    println!();
}

fn line(cells: &[impl Display], widths: &[usize]) {
    let padded: Vec<String> = cells
        .iter()
        .zip(widths)
        .enumerate()
        .map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        })
        .collect();
    println!("| {} |", padded.join(" | "));
}

/// What the reader has to know of the machine: its cores, and who else used them.
pub(crate) fn surroundings() -> String {
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load
        .split(' ')
        .next()
        .filter(|load| !load.is_empty())
        .unwrap_or("unknown");
    format!("{cores} cores, load average {load}")
}

/// Whether the program was started by `cargo bench`, not by `cargo test --all-targets`, where it
/// has nothing to say.
pub(crate) fn is_wanted() -> bool {
    let wanted = std::env::args().any(|argument| argument == "--bench");
    if !wanted {
        println!("nothing measured: this is for `cargo bench`");
    }
    wanted
}
