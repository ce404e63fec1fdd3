//! The fetcher against servers that behave and that do not.
#![allow(clippy::unwrap_used)]

mod cache;
mod cloud;
mod git;
mod network;
mod registry;
mod repository;
mod retries;
mod server;
mod signed;
mod tls;
mod web;
mod whole;

use std::time::Duration;

use tempfile::TempDir;

use super::{ChartRef, Sources, SourcesConfig};

/// Bytes that stand for a chart; nobody unpacks them here.
const CHART: &[u8] = b"\x1f\x8b the bytes of a chart, which this room never opens";

/// A fetcher with a cache of its own, short times and small bounds.
struct Fetcher {
    sources: Sources,
    cache: TempDir,
}

impl Fetcher {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut SourcesConfig)) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let mut config = SourcesConfig::new(cache.path());
        config.allow_insecure = true;
        config.limits.archive = 10_000;
        config.limits.manifest = 4_000;
        config.limits.index = 8_000;
        config.timeouts.idle = Duration::from_secs(20);
        config.timeouts.whole = Duration::from_secs(40);
        // Most tests count requests.
        config.retries.count = 0;
        config.retries.pause = Duration::from_millis(1);
        change(&mut config);
        Self {
            sources: Sources::new(config).unwrap(),
            cache,
        }
    }

    async fn fetch(&self, chart: &ChartRef) -> Result<super::Archive, super::Error> {
        self.sources.fetch(chart).await
    }
}

/// Chart `shop` 1.2.3 of a repository, over plain HTTP.
fn shop(repo: &str) -> ChartRef {
    ChartRef {
        repo: repo.parse().unwrap(),
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
    }
}
