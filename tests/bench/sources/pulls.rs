//! Many charts from one real registry beside `helm pull` of the same, and many releases of one chart.
//!
//! In: how many. Out: rows of times, of requests and of memory. Never: a verdict, but where the bytes
//! that came are not those that were put there.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use pintle::bundle::{self, Descriptor, Layout};
use pintle::source::{ChartRef, Digest, Sources, SourcesConfig};
use tokio::runtime::Runtime;

use crate::figures::{self, Series, short};
use crate::registry::Registry;
use crate::{memory, testbed};

/// Charts that the controller fetches at once.
const AT_ONCE: usize = 8;
/// After so many charts the memory is read for the first time.
const EARLY: usize = 50;

/// A registry with charts, and what they are.
struct Shelf {
    registry: Registry,
    folder: tempfile::TempDir,
    digests: Vec<Digest>,
}

/// Fetches so many charts, and lets helm fetch them, in turn.
pub(crate) fn measure(charts: usize, rounds: usize) -> Result<()> {
    for program in ["helm", "registry", "fill"] {
        if let Err(missing) = testbed::program(program) {
            println!("sources: charts from a registry are left out: {missing:#}");
            return Ok(());
        }
    }
    let shelf = Shelf::fill(charts)?;
    let [mut alone, mut at_once, mut helm] = [const { Series::new() }; 3];
    let mut grown = Vec::new();
    for _ in 0..rounds {
        let (took, memory) = shelf.fetch(1)?;
        alone.push_time(took);
        grown.push(memory);
        at_once.push_time(shelf.fetch(AT_ONCE)?.0);
        helm.push_time(shelf.pull()?);
    }
    let row = |what: &str, series: &Series| {
        let cells = [series.least(), series.median()].map(|time| short(time / 1000.0));
        let share = short(series.least() / helm.least());
        let [least, median] = cells;
        vec![what.to_owned(), least, median, share]
    };
    println!("{charts} charts from one registry, cold, {rounds} rounds in turn\n");
    figures::table(
        &["", "best, s", "median, s", "of helm's"],
        &[
            row("one process, one after the other", &alone),
            row(&format!("one process, {AT_ONCE} at a time"), &at_once),
            row("`helm pull`, one process each, one after the other", &helm),
        ],
    );
    let cells = |memory: &[u64; 3]| {
        let cells = memory.iter().map(|kib| figures::mebibytes(*kib as f64));
        cells.collect::<Vec<_>>()
    };
    let rows = grown.iter().enumerate().map(|(round, memory)| {
        let first = format!("round {}", round + 1);
        [first].into_iter().chain(cells(memory)).collect()
    });
    let early = format!("after {EARLY}, MiB");
    let late = format!("after {charts}, MiB");
    figures::table(
        &["resident", &early, &late, "peak, MiB"],
        &rows.collect::<Vec<_>>(),
    );
    Ok(())
}

/// So many releases of one chart, all at once and then each by itself, as the registry saw it.
pub(crate) fn share(runtime: &Runtime, releases: usize) -> Result<()> {
    let counter = crate::count::serve()?;
    let folder = tempfile::tempdir()?;
    let sources = sources(folder.path())?;
    let chart = crate::reference(
        &format!("oci://{}/charts", counter.address),
        "shop",
        "1.2.3",
    )?;
    let began = Instant::now();
    let fetches = (0..releases).map(|_| sources.fetch(&chart));
    runtime.block_on(futures::future::try_join_all(fetches))?;
    let together = (began.elapsed(), counter.counts());
    let began = Instant::now();
    for _ in 0..releases {
        runtime.block_on(sources.fetch(&chart))?;
    }
    let row = |what: &str, took: Duration, [manifests, blobs]: [usize; 2]| {
        let took = short(took.as_secs_f64());
        vec![
            what.to_owned(),
            manifests.to_string(),
            blobs.to_string(),
            took,
        ]
    };
    let rows = [
        row("declared together", together.0, together.1),
        row("and each once more", began.elapsed(), counter.counts()),
    ];
    println!("{releases} releases of one chart, at the registry\n");
    figures::table(&["so far", "looks at the tag", "downloads", "s"], &rows);
    Ok(())
}

fn sources(cache: &Path) -> Result<Sources> {
    Ok(Sources::new(SourcesConfig {
        allow_insecure: true,
        ..SourcesConfig::new(cache)
    })?)
}

/// One digest of many.
fn sum(digests: &[Digest]) -> String {
    let all: String = digests.iter().map(Digest::to_string).collect();
    Digest::of(all.as_bytes()).to_string()
}

