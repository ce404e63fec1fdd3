//! Pulls a chart from a registry (OCI distribution): manifest by tag, then the one blob it names.

pub(super) mod signatures;
pub(super) mod whole;

use bytes::Bytes;
use reqwest::header::HeaderValue;
use url::Url;

use super::cache::ReferenceKey;
use super::digest::Digest;
use super::error::{Declared, Error, Missing, Part};
use super::http::{Answer, Ask};
use super::manifest::{self, Content, Document};
use super::repository::{Kind, Registry, Repository};
use super::target::Target;
use super::token::authorize;
use super::{Archive, ChartRef, Shared};

/// Manifests of one index that are looked at.
const INDEX_ENTRIES: usize = 16;
/// A registry's words about an error.
const ERROR_LIMIT: u64 = 1 << 16;

/// A chart in a registry: `{api}{repository}/manifests/{tag}`.
pub(super) struct Reference {
    /// Ends in `/v2/`.
    pub(super) api: Url,
    pub(super) repository: String,
    pub(super) tag: String,
}

impl Reference {
    /// A chart of a registry.
    pub(super) fn of(registry: &Registry, chart: &ChartRef) -> Result<Self, Error> {
        Ok(Self {
            api: registry.api(chart.insecure)?,
            repository: registry.repository_of(&chart.name),
            tag: Self::tag_of(&chart.version),
        })
    }

    /// The tag of a version. helm: pkg/registry/reference.go newReference: `+` cannot be in a tag.
    pub(super) fn tag_of(version: &str) -> String {
        version.replace('+', "_")
    }

    /// Reads `oci://host/path/chart:tag`, the form in which some index.yaml name an archive.
    pub(super) fn parse(text: &str, plain_http: bool) -> Option<Self> {
        let (repository, tag) = text.rsplit_once(':')?;
        let repository: Repository = repository.parse().ok()?;
        let Kind::Registry(registry) = repository.kind() else {
            return None;
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
        if registry.path.is_empty() || tag.is_empty() || !tag.chars().all(plain) {
            return None;
        }
        let api = registry.api(plain_http).ok()?;
        Some(Self {
            api,
            repository: registry.path.clone(),
            tag: Self::tag_of(tag),
        })
    }

    fn url(&self, kind: &str, name: &str) -> Url {
        let mut url = self.api.clone();
        url.set_path(&format!("/v2/{}/{kind}/{name}", self.repository));
        url
    }
}

/// Fetches the archive that a tag names, unless the cache has it under `key`; `declared` is what an
/// index says of it.
pub(super) async fn pull(
    shared: &Shared,
    target: &Target<'_>,
    reference: &Reference,
    declared: Option<Digest>,
    key: &ReferenceKey,
) -> Result<Archive, Error> {
    let mut pull = Pull {
        shared,
        target,
        reference,
        authorization: None,
    };
    let (url, manifest, layer) = pull.resolve().await?;
    target.check_pins(&url, layer.digest, Some(manifest))?;
    if let Some(expected) = declared.filter(|pin| *pin != layer.digest && *pin != manifest) {
        let (place, declared) = (target.at(&url), Declared::Index);
        return Err(Error::DigestMismatch {
            place,
            declared,
            expected,
            found: layer.digest,
        });
    }
    let bytes = match shared.cache.recall(key).await {
        Some(kept) if kept.digest == layer.digest => kept.bytes,
        Some(_) | None => pull.blob(layer).await?,
    };
    Ok(Archive {
        bytes,
        digest: layer.digest,
        manifest: Some(manifest),
    })
}

/// One pull: a registry that has taken a login is not asked without it again.
struct Pull<'a> {
    shared: &'a Shared,
    target: &'a Target<'a>,
    reference: &'a Reference,
    authorization: Option<HeaderValue>,
}

