//! What it takes to find one chart in the index of a large repository, in memory above all.
//! `cargo bench --bench sources`; see tests/bench/README.md. Ends with an error where the memory is
//! more than the bar.

#[path = "../figures.rs"]
mod figures;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use pintle::source::{ChartRef, Sources, SourcesConfig};

/// The bar of a 26 MB index.
const BAR: u64 = 20 << 20;
const CHART: &[u8] = b"\x1f\x8b bytes that stand for a chart";

fn main() -> Result<()> {
    if !figures::is_wanted() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    println!("| index | form | time | peak memory above the beginning | of the index |");
    println!("|---:|---|---:|---:|---:|");
    let mut worst = 0;
    for json in [false, true] {
        // The first fetch brings up the TLS library, the threads and the client.
        let (small, large) = (serve(2, json)?, serve(26 << 20, json)?);
        let sources = Sources::new(SourcesConfig {
            allow_insecure: true,
            ..SourcesConfig::in_memory()
        })?;
        runtime.block_on(sources.fetch(&reference(small)?))?;
        let before = reset()?;
        let began = Instant::now();
        runtime.block_on(sources.fetch(&reference(large)?))?;
        let took = began.elapsed();
        let peak = peak()?.saturating_sub(before);
        worst = worst.max(peak);
        #[allow(clippy::cast_precision_loss, reason = "megabytes")]
        let (peak, share) = (
            peak as f64 / f64::from(1 << 20),
            peak as f64 / f64::from(26 << 20),
        );
        let form = if json { "JSON" } else { "YAML" };
        println!("| 26 MiB | {form} | {took:.2?} | {peak:.1} MiB | {share:.2} |");
    }
    if worst >= BAR {
        bail!("more than {BAR} bytes were taken");
    }
    Ok(())
}

fn reference(address: SocketAddr) -> Result<ChartRef> {
    Ok(ChartRef {
        repo: format!("http://{address}").parse()?,
        name: "shop".to_owned(),
        version: "1.2.3".to_owned(),
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

/// The resident size now, from which the peak is counted anew.
fn reset() -> Result<u64> {
    std::fs::write("/proc/self/clear_refs", "5").context("reset the peak")?;
    peak()
}

/// The peak resident size since.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB"));
    let kib: u64 = kib
        .context("no peak in /proc/self/status")?
        .trim()
        .parse()?;
    Ok(kib << 10)
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
