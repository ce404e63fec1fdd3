//! The supervisor process, which holds all others.
//!
//! In: the built binaries. Out: where everything answers ([`Ready`]), and the outages that a test
//! asks for. Never: a way to leave the supervisor running: it ends when our end of its stdin
//! closes, which the kernel does for us if we are killed.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

use super::binaries::program;

/// Where everything answers.
pub(crate) struct Ready {
    pub(crate) folder: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) server: String,
    pub(crate) registry: String,
    pub(crate) charts_url: String,
    pub(crate) charts_path: PathBuf,
    pub(crate) audit_log: Option<PathBuf>,
}

pub(crate) struct Supervisor {
    process: Child,
    // Taken when it ends: closing it is what ends the supervisor.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Supervisor {
    /// Returns when every component is ready, or with the end of the log of the one that is not.
    pub(crate) fn start(audit: bool) -> anyhow::Result<(Supervisor, Ready)> {
        let etcd = program("etcd")?;
        let control_plane = etcd
            .parent()
            .context("find the folder of etcd: it has none")?;
        let mut command = Command::new(program("supervisor")?);
        command
            .arg("--binaries")
            .arg(control_plane)
            .arg("--kwok")
            .arg(program("kwok")?)
            .arg("--registry")
            .arg(program("registry")?)
            .arg(format!("--audit={audit}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Out of the terminal's group: Ctrl-C is for us, and the components have to serve
            // until we have ended in good order.
            .process_group(0);
        let mut process = command
            .spawn()
            .with_context(|| format!("start the testbed's supervisor {command:?}"))?;
        let input = process.stdin.take();
        let output = process
            .stdout
            .take()
            .context("read from the testbed's supervisor")?;
        let mut supervisor = Supervisor {
            process,
            input,
            output: BufReader::new(output),
        };
        let answer = supervisor.answer().context("start the testbed")?;
        let ready = Ready::read(&answer["ready"]).context("start the testbed")?;
        Ok((supervisor, ready))
    }

    /// Has one line obeyed.
    pub(crate) fn ask(&mut self, line: &str) -> anyhow::Result<()> {
        let input = self
            .input
            .as_mut()
            .context("speak to the testbed's supervisor: it has ended")?;
        writeln!(input, "{line}")
            .with_context(|| format!("ask the testbed's supervisor: {line}"))?;
        self.answer().with_context(|| format!("testbed: {line}"))?;
        Ok(())
    }

    fn answer(&mut self) -> anyhow::Result<Value> {
        let mut line = String::new();
        self.output
            .read_line(&mut line)
            .context("read from the testbed's supervisor")?;
        if line.is_empty() {
            bail!("the testbed's supervisor has ended; what it last said stands on stderr");
        }
        let answer: Value = serde_json::from_str(&line)
            .with_context(|| format!("understand the testbed's supervisor: {line}"))?;
        match answer["error"].as_str() {
            Some(error) => bail!("{error}"),
            None => Ok(answer),
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.input.take());
        // It kills its children, which takes milliseconds, and is not waited for in vain: it has
        // no other way to go on.
        let _ = self.process.wait();
    }
}

impl Ready {
    fn read(value: &Value) -> anyhow::Result<Ready> {
        let text = |field: &str| -> anyhow::Result<String> {
            let text = value[field].as_str();
            Ok(text
                .with_context(|| format!("the supervisor did not name its {field}"))?
                .to_owned())
        };
        Ok(Ready {
            folder: text("folder")?.into(),
            kubeconfig: text("kubeconfig")?.into(),
            server: text("server")?,
            registry: text("registry")?,
            charts_url: text("charts_url")?,
            charts_path: text("charts_path")?.into(),
            audit_log: value["audit_log"].as_str().map(PathBuf::from),
        })
    }
}
