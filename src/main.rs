//! The command line.

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Charts and releases are many small pieces that come and go together: what is left of a burst
/// goes back to the system.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Keeps Helm releases as declared.
#[derive(Debug, Parser)]
#[command(name = "pintle", version, about, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the controller
    Run(command::run::RunArguments),
    /// Render a chart and print the manifests, as helm template does
    #[command(disable_help_flag = true, disable_version_flag = true)]
    Template {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write the charts that HelmReleases declare into an OCI image layout
    Bundle(Box<command::bundle::BundleArguments>),
    /// Print the definition of HelmRelease, for `kubectl apply -f -`
    Crd,
}

fn main() -> ExitCode {
    // Helm's flags are not clap's, so what is Helm's is read as Helm reads it.
    let given: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    if let Some(arguments) = command::template::take(&given) {
        return command::template::run(&arguments);
    }
    let result = match Arguments::parse().command {
        Command::Run(arguments) => command::run::run(arguments),
        Command::Template { arguments } => return command::template::run(&arguments),
        Command::Bundle(arguments) => command::bundle::run(&arguments),
        Command::Crd => command::crd::run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
