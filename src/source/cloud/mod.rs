//! Logins that a cloud gives to the program itself: its workload identity, exchanged for a
//! registry's login as the cloud documents it.
//!
//! In: who the program is, as the cloud's own webhook told it, and a registry's host. Out: a login
//! for that host. Never: a login for a host that is not the cloud's own registry; a cloud that the
//! controller was not told to speak for.

mod aws;
mod azure;
mod google;
mod signature;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use url::Url;

pub use self::aws::{AwsIdentity, AwsProof};
pub use self::azure::AzureIdentity;
pub use self::google::GoogleIdentity;
use super::credentials::{Credentials, DockerConfig, Login};
use super::error::{Error, Part};
use super::http::{Ask, Http, Post};
use super::target::Target;
use super::{ChartRef, Route, target};

/// A cloud whose registries take the program's own identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// Elastic Container Registry.
    Aws,
    /// Artifact Registry.
    Google,
    /// Azure Container Registry.
    Azure,
}

/// Who the program is in each cloud; none where it must not speak for it.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    /// In Amazon's.
    pub aws: Option<AwsIdentity>,
    /// In Google's.
    pub google: Option<GoogleIdentity>,
    /// In Microsoft's.
    pub azure: Option<AzureIdentity>,
}

/// An answer of a cloud's endpoint is small.
const ANSWER_LIMIT: u64 = 1 << 20;

/// A login, and for how long it is good.
struct Lent {
    login: Login,
    lasts: Duration,
}

/// The clouds' logins, each kept for half of its life.
pub(super) struct Clouds {
    identities: Identities,
    lent: Mutex<HashMap<(Cloud, String), (Login, Instant)>>,
}

/// What an exchange works with.
struct Exchange<'a> {
    http: &'a Http,
    chart: &'a ChartRef,
    /// The registry.
    host: &'a str,
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Aws => "Aws",
            Self::Google => "Google",
            Self::Azure => "Azure",
        })
    }
}

impl Clouds {
    pub(super) fn new(identities: Identities) -> Self {
        Self {
            identities,
            lent: Mutex::default(),
        }
    }

    /// The reference with a login that its registry understands.
    pub(super) async fn resolve(&self, http: &Http, chart: &ChartRef) -> Result<ChartRef, Error> {
        let Some(Credentials::Cloud(cloud)) = chart.credentials else {
            return Ok(chart.clone());
        };
        let host = target::home(&chart.repo);
        let login = self.login(http, chart, cloud, &host).await?;
        let known = DockerConfig::of_host(&host, login).map(Credentials::Docker);
        Ok(ChartRef {
            credentials: known,
            ..chart.clone()
        })
    }

    async fn login(
        &self,
        http: &Http,
        chart: &ChartRef,
        cloud: Cloud,
        host: &str,
    ) -> Result<Login, Error> {
        let key = (cloud, host.to_owned());
        let known = {
            let lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
            lent.get(&key).cloned()
        };
        if let Some((login, until)) = known
            && until > Instant::now()
        {
            return Ok(login);
        }
        let exchange = Exchange { http, chart, host };
        let refused = |reason| Error::InvalidCredentials { reason };
        let unknown = "the controller does not speak for this cloud: it needs --cloud-logins, and the cloud's identity";
        let lent = match cloud {
            Cloud::Aws => {
                let identity = self.identities.aws.as_ref();
                identity
                    .ok_or_else(|| refused(unknown))?
                    .lend(&exchange)
                    .await
            }
            Cloud::Google => {
                let identity = self.identities.google.as_ref();
                identity
                    .ok_or_else(|| refused(unknown))?
                    .lend(&exchange)
                    .await
            }
            Cloud::Azure => {
                let identity = self.identities.azure.as_ref();
                identity
                    .ok_or_else(|| refused(unknown))?
                    .lend(&exchange)
                    .await
            }
        }?;
        let until = Instant::now() + lent.lasts / 2;
        self.lent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key, (lent.login.clone(), until));
        Ok(lent.login)
    }
}

impl Exchange<'_> {
    /// Asks an endpoint that the controller was told of; its address is no part of the reference, so
    /// neither the reference's TLS material nor its refusal of plain HTTP is for it.
    async fn ask(
        &self,
        url: Url,
        headers: &[(&'static str, String)],
        post: Option<Post>,
    ) -> Result<bytes::Bytes, Error> {
        let chart = ChartRef {
            insecure: true,
            credentials: None,
            tls: None,
            // What answers on the node itself is behind no proxy.
            route: match (url.scheme(), &self.chart.route) {
                ("http", _) => Route::Direct,
                (_, route) => route.clone(),
            },
            ..self.chart.clone()
        };
        let target = Target::of_url(&chart, url.clone());
        let mut own = http::HeaderMap::new();
        for (name, value) in headers {
            let mut value =
                value
                    .parse::<http::HeaderValue>()
                    .map_err(|_| Error::InvalidCredentials {
                        reason: "the cloud's identity holds characters that a header cannot",
                    })?;
            value.set_sensitive(true);
            own.insert(http::HeaderName::from_static(name), value);
        }
        // A login must not follow a redirect to elsewhere.
        let authorization = own.remove(http::header::AUTHORIZATION);
        let mut ask = Ask::get(url, "application/json, */*", authorization.as_ref());
        ask.headers.extend(own);
        ask.post = post;
        let answer = self.http.send(&target, ask).await?;
        if answer.status() != 200 {
            return Err(answer.refusal(&target, None));
        }
        let http = self.http;
        http.receive(&target, answer, Part::Token, ANSWER_LIMIT)
            .await
    }

    /// The same for an answer in JSON.
    async fn ask_json<T: DeserializeOwned>(
        &self,
        url: Url,
        headers: &[(&'static str, String)],
        post: Option<Post>,
    ) -> Result<T, Error> {
        let body = self.ask(url.clone(), headers, post).await?;
        serde_json::from_slice(&body).map_err(|_| self.unusable(&url))
    }

    /// The answer holds secrets, so that it is not shown.
    fn unusable(&self, url: &Url) -> Error {
        Error::Malformed {
            place: Box::new(target::place(
                self.chart,
                Some(super::repository::shown(url)),
            )),
            part: Part::Token,
            reason: "it does not hold what the cloud's documentation promises".to_owned(),
        }
    }

    /// A token that the cloud's webhook has put into the pod, and renews.
    async fn read(&self, file: &Path) -> Result<String, Error> {
        let text = tokio::fs::read_to_string(file).await;
        let text = text.map_err(|error| Error::Start {
            action: format!("reading the identity token {}", file.display()),
            source: Arc::new(error),
        })?;
        Ok(text.trim().to_owned())
    }
}

/// A form's body.
fn form(fields: &[(&str, &str)]) -> Post {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields);
    Post::form(form.finish())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn not_a_registry(reason: &'static str) -> Error {
    Error::InvalidCredentials { reason }
}
