//! `pintle bundle`: the charts that HelmReleases declare, as an OCI image layout that a registry
//! without a way to theirs can be filled from, with the names of the images that they run.
//!
//! In: manifests. Out: a folder or a tar file, which appears whole or not at all; equal inputs give
//! equal bytes. Never: an image; a question to a cluster.

mod given;
mod manifests;
mod output;
mod release;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use pintle::bundle::{self, Descriptor, Layout, ReleaseImages};
use pintle::render::{Capabilities, KubeVersion};
use pintle::source::{DockerConfig, Mirrors, Repository, Sources, SourcesConfig, Whole};

use self::manifests::Manifests;
use self::output::Output;
use self::release::{Carrier, Fetched, Release};

/// Releases that are worked on at once.
const AT_ONCE: usize = 8;

/// The arguments of `pintle bundle`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each chart is printed with where it belongs below a registry's address, such as \
ghcr.io/team/charts/shop:1.2.3, and the digest of its manifest; the layout's index.json says the same. \
To fill a registry:

  pintle bundle -f releases/ -o out --to oci://registry.internal/charts > names
  while read -r name digest; do
    oras cp --from-oci-layout out@$digest registry.internal/charts/$name
    # or: skopeo copy --all oci:out:$name docker://registry.internal/charts/$name
  done < names

The controller then runs with `--mirrors mirrors.yaml`, which --to writes into the layout. The images in \
images.txt are for another tool to copy.")]
pub(crate) struct BundleArguments {
    /// A file or folder with manifests, or - for standard input; may be given several times. Of a
    /// folder all files below it count that end in .yaml, .yml and .json. HelmReleases are bundled;
    /// Secrets, ConfigMaps and ServiceAccounts are what they refer to; all else is passed over.
    #[arg(long = "filename", short, required = true, value_name = "PLACE")]
    filenames: Vec<String>,
    /// Where the layout goes: a folder that is not there yet, or a file that ends in .tar.
    #[arg(long, short, value_name = "PLACE")]
    output: PathBuf,
    /// The namespace of manifests that name none.
    #[arg(long, short, default_value = "default", value_name = "NAMESPACE")]
    namespace: String,
    /// Do not render the releases: no images are listed.
    #[arg(long)]
    skip_images: bool,
    /// The Kubernetes version that charts are rendered for.
    #[arg(long, value_name = "VERSION", conflicts_with = "skip_images")]
    kube_version: Option<String>,
    /// API versions that charts are rendered for, beside Kubernetes' own.
    #[arg(
        long,
        short,
        value_delimiter = ',',
        value_name = "VERSIONS",
        conflicts_with = "skip_images"
    )]
    api_versions: Vec<String>,
    /// The registry that is going to be filled, such as oci://registry.internal/charts: mirrors.yaml
    /// is written, the table that the controller's --mirrors takes.
    #[arg(long, value_name = "REGISTRY")]
    to: Option<String>,
    /// That registry speaks plain HTTP.
    #[arg(long, requires = "to")]
    to_insecure: bool,
    /// Logins by host, as docker's config.json, for what has no login of its own among the manifests.
    /// Default: Helm's file of logins, then Docker's. Credential helpers are not asked.
    #[arg(long, value_name = "FILE")]
    logins: Option<PathBuf>,
    /// Fetch charts from elsewhere, as `pintle run --mirrors` does.
    #[arg(long, value_name = "FILE")]
    mirrors: Option<PathBuf>,
    /// The mirrors' logins: a file as docker's config.json.
    #[arg(long, value_name = "FILE", requires = "mirrors")]
    mirror_logins: Option<PathBuf>,
    /// Let a HelmRelease with `insecure: true`, or a mirror, use plain HTTP.
    #[arg(long)]
    allow_insecure_sources: bool,
}

/// Writes the layout.
pub(crate) fn run(arguments: &BundleArguments) -> Result<()> {
    if let Some(to) = &arguments.to {
        let _: Repository = to.parse().context("--to")?;
        if !to.starts_with("oci://") {
            bail!("--to: {to:?} is no registry: it must begin with oci://");
        }
    }
    let read = manifests::read(&arguments.filenames, &arguments.namespace)?;
    for skipped in &read.skipped {
        eprintln!("passed over: {skipped}");
    }
    if read.releases.is_empty() {
        bail!(
            "there is no HelmRelease in {}",
            arguments.filenames.join(", ")
        );
    }
    let mut output = Output::begin(&arguments.output)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(fill(arguments, read, &mut output))?;
    output.finish()
}

