//! `cargo run --release --example demo`: Pintle at work, on a real control plane of its own.
//!
//! In: this folder's neighbours, the sample charts and HelmReleases. Out: a story on standard
//! output, told while it happens, and a cluster to try things in until Ctrl-C. Never: a line about
//! something that was not seen to happen, or anything left behind.

#[allow(
    unused_imports,
    reason = "tests name more of the testbed's types than the demo does"
)]
#[path = "../../tests/testbed/mod.rs"]
mod testbed;

mod controller;
mod narration;
mod observe;
mod samples;
mod stage;
mod story;
mod voice;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::controller::Controller;
use crate::stage::Stage;
use crate::testbed::Testbed;
use crate::voice::Voice;

/// Shows Pintle at work on a Kubernetes control plane that it builds and starts for itself.
#[derive(Debug, Parser)]
struct Arguments {
    /// End after the story, instead of staying up until Ctrl-C.
    #[arg(long)]
    exit: bool,
}

/// How the demo ended, if nothing failed.
enum End {
    Told,
    /// Somebody pressed Ctrl-C before the story's end.
    CutShort,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match demonstrate(&arguments) {
        Ok(End::Told) => ExitCode::SUCCESS,
        // What shells say of a program that an interrupt ended.
        Ok(End::CutShort) => ExitCode::from(130),
        Err(error) => {
            eprintln!("\ndemo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Until the runtime runs, an interrupt ends the process at once, and the testbed with it.
fn demonstrate(arguments: &Arguments) -> Result<End> {
    let voice = Arc::new(Voice::new());
    narration::begin(&voice)?;
    introduce(&voice);
    let began = Instant::now();
    let testbed = Arc::new(Testbed::start()?);
    voice.step("started", "two ready nodes, an OCI registry");
    let started = began.elapsed();
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let end = runtime.block_on(perform(arguments, &testbed, &voice, started));
    // A tool that hangs must not keep us: it dies with the process.
    runtime.shutdown_timeout(Duration::from_secs(2));
    drop(testbed);
    if end.is_err() {
        voice
            .say("\nWith PINTLE_TESTBED_KEEP=1 the logs of the control plane are kept for a look.");
    }
    voice.say("\nEverything is stopped and removed.");
    end
}

fn introduce(voice: &Voice) {
    voice
        .say("Pintle keeps Helm releases as they are declared in HelmRelease resources. This demo");
    voice.say(
        "starts a Kubernetes control plane of its own, runs Pintle on it, and shows what happens.",
    );
    voice.chapter("A control plane");
    voice.say(
        "etcd, API server, controller manager and scheduler are the real ones; kwok plays the",
    );
    voice.say(
        "nodes, so pods become ready without a container. On a new machine all of this is built",
    );
    voice
        .say("from source first, once, in about ten minutes. After that it starts within seconds.");
    voice.say("");
}

async fn perform(
    arguments: &Arguments,
    testbed: &Arc<Testbed>,
    voice: &Arc<Voice>,
    started: Duration,
) -> Result<End> {
    let mut interrupted = std::pin::pin!(interrupted());
    let stage = Stage::new(testbed, voice).await?;
    let mut controller = tokio::select! {
        controller = stage.begin_controller() => controller?,
        signal = &mut interrupted => return signal.map(|()| End::CutShort),
    };
    let pages = controller.url.clone();
    let told = tokio::select! {
        told = story::tell(&stage, &pages, started) => told.map(|()| End::Told),
        signal = &mut interrupted => signal.map(|()| End::CutShort),
        error = controller.ended() => Err(error),
    };
    let end = match told {
        Ok(End::Told) if !arguments.exit => stay(&stage, &mut controller, interrupted).await,
        told => told,
    };
    controller.stop().await.and(end)
}

/// Leaves the cluster to the person; the narration goes on.
async fn stay(
    stage: &Stage,
    controller: &mut Controller,
    interrupted: impl Future<Output = Result<()>>,
) -> Result<End> {
    stage.invite(&controller.url)?;
    tokio::select! {
        signal = interrupted => signal.map(|()| End::Told),
        error = controller.ended() => Err(error),
    }
}

/// Ends with an interrupt from the keyboard, or with SIGTERM.
async fn interrupted() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let come = tokio::select! {
        come = interrupt.recv() => come,
        come = terminate.recv() => come,
    };
    match come {
        Some(()) => Ok(()),
        None => bail!("the runtime no longer listens for signals"),
    }
}
