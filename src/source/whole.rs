//! Everything that a chart's place holds of it, for who carries it to another place.
//!
//! In: a chart reference, and the archive that was fetched by it. Out: the documents and blobs that
//! belong to it, each with the digest that it is named by. Never: other bytes than those of the
//! archive's own manifest; more of them than a chart may have.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::error::Error;
use super::helm_repository::provenance;
use super::oci;
use super::repository::Kind;
use super::target::{Target, place};
use super::{Archive, ChartRef, Digest, Sources, worth_telling};

/// A chart with what belongs to it.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    /// Manifests, configurations, archives and signatures, by their digests.
    pub contents: BTreeMap<Digest, Bytes>,
    /// What the tag names, where the chart is from a registry.
    pub manifest: Option<Named>,
    /// Signatures beside it, by the tags under which they are found.
    pub signatures: Vec<(String, Named)>,
    /// The provenance that lies beside an archive in a repository.
    pub provenance: Option<Bytes>,
}

/// A document of a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
}

impl Sources {
    /// What belongs to a chart that was fetched: from a registry its manifest and all that it names,
    /// and, where they are asked for, cosign's signatures; from a repository the provenance.
    ///
    /// # Errors
    /// As [`Sources::fetch`].
    pub async fn whole(
        &self,
        chart: &ChartRef,
        archive: &Archive,
        with_signatures: bool,
    ) -> Result<Whole, Error> {
        let gathered = self.gather(chart, archive, with_signatures);
        self.in_time(chart, "what belongs to the chart", gathered)
            .await
    }

    async fn gather(
        &self,
        chart: &ChartRef,
        archive: &Archive,
        with_signatures: bool,
    ) -> Result<Whole, Error> {
        let mut failed: Option<Error> = None;
        for place in self.mirrors.places(chart) {
            match self
                .gather_from(&place, chart, archive, with_signatures)
                .await
            {
                Ok(whole) => return Ok(whole),
                Err(error) if !error.may_be_elsewhere() => return Err(error),
                Err(error) => failed = Some(worth_telling(failed, error)),
            }
        }
        Err(failed.unwrap_or_else(|| Error::InvalidReference {
            place: Box::new(place(chart, None)),
            reason: "the mirrors leave no place to fetch it from",
        }))
    }

    async fn gather_from(
        &self,
        place: &ChartRef,
        declared: &ChartRef,
        archive: &Archive,
        with_signatures: bool,
    ) -> Result<Whole, Error> {
        let shared = &self.shared;
        Target::new(place, self.allow_insecure)?;
        let chart = &shared.clouds.resolve(&shared.http, place).await?;
        let target = Target::new(chart, self.allow_insecure)?;
        match chart.repo.kind() {
            Kind::Index(base) => {
                let reference = shared.cache.key(declared);
                provenance::whole(shared, &target, base, &reference, archive).await
            }
            Kind::Registry(registry) => {
                let image = oci::Reference::of(registry, chart)?;
                oci::whole::gather(shared, &target, &image, archive, with_signatures).await
            }
            // Beside a commit there is nothing.
            Kind::Git(_) => Ok(Whole {
                contents: BTreeMap::from([(archive.digest, archive.bytes.clone())]),
                ..Whole::default()
            }),
        }
    }
}
