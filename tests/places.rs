//! `pintle template` beside the real helm where a chart or its values come from a server: standard
//! output, standard error, exit status and the requests that the server sees. Where helm or the
//! registry cannot be built (no Go), the tests say so and do nothing.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "testbed/mod.rs"]
mod testbed;

mod pair {
    //! The two programs, side by side.

    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};

    use crate::server::Server;
    use crate::testbed;

    /// Helm and what it is held against, with charts for both.
    pub(crate) struct Pair {
        helm: PathBuf,
        pub(crate) folder: tempfile::TempDir,
    }

    /// What one program said.
    #[derive(Debug, PartialEq, Eq)]
    struct Answer {
        status: Option<i32>,
        stdout: String,
        stderr: String,
        /// Path and `Authorization` of each request.
        requests: Vec<(String, String)>,
    }

    impl Pair {
        /// None where there is no helm.
        pub(crate) fn new() -> Option<Self> {
            match testbed::program("helm") {
                Ok(helm) => Some(Self {
                    helm,
                    folder: tempfile::tempdir().unwrap(),
                }),
                Err(error) => {
                    eprintln!("skipped: there is no helm to compare with: {error:#}");
                    None
                }
            }
        }

        pub(crate) fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// A chart as a folder, which shows what it is rendered with.
        pub(crate) fn chart(&self, version: &str) -> PathBuf {
            let folder = self.path(&format!("shop-{version}"));
            fs::create_dir_all(folder.join("templates")).unwrap();
            let chart = format!("apiVersion: v2\nname: shop\nversion: {version}\n");
            fs::write(folder.join("Chart.yaml"), chart).unwrap();
            let seen = "version: {{ .Chart.Version }}\nvalues: {{ toJson .Values }}\n";
            fs::write(folder.join("templates/seen.yaml"), seen).unwrap();
            folder
        }

        /// The chart's archive, as helm packs it.
        pub(crate) fn archive(&self, version: &str) -> Vec<u8> {
            let chart = self.chart(version);
            let out = self.folder.path().to_str().unwrap();
            self.helm(&["package", chart.to_str().unwrap(), "-d", out]);
            fs::read(self.path(&format!("shop-{version}.tgz"))).unwrap()
        }

        /// Runs helm, which must succeed.
        pub(crate) fn helm(&self, arguments: &[&str]) {
            let home = tempfile::tempdir().unwrap();
            let answer = Command::new(&self.helm)
                .args(arguments)
                .env_clear()
                .env("HOME", home.path())
                .output()
                .unwrap();
            let stderr = String::from_utf8_lossy(&answer.stderr);
            assert!(answer.status.success(), "helm {arguments:?}: {stderr}");
        }

        /// What differs between the two; `seed` prepares a home folder.
        pub(crate) fn difference(
            &self,
            line: &str,
            server: Option<&Server>,
            seed: &dyn Fn(&Path),
        ) -> Option<String> {
            let ours = Path::new(env!("CARGO_BIN_EXE_pintle"));
            let [helm, ours] =
                [&*self.helm, ours].map(|program| self.run(program, line, server, seed));
            (helm != ours).then(|| format!("{line}\n  helm {helm:#?}\n  here {ours:#?}"))
        }

        fn run(
            &self,
            program: &Path,
            line: &str,
            server: Option<&Server>,
            seed: &dyn Fn(&Path),
        ) -> Answer {
            let home = tempfile::tempdir().unwrap();
            seed(home.path());
            let answer = Command::new(program)
                .arg("template")
                .args(line.split_whitespace())
                .current_dir(self.folder.path())
                .env_clear()
                .env("HOME", home.path())
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let shown = |bytes: &[u8]| {
                let text = String::from_utf8_lossy(bytes);
                let text = text.replace(home.path().to_str().unwrap(), "{home}");
                text.lines().map(without_random).collect()
            };
            Answer {
                status: answer.status.code(),
                stdout: shown(&answer.stdout),
                stderr: shown(&answer.stderr),
                requests: server.map(Server::take_requests).unwrap_or_default(),
            }
        }
    }

    /// Helm keeps an index for a moment under a name of 28 random letters.
    fn without_random(line: &str) -> String {
        let mut line = line.to_owned();
        if let Some(end) = line.find("-index.yaml")
            && line[..end].ends_with('=')
        {
            line.replace_range(end - 28..end, "{random}");
        }
        line + "\n"
    }

    /// All differences of many lines.
    pub(crate) fn compare(pair: &Pair, lines: &str, server: Option<&Server>, seed: &dyn Fn(&Path)) {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty());
        let (mut count, mut differences) = (0, Vec::new());
        for line in lines {
            count += 1;
            differences.extend(pair.difference(line, server, seed));
        }
        assert!(
            differences.is_empty(),
            "{} of {count} differ\n{}",
            differences.len(),
            differences.join("\n")
        );
    }
}