/// What the process does that [`Shelf::fetch`] starts.
pub(crate) async fn fetch(registry: &str, count: usize, at_once: usize) -> Result<()> {
    let cache = tempfile::tempdir()?;
    let repo = format!("oci://{registry}/charts");
    let charts = (0..count).map(|number| crate::reference(&repo, &name(number), "1.0.0"));
    let charts = charts.collect::<Result<Vec<ChartRef>>>()?;
    let began = Instant::now();
    let sources = sources(cache.path())?;
    let fetches = charts.iter().map(|chart| sources.fetch(chart));
    let mut fetches = std::pin::pin!(futures::stream::iter(fetches).buffered(at_once));
    let (mut digests, mut early) = (Vec::new(), 0);
    while let Some(archive) = fetches.try_next().await? {
        digests.push(archive.digest);
        if digests.len() == EARLY {
            early = memory::resident()?;
        }
    }
    let took = began.elapsed().as_millis();
    let (late, peak) = (memory::resident()?, memory::peak()?);
    println!("{took} {early} {late} {peak} {}", sum(&digests));
    Ok(())
}

fn name(number: usize) -> String {
    format!("chart-{number:03}")
}

impl Shelf {
    fn fill(charts: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let registry = Registry::start(folder.path(), None).context("there is no registry")?;
        let layout = folder.path().join("layout");
        fs::create_dir_all(layout.join("blobs/sha256"))?;
        let keep = |bytes: &[u8]| {
            let path = bundle::blob_path(&bundle::digest(bytes));
            fs::write(layout.join(path), bytes)
        };
        let (mut index, mut digests) = (Layout::default(), Vec::new());
        for number in 0..charts {
            let archive = archive(&name(number))?;
            let packed = bundle::pack(&archive, None)?;
            for part in [&archive, &packed.manifest, &packed.config] {
                keep(part)?;
            }
            let manifest = Descriptor::of(bundle::MANIFEST, &packed.manifest);
            index.name(&format!("charts/{}:1.0.0", name(number)), manifest);
            digests.push(Digest::of(&archive));
        }
        fs::write(layout.join(bundle::LAYOUT_FILE), bundle::LAYOUT)?;
        fs::write(layout.join("index.json"), index.index()?)?;
        let filled = Command::new(testbed::program("fill")?)
            .arg(&layout)
            .arg(&registry.address)
            .stdout(Stdio::null())
            .status()?;
        ensure!(filled.success(), "the registry cannot be filled: {filled}");
        Ok(Self {
            registry,
            folder,
            digests,
        })
    }

    /// All charts, so many at once, with an empty cache, by a process of its own: the time, and what
    /// memory it took after a few, after all, and at most, in KiB.
    fn fetch(&self, at_once: usize) -> Result<(Duration, [u64; 3])> {
        let fetched = Command::new(std::env::current_exe()?)
            .args(["--bench", "--fetch-from", &self.registry.address])
            .args(["--charts", &self.digests.len().to_string()])
            .args(["--at-once", &at_once.to_string()])
            .output()?;
        let said = String::from_utf8(fetched.stdout)?;
        let words: Vec<&str> = said.split_whitespace().collect();
        let [time, early, late, peak, digest] = &words[..] else {
            let reason = String::from_utf8_lossy(&fetched.stderr);
            bail!("the charts were not fetched: {reason}");
        };
        ensure!(*digest == sum(&self.digests), "other charts were fetched");
        let memory = [early.parse()?, late.parse()?, peak.parse()?];
        Ok((Duration::from_millis(time.parse()?), memory))
    }

    /// The same by helm, a process each.
    fn pull(&self) -> Result<Duration> {
        let home = tempfile::tempdir_in(self.folder.path())?;
        let helm = testbed::program("helm")?;
        let began = Instant::now();
        for number in 0..self.digests.len() {
            let url = format!("oci://{}/charts/{}", self.registry.address, name(number));
            let pulled = Command::new(&helm)
                .args(["pull", &url, "--version", "1.0.0", "--plain-http", "-d"])
                .arg(home.path())
                .env_clear()
                .env("HOME", home.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()?;
            if !pulled.success() {
                bail!("helm pull {url}: {pulled}");
            }
        }
        let took = began.elapsed();
        for (number, digest) in self.digests.iter().enumerate() {
            let path = home.path().join(format!("{}-1.0.0.tgz", name(number)));
            ensure!(Digest::of(&fs::read(path)?) == *digest, "helm has another");
        }
        Ok(took)
    }
}

/// A chart of some 30 KiB.
fn archive(name: &str) -> Result<Vec<u8>> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut builder = tar::Builder::new(encoder);
    let mut add = |path: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, format!("{name}/{path}"), bytes)
    };
    let chart = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    add("Chart.yaml", chart.as_bytes())?;
    let mut notes = Vec::new();
    for line in 0..900 {
        let sum = Digest::of(format!("{name} {line}").as_bytes());
        writeln!(notes, "# {sum}")?;
    }
    add("values.yaml", &notes)?;
    Ok(builder.into_inner()?.finish()?)
}
