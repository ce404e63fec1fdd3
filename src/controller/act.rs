//! One action on a release: from the chart's bytes, or a stored revision, to an outcome.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use kube::ResourceExt as _;
use serde_json::Value;
use tracing::info;

use super::context::{Context, now};
use super::error::Error;
use super::observe::{INPUTS_LABEL, Sight, applied_objects};
use crate::api::{CONFIRM, Guard, HelmRelease, Randomness, Source};
use crate::chart::Chart;
use crate::cluster::{ClusterLookup, Execution, Outcome, Permit, Printed, Unready};
use crate::manifest::{self, Hook, HookEvent, Object, ObjectKey};
use crate::plan::{self, Action, Build, Desired, Notes, Plan, Tests, Work};
use crate::release::{self, Info, Record, Seed, Status};
use crate::render::{self, Rendered};
use crate::source::Archive;
use crate::storage::{Revision, Shelf};

/// What an action left behind.
pub(super) struct Acted {
    pub(super) action: Action,
    pub(super) outcome: Outcome,
    pub(super) revision: i64,
    /// Which bytes the revision was rendered from, where that is known.
    pub(super) source: Option<Source>,
    /// Images that may be others tomorrow, and are allowed.
    pub(super) floating: Vec<String>,
    /// The revision has tests, and they are wanted.
    pub(super) to_be_tested: bool,
    /// The deployed revision, where it was tested: the status may not know of it yet.
    pub(super) tested: Option<Record>,
    /// The revisions that storage holds afterwards.
    pub(super) revisions: Vec<Revision>,
    /// What hooks printed that ask for it to be told.
    pub(super) printed: Vec<Printed>,
    /// The objects of the release afterwards, in the order of their application.
    pub(super) inventory: Vec<ObjectKey>,
    /// What the revision is, for the status; `None` where none is left.
    pub(super) snapshot: Option<crate::api::Snapshot>,
}

/// Everything that an action works with.
pub(super) struct Acting<'a> {
    pub(super) context: &'a Context,
    pub(super) resource: &'a HelmRelease,
    pub(super) desired: &'a Desired,
    pub(super) sight: &'a Sight,
    /// What the status says of the chart that was used last.
    pub(super) source: Option<&'a Source>,
    pub(super) permit: &'a Permit,
    pub(super) report: &'a (dyn Fn(&[Unready]) + Sync),
}

/// What a plan is made for: the record, and the objects before and after.
struct Intent {
    record: Record,
    /// The records of earlier revisions that were read for it.
    earlier: Vec<Record>,
    previous: Vec<Object>,
    target: Vec<Object>,
    hooks: Vec<Hook>,
    /// Images that may be others tomorrow, and are allowed.
    floating: Vec<String>,
}

