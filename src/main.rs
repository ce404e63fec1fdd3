//! The command line.

mod command;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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
    Template(Box<command::template::TemplateArguments>),
    /// Print the definition of HelmRelease, for `kubectl apply -f -`
    Crd,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Run(arguments) => command::run::run(arguments),
        Command::Template(arguments) => command::template::run(*arguments).map_err(Into::into),
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
