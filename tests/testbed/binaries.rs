//! Where the programs are.
//!
//! In: a program's name. Out: its path, after its module was built if that had not been done on
//! this machine: only the module asked for, so that a test which needs helm alone does not wait
//! for Kubernetes. Never: two builds of one module at once, a half-built folder under the final
//! name, a write into the source tree.
//!
//! A module is built into `$XDG_CACHE_HOME/pintle/testbed/NAME-HASH`. The hash covers all that
//! decides the outcome, so clones share a folder, and another version gets another.

use std::fmt::Write as _;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use super::build;

/// A Go module and the programs that it is built for.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    /// Below `tests/testbed`.
    pub(crate) source: &'static str,
    /// What `go build` is told to build: the tools that go.mod names, or the module itself.
    pub(crate) packages: &'static str,
    /// Told to the linker; versions live in variables that only the linker sets.
    pub(crate) link: &'static str,
    /// Each program as `go build` names it, and as we do.
    pub(crate) programs: &'static [(&'static str, &'static str)],
    /// Cold, on two cores.
    pub(crate) minutes: &'static str,
}

/// In the order in which they are built when all are missing.
const MODULES: [Module; 7] = [
    Module {
        name: "kubernetes",
        source: "modules/kubernetes",
        packages: "tool",
        // Without these the server reports a version that clients cannot parse.
        link: "-X k8s.io/component-base/version.gitVersion=v1.36.3 \
               -X k8s.io/component-base/version.gitMajor=1 \
               -X k8s.io/component-base/version.gitMinor=36",
        programs: &[
            ("server", "etcd"),
            ("kube-apiserver", "kube-apiserver"),
            ("kube-controller-manager", "kube-controller-manager"),
            ("kube-scheduler", "kube-scheduler"),
            ("kubectl", "kubectl"),
        ],
        minutes: "about 5 minutes",
    },
    Module {
        name: "kwok",
        source: "modules/kwok",
        packages: "tool",
        link: "",
        programs: &[("kwok", "kwok")],
        minutes: "about a minute",
    },
    Module {
        name: "registry",
        source: "modules/registry",
        packages: "tool",
        link: "",
        programs: &[("registry", "registry")],
        minutes: "about a minute",
    },
    Module {
        name: "helm4",
        source: "modules/helm4",
        packages: "tool",
        link: "-X helm.sh/helm/v4/internal/version.version=v4.3.1",
        programs: &[("helm", "helm")],
        minutes: "about a minute",
    },
    Module {
        name: "helm3",
        source: "modules/helm3",
        packages: "tool",
        // As helm's own Makefile sets them: the minor version is that of k8s.io/client-go.
        link: "-X helm.sh/helm/v3/internal/version.version=v3.22.0 \
               -X helm.sh/helm/v3/internal/version.metadata= \
               -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMajor=1 \
               -X helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor=37 \
               -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1 \
               -X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37",
        programs: &[("helm", "helm3")],
        minutes: "about a minute",
    },
    Module {
        name: "oras",
        source: "modules/oras",
        packages: ".",
        link: "",
        programs: &[("oras", "fill")],
        minutes: "seconds",
    },
    Module {
        name: "supervisor",
        source: "supervisor",
        packages: ".",
        link: "",
        programs: &[("supervisor", "supervisor")],
        minutes: "seconds",
    },
];

/// The path of a program: `helm`, `helm3`, `kubectl`, `etcd`, `kube-apiserver`, `registry`, ...
pub(crate) fn program(name: &str) -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os("PINTLE_TESTBED_BIN") {
        let path = Path::new(&folder).join(name);
        if path.is_file() {
            return Ok(path);
        }
        bail!(
            "find {name}: PINTLE_TESTBED_BIN is set, and there is no file {}",
            path.display()
        );
    }
    for module in &MODULES {
        if module.programs.iter().any(|(_, ours)| *ours == name) {
            return Ok(folder_of(module)?.join(name));
        }
    }
    bail!("find {name}: the testbed has no such program")
}

