//! Plays scenarios, on both sides at once, and tells what differs.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Map, Value, json};

use crate::difference;
use crate::ground::Ground;
use crate::scenario::{self, Release, Scenario, Step, Uninstall};
use crate::testbed::Finished;

/// How long anything may take before it counts as stuck; it is no measurement.
const PATIENCE: Duration = Duration::from_secs(100);

/// Scenarios at once: most of the time is waiting.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Helm,
    Pintle,
}

#[test]
fn a_helm_release_leaves_what_helm_leaves() {
    let only = std::env::var("PINTLE_PARITY_ONLY").unwrap_or_default();
    let scenarios = scenario::all().unwrap();
    let names: BTreeSet<_> = scenarios.iter().map(|scenario| &scenario.name).collect();
    assert_eq!(names.len(), scenarios.len(), "two scenarios of one name");
    let chosen: Vec<_> = scenarios
        .iter()
        .filter(|s| s.name.contains(&only))
        .collect();
    let ground = Ground::prepare().unwrap();
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    let work = || {
        while let Some(scenario) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
            let began = Instant::now();
            let found = match play(&ground, scenario) {
                Ok(differences) => judge(scenario, &differences),
                Err(error) => vec![format!("{error:#}")],
            };
            let took = began.elapsed().as_secs();
            println!("{}: {took} s, {} problems", scenario.name, found.len());
            let told = found
                .into_iter()
                .map(|it| format!("{}: {it}", scenario.name));
            problems.lock().unwrap().extend(told);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let problems = problems.into_inner().unwrap();
    println!("{} scenarios, {} problems", chosen.len(), problems.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// What differs and is not expected, and what is expected and does not differ.
fn judge(scenario: &Scenario, differences: &[String]) -> Vec<String> {
    let compatibility = include_str!("../../COMPATIBILITY.md");
    let expected = &scenario.differences;
    let path = |difference: &String| difference.split(": ").next().unwrap_or_default().to_owned();
    let unexpected = differences.iter().filter(|difference| {
        let path = path(difference);
        !expected.iter().any(|e| difference::matches(&e.at, &path))
    });
    let missing = expected
        .iter()
        .filter(|e| {
            !differences
                .iter()
                .any(|d| difference::matches(&e.at, &path(d)))
        })
        .map(|e| format!("{} does not differ any more", e.at));
    let unexplained = expected
        .iter()
        .filter(|e| !compatibility.contains(&format!("| {}", e.because)))
        .map(|e| {
            format!(
                "COMPATIBILITY.md has no row that begins with {:?}",
                e.because
            )
        });
    unexpected
        .cloned()
        .chain(missing)
        .chain(unexplained)
        .collect()
}

/// Plays a scenario; answers each difference as `step N/path: helm …, pintle …`.
fn play(ground: &Ground, scenario: &Scenario) -> Result<Vec<String>> {
    let one = |side: Side| {
        let short = if side == Side::Helm { "h" } else { "p" };
        let namespace = format!("{}-{short}", scenario.name);
        let player = Player {
            ground,
            scenario,
            side,
            namespace,
        };
        player.play()
    };
    let (helm, pintle) = std::thread::scope(|scope| {
        let helm = scope.spawn(|| one(Side::Helm));
        let pintle = scope.spawn(|| one(Side::Pintle));
        (helm.join().unwrap(), pintle.join().unwrap())
    });
    let (helm, pintle) = (helm.context("helm")?, pintle.context("pintle")?);
    let mut differences = Vec::new();
    for ((helm, pintle), number) in helm.iter().zip(&pintle).zip(1..) {
        let found = difference::between(helm, pintle);
        differences.extend(found.into_iter().map(|it| format!("step {number}{it}")));
    }
    Ok(differences)
}

/// Whether helm knows the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installed {
    Never,
    /// It was uninstalled, and its history stayed.
    Once,
    Now,
}

struct Player<'g> {
    ground: &'g Ground,
    scenario: &'g Scenario,
    side: Side,
    namespace: String,
}

impl Player<'_> {
    /// The state after each step.
    fn play(&self) -> Result<Vec<Value>> {
        let create = ["create", "namespace", &self.namespace];
        self.ground.testbed.kubectl(&create)?.successful()?;
        let mut spec = scenario::usual_spec();
        let mut installed = Installed::Never;
        let mut states = Vec::new();
        for (step, number) in self.scenario.steps.iter().zip(1..) {
            let done = self.take(step, number, &mut spec, &mut installed);
            done.with_context(|| format!("step {number}"))?;
            // What a person does with helm alone is one deed with the step that follows.
            let state = match step {
                Step::ByHand(_) => Value::Null,
                _ => self.ground.state(&self.namespace)?,
            };
            states.push(state);
        }
        Ok(states)
    }

    fn take(
        &self,
        step: &Step,
        number: usize,
        spec: &mut Map<String, Value>,
        installed: &mut Installed,
    ) -> Result<()> {
        match step {
            Step::Release(release) | Step::ByHelm(release) => {
                spec.extend(release.spec.clone());
                let by_helm = self.side == Side::Helm || matches!(step, Step::ByHelm(_));
                match by_helm {
                    true => self.helm_release(release, spec, *installed)?,
                    false => self.declare(release, spec)?,
                }
                // A failed atomic install leaves nothing.
                let atomic = spec
                    .get("atomic")
                    .is_none_or(|atomic| *atomic == json!(true));
                if !(release.fails && atomic) {
                    *installed = Installed::Now;
                }
                Ok(())
            }
            Step::Adopt(release) => match self.side {
                Side::Helm => Ok(()),
                Side::Pintle => self.declare(release, spec),
            },
            Step::LetGo {} => match self.side {
                Side::Helm => Ok(()),
                Side::Pintle => {
                    let orphan = json!({"deletion": {"policy": "Orphan"}});
                    let orphan = orphan.as_object().cloned().unwrap_or_default();
                    self.undeclare(&Uninstall::default(), &orphan)
                }
            },
            Step::Uninstall(how) => {
                *installed = match keeps_history(spec) {
                    true => Installed::Once,
                    false => Installed::Never,
                };
                match self.side {
                    Side::Helm => self.helm_uninstall(how, spec),
                    Side::Pintle => self.undeclare(how, spec),
                }
            }
            Step::Helm(arguments) => {
                let arguments: Vec<String> =
                    arguments.split_whitespace().map(str::to_owned).collect();
                self.ground
                    .helm(&self.namespace, &arguments)?
                    .successful()?;
                self.notice(number)
            }
            Step::Kubectl(arguments) => {
                let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
                arguments.extend(["-n", &self.namespace]);
                self.ground.testbed.kubectl(&arguments)?.successful()?;
                self.notice(number)
            }
            Step::Held(release) => match self.side {
                Side::Helm => Ok(()),
                Side::Pintle => self.declare(release, spec),
            },
            Step::Confirmed(release) => match self.side {
                Side::Helm => self.helm_release(release, spec, *installed),
                Side::Pintle => self.confirm(|found| holds(found, "Ready")),
            },
            Step::HeldUninstall {} => match self.side {
                Side::Helm => Ok(()),
                Side::Pintle => {
                    let until = Some("ConfirmationNeeded".to_owned());
                    self.undeclare(&Uninstall { fails: true, until }, spec)
                }
            },
            Step::ConfirmedUninstall {} => match self.side {
                Side::Helm => self.helm_uninstall(&Uninstall::default(), spec),
                Side::Pintle => self.confirm(Value::is_null),
            },
            Step::ByHand(arguments) => {
                let mut arguments: Vec<&str> = arguments.split_whitespace().collect();
                arguments.extend(["-n", &self.namespace]);
                if self.side == Side::Helm {
                    self.ground.testbed.kubectl(&arguments)?.successful()?;
                }
                Ok(())
            }
            Step::TestAgain { fails } => match self.side {
                Side::Helm => {
                    let test = ["test".to_owned(), "shop".to_owned()];
                    as_expected(self.ground.helm(&self.namespace, &test)?, *fails)
                }
                Side::Pintle => self.force(number, *fails),
            },
            Step::Apply(object) => {
                let text = object.to_string().replace("NAMESPACE", &self.namespace);
                let apply = ["apply", "--server-side", "-n", &self.namespace, "-f", "-"];
                let applied = self.ground.testbed.kubectl_with_input(&apply, &text)?;
                applied.successful().map(|_| ())
            }
        }
    }

    fn helm_release(
        &self,
        release: &Release,
        spec: &Map<String, Value>,
        installed: Installed,
    ) -> Result<()> {
        let archive = self.archive(release)?;
        let values = self
            .ground
            .testbed
            .dir()
            .join(format!("{}.values", self.namespace));
        std::fs::write(&values, Value::Object(release.values.clone()).to_string())?;
        let install = installed != Installed::Now;
        let verb = if install { "install" } else { "upgrade" };
        let mut arguments = vec![
            verb.to_owned(),
            "shop".to_owned(),
            archive.file.display().to_string(),
            format!("--values={}", values.display()),
        ];
        arguments.extend(scenario::flags(spec, install, self.scenario.server_side));
        if installed == Installed::Once {
            arguments.push("--replace".to_owned());
        }
        let mut ended = self.ground.helm(&self.namespace, &arguments)?;
        let wanted = |key: &str| spec.get("test").is_some_and(|test| test[key] == true);
        if ended.success && wanted("enabled") {
            let tested = self
                .ground
                .helm(&self.namespace, &["test".to_owned(), "shop".to_owned()])?;
            if !wanted("ignoreFailures") {
                ended = tested;
            }
        }
        as_expected(ended, release.fails)
    }

    fn helm_uninstall(&self, how: &Uninstall, spec: &Map<String, Value>) -> Result<()> {
        let mut arguments = vec!["uninstall".to_owned(), "shop".to_owned()];
        arguments.push(format!(
            "--timeout={}",
            spec["timeout"].as_str().unwrap_or("30s")
        ));
        if spec.get("wait").is_none_or(|wait| *wait == json!(true)) {
            arguments.push("--wait".to_owned());
        }
        let kept = spec
            .get("deletion")
            .is_some_and(|d| d["keepHistory"] == true);
        if kept {
            arguments.push("--keep-history".to_owned());
        }
        as_expected(self.ground.helm(&self.namespace, &arguments)?, how.fails)
    }

    fn archive(&self, release: &Release) -> Result<crate::ground::Archive> {
        let (chart, version) = (&release.chart, &release.version);
        self.ground.archive(chart, version, &self.namespace)
    }

    fn releases(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("helm.pintle.dev", "v1", "HelmRelease");
        let resource = ApiResource::from_gvk(&kind);
        Api::namespaced_with(self.ground.client.clone(), &self.namespace, &resource)
    }

    fn declare(&self, release: &Release, spec: &Map<String, Value>) -> Result<()> {
        let archive = self.archive(release)?;
        let mut spec = spec.clone();
        spec.insert("repo".into(), self.ground.registry().into());
        spec.insert("name".into(), archive.name.into());
        spec.insert("version".into(), release.version.clone().into());
        spec.insert("values".into(), release.values.clone().into());
        let releases = self.releases();
        let known = self.ground.runtime.block_on(releases.get_opt("shop"))?;
        let applied = match known {
            // Replaced, not merged: a server-side apply leaves null where a table became empty.
            Some(mut known) => {
                known.data["spec"] = spec.into();
                let parameters = PostParams::default();
                let replaced = releases.replace("shop", &parameters, &known);
                self.ground.runtime.block_on(replaced)?
            }
            None => {
                let declared = serde_json::from_value(json!({
                    "apiVersion": "helm.pintle.dev/v1", "kind": "HelmRelease",
                    "metadata": {"name": "shop"}, "spec": spec,
                }))?;
                let parameters = PostParams::default();
                let created = releases.create(&parameters, &declared);
                self.ground.runtime.block_on(created)?
            }
        };
        let generation = json!(applied.metadata.generation);
        let rests = |found: &Value| {
            let told = found["status"]["observedGeneration"] == generation;
            told && is_at_rest(found, release.until.as_deref())
        };
        let ready = holds(&self.until(rests)?, "Ready");
        if ready == release.fails {
            bail!("ready is {ready}");
        }
        Ok(())
    }

    fn undeclare(&self, how: &Uninstall, spec: &Map<String, Value>) -> Result<()> {
        // What is said of the deletion is said before it.
        let patch = json!({"spec": {"deletion": spec.get("deletion"), "wait": spec.get("wait")}});
        let releases = self.releases();
        let parameters = PatchParams::default();
        let patch = Patch::Merge(&patch);
        let said = releases.patch("shop", &parameters, &patch);
        self.ground.runtime.block_on(said)?;
        let parameters = DeleteParams::default();
        let deleted = releases.delete("shop", &parameters);
        self.ground.runtime.block_on(deleted)?;
        self.until(|found| match how.until.as_deref() {
            Some(reason) => is_at_rest(found, Some(reason)),
            None => found.is_null(),
        })?;
        Ok(())
    }

    /// Makes the controller look at what was done behind its back.
    fn notice(&self, number: usize) -> Result<()> {
        if self.side == Side::Helm {
            return Ok(());
        }
        let releases = self.releases();
        let get = releases.get_opt("shop");
        if self.ground.runtime.block_on(get)?.is_none() {
            return Ok(());
        }
        let asked = format!("step {number}");
        let patch =
            json!({"metadata": {"annotations": {"reconcile.pintle.dev/requestedAt": asked}}});
        let parameters = PatchParams::default();
        let patch = Patch::Merge(&patch);
        let request = releases.patch("shop", &parameters, &patch);
        self.ground.runtime.block_on(request)?;
        self.until(|found| {
            found["status"]["lastHandledReconcileAt"] == *asked && is_at_rest(found, None)
        })?;
        Ok(())
    }

    /// Sets the annotation that the condition asks for.
    fn confirm(&self, is_done: impl Fn(&Value) -> bool) -> Result<()> {
        let asking = self.until(|found| is_at_rest(found, Some("ConfirmationNeeded")))?;
        let message = condition(&asking, "Ready")["message"].as_str();
        let (_, digest) = message
            .and_then(|message| message.split_once("confirm.pintle.dev/plan="))
            .context("it does not say how to confirm it")?;
        let digest = digest.split(' ').next().unwrap_or_default();
        let patch = json!({"metadata": {"annotations": {"confirm.pintle.dev/plan": digest}}});
        let patch = Patch::Merge(&patch);
        let releases = self.releases();
        let parameters = PatchParams::default();
        let request = releases.patch("shop", &parameters, &patch);
        self.ground.runtime.block_on(request)?;
        self.until(is_done)?;
        Ok(())
    }

    /// Has what failed tried again.
    fn force(&self, number: usize, fails: bool) -> Result<()> {
        let asked = format!("step {number}");
        let patch = json!({"metadata": {"annotations": {"reconcile.pintle.dev/forceAt": asked}}});
        let patch = Patch::Merge(&patch);
        let releases = self.releases();
        let parameters = PatchParams::default();
        let request = releases.patch("shop", &parameters, &patch);
        self.ground.runtime.block_on(request)?;
        let ended = self.until(|found| {
            found["status"]["lastHandledForceAt"] == *asked && is_at_rest(found, None)
        })?;
        if holds(&ended, "Ready") == fails {
            bail!("ready is {}", !fails);
        }
        Ok(())
    }

    fn until(&self, is_so: impl Fn(&Value) -> bool) -> Result<Value> {
        let began = Instant::now();
        let releases = self.releases();
        loop {
            let found = self.ground.runtime.block_on(releases.get_opt("shop"))?;
            let found = serde_json::to_value(found)?;
            if is_so(&found) {
                return Ok(found);
            }
            if began.elapsed() > PATIENCE {
                bail!("it does not end: {}", found["status"]);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn keeps_history(spec: &Map<String, Value>) -> bool {
    spec.get("deletion")
        .is_some_and(|deletion| deletion["keepHistory"] == true)
}

fn as_expected(ended: Finished, fails: bool) -> Result<()> {
    match fails {
        true => ended.refused().map(|_| ()),
        false => ended.successful().map(|_| ()),
    }
}

/// Nothing more is tried, or, where more is, it is for this reason.
fn is_at_rest(release: &Value, reason: Option<&str>) -> bool {
    match reason {
        None => holds(release, "Ready") || holds(release, "Stalled"),
        Some(reason) => condition(release, "Ready")["reason"] == reason,
    }
}

fn condition<'v>(release: &'v Value, kind: &str) -> &'v Value {
    let conditions = release["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions
        .find(|condition| condition["type"] == kind)
        .unwrap_or(&Value::Null)
}

fn holds(release: &Value, kind: &str) -> bool {
    condition(release, kind)["status"] == "True"
}