impl Acting<'_> {
    /// Takes the action to its end.
    pub(super) async fn run(&self, action: Action) -> Result<Acted, Error> {
        let intent = match &action {
            // On the heap: a turn waits for long after this, and is to be small then.
            Action::Install | Action::Upgrade => Box::pin(self.render_next()).await?,
            Action::Rollback { to } => self.restore(*to).await?,
            Action::CorrectDrift => self.reapply()?,
            Action::Test { revision } => {
                let (intent, begun) = self.test(*revision).await?;
                let record = intent.record.clone();
                let acted = self.execute(action, intent, begun).await?;
                return Ok(Acted {
                    tested: Some(record),
                    ..acted
                });
            }
            Action::Uninstall => {
                let last = self.sight.observed.history.last();
                let begun = last.is_some_and(|last| last.status == Status::Uninstalling);
                return self.execute(action, self.withdraw().await?, begun).await;
            }
            Action::Resume { revision, work } => return self.resume(*revision, *work).await,
            Action::Recover { revision, .. } => self.recover(*revision).await?,
            Action::Rest(_) => unreachable!("rest is no action"),
        };
        self.execute(action, intent, false).await
    }

    /// Goes on with what an earlier process began: what it was to become stands in the record, and
    /// what it started from in those before.
    async fn resume(&self, revision: i64, work: Work) -> Result<Acted, Error> {
        if work == Work::Uninstall {
            let intent = self.withdraw().await?;
            return self.execute(Action::Uninstall, intent, true).await;
        }
        let release = &self.desired.release;
        let record = self.context.storage.get(release, revision).await?;
        let previous = self.applied(revision).await?;
        let action = match work {
            Work::Upgrade => Action::Upgrade,
            Work::Rollback => Action::Rollback {
                to: record.info.rollback_revision,
            },
            Work::Install | Work::Uninstall => Action::Install,
        };
        let intent = Intent {
            floating: Vec::new(),
            earlier: previous.records,
            previous: previous.objects,
            target: applied_objects(release, &record)?,
            hooks: record.hooks.clone(),
            record,
        };
        info!(revision, %work, "goes on where it was interrupted");
        self.execute(action, intent, true).await
    }

    async fn execute(&self, action: Action, intent: Intent, resumed: bool) -> Result<Acted, Error> {
        let drift = self.sight.drift.iter();
        let drifted: Vec<ObjectKey> = drift.map(|seen| seen.object.key.clone()).collect();
        let mut seen = HashMap::new();
        if action == Action::CorrectDrift {
            let drift = self.sight.drift.iter();
            seen.extend(drift.map(|seen| (seen.object.key.clone(), seen.live.clone())));
        }
        let inventory: Vec<ObjectKey> = intent
            .target
            .iter()
            .map(|object| object.key.clone())
            .collect();
        let plan = plan::build(Build {
            action: &action,
            release: &self.desired.release,
            revision: intent.record.version,
            previous: intent.previous,
            target: intent.target,
            hooks: &intent.hooks,
            drifted: &drifted,
            wait: self.desired.wait,
            create_namespace: self.desired.create_namespace,
            keep_history: self.desired.deletion.keep_history && self.sight.observed.deleting,
            resumed,
        });
        info!(action = %plan.action, revision = plan.revision, steps = plan.steps.len(), "planned");
        if !resumed {
            self.ask(&plan).await?;
        }
        let revision = intent.record.version;
        let to_be_tested = self.desired.test.enabled
            && matches!(action, Action::Install | Action::Upgrade)
            && intent
                .hooks
                .iter()
                .any(|hook| hook.runs_at(HookEvent::Test));
        let source = Notes::new(intent.record.notes_to_self.clone()).source();
        let snapshot = snapshot(&intent.record);
        let mut shelf = Shelf::new(
            self.context.storage.clone(),
            self.desired.release.clone(),
            self.sight.revisions.clone(),
        );
        shelf.lay_down(intent.earlier);
        let began = Instant::now();
        let printed = Mutex::new(Vec::new());
        let hear = |heard: Printed| {
            let mut printed = printed.lock().unwrap_or_else(PoisonError::into_inner);
            printed.push(heard);
        };
        let execution = Execution {
            cluster: &self.context.cluster,
            shelf: &mut shelf,
            plan,
            record: intent.record,
            holder: &self.context.holder.name,
            inputs: &self.desired.inputs,
            attempt: self.sight.observed.attempt.as_ref(),
            history_max: self.desired.history_max,
            replace: self.desired.replace,
            exemptions: self.desired.exemptions(),
            seen,
            timeout: self.desired.timeout,
            permit: self.permit,
            report: self.report,
            hear: &hear,
            now,
        };
        let outcome = Box::pin(execution.run()).await?;
        self.context.metrics.stage("execute", began.elapsed());
        self.watch(&action, &inventory, &outcome).await?;
        let left = (action != Action::Uninstall).then_some(snapshot);
        Ok(Acted {
            action,
            outcome,
            revision,
            source,
            floating: intent.floating,
            to_be_tested,
            tested: None,
            revisions: shelf.into_revisions(),
            printed: printed.into_inner().unwrap_or_else(PoisonError::into_inner),
            inventory,
            snapshot: left,
        })
    }

    /// Refuses a plan that deletes what cannot be brought back, until a person has confirmed it.
    async fn ask(&self, plan: &Plan) -> Result<(), Error> {
        let asks = match plan.action {
            Action::Uninstall => self.sight.observed.deleting && self.desired.deletion.guard,
            _ => self.desired.guard == Guard::On,
        };
        let confirmed = self.resource.annotations().get(CONFIRM);
        if !asks || confirmed.is_some_and(|confirmed| *confirmed == plan.digest()) {
            return Ok(());
        }
        let mut lost = Vec::new();
        for object in plan.dangers() {
            if self.would_go(object).await? {
                lost.push(object.to_string());
            }
        }
        if lost.is_empty() || plan.action == Action::Uninstall && self.all_goes().await? {
            return Ok(());
        }
        Err(Error::Unconfirmed {
            action: plan.action.to_string(),
            objects: lost.join(", "),
            digest: plan.digest(),
        })
    }

    /// Whether something would go for good: an object that is there and is not kept; a definition,
    /// where there are objects of it.
    async fn would_go(&self, object: &ObjectKey) -> Result<bool, Error> {
        let cluster = &self.context.cluster;
        let namespace = &self.desired.release.namespace;
        let at = match cluster.endpoint(object, namespace).await {
            Ok(at) => at,
            Err(crate::cluster::Error::UnknownKind { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let Some(live) = cluster.get(&at).await? else {
            return Ok(false);
        };
        if live["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" {
            return Ok(false);
        }
        match object.kind.as_str() {
            "CustomResourceDefinition" => Ok(cluster.has_objects(&live).await?),
            _ => Ok(true),
        }
    }

    /// Whether the release's whole namespace is being deleted.
    async fn all_goes(&self) -> Result<bool, Error> {
        let namespace = &self.desired.release.namespace;
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: namespace.clone(),
        };
        let at = self.context.cluster.endpoint(&key, namespace).await?;
        let live = self.context.cluster.get(&at).await?;
        Ok(live.is_none_or(|live| !live["metadata"]["deletionTimestamp"].is_null()))
    }

    /// From now on every object is watched; those just applied are judged as they were answered.
    async fn watch(
        &self,
        action: &Action,
        inventory: &[ObjectKey],
        outcome: &Outcome,
    ) -> Result<(), Error> {
        let release = &self.desired.release;
        match (action, outcome) {
            (Action::Uninstall, _) => self.context.watches.forget(release),
            // No object of the release was touched.
            (Action::Test { .. }, _) => {}
            (Action::CorrectDrift, Outcome::Succeeded(answers)) => {
                for (key, live) in answers {
                    let at = self
                        .context
                        .cluster
                        .endpoint(key, &release.namespace)
                        .await?;
                    self.context.watches.repaired(&at, live);
                }
            }
            (_, Outcome::Succeeded(answers)) => {
                let states: HashMap<ObjectKey, Option<Value>> = answers
                    .iter()
                    .map(|(key, live)| (key.clone(), Some(live.clone())))
                    .collect();
                let metadata = &self.resource.metadata;
                let name = metadata.name.as_deref().unwrap_or_default();
                let resource = super::context::guarded(name, metadata.namespace.as_deref());
                self.context
                    .hold(self.desired, &resource, inventory.iter(), states)
                    .await?;
            }
            // Nobody knows what is applied now, so the next turn looks at everything.
            (_, Outcome::Failed(_) | Outcome::Interrupted) => self.context.watches.doubt(release),
        }
        Ok(())
    }

    /// The next revision, freshly rendered.
    async fn render_next(&self) -> Result<Intent, Error> {
        let (archive, signer) = self.permit.while_waiting(self.fetch()).await?;
        let named = format!("{} {}", self.desired.chart.name, self.desired.chart.version);
        let bytes = archive.bytes.clone();
        let began = Instant::now();
        let chart = blocking(move || installable(&bytes))
            .await?
            .map_err(|source| Error::Chart {
                chart: named.clone(),
                source,
            })?;
        self.context.metrics.stage("load", began.elapsed());
        self.ensure_crds(&chart, &named).await?;
        let previous = self.applied(i64::MAX).await?;
        let seed = self.seed(&previous.records).await?;
        let rendered = self.render(&chart, &named, seed.clone()).await?;
        let mut target = manifest::parse(&rendered.manifest).map_err(|source| Error::Manifest {
            what: format!("chart {named}"),
            source,
        })?;
        manifest::install_order(&mut target);
        let floating = self.judge_images(&target, &rendered.hooks, &named).await?;
        let stored = serde_json::to_value(&rendered.chart).map_err(|source| Error::Record {
            chart: named,
            source,
        })?;
        let first_deployed = previous.first_deployed;
        let mut record = self.next_record(stored, rendered, first_deployed, &archive);
        record.seed = Some(seed);
        record.set_server_side(previous.server_side);
        let mut notes = Notes::new(std::mem::take(&mut record.notes_to_self));
        notes.note_signer(signer.as_ref().map(|signer| &*signer.0));
        record.notes_to_self = notes.into_annotations();
        Ok(Intent {
            floating,
            hooks: record.hooks.clone(),
            record,
            earlier: previous.records,
            previous: previous.objects,
            target,
        })
    }

    async fn ensure_crds(&self, chart: &Chart, named: &str) -> Result<(), Error> {
        let mut definitions = Vec::new();
        for definition in chart.crds() {
            let text = String::from_utf8_lossy(&definition.file.data);
            let parsed = manifest::parse(&text).map_err(|source| Error::Manifest {
                what: format!("chart {named}, {}", definition.path),
                source,
            })?;
            definitions.extend(parsed);
        }
        let cluster = &self.context.cluster;
        let unready = cluster
            .ensure_crds(&definitions, self.desired.crds, self.permit)
            .await?;
        match unready.first() {
            None => Ok(()),
            Some(definition) => Err(Error::Cluster(crate::cluster::Error::Refused {
                action: "establish",
                object: definition.object.to_string(),
                code: 0,
                reason: definition.reason.clone(),
                message: definition.message.clone(),
            })),
        }
    }

    /// The seed of the newest revision that has one, among those that were read and the others. Where
    /// there is none, or every revision is to have new passwords as Helm makes them, a new one.
    async fn seed(&self, read: &[Record]) -> Result<Seed, Error> {
        if self.desired.randomness == Randomness::Helm {
            return Ok(super::context::new_seed());
        }
        for header in self.sight.observed.history.iter().rev() {
            let found = match read.iter().find(|record| record.version == header.revision) {
                Some(record) => record.seed.clone(),
                None => {
                    let release = &self.desired.release;
                    self.context.storage.seed(release, header.revision).await?
                }
            };
            if let Some(seed) = found {
                return Ok(seed);
            }
        }
        Ok(super::context::new_seed())
    }

    async fn render(&self, chart: &Chart, named: &str, seed: Seed) -> Result<Rendered, Error> {
        let capabilities = self.context.cluster.capabilities().await?;
        let upgrade = self
            .sight
            .observed
            .history
            .iter()
            .any(|h| h.status != Status::Uninstalled);
        let inputs = render::Inputs {
            release: render::ReleaseFacts {
                name: self.desired.release.name.clone(),
                namespace: self.desired.release.namespace.clone(),
                // helm: pkg/action/install.go: an install is the first one, even over the history of
                // a release that was uninstalled.
                revision: if upgrade { self.next_revision() } else { 1 },
                is_install: !upgrade,
                is_upgrade: upgrade,
            },
            values: self.desired.values.clone(),
            capabilities: render::Capabilities {
                kube_version: render::KubeVersion::of_cluster(
                    capabilities.kube_version,
                    capabilities.major,
                    capabilities.minor,
                ),
                api_versions: capabilities.api_versions,
                ..render::Capabilities::default()
            },
            environment: super::context::environment(seed),
            options: render::Options::default(),
        };
        let lookup = ClusterLookup::new(self.context.cluster.clone());
        let chart = chart.clone();
        let began = Instant::now();
        let rendered = blocking(move || render::render(chart, inputs, &lookup))
            .await?
            .map_err(|failure| Error::Render {
                chart: named.to_owned(),
                source: failure.error,
            })?;
        self.context.metrics.stage("render", began.elapsed());
        info!(chart = %named, bytes = rendered.manifest.len(), hooks = rendered.hooks.len(), took_ms = began.elapsed().as_secs_f64() * 1000.0, "rendered");
        Ok(rendered)
    }

    fn next_revision(&self) -> i64 {
        self.sight
            .observed
            .history
            .last()
            .map_or(1, |last| last.revision + 1)
    }

    fn next_record(
        &self,
        stored: Value,
        rendered: Rendered,
        first: Option<String>,
        archive: &Archive,
    ) -> Record {
        let chart = &self.desired.chart;
        let mut notes = Notes::default();
        notes.note_source(Some(&Source {
            repo: chart.repo.clone(),
            name: chart.name.clone(),
            version: chart.version.clone(),
            commit: chart.commit.clone(),
            path: chart.path.clone(),
            digest: archive.digest.to_string(),
            manifest: archive.manifest.map(|manifest| manifest.to_string()),
        }));
        let time = release::time(now());
        let description = if first.is_none() {
            "Initial install underway"
        } else {
            "Preparing upgrade"
        };
        Record {
            name: self.desired.release.name.clone(),
            namespace: self.desired.release.namespace.clone(),
            version: self.next_revision(),
            info: Info {
                first_deployed: first.unwrap_or_else(|| time.clone()),
                last_deployed: time,
                description: description.to_owned(),
                notes: rendered.notes,
                ..Info::default()
            },
            chart: stored,
            config: self.desired.values.clone(),
            manifest: rendered.manifest,
            hooks: rendered.hooks,
            labels: BTreeMap::from([(INPUTS_LABEL.to_owned(), self.desired.inputs.clone())]),
            notes_to_self: notes.into_annotations(),
            ..Record::default()
        }
    }

    /// An earlier revision's manifest as the next revision.
    // helm: pkg/action/rollback.go prepareRollback
    async fn restore(&self, to: i64) -> Result<Intent, Error> {
        let release = &self.desired.release;
        let good = self.context.storage.get(release, to).await?;
        let previous = self.applied(i64::MAX).await?;
        let target = applied_objects(release, &good)?;
        let mut notes = Notes::default();
        notes.note_source(Notes::new(good.notes_to_self.clone()).source().as_ref());
        let time = release::time(now());
        let server_side = good.is_server_side();
        notes.note_signer(Notes::new(good.notes_to_self.clone()).signer());
        let mut record = Record {
            version: self.next_revision(),
            info: Info {
                first_deployed: previous.first_deployed.unwrap_or_else(|| time.clone()),
                last_deployed: time,
                description: format!("Rollback to {to}"),
                notes: good.info.notes.clone(),
                rollback_revision: to,
                ..Info::default()
            },
            notes_to_self: notes.into_annotations(),
            resource_version: None,
            ..good
        };
        record.set_server_side(server_side);
        let hooks = record.hooks.clone();
        Ok(Intent {
            floating: Vec::new(),
            record,
            earlier: previous.records,
            previous: previous.objects,
            target,
            hooks,
        })
    }

    /// The deployed revision, once more.
    fn reapply(&self) -> Result<Intent, Error> {
        let record = self.sight.deployed.clone().unwrap_or_default();
        let target = applied_objects(&self.desired.release, &record)?;
        Ok(Intent {
            floating: Vec::new(),
            record,
            earlier: Vec::new(),
            previous: Vec::new(),
            target,
            hooks: Vec::new(),
        })
    }

    /// The deployed revision and its tests, and whether they may have been begun before.
    async fn test(&self, revision: i64) -> Result<(Intent, bool), Error> {
        let mut record = self.recover(revision).await?.record;
        let hooks = record.hooks.clone();
        let mut notes = Notes::new(std::mem::take(&mut record.notes_to_self));
        let again = notes.tests() == Some(Tests::Failed);
        if again {
            let release = &self.desired.release;
            let runs: Vec<String> = Hook::at(&hooks, HookEvent::Test)
                .into_iter()
                .map(|hook| plan::hook_run(release, revision, HookEvent::Test, hook))
                .collect();
            notes.forget_runs(&runs);
            notes.note_tests(Tests::Due);
        }
        record.notes_to_self = notes.into_annotations();
        let intent = Intent {
            floating: Vec::new(),
            record,
            earlier: Vec::new(),
            previous: Vec::new(),
            target: Vec::new(),
            hooks,
        };
        Ok((intent, !again))
    }

    /// Everything that the release ever applied and may have left, to be removed.
    async fn withdraw(&self) -> Result<Intent, Error> {
        let last = self
            .sight
            .observed
            .history
            .last()
            .map_or(0, |last| last.revision);
        let record = self
            .context
            .storage
            .get(&self.desired.release, last)
            .await?;
        let previous = self.applied(i64::MAX).await?;
        let hooks = record.hooks.clone();
        Ok(Intent {
            floating: Vec::new(),
            record,
            earlier: previous.records,
            previous: previous.objects,
            target: Vec::new(),
            hooks,
        })
    }

    /// The record that says that somebody is at work.
    async fn recover(&self, revision: i64) -> Result<Intent, Error> {
        let record = self
            .context
            .storage
            .get(&self.desired.release, revision)
            .await?;
        Ok(Intent {
            floating: Vec::new(),
            record,
            earlier: Vec::new(),
            previous: Vec::new(),
            target: Vec::new(),
            hooks: Vec::new(),
        })
    }

    /// What was last applied before a revision, object by object: the deployed one, and over it
    /// whatever later ones that failed may have applied, so that none of it is orphaned.
    async fn applied(&self, before: i64) -> Result<Applied, Error> {
        let history = &self.sight.observed.history;
        let history = &history[..history.partition_point(|header| header.revision < before)];
        let base = history
            .iter()
            .rposition(|header| header.status == Status::Deployed)
            .or_else(|| {
                history
                    .iter()
                    .rposition(|header| header.status == Status::Superseded)
            })
            .unwrap_or(0);
        let mut objects: Vec<Object> = Vec::new();
        let mut first_deployed = None;
        let mut records = Vec::new();
        for header in history.get(base..).unwrap_or_default() {
            if header.status == Status::Uninstalled {
                continue;
            }
            let record = self
                .context
                .storage
                .get(&self.desired.release, header.revision)
                .await?;
            for object in applied_objects(&self.desired.release, &record)? {
                match objects.iter_mut().find(|known| known.key == object.key) {
                    Some(known) => *known = object,
                    None => objects.push(object),
                }
            }
            first_deployed.get_or_insert_with(|| record.info.first_deployed.clone());
            records.push(record);
        }
        manifest::install_order(&mut objects);
        // helm: pkg/action/upgrade.go prepareUpgrade: the last revision's way, however it ended.
        let last = records.last().filter(|record: &&Record| {
            history
                .last()
                .is_some_and(|last| last.revision == record.version)
        });
        Ok(Applied {
            server_side: last.is_some_and(Record::is_server_side),
            objects,
            first_deployed,
            records,
        })
    }
}

/// The chart in an archive, if it is one that can be installed.
fn installable(archive: &[u8]) -> Result<Chart, crate::chart::Error> {
    let chart = Chart::load_exact(archive)?;
    // What Helm warns of (a deprecated chart) is no reason to stop; the chart's author knows.
    chart.check_installable(&mut Vec::new())?;
    Ok(chart)
}

struct Applied {
    /// The last revision was applied server-side.
    server_side: bool,
    objects: Vec<Object>,
    first_deployed: Option<String>,
    /// The records that tell of it.
    records: Vec<Record>,
}

/// What the status says of a revision.
pub(super) fn snapshot(record: &Record) -> crate::api::Snapshot {
    let (chart_name, chart_version) = record.chart_name_and_version();
    let source = Notes::new(record.notes_to_self.clone()).source();
    crate::api::Snapshot {
        name: record.name.clone(),
        namespace: record.namespace.clone(),
        version: record.version,
        status: record.info.status.to_string(),
        chart_name: chart_name.to_owned(),
        chart_version: chart_version.to_owned(),
        app_version: record.app_version().to_owned(),
        chart_digest: source.map(|source| source.digest).unwrap_or_default(),
        signer: Notes::new(record.notes_to_self.clone())
            .signer()
            .unwrap_or_default()
            .to_owned(),
        config_digest: plan::values_digest(&record.config),
        first_deployed: record.info.first_deployed.clone(),
        last_deployed: record.info.last_deployed.clone(),
    }
}

/// Runs work that does not wait on a thread where it may take its time. A panic there is one
/// release's trouble.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Error::Panicked(error.to_string()))
}
