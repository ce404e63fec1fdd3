//! One build of one Go module.
//!
//! In: the module, its source, an empty folder. Out: its programs in that folder, under our
//! names, and progress on stderr. Never: a change of go.mod or go.sum, or a version that they do
//! not pin.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::binaries::Module;

const TELL_EVERY: Duration = Duration::from_secs(10);

/// How many of Go's last lines a failure shows.
const SHOWN_LINES: usize = 30;

pub(crate) fn build(module: &Module, source: &Path, into: &Path) -> anyhow::Result<()> {
    let names: Vec<_> = module.programs.iter().map(|(_, ours)| *ours).collect();
    let names = names.join(", ");
    say(&format!(
        "building {names} from pinned Go modules: once, {}",
        module.minutes
    ));
    let started = Instant::now();
    go_build(module, source, into)
        .with_context(|| format!("build {names} in {}", source.display()))?;
    for (theirs, ours) in module.programs {
        if theirs != ours {
            fs::rename(into.join(theirs), into.join(ours))
                .with_context(|| format!("name the program {theirs} {ours}"))?;
        }
    }
    say(&format!(
        "built {names} in {} s",
        started.elapsed().as_secs()
    ));
    Ok(())
}

fn go_build(module: &Module, source: &Path, into: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("go");
    command
        .args([
            "build",
            "-v",
            "-mod=readonly",
            "-trimpath",
            "-buildvcs=false",
        ])
        .arg(format!("-ldflags=-s -w {}", module.link))
        .arg("-o")
        .arg(format!("{}/", into.display()))
        .arg(module.packages)
        .current_dir(source)
        // The user's settings say where modules come from, not how these are built.
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut go = match command.spawn() {
        Err(error) if error.kind() == ErrorKind::NotFound => bail!(
            "there is no `go` on PATH. The testbed is built with Go 1.26 or newer: install it \
             from https://go.dev/dl, or set PINTLE_TESTBED_BIN to a folder that has all of the \
             testbed's programs"
        ),
        started => started.context("start `go build`")?,
    };
    let output = go.stderr.take().context("read from `go build`")?;
    let (sender, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    let said = follow(module, &lines);
    let status = go.wait().context("wait for `go build`")?;
    if !status.success() {
        bail!("`go build` ended with {status}:\n{}", said.join("\n"));
    }
    Ok(())
}

/// Tells how far it is until Go says no more; returns what may explain a failure.
fn follow(module: &Module, lines: &mpsc::Receiver<String>) -> Vec<String> {
    let started = Instant::now();
    let mut told = started;
    let mut said = Vec::new();
    let (mut downloaded, mut compiled) = (0, 0);
    loop {
        match lines.recv_timeout(TELL_EVERY) {
            Ok(line) if line.starts_with("go: downloading") => downloaded += 1,
            // `-v` prints the bare path of each package; all else is a message.
            Ok(line) if !line.contains(' ') => compiled += 1,
            Ok(line) => {
                said.push(line);
                if said.len() > SHOWN_LINES {
                    said.remove(0);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return said,
        }
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            let seconds = started.elapsed().as_secs();
            let name = module.name;
            say(&format!(
                "{name}: {downloaded} modules downloaded, {compiled} packages compiled, {seconds} s"
            ));
        }
    }
}

/// Says it past the test harness, which would keep what `eprintln!` says to itself until the end.
pub(crate) fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "testbed: {message}");
}