/// Builds whatever is missing, so that no test has to wait for a build half-way.
pub(crate) fn build_all() -> anyhow::Result<()> {
    if std::env::var_os("PINTLE_TESTBED_BIN").is_some() {
        return Ok(());
    }
    let mut missing = Vec::new();
    for module in &MODULES {
        if !Place::of(module)?.folder.is_dir() {
            missing.push(module);
        }
    }
    if missing.len() > 1 {
        let count = missing.len();
        build::say(&format!(
            "{count} Go modules are to be built first, once on this machine"
        ));
    }
    for module in missing {
        folder_of(module)?;
    }
    Ok(())
}

/// Where a module comes from and goes to.
struct Place {
    source: PathBuf,
    cache: PathBuf,
    name: String,
    folder: PathBuf,
}

impl Place {
    fn of(module: &Module) -> anyhow::Result<Place> {
        let testbed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed");
        let source = testbed.join(module.source);
        let cache = cache_folder()?;
        let name = format!("{}-{}", module.name, hash(module, &source)?);
        let folder = cache.join(&name);
        Ok(Place {
            source,
            cache,
            name,
            folder,
        })
    }
}

/// The folder of a module's programs, which it builds unless it was built before.
fn folder_of(module: &Module) -> anyhow::Result<PathBuf> {
    let Place {
        source,
        cache,
        name,
        folder,
    } = Place::of(module)?;
    if folder.is_dir() {
        return Ok(folder);
    }
    fs::create_dir_all(&cache).with_context(|| format!("make the folder {}", cache.display()))?;
    let _lock = lock(&cache.join(format!("{name}.lock")), module)?;
    // Another process may have built it while we waited.
    if folder.is_dir() {
        return Ok(folder);
    }
    let partial_prefix = format!("{name}.partial-");
    remove_abandoned(&cache, &partial_prefix)?;
    let partial = tempfile::Builder::new()
        .prefix(&partial_prefix)
        .tempdir_in(&cache)
        .with_context(|| format!("make a folder in {}", cache.display()))?;
    build::build(module, &source, partial.path())?;
    // The final name appears with everything in it, or not at all.
    fs::rename(partial.keep(), &folder)
        .with_context(|| format!("name the finished build {}", folder.display()))?;
    Ok(folder)
}

fn cache_folder() -> anyhow::Result<PathBuf> {
    let named = |variable| {
        std::env::var_os(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let root = named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")));
    let root = root.context("find a cache folder for the testbed: set HOME or XDG_CACHE_HOME")?;
    Ok(root.join("pintle/testbed"))
}

/// Over every file of the module, the linker's flags and the platform.
fn hash(module: &Module, source: &Path) -> anyhow::Result<String> {
    let mut files = Vec::new();
    list_files(source, &mut files)
        .with_context(|| format!("list the testbed's Go module {}", source.display()))?;
    files.sort();
    let mut hasher = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for text in [
        std::env::consts::OS,
        std::env::consts::ARCH,
        module.link,
        module.packages,
    ] {
        add(text.as_bytes());
    }
    for file in files {
        let content = fs::read(&file).with_context(|| format!("read {}", file.display()))?;
        add(file
            .strip_prefix(source)
            .unwrap_or(&file)
            .as_os_str()
            .as_encoded_bytes());
        add(&content);
    }
    let digest = hasher.finalize();
    let mut name = String::new();
    for byte in digest.iter().take(8) {
        write!(name, "{byte:02x}")?;
    }
    Ok(name)
}

fn list_files(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list_files(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Held until dropped; the kernel lets go of it should we be killed.
fn lock(path: &Path, module: &Module) -> anyhow::Result<File> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.with_context(|| format!("open the lock file {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            build::say(&format!(
                "another process is building {}; waiting for it",
                module.name
            ));
            file.lock()
                .with_context(|| format!("wait for the lock {}", path.display()))?;
            Ok(file)
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("take the lock {}", path.display()))
        }
    }
}

/// Removes what a killed build left; only under the lock is it sure that nobody builds in there.
/// What cannot be removed (its `go` may still be ending) is left to the next build.
fn remove_abandoned(cache: &Path, prefix: &str) -> anyhow::Result<()> {
    let entries = fs::read_dir(cache).with_context(|| format!("list {}", cache.display()))?;
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}
