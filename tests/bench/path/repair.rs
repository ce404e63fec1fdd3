//! From the loss of an object to its return.
//!
//! In: releases at rest. Out: how long a Deployment that somebody deleted was gone, from the API
//! server's acknowledgement of the deletion to the moment a watch shows the new one. Never: one
//! object so often that the controller takes it for a fight.

use std::time::Duration;

use anyhow::{Context, Result};
use kube::api::DeleteParams;

use crate::figures::{Series, short, table};
use crate::ground::Ground;
use crate::witness::{DEPLOYMENT, Witness, api};

/// Between two repairs, so that the turn after the repair is over.
const SETTLE: Duration = Duration::from_secs(1);

/// Measures and prints.
pub(crate) fn measure(ground: &Ground, namespaces: &[String], count: usize) -> Result<()> {
    let (mut returned, mut ready) = (Series::default(), Series::default());
    for namespace in namespaces.iter().cycle().take(count) {
        std::thread::sleep(SETTLE);
        let (back, well) = repair(ground, namespace).with_context(|| {
            format!("delete the Deployment of {namespace} and await its return")
        })?;
        returned.push_time(back);
        ready.push_time(well);
    }
    println!("Repair of a deleted Deployment, ms, {count} times.\n");
    let row = |title: &str, took: &Series| {
        vec![
            title.to_owned(),
            short(took.median()),
            short(took.least()),
            short(took.most()),
        ]
    };
    let rows = [
        row("deletion acknowledged → created anew", &returned),
        row("deletion acknowledged → its pods ready", &ready),
    ];
    table(&["", "median", "min", "max"], &rows);
    Ok(())
}

/// How long until it was there again, and until it was ready again.
fn repair(ground: &Ground, namespace: &str) -> Result<(Duration, Duration)> {
    let witness = Witness::of(&ground.runtime, &ground.client, namespace, &[DEPLOYMENT])?;
    let present = witness.next()?;
    let api = api(&ground.client, DEPLOYMENT, namespace);
    let acknowledged = ground.runtime.block_on(async {
        let deleted = api.delete(&present.name, &DeleteParams::background()).await;
        deleted.map(|_| std::time::Instant::now())
    })?;
    let same = |name: &str, uid: &str| name == present.name && uid != present.uid;
    let anew = witness.until(|seen| !seen.gone && same(&seen.name, &seen.uid))?;
    let well = witness.until(|seen| seen.uid == anew.uid && seen.is_ready_workload())?;
    let since = |moment: std::time::Instant| moment.saturating_duration_since(acknowledged);
    Ok((since(anew.at), since(well.at)))
}
