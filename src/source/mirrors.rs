//! Other places for charts: a table of the controller's, not of a chart reference.
//!
//! In: the table, and a chart reference. Out: the references that are tried, in order. Never: a
//! login or client certificate of the reference for another host; the reference's own place, unless
//! the table names it or says nothing of it.

use serde::Deserialize;

use super::credentials::{Credentials, DockerConfig};
use super::error::Error;
use super::repository::Repository;
use super::{ChartRef, target};

/// Rewrites of repositories; the longest prefix counts.
#[derive(Debug, Clone, Default)]
pub struct Mirrors(Vec<Mirror>);

/// Where the charts below a repository are.
#[derive(Debug, Clone)]
pub struct Mirror {
    /// The repository, or a path above it: `oci://ghcr.io/team`.
    pub repo: String,
    /// What takes its place, each in turn: the rest of the path follows it.
    pub to: Vec<String>,
    /// Plain HTTP is taken. Needs [`SourcesConfig::allow_insecure`](super::SourcesConfig).
    pub insecure: bool,
    /// The mirrors' own logins, by host.
    pub logins: Option<DockerConfig>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mirrors: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    repo: String,
    to: Vec<String>,
    #[serde(default)]
    insecure: bool,
}

impl Mirrors {
    /// A table.
    ///
    /// # Errors
    /// [`Error::InvalidRepository`] where a prefix or a mirror is none.
    pub fn new(mut table: Vec<Mirror>) -> Result<Self, Error> {
        for mirror in &mut table {
            let in_git = |text: &String| text.starts_with("git+");
            if mirror
                .to
                .iter()
                .any(|to| in_git(to) != in_git(&mirror.repo))
            {
                let reason = format!(
                    "{} is in git, or its mirrors are, and not both",
                    mirror.repo
                );
                return Err(Error::InvalidMirrors { reason });
            }
            for text in mirror.to.iter_mut().chain([&mut mirror.repo]) {
                let _: Repository = text.parse()?;
                text.truncate(text.trim_end_matches('/').len());
            }
        }
        table.sort_by_key(|mirror| std::cmp::Reverse(mirror.repo.len()));
        Ok(Self(table))
    }

    /// A table as YAML: `mirrors: [{repo: oci://ghcr.io/team, to: [oci://mirror.local/team]}]`.
    /// The logins are for all mirrors.
    ///
    /// # Errors
    /// [`Error::InvalidMirrors`] where it is none.
    pub fn parse(yaml: &[u8], logins: Option<&DockerConfig>) -> Result<Self, Error> {
        let invalid = |reason: String| Error::InvalidMirrors { reason };
        let value = crate::yaml::from_slice(yaml).map_err(|error| invalid(error.to_string()))?;
        let file: File =
            serde_json::from_value(value).map_err(|error| invalid(error.to_string()))?;
        let table = file.mirrors.into_iter().map(|written| Mirror {
            repo: written.repo,
            to: written.to,
            insecure: written.insecure,
            logins: logins.cloned(),
        });
        Self::new(table.collect())
    }

