//! Records in Secrets, named and labelled as Helm's own driver does. What is larger than a Secret is
//! continued in further ones (see [`release::fit`]), which belong to the first, and which carry no
//! label that Helm looks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client};

use super::error::Error;
use super::ledger::Ledger;
use crate::plan::ReleaseName;
use crate::release::{self, Fitted, Header, Record, Seed};

/// The annotation on a record's Secret that names the digest of what further Secrets hold.
const CONTINUED: &str = "helm.pintle.dev/continued";

/// A stored revision by its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// What the labels say.
    pub header: Header,
    /// What this program noted for itself: the Secret's annotations.
    pub notes_to_self: BTreeMap<String, String>,
    /// When it was last written, in seconds since 1970.
    pub modified_at: Option<i64>,
}

/// The Secrets of a cluster, as Helm's storage.
#[derive(Clone)]
pub struct Storage {
    pub(super) client: Client,
    pub(super) ledger: Ledger,
}

impl Storage {
    /// Helm's storage behind a client.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            ledger: Ledger::default(),
        }
    }

    fn secrets(&self, namespace: &str) -> Api<Secret> {
        Api::namespaced(self.client.clone(), namespace)
    }

    /// The stored revisions of a release, oldest first, as the watch of them tells: no request,
    /// and a moment late. `None` where there is no watch ([`Storage::follow`]).
    pub fn recall(&self, release: &ReleaseName) -> Option<Vec<Revision>> {
        self.ledger.revisions(release)
    }

    /// The stored revisions of a release, oldest first. One request; nothing is decoded.
    pub async fn revisions(&self, release: &ReleaseName) -> Result<Vec<Revision>, Error> {
        let selector = format!("owner=helm,name={}", release.name);
        let found = self
            .secrets(&release.namespace)
            .list_metadata(&ListParams::default().labels(&selector))
            .await
            .map_err(|source| failed("list", release.to_string(), source))?;
        let mut revisions: Vec<Revision> = found
            .items
            .iter()
            .filter_map(|item| revision(&item.metadata))
            .collect();
        revisions.sort_by_key(|revision| revision.header.version);
        Ok(revisions)
    }

    /// Whether a revision is the newest still, and as it is remembered. Two reads by name, which the
    /// API server answers at once; a list would wait until its cache knows of everything.
    pub async fn is_newest(
        &self,
        release: &ReleaseName,
        revision: &Revision,
    ) -> Result<bool, Error> {
        let secrets = self.secrets(&release.namespace);
        let number = revision.header.version;
        let [this, next] =
            [number, number + 1].map(|number| release::secret_name(&release.name, number));
        let (this, next) = futures::try_join!(
            secrets.get_metadata_opt(&this),
            secrets.get_metadata_opt(&next)
        )
        .map_err(|source| failed("read", release.to_string(), source))?;
        let stored = this.and_then(|this| self::revision(&this.metadata));
        Ok(next.is_none() && stored.as_ref() == Some(revision))
    }

    /// A revision's record.
    pub async fn get(&self, release: &ReleaseName, revision: i64) -> Result<Record, Error> {
        let secret = self.secret(release, revision).await?;
        let name = release::secret_name(&release.name, revision);
        let data = secret.data.iter().flatten();
        let mut stored = data.filter(|(key, _)| *key == release::SECRET_KEY);
        let stored = stored.next().map(|(_, bytes)| &*bytes.0);
        let mut record =
            release::decode(stored.unwrap_or_default()).map_err(|source| Error::Codec {
                secret: format!("{}/{name}", release.namespace),
                source,
            })?;
        record.seed = seed(&secret, &release.namespace, &name)?;
        let metadata = &secret.metadata;
        // The user's labels live on the Secret, not in the record.
        if let Ok(header) =
            Header::from_labels(metadata.labels.as_ref().unwrap_or(&BTreeMap::new()))
        {
            record.labels = header.labels;
        }
        record.notes_to_self = metadata.annotations.clone().unwrap_or_default();
        record
            .resource_version
            .clone_from(&metadata.resource_version);
        self.complete(release, &name, &mut record).await?;
        Ok(record)
    }

    /// Reads what further Secrets hold of a record.
    async fn complete(
        &self,
        release: &ReleaseName,
        name: &str,
        record: &mut Record,
    ) -> Result<(), Error> {
        let Some((count, digest)) = release::continued(record) else {
            return Ok(());
        };
        let digest = digest.to_owned();
        let mut parts = Vec::new();
        for number in 1..=count {
            let part = self
                .secrets(&release.namespace)
                .get_opt(&part_name(name, number))
                .await
                .map_err(|source| failed("read", release.to_string(), source))?;
            let data = part.and_then(|part| part.data?.remove(release::PART_KEY));
            parts.push(data.map(|bytes| bytes.0).unwrap_or_default());
        }
        release::join(record, &parts).map_err(|source| Error::Codec {
            secret: format!("{}/{name}", release.namespace),
            source,
        })?;
        record.notes_to_self.insert(CONTINUED.to_owned(), digest);
        Ok(())
    }

    /// A revision's seed, if it has one.
    pub async fn seed(&self, release: &ReleaseName, revision: i64) -> Result<Option<Seed>, Error> {
        let name = release::secret_name(&release.name, revision);
        let secret = self.secret(release, revision).await?;
        seed(&secret, &release.namespace, &name)
    }

    /// A revision's Secret, from memory where it is there.
    async fn secret(&self, release: &ReleaseName, revision: i64) -> Result<Arc<Secret>, Error> {
        let name = release::secret_name(&release.name, revision);
        if let Some(secret) = self.ledger.kept(release, revision, &name) {
            return Ok(secret);
        }
        let read = self
            .secrets(&release.namespace)
            .get_opt(&name)
            .await
            .map_err(|source| failed("read", release.to_string(), source))?
            .ok_or_else(|| Error::NotFound {
                release: release.to_string(),
                revision,
            })?;
        Ok(self.ledger.keep(read))
    }

    /// Stores a new revision; fails where there is one of that number already.
    pub async fn create(&self, record: &mut Record, now: i64) -> Result<Revision, Error> {
        let (secret, parts) = self.prepared(record, true, now).await?;
        let created = self
            .secrets(&record.namespace)
            .create(&PostParams::default(), &secret)
            .await;
        match created {
            Ok(stored) => {
                self.own_parts(&stored, parts).await?;
                let stored = self.ledger.keep(stored);
                record
                    .resource_version
                    .clone_from(&stored.metadata.resource_version);
                Ok(written_revision(record, now))
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Err(Error::Taken {
                release: described(record),
                revision: record.version,
            }),
            Err(kube::Error::Api(status)) if status.code == 404 => Err(Error::NamespaceNotFound {
                release: described(record),
                namespace: record.namespace.clone(),
            }),
            Err(source) => Err(failed("store", described(record), source)),
        }
    }

    /// Writes a revision over; fails where somebody else has done so since it was read.
    pub async fn update(&self, record: &mut Record, now: i64) -> Result<Revision, Error> {
        let (secret, parts) = self.prepared(record, false, now).await?;
        let name = release::secret_name(&record.name, record.version);
        let written = self
            .secrets(&record.namespace)
            .replace(&name, &PostParams::default(), &secret)
            .await;
        match written {
            Ok(stored) => {
                self.own_parts(&stored, parts).await?;
                let stored = self.ledger.keep(stored);
                record
                    .resource_version
                    .clone_from(&stored.metadata.resource_version);
                Ok(written_revision(record, now))
            }
            Err(kube::Error::Api(status)) if status.code == 409 => Err(Error::Lost {
                release: described(record),
                revision: record.version,
            }),
            Err(source) => Err(failed("update", described(record), source)),
        }
    }

    /// The Secret that holds a record, and how many further ones there are: those are written here,
    /// so that no record speaks of what is not there.
    async fn prepared(
        &self,
        record: &mut Record,
        created: bool,
        now: i64,
    ) -> Result<(Secret, usize), Error> {
        let name = release::secret_name(&record.name, record.version);
        let fitted = release::fit(record).map_err(|source| Error::Codec {
            secret: format!("{}/{name}", record.namespace),
            source,
        })?;
        let (bytes, count) = match fitted {
            Fitted::Whole(bytes) => {
                record.notes_to_self.remove(CONTINUED);
                (bytes, 0)
            }
            Fitted::Continued {
                main,
                parts,
                digest,
            } => {
                let count = parts.len();
                let known = record.notes_to_self.insert(CONTINUED.to_owned(), digest);
                if created || known.as_ref() != record.notes_to_self.get(CONTINUED) {
                    for (part, number) in parts.into_iter().zip(1..) {
                        self.put_part(record, part_name(&name, number), part)
                            .await?;
                    }
                }
                (main, count)
            }
        };
        Ok((secret(record, bytes, created, now), count))
    }

    async fn put_part(&self, record: &Record, name: String, bytes: Vec<u8>) -> Result<(), Error> {
        let failed = |source| failed("store", described(record), source);
        let labels = [
            ("helm.pintle.dev/release", record.name.clone()),
            ("helm.pintle.dev/revision", record.version.to_string()),
        ];
        let part = Secret {
            metadata: ObjectMeta {
                name: Some(name.clone()),
                namespace: Some(record.namespace.clone()),
                labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
                ..ObjectMeta::default()
            },
            type_: Some(release::PART_TYPE.to_owned()),
            data: Some(BTreeMap::from([(
                release::PART_KEY.to_owned(),
                ByteString(bytes),
            )])),
            ..Secret::default()
        };
        let secrets = self.secrets(&record.namespace);
        match secrets.create(&PostParams::default(), &part).await {
            Ok(_) => Ok(()),
            // Left by a process that was killed before the record stood there.
            Err(kube::Error::Api(status)) if status.code == 409 => {
                let replaced = secrets.replace(&name, &PostParams::default(), &part).await;
                replaced.map(|_| ()).map_err(failed)
            }
            Err(kube::Error::Api(status)) if status.code == 404 => Err(Error::NamespaceNotFound {
                release: described(record),
                namespace: record.namespace.clone(),
            }),
            Err(source) => Err(failed(source)),
        }
    }

    /// Has the further Secrets go with the record's own, whoever deletes that.
    async fn own_parts(&self, stored: &Secret, count: usize) -> Result<(), Error> {
        let metadata = &stored.metadata;
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let name = metadata.name.as_deref().unwrap_or_default();
        let owner = serde_json::json!({"metadata": {"ownerReferences": [{
            "apiVersion": "v1", "kind": "Secret", "name": name, "uid": metadata.uid,
        }]}});
        for number in 1..=count {
            self.secrets(namespace)
                .patch_metadata(
                    &part_name(name, number),
                    &PatchParams::default(),
                    &Patch::Merge(&owner),
                )
                .await
                .map_err(|source| failed("store", format!("{namespace}/{name}"), source))?;
        }
        Ok(())
    }

    /// Deletes a revision; gone already is as good.
    pub async fn delete(&self, release: &ReleaseName, revision: i64) -> Result<(), Error> {
        let name = release::secret_name(&release.name, revision);
        match self
            .secrets(&release.namespace)
            .delete(&name, &DeleteParams::default())
            .await
        {
            Ok(_) => {
                self.ledger.deleted(release, revision);
                Ok(())
            }
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            Err(source) => Err(failed("delete", release.to_string(), source)),
        }
    }
}

