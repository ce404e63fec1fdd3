//! Running a tool to its end.
//!
//! In: a prepared command, and what it is to read. Out: what it said and whether it succeeded; a
//! failure of the tool is a fact to be looked at, not an error. Never: the tool's choice or its
//! environment, which are the testbed's.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// A tool that ran to its end.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// The command as it would be typed, for messages.
    pub(crate) command: String,
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Its stdout, if it succeeded; else an error with all that it said.
    pub(crate) fn successful(self) -> anyhow::Result<String> {
        if self.success {
            return Ok(self.stdout);
        }
        bail!("{} failed:\n{}{}", self.command, self.stdout, self.stderr)
    }

    /// Its stderr, if it failed; else an error, for tests that expect a refusal.
    pub(crate) fn refused(self) -> anyhow::Result<String> {
        if self.success {
            bail!(
                "{} succeeded, and was expected to be refused:\n{}",
                self.command,
                self.stdout
            )
        }
        Ok(self.stderr)
    }
}

pub(crate) fn run(command: &mut Command, input: Option<&str>) -> anyhow::Result<Finished> {
    let line = as_typed(command);
    command
        .stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn().with_context(|| format!("start {line}"))?;
    let output = std::thread::scope(|scope| {
        if let (Some(mut stdin), Some(input)) = (process.stdin.take(), input) {
            // Beside the reading: a tool that answers before it has read all would block us both.
            // One that stops reading early says why on stderr.
            scope.spawn(move || stdin.write_all(input.as_bytes()));
        }
        process.wait_with_output()
    });
    let output = output.with_context(|| format!("wait for {line}"))?;
    Ok(Finished {
        command: line,
        success: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Leaves out the `supervisor exec FOLDER/` that stands before each tool.
fn as_typed(command: &Command) -> String {
    let mut arguments = command.get_args().skip(1);
    let tool = arguments
        .next()
        .map(std::path::Path::new)
        .and_then(std::path::Path::file_name);
    let mut line = tool
        .unwrap_or_else(|| command.get_program())
        .to_string_lossy()
        .into_owned();
    for argument in arguments {
        let _ = write!(line, " {}", argument.to_string_lossy());
    }
    line
}
