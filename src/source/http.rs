//! Bounded HTTP: redirects by hand so that no login follows them, sizes counted while reading.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_RANGE,
    LAST_MODIFIED, LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use rustls::RootCertStore;
use url::Url;

use super::digest::Digest;
use super::error::{Cause, Error, Missing, Part};
use super::target::{Target, same_origin};
use super::tls::{TlsMaterial, client_config, system_roots};
use super::{Limits, Retries, Route, Timeouts};

/// Clients kept at once, one for each set of TLS material and each way; more begin anew.
const CLIENTS: usize = 64;

pub(super) struct Http {
    system: RootCertStore,
    /// By the digest of their TLS material and way.
    clients: Mutex<HashMap<Digest, Client>>,
    timeouts: Timeouts,
    redirects: usize,
    retries: Retries,
}

/// One request. Its authorization goes to the origin of `url` and to no other.
pub(super) struct Ask<'a> {
    pub(super) url: Url,
    /// Anything but a login.
    pub(super) headers: HeaderMap,
    pub(super) authorization: Option<&'a HeaderValue>,
    /// What to POST, a login or what is wanted of git; without it the request is a GET.
    pub(super) post: Option<Post>,
}

/// The body of a request.
#[derive(Clone)]
pub(super) struct Post {
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl Post {
    /// A form, already encoded.
    pub(super) fn form(body: String) -> Self {
        Self {
            content_type: "application/x-www-form-urlencoded",
            body,
        }
    }
}

impl<'a> Ask<'a> {
    /// A GET.
    pub(super) fn get(
        url: Url,
        accept: &'static str,
        authorization: Option<&'a HeaderValue>,
    ) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        Self {
            url,
            headers,
            authorization,
            post: None,
        }
    }
}

/// A response whose body is still to come.
pub(super) struct Answer {
    asked: Asked,
    response: Response,
    /// Where it came from after all redirects.
    pub(super) url: Url,
    /// Whether that is still the origin that was asked.
    pub(super) from_asked_origin: bool,
}

/// What was asked for.
#[derive(Clone)]
struct Asked {
    url: Url,
    /// None where something was posted.
    headers: Option<HeaderMap>,
    authorization: Option<HeaderValue>,
}

impl Http {
    pub(super) fn new(timeouts: Timeouts, limits: &Limits, retries: Retries) -> Self {
        Self {
            system: system_roots(),
            clients: Mutex::default(),
            timeouts,
            redirects: limits.redirects,
            retries,
        }
    }

    /// Sends the request and follows redirects; any status is an answer. A server that cannot be
    /// reached, or is too busy, is asked again.
    pub(super) async fn send(&self, target: &Target<'_>, ask: Ask<'_>) -> Result<Answer, Error> {
        let mut attempt = 0;
        loop {
            let sent = self.send_once(target, &ask).await;
            let wish = match &sent {
                Ok(answer) if is_passing(answer.status()) => answer.retry_after(),
                Err(Error::Connect { .. } | Error::Dns { .. } | Error::Interrupted { .. }) => None,
                _ => return sent,
            };
            if !self.pauses(&mut attempt, wish).await {
                return sent;
            }
        }
    }

    /// Waits before one more try; answers whether there is one.
    pub(super) async fn pauses(&self, attempt: &mut u32, wish: Option<Duration>) -> bool {
        let Retries {
            count,
            pause,
            patience,
        } = self.retries;
        let wished = wish.unwrap_or_default();
        if *attempt >= count || wished > patience {
            return false;
        }
        let pause = pause.saturating_mul(1 << (*attempt).min(16));
        // Not all at once, where many wait for one server.
        let pause = pause.mul_f64(rand::random_range(0.5..1.0));
        tokio::time::sleep(pause.max(wished)).await;
        *attempt += 1;
        true
    }

    /// The whole body, which is refused as soon as it is seen to be larger than `limit` bytes. Where
    /// the transfer breaks, it goes on from there if the server says that it is still the same.
    pub(super) async fn receive(
        &self,
        target: &Target<'_>,
        answer: Answer,
        part: Part,
        limit: u64,
    ) -> Result<Bytes, Error> {
        self.receive_as(target, answer, (part, limit), false).await
    }

    /// The same for bytes whose digest is known: they go on in any case.
    pub(super) async fn receive_verified(
        &self,
        target: &Target<'_>,
        answer: Answer,
        part: Part,
        limit: u64,
    ) -> Result<Bytes, Error> {
        self.receive_as(target, answer, (part, limit), true).await
    }

