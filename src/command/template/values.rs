//! `-f` and the `--set` family: how the values of a release are put together.

use std::io::Read;

use pintle::chart::{strvals, values};
use serde_json::{Map, Value};

use super::getter::{Asking, Getter};
use super::url::Url;
use super::{Failed, download};
use crate::command::files::{self, go_error};

/// What the flags say about values.
// helm: pkg/cli/values/options.go
#[derive(Debug, Default)]
pub(super) struct ValueSources {
    pub(super) files: Vec<String>,
    pub(super) set: Vec<String>,
    pub(super) set_string: Vec<String>,
    pub(super) set_file: Vec<String>,
    pub(super) set_json: Vec<String>,
    pub(super) set_literal: Vec<String>,
}

impl ValueSources {
    /// The values, in the order of precedence that Helm documents: files, then JSON, then the rest.
    /// helm: pkg/cli/values/options.go MergeValues
    pub(super) fn merge(&self, getter: &Getter) -> Result<Map<String, Value>, Failed> {
        let mut base = Map::new();
        for path in &self.files {
            let read = read(path, getter).map_err(Failed)?;
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
                let bytes = read(path, getter).map_err(strvals::Error::new)?;
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

/// What a file holds, or standard input, or the URL that is named.
// helm: pkg/cli/values/options.go readFile
fn read(path: &str, getter: &Getter) -> Result<Vec<u8>, String> {
    if path.trim() == "-" {
        let mut read = Vec::new();
        return match std::io::stdin().read_to_end(&mut read) {
            Ok(_) => Ok(read),
            Err(error) => Err(format!("read /dev/stdin: {}", go_error(&error))),
        };
    }
    let url = Url::parse(path)?;
    match url.scheme.as_str() {
        "http" | "https" => {
            let asking = Asking {
                home: path.to_owned(),
                ..Asking::default()
            };
            return getter.get(path, &asking).map(Vec::from);
        }
        "oci" => return download::value_of_registry(path, getter).map(Vec::from),
        _ => {}
    }
    files::read(path).map_err(|error| error.to_string())
}
