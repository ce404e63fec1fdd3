//! `pintle crd`: the definition of HelmRelease, to be piped into `kubectl apply -f -`.

use std::io::Write;

use anyhow::Context;

/// Prints the definition as YAML.
pub(crate) fn run() -> anyhow::Result<()> {
    let definition = pintle::api::custom_resource_definition();
    let text = pintle::yaml::to_string(&definition).context("write the definition as YAML")?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .context("print the definition")
}
