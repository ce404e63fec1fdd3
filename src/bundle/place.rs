//! Where a chart goes: the name of its repository in any registry, made of the name of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

/// A chart that no registry can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} cannot be the name of a repository in a registry: {reason}")]
pub struct Unplaceable {
    /// The name that it would have.
    pub name: String,
    /// Why it cannot.
    pub reason: &'static str,
}

/// `ghcr.io/team/charts` of `oci://ghcr.io/team/charts`: two repositories with charts of the same
/// name do not meet.
fn folder(repo: &str) -> String {
    let rest = repo.split_once("://").map_or(repo, |(_, rest)| rest);
    let path = rest.trim_end_matches('/').to_ascii_lowercase();
    // A port's colon, an address's brackets and an escape's percent have no place in a name.
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let path = path.replace(|c: char| !plain(c), "-");
    let parts = path
        .split('/')
        .map(|part| part.trim_matches(['.', '_', '-']));
    parts
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("/")
}

/// The reference of a chart's version below a registry's address: `ghcr.io/team/charts/shop:1.2.3`.
///
/// # Errors
/// Where the chart's name is none that a registry takes.
pub fn place(repo: &str, chart: &str, version: &str) -> Result<String, Unplaceable> {
    let name = format!("{}/{chart}", folder(repo));
    let refused = |reason| Unplaceable {
        name: name.clone(),
        reason,
    };
    // distribution-spec: <name>
    let part = |part: &str| {
        let word = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let edges = part.as_bytes().first().zip(part.as_bytes().last());
        let marks = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        edges.is_some_and(|(first, last)| word(first) && word(last)) && { marks }.all(|mark| {
            matches!(mark, "" | "." | "_" | "__") || mark.bytes().all(|byte| byte == b'-')
        })
    };
    if !part(chart) {
        return Err(refused(
            "it takes lower-case letters and digits, with single marks between them",
        ));
    }
    if !name.split('/').all(part) {
        return Err(refused("its repository's address has marks in a row"));
    }
    // helm: pkg/registry/reference.go newReference
    let tag = version.replace('+', "_");
    Ok(format!("{name}:{tag}"))
}

/// The table of mirrors for a controller that is to find these repositories' charts in the registry
/// `to`, once that holds them: what `--mirrors` takes.
///
/// # Errors
/// Never, as far as is known.
pub fn mirrors(
    repos: &BTreeSet<String>,
    to: &str,
    insecure: bool,
) -> Result<String, crate::yaml::Error> {
    let to = to.trim_end_matches('/');
    let table = repos.iter().map(|repo| {
        let mut mirror = json!({"repo": repo, "to": [format!("{to}/{}", folder(repo))]});
        if insecure {
            mirror["insecure"] = Value::Bool(true);
        }
        mirror
    });
    crate::yaml::to_string(&json!({"mirrors": table.collect::<Vec<_>>()}))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_chart_goes_below_its_repositorys_address() {
        for (repo, chart, version, expected) in [
            (
                "oci://ghcr.io/team/charts",
                "shop",
                "1.2.3",
                "ghcr.io/team/charts/shop:1.2.3",
            ),
            (
                "oci://r.local:5000",
                "shop",
                "1.2.3+b4",
                "r.local-5000/shop:1.2.3_b4",
            ),
            (
                "https://c.example.com/x%20y/",
                "a-b_c",
                "v1",
                "c.example.com/x-20y/a-b_c:v1",
            ),
            ("oci://[::1]:5000/a", "shop", "1", "1--5000/a/shop:1"),
            (
                "https://C.example.com/Charts",
                "shop",
                "1",
                "c.example.com/charts/shop:1",
            ),
        ] {
            assert_eq!(place(repo, chart, version).unwrap(), expected);
        }
        for (repo, chart) in [
            ("oci://a", "Shop"),
            ("oci://a", "shop-"),
            ("oci://a", "a._b"),
            ("https://a/b..c", "shop"),
        ] {
            assert!(place(repo, chart, "1").is_err(), "{repo} {chart}");
        }
    }

    #[test]
    fn the_table_names_each_repository() {
        let repos = [
            "https://b.example.com".to_owned(),
            "oci://a.example.com:1/x".to_owned(),
        ];
        let table = mirrors(&repos.into(), "oci://r.internal/charts/", false).unwrap();
        assert_eq!(
            table,
            "mirrors:\n- repo: https://b.example.com\n  to:\n  - oci://r.internal/charts/b.example.com\n- repo: oci://a.example.com:1/x\n  to:\n  - oci://r.internal/charts/a.example.com-1/x\n"
        );
    }
}
