//! What a registry holds of signatures beside a chart: Helm's provenance in a layer of the manifest,
//! cosign's under a tag or as what refers to the manifest.
//!
//! In: the manifest's digest and who is trusted. Out: who signed. Never: more documents,
//! or larger ones, than a person would sign.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use url::Url;

use super::super::error::{Error, Missing, Part};
use super::super::manifest::{self, ACCEPT};
use super::super::verify::pgp::{self, Keyring};
use super::super::verify::{self, Signer, Trusted, cosign};
use super::{Content, Digest, INDEX_ENTRIES, Pull, Reference, Shared, Target};

/// helm: pkg/registry/constants.go ProvLayerMediaType
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
/// How many signatures of one manifest are looked at.
const MOST: usize = 32;
/// The largest signed document or bundle.
const LARGEST: u64 = 1 << 20;

/// A manifest or an index, as far as signatures go.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    #[serde(default)]
    layers: Vec<Entry>,
    #[serde(default)]
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    media_type: String,
    artifact_type: Option<String>,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// Who vouches for the archive in a provenance that was pushed with it.
pub(in crate::source) async fn provenance(
    shared: &Shared,
    target: &Target<'_>,
    reference: &Reference,
    (archive, manifest): (Digest, Digest),
    keyring: &Keyring,
) -> Result<Signer, Error> {
    let mut pull = Pull::new(shared, target, reference);
    let url = reference.url("manifests", &manifest.to_string());
    let whole = pull.named(&url, manifest).await?;
    let mut listed = vec![pull.listed(&url, &whole)?];
    let entries = std::mem::take(&mut listed[0].manifests);
    for entry in entries.iter().take(INDEX_ENTRIES) {
        let content = pull.content_of(&url, entry)?;
        let url = reference.url("manifests", &entry.digest);
        let limit = shared.limits.manifest;
        let inner = pull.content(&url, content, Part::Manifest, limit).await?;
        listed.push(pull.listed(&url, &inner)?);
    }
    let named = archive.to_string();
    let of_archive = |listed: &&Listed| listed.layers.iter().any(|layer| layer.digest == named);
    let mut layers = listed.iter().filter(of_archive).flat_map(|l| &l.layers);
    let Some(layer) = layers.find(|layer| layer.media_type == PROVENANCE) else {
        return Err(target.unverified(&url, verify::Error::Unsigned));
    };
    let text = pull.blob_of(&url, layer).await?;
    let file = format!("{}-{}.tgz", target.name(), target.version());
    pgp::verify(archive, &file, &text, keyring, jiff::Timestamp::now())
        .map_err(|error| target.unverified(&url, error))
}

/// Who signed the manifest, in any form in which cosign stores that.
pub(in crate::source) async fn cosigned(
    shared: &Shared,
    target: &Target<'_>,
    reference: &Reference,
    manifest: Digest,
    trusted: &Trusted,
) -> Result<Signer, Error> {
    let mut pull = Pull::new(shared, target, reference);
    let place = reference.url("manifests", &manifest.to_string());
    let mut failed = verify::Error::Unsigned;
    let mut note = |error| {
        // The first that was found says most.
        if failed == verify::Error::Unsigned {
            failed = error;
        }
    };
    for (url, layer) in pull.bundles(manifest).await? {
        let bundle = pull.blob_of(&url, &layer).await?;
        match of_bundle(trusted, manifest, bundle).await {
            Ok(signer) => return Ok(signer),
            Err(error) => note(error),
        }
    }
    let url = reference.url("manifests", &format!("sha256-{}.sig", manifest.hex()));
    let layers = pull
        .optional(&url)
        .await?
        .map_or_else(Vec::new, |l| l.layers);
    let simple = layers
        .iter()
        .filter(|layer| layer.media_type == cosign::SIMPLE_SIGNING);
    for layer in simple.take(MOST) {
        if !layer.annotations.contains_key(cosign::SIGNATURE_ANNOTATION) {
            continue;
        }
        let document = pull.blob_of(&url, layer).await?;
        match of_document(trusted, manifest, document, &layer.annotations).await {
            Ok(signer) => return Ok(signer),
            Err(error) => note(error),
        }
    }
    Err(target.unverified(&place, failed))
}

async fn of_bundle(
    trusted: &Trusted,
    manifest: Digest,
    bundle: Bytes,
) -> Result<Signer, verify::Error> {
    match trusted {
        Trusted::Pgp(_) => Err(verify::Error::Unsigned),
        Trusted::Cosign(keys) => cosign::verify_bundle(manifest, &bundle, keys),
        Trusted::Keyless(keyless) => {
            let keyless = Arc::clone(keyless);
            apart(move || keyless.verify_bundle(manifest, &bundle)).await
        }
    }
}

