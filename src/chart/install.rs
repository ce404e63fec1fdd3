//! Whether a chart can be installed, and on this cluster.

use super::dependency::in_range;
use super::{Chart, Error, Warning};

/// The checks of `helm install` and `helm template`, in their order.
// helm: pkg/cmd/install.go runInstall
pub(super) fn check(chart: &Chart, warnings: &mut Vec<Warning>) -> Result<(), Error> {
    if !matches!(chart.metadata.kind.as_str(), "" | "application") {
        return Err(Error::NotInstallable(chart.metadata.kind.clone()));
    }
    if chart.metadata.deprecated {
        warnings.push(Warning::warn("this chart is deprecated"));
    }
    dependencies(chart)
}

// helm: pkg/action/install.go CheckDependencies
fn dependencies(chart: &Chart) -> Result<(), Error> {
    let present = |name: &str| {
        chart
            .dependencies
            .iter()
            .any(|dependency| dependency.name() == name)
    };
    let named = chart
        .metadata
        .dependencies
        .iter()
        .map(|dependency| dependency.name.as_str());
    let missing: Vec<&str> = named.filter(|name| !present(name)).collect();
    let third = chart.metadata.api_version == "v3";
    if third && chart.dependencies.len() > chart.metadata.dependencies.len() {
        // helm: pkg/chart/interfaces.go counts the charts that are there, not those that are named
        return Err(Error::Dependencies(
            "unsupported chart dependency type".to_owned(),
        ));
    }
    if !missing.is_empty() {
        let missing = missing.join(", ");
        return Err(Error::Dependencies(format!(
            "found in Chart.yaml, but missing in charts/ directory: {missing}"
        )));
    }
    if third {
        Err(Error::ApiVersion)
    } else {
        Ok(())
    }
}

// helm: pkg/action/action.go renderResources
pub(super) fn compatible(chart: &Chart, normalized: &str, version: &str) -> Result<(), Error> {
    let constraint = &chart.metadata.kube_version;
    if constraint.is_empty() || in_range(constraint, normalized) {
        return Ok(());
    }
    Err(Error::KubeVersion {
        constraint: constraint.clone(),
        cluster: version.to_owned(),
    })
}