#[path = "places/server.rs"]
mod server;

#[path = "places/registry.rs"]
mod registry;

use std::fs;
use std::path::Path;

use pair::{Pair, compare};
use registry::Registry;
use server::{Identities, Server};
use sha2::{Digest, Sha256};

fn hex(bytes: &[u8]) -> String {
    let digits = Sha256::digest(bytes);
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An index with a version each, and what may be wrong with entries.
fn index(archives: &[(&str, &[u8])], more: &str) -> String {
    let entry = |(version, archive): &(&str, &[u8])| {
        let digest = hex(archive);
        format!(
            "  - {{apiVersion: v2, name: shop, version: {version}, urls: [shop-{version}.tgz], \
             digest: {digest}}}\n"
        )
    };
    let entries: String = archives.iter().map(entry).collect();
    format!("apiVersion: v1\nentries:\n  shop:\n{entries}{more}")
}

/// Archives of three versions.
fn archives(pair: &Pair) -> Vec<(&'static str, Vec<u8>)> {
    ["0.3.0-rc.1+b1", "0.2.0", "0.1.0"]
        .map(|version| (version, pair.archive(version)))
        .to_vec()
}

fn nothing(_: &Path) {}

#[test]
fn a_repository_is_read_as_helm_reads_it() {
    let Some(pair) = Pair::new() else { return };
    let archives = archives(&pair);
    let named: Vec<(&str, &[u8])> = archives
        .iter()
        .map(|(version, archive)| (*version, &**archive))
        .collect();
    let elsewhere = Server::plain();
    let server = Server::plain();
    let good = index(&named, "");
    server.put("/index.yaml", good.as_bytes());
    for (version, archive) in &archives {
        server.put(&format!("/shop-{version}.tgz"), archive);
        elsewhere.put(&format!("/shop-{version}.tgz"), archive);
    }
    let at = elsewhere.url();
    let mixed = format!(
        "  - {{name: shop, version: 1.1.0, urls: [\"{at}/shop-0.1.0.tgz\"]}}
  - null
  - {{name: shop, version: nothing, urls: [x.tgz]}}
  - {{name: shop, version: 1.2.0, urls: []}}
  - {{name: shop, version: 1.3.0, urls: [nowhere.tgz]}}
  - {{name: shop, version: 1.4.0, urls: [/shop-0.1.0.tgz], digest: zz}}
  - {{name: shop, version: 1.5.0, urls: [/shop-0.1.0.tgz], digest: abc}}
  - {{name: shop, version: 1.6.0, urls: [/shop-0.1.0.tgz], digest: abcd}}
  - {{name: shop, version: 1.7.0, urls: [\"s3://bucket/shop.tgz\"]}}
  - {{name: shop, version: 1.8.0, urls: [../mixed/./away]}}
  - {{name: shop, version: 1.9.0, urls: [round]}}
"
    );
    server.put("/mixed/index.yaml", index(&[], &mixed).as_bytes());
    server.redirect("/mixed/away", &format!("{at}/shop-0.1.0.tgz"));
    let round = format!("{}/mixed/round", server.url());
    server.redirect("/mixed/round", &round);
    server.put("/empty/index.yaml", b"");
    server.put("/broken/index.yaml", b"entries: [\n");
    server.put("/unversioned/index.yaml", b"entries: {}\n");
    server.put("/unknown/index.yaml", b"apiVersion: v1\nunknown: 1\n");
    server.put("/twice/index.yaml", b"apiVersion: v1\napiVersion: v1\n");
    let json = "{\"apiVersion\": \"v1\", \"unknown\": 1, \"entries\": {\"shop\": [{\"name\": \
                \"shop\", \"version\": \"0.1.0\", \"urls\": [\"../shop-0.1.0.tgz\"]}]}}";
    server.put("/json/index.yaml", json.as_bytes());
    server.put("/query/index.yaml", good.as_bytes());
    server.put("/query/shop-0.2.0.tgz", &archives[1].1);
    server.close("/closed", "me", "secret");
    server.put("/closed/index.yaml", good.as_bytes());
    server.put("/closed/shop-0.2.0.tgz", &archives[1].1);
    let url = server.url();
    let lines = format!(
        "x shop --repo {url}
        x shop --repo {url}/ --debug
        shop --repo {url} -g
        x shop --repo {url} --devel
        x shop --repo {url} --devel --debug
        x shop --repo {url} --version 0.1.0
        x shop --repo {url} --version 0.1
        x shop --repo {url} --version v0.1.0
        x shop --repo {url} --version <0.2
        x shop --repo {url} --version ~0.1.0 --debug
        x shop --repo {url} --version 7
        x shop --repo {url} --version nonsense
        x other --repo {url}
        x shop --repo {url}/nowhere
        x shop --repo {url}/empty
        x shop --repo {url}/broken
        x shop --repo {url}/unversioned
        x shop --repo {url}/unknown
        x shop --repo {url}/twice
        x shop --repo {url}/json
        x shop --repo {url}/query?signature=1
        x shop --repo {url}/mixed --version 1.1.0 --username me --password secret
        x shop --repo {url}/mixed --version 1.1.0 --username me --password secret --pass-credentials
        x shop --repo {url}/mixed --version 1.2.0
        x shop --repo {url}/mixed --version 1.3.0
        x shop --repo {url}/mixed --version 1.4.0
        x shop --repo {url}/mixed --version 1.5.0
        x shop --repo {url}/mixed --version 1.6.0
        x shop --repo {url}/mixed --version 1.7.0
        x shop --repo {url}/mixed --version 1.8.0 --username me --password secret
        x shop --repo {url}/mixed --version 1.9.0
        x shop --repo {url}/closed
        x shop --repo {url}/closed --username me --password secret
        x shop --repo {url}/closed --username me --password wrong
        x shop --repo {url}/closed --username me
        x {url}/shop-0.1.0.tgz
        x {url}/shop-0.1.0.tgz --version 9 --debug
        x {url}/nowhere.tgz
        x {url}/index.yaml
        x {url}/closed/shop-0.2.0.tgz --username me --password secret
        x shop-0.1.0 -f {url}/json/index.yaml
        x shop-0.1.0 -f {url}/nowhere
        x shop-0.1.0 -f {url}/closed/index.yaml --username me --password secret
        x shop-0.1.0 --set-file a={url}/unversioned/index.yaml --debug"
    );
    compare(&pair, &lines, Some(&server), &nothing);
}

#[test]
fn a_named_repository_is_found_as_helm_finds_it() {
    let Some(pair) = Pair::new() else { return };
    let archives = archives(&pair);
    let named: Vec<(&str, &[u8])> = archives
        .iter()
        .map(|(version, archive)| (*version, &**archive))
        .collect();
    let server = Server::plain();
    server.close("/closed", "me", "secret");
    for (version, archive) in &archives {
        server.put(&format!("/shop-{version}.tgz"), archive);
        server.put(&format!("/closed/shop-{version}.tgz"), archive);
    }
    let url = server.url();
    let index = index(&named, "");
    let seed = |home: &Path| {
        let (config, cache) = (
            home.join(".config/helm"),
            home.join(".cache/helm/repository"),
        );
        fs::create_dir_all(&config).unwrap();
        fs::create_dir_all(&cache).unwrap();
        let repositories = format!(
            "repositories:
- {{name: open, url: \"{url}\"}}
- {{name: closed, url: \"{url}/closed\", username: me, password: secret}}
- {{name: wrong, url: \"{url}/closed/\", username: me, password: wrong}}
"
        );
        fs::write(config.join("repositories.yaml"), repositories).unwrap();
        for name in ["open", "closed", "wrong"] {
            fs::write(cache.join(format!("{name}-index.yaml")), &index).unwrap();
        }
    };
    let lines = format!(
        "x open/shop
        x open/shop --debug
        x open/shop --version 0.1.0
        x open/shop --version 0.1
        x open/shop --version ~0.1 --debug
        x open/shop --devel
        x open/shop --version 7
        x open/other
        x closed/shop
        x closed/shop --username you --password other
        x wrong/shop
        x wrong/shop --username me --password secret
        x {url}/shop-0.1.0.tgz
        x {url}/closed/shop-0.1.0.tgz"
    );
    compare(&pair, &lines, Some(&server), &seed);
}

#[test]
fn certificates_are_judged_as_helm_judges_them() {
    let Some(pair) = Pair::new() else { return };
    let identities = Identities::new();
    identities.write(pair.folder.path());
    let (open, strict) = (
        Server::tls(&identities, false),
        Server::tls(&identities, true),
    );
    let archive = pair.archive("0.1.0");
    let index = index(&[("0.1.0", &archive)], "");
    for server in [&open, &strict] {
        server.put("/index.yaml", index.as_bytes());
        server.put("/shop-0.1.0.tgz", &archive);
    }
    for server in [&open, &strict] {
        let url = server.url();
        let lines = format!(
            "x shop --repo {url}
            x shop --repo {url} --ca-file ca.pem
            x shop --repo {url} --ca-file other.pem
            x shop --repo {url} --insecure-skip-tls-verify
            x shop --repo {url} --ca-file ca.pem --cert-file client.pem --key-file client.key
            x shop --repo {url} --insecure-skip-tls-verify --cert-file client.pem --key-file client.key
            x {url}/shop-0.1.0.tgz --ca-file ca.pem --cert-file client.pem --key-file client.key
            x {url}/shop-0.1.0.tgz --insecure-skip-tls-verify --cert-file client.pem --key-file client.key"
        );
        // A server that wants a certificate refuses in words that depend on who hangs up first.
        let lines: Vec<&str> = lines
            .lines()
            .filter(|line| std::ptr::eq(server, &open) || line.contains("--cert-file"))
            .collect();
        compare(&pair, &lines.join("\n"), Some(server), &nothing);
    }
    let url = open.url();
    let lines = format!(
        "x {url}/shop-0.1.0.tgz
        x shop-0.1.0 -f {url}/index.yaml --ca-file ca.pem
        x {url}/shop-0.1.0.tgz --cert-file client.key --key-file client.pem
        x {url}/shop-0.1.0.tgz --cert-file ca.pem --key-file ca.pem"
    );
    compare(&pair, &lines, Some(&open), &nothing);
    let plain = Server::plain();
    let https = plain.url().replace("http://", "https://");
    let lines = format!("x {https}/shop.tgz\nx {https}/shop.tgz --insecure-skip-tls-verify");
    compare(&pair, &lines, None, &nothing);
}

#[test]
fn a_registry_is_asked_as_helm_asks_it() {
    let Some(pair) = Pair::new() else { return };
    let folder = tempfile::tempdir().unwrap();
    let Some(registry) = Registry::start(folder.path(), None) else {
        return;
    };
    let address = &registry.address;
    for (version, _) in archives(&pair) {
        let archive = pair.path(&format!("shop-{version}.tgz"));
        let place = format!("oci://{address}/charts");
        pair.helm(&["push", archive.to_str().unwrap(), &place, "--plain-http"]);
    }
    let digest = digest_of(address, "0.1.0");
    let none = "0".repeat(64);
    let shop = format!("oci://{address}/charts/shop");
    let lines = format!(
        "x {shop} --plain-http
        x {shop} --plain-http --version 0.1.0
        x {shop} --plain-http --version v0.1.0
        x {shop} --plain-http --version 0.1
        x {shop} --plain-http --version ^0.1
        x {shop} --plain-http --version >0.3
        x {shop} --plain-http --version >0.3-0
        x {shop} --plain-http --devel
        x {shop} --plain-http --version 9.9.9
        x {shop} --plain-http --version nonsense
        x {shop} --plain-http --version 0.3.0-rc.1+b1
        x {shop}:0.1.0 --plain-http
        x {shop}:0.3.0-rc.1_b1 --plain-http
        x {shop}:0.3.0-rc.1+b1 --plain-http
        {shop} --plain-http -g
        x {shop}
        x {shop} --version 0.1.0
        x {shop} --version 0.1.0 --plain-http --insecure-skip-tls-verify
        x {shop}-not --plain-http
        x {shop}-not --plain-http --version 1.0.0
        x {shop}@{digest} --plain-http
        x {shop}:0.1.0@{digest} --plain-http
        x {shop}:0.2.0@{digest} --plain-http
        x {shop}@{digest} --plain-http --version 0.1.0
        x {shop}@{digest} --plain-http --version 0.2.0
        x {shop}@{digest} --plain-http --version 7.0.0
        x {shop}@sha256:{none} --plain-http
        x {shop}@ --plain-http
        x {shop}: --plain-http
        x {shop}/ --plain-http
        x oci://{address}/charts//shop --plain-http
        x shop-0.1.0 -f {shop}:0.1.0"
    );
    compare(&pair, &lines, None, &nothing);

    let Some(closed) = Registry::start(folder.path(), Some(("me", "secret"))) else {
        return;
    };
    let address = &closed.address;
    let shop = format!("oci://{address}/charts/shop --plain-http");
    let lines = format!(
        "x {shop}
        x {shop} --version 0.1.0
        x {shop} --version 0.1.0 --username me
        x {shop} --version 0.1.0 --username me --password secret
        x {shop} --version 0.1.0 --username me --password wrong
        x {shop} --username me --password secret
        x {shop} --username me --password wrong"
    );
    compare(&pair, &lines, None, &nothing);
    // me:secret, in Helm's file and in Docker's
    let logins = format!("{{\"auths\": {{\"{address}\": {{\"auth\": \"bWU6c2VjcmV0\"}}}}}}");
    for file in [".config/helm/registry/config.json", ".docker/config.json"] {
        let seed = |home: &Path| {
            let file = home.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, &logins).unwrap();
        };
        let lines = format!(
            "x {shop}
            x {shop} --version 0.1.0
            x {shop} --version 0.1.0 --username me --password wrong"
        );
        compare(&pair, &lines, None, &seed);
    }
}

/// The digest of the manifest that a tag names.
fn digest_of(address: &str, tag: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "GET /v2/charts/shop/manifests/{tag} HTTP/1.0\r\nHost: {address}\r\nAccept: \
         application/vnd.oci.image.manifest.v1+json\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    format!("sha256:{}", hex(body.as_bytes()))
}