    async fn receive_as(
        &self,
        target: &Target<'_>,
        mut answer: Answer,
        (part, limit): (Part, u64),
        verified: bool,
    ) -> Result<Bytes, Error> {
        let mut body = BytesMut::new();
        let mut attempt = 0;
        let validator = answer.validator();
        let Asked {
            url,
            headers,
            authorization,
        } = answer.asked.clone();
        loop {
            let broken = match answer.read(target, part, limit, &mut body).await {
                Ok(()) => return Ok(body.freeze()),
                Err(error @ (Error::Interrupted { .. } | Error::Timeout { .. })) => error,
                Err(error) => return Err(error),
            };
            // Nothing is posted twice.
            let Some(headers) = &headers else {
                return Err(broken);
            };
            if !self.pauses(&mut attempt, None).await {
                return Err(broken);
            }
            let mut headers = headers.clone();
            let resumable = (verified || validator.is_some()) && !body.is_empty();
            if resumable {
                let range = HeaderValue::from_str(&format!("bytes={}-", body.len()));
                headers.extend(range.ok().map(|range| (RANGE, range)));
                headers.extend(validator.clone().map(|validator| (IF_RANGE, validator)));
            }
            let ask = Ask {
                url: url.clone(),
                headers,
                authorization: authorization.as_ref(),
                post: None,
            };
            answer = self.send(target, ask).await?;
            match answer.status().as_u16() {
                200 => body.clear(),
                206 if resumable && answer.goes_on_at(body.len()) => {}
                _ => return Err(broken),
            }
        }
    }

    async fn send_once(&self, target: &Target<'_>, ask: &Ask<'_>) -> Result<Answer, Error> {
        let mut url = ask.url.clone();
        // A login that was left behind does not come back, even if the way leads home again.
        let mut from_asked_origin = true;
        for _ in 0..=self.redirects {
            target.permit(&url)?;
            from_asked_origin &= same_origin(&ask.url, &url);
            let request = self.request(target, &url, ask, from_asked_origin)?;
            let response = request
                .send()
                .await
                .map_err(|error| failure(target, &url, error))?;
            if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
                return Ok(Answer {
                    asked: Asked {
                        url: ask.url.clone(),
                        headers: ask.post.is_none().then(|| ask.headers.clone()),
                        authorization: ask.authorization.cloned(),
                    },
                    response,
                    url,
                    from_asked_origin,
                });
            }
            if ask.post.is_some() {
                return Err(redirect_error(
                    target,
                    &url,
                    "what is posted must not be redirected",
                ));
            }
            url = next(target, &url, &response)?;
        }
        Err(redirect_error(
            target,
            &url,
            "the server redirects without end",
        ))
    }

    fn request(
        &self,
        target: &Target<'_>,
        url: &Url,
        ask: &Ask<'_>,
        with_login: bool,
    ) -> Result<RequestBuilder, Error> {
        let client = self.client(target, url)?;
        let mut headers = ask.headers.clone();
        if let Some(authorization) = ask.authorization.filter(|_| with_login) {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        let request = match &ask.post {
            None => client.get(url.clone()),
            Some(post) => {
                let content_type = HeaderValue::from_static(post.content_type);
                headers.insert(CONTENT_TYPE, content_type);
                client.post(url.clone()).body(post.body.clone())
            }
        };
        Ok(request.headers(headers))
    }

    fn client(&self, target: &Target<'_>, url: &Url) -> Result<Client, Error> {
        let material = match target.tls() {
            Some(material) if target.is_home(url) => Some(material.clone()),
            Some(material) => Some(material.without_identity()),
            None => None,
        };
        let parts = material
            .as_ref()
            .map(TlsMaterial::parts)
            .unwrap_or_default();
        let key = Digest::of_parts(parts.into_iter().chain(target.route().parts()));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = self.build(material.as_ref(), target.route())?;
        if clients.len() >= CLIENTS {
            clients.clear();
        }
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn build(&self, material: Option<&TlsMaterial>, route: &Route) -> Result<Client, Error> {
        let builder = Client::builder()
            .tls_backend_preconfigured(client_config(&self.system, material)?)
            .user_agent(concat!("pintle/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            // Retries are the caller's, who knows what else waits.
            .retry(reqwest::retry::never())
            // helm: pkg/getter/httpgetter.go DisableCompression: a .tgz must arrive as it is stored.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .connect_timeout(self.timeouts.connect)
            .read_timeout(self.timeouts.idle);
        route
            .apply(builder)
            .and_then(reqwest::ClientBuilder::build)
            .map_err(|error| Error::Start {
                action: "building an HTTP client".to_owned(),
                source: Arc::new(error),
            })
    }
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// All values of a header that are text.
    pub(super) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        self.response
            .headers()
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
    }

    /// All headers that are texts, by their lower-case names.
    pub(super) fn all_headers(&self) -> Vec<(String, String)> {
        let headers = self.response.headers().iter();
        headers
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect()
    }

    /// The error for a status that is not 200, with what a 404 means here, if it means anything.
    pub(super) fn refusal(
        &self,
        target: &Target<'_>,
        missing: impl Into<Option<Missing>>,
    ) -> Error {
        let place = target.at(&self.url);
        match (self.status().as_u16(), missing.into()) {
            (status @ (401 | 403), _) => Error::Unauthorized { place, status },
            (404 | 410, Some(missing)) => Error::NotFound { place, missing },
            (status, _) => Error::Status {
                place,
                status,
                retry_after: self.retry_after(),
            },
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        let mut wishes = self.headers(RETRY_AFTER.as_str());
        wishes.next().and_then(|text| wait(text, Timestamp::now()))
    }

    /// What tells that the rest is of the same whole.
    // RFC 9110, 13.1.5: a weak validator, or a date that is none, must not be sent.
    fn validator(&self) -> Option<HeaderValue> {
        let headers = self.response.headers();
        let strong = |tag: &&HeaderValue| tag.as_bytes().starts_with(b"\"");
        let tag = headers.get(ETAG).filter(strong);
        tag.or_else(|| headers.get(LAST_MODIFIED)).cloned()
    }

    /// Whether a 206 begins at this byte.
    fn goes_on_at(&self, at: usize) -> bool {
        let mut ranges = self.headers(CONTENT_RANGE.as_str());
        ranges
            .next()
            .and_then(|range| range.strip_prefix("bytes ")?.split_once('-'))
            .is_some_and(|(first, _)| first.parse() == Ok(at))
    }

    /// Hands the body over as it comes, and refuses it as soon as it is seen to be larger than
    /// `limit` bytes.
    pub(super) async fn pour(
        mut self,
        target: &Target<'_>,
        part: Part,
        limit: u64,
        mut into: impl FnMut(&[u8]) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut left = limit;
        if self.response.content_length().unwrap_or(0) > limit {
            left = 0;
        }
        loop {
            let chunk = self.response.chunk().await;
            let chunk = chunk.map_err(|error| failure(target, &self.url, error))?;
            let Some(chunk) = chunk else { return Ok(()) };
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| Error::TooLarge {
                    place: target.at(&self.url),
                    part,
                    limit,
                })?;
            into(&chunk)?;
        }
    }

    /// Adds what comes to `body`.
    async fn read(
        &mut self,
        target: &Target<'_>,
        part: Part,
        limit: u64,
        body: &mut BytesMut,
    ) -> Result<(), Error> {
        let too_large = || Error::TooLarge {
            place: target.at(&self.url),
            part,
            limit,
        };
        let announced = self.response.content_length().unwrap_or(0);
        if announced.saturating_add(body.len() as u64) > limit {
            return Err(too_large());
        }
        // An announcement alone must not take memory.
        body.reserve(usize::try_from(announced.min(1 << 16)).unwrap_or(0));
        loop {
            match self.response.chunk().await {
                Ok(Some(chunk)) if (body.len() + chunk.len()) as u64 > limit => {
                    return Err(Error::TooLarge {
                        place: target.at(&self.url),
                        part,
                        limit,
                    });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(()),
                Err(error) => return Err(failure(target, &self.url, error)),
            }
        }
    }
}

/// Statuses that may be others a moment later.
fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 425 | 429 | 500 | 502..=504)
}

/// Where a redirect leads; it is judged before it is followed.
fn next(target: &Target<'_>, url: &Url, response: &Response) -> Result<Url, Error> {
    let location = response
        .headers()
        .get(LOCATION)
        .and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| url.join(location).ok());
    next.ok_or_else(|| redirect_error(target, url, "the server redirects to nowhere"))
}

