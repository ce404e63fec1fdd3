//! A real control plane for tests and for the demo.
//!
//! In: the pinned Go modules beside this file (`modules/`, `supervisor/`), which are built once
//! for each user, and what a test wants switched on ([`StartOptions`]).
//! Out: a [`Testbed`]: a kubeconfig for an API server with two ready nodes, an OCI registry and a
//! chart repository over plain HTTP, the real helm 4, helm 3 and kubectl aimed at it.
//! Never: anything left behind, however the process that started it ends; anything read from or
//! written to the user's own clusters and Helm settings; any knowledge of the project under test.
//!
//! How pods are made to fail, hang or take time: see `supervisor/manifests/pods.yaml`.
//! `PINTLE_TESTBED_BIN` names a folder of ready binaries, `PINTLE_TESTBED_KEEP` keeps the folder
//! with the logs of all components.
#![allow(
    dead_code,
    reason = "every test binary and example that includes this room uses another part of it"
)]

mod audit;
mod binaries;
mod build;
mod command;
mod supervisor;

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

pub(crate) use self::audit::Request;
pub(crate) use self::binaries::program;
pub(crate) use self::command::Finished;
use self::supervisor::{Ready, Supervisor};

/// What a testbed has beyond the usual. Everything here costs time, so nothing is on by default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StartOptions {
    /// Record every request to the API server, for [`Testbed::requests_by`].
    pub(crate) audit: bool,
}

/// One running control plane with all that belongs to it. Dropping it removes everything.
pub(crate) struct Testbed {
    ready: Ready,
    supervisor: Mutex<Supervisor>,
}

impl Testbed {
    /// Starts one, after building what is missing. Ready within seconds once built.
    pub(crate) fn start() -> anyhow::Result<Testbed> {
        Testbed::start_with(StartOptions::default())
    }

    /// As [`Testbed::start`], with more switched on.
    pub(crate) fn start_with(options: StartOptions) -> anyhow::Result<Testbed> {
        binaries::build_all()?;
        let (supervisor, ready) = Supervisor::start(options.audit)?;
        Ok(Testbed {
            ready,
            supervisor: Mutex::new(supervisor),
        })
    }

    /// The one testbed of this test binary, started by whoever asks first. It is never dropped
    /// (statics are not) and yet ends with the process, as its supervisor sees to that.
    ///
    /// # Panics
    /// When it cannot be started, with the reason, for each test that asks.
    pub(crate) fn shared() -> &'static Testbed {
        static SHARED: OnceLock<Result<Testbed, String>> = OnceLock::new();
        match SHARED.get_or_init(|| Testbed::start().map_err(|error| format!("{error:#}"))) {
            Ok(testbed) => testbed,
            Err(error) => panic!("the shared testbed cannot be started: {error}"),
        }
    }

    /// A kubeconfig whose user may do everything.
    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.ready.kubeconfig
    }

    /// The API server: `https://127.0.0.1:PORT`.
    pub(crate) fn server(&self) -> &str {
        &self.ready.server
    }

    /// The OCI registry: `127.0.0.1:PORT`, over plain HTTP.
    pub(crate) fn registry(&self) -> &str {
        &self.ready.registry
    }

    /// The chart repository: `http://127.0.0.1:PORT`. It serves [`Testbed::charts_folder`].
    pub(crate) fn charts_url(&self) -> &str {
        &self.ready.charts_url
    }

    /// Where to put archives and their `index.yaml`.
    pub(crate) fn charts_folder(&self) -> &Path {
        &self.ready.charts_path
    }

    /// The testbed's own folder, with the log of each component: `kube-apiserver.log` and so on.
    pub(crate) fn dir(&self) -> &Path {
        &self.ready.folder
    }

    /// Runs helm 4. For the testbed's registry the caller adds `--plain-http`.
    pub(crate) fn helm(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        command::run(self.command("helm")?.args(arguments), None)
    }

    /// Runs helm 3, which has its own settings and cache.
    pub(crate) fn helm3(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        command::run(self.command("helm3")?.args(arguments), None)
    }

    /// Runs kubectl.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<Finished> {
        command::run(self.command("kubectl")?.args(arguments), None)
    }

    /// Runs kubectl with something to read: `kubectl_with_input(&["apply", "-f", "-"], manifest)`.
    pub(crate) fn kubectl_with_input(
        &self,
        arguments: &[&str],
        input: &str,
    ) -> anyhow::Result<Finished> {
        command::run(self.command("kubectl")?.args(arguments), Some(input))
    }

    /// One of the tools aimed at this testbed, for callers who have to set more than arguments.
    /// It sees nothing of the user's environment but PATH. On Linux it dies with the thread that
    /// starts it, so start it from one that waits for it.
    pub(crate) fn command(&self, tool: &str) -> anyhow::Result<Command> {
        let home = self.dir().join("homes").join(tool);
        let mut command = Command::new(program("supervisor")?);
        command
            .arg("exec")
            .arg(program(tool)?)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &home)
            .env("TMPDIR", self.dir())
            .env("KUBECONFIG", self.kubeconfig())
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            .current_dir(self.dir());
        Ok(command)
    }

    /// Stops a component: `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`,
    /// `kwok` or `registry`. What it stored stays.
    pub(crate) fn stop(&self, component: &str) -> anyhow::Result<()> {
        self.ask(&format!("stop {component}"))
    }

    /// Starts a stopped component again, at the same address. Those that serve (etcd, the API
    /// server, the registry) answer when this returns.
    pub(crate) fn resume(&self, component: &str) -> anyhow::Result<()> {
        self.ask(&format!("start {component}"))
    }

    /// The requests so far by clients whose `User-Agent` begins so. Needs [`StartOptions::audit`].
    pub(crate) fn requests_by(&self, user_agent_prefix: &str) -> anyhow::Result<Vec<Request>> {
        audit::requests_by(self.ready.audit_log.as_deref(), user_agent_prefix)
    }

    fn ask(&self, line: &str) -> anyhow::Result<()> {
        // A test that panicked half-way through an exchange must not hide the next test's reason.
        let mut supervisor = self
            .supervisor
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        supervisor.ask(line)
    }
}
