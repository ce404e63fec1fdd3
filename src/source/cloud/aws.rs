//! Elastic Container Registry: the pod's identity becomes temporary keys, and these a password.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html>,
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>,
//! <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html>

use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::signature::{self, Keys};
use super::{Error, Exchange, Lent, Login, Post, form, is_word, not_a_registry};

/// Who the program is in Amazon's cloud.
#[derive(Clone, Debug)]
pub struct AwsIdentity {
    /// How it proves that.
    pub proof: AwsProof,
    /// Instead of `https://sts.REGION.amazonaws.com/`.
    pub token_service: Option<Url>,
    /// Instead of `https://api.ecr.REGION.amazonaws.com/`.
    pub registry_service: Option<Url>,
}

/// How the program proves who it is.
#[derive(Clone, Debug)]
pub enum AwsProof {
    /// A service account's role (IRSA): `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`.
    Role {
        /// The role's name.
        arn: String,
        /// The service account's token.
        token_file: PathBuf,
    },
    /// EKS Pod Identity: `AWS_CONTAINER_CREDENTIALS_FULL_URI` and
    /// `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`.
    Agent {
        /// Where the node's agent answers.
        url: Url,
        /// The pod's token.
        token_file: PathBuf,
    },
}

/// ECR's tokens are good for twelve hours.
const LASTS: Duration = Duration::from_secs(12 * 3600);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AgentAnswer {
    access_key_id: String,
    secret_access_key: String,
    token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tokens {
    authorization_data: Vec<Token>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Token {
    authorization_token: String,
}

/// A registry's host, taken apart: `ACCOUNT.dkr.ecr.REGION.amazonaws.com`.
struct Place<'h> {
    account: &'h str,
    region: &'h str,
    suffix: &'h str,
}

impl<'h> Place<'h> {
    fn of(host: &'h str) -> Option<Self> {
        let (account, rest) = host.split_once(".dkr.ecr")?;
        let rest = rest
            .strip_prefix("-fips")
            .unwrap_or(rest)
            .strip_prefix('.')?;
        let (region, suffix) = rest.split_once('.')?;
        let own = matches!(suffix, "amazonaws.com" | "amazonaws.com.cn");
        let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
        (own && digits && is_word(region)).then_some(Self {
            account,
            region,
            suffix,
        })
    }
}

impl AwsIdentity {
    pub(super) async fn lend(&self, exchange: &Exchange<'_>) -> Result<Lent, Error> {
        let place = Place::of(exchange.host).ok_or_else(|| {
            not_a_registry("provider: Aws is for ACCOUNT.dkr.ecr.REGION.amazonaws.com alone")
        })?;
        let keys = self.keys(exchange, &place).await?;
        let service = |name: &str| format!("https://{name}.{}.{}/", place.region, place.suffix);
        let url = match &self.registry_service {
            Some(url) => url.clone(),
            None => endpoint(&service("api.ecr"))?,
        };
        let body = format!("{{\"registryIds\":[\"{}\"]}}", place.account);
        let signed = [
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            (
                "x-amz-target",
                "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken".to_owned(),
            ),
        ];
        let scope = signature::Scope {
            region: place.region,
            service: "ecr",
            now: Timestamp::now(),
        };
        let headers = signature::sign(&keys, &scope, &url, &signed, &body);
        let post = Post {
            content_type: "application/x-amz-json-1.1",
            body,
        };
        let tokens: Tokens = exchange.ask_json(url.clone(), &headers, Some(post)).await?;
        let token = tokens.authorization_data.into_iter().next();
        let login = token.and_then(|token| login(&token.authorization_token));
        Ok(Lent {
            login: login.ok_or_else(|| exchange.unusable(&url))?,
            lasts: LASTS,
        })
    }

    async fn keys(&self, exchange: &Exchange<'_>, place: &Place<'_>) -> Result<Keys, Error> {
        match &self.proof {
            AwsProof::Agent { url, token_file } => {
                let token = exchange.read(token_file).await?;
                let headers = [("authorization", token)];
                let answer: AgentAnswer = exchange.ask_json(url.clone(), &headers, None).await?;
                Ok(Keys {
                    id: answer.access_key_id,
                    secret: answer.secret_access_key,
                    session: answer.token,
                })
            }
            AwsProof::Role { arn, token_file } => {
                let token = exchange.read(token_file).await?;
                let own = format!("https://sts.{}.{}/", place.region, place.suffix);
                let url = match &self.token_service {
                    Some(url) => url.clone(),
                    None => endpoint(&own)?,
                };
                let post = form(&[
                    ("Action", "AssumeRoleWithWebIdentity"),
                    ("Version", "2011-06-15"),
                    ("RoleArn", arn),
                    ("RoleSessionName", "pintle"),
                    ("WebIdentityToken", &token),
                ]);
                let xml = exchange.ask(url.clone(), &[], Some(post)).await?;
                let xml = String::from_utf8_lossy(&xml);
                let part = |name| element(&xml, name).ok_or_else(|| exchange.unusable(&url));
                Ok(Keys {
                    id: part("AccessKeyId")?,
                    secret: part("SecretAccessKey")?,
                    session: part("SessionToken")?,
                })
            }
        }
    }
}

/// The text of an element that holds nothing but text. Keys and tokens are base64: no entities.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    let plain = !text.is_empty() && !text.contains(['<', '&']);
    plain.then(|| text.trim().to_owned())
}

/// A token is base64 of `AWS:password`.
fn login(token: &str) -> Option<Login> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    Some(Login::Basic {
        username: username.to_owned(),
        password: password.to_owned(),
    })
}

fn endpoint(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|_| not_a_registry("the region of the registry is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_amazons_registries_are_given_its_login() {
        let region = |host: &str| Place::of(host).map(|place| place.region.to_owned());
        let of = "123456789012.dkr.ecr";
        assert_eq!(
            region(&format!("{of}.eu-west-1.amazonaws.com")).as_deref(),
            Some("eu-west-1")
        );
        assert_eq!(
            region(&format!("{of}-fips.us-gov-west-1.amazonaws.com")).as_deref(),
            Some("us-gov-west-1")
        );
        assert!(region(&format!("{of}.cn-north-1.amazonaws.com.cn")).is_some());
        for host in [
            "eu-west-1.amazonaws.com".to_owned(),
            format!("{of}.eu-west-1.amazonaws.com.evil.example"),
            format!("{of}.evil.example/.amazonaws.com"),
            format!("{of}.eu-west-1.evil.example"),
            format!("x{of}.eu-west-1.amazonaws.com"),
            format!("{of}.eu-west-1.amazonaws.com:5000"),
        ] {
            assert!(region(&host).is_none(), "{host}");
        }
    }
}
