//! One release on its way into the layout: its chart, who signed it, and which images it runs.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use kube::{Client, ResourceExt as _};
use pintle::api::{HelmRelease, VerifyProvider};
use pintle::bundle::{self, ReleaseImages, UsedImage};
use pintle::chart::Chart;
use pintle::controller::{self, ReferenceError};
use pintle::manifest;
use pintle::plan::{ChartReference, Desired};
use pintle::render::{self, Capabilities, Environment, Inputs, NoCluster, ReleaseFacts};
use pintle::source::{Archive, Credentials, DockerConfig, Sources, Whole};
use serde_json::{Map, Value};

use super::manifests::{Declared, path};

/// A release to be bundled.
pub(super) struct Release {
    resource: HelmRelease,
    named: String,
    pub(super) chart: ChartReference,
    /// Its chart's reference in the layout.
    pub(super) place: String,
    /// What is done otherwise than the controller would.
    pub(super) remarks: Vec<String>,
    /// This one brings its chart.
    pub(super) carried: bool,
    /// With cosign's signatures.
    pub(super) with_signatures: bool,
}

/// What has come of a release.
pub(super) struct Fetched {
    pub(super) named: String,
    pub(super) place: String,
    pub(super) archive: Archive,
    pub(super) whole: Option<Whole>,
    pub(super) images: Option<ReleaseImages>,
}

/// What it takes to fetch charts.
pub(super) struct Carrier {
    /// Of the manifests.
    pub(super) client: Client,
    pub(super) sources: Sources,
    /// This machine's logins.
    pub(super) logins: Option<DockerConfig>,
    /// What to render for, if at all.
    pub(super) capabilities: Option<Capabilities>,
}

impl Release {
    pub(super) fn new(declared: Declared, objects: &BTreeMap<String, Value>) -> Result<Self> {
        let Declared {
            mut resource,
            named,
        } = declared;
        let desired = Desired::new(&resource, Map::new()).with_context(|| named.clone())?;
        let chart = desired.chart;
        if chart.commit.is_some() {
            bail!(
                "{named}: {} is git's, and no registry can stand in for it: mirror the repository itself",
                chart.repo
            );
        }
        let place = bundle::place(&chart.repo, &chart.name, &chart.version);
        let place = place.with_context(|| named.clone())?;
        let remarks = leave_out(&mut resource, objects);
        Ok(Self {
            remarks: remarks
                .into_iter()
                .map(|remark| format!("{named}: {remark}"))
                .collect(),
            resource,
            named,
            chart,
            place,
            carried: false,
            with_signatures: false,
        })
    }

    pub(super) fn is_cosigned(&self) -> bool {
        let verify = self.resource.spec.verify.as_ref();
        self.with_signatures || verify.is_some_and(|v| v.provider == VerifyProvider::Cosign)
    }
}

fn absent(field: &str, object: &str, follows: &str) -> String {
    format!("{field}: {object} is not among the manifests: {follows}")
}

/// Leaves out what refers to objects that are not among the manifests; answers what follows.
fn leave_out(resource: &mut HelmRelease, objects: &BTreeMap<String, Value>) -> Vec<String> {
    const LOGINS: &str = "this machine's logins are used";
    let namespace = resource.namespace().unwrap_or_default();
    let missing = |plural, name: &str| !objects.contains_key(&path(&namespace, plural, name));
    let (spec, mut remarks) = (&mut resource.spec, Vec::new());
    if let Some(auth) = &mut spec.auth {
        let secret = auth
            .secret_ref
            .take_if(|secret| missing("secrets", &secret.name));
        remarks
            .extend(secret.map(|secret| {
                absent("auth.secretRef", &format!("Secret {}", secret.name), LOGINS)
            }));
        let account = &mut auth.service_account_name;
        let account = account.take_if(|name| missing("serviceaccounts", name));
        remarks.extend(account.map(|name| {
            absent(
                "auth.serviceAccountName",
                &format!("ServiceAccount {name}"),
                LOGINS,
            )
        }));
        let cloud = auth.provider.take();
        remarks.extend(cloud.map(|_| absent("auth.provider", "a workload identity", LOGINS)));
    }
    if let Some(tls) = &mut spec.tls {
        let secret = tls
            .secret_ref
            .take_if(|secret| missing("secrets", &secret.name));
        remarks.extend(secret.map(|secret| {
            let follows = "this machine's authorities are trusted";
            absent("tls.secretRef", &format!("Secret {}", secret.name), follows)
        }));
    }
    let proxy = &mut spec.proxy;
    let proxy = proxy.take_if(|proxy| missing("secrets", &proxy.secret_ref.name));
    remarks.extend(proxy.map(|proxy| {
        let object = format!("Secret {}", proxy.secret_ref.name);
        absent(
            "proxy.secretRef",
            &object,
            "the environment's proxy is used",
        )
    }));
    remarks
}