fn secret(record: &Record, stored: Vec<u8>, created: bool, now: i64) -> Secret {
    let name = release::secret_name(&record.name, record.version);
    let mut data = BTreeMap::from([(release::SECRET_KEY.to_owned(), ByteString(stored))]);
    if let Some(seed) = &record.seed {
        data.insert(release::SEED_KEY.to_owned(), ByteString(seed.write()));
    }
    Secret {
        metadata: ObjectMeta {
            name: Some(name),
            namespace: Some(record.namespace.clone()),
            labels: Some(release::labels(record, created, now)),
            annotations: (!record.notes_to_self.is_empty()).then(|| record.notes_to_self.clone()),
            resource_version: record.resource_version.clone().filter(|_| !created),
            ..ObjectMeta::default()
        },
        type_: Some(release::SECRET_TYPE.to_owned()),
        data: Some(data),
        ..Secret::default()
    }
}

/// The name of a further Secret of a record, from 1.
fn part_name(name: &str, number: usize) -> String {
    format!("{name}.{number}")
}

/// The seed among a Secret's data. One that cannot be read is an error: without it the next upgrade
/// would make other passwords, and nobody would know why.
fn seed(secret: &Secret, namespace: &str, name: &str) -> Result<Option<Seed>, Error> {
    let data = secret.data.as_ref();
    let Some(stored) = data.and_then(|data| data.get(release::SEED_KEY)) else {
        return Ok(None);
    };
    match Seed::read(&stored.0) {
        Some(seed) => Ok(Some(seed)),
        None => Err(Error::Codec {
            secret: format!("{namespace}/{name}"),
            source: release::Error::Seed,
        }),
    }
}

pub(super) fn revision(metadata: &ObjectMeta) -> Option<Revision> {
    let labels = metadata.labels.as_ref()?;
    let header = Header::from_labels(labels).ok()?;
    let time = labels.get("modifiedAt").or_else(|| labels.get("createdAt"));
    Some(Revision {
        header,
        notes_to_self: metadata.annotations.clone().unwrap_or_default(),
        modified_at: time.and_then(|time| time.parse().ok()),
    })
}

/// What a record's Secret says of it once it is written.
fn written_revision(record: &Record, now: i64) -> Revision {
    Revision {
        header: Header {
            name: record.name.clone(),
            version: record.version,
            status: record.info.status,
            labels: record.labels.clone(),
        },
        notes_to_self: record.notes_to_self.clone(),
        modified_at: Some(now),
    }
}

fn described(record: &Record) -> String {
    format!("{}/{}", record.namespace, record.name)
}

fn failed(action: &'static str, release: String, source: kube::Error) -> Error {
    Error::Api {
        action,
        release,
        source: Box::new(source),
    }
}