async fn of_document(
    trusted: &Trusted,
    manifest: Digest,
    document: Bytes,
    annotations: &BTreeMap<String, String>,
) -> Result<Signer, verify::Error> {
    match trusted {
        Trusted::Pgp(_) => Err(verify::Error::Unsigned),
        Trusted::Cosign(keys) => {
            let signature = annotations.get(cosign::SIGNATURE_ANNOTATION);
            let signature = signature.map_or("", String::as_str);
            cosign::verify_simple(manifest, &document, signature, keys)
        }
        Trusted::Keyless(keyless) => {
            let (keyless, annotations) = (Arc::clone(keyless), annotations.clone());
            apart(move || keyless.verify_simple(manifest, &document, &annotations)).await
        }
    }
}

/// Chains and logs are many signatures to look at: on a thread that may be held up.
async fn apart(
    work: impl FnOnce() -> Result<Signer, verify::Error> + Send + 'static,
) -> Result<Signer, verify::Error> {
    let worked = tokio::task::spawn_blocking(work).await;
    worked.unwrap_or_else(|error| {
        let reason = format!("the verification broke off: {error}");
        Err(verify::Error::Malformed(reason))
    })
}

impl<'a> Pull<'a> {
    pub(super) fn new(
        shared: &'a Shared,
        target: &'a Target<'a>,
        reference: &'a Reference,
    ) -> Self {
        Self {
            shared,
            target,
            reference,
            authorization: None,
        }
    }

    /// The layers with bundles of what refers to a manifest.
    // distribution-spec: listing referrers, and the tag for registries that cannot
    async fn bundles(&mut self, manifest: Digest) -> Result<Vec<(Url, Entry)>, Error> {
        let mut url = self.reference.url("referrers", &manifest.to_string());
        let mut listed = self.optional(&url).await?;
        if listed.is_none() {
            let tag = format!("sha256-{}", manifest.hex());
            url = self.reference.url("manifests", &tag);
            listed = self.optional(&url).await?;
        }
        let mut bundles = Vec::new();
        let entries = listed.unwrap_or_default().manifests;
        let may_hold = |entry: &&Entry| {
            let kind = entry.artifact_type.as_deref();
            kind.is_none_or(|kind| kind.is_empty() || kind.starts_with(cosign::BUNDLE))
        };
        for entry in entries.iter().filter(may_hold).take(MOST) {
            let content = self.content_of(&url, entry)?;
            let url = self.reference.url("manifests", &entry.digest);
            let limit = self.shared.limits.manifest;
            let inner = self.content(&url, content, Part::Manifest, limit).await?;
            let layers = self.listed(&url, &inner)?.layers.into_iter();
            let held = layers.filter(|layer| layer.media_type.starts_with(cosign::BUNDLE));
            bundles.extend(held.take(1).map(|layer| (url.clone(), layer)));
        }
        Ok(bundles)
    }

    /// A manifest or index that may not be there.
    async fn optional(&mut self, url: &Url) -> Result<Option<Listed>, Error> {
        let answer = self.get(url.clone(), ACCEPT).await?;
        match answer.status().as_u16() {
            404 => return Ok(None),
            200 => {}
            _ => return Err(answer.refusal(self.target, Missing::Signature)),
        }
        let limit = self.shared.limits.manifest;
        let http = &self.shared.http;
        let body = http
            .receive(self.target, answer, Part::Manifest, limit)
            .await?;
        self.listed(url, &body).map(Some)
    }

    /// A manifest by its digest.
    pub(super) async fn named(&mut self, url: &Url, digest: Digest) -> Result<Bytes, Error> {
        let answer = self.get(url.clone(), ACCEPT).await?;
        if answer.status() != 200 {
            return Err(answer.refusal(self.target, Missing::Version));
        }
        let limit = self.shared.limits.manifest;
        let http = &self.shared.http;
        let body = http
            .receive(self.target, answer, Part::Manifest, limit)
            .await?;
        self.check(url, digest, Digest::of(&body))?;
        Ok(body)
    }

    async fn blob_of(&mut self, url: &Url, layer: &Entry) -> Result<Bytes, Error> {
        let content = self.content_of(url, layer)?;
        let url = self.reference.url("blobs", &layer.digest);
        self.content(&url, content, Part::Signature, LARGEST).await
    }

    fn content_of(&self, url: &Url, entry: &Entry) -> Result<Content, Error> {
        manifest::content(&entry.digest, entry.size).map_err(|reason| self.malformed(url, reason))
    }

    fn listed(&self, url: &Url, body: &[u8]) -> Result<Listed, Error> {
        serde_json::from_slice(body).map_err(|error| self.malformed(url, error.to_string()))
    }
}
