//! What this program notes for itself on a revision's Secret, so that another process can go on
//! where one was killed: who is at work, which hooks ran, and how often these inputs have failed.
//!
//! Notes stand in annotations. Helm copies labels into the revisions that it makes, and no
//! annotation: what carries a note was written by this program.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::desired::{ChartReference, ReleaseName, hex};
use crate::api::{Attempt, Source};
use crate::manifest::{Hook, HookEvent};

/// Who works, or worked last, on the revision.
const HOLDER: &str = "helm.pintle.dev/holder";
const RESUMPTIONS: &str = "helm.pintle.dev/resumptions";
const HOOK_FAILED: &str = "helm.pintle.dev/hook-failed";
const HOOKS_RUN: &str = "helm.pintle.dev/hooks-run";
const ATTEMPT: &str = "helm.pintle.dev/attempt";
const TESTS: &str = "helm.pintle.dev/tests";
const SOURCE: &str = "helm.pintle.dev/source";
const SIGNER: &str = "helm.pintle.dev/chart-signer";

/// How the chart's tests of a revision stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tests {
    /// There are some, and they have not come to their end.
    Due,
    /// All succeeded.
    Succeeded,
    /// One failed.
    Failed,
}

/// The notes of one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes(BTreeMap<String, String>);

impl Notes {
    /// The notes in a Secret's annotations.
    pub fn new(annotations: BTreeMap<String, String>) -> Self {
        Self(annotations)
    }

    /// The annotations.
    pub fn into_annotations(self) -> BTreeMap<String, String> {
        self.0
    }

    /// Who works on the revision; nobody of this program's where there is none.
    pub fn holder(&self) -> Option<&str> {
        self.0.get(HOLDER).map(String::as_str)
    }

    /// From now on it is this one.
    pub fn hold(&mut self, holder: &str) {
        self.0.insert(HOLDER.to_owned(), holder.to_owned());
    }

    /// Who signed the chart.
    pub fn signer(&self) -> Option<&str> {
        self.0.get(SIGNER).map(String::as_str)
    }

    /// The chart was signed by this one.
    pub fn note_signer(&mut self, signer: Option<&str>) {
        if let Some(signer) = signer {
            self.0.insert(SIGNER.to_owned(), signer.to_owned());
        }
    }

