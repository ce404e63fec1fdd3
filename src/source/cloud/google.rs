//! Artifact Registry: the metadata server's access token is the password.
//!
//! <https://cloud.google.com/artifact-registry/docs/docker/authentication#token>,
//! <https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity>

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::{Error, Exchange, Lent, Login, not_a_registry};

/// Who the program is in Google's cloud: whoever the metadata server says.
#[derive(Clone, Debug)]
pub struct GoogleIdentity {
    /// The metadata server, `http://metadata.google.internal/`.
    pub metadata: Url,
}

const TOKEN: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    expires_in: u64,
}

impl GoogleIdentity {
    pub(super) async fn lend(&self, exchange: &Exchange<'_>) -> Result<Lent, Error> {
        if !is_registry(exchange.host) {
            return Err(not_a_registry(
                "provider: Google is for LOCATION-docker.pkg.dev and gcr.io alone",
            ));
        }
        let mut url = self.metadata.clone();
        url.set_path(TOKEN);
        let headers = [("metadata-flavor", "Google".to_owned())];
        let answer: Answer = exchange.ask_json(url.clone(), &headers, None).await?;
        if answer.access_token.is_empty() {
            return Err(exchange.unusable(&url));
        }
        Ok(Lent {
            login: Login::Basic {
                username: "oauth2accesstoken".to_owned(),
                password: answer.access_token,
            },
            lasts: Duration::from_secs(answer.expires_in),
        })
    }
}

fn is_registry(host: &str) -> bool {
    let location = host.strip_suffix("-docker.pkg.dev");
    let older = host.strip_suffix(".gcr.io");
    host == "gcr.io" || location.or(older).is_some_and(super::is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_googles_registries_are_given_its_login() {
        for host in ["europe-west1-docker.pkg.dev", "gcr.io", "eu.gcr.io"] {
            assert!(is_registry(host), "{host}");
        }
        for host in [
            "docker.pkg.dev",
            "evil.example",
            "evil.example-docker.pkg.dev",
            "gcr.io.evil.example",
            "evilgcr.io",
            "gcr.io:444",
            "a.b.gcr.io",
        ] {
            assert!(!is_registry(host), "{host}");
        }
    }
}
