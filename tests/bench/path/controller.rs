//! The controller under measurement: the release binary, as a process of its own.
//!
//! In: a testbed. Out: the running process, what the kernel says of it, and what its /metrics say.
//! Never: the controller inside the benchmark's own process, whose memory and time are not its.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::testbed::{Testbed, program};

/// How long the controller may take to come up before the benchmark gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// `pintle run`, killed when dropped.
pub(crate) struct Controller {
    process: Child,
    pages: String,
    /// Its charts, which go with it.
    _cache: tempfile::TempDir,
}

/// What the kernel says of the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// Resident now, in KiB.
    pub(crate) resident: f64,
    /// Resident at most so far, in KiB.
    pub(crate) peak: f64,
    /// Processor time so far, user and system.
    pub(crate) cpu: Duration,
}

/// For each stage of a turn: how often it was taken, and for how many seconds in all.
pub(crate) type Stages = BTreeMap<String, (f64, f64)>;

impl Controller {
    /// Starts it and returns when it is ready.
    pub(crate) fn start(testbed: &Testbed) -> Result<Controller> {
        let cache = tempfile::tempdir().context("make a folder for the controller's charts")?;
        let log = testbed.dir().join("pintle.log");
        let output = File::create(&log).with_context(|| format!("write {}", log.display()))?;
        // `supervisor exec` becomes the controller, and lets the kernel end it with this process.
        let process = Command::new(program("supervisor")?)
            .arg("exec")
            .arg(env!("CARGO_BIN_EXE_pintle"))
            .args([
                "run",
                "--metrics-addr",
                "127.0.0.1:0",
                "--allow-insecure-sources",
            ])
            .arg("--cache-dir")
            .arg(cache.path())
            .env("KUBECONFIG", testbed.kubeconfig())
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("share the controller's log")?)
            .stderr(output)
            .spawn()
            .context("start `pintle run`")?;
        let mut controller = Controller {
            process,
            pages: String::new(),
            _cache: cache,
        };
        controller.await_ready(&log)?;
        Ok(controller)
    }

    fn await_ready(&mut self, log: &Path) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                bail!(
                    "`pintle run` ended with {status}:\n{}",
                    fs::read_to_string(log)?
                );
            }
            if self.pages.is_empty() {
                self.pages = announced(&fs::read_to_string(log)?).unwrap_or_default();
            } else if self
                .page("/readyz")
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
            {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("`pintle run` is not ready:\n{}", fs::read_to_string(log)?)
    }

    /// What the kernel says of it now.
    pub(crate) fn usage(&self) -> Result<Usage> {
        let folder = PathBuf::from(format!("/proc/{}", self.process.id()));
        let status = fs::read_to_string(folder.join("status")).context("read /proc/PID/status")?;
        let size = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let figure = line.and_then(|rest| rest.split_whitespace().next());
            figure
                .and_then(|kibibytes| kibibytes.parse().ok())
                .with_context(|| format!("read {name}"))
        };
        let stat = fs::read_to_string(folder.join("stat")).context("read /proc/PID/stat")?;
        Ok(Usage {
            resident: size("VmRSS:")?,
            peak: size("VmHWM:")?,
            cpu: processor_time(&stat)?,
        })
    }

    /// What /metrics say of the stages.
    pub(crate) fn stages(&self) -> Result<Stages> {
        const NAME: &str = "planton_helm_release_stage_duration_seconds_";
        let mut stages = Stages::new();
        for line in self.page("/metrics")?.lines() {
            let Some((series, value)) = line
                .strip_prefix(NAME)
                .and_then(|rest| rest.split_once(' '))
            else {
                continue;
            };
            let Some((figure, stage)) = series.split_once("{stage=\"") else {
                continue;
            };
            let entry = stages.entry(stage.trim_end_matches("\"}").to_owned());
            let value: f64 = value.trim().parse().context("read a figure of /metrics")?;
            match figure {
                "count" => entry.or_default().0 = value,
                "sum" => entry.or_default().1 = value,
                _ => {}
            }
        }
        Ok(stages)
    }

    fn page(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(&self.pages).context("connect to the controller")?;
        let host = &self.pages;
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        // Errors mean that it has ended already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The address in the controller's first words.
fn announced(log: &str) -> Option<String> {
    log.lines().find_map(|line| {
        let said: Value = serde_json::from_str(line).ok()?;
        Some(said["address"].as_str()?.to_owned())
    })
}

/// User and system time: the 14th and 15th field, in hundredths of a second on every Linux.
fn processor_time(stat: &str) -> Result<Duration> {
    // The second field is the program's name in parentheses, and may hold anything.
    let (_, rest) = stat.rsplit_once(')').context("read /proc/PID/stat")?;
    let ticks = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u64>);
    let ticks = ticks
        .sum::<Result<u64, _>>()
        .context("read /proc/PID/stat")?;
    Ok(Duration::from_millis(ticks * 10))
}
