//! The definition that the types make, and the files that hold it, are one.
//!
//! `PINTLE_REWRITE=1 cargo test --test crds` writes the files anew.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What `kubectl apply -f crds/` takes.
const DEFINITION: &str = "crds/helm.pintle.dev_helmreleases.yaml";

/// A chart reads nothing outside of its folder, so it has a copy.
const COPY: &str = "charts/pintle/files/helm.pintle.dev_helmreleases.yaml";

#[test]
fn the_files_hold_what_the_types_say() -> Result<()> {
    let definition = pintle::yaml::to_string(&pintle::api::custom_resource_definition())?;
    for file in [DEFINITION, COPY] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        if std::env::var_os("PINTLE_REWRITE").is_some() {
            fs::write(&path, &definition).with_context(|| format!("write {file}"))?;
        }
        let held = fs::read_to_string(&path).with_context(|| format!("read {file}"))?;
        assert!(
            held == definition,
            "{file} is not what the types say: run PINTLE_REWRITE=1 cargo test --test crds"
        );
    }
    Ok(())
}
