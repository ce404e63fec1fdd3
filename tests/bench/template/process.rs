//! One render as one process: its output, its time, its peak memory.
//!
//! In: a program that takes `template` and a chart's folder. Out: what one run of it cost. Never:
//! a run that failed counted as a fast one.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// GNU time, which asks the kernel for the peak of a process that has ended.
const GNU_TIME: &str = "/usr/bin/time";

/// A program that renders charts.
pub(crate) struct Renderer {
    program: PathBuf,
    home: PathBuf,
}

impl Renderer {
    pub(crate) fn new(program: &Path, home: &Path) -> Self {
        Self {
            program: program.to_owned(),
            home: home.to_owned(),
        }
    }

    /// What it prints.
    pub(crate) fn output(&self, chart: &Path) -> Result<Vec<u8>> {
        let finished = self
            .command(&[], chart)
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .output();
        let finished = finished.with_context(|| self.starting())?;
        self.check(finished.status)
            .context(String::from_utf8_lossy(&finished.stderr).into_owned())?;
        Ok(finished.stdout)
    }

    /// How long it takes, from before the process is made until it has ended.
    pub(crate) fn time(&self, chart: &Path) -> Result<Duration> {
        let mut command = self.command(&[], chart);
        let began = Instant::now();
        let status = command.status();
        let took = began.elapsed();
        self.check(status.with_context(|| self.starting())?)?;
        Ok(took)
    }

    /// Both programs get the same arguments and see nothing of the user's settings.
    fn command(&self, before: &[&str], chart: &Path) -> Command {
        let mut words = before
            .iter()
            .map(AsRef::as_ref)
            .chain([self.program.as_os_str()]);
        // The program itself is always there.
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .args(["template", "rel"])
            .arg(chart)
            .args(["-n", "ns1", "--kube-version", "1.36.3", "--include-crds"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn check(&self, status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("{} template ended with {status}", self.program.display());
        }
        Ok(())
    }

    fn starting(&self) -> String {
        format!("start {}", self.program.display())
    }
}

/// How peak memory is learnt.
pub(crate) enum Meter {
    /// By GNU time, which writes into this file: exact.
    Time(PathBuf),
    /// By looking at `VmHWM` until the process is gone: at least so much.
    Polling,
}

impl Meter {
    /// GNU time if it is installed.
    pub(crate) fn choose(folder: &Path) -> Self {
        let report = folder.join("peak");
        let tried = Command::new(GNU_TIME)
            .args(["-f", "%M", "-o"])
            .arg(&report)
            .arg("true")
            .status();
        let works = tried.is_ok_and(|status| status.success()) && peak_in(&report).is_ok();
        if works {
            Self::Time(report)
        } else {
            Self::Polling
        }
    }

    /// The most memory that one run held, in KiB.
    pub(crate) fn peak(&self, renderer: &Renderer, chart: &Path) -> Result<f64> {
        match self {
            Self::Time(report) => {
                let file = report.to_string_lossy();
                let before = [GNU_TIME, "-f", "%M", "-o", &*file];
                let status = renderer.command(&before, chart).status();
                renderer.check(status.with_context(|| renderer.starting())?)?;
                peak_in(report)
            }
            Self::Polling => polled(renderer, chart),
        }
    }
}

impl fmt::Display for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(_) => write!(f, "the kernel's peak resident size, by GNU time"),
            Self::Polling => write!(
                f,
                "VmHWM, looked at until the end; GNU time is not installed"
            ),
        }
    }
}

fn peak_in(report: &Path) -> Result<f64> {
    let text = fs::read_to_string(report).context("read what GNU time reported")?;
    text.trim()
        .parse()
        .with_context(|| format!("GNU time reported {text:?}"))
}

fn polled(renderer: &Renderer, chart: &Path) -> Result<f64> {
    let mut process = renderer
        .command(&[], chart)
        .spawn()
        .with_context(|| renderer.starting())?;
    let status_file = format!("/proc/{}/status", process.id());
    let mut peak: f64 = 0.0;
    loop {
        // A process that has ended has no such line, and keeps the last one that was seen.
        let status = fs::read_to_string(&status_file).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        peak = peak.max(size.unwrap_or_default());
        if let Some(status) = process.try_wait().context("wait for a renderer")? {
            renderer.check(status)?;
            return if peak > 0.0 {
                Ok(peak)
            } else {
                bail!("its peak memory was never seen")
            };
        }
    }
}
