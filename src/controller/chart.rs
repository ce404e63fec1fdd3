//! The chart that an install or an upgrade is made of: its bytes, who signed them, and whether what it
//! runs may run.

use std::collections::BTreeMap;
use std::time::Instant;

use kube::{Client, ResourceExt as _};
use tracing::info;

use super::act::Acting;
use super::error::Error;
use crate::api::{ACCEPT, HelmRelease, IMAGES, Images};
use crate::images;
use crate::manifest::{self, Hook, Object, ObjectKey};
use crate::plan::{self, ChartReference, Notes};
use crate::source::verify::Signer;
use crate::source::{Archive, ChartRef, Checkout, Digest, Repository};

/// Images that a message names.
const TOLD_IMAGES: usize = 5;

/// A declared chart with everything that the spec says of the way to it, read from where it stands.
/// `recorded` is the digest that it had when it was first used.
///
/// # Errors
/// Where a reference, a digest or the repository cannot be read.
pub async fn reference(
    client: &Client,
    resource: &HelmRelease,
    chart: &ChartReference,
    recorded: Option<&str>,
) -> Result<ChartRef, Error> {
    let (namespace, spec) = (resource.namespace().unwrap_or_default(), &resource.spec);
    let digest = |text: Option<&str>| text.map(str::parse::<Digest>).transpose();
    let accepted = resource.annotations().get(ACCEPT);
    let path = chart.path.as_deref().unwrap_or_default();
    let checkout = chart.commit.as_deref();
    Ok(ChartRef {
        repo: chart.repo.parse::<Repository>()?,
        name: chart.name.clone(),
        version: chart.version.clone(),
        checkout: checkout
            .map(|commit| Checkout::new(commit, path))
            .transpose()?,
        digest: digest(chart.digest.as_deref())?,
        recorded: digest(recorded)?,
        accepted: digest(accepted.map(String::as_str))?,
        insecure: spec.insecure,
        pass_credentials: spec.auth.as_ref().is_some_and(|auth| auth.pass_credentials),
        credentials: super::values::credentials(client, &namespace, spec).await?,
        tls: super::values::tls(client, &namespace, spec).await?,
        route: super::values::route(client, &namespace, spec).await?,
    })
}

impl Acting<'_> {
    /// The archive of the declared chart, and who signed it where that is asked for.
    pub(super) async fn fetch(&self) -> Result<(Archive, Option<Signer>), Error> {
        let namespace = self
            .resource
            .metadata
            .namespace
            .as_deref()
            .unwrap_or_default();
        let spec = &self.resource.spec;
        let client = &self.context.client;
        let chart = &self.desired.chart;
        let recorded = self.pinned();
        let reference = reference(client, self.resource, chart, recorded.as_deref()).await?;
        let began = Instant::now();
        let archive = self.context.sources.fetch(&reference).await?;
        self.context.metrics.stage("fetch", began.elapsed());
        info!(chart = %chart.name, version = %chart.version, digest = %archive.digest, bytes = archive.bytes.len(), "fetched");
        let Some(trusted) = super::values::trusted(client, namespace, spec).await? else {
            return Ok((archive, None));
        };
        let signer = self
            .context
            .sources
            .verify(&reference, &archive, &trusted)
            .await?;
        info!(chart = %chart.name, version = %chart.version, %signer, "verified");
        Ok((archive, Some(signer)))
    }

    /// Refuses images that are not allowed, and answers those that are only told of.
    pub(super) async fn judge_images(
        &self,
        target: &[Object],
        hooks: &[Hook],
        named: &str,
    ) -> Result<Vec<String>, Error> {
        let policy = self
            .resource
            .spec
            .images
            .or(self.images_of_namespace().await?);
        let policy = policy.or(self.context.images);
        if policy.ask_nothing() {
            return Ok(Vec::new());
        }
        let mut findings = images::judge(target, &policy);
        for hook in hooks {
            let objects = manifest::parse(&hook.manifest).map_err(|source| Error::Manifest {
                what: format!("chart {named}, {}", hook.path),
                source,
            })?;
            findings.extend(images::judge(&objects, &policy));
        }
        let denied: Vec<_> = findings.iter().filter(|finding| finding.denied).collect();
        if denied.is_empty() {
            return Ok(findings.iter().map(ToString::to_string).collect());
        }
        let told: Vec<_> = denied
            .iter()
            .take(TOLD_IMAGES)
            .map(ToString::to_string)
            .collect();
        let more = denied.len() - told.len();
        let more = (more > 0).then(|| format!("; and {more} more"));
        Err(Error::Images(format!(
            "images are not allowed: {}{}",
            told.join("; "),
            more.unwrap_or_default()
        )))
    }

    /// What the HelmRelease's namespace asks of images.
    async fn images_of_namespace(&self) -> Result<Images, Error> {
        let own = self
            .resource
            .metadata
            .namespace
            .as_deref()
            .unwrap_or_default();
        let annotations = match self.context.namespaces.annotations(own) {
            Some(annotations) => annotations,
            None => self.annotations_of(own).await?,
        };
        let [tags, digest] = IMAGES.map(|name| annotations.get(name).map(String::as_str));
        let invalid = |name: &str, problem: String| {
            Error::Images(format!("annotation {name} of Namespace {own}: {problem}"))
        };
        let digest = digest.map(|text| {
            let problem = || format!("{text:?} is neither true nor false");
            text.parse().map_err(|_| invalid(IMAGES[1], problem()))
        });
        Ok(Images {
            floating_tags: tags
                .map(str::parse)
                .transpose()
                .map_err(|problem| invalid(IMAGES[0], problem))?,
            require_digest: digest.transpose()?,
        })
    }

    /// The annotations of a namespace, where namespaces are not watched.
    async fn annotations_of(&self, name: &str) -> Result<BTreeMap<String, String>, Error> {
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: name.to_owned(),
        };
        let at = self.context.cluster.endpoint(&key, name).await?;
        let live = self.context.cluster.get(&at).await?.unwrap_or_default();
        let annotations = live["metadata"]["annotations"].as_object();
        let texts = annotations.into_iter().flatten();
        let texts = texts.filter_map(|(key, text)| Some((key.clone(), text.as_str()?.to_owned())));
        Ok(texts.collect())
    }

    /// The digest that the chart's version had when it was first used. A digest in the spec says
    /// itself which bytes are wanted.
    fn pinned(&self) -> Option<String> {
        let chart = &self.desired.chart;
        let revisions = self.sight.revisions.iter();
        let noted =
            revisions.filter_map(|revision| Notes::new(revision.notes_to_self.clone()).source());
        let pinned = plan::pinned(chart, self.source, noted);
        pinned.filter(|_| chart.digest.is_none())
    }
}
