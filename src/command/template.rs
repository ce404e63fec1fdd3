//! `pintle template`: what `helm template` prints, from the same arguments, with the same exit
//! status and the same words on standard error.

mod access;
mod arguments;
mod download;
mod duration;
mod getter;
mod index;
mod klog;
mod kubeconfig;
mod location;
mod log;
mod network;
mod output;
mod registry;
mod repositories;
mod select;
mod server;
mod settings;
mod url;
mod values;

use std::env;
use std::process::ExitCode;

use pintle::chart::{self, Chart, Warning, dependency, schema};
use pintle::plan::ReleaseName;
use pintle::render::{self, Capabilities, Environment, Inputs, KubeVersion, ReleaseFacts};
use pintle::source::{Credentials, DockerConfig};
use serde_json::{Map, Value};

use self::arguments::Options;
use self::getter::Getter;
use self::log::Log;
use self::server::{Claim, Server};
use self::settings::Settings;
use super::flags::{Flags, Integer, go_bool, go_quoted, integer_of};

/// Why the command failed, in Helm's words, to be shown after `Error: `.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failed(String);

impl Failed {
    /// An error and its sources, joined as Go joins them.
    fn of(error: &dyn std::error::Error) -> Self {
        let mut words = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            words.push_str(": ");
            words.push_str(&error.to_string());
            source = error.source();
        }
        Self(words)
    }
}

/// The arguments behind `template`, if it is this command that the program is asked for: Helm's
/// global flags may come first, and `help` may.
pub(crate) fn take(arguments: &[String]) -> Option<Vec<String>> {
    let flags = arguments::flags();
    if let Some(rest) = flags.take_command("help", arguments) {
        flags.take_command("template", &rest)?;
        return Some(vec!["--help".to_owned()]);
    }
    flags.take_command("template", arguments)
}