impl Pull<'_> {
    /// The digest of what the tag names, and the layer with the archive.
    async fn resolve(&mut self) -> Result<(Url, Digest, Content), Error> {
        let url = self.reference.url("manifests", &self.reference.tag);
        let answer = self.get(url.clone(), manifest::ACCEPT).await?;
        if answer.status() != 200 {
            return Err(self.manifest_refusal(answer).await);
        }
        let announced = answer
            .headers("docker-content-digest")
            .next()
            .and_then(|text| text.parse::<Digest>().ok());
        let limit = self.shared.limits.manifest;
        let http = &self.shared.http;
        let body = http
            .receive(self.target, answer, Part::Manifest, limit)
            .await?;
        let digest = Digest::of(&body);
        if let Some(expected) = announced {
            self.check(&url, expected, digest)?;
        }
        let layer = match self.parse(&url, &body)? {
            Document::Chart(layer) => layer,
            Document::Other(config) => {
                return Err(
                    self.malformed(&url, format!("it is no chart: its config is {config:?}"))
                );
            }
            Document::Index(entries) => self.chart_of_index(&url, &entries).await?,
        };
        Ok((url, digest, layer))
    }

    /// The one chart among an index's manifests; images and signatures beside it are passed over.
    async fn chart_of_index(&mut self, url: &Url, entries: &[Content]) -> Result<Content, Error> {
        if entries.len() > INDEX_ENTRIES {
            return Err(
                self.malformed(url, format!("it lists more than {INDEX_ENTRIES} manifests"))
            );
        }
        let mut found = None;
        for entry in entries {
            let url = self.reference.url("manifests", &entry.digest.to_string());
            let limit = self.shared.limits.manifest;
            let body = self.content(&url, *entry, Part::Manifest, limit).await?;
            match self.parse(&url, &body)? {
                Document::Chart(layer) if found.is_some_and(|found| found != layer) => {
                    return Err(self.malformed(&url, "its index lists several charts".to_owned()));
                }
                Document::Chart(layer) => found = Some(layer),
                Document::Other(_) | Document::Index(_) => {}
            }
        }
        found.ok_or_else(|| self.malformed(url, "it lists no chart".to_owned()))
    }

    async fn blob(&mut self, layer: Content) -> Result<Bytes, Error> {
        let url = self.reference.url("blobs", &layer.digest.to_string());
        self.content(&url, layer, Part::Archive, self.shared.limits.archive)
            .await
    }

    /// Bytes that were named by digest and size, and are exactly those.
    async fn content(
        &mut self,
        url: &Url,
        named: Content,
        part: Part,
        limit: u64,
    ) -> Result<Bytes, Error> {
        let target = self.target;
        if named.size > limit {
            return Err(Error::TooLarge {
                place: target.at(url),
                part,
                limit,
            });
        }
        let accept = if part == Part::Manifest {
            manifest::ACCEPT
        } else {
            "*/*"
        };
        let answer = self.get(url.clone(), accept).await?;
        if answer.status() != 200 {
            return Err(answer.refusal(target, Missing::Archive));
        }
        let http = &self.shared.http;
        let body = http
            .receive_verified(target, answer, part, named.size)
            .await?;
        let received = body.len() as u64;
        if received < named.size {
            let (place, declared) = (target.at(url), named.size);
            return Err(Error::Truncated {
                place,
                declared,
                received,
            });
        }
        self.check(url, named.digest, Digest::of(&body))?;
        Ok(body)
    }

    /// Asks, and once more with a login if the registry itself (no one it redirects to) wants one.
    async fn get(&mut self, url: Url, accept: &'static str) -> Result<Answer, Error> {
        let (http, target) = (&self.shared.http, self.target);
        let ask = Ask::get(url.clone(), accept, self.authorization.as_ref());
        let answer = http.send(target, ask).await?;
        if answer.status() != 401 || !answer.from_asked_origin {
            return Ok(answer);
        }
        let login = target.login(&url, &self.reference.repository);
        let scope = format!("repository:{}:pull", self.reference.repository);
        let Some(authorization) = authorize(http, target, &answer, login.as_ref(), &scope).await?
        else {
            return Ok(answer);
        };
        let ask = Ask::get(url, accept, Some(&authorization));
        let answer = http.send(target, ask).await?;
        self.authorization = Some(authorization);
        Ok(answer)
    }

    async fn manifest_refusal(&self, answer: Answer) -> Error {
        let refusal = answer.refusal(self.target, Missing::Version);
        if !matches!(refusal, Error::NotFound { .. }) {
            return refusal;
        }
        let place = self.target.at(&answer.url);
        let http = &self.shared.http;
        match http
            .receive(self.target, answer, Part::Manifest, ERROR_LIMIT)
            .await
        {
            Ok(body) if manifest::is_name_unknown(&body) => Error::NotFound {
                place,
                missing: Missing::Chart,
            },
            _ => refusal,
        }
    }

    fn parse(&self, url: &Url, body: &[u8]) -> Result<Document, Error> {
        manifest::parse(body).map_err(|reason| self.malformed(url, reason))
    }

    fn malformed(&self, url: &Url, reason: String) -> Error {
        Error::Malformed {
            place: self.target.at(url),
            part: Part::Manifest,
            reason,
        }
    }

    fn check(&self, url: &Url, expected: Digest, found: Digest) -> Result<(), Error> {
        if expected == found {
            return Ok(());
        }
        let (place, declared) = (self.target.at(url), Declared::Registry);
        Err(Error::DigestMismatch {
            place,
            declared,
            expected,
            found,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn reads_the_references_of_an_index() {
        let reference =
            Reference::parse("oci://docker.io/bitnamicharts/nginx:1.2.3+b4", false).unwrap();
        assert_eq!(
            reference.url("manifests", &reference.tag).as_str(),
            "https://registry-1.docker.io/v2/bitnamicharts/nginx/manifests/1.2.3_b4"
        );
        for text in [
            "oci://host:5000/chart",
            "oci://host:5000",
            "https://host/a:1",
            "oci://u:p@host/a:1",
            "oci://host/a:",
        ] {
            assert!(Reference::parse(text, false).is_none(), "{text} was taken");
        }
    }
}
