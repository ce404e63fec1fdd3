//! Azure Container Registry: the pod's federated token becomes an access token, and that the
//! registry's refresh token, which its token server takes.
//!
//! <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>,
//! <https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md>

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use url::Url;

use super::{Error, Exchange, Lent, Login, form, is_word, not_a_registry};

/// Who the program is in Microsoft's cloud, as its workload identity webhook tells.
#[derive(Clone, Debug)]
pub struct AzureIdentity {
    /// `AZURE_TENANT_ID`
    pub tenant: String,
    /// `AZURE_CLIENT_ID`
    pub client: String,
    /// `AZURE_FEDERATED_TOKEN_FILE`
    pub token_file: PathBuf,
    /// `AZURE_AUTHORITY_HOST`, `https://login.microsoftonline.com/`.
    pub authority: Url,
    /// Instead of the registry's own `/oauth2/exchange`.
    pub exchange: Option<Url>,
}

/// The registry's refresh tokens are good for three hours.
const LASTS: Duration = Duration::from_secs(3 * 3600);

#[derive(Deserialize)]
struct Access {
    access_token: String,
}

#[derive(Deserialize)]
struct Refresh {
    refresh_token: String,
}

impl AzureIdentity {
    pub(super) async fn lend(&self, exchange: &Exchange<'_>) -> Result<Lent, Error> {
        let host = exchange.host;
        if !is_registry(host) {
            return Err(not_a_registry(
                "provider: Azure is for NAME.azurecr.io alone",
            ));
        }
        let assertion = exchange.read(&self.token_file).await?;
        let mut url = self.authority.clone();
        url.set_path(&format!("/{}/oauth2/v2.0/token", self.tenant));
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client),
            ("scope", "https://containerregistry.azure.net/.default"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", &assertion),
        ];
        let access: Access = exchange.ask_json(url, &[], Some(form(&fields))).await?;
        let own = || Url::parse(&format!("https://{host}/oauth2/exchange"));
        let url = match &self.exchange {
            Some(url) => url.clone(),
            None => own().map_err(|_| not_a_registry("the registry's host is none"))?,
        };
        let fields = [
            ("grant_type", "access_token"),
            ("service", host),
            ("tenant", &self.tenant),
            ("access_token", &access.access_token),
        ];
        let post = Some(form(&fields));
        let refresh: Refresh = exchange.ask_json(url, &[], post).await?;
        Ok(Lent {
            login: Login::Refresh(refresh.refresh_token),
            lasts: LASTS,
        })
    }
}

fn is_registry(host: &str) -> bool {
    let suffixes = [".azurecr.io", ".azurecr.cn", ".azurecr.us"];
    let mut names = suffixes
        .iter()
        .filter_map(|suffix| host.strip_suffix(suffix));
    names.any(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_microsofts_registries_are_given_its_login() {
        assert!(is_registry("team.azurecr.io") && is_registry("team.azurecr.cn"));
        for host in [
            "azurecr.io",
            "team.azurecr.io.evil.example",
            "evil.example/.azurecr.io",
            "team.azurecr.io:444",
            "a.b.azurecr.io",
        ] {
            assert!(!is_registry(host), "{host}");
        }
    }
}
