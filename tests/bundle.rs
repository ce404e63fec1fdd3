//! `pintle bundle` beside what fills registries and reads from them: the real helm, a real registry,
//! and the library of oras. Where those cannot be built (no Go), the tests say so and do nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "places/registry.rs"]
mod registry;
#[path = "places/server.rs"]
#[allow(dead_code, reason = "tests/places.rs uses all of it")]
mod server;
#[path = "testbed/mod.rs"]
mod testbed;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use registry::Registry;
use serde_json::Value;
use server::Server;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// What is told of a chart is told of it in a registry, in Go's JSON.
const CHART: &str = "apiVersion: v2
name: {name}
version: {version}
description: Sells <things> & \"more\", für alle\u{2028}
home: https://example.com/shop
sources: [https://example.com/code, https://example.com/other]
keywords: [a, b]
icon: https://example.com/icon.png
appVersion: '1.16'
kubeVersion: '>=1.20.0-0'
type: application
maintainers:
- {name: Somebody, email: somebody@example.com}
- {name: Else, url: https://example.com/else}
annotations: {category: trade, org.opencontainers.image.title: not this, 'org.opencontainers.image.source': 'https://example.com/own'}
";

const TEMPLATES: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers: [{name: a, image: 'busybox:1.36'}]
      containers: [{name: b, image: '{{ .Values.image }}'}]
---
apiVersion: v1
kind: Pod
metadata: {name: try, annotations: {helm.sh/hook: test}}
spec: {containers: [{name: a, image: 'curl:{{ .Values.curl | default \"8\" }}'}]}
";

/// Nobody has signed it; a registry does not ask.
const PROVENANCE: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----\nwords\n";

struct Ground {
    folder: TempDir,
}

impl Ground {
    fn new() -> Option<Self> {
        for program in ["helm", "registry", "fill"] {
            if let Err(error) = testbed::program(program) {
                eprintln!("skipped: {program} cannot be had: {error:#}");
                return None;
            }
        }
        Some(Self {
            folder: tempfile::tempdir().unwrap(),
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs one of the testbed's programs; what it says on both outputs.
    fn run(&self, program: &str, arguments: &[&str]) -> String {
        let answer = Command::new(testbed::program(program).unwrap())
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TZ", "UTC")
            .output()
            .unwrap();
        let said = [answer.stdout, answer.stderr].map(|said| String::from_utf8(said).unwrap());
        let said = said.concat();
        assert!(answer.status.success(), "{program} {arguments:?}: {said}");
        said
    }

    fn archive(&self, name: &str, version: &str) -> PathBuf {
        let folder = self.path(&format!("source-{name}"));
        fs::create_dir_all(folder.join("templates")).unwrap();
        let chart = CHART.replace("{name}", name).replace("{version}", version);
        fs::write(folder.join("Chart.yaml"), chart).unwrap();
        fs::write(folder.join("templates/all.yaml"), TEMPLATES).unwrap();
        fs::write(folder.join("values.yaml"), "image: nginx:1.27\n").unwrap();
        let out = self.folder.path().to_str().unwrap();
        self.run("helm", &["package", folder.to_str().unwrap(), "-d", out]);
        self.path(&format!("{name}-{version}.tgz"))
    }

    /// Runs `pintle bundle`; what it says on standard output and on standard error.
    fn bundle(&self, line: &str) -> Result<(String, String), String> {
        self.bundle_where(line, &[])
    }

    /// The same with more in its environment.
    fn bundle_where(&self, line: &str, more: &[(&str, &str)]) -> Result<(String, String), String> {
        let answer = Command::new(env!("CARGO_BIN_EXE_pintle"))
            .arg("bundle")
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .envs(more.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let [stdout, stderr] =
            [answer.stdout, answer.stderr].map(|said| String::from_utf8(said).unwrap());
        match answer.status.success() {
            true => Ok((stdout, stderr)),
            false => Err(stderr),
        }
    }
}

/// All files below a folder.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = PathBuf::from(path.file_name().unwrap());
        if path.is_dir() {
            let inner = tree(&path).into_iter();
            found.extend(inner.map(|(path, bytes)| (name.join(path), bytes)));
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

fn digest(bytes: &[u8]) -> String {
    let digits = Sha256::digest(bytes);
    let digits = digits.iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}

/// The digests of a layout's documents by their names, after a look at each blob and what it names.
fn named(layout: &Path) -> BTreeMap<String, String> {
    let blob = |digest: &str| {
        let path = layout.join(format!("blobs/{}", digest.replacen(':', "/", 1)));
        fs::read(path).unwrap()
    };
    for entry in fs::read_dir(layout.join("blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(digest(&fs::read(path).unwrap()), format!("sha256:{name}"));
    }
    let index: Value =
        serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let mut found = BTreeMap::new();
    for document in index["manifests"].as_array().unwrap() {
        let digest = document["digest"].as_str().unwrap();
        let manifest: Value = serde_json::from_slice(&blob(digest)).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        for content in layers.chain([&manifest["config"]]) {
            let bytes = blob(content["digest"].as_str().unwrap());
            assert_eq!(content["size"], bytes.len());
        }
        if let Some(name) = document["annotations"]["org.opencontainers.image.ref.name"].as_str() {
            found.insert(name.to_owned(), digest.to_owned());
        }
    }
    found
}

#[test]
fn a_registry_is_filled_from_a_bundle_and_read_as_the_places_before() {
    let Some(ground) = Ground::new() else { return };
    let (shop, cart) = (
        ground.archive("shop", "1.2.3"),
        ground.archive("cart", "0.1.0+b1"),
    );
    fs::create_dir_all(ground.path("a")).unwrap();
    fs::create_dir_all(ground.path("b")).unwrap();
    let origin = Registry::start(&ground.path("a"), None).unwrap();
    let pushed = ground.run(
        "helm",
        &[
            "push",
            cart.to_str().unwrap(),
            &format!("oci://{}/team", origin.address),
            "--plain-http",
        ],
    );
    let server = Server::plain();
    server.close("/", "me", "secret");
    let shop_bytes = fs::read(&shop).unwrap();
    server.put("/charts/shop-1.2.3.tgz", &shop_bytes);
    server.put("/charts/shop-1.2.3.tgz.prov", PROVENANCE);
    let index = format!(
        "apiVersion: v1\nentries:\n  shop:\n  - {{name: shop, version: 1.2.3, urls: [shop-1.2.3.tgz], digest: {}}}\n",
        digest(&shop_bytes)
    );
    server.put("/charts/index.yaml", index.as_bytes());
    let (web, oci) = (server.url(), &origin.address);
    let release = |name: &str, spec: &str| {
        format!(
            "---\napiVersion: helm.pintle.dev/v1\nkind: HelmRelease\nmetadata: {{name: {name}, namespace: apps}}\nspec: {spec}\n"
        )
    };
    let login = "insecure: true, auth: {secretRef: {name: login}}";
    let more = [
        release("one", &format!("{{repo: '{web}/charts', name: shop, version: 1.2.3, {login}}}")),
        release(
            "two",
            &format!("{{repo: '{web}/charts/', name: shop, version: 1.2.3, {login}, values: {{image: 'nginx:1.28'}}, valuesFrom: [{{kind: ConfigMap, name: all}}]}}"),
        ),
        release("three", &format!("{{repo: 'oci://{oci}/team', name: cart, version: 0.1.0+b1, insecure: true}}")),
        "---\n# nothing\n---\nkind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: all, namespace: apps}, data: {values.yaml: 'curl: 9'}}\n".to_owned(),
    ];
    fs::create_dir_all(ground.path("in/deep")).unwrap();
    fs::write(ground.path("in/deep/releases.yaml"), more.concat()).unwrap();
    fs::write(ground.path("in/readme.txt"), "no manifest").unwrap();
    let others = "apiVersion: v1\nkind: Secret\nmetadata: {name: login, namespace: apps}\nstringData: {username: me, password: secret}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: apps}\n";
    fs::write(ground.path("in/others.yml"), others).unwrap();
    let target = Registry::start(&ground.path("b"), None).unwrap();
    let flags = format!(
        "-f in --to oci://{}/charts --to-insecure --allow-insecure-sources",
        target.address
    );
    let (stdout, stderr) = ground.bundle(&format!("{flags} -o out")).unwrap();
    assert!(
        stderr.contains("passed over: Namespace default/apps (in/others.yml:5)"),
        "{stderr}"
    );
    let documents = named(&ground.path("out"));
    let [shop_place, cart_place] = [
        format!(
            "{}/charts/shop:1.2.3",
            web.trim_start_matches("http://").replace(':', "-")
        ),
        format!("{}/team/cart:0.1.0_b1", oci.replace(':', "-")),
    ];
    assert_eq!(
        documents.keys().collect::<Vec<_>>().len(),
        2,
        "{documents:?}"
    );
    let said: String = documents
        .iter()
        .map(|(name, digest)| format!("{name} {digest}\n"))
        .collect();
    assert_eq!(stdout, said);
    // What a registry had is what it was.
    assert!(
        pushed.contains(&documents[&cart_place]),
        "{pushed} {documents:?}"
    );
    let images = fs::read_to_string(ground.path("out/images.txt")).unwrap();
    assert_eq!(
        images,
        "busybox:1.36\ncurl:8\ncurl:9\nnginx:1.27\nnginx:1.28\n"
    );

    // Equal inputs, equal bytes; a tar file holds the same.
    ground.bundle(&format!("{flags} -o out.tar")).unwrap();
    let mut archive = tar::Archive::new(File::open(ground.path("out.tar")).unwrap());
    archive.unpack(ground.path("unpacked")).unwrap();
    assert_eq!(tree(&ground.path("out")), tree(&ground.path("unpacked")));

    // What was no registry's is what `helm push` makes of it, at the time that is written there.
    let blob = ground
        .path("out/blobs")
        .join(documents[&shop_place].replacen(':', "/", 1));
    let manifest: Value = serde_json::from_slice(&fs::read(blob).unwrap()).unwrap();
    let created = manifest["annotations"]["org.opencontainers.image.created"]
        .as_str()
        .unwrap();
    let created: jiff::Timestamp = created.parse().unwrap();
    File::open(&shop)
        .unwrap()
        .set_modified(created.into())
        .unwrap();
    fs::write(ground.path("shop-1.2.3.tgz.prov"), PROVENANCE).unwrap();
    let pushed = ground.run(
        "helm",
        &[
            "push",
            shop.to_str().unwrap(),
            &format!("oci://{oci}/x"),
            "--plain-http",
        ],
    );
    assert!(
        pushed.contains(&documents[&shop_place]),
        "{pushed} {manifest:#}"
    );

    // From the tar file and from the folder, one after the other: the same again changes nothing.
    for layout in ["out.tar", "out"] {
        let layout = ground.path(layout);
        let place = format!("{}/charts", target.address);
        let filled = ground.run("fill", &[layout.to_str().unwrap(), &place]);
        assert_eq!(filled, said);
    }
    let place = shop_place.rsplit_once(':').unwrap().0;
    let place = format!("oci://{}/charts/{place}", target.address);
    fs::create_dir_all(ground.path("pulled")).unwrap();
    let pulled = ground.path("pulled").display().to_string();
    ground.run(
        "helm",
        &[
            "pull",
            &place,
            "--version",
            "1.2.3",
            "--plain-http",
            "--prov",
            "-d",
            &pulled,
        ],
    );
    let pulled = tree(&ground.path("pulled"));
    assert_eq!(pulled[Path::new("shop-1.2.3.tgz")], shop_bytes);
    assert_eq!(pulled[Path::new("shop-1.2.3.tgz.prov")], PROVENANCE);

    // With the table of mirrors all comes from there, and is the same to the last byte.
    drop(origin);
    server.take_requests();
    ground
        .bundle(&format!("{flags} -o again --mirrors out/mirrors.yaml"))
        .unwrap();
    assert_eq!(server.take_requests(), []);
    assert_eq!(tree(&ground.path("out")), tree(&ground.path("again")));
}

#[test]
fn what_cannot_be_bundled_is_named_with_its_file_and_line() {
    let ground = Ground {
        folder: tempfile::tempdir().unwrap(),
    };
    let spec = "{repo: 'oci://127.0.0.1:1/x', name: shop, version: 1.0.0}";
    let head = "apiVersion: helm.pintle.dev/v1\nkind: HelmRelease\n";
    let whole = format!("{head}metadata: {{name: one}}\nspec: {spec}\n");
    let with = |spec: &str| format!("# a note\n---\n{head}metadata: {{name: one}}\nspec: {spec}\n");
    for (manifests, expected) in [
        (
            "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n".to_owned(),
            "there is no HelmRelease in f.yaml",
        ),
        (
            "a: 1\n---\nb: [\n".to_owned(),
            "f.yaml:1: an object has no kind",
        ),
        (
            format!("{whole}---\nb: [\n"),
            "f.yaml:6: error converting YAML to JSON: yaml: did not find",
        ),
        (
            format!("{whole}---\na: 1\na: 2\n"),
            "f.yaml:7: error converting YAML to JSON",
        ),
        (
            format!("{head}spec: {spec}\n"),
            "f.yaml:1: HelmRelease has no metadata.name",
        ),
        (
            format!("{whole}---\n{whole}"),
            "HelmRelease default/one (f.yaml:5): it stands at f.yaml:1, too",
        ),
        (
            with("{}"),
            "HelmRelease default/one (f.yaml:2): missing field `repo`",
        ),
        (
            with("{repo: 'oci://a', name: a, version: 1.0.0, drift: {modes: x}}"),
            "(f.yaml:2): spec.drift.modes: there is no such field",
        ),
        (
            with("{repo: 'oci://a', name: a, version: latest}"),
            "(f.yaml:2): \"latest\" is no exact version",
        ),
        (
            with("{repo: 'oci://a', name: A, version: 1.0.0}"),
            "(f.yaml:2): \"a/A\" cannot be the name of a repository",
        ),
        (
            with("{repo: 'ftp://a', name: a, version: 1.0.0}"),
            "(f.yaml:2): reading repository \"ftp://a\"",
        ),
        (
            with("{repo: 'oci://a', name: a, version: 1.0.0, digest: x}"),
            "(f.yaml:2): reading digest \"x\"",
        ),
        (
            with("{repo: 'http://a', name: a, version: 1.0.0}"),
            "(f.yaml:2): fetching chart",
        ),
        (with(spec), "(f.yaml:2): fetching chart"),
        (
            whole.replace("dev/v1", "dev/v2"),
            "(f.yaml:1): helm.pintle.dev/v2 is not known here",
        ),
        ("\u{0}".to_owned(), "f.yaml:1: "),
    ] {
        fs::write(ground.path("f.yaml"), &manifests).unwrap();
        let said = ground.bundle("-f f.yaml -o out").unwrap_err();
        assert!(said.contains(expected), "{manifests}\n{said}");
        let left: Vec<_> = tree(ground.folder.path()).into_keys().collect();
        assert_eq!(left, [Path::new("f.yaml")], "{manifests}");
    }
    for (line, expected) in [
        ("-f nowhere -o out", "read nowhere"),
        ("-f f.yaml -o f.yaml", "f.yaml is there already"),
        ("-f f.yaml -o out --to https://a", "no registry"),
        (
            "-f f.yaml -o out --logins f.yaml",
            "f.yaml: reading the login",
        ),
    ] {
        fs::write(ground.path("f.yaml"), &whole).unwrap();
        let said = ground.bundle(line).unwrap_err();
        assert!(said.contains(expected), "{line}: {said}");
    }
}

#[test]
fn the_environments_proxies_are_taken_and_its_exceptions_made() {
    let Some(ground) = Ground::new() else { return };
    let shop = fs::read(ground.archive("shop", "1.2.3")).unwrap();
    let index = "apiVersion: v1\nentries: {shop: [{version: 1.2.3, urls: [shop.tgz]}]}\n";
    // A proxy is asked for whole URLs, and a server for paths.
    let (proxy, direct) = (Server::plain(), Server::plain());
    let at = direct.url();
    for (server, repo) in [
        (&proxy, "http://charts.invalid"),
        (&proxy, at),
        (&direct, ""),
    ] {
        server.put(&format!("{repo}/index.yaml"), index.as_bytes());
        server.put(&format!("{repo}/shop.tgz"), &shop);
    }
    let try_with = |repo: &str, environment: &[(&str, &str)]| {
        let manifest = format!(
            "apiVersion: helm.pintle.dev/v1\nkind: HelmRelease\nmetadata: {{name: one}}\nspec: {{repo: '{repo}', name: shop, version: 1.2.3, insecure: true}}\n"
        );
        fs::write(ground.path("f.yaml"), manifest).unwrap();
        let line = "-f f.yaml -o out --allow-insecure-sources --skip-images";
        let bundled = ground.bundle_where(line, environment).is_ok();
        if bundled {
            fs::remove_dir_all(ground.path("out")).unwrap();
        }
        let asked = [&proxy, &direct].map(Server::take_requests);
        let asked = asked.map(|requests| requests.into_iter().next().map(|(target, _)| target));
        (bundled, asked)
    };
    let first = |target: &str| Some(target.to_owned());
    let url = proxy.url();
    let named = first("http://charts.invalid/index.yaml");
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let tried = try_with("http://charts.invalid", &[(name, url)]);
        assert_eq!(tried, (true, [named.clone(), None]), "{name}");
    }
    let tried = try_with("https://charts.invalid", &[("HTTPS_PROXY", url)]);
    assert_eq!(tried, (false, [first("charts.invalid:443"), None]));
    let through = [first(&format!("{at}/index.yaml")), None];
    let straight = [None, first("/index.yaml")];
    for (environment, asked) in [
        (&[("HTTP_PROXY", url)][..], &through),
        (
            &[("HTTP_PROXY", url), ("NO_PROXY", "charts.invalid")],
            &through,
        ),
        (
            &[
                ("HTTP_PROXY", url),
                ("NO_PROXY", "charts.invalid,127.0.0.1"),
            ],
            &straight,
        ),
        (
            &[("HTTP_PROXY", url), ("no_proxy", "127.0.0.0/8")],
            &straight,
        ),
        (&[("HTTP_PROXY", url), ("NO_PROXY", "*")], &straight),
        (&[("HTTPS_PROXY", url)], &straight),
        (&[], &straight),
    ] {
        assert_eq!(
            try_with(at, environment),
            (true, asked.clone()),
            "{environment:?}"
        );
    }
}
