//! The product's path on a real control plane: install, upgrade, repair, rest; the real helm beside
//! it.
//! `cargo bench --bench path -- --help` tells what can be set; see tests/bench/README.md.

mod controller;
#[path = "../figures.rs"]
mod figures;
mod fleet;
mod ground;
mod idle;
mod install;
mod repair;
#[path = "../../testbed/mod.rs"]
mod testbed;
mod upgrade;
mod witness;

use std::time::Duration;

use clap::Parser;

/// Measures the controller on a real control plane beside the real helm.
#[derive(Parser)]
struct Arguments {
    /// How many releases are made each way, and how many upgrades.
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// How many repairs are measured. More than four for each release are taken for a fight; 0 leaves this out.
    #[arg(long, default_value_t = 20)]
    repairs: usize,
    /// For how long the controller is watched at rest; 0 leaves this out.
    #[arg(long, default_value_t = 60)]
    idle_seconds: u64,
    /// How many releases of ten objects are disturbed, instead of all of the above: 200, say.
    #[arg(long, default_value_t = 0)]
    drift_releases: usize,
    /// How many of their objects are deleted or edited.
    #[arg(long, default_value_t = 1000)]
    drifts: usize,
    /// How many of them a second.
    #[arg(long, default_value_t = 20)]
    drifts_a_second: u32,
    /// How many releases of ten objects are left alone for `--idle-seconds`, instead of all of the
    /// above: 1000, say.
    #[arg(long, default_value_t = 0)]
    fleet: usize,
    /// Put there by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    if !figures::is_wanted() {
        return Ok(());
    }
    let arguments = Arguments::parse();
    anyhow::ensure!(
        arguments.repairs <= 4 * arguments.rounds,
        "{} repairs of {} releases: more than four of each are taken for a fight",
        arguments.repairs,
        arguments.rounds
    );
    if let Err(missing) = testbed::program("kube-apiserver") {
        println!("path: skipped, as there is no testbed: {missing:#}");
        return Ok(());
    }
    let ground = ground::Ground::prepare()?;
    let at_start = ground.controller.usage()?;
    println!("path: {}\n", figures::surroundings());
    if arguments.drift_releases > 0 {
        fleet::muster(&ground, arguments.drift_releases, 1)?;
        let (releases, drifts) = (arguments.drift_releases, arguments.drifts);
        fleet::disturb(&ground, releases, drifts, arguments.drifts_a_second)?;
    }
    if arguments.fleet > 0 {
        fleet::muster(&ground, arguments.fleet, 0)?;
        let time = Duration::from_secs(arguments.idle_seconds);
        fleet::rest(&ground, arguments.fleet, at_start, time)?;
    }
    if arguments.drift_releases + arguments.fleet > 0 {
        println!("At the end: {}", figures::surroundings());
        return Ok(());
    }
    install::measure(&ground, arguments.rounds)?;
    let kept = install::kept(arguments.rounds);
    if arguments.repairs > 0 {
        repair::measure(&ground, &kept, arguments.repairs)?;
    }
    if arguments.idle_seconds > 0 {
        let time = Duration::from_secs(arguments.idle_seconds);
        idle::measure(&ground, kept.len(), at_start, time)?;
    }
    upgrade::measure(&ground, arguments.rounds)?;
    println!("At the end: {}", figures::surroundings());
    Ok(())
}