    /// How often the revision was gone on with after an interruption.
    pub fn resumptions(&self) -> u32 {
        let noted = self.0.get(RESUMPTIONS);
        noted.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// It is gone on with once more.
    pub fn resume(&mut self) {
        let count = self.resumptions().saturating_add(1);
        self.0.insert(RESUMPTIONS.to_owned(), count.to_string());
    }

    /// Why this run of a hook has failed, if it has.
    pub fn why_failed(&self, run: &str) -> Option<&str> {
        let (failed, message) = self.0.get(HOOK_FAILED)?.split_once('\n')?;
        (failed == run).then_some(message)
    }

    /// Whether a hook has failed.
    pub fn has_failure(&self) -> bool {
        self.0.contains_key(HOOK_FAILED)
    }

    /// A hook that failed may run again.
    pub fn forget_failure(&mut self) {
        self.0.remove(HOOK_FAILED);
    }

    /// This run of a hook has failed.
    pub fn failed(&mut self, run: &str, message: &str) {
        self.0
            .insert(HOOK_FAILED.to_owned(), format!("{run}\n{message}"));
    }

    /// Whether a run of a hook has come to its good end.
    pub fn has_run(&self, run: &str) -> bool {
        self.hooks_run().contains(run)
    }

    /// A run of a hook has come to its good end.
    pub fn ran(&mut self, run: &str) {
        let mut runs = self.hooks_run();
        runs.insert(run);
        let line = runs.into_iter().collect::<Vec<_>>().join(",");
        self.0.insert(HOOKS_RUN.to_owned(), line);
    }

    /// How the tests stand; `None` where the chart has none, or the revision was not deployed.
    pub fn tests(&self) -> Option<Tests> {
        match self.0.get(TESTS)?.as_str() {
            "succeeded" => Some(Tests::Succeeded),
            "failed" => Some(Tests::Failed),
            _ => Some(Tests::Due),
        }
    }

    /// The tests stand so. Tests that failed are forgotten when they are due again.
    pub fn note_tests(&mut self, tests: Tests) {
        let word = match tests {
            Tests::Due => "due",
            Tests::Succeeded => "succeeded",
            Tests::Failed => "failed",
        };
        self.0.insert(TESTS.to_owned(), word.to_owned());
    }

    /// These runs may be run again.
    pub fn forget_runs(&mut self, forgotten: &[String]) {
        self.forget_failure();
        let runs = self.hooks_run();
        let left = runs
            .into_iter()
            .filter(|run| !forgotten.iter().any(|f| f == run));
        let line = left.collect::<Vec<_>>().join(",");
        self.0.insert(HOOKS_RUN.to_owned(), line);
    }

    fn hooks_run(&self) -> BTreeSet<&str> {
        let line = self
            .0
            .get(HOOKS_RUN)
            .map(String::as_str)
            .unwrap_or_default();
        line.split(',').filter(|run| !run.is_empty()).collect()
    }

    /// Which bytes the revision was rendered from.
    pub fn source(&self) -> Option<Source> {
        serde_json::from_str(self.0.get(SOURCE)?).ok()
    }

    /// The revision was rendered from these bytes; of a revision that Helm made nobody knows.
    pub fn note_source(&mut self, source: Option<&Source>) {
        let Some(text) = source.and_then(|source| serde_json::to_string(source).ok()) else {
            return;
        };
        self.0.insert(SOURCE.to_owned(), text);
    }

    /// How often the inputs had failed when the revision was last written.
    pub fn attempt(&self) -> Option<Attempt> {
        serde_json::from_str(self.0.get(ATTEMPT)?).ok()
    }

    /// So often have the inputs failed; the message is left to the status.
    pub fn note_attempt(&mut self, attempt: Option<&Attempt>) {
        match attempt {
            None => {
                self.0.remove(ATTEMPT);
            }
            Some(attempt) => {
                let counts = serde_json::json!({
                    "inputs": attempt.inputs,
                    "failures": attempt.failures,
                    "remediationFailures": attempt.remediation_failures,
                });
                self.0.insert(ATTEMPT.to_owned(), counts.to_string());
            }
        }
    }
}

/// The digest that a chart's version had when it was first used: as the status says, or else as the
/// newest revision that was made of it does. `noted` begins with the oldest revision.
pub fn pinned(
    chart: &ChartReference,
    stated: Option<&Source>,
    noted: impl DoubleEndedIterator<Item = Source>,
) -> Option<String> {
    let same = |source: &Source| {
        let named = (&source.repo, &source.name, &source.version);
        let place = (&source.commit, &source.path);
        named == (&chart.repo, &chart.name, &chart.version) && place == (&chart.commit, &chart.path)
    };
    let stated = stated.filter(|source| same(source)).cloned();
    let pin = stated.or_else(|| noted.rev().find(same));
    pin.map(|source| source.digest)
}

/// The name of one run of a hook, fit for a label: which release, revision and event, and which
/// hook of the chart.
pub fn hook_run(release: &ReleaseName, revision: i64, event: HookEvent, hook: &Hook) -> String {
    let mut hash = Sha256::new();
    let revision = revision.to_string();
    for part in [
        &*release.namespace,
        &*release.name,
        &*revision,
        event.as_str(),
        &*hook.path,
        &*hook.manifest,
    ] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex(&hash.finalize()[..10])
}

/// One more failure: of the inputs themselves, or of the remedy. Counts of other inputs do not
/// count.
pub fn after_failure(known: Option<&Attempt>, inputs: &str, remedy: bool) -> Attempt {
    let known = known.filter(|attempt| attempt.inputs == inputs);
    let mut attempt = known.cloned().unwrap_or_else(|| Attempt {
        inputs: inputs.to_owned(),
        ..Attempt::default()
    });
    match remedy {
        true => attempt.remediation_failures += 1,
        false => attempt.failures += 1,
    }
    attempt
}

/// What is known of the inputs' failures: the status is written after the record, so that the
/// record of a process that was killed in between knows of one more.
pub fn latest_attempt(stated: Option<Attempt>, noted: Option<Attempt>) -> Option<Attempt> {
    let (Some(stated), Some(noted)) = (&stated, &noted) else {
        return stated.or(noted);
    };
    let count = |attempt: &Attempt| attempt.failures + attempt.remediation_failures;
    let latest = match stated.inputs == noted.inputs && count(stated) >= count(noted) {
        true => stated,
        false => noted,
    };
    Some(latest.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(version: &str, digest: &str) -> Source {
        Source {
            repo: "oci://r".to_owned(),
            name: "shop".to_owned(),
            version: version.to_owned(),
            commit: None,
            path: None,
            digest: digest.to_owned(),
            manifest: None,
        }
    }

    #[test]
    fn a_version_is_pinned_by_the_status_or_else_by_the_newest_record() {
        let chart = ChartReference {
            repo: "oci://r".to_owned(),
            name: "shop".to_owned(),
            version: "1".to_owned(),
            commit: None,
            path: None,
            digest: None,
        };
        let noted = |sources: &[Source]| {
            let notes = sources.iter().map(|source| {
                let mut notes = Notes::default();
                notes.note_source(Some(source));
                notes.source().unwrap_or_default()
            });
            notes.collect::<Vec<_>>().into_iter()
        };
        let records = [source("1", "old"), source("1", "new"), source("2", "other")];
        let pin = |stated: Option<&Source>| pinned(&chart, stated, noted(&records));
        assert_eq!(pin(None).as_deref(), Some("new"));
        assert_eq!(pin(Some(&source("1", "stated"))).as_deref(), Some("stated"));
        assert_eq!(pin(Some(&source("2", "stated"))).as_deref(), Some("new"));
        assert_eq!(pinned(&chart, None, noted(&records[2..])), None);
        let mut elsewhere = source("1", "elsewhere");
        "oci://elsewhere".clone_into(&mut elsewhere.repo);
        assert_eq!(pinned(&chart, Some(&elsewhere), noted(&[])), None);
        let mut in_git = source("1", "in git");
        in_git.commit = Some("0123".to_owned());
        assert_eq!(pinned(&chart, Some(&in_git), noted(&[])), None);
    }
}
