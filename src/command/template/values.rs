//! `-f` and the `--set` family: how the values of a release are put together.

use std::io::Read;

use pintle::chart::{strvals, values};
use serde_json::{Map, Value};

use super::Failed;

/// helm: pkg/cli/values/options.go
#[derive(Debug, clap::Args)]
pub(super) struct ValueArguments {
    /// A YAML file of values, `-` for standard input (several, or separated by commas)
    #[arg(
        short = 'f',
        long = "values",
        value_name = "FILE",
        value_delimiter = ','
    )]
    files: Vec<String>,
    /// Set values: key1=val1,key2=val2
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Set values that are texts whatever they look like
    #[arg(long, value_name = "KEY=VALUE")]
    set_string: Vec<String>,
    /// Set values to the contents of files: key1=path1,key2=path2
    #[arg(long, value_name = "KEY=FILE")]
    set_file: Vec<String>,
    /// Set values that are JSON
    #[arg(long, value_name = "KEY=JSON")]
    set_json: Vec<String>,
    /// Set a value to a text, nothing in it being special
    #[arg(long, value_name = "KEY=VALUE")]
    set_literal: Vec<String>,
}

impl ValueArguments {
    /// The values, in the order of precedence that Helm documents: files, then JSON, then the rest.
    /// helm: pkg/cli/values/options.go MergeValues
    pub(super) fn merge(&self) -> Result<Map<String, Value>, Failed> {
        let mut base = Map::new();
        for path in &self.files {
            let read = read(path).map_err(Failed)?;
            let file = values::load(&read).map_err(|error| {
                Failed(format!("failed to parse {path}: {}", Failed::of(&error)))
            })?;
            base = values::merge(base, file);
        }
        for text in &self.set_json {
            strvals::parse_json_into(text, &mut base).map_err(|error| Failed::of(&error))?;
        }
        let failed = |flag: &str, error: &dyn std::error::Error| {
            Failed(format!("failed parsing {flag} data: {}", Failed::of(error)))
        };
        for text in &self.set {
            strvals::parse_into(text, &mut base).map_err(|error| failed("--set", &error))?;
        }
        for text in &self.set_string {
            strvals::parse_string_into(text, &mut base)
                .map_err(|error| failed("--set-string", &error))?;
        }
        for text in &self.set_file {
            strvals::parse_file_into(text, &mut base, &|path| {
                let bytes = read(path).map_err(strvals::Error::new)?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            })
            .map_err(|error| failed("--set-file", &error))?;
        }
        for text in &self.set_literal {
            strvals::parse_literal_into(text, &mut base)
                .map_err(|error| failed("--set-literal", &error))?;
        }
        Ok(base)
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    if path.trim() == "-" {
        let mut read = Vec::new();
        return match std::io::stdin().read_to_end(&mut read) {
            Ok(_) => Ok(read),
            Err(error) => Err(format!("read /dev/stdin: {}", go_error(&error))),
        };
    }
    std::fs::read(path).map_err(|error| format!("open {path}: {}", go_error(&error)))
}

/// What the system says, as Go says it.
fn go_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}
