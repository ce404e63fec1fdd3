//! What it takes to find charts in the index of a large repository, in memory above all, and to fetch
//! many from a registry. `cargo bench --bench sources`; see tests/bench/README.md. Ends with an error
//! where an index takes more memory than the bar.

mod count;
#[path = "../figures.rs"]
mod figures;
mod memory;
mod pulls;
#[allow(
    clippy::unwrap_used,
    reason = "where there is no registry, there is nothing to measure"
)]
#[path = "../../places/registry.rs"]
mod registry;
#[path = "../../testbed/mod.rs"]
mod testbed;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use anyhow::{Result, bail};
use clap::Parser;
use pintle::source::{ChartRef, Sources, SourcesConfig};

/// The bar of a 26 MiB index, in KiB.
const BAR: u64 = 20 << 10;
const CHART: &[u8] = b"\x1f\x8b bytes that stand for a chart";

/// Measures how charts are found and fetched.
#[derive(Parser)]
struct Arguments {
    /// How many charts of one large index are fetched at once; 0 leaves indexes out.
    #[arg(long, default_value_t = 50)]
    index_charts: usize,
    /// How many charts are fetched from a registry; 0 leaves this out.
    #[arg(long, default_value_t = 500)]
    charts: usize,
    /// How often.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many releases of one chart there are; 0 leaves this out.
    #[arg(long, default_value_t = 1000)]
    releases: usize,
    /// Only fetch the charts from this registry: what the benchmark has another process do.
    #[arg(long, hide = true)]
    fetch_from: Option<String>,
    #[arg(long, hide = true, default_value_t = 1)]
    at_once: usize,
    /// Put there by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<()> {
    if !figures::is_wanted() {
        return Ok(());
    }
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if let Some(registry) = &arguments.fetch_from {
        return runtime.block_on(pulls::fetch(registry, arguments.charts, arguments.at_once));
    }
    println!("sources: {}\n", figures::surroundings());
    let worst = match arguments.index_charts {
        0 => 0,
        charts => indexes(&runtime, charts)?,
    };
    if arguments.releases > 0 {
        pulls::share(&runtime, arguments.releases)?;
    }
    if arguments.charts > 0 {
        pulls::measure(arguments.charts, arguments.rounds.max(1))?;
    }
    println!("At the end: {}", figures::surroundings());
    if worst >= BAR {
        bail!("an index took more than {BAR} KiB");
    }
    Ok(())
}

/// One chart of an index, and then so many at once; answers the most memory that was taken.
fn indexes(runtime: &tokio::runtime::Runtime, at_once: usize) -> Result<u64> {
    let (mut worst, mut rows) = (0, Vec::new());
    for json in [false, true] {
        for charts in [1, at_once] {
            // The first fetch brings up the TLS library, the threads and the client.
            let (small, large) = (serve(2, json)?, serve(26 << 20, json)?);
            let sources = Sources::new(SourcesConfig {
                allow_insecure: true,
                ..SourcesConfig::in_memory()
            })?;
            let named =
                |at: SocketAddr, name: &str| reference(&format!("http://{at}"), name, "1.2.3");
            runtime.block_on(sources.fetch(&named(small, "shop")?))?;
            memory::reset_peak()?;
            let before = memory::peak()?;
            let began = Instant::now();
            let wanted = (1..charts).map(|number| named(large, &format!("chart-{number}")));
            let wanted = wanted.chain([named(large, "shop")]);
            let wanted = wanted.collect::<Result<Vec<_>>>()?;
            let fetches = wanted.iter().map(|chart| sources.fetch(chart));
            runtime.block_on(futures::future::try_join_all(fetches))?;
            let took = began.elapsed();
            let peak = memory::peak()?.saturating_sub(before);
            worst = worst.max(peak);
            rows.push(vec![
                format!(
                    "{charts} of 26 MiB of {}",
                    if json { "JSON" } else { "YAML" }
                ),
                figures::short(took.as_secs_f64()),
                figures::mebibytes(peak as f64),
            ]);
        }
    }
    figures::table(
        &[
            "charts of an index",
            "s",
            "peak memory above the beginning, MiB",
        ],
        &rows,
    );
    Ok(worst)
}

fn reference(repo: &str, name: &str, version: &str) -> Result<ChartRef> {
    Ok(ChartRef {
        repo: repo.parse()?,
        name: name.to_owned(),
        version: version.to_owned(),
        checkout: None,
        digest: None,
        recorded: None,
        accepted: None,
        pass_credentials: false,
        route: Default::default(),
        insecure: true,
        credentials: None,
        tls: None,
    })
}

/// A repository whose index has about so many bytes. They are made as they are sent.
fn serve(bytes: usize, json: bool) -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // An error is the client's, who then fails.
            let _ = answer(stream, bytes, json);
        }
    });
    Ok(address)
}

fn answer(stream: TcpStream, bytes: usize, json: bool) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut stream = reader.into_inner();
    stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
    if !first.contains("index.yaml") {
        stream.write_all(CHART)?;
        return Ok(());
    }
    let begin = if json {
        "{\"apiVersion\":\"v1\",\"entries\":{"
    } else {
        "apiVersion: v1\nentries:\n"
    };
    stream.write_all(begin.as_bytes())?;
    let mut sent = 0;
    let mut number = 0;
    while sent < bytes {
        let name = if number == 60 {
            "shop".to_owned()
        } else {
            format!("chart-{number}")
        };
        let entry = entry(&name, json, number == 0);
        sent += entry.len();
        number += 1;
        stream.write_all(entry.as_bytes())?;
    }
    let shop = if number > 60 {
        String::new()
    } else {
        entry("shop", json, false)
    };
    let end = if json {
        "}}"
    } else {
        "generated: \"2026-01-01T00:00:00Z\"\n"
    };
    stream.write_all(format!("{shop}{end}").as_bytes())?;
    Ok(())
}

/// A chart with 300 versions, as large repositories have them.
fn entry(name: &str, json: bool, first: bool) -> String {
    let mut text = String::new();
    if json {
        let comma = if first { "" } else { "," };
        let _ = write!(text, "{comma}\"{name}\":[");
    } else {
        let _ = writeln!(text, "  {name}:");
    }
    for patch in 0..300 {
        let sum = "0123456789abcdef".repeat(2);
        let text = &mut text;
        let _ = if json {
            let comma = if patch == 0 { "" } else { "," };
            write!(
                text,
                "{comma}{{\"annotations\":{{\"sum\":\"{sum}\"}},\"apiVersion\":\"v2\",\"created\":\"2026-01-01T00:00:00Z\",\"description\":\"A chart of a large repository, which says at some length what it is for and how it is used.\",\"home\":\"https://charts.example.com/{name}\",\"maintainers\":[{{\"email\":\"somebody@example.com\",\"name\":\"somebody\"}}],\"name\":\"{name}\",\"urls\":[\"{name}-1.2.{patch}.tgz\"],\"version\":\"1.2.{patch}\"}}"
            )
        } else {
            write!(
                text,
                "  - annotations:\n      sum: {sum}\n    apiVersion: v2\n    created: \"2026-01-01T00:00:00Z\"\n    description: A chart of a large repository, which says at some length what\n      it is for and how it is used.\n    home: https://charts.example.com/{name}\n    maintainers:\n    - email: somebody@example.com\n      name: somebody\n    name: {name}\n    urls:\n    - {name}-1.2.{patch}.tgz\n    version: 1.2.{patch}\n"
            )
        };
    }
    if json {
        text.push(']');
    }
    text
}
