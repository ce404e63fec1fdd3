//! The charts of the corpus, where it is at hand.
//!
//! In: `../shared/corpus` beside the repository, or the folder that its `check` unpacked. Out: the
//! folders of a few well-known charts, or the first case of each chart that renders. Never: a download.

#![allow(
    dead_code,
    reason = "each benchmark that includes this room uses another part of it"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

/// How the folders of the charts begin: repository and name, then the version.
const CHARTS: [(&str, &str); 5] = [
    (
        "kube-prometheus-stack",
        "prometheus-community_helm-charts__",
    ),
    ("harbor", "bitnami_charts__"),
    ("airflow", "bitnami_charts__"),
    ("wordpress", "helm_charts__"),
    ("podinfo", "fluxcd_flagger__"),
];

/// The name with its version, and the folder, of each chart that is there.
pub(crate) fn charts() -> Result<Vec<(String, PathBuf)>> {
    let folder = unpacked()?.join("charts");
    let mut found = Vec::new();
    for (name, repository) in CHARTS {
        let prefix = format!("{repository}{name}-");
        let entries =
            fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
        let ids = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        match ids.filter(|id| id.starts_with(&prefix)).max() {
            Some(id) => {
                let version = id.trim_start_matches(&prefix);
                found.push((format!("{name} {version}"), folder.join(&id).join(name)));
            }
            None => println!("{name}: skipped: it is not in the corpus\n"),
        }
    }
    Ok(found)
}

/// A chart with values that it renders with.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Task {
    pub(crate) chart: PathBuf,
    pub(crate) values: Option<PathBuf>,
    pub(crate) skip_schema: bool,
}

/// The first case of each chart of the corpus that Helm does not refuse.
pub(crate) fn tasks() -> Result<Vec<Task>> {
    #[derive(Deserialize)]
    struct Chart {
        dir: PathBuf,
        cases: Vec<Case>,
    }
    #[derive(Deserialize)]
    struct Case {
        exit: i32,
        skip_schema: bool,
        values: Option<PathBuf>,
    }
    let folder = unpacked()?;
    let index = folder.join("index.json");
    let text = fs::read(&index).with_context(|| format!("read {}", index.display()))?;
    let charts: Vec<Chart> = serde_json::from_slice(&text).context("decode the corpus's index")?;
    let first = |chart: Chart| {
        let case = chart.cases.into_iter().find(|case| case.exit == 0)?;
        Some(Task {
            chart: folder.join(&chart.dir),
            values: case.values.map(|values| folder.join(values)),
            skip_schema: case.skip_schema,
        })
    };
    Ok(charts.into_iter().filter_map(first).collect())
}

/// The folder into which the corpus's own `check` unpacks it, filled now if it is not.
pub(crate) fn unpacked() -> Result<PathBuf> {
    let folder = std::env::temp_dir().join("helm-corpus");
    if folder.join("index.json").is_file() {
        return Ok(folder);
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
    // The second brings index.json, so a folder that has it is complete.
    for archive in ["charts.tar.zst", "cases.tar.zst"] {
        let archive = corpus.join(archive);
        if !archive.is_file() {
            bail!("there is no {}", archive.display());
        }
        unpack(&archive, &folder).with_context(|| format!("unpack {}", archive.display()))?;
    }
    Ok(folder)
}

fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let mut zstd = Command::new("zstd")
        .args(["-dc", "--long=27"])
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()
        .context("run zstd: is it installed?")?;
    let stream = zstd.stdout.take().context("read from zstd")?;
    let tar = Command::new("tar")
        .arg("-x")
        .arg("-C")
        .arg(folder)
        .stdin(stream)
        .status();
    let (tar, zstd) = (
        tar.context("run tar")?,
        zstd.wait().context("wait for zstd")?,
    );
    if !tar.success() || !zstd.success() {
        bail!("zstd ended with {zstd}, tar with {tar}");
    }
    Ok(())
}
