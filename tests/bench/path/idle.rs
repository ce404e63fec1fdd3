//! What releases cost that nobody touches.
//!
//! In: releases at rest, and for how long to look. Out: memory, processor time and requests to
//! the API server. Never: a request of our own meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;

use crate::controller::Usage;
use crate::figures::{mebibytes, short, table};
use crate::ground::Ground;

/// After the last change, until there is rest.
const SETTLE: Duration = Duration::from_secs(10);

/// Measures and prints. `at_start` is what the controller used before its first release.
pub(crate) fn measure(
    ground: &Ground,
    releases: usize,
    at_start: Usage,
    time: Duration,
) -> Result<()> {
    std::thread::sleep(SETTLE);
    let requests_before = by_verb(ground)?;
    let before = ground.controller.usage()?;
    std::thread::sleep(time);
    let after = ground.controller.usage()?;
    let requests_after = by_verb(ground)?;
    let minutes = time.as_secs_f64() / 60.0;
    let mut rows = vec![
        vec![
            "resident memory before the first release, MiB".into(),
            mebibytes(at_start.resident),
        ],
        vec![
            "resident memory at rest, MiB".into(),
            mebibytes(after.resident),
        ],
        vec![
            "resident memory at most so far, MiB".into(),
            mebibytes(after.peak),
        ],
    ];
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1000.0 / minutes;
    rows.push(vec!["processor time, ms a minute".into(), short(cpu)]);
    let mut all = 0.0;
    for (verb, count) in &requests_after {
        let count = count - requests_before.get(verb).copied().unwrap_or_default();
        all += count;
        if count > 0.0 {
            rows.push(vec![
                format!("requests to the API server a minute: {verb}"),
                short(count / minutes),
            ]);
        }
    }
    rows.push(vec![
        "requests to the API server a minute: all".into(),
        short(all / minutes),
    ]);
    println!(
        "At rest, with {releases} releases, for {} s.\n",
        time.as_secs()
    );
    table(&["", "pintle"], &rows);
    Ok(())
}

fn by_verb(ground: &Ground) -> Result<BTreeMap<String, f64>> {
    let mut counts = BTreeMap::new();
    for request in ground.testbed.requests_by("pintle/")? {
        *counts.entry(request.verb).or_insert(0.0) += 1.0;
    }
    Ok(counts)
}
