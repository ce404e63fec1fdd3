//! A registry with one chart that counts what it is asked for. In this process, so that it is exact.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::Result;
use pintle::source::Digest;

use crate::CHART;

/// The registry, and its counts of manifests and blobs.
pub(crate) struct Counter {
    pub(crate) address: SocketAddr,
    seen: Arc<[AtomicUsize; 2]>,
}

impl Counter {
    pub(crate) fn counts(&self) -> [usize; 2] {
        [0, 1].map(|kind| self.seen[kind].load(Ordering::Relaxed))
    }
}

pub(crate) fn serve() -> Result<Counter> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let counter = Counter {
        address: listener.local_addr()?,
        seen: Arc::default(),
    };
    let seen = Arc::clone(&counter.seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let seen = Arc::clone(&seen);
            // An error is the client's, who then fails.
            thread::spawn(move || answer(stream, &seen));
        }
    });
    Ok(counter)
}

fn answer(stream: TcpStream, seen: &[AtomicUsize; 2]) -> Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut first, mut line) = (String::new(), String::new());
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        while reader.read_line(&mut line)? > 2 {
            line.clear();
        }
        let is_blob = first.contains("/blobs/");
        seen[usize::from(is_blob)].fetch_add(1, Ordering::Relaxed);
        let manifest = format!(
            "{{\"config\":{{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":\"{}\",\"size\":2}},\
             \"layers\":[{{\"mediaType\":\"application/vnd.cncf.helm.chart.content.v1.tar+gzip\",\"digest\":\"{}\",\"size\":{}}}]}}",
            Digest::of(b"{}"),
            Digest::of(CHART),
            CHART.len()
        );
        let body = if is_blob { CHART } else { manifest.as_bytes() };
        let mut reply =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
        reply.extend_from_slice(body);
        reader.get_mut().write_all(&reply)?;
    }
}
