//! From a registry's 401 to an `Authorization` header: basic, bearer, and the token server between.

use std::net::IpAddr;

use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;
use url::{Host, Url, form_urlencoded};

use super::challenge::Challenge;
use super::credentials::Login;
use super::error::{Error, Part};
use super::http::{Answer, Ask, Http, Post};
use super::target::Target;

/// A token server's answer holds one token.
const ANSWER_LIMIT: u64 = 1 << 20;

/// What a challenge asks of a token server.
struct Wanted<'a> {
    realm: Url,
    service: Option<&'a str>,
    scope: &'a str,
}

/// The header that answers a 401, or none where there is nothing to answer it with. `scope` is
/// asked for where the challenge names none.
///
/// # Errors
/// The token server cannot be reached, refuses the login, or must not be given it.
pub(super) async fn authorize(
    http: &Http,
    target: &Target<'_>,
    refused: &Answer,
    login: Option<&Login>,
    scope: &str,
) -> Result<Option<HeaderValue>, Error> {
    let challenge = Challenge::choose(refused.headers(WWW_AUTHENTICATE.as_str()));
    match (challenge, login) {
        (Some(Challenge::Basic), Some(login @ Login::Basic { .. }))
        | (Some(Challenge::Bearer { .. }), Some(login @ Login::Bearer(_))) => login.authorization(),
        (
            Some(Challenge::Bearer {
                realm,
                service,
                scope: asked,
            }),
            login,
        ) => {
            let realm = trusted_realm(target, &realm, &refused.url)?;
            let scope = asked.as_deref().unwrap_or(scope);
            let wanted = Wanted {
                realm,
                service: service.as_deref(),
                scope,
            };
            let token = fetch(http, target, wanted, login).await?;
            Login::Bearer(token).authorization()
        }
        (Some(Challenge::Basic) | None, _) => Ok(None),
    }
}

/// oras-go: registry/remote/auth/client.go validateRealm: a registry must not send our login to a
/// host inside the cluster or to a cloud's metadata server.
fn trusted_realm(target: &Target<'_>, realm: &str, registry: &Url) -> Result<Url, Error> {
    let malformed = |reason: &str| Error::Malformed {
        place: target.at(registry),
        part: Part::Token,
        reason: reason.to_owned(),
    };
    let url =
        Url::parse(realm).map_err(|_| malformed("the realm of the challenge is not a URL"))?;
    target.permit(&url)?;
    if registry.scheme() == "https" && url.scheme() != "https" {
        return Err(malformed(
            "an https registry names a plain HTTP token server",
        ));
    }
    let address: Option<IpAddr> = match url.host() {
        Some(Host::Ipv4(address)) => Some(address.into()),
        Some(Host::Ipv6(address)) => Some(address.to_canonical()),
        _ => None,
    };
    if address.is_some_and(is_internal) && url.host() != registry.host() {
        return Err(malformed(
            "the token server is an internal address of another host",
        ));
    }
    Ok(url)
}

fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_link_local() || v4.is_private() || v4.is_unspecified()
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unicast_link_local()
                || v6.is_unique_local()
                || v6.is_unspecified()
        }
    }
}

/// <https://distribution.github.io/distribution/spec/auth/token/>, and its `oauth` sibling for
/// refresh tokens.
async fn fetch(
    http: &Http,
    target: &Target<'_>,
    wanted: Wanted<'_>,
    login: Option<&Login>,
) -> Result<String, Error> {
    let Wanted {
        mut realm,
        service,
        scope,
    } = wanted;
    let authorization = match login {
        Some(login @ Login::Basic { .. }) => login.authorization()?,
        _ => None,
    };
    let mut fields = Vec::from([("scope", scope)]);
    fields.extend(service.map(|service| ("service", service)));
    let post = if let Some(Login::Refresh(token)) = login {
        fields.extend([
            ("grant_type", "refresh_token"),
            ("client_id", "pintle"),
            ("refresh_token", token),
        ]);
        Some(Post::form(
            form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish(),
        ))
    } else {
        realm.query_pairs_mut().extend_pairs(fields);
        None
    };
    let ask = Ask {
        post,
        ..Ask::get(realm, "application/json", authorization.as_ref())
    };
    let answer = http.send(target, ask).await?;
    if answer.status() != 200 {
        return Err(answer.refusal(target, None));
    }
    let place = target.at(&answer.url);
    let body = http
        .receive(target, answer, Part::Token, ANSWER_LIMIT)
        .await?;
    token_of(&body).ok_or_else(|| Error::Malformed {
        place,
        part: Part::Token,
        // The body may hold a token in some other form: it is not shown.
        reason: "it is not JSON with a token".to_owned(),
    })
}

fn token_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        token: Option<String>,
        access_token: Option<String>,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    [body.access_token, body.token]
        .into_iter()
        .flatten()
        .find(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()))
}