/// Runs the command: renders the chart and prints it. `arguments` are all but the command's name.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let settings = Settings::from_environment();
    let mut options = Options::new(settings);
    let mut flags = arguments::flags();
    flags.parse_inherited(arguments, &mut options);
    let log = Log::new(options.settings.debug);
    if let Err(Failed(words)) = options.settings.check() {
        log.say(&[Warning::warn("command failed").with("error", words)]);
        return ExitCode::FAILURE;
    }
    repositories::warn_of_expired(&options.settings);
    match execute(flags, arguments, options, log) {
        Ok(()) => ExitCode::SUCCESS,
        Err(End::Said) => ExitCode::FAILURE,
        Err(End::Failed(error)) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The logins in Helm's file and in Docker's, of which Helm's go first.
pub(crate) fn docker_logins() -> Result<Option<DockerConfig>, String> {
    let files = download::login_files(&Settings::from_environment().registry_config)?;
    let configs = files.into_iter().filter_map(|login| match login {
        Credentials::Docker(config) => Some(config),
        _ => None,
    });
    let configs: Vec<_> = configs.collect();
    Ok((!configs.is_empty()).then(|| DockerConfig::join(configs)))
}

/// How a command ends that does not end well.
enum End {
    Failed(Failed),
    /// There is nothing to add to what was said.
    Said,
}

impl From<Failed> for End {
    fn from(error: Failed) -> Self {
        Self::Failed(error)
    }
}

impl From<super::flags::Error> for Failed {
    fn from(error: super::flags::Error) -> Self {
        Self(error.to_string())
    }
}

// cobra: command.go execute
fn execute(
    mut flags: Flags<Options>,
    arguments: &[String],
    mut options: Options,
    log: Log,
) -> Result<(), End> {
    let parsed = flags.parse(arguments, &mut options).map_err(Failed::from)?;
    for remark in &parsed.remarks {
        eprintln!("{remark}");
    }
    if flags.help() {
        return Ok(output::help(&flags)?);
    }
    if let Err(reason) = check_driver() {
        log.say(&[Warning::info(reason)]);
        return Err(End::Said);
    }
    if parsed.arguments.is_empty() {
        return Err(End::Failed(Failed(
            "\"helm template\" requires at least 1 argument\n\n\
             Usage:  helm template [NAME] [CHART] [flags]"
                .to_owned(),
        )));
    }
    flags.exclude(arguments::EXCLUSIVE).map_err(Failed::from)?;
    Ok(template(&parsed.arguments, options, log)?)
}

/// Releases are not looked at here, so it does not matter where Helm would keep them, as long as it
/// knows the place.
// helm: pkg/action/action.go Init
fn check_driver() -> Result<(), String> {
    let driver = env::var_os("HELM_DRIVER").unwrap_or_default();
    match driver.to_string_lossy().as_ref() {
        "" | "secret" | "secrets" | "configmap" | "configmaps" | "memory" | "sql" => Ok(()),
        other => Err(format!("unknown driver {}", go_quoted(other))),
    }
}

// helm: pkg/cmd/template.go RunE
fn template(arguments: &[String], mut options: Options, log: Log) -> Result<(), Failed> {
    let mut capabilities = Capabilities::default();
    if !options.kube_version.is_empty() {
        let version = KubeVersion::parse(&options.kube_version);
        capabilities.kube_version = version.map_err(|error| Failed::of(&error))?;
    }
    let added = options.api_versions.iter().cloned();
    capabilities.api_versions.extend(added);
    let tls = options.origin.tls().read();
    tls.map_err(|reason| Failed(format!("missing registry client: {reason}")))?;
    let mode = dry_run(&options, log)?;
    log.debug(
        "Original chart version",
        &[("version", &options.origin.version)],
    );
    if options.origin.version.is_empty() && options.origin.devel {
        log.debug("setting version to >0.0.0-0", &[]);
        options.origin.version = ">0.0.0-0".to_owned();
    }
    let (name, reference) = location::name_and_chart(arguments, &options)?;
    let getter = Getter::new(log);
    let place = location::locate(&reference, &options, &getter, log)?;
    log.debug("Chart path", &[("path", &place.to_string_lossy())]);
    let values = options.values.merge(&getter)?;
    let chart = location::load(&place, log)?;
    check(&chart, &options, log)?;
    let namespace = kubeconfig::namespace(&options.settings);
    let server = match mode {
        Mode::Client => None,
        Mode::Server => Some(reach(&options, log)?),
    };
    location::check_name(&name, log)?;
    let mut said = 0;
    if let Some(server) = &server {
        said = tell_of_crds(&chart, &values, &options, log);
        if !options.api_versions.is_empty() {
            let ignored = "API Version list given outside of client only mode, this list will be \
                           ignored";
            log.debug(ignored, &[]);
        }
        capabilities = server.capabilities()?;
    }
    if holds_system_label(&options) {
        return Err(refuse_labels(chart, &values, &options, log));
    }
    let release = ReleaseName {
        namespace: namespace.clone(),
        name: name.clone(),
    };
    let inputs = Inputs {
        release: ReleaseFacts {
            name: name.clone(),
            namespace,
            revision: 1,
            is_install: !options.is_upgrade,
            is_upgrade: options.is_upgrade,
        },
        values,
        capabilities,
        environment: environment(options.enable_dns),
        options: render::Options {
            skip_schema_validation: options.skip_schema_validation,
            include_crds: options.include_crds,
            ..render::Options::default()
        },
    };
    let lookup: Box<dyn render::Lookup> = match &server {
        Some(server) => Box::new(server.lookup(log)),
        None => Box::new(render::NoCluster),
    };
    match render::render(chart, inputs, lookup.as_ref()) {
        Ok(rendered) => {
            log.say(rendered.warnings.get(said..).unwrap_or_default());
            // Helm has no manifest to look at where it wrote files.
            if let Some(server) = server.filter(|_| options.output_dir.is_empty()) {
                let claim = match (options.is_upgrade, options.take_ownership) {
                    (true, _) => Claim::Nothing,
                    (false, true) => Claim::Any,
                    (false, false) => Claim::Own,
                };
                server.check(&rendered, &release, claim)?;
            }
            output::print(&options, &name, &rendered)
        }
        Err(mut failure) => {
            failure.warnings.drain(..said.min(failure.warnings.len()));
            Err(explain(&options, &failure, log))
        }
    }
}

// helm: pkg/action/install.go RunWithContext
fn reach(options: &Options, log: Log) -> Result<Server, Failed> {
    Server::reach(&options.settings).map_err(|reason| {
        let words = format!("cluster reachability check failed: {reason}");
        log.say(&[Warning::error(words.as_str())]);
        Failed(words)
    })
}

/// Helm warns between dependencies and values. What it says until then is said here, and its number
/// of lines returned.
// helm: pkg/action/install.go RunWithContext
fn tell_of_crds(chart: &Chart, values: &Map<String, Value>, options: &Options, log: Log) -> usize {
    let (mut chart, mut warnings) = (chart.clone(), Vec::new());
    let processed = dependency::process(&mut chart, values, &mut warnings);
    log.say(&warnings);
    if processed.is_ok() && !options.skip_crds && !chart.crds().is_empty() {
        log.say(&[Warning::warn(
            "This chart or one of its subcharts contains CRDs. Rendering may fail or contain \
             inaccuracies.",
        )]);
    }
    warnings.len()
}

/// Whether a cluster is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Client,
    Server,
}

