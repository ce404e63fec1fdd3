//! A release's revisions: what is last, what is deployed, what may go.

use std::collections::BTreeMap;

use super::Error;
use super::record::Record;
use super::status::Status;

/// The name of the Secret that holds a revision. helm: pkg/storage/storage.go makeKey
pub fn secret_name(release: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// The labels that are Helm's own on a release Secret.
/// helm: pkg/storage/driver/util.go systemLabels
const SYSTEM: [&str; 6] = [
    "name",
    "owner",
    "status",
    "version",
    "createdAt",
    "modifiedAt",
];

/// The labels of the Secret that holds a record: the user's, and Helm's own above them.
///
/// `created` says whether the Secret is new (`createdAt`) or written over (`modifiedAt`: Helm then
/// drops the other one), `unix_seconds` when that is. helm: pkg/storage/driver/secrets.go
pub fn labels(record: &Record, created: bool, unix_seconds: i64) -> BTreeMap<String, String> {
    let mut labels = record.labels.clone();
    let time = if created { "createdAt" } else { "modifiedAt" };
    let system = [
        (time, unix_seconds.to_string()),
        ("name", record.name.clone()),
        ("owner", "helm".to_owned()),
        ("status", record.info.status.to_string()),
        ("version", record.version.to_string()),
    ];
    labels.extend(system.map(|(name, value)| (name.to_owned(), value)));
    labels
}

/// What a release Secret's labels say of it, so that nothing need be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The release.
    pub name: String,
    /// The revision.
    pub version: i64,
    /// How it stands.
    pub status: Status,
    /// The user's own labels.
    pub labels: BTreeMap<String, String>,
}

impl Header {
    /// The header in a Secret's labels.
    ///
    /// # Errors
    /// [`Error::Label`] where `name` or `version` is missing, or the version is no number.
    pub fn from_labels(labels: &BTreeMap<String, String>) -> Result<Self, Error> {
        let version = labels
            .get("version")
            .and_then(|version| version.parse().ok());
        let own = |(name, _): &(&String, &String)| !SYSTEM.contains(&name.as_str());
        Ok(Self {
            name: labels.get("name").ok_or(Error::Label("name"))?.clone(),
            version: version.ok_or(Error::Label("version"))?,
            status: Status::named(labels.get("status").map_or("", String::as_str)),
            labels: labels
                .iter()
                .filter(own)
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect(),
        })
    }
}

/// The stored revisions of one release, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    revisions: Vec<Header>,
}

impl History {
    /// A history of these revisions, in any order.
    pub fn new(mut revisions: Vec<Header>) -> Self {
        revisions.sort_by_key(|header| header.version);
        Self { revisions }
    }

    /// All revisions, oldest first.
    pub fn revisions(&self) -> &[Header] {
        &self.revisions
    }

    /// The newest revision, however it stands.
    pub fn last(&self) -> Option<&Header> {
        self.revisions.last()
    }

    /// The newest deployed revision: two Helms at once may have left several.
    pub fn deployed(&self) -> Option<&Header> {
        self.revisions
            .iter()
            .rfind(|header| header.status == Status::Deployed)
    }

    /// The revision that an upgrade starts from: the deployed one, or the last where none is
    /// deployed and the last failed or was superseded. helm: pkg/action/upgrade.go prepareUpgrade
    pub fn current(&self) -> Option<&Header> {
        self.deployed().or_else(|| {
            let last = self.last()?;
            matches!(last.status, Status::Failed | Status::Superseded).then_some(last)
        })
    }

    /// The revisions that become superseded when this one is deployed: whatever else is deployed
    /// (helm: pkg/action/rollback.go performRollback), the last one where it was uninstalled
    /// (install.go replaceRelease), and where it failed and none was ever good (upgrade.go
    /// releasingUpgrade). The answer is the same when some of them are superseded already.
    pub fn superseded_by(&self, version: i64) -> impl Iterator<Item = &Header> {
        let mut earlier = self.revisions.iter();
        let last = earlier.rfind(|header| header.version < version);
        let good = |header: &Header| matches!(header.status, Status::Deployed | Status::Superseded);
        let never_good = !self.revisions.iter().any(good);
        let replaced = last.filter(|last| match last.status {
            Status::Uninstalled => true,
            Status::Failed => never_good,
            _ => false,
        });
        let replaced = replaced.map(|last| last.version);
        self.revisions
            .iter()
            .filter(move |header| {
                header.status == Status::Deployed || Some(header.version) == replaced
            })
            .filter(move |header| header.version != version)
    }

    /// The number of the next revision.
    pub fn next_version(&self) -> i64 {
        self.last().map_or(1, |last| last.version + 1)
    }

    /// The revisions that must go, oldest first, before another is stored so that no more than
    /// `maximum` remain; 0 and less set no limit. The deployed one stays, whatever its age, and so
    /// one more than `maximum` may. helm: pkg/storage/storage.go removeLeastRecent
    pub fn surplus(&self, maximum: i64) -> Vec<i64> {
        let Ok(keep) = usize::try_from(maximum - 1) else {
            return Vec::new();
        };
        let deployed = self.deployed().map(|header| header.version);
        let mut surplus: Vec<i64> = self.revisions.iter().map(|header| header.version).collect();
        surplus.retain(|version| Some(*version) != deployed);
        surplus.truncate(self.revisions.len().saturating_sub(keep));
        surplus
    }
}