async fn fill(arguments: &BundleArguments, read: Manifests, output: &mut Output) -> Result<()> {
    let carrier = Carrier {
        client: given::client(read.objects.clone()),
        sources: Sources::new(sources(arguments)?)?,
        logins: logins(arguments)?,
        capabilities: capabilities(arguments)?,
    };
    let releases = read.releases.into_iter();
    let mut releases: Vec<Release> = releases
        .map(|declared| Release::new(declared, &read.objects))
        .collect::<Result<_>>()?;
    take_once(&mut releases);
    for remark in releases.iter().flat_map(|release| &release.remarks) {
        eprintln!("{remark}");
    }
    let repos: BTreeSet<String> = releases.iter().map(|r| r.chart.repo.clone()).collect();
    let count = releases.len();
    let fetched = futures::stream::iter(releases.into_iter().map(|release| carrier.fetch(release)));
    let mut fetched = std::pin::pin!(fetched.buffered(AT_ONCE));
    let mut contents = Contents::default();
    while let Some(fetched) = fetched.try_next().await? {
        contents.take(fetched, output)?;
    }
    let Contents {
        mut layout,
        mut images,
        ..
    } = contents;
    images.sort();
    if carrier.capabilities.is_some() {
        output.write("images.txt", bundle::listed(&images).as_bytes())?;
        let (descriptor, blobs) = bundle::document(&images)?;
        for blob in &blobs {
            output.blob(blob)?;
        }
        layout.add(descriptor);
    }
    if let Some(to) = &arguments.to {
        let table = bundle::mirrors(&repos, to, arguments.to_insecure)?;
        output.write("mirrors.yaml", table.as_bytes())?;
    }
    output.write(bundle::LAYOUT_FILE, bundle::LAYOUT)?;
    output.write("index.json", &layout.index()?)?;
    let mut charts = 0;
    for (name, digest) in layout.names() {
        charts += 1;
        println!("{name} {digest}");
    }
    let listed = match carrier.capabilities {
        Some(_) => format!(
            "; {} images, whose names alone are here, in images.txt",
            bundle::listed(&images).lines().count()
        ),
        None => String::new(),
    };
    eprintln!("{charts} charts and signatures, for {count} HelmReleases{listed}");
    Ok(())
}

/// What is fetched for several releases is carried for one of them, with all that any asks for.
fn take_once(releases: &mut [Release]) {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for at in 0..releases.len() {
        let Some(release) = releases.get(at) else {
            continue;
        };
        let (place, signed) = (release.place.clone(), release.is_cosigned());
        let at = *first.entry(place).or_insert(at);
        if let Some(release) = releases.get_mut(at) {
            release.carried = true;
            release.with_signatures |= signed;
        }
    }
}

/// What has come so far.
#[derive(Default)]
struct Contents {
    layout: Layout,
    images: Vec<ReleaseImages>,
    /// What each place holds: the archive's digest, and who named it.
    known: BTreeMap<String, (String, String)>,
}

impl Contents {
    fn take(&mut self, fetched: Fetched, output: &mut Output) -> Result<()> {
        let digest = fetched.archive.digest.to_string();
        let (place, named) = (&fetched.place, fetched.named);
        if let Some((known, by)) = self.known.get(place).filter(|(known, _)| *known != digest) {
            bail!("{named} names {digest}, and {by} names {known}: both would be {place}");
        }
        self.known.insert(place.clone(), (digest, named));
        self.images.extend(fetched.images);
        let Some(whole) = fetched.whole else {
            return Ok(());
        };
        for content in whole.contents.values() {
            output.blob(content)?;
        }
        let of_registry = whole.manifest.as_ref();
        let document = match of_registry.map(|named| descriptor(&whole, named)) {
            Some(document) => document?,
            None => {
                let provenance = whole.provenance.as_deref();
                let packed = bundle::pack(&fetched.archive.bytes, provenance)
                    .with_context(|| format!("make a manifest for {place}"))?;
                for part in [Some(&*packed.manifest), Some(&*packed.config), provenance] {
                    part.map(|part| output.blob(part)).transpose()?;
                }
                Descriptor::of(bundle::MANIFEST, &packed.manifest)
            }
        };
        self.name(place, document)?;
        for (tag, named) in &whole.signatures {
            let repository = place.rsplit_once(':').map_or(&**place, |(name, _)| name);
            self.name(&format!("{repository}:{tag}"), descriptor(&whole, named)?)?;
        }
        Ok(())
    }

    fn name(&mut self, place: &str, document: Descriptor) -> Result<()> {
        match self.layout.name(place, document) {
            Some(other) => bail!("two documents would be {place}: one is {}", other.digest),
            None => Ok(()),
        }
    }
}

fn descriptor(whole: &Whole, named: &pintle::source::Named) -> Result<Descriptor> {
    let bytes = whole.contents.get(&named.digest);
    let bytes = bytes.with_context(|| format!("{} did not come", named.digest))?;
    Ok(Descriptor::of(&named.media_type, bytes))
}

fn capabilities(arguments: &BundleArguments) -> Result<Option<Capabilities>> {
    if arguments.skip_images {
        return Ok(None);
    }
    let mut capabilities = Capabilities::default();
    if let Some(version) = &arguments.kube_version {
        capabilities.kube_version = KubeVersion::parse(version).context("--kube-version")?;
    }
    let added = arguments.api_versions.iter().cloned();
    capabilities.api_versions.extend(added);
    Ok(Some(capabilities))
}

fn file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("read {}", path.display()))
}

fn sources(arguments: &BundleArguments) -> Result<SourcesConfig> {
    let logins = arguments.mirror_logins.as_deref().map(file).transpose()?;
    let logins = logins.map(|json| DockerConfig::parse(&json)).transpose()?;
    let mirrors = arguments.mirrors.as_deref().map(file).transpose()?;
    let mirrors = mirrors.map(|yaml| Mirrors::parse(&yaml, logins.as_ref()));
    Ok(SourcesConfig {
        mirrors: mirrors.transpose()?.unwrap_or_default(),
        allow_insecure: arguments.allow_insecure_sources,
        ..SourcesConfig::in_memory()
    })
}

/// This machine's logins.
fn logins(arguments: &BundleArguments) -> Result<Option<DockerConfig>> {
    if let Some(path) = &arguments.logins {
        let config = DockerConfig::parse(&file(path)?);
        return config.with_context(|| path.display().to_string()).map(Some);
    }
    super::template::docker_logins().map_err(anyhow::Error::msg)
}