// helm: pkg/cmd/helpers.go cmdGetDryRunFlagStrategy
fn dry_run(options: &Options, log: Log) -> Result<Mode, Failed> {
    let text = &options.dry_run;
    let invalid = |choice: &str| {
        let text = go_quoted(text);
        Err(Failed(format!(
            "invalid dry-run value ({text}). Must be {choice}"
        )))
    };
    let of_template = r#""server" or "client""#;
    let mode = match text.as_str() {
        "client" => Mode::Client,
        "server" => Mode::Server,
        "none" => return invalid(of_template),
        "unset" => {
            let advice = "--dry-run is deprecated and should be replaced with '--dry-run=client'";
            log.say(&[Warning::warn(advice)]);
            Mode::Client
        }
        other => match go_bool(other) {
            Err(_) => return invalid(r#""none", "server", or "client""#),
            Ok(false) => return invalid(of_template),
            Ok(true) => {
                log.say(&[Warning::warn(format!(
                    "boolean '--dry-run={other}' flag is deprecated and must be replaced with \
                     '--dry-run=client'"
                ))]);
                Mode::Client
            }
        },
    };
    Ok(if options.validate { Mode::Server } else { mode })
}

/// Whether the chart can be installed.
// helm: pkg/cmd/install.go runInstall
fn check(chart: &Chart, options: &Options, log: Log) -> Result<(), Failed> {
    let mut warnings = Vec::new();
    let installable = chart.check_installable(&mut warnings);
    log.say(&warnings);
    let kind_fits = !matches!(installable, Err(chart::Error::NotInstallable(_)));
    if kind_fits && !chart.metadata.dependencies.is_empty() {
        check_epoch()?;
    }
    match installable {
        Err(chart::Error::Dependencies(missing)) if options.dependency_update => Err(Failed(
            format!("--dependency-update is not supported yet, and dependencies are {missing}"),
        )),
        installable => installable.map_err(|error| Failed::of(&error)),
    }
}

/// Helm reads it wherever it may have to write an archive.
// helm: pkg/cmd/package.go sourceDateEpochFromEnv
fn check_epoch() -> Result<(), Failed> {
    let epoch = env::var_os("SOURCE_DATE_EPOCH").unwrap_or_default();
    let epoch = epoch.to_string_lossy();
    if epoch.is_empty() {
        return Ok(());
    }
    let form = Integer {
        base: Some(10),
        bits: 64,
    };
    let reason = match integer_of(&epoch, form) {
        Ok(0..) => return Ok(()),
        Ok(_) => "must not be negative".to_owned(),
        Err(reason) => reason,
    };
    Err(Failed(format!("invalid SOURCE_DATE_EPOCH: {reason}")))
}

/// The labels that Helm itself puts on a release.
// helm: pkg/storage/driver/util.go
const SYSTEM_LABELS: [&str; 6] = [
    "name",
    "owner",
    "status",
    "version",
    "createdAt",
    "modifiedAt",
];

fn holds_system_label(options: &Options) -> bool {
    let mut names = options.labels.iter().map(|(name, _)| name.as_str());
    names.any(|name| SYSTEM_LABELS.contains(&name))
}

/// Helm looks at labels between values and templates.
// helm: pkg/action/install.go RunWithContext
fn refuse_labels(
    mut chart: Chart,
    values: &Map<String, Value>,
    options: &Options,
    log: Log,
) -> Failed {
    let mut warnings = Vec::new();
    let mut valued = || {
        dependency::process(&mut chart, values, &mut warnings)
            .map_err(render::Error::Dependencies)?;
        let values = chart::values::coalesce(&chart, values, &mut warnings)
            .map_err(render::Error::Values)?;
        if options.skip_schema_validation {
            return Ok(());
        }
        schema::validate(&chart, values.view(), &mut warnings).map_err(render::Error::Values)
    };
    let valued: Result<(), render::Error> = valued();
    log.say(&warnings);
    match valued {
        Err(error) => last_words(&error, log),
        Ok(()) => Failed(format!(
            "user supplied labels contains system reserved label name. System labels: [{}]",
            SYSTEM_LABELS.join(" ")
        )),
    }
}

/// Helm's last words. helm: pkg/cmd/template.go
fn explain(options: &Options, failure: &render::Failure, log: Log) -> Failed {
    log.say(&failure.warnings);
    let Failed(words) = last_words(&failure.error, log);
    match &failure.partial {
        Some(partial) if options.settings.debug => {
            output::print_broken(options, partial, Failed(words))
        }
        Some(_) => without_debug(&words),
        None => Failed(words),
    }
}

/// The error of a release that there is, if an incomplete one.
fn without_debug(words: &str) -> Failed {
    Failed(format!(
        "{words}\n\nUse --debug flag to render out invalid YAML"
    ))
}

fn last_words(error: &render::Error, log: Log) -> Failed {
    let Failed(words) = Failed::of(error);
    if error.is_logged() {
        let (message, error) = words.split_once(": ").unwrap_or((&words, ""));
        log.say(&[Warning::error(message).with("error", error)]);
    }
    Failed(words)
}

fn environment(dns: bool) -> Environment {
    Environment {
        now: jiff::Timestamp::now(),
        time_zone: jiff::tz::TimeZone::system(),
        random: Box::new(|buffer| rand::Rng::fill_bytes(&mut rand::rng(), buffer)),
        seed: None,
        resolve_host: dns.then(|| Box::new(resolve) as Box<render::ResolveHost>),
    }
}

fn resolve(host: &str) -> Vec<String> {
    use std::net::ToSocketAddrs;
    let addresses = (host, 0).to_socket_addrs().into_iter().flatten();
    addresses.map(|address| address.ip().to_string()).collect()
}