    /// The references to try.
    pub(super) fn places(&self, chart: &ChartRef) -> Vec<ChartRef> {
        let declared = chart.repo.to_string();
        let mut table = self.0.iter();
        let found = table.find_map(|mirror| {
            let rest = declared.strip_prefix(mirror.repo.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some((mirror, rest))
        });
        let Some((mirror, rest)) = found else {
            return vec![chart.clone()];
        };
        let places = mirror.to.iter().map(|to| {
            let place = format!("{to}{rest}");
            match place == declared {
                true => Some(chart.clone()),
                false => Some(mirrored(chart, place.parse().ok()?, mirror)),
            }
        });
        places.flatten().collect()
    }
}

fn mirrored(chart: &ChartRef, repo: Repository, mirror: &Mirror) -> ChartRef {
    let named = |login: &&Credentials| matches!(login, Credentials::Docker(_));
    let same_host = target::home(&chart.repo) == target::home(&repo);
    let own = chart.credentials.as_ref();
    ChartRef {
        credentials: match &mirror.logins {
            Some(logins) => Some(Credentials::Docker(logins.clone())),
            None => own.filter(|login| named(login) || same_host).cloned(),
        },
        insecure: mirror.insecure,
        pass_credentials: chart.pass_credentials && same_host,
        tls: match &chart.tls {
            Some(tls) if !same_host => Some(tls.without_identity()),
            tls => tls.clone(),
        },
        repo,
        ..chart.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::source::TlsMaterial;

    fn chart(repo: &str) -> ChartRef {
        ChartRef {
            repo: repo.parse().unwrap(),
            name: "shop".to_owned(),
            version: "1.2.3".to_owned(),
            checkout: None,
            digest: None,
            recorded: None,
            accepted: None,
            insecure: false,
            credentials: Some(Credentials::Token("hidden".to_owned())),
            pass_credentials: true,
            route: Default::default(),
            tls: Some(TlsMaterial {
                ca: Some(b"ca".to_vec()),
                key: Some(b"key".to_vec()),
                ..TlsMaterial::default()
            }),
        }
    }

    #[test]
    fn the_longest_prefix_of_a_path_counts() {
        let table = br"
mirrors:
- {repo: oci://ghcr.io, to: [oci://mirror.local/ghcr/, 'oci://ghcr.io']}
- {repo: oci://ghcr.io/team/, to: ['https://charts.local/team'], insecure: true}
- {repo: https://closed.example.com, to: []}
- {repo: git+https://github.com/team, to: [git+https://git.local]}
";
        let mirrors = Mirrors::parse(table, None).unwrap();
        for (repo, expected) in [
            (
                "oci://ghcr.io/a/b",
                &["oci://mirror.local/ghcr/a/b", "oci://ghcr.io/a/b"][..],
            ),
            ("oci://ghcr.io/team", &["https://charts.local/team"]),
            ("oci://ghcr.io/team/x", &["https://charts.local/team/x"]),
            (
                "oci://ghcr.io/teams",
                &["oci://mirror.local/ghcr/teams", "oci://ghcr.io/teams"],
            ),
            ("oci://ghcr.io.evil/a", &["oci://ghcr.io.evil/a"]),
            ("https://closed.example.com/a", &[]),
            (
                "git+https://github.com/team/charts.git",
                &["git+https://git.local/charts.git"],
            ),
        ] {
            let places = mirrors.places(&chart(repo));
            let places: Vec<_> = places.iter().map(|place| place.repo.to_string()).collect();
            assert_eq!(places, expected, "{repo}");
        }
    }

    #[test]
    fn what_belongs_to_the_declared_host_does_not_go_along() {
        let table = b"mirrors: [{repo: oci://ghcr.io, to: [oci://mirror.local, oci://ghcr.io]}]";
        let places = Mirrors::parse(table, None)
            .unwrap()
            .places(&chart("oci://ghcr.io/a"));
        let [mirror, own] = &places[..] else {
            panic!("{places:?}")
        };
        assert!(mirror.credentials.is_none() && !mirror.pass_credentials);
        let tls = mirror.tls.as_ref().unwrap();
        assert!(tls.ca.is_some() && tls.key.is_none());
        assert!(own.credentials.is_some() && own.tls.as_ref().unwrap().key.is_some());
    }

    #[test]
    fn a_table_that_cannot_be_read_is_refused() {
        for table in [
            "mirrors: {}",
            "mirrors: [{repo: oci://a}]",
            "mirrors: [{repo: ftp://a, to: []}]",
            "mirrors: [{repo: oci://a, to: [b]}]",
            "mirrors: [{repo: git+https://a, to: [https://b]}]",
            "mirrors: [{repo: oci://a, to: [], more: 1}]",
            "rewrites: []",
            "- ",
        ] {
            assert!(Mirrors::parse(table.as_bytes(), None).is_err(), "{table}");
        }
    }
}
