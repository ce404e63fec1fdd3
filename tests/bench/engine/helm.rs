//! Helm's engine, in the Go program of tests/oracle/engine.
//!
//! In: charts. Out: what each took there. Never: a chart left out without a word.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::Times;
use crate::corpus::Task;

/// The best of so many rounds for each chart, in order.
pub(crate) fn best(tasks: &[Task], rounds: usize) -> Result<Vec<Times>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/engine");
    let mut process = Command::new("go")
        .args(["run", ".", &format!("-rounds={rounds}")])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("run Helm's engine: is Go installed?")?;
    let mut lines = Vec::new();
    for task in tasks {
        serde_json::to_writer(&mut lines, task)?;
        lines.push(b'\n');
    }
    let mut input = process.stdin.take().context("write to Helm's engine")?;
    let feeder = std::thread::spawn(move || input.write_all(&lines));
    let finished = process
        .wait_with_output()
        .context("wait for Helm's engine")?;
    ensure!(
        finished.status.success(),
        "Helm's engine ended with {}",
        finished.status
    );
    feeder.join().ok().context("feed Helm's engine")??;
    let read = serde_json::Deserializer::from_slice(&finished.stdout).into_iter();
    let times: Vec<Times> = read
        .collect::<Result<_, _>>()
        .context("read Helm's figures")?;
    ensure!(
        times.len() == tasks.len(),
        "Helm's engine told of {} charts",
        times.len()
    );
    Ok(times)
}
