//! `pintle template`: what `helm template` prints, from the same arguments, with the same exit
//! status and the same words on standard error.

mod location;
mod output;
mod select;
mod values;

use std::io::Write;
use std::path::PathBuf;

use pintle::chart::Warning;
use pintle::render::{self, Capabilities, Environment, Inputs, KubeVersion, Options, ReleaseFacts};

/// The arguments of `helm template` that mean something without a cluster.
#[derive(Debug, clap::Args)]
#[command(about = "Render chart templates locally and display the output")]
pub(crate) struct TemplateArguments {
    /// The release's name and the chart, or the chart alone
    #[arg(value_name = "[NAME] CHART", num_args = 0..)]
    arguments: Vec<String>,
    /// The namespace that templates see [default: $HELM_NAMESPACE, or default]
    #[arg(short, long)]
    namespace: Option<String>,
    #[command(flatten)]
    values: values::ValueArguments,
    /// The Kubernetes version that templates see under .Capabilities.KubeVersion
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// More API versions for .Capabilities.APIVersions (several, or separated by commas)
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Include the files of crds/ in the output
    #[arg(long)]
    include_crds: bool,
    /// Do not hold the values against the charts' schemas
    #[arg(long)]
    skip_schema_validation: bool,
    /// Show only what these templates rendered (several; may hold *, ? and [])
    #[arg(short, long, value_name = "TEMPLATE")]
    show_only: Vec<String>,
    /// Write to files in this folder instead of to standard output
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
    /// Put the release's name into the paths below --output-dir
    #[arg(long)]
    release_name: bool,
    /// Set .Release.IsUpgrade instead of .Release.IsInstall
    #[arg(long)]
    is_upgrade: bool,
    /// Leave hooks out
    #[arg(long)]
    no_hooks: bool,
    /// Leave test hooks out
    #[arg(long)]
    skip_tests: bool,
    /// Make up a name from the chart's file name and the time
    #[arg(short, long)]
    generate_name: bool,
    /// A template for the release's name
    #[arg(long, value_name = "TEMPLATE")]
    name_template: Option<String>,
    /// Print what was rendered even where it is broken
    #[arg(long)]
    debug: bool,
    /// Resolve host names in templates (getHostByName)
    #[arg(long)]
    enable_dns: bool,
    #[command(flatten)]
    _ignored: IgnoredArguments,
}

/// What `helm template` takes because `helm install` does, and what has no effect in either.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Taken, without effect")]
struct IgnoredArguments {
    #[arg(long, hide = true)]
    create_namespace: bool,
    #[arg(long, hide = true, visible_alias = "force")]
    force_replace: bool,
    #[arg(long, hide = true)]
    force_conflicts: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    server_side: Option<String>,
    #[arg(long, hide = true)]
    replace: bool,
    #[arg(long, hide = true)]
    timeout: Option<String>,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "watcher")]
    wait: Option<String>,
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
    #[arg(long, hide = true)]
    description: Option<String>,
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    #[arg(long, hide = true, visible_alias = "atomic")]
    rollback_on_failure: bool,
    #[arg(long, hide = true)]
    skip_crds: bool,
    #[arg(long, hide = true)]
    render_subchart_notes: bool,
    #[arg(long, hide = true)]
    hide_notes: bool,
    #[arg(short, long, hide = true)]
    labels: Vec<String>,
    #[arg(long, hide = true)]
    take_ownership: bool,
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "client")]
    dry_run: Option<String>,
    #[arg(long, hide = true)]
    kube_context: Option<String>,
    #[arg(long, hide = true)]
    kubeconfig: Option<String>,
}

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

/// Runs the command: renders the chart and prints it.
///
/// # Errors
/// Whatever Helm refuses, in its words.
pub(crate) fn run(arguments: TemplateArguments) -> Result<(), Failed> {
    let kube_version = arguments
        .kube_version
        .as_deref()
        .map(KubeVersion::parse)
        .transpose();
    let kube_version = kube_version.map_err(|error| Failed::of(&error))?;
    let (name, reference) = location::name_and_chart(&arguments)?;
    let place = location::locate(&reference)?;
    let values = arguments.values.merge()?;
    let chart = location::load(&place)?;
    say(&chart.warnings);
    let mut warnings = Vec::new();
    let installable = chart.check_installable(&mut warnings);
    say(&warnings);
    installable.map_err(|error| Failed::of(&error))?;
    location::check_name(&name)?;

    let mut capabilities = Capabilities::default();
    if let Some(kube_version) = kube_version {
        capabilities.kube_version = kube_version;
    }
    capabilities
        .api_versions
        .extend(arguments.api_versions.iter().cloned());
    let inputs = Inputs {
        release: ReleaseFacts {
            name: name.clone(),
            namespace: namespace(&arguments),
            revision: 1,
            is_install: !arguments.is_upgrade,
            is_upgrade: arguments.is_upgrade,
        },
        values,
        capabilities,
        environment: environment(arguments.enable_dns),
        options: Options {
            skip_schema_validation: arguments.skip_schema_validation,
            include_crds: arguments.include_crds,
            ..Options::default()
        },
    };
    match render::render(chart, inputs, &render::NoCluster) {
        Ok(rendered) => {
            say(&rendered.warnings);
            output::print(&arguments, &name, &rendered)
        }
        Err(failure) => Err(explain(&arguments, &failure)),
    }
}

/// helm: pkg/cli/environment.go Namespace, without a kubeconfig
fn namespace(arguments: &TemplateArguments) -> String {
    let named = arguments
        .namespace
        .clone()
        .or_else(|| std::env::var("HELM_NAMESPACE").ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "default".to_owned())
}

/// Helm's last words. helm: pkg/cmd/template.go
fn explain(arguments: &TemplateArguments, failure: &render::Failure) -> Failed {
    say(&failure.warnings);
    let Failed(words) = Failed::of(&failure.error);
    if failure.error.is_logged() {
        let (message, error) = words.split_once(": ").unwrap_or((&words, ""));
        say(&[Warning::error(message).with("error", error)]);
    }
    match &failure.partial {
        Some(partial) if arguments.debug => {
            // The error is what matters, so one of printing is not.
            let _ = writeln!(std::io::stdout(), "{}", partial.trim());
            Failed(words)
        }
        Some(_) => Failed(format!(
            "{words}\n\nUse --debug flag to render out invalid YAML"
        )),
        None => Failed(words),
    }
}

fn say(warnings: &[Warning]) {
    for warning in warnings {
        eprintln!("{warning}");
    }
}

fn environment(dns: bool) -> Environment {
    Environment {
        now: jiff::Timestamp::now(),
        time_zone: jiff::tz::TimeZone::system(),
        random: Box::new(|buffer| rand::Rng::fill_bytes(&mut rand::rng(), buffer)),
        resolve_host: dns.then(|| Box::new(resolve) as Box<render::ResolveHost>),
    }
}

fn resolve(host: &str) -> Vec<String> {
    use std::net::ToSocketAddrs;
    let addresses = (host, 0).to_socket_addrs().into_iter().flatten();
    addresses.map(|address| address.ip().to_string()).collect()
}
