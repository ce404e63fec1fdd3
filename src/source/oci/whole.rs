//! A manifest with everything below it, and the signatures beside it.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use url::Url;

use super::super::error::{Error, Missing, Part};
use super::super::manifest::{self, ACCEPT, Content, INDEX, MANIFEST};
use super::super::verify::cosign;
use super::super::whole::{Named, Whole};
use super::super::{Archive, Shared};
use super::{Digest, INDEX_ENTRIES, Pull, Reference, Target};

/// Documents within documents: an index, its manifests, and no more.
const DEPTH: usize = 2;
/// Documents and blobs of one chart, its signatures included.
const CONTENTS: usize = 256;

/// A manifest or an index, as far as it names others.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Names {
    #[serde(default)]
    media_type: String,
    config: Option<Entry>,
    layers: Option<Vec<Entry>>,
    manifests: Option<Vec<Entry>>,
}

/// A descriptor, as far as it is written anew.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    artifact_type: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Referrers<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: &'a [Entry],
}

/// What a registry has of an archive that was pulled from it.
pub(in crate::source) async fn gather(
    shared: &Shared,
    target: &Target<'_>,
    reference: &Reference,
    archive: &Archive,
    with_signatures: bool,
) -> Result<Whole, Error> {
    let mut gathering = Gathering {
        pull: Pull::new(shared, target, reference),
        whole: Whole::default(),
    };
    let whole = &mut gathering.whole;
    whole.contents.insert(archive.digest, archive.bytes.clone());
    // Without a manifest it is not from a registry.
    let Some(digest) = archive.manifest else {
        return Ok(gathering.whole);
    };
    let url = reference.url("manifests", &digest.to_string());
    let body = gathering.pull.named(&url, digest).await?;
    let media_type = gathering.document(&url, digest, body, 0).await?;
    gathering.whole.manifest = Some(Named { media_type, digest });
    if with_signatures {
        gathering.signatures(digest).await?;
    }
    Ok(gathering.whole)
}

struct Gathering<'a> {
    pull: Pull<'a>,
    whole: Whole,
}

impl Gathering<'_> {
    /// Keeps a document and all that it names; answers its media type.
    async fn document(
        &mut self,
        url: &Url,
        digest: Digest,
        body: Bytes,
        depth: usize,
    ) -> Result<String, Error> {
        let names: Names = serde_json::from_slice(&body)
            .map_err(|error| self.pull.malformed(url, error.to_string()))?;
        self.keep(url, digest, body)?;
        for entry in names.config.iter().chain(names.layers.iter().flatten()) {
            self.blob(url, entry).await?;
        }
        for entry in names.manifests.iter().flatten() {
            if depth + 1 >= DEPTH {
                return Err(self
                    .pull
                    .malformed(url, "its indexes are nested".to_owned()));
            }
            Box::pin(self.inner(url, entry, depth + 1)).await?;
        }
        Ok(match (names.media_type, names.manifests) {
            (named, _) if !named.is_empty() => named,
            (_, Some(_)) => INDEX.to_owned(),
            (_, None) => MANIFEST.to_owned(),
        })
    }

    async fn inner(&mut self, url: &Url, entry: &Entry, depth: usize) -> Result<(), Error> {
        let Some(content) = self.lacking(url, entry)? else {
            return Ok(());
        };
        let url = self.pull.reference.url("manifests", &entry.digest);
        let limit = self.pull.shared.limits.manifest;
        let body = self.pull.content(&url, content, Part::Manifest, limit);
        let body = body.await?;
        self.document(&url, content.digest, body, depth).await?;
        Ok(())
    }

    /// What an entry names, unless it is there already.
    fn lacking(&self, url: &Url, entry: &Entry) -> Result<Option<Content>, Error> {
        let content = manifest::content(&entry.digest, entry.size);
        let content = content.map_err(|reason| self.pull.malformed(url, reason))?;
        let known = self.whole.contents.contains_key(&content.digest);
        Ok((!known).then_some(content))
    }

    async fn blob(&mut self, url: &Url, entry: &Entry) -> Result<(), Error> {
        let Some(content) = self.lacking(url, entry)? else {
            return Ok(());
        };
        let url = self.pull.reference.url("blobs", &entry.digest);
        let limit = self.pull.shared.limits.archive;
        let body = self.pull.content(&url, content, Part::Archive, limit);
        let body = body.await?;
        self.keep(&url, content.digest, body)
    }

    fn keep(&mut self, url: &Url, digest: Digest, body: Bytes) -> Result<(), Error> {
        if self.whole.contents.len() >= CONTENTS {
            let reason = format!("it names more than {CONTENTS} others");
            return Err(self.pull.malformed(url, reason));
        }
        self.whole.contents.insert(digest, body);
        Ok(())
    }

    /// What cosign has stored beside a manifest, in every form in which it does.
    async fn signatures(&mut self, of: Digest) -> Result<(), Error> {
        let tag = format!("sha256-{}.sig", of.hex());
        let url = self.pull.reference.url("manifests", &tag);
        if let Some(body) = self.optional(&url).await? {
            let digest = Digest::of(&body);
            let media_type = self.document(&url, digest, body, 0).await?;
            let named = Named { media_type, digest };
            self.whole.signatures.push((tag, named));
        }
        let tag = format!("sha256-{}", of.hex());
        let mut url = self.pull.reference.url("referrers", &of.to_string());
        let mut body = self.optional(&url).await?;
        if body.is_none() {
            url = self.pull.reference.url("manifests", &tag);
            body = self.optional(&url).await?;
        }
        let Some(body) = body else { return Ok(()) };
        let listed: Names = serde_json::from_slice(&body)
            .map_err(|error| self.pull.malformed(&url, error.to_string()))?;
        let mut entries = listed.manifests.unwrap_or_default();
        let is_signature = |kind: &str| kind.is_empty() || kind.starts_with(cosign::BUNDLE);
        entries.retain(|entry| is_signature(&entry.artifact_type));
        entries.sort_by(|a, b| a.digest.cmp(&b.digest));
        if entries.is_empty() {
            return Ok(());
        }
        if entries.len() > INDEX_ENTRIES {
            let reason = format!("more than {INDEX_ENTRIES} signatures refer to the chart");
            return Err(self.pull.malformed(&url, reason));
        }
        for entry in &entries {
            self.inner(&url, entry, 1).await?;
        }
        // distribution-spec: referrers tag schema, for registries without that list
        let index = Referrers {
            schema_version: 2,
            media_type: INDEX,
            manifests: &entries,
        };
        let body = serde_json::to_vec(&index)
            .map_err(|error| self.pull.malformed(&url, error.to_string()))?;
        let digest = Digest::of(&body);
        self.keep(&url, digest, body.into())?;
        let media_type = INDEX.to_owned();
        let named = Named { media_type, digest };
        self.whole.signatures.push((tag, named));
        Ok(())
    }

    /// A document that may not be there.
    async fn optional(&mut self, url: &Url) -> Result<Option<Bytes>, Error> {
        let answer = self.pull.get(url.clone(), ACCEPT).await?;
        match answer.status().as_u16() {
            404 => return Ok(None),
            200 => {}
            _ => return Err(answer.refusal(self.pull.target, Missing::Signature)),
        }
        let limit = self.pull.shared.limits.manifest;
        let http = &self.pull.shared.http;
        let body = http.receive(self.pull.target, answer, Part::Manifest, limit);
        body.await.map(Some)
    }
}