impl Carrier {
    /// Fetches the chart, checks its signature, and lists its images.
    pub(super) async fn fetch(&self, release: Release) -> Result<Fetched> {
        let named = release.named.clone();
        self.fetch_one(release).await.context(named)
    }

    async fn fetch_one(&self, release: Release) -> Result<Fetched> {
        let Release {
            resource, chart, ..
        } = &release;
        let mut reference = controller::reference(&self.client, resource, chart, None).await?;
        if reference.credentials.is_none() {
            reference.credentials = self.logins.clone().map(Credentials::Docker);
        }
        let archive = self.sources.fetch(&reference).await?;
        let namespace = resource.namespace().unwrap_or_default();
        match controller::trusted(&self.client, &namespace, &resource.spec).await {
            Ok(None) => {}
            Ok(Some(trusted)) => {
                self.sources.verify(&reference, &archive, &trusted).await?;
            }
            Err(controller::Error::Reference(ReferenceError::MissingObject { field, object })) => {
                let named = &release.named;
                let remark = absent(field, &object, "the signature is not checked here");
                eprintln!("{named}: {remark}");
            }
            Err(error) => return Err(error.into()),
        }
        let whole = match release.carried {
            true => {
                let with_signatures = release.with_signatures;
                Some(
                    self.sources
                        .whole(&reference, &archive, with_signatures)
                        .await?,
                )
            }
            false => None,
        };
        let images = match &self.capabilities {
            Some(capabilities) => Some(self.images(&release, &archive, capabilities).await?),
            None => None,
        };
        Ok(Fetched {
            named: release.named,
            place: release.place,
            archive,
            whole,
            images,
        })
    }

    async fn images(
        &self,
        release: &Release,
        archive: &Archive,
        capabilities: &Capabilities,
    ) -> Result<ReleaseImages> {
        let (resource, capabilities) = (&release.resource, capabilities.clone());
        let namespace = resource.namespace().unwrap_or_default();
        let values = controller::resolve(&self.client, &namespace, &resource.spec).await;
        let values = values.context(
            "to list images, all values have to be among the manifests (or --skip-images)",
        )?;
        let desired = Desired::new(resource, values)?;
        let bytes = archive.bytes.clone();
        let rendered = tokio::task::spawn_blocking(move || {
            let chart = Chart::load_exact(&bytes).context("load the chart")?;
            chart.check_installable(&mut Vec::new())?;
            let inputs = Inputs {
                release: ReleaseFacts {
                    name: desired.release.name,
                    namespace: desired.release.namespace,
                    revision: 1,
                    is_install: true,
                    is_upgrade: false,
                },
                values: desired.values,
                capabilities,
                // What is made by chance is not looked at, so it may as well be the same each time.
                environment: Environment::default(),
                options: render::Options::default(),
            };
            let rendered = render::render(chart, inputs, &NoCluster);
            rendered.map_err(|failure| anyhow::Error::new(failure.error))
        });
        let rendered = rendered.await?;
        let rendered =
            rendered.context("render the chart to list its images (or --skip-images)")?;
        let mut objects = manifest::parse(&rendered.manifest)?;
        for hook in &rendered.hooks {
            objects.extend(hook.objects()?);
        }
        Ok(ReleaseImages {
            namespace,
            name: resource.name_any(),
            chart: release.place.clone(),
            images: UsedImage::of(&objects),
        })
    }
}