fn redirect_error(target: &Target<'_>, url: &Url, reason: &'static str) -> Error {
    Error::Redirect {
        place: target.at(url),
        reason,
    }
}

/// Names what went wrong with a request. The URL is taken off: its query may be a signature.
fn failure(target: &Target<'_>, url: &Url, error: reqwest::Error) -> Error {
    let place = target.at(url);
    let error = error.without_url();
    let waited = if error.is_connect() {
        "connecting"
    } else {
        "the server's answer"
    };
    if error.is_timeout() {
        return Error::Timeout { place, waited };
    }
    let (dns, connect, tls) = (error.is_dns(), error.is_connect(), is_tls(&error));
    let source: Cause = Arc::new(error);
    match (tls, dns, connect) {
        (true, ..) => Error::Tls { place, source },
        (_, true, _) => Error::Dns { place, source },
        (_, _, true) => Error::Connect { place, source },
        _ => Error::Interrupted { place, source },
    }
}

fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    // An io::Error hides its inner error from source(), which shows that one's source instead.
    let inner = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref);
    let cause = inner
        .map(|inner| inner as &(dyn StdError + 'static))
        .or_else(|| error.source());
    error.is::<rustls::Error>() || cause.is_some_and(is_tls)
}

/// `Retry-After`: seconds, or a date.
fn wait(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(
        until
            .duration_since(now)
            .try_into()
            .unwrap_or(Duration::ZERO),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2015-10-21T07:27:00Z".parse().unwrap();
        assert_eq!(wait(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(
            wait("Wed, 21 Oct 2015 07:28:00 GMT", now),
            Some(Duration::from_secs(60))
        );
        assert_eq!(
            wait("Wed, 21 Oct 2015 07:00:00 GMT", now),
            Some(Duration::ZERO)
        );
        assert_eq!(wait("soon", now), None);
        assert_eq!(wait("-1", now), None);
    }
}
