//! Nothing of a testbed outlives the process that started it, not even if that is killed with
//! SIGKILL. Seen from outside, through /proc, so this runs on Linux alone.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::testbed::Testbed;

const FOLDER: &str = "folder of the testbed: ";

/// Not a test: what the tests below run as a process of their own, to have it killed.
#[test]
#[ignore = "it never ends; the other tests here run it"]
fn hold_a_testbed() -> Result<()> {
    let testbed = Testbed::start()?;
    println!("{FOLDER}{}", testbed.dir().display());
    // Goes on for minutes by itself: no pod of it is ever ready.
    let pod = "{apiVersion: v1, kind: Pod, metadata: {name: never, annotations: \
               {testbed.pintle.dev/outcome: never}}, spec: {containers: [{name: a, image: none}]}}";
    testbed
        .kubectl_with_input(&["apply", "-f", "-"], pod)?
        .successful()?;
    testbed.kubectl(&["wait", "pod/never", "--for=condition=Ready", "--timeout=1h"])?;
    Ok(())
}

/// A process of its own that holds a testbed and waits within kubectl; and the testbed's folder.
fn holder() -> Result<(Child, PathBuf)> {
    let mut holder = Command::new(std::env::current_exe()?)
        .args([
            "nothing_left_behind::hold_a_testbed",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .context("start a process that holds a testbed")?;
    let output = BufReader::new(holder.stdout.take().context("read from the holder")?);
    for line in output.lines() {
        if let Some((_, folder)) = line?.split_once(FOLDER) {
            let folder = PathBuf::from(folder);
            until("kubectl waits", || {
                Ok(commands_in(&folder)?.contains("kubectl"))
            })?;
            return Ok((holder, folder));
        }
    }
    bail!("the process that should hold a testbed has ended")
}

/// The processes that work in the folder or were told of it, as `(process, parent, program)`.
fn processes_of(folder: &Path) -> Result<Vec<(u32, u32, String)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")
        .context("list the processes")?
        .flatten()
    {
        let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // A process may end while it is looked at.
        let works_there =
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        let Ok(state) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let (Some(program), Some((_, rest))) =
            (state.split(['(', ')']).nth(1), state.rsplit_once(") "))
        else {
            continue;
        };
        let mut rest = rest.split(' ');
        let (status, parent) = (rest.next(), rest.next());
        if works_there && status != Some("Z") {
            let parent = parent.context("read a process's parent")?.parse()?;
            found.push((process, parent, program.to_owned()));
        }
    }
    Ok(found)
}

fn commands_in(folder: &Path) -> Result<String> {
    let programs: Vec<_> = processes_of(folder)?
        .into_iter()
        .map(|(_, _, name)| name)
        .collect();
    Ok(programs.join(" "))
}

fn until(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + Duration::from_mins(1);
    while !holds()? {
        if Instant::now() > deadline {
            bail!("waited a minute until {what}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

#[test]
fn after_the_holder_is_killed() -> Result<()> {
    let (mut holder, folder) = holder()?;
    let before = commands_in(&folder)?;
    for program in [
        "etcd",
        "kube-apiserver",
        "kube-controller",
        "kube-scheduler",
        "kwok",
        "registry",
    ] {
        assert!(before.contains(program), "{program} is not among {before}");
    }
    holder.kill()?; // SIGKILL: it has no chance to clean up
    holder.wait()?;
    until("every process has ended", || {
        Ok(processes_of(&folder)?.is_empty())
    })?;
    until("the folder is gone", || Ok(!folder.exists()))
}

#[test]
fn after_the_supervisor_is_killed() -> Result<()> {
    let (mut holder, folder) = holder()?;
    let (_, supervisor, _) = processes_of(&folder)?
        .into_iter()
        .find(|(_, _, program)| program == "etcd")
        .context("find the process of etcd")?;
    let killed = Command::new("kill")
        .args(["-9", &supervisor.to_string()])
        .status()?;
    assert!(killed.success());
    let rest = || {
        processes_of(&folder).map(|all| {
            all.into_iter()
                .filter(|(.., name)| name != "kubectl")
                .count()
        })
    };
    until("every component has ended", || Ok(rest()? == 0))?;
    holder.kill()?;
    holder.wait()?;
    until(
        "kubectl has ended",
        || Ok(processes_of(&folder)?.is_empty()),
    )?;
    assert!(folder.exists(), "who was killed cannot have removed it");
    drop(Testbed::start()?);
    assert!(
        !folder.exists(),
        "the next testbed removes what the killed one left"
    );
    Ok(())
}

#[test]
fn after_it_is_dropped() -> Result<()> {
    let testbed = Testbed::start()?;
    let folder = testbed.dir().to_owned();
    assert!(!processes_of(&folder)?.is_empty());
    drop(testbed);
    assert!(processes_of(&folder)?.is_empty());
    assert!(!folder.exists());
    Ok(())
}
