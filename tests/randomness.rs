//! What templates make by chance follows from the release's seed, and from nothing else.
//!
//! `tests/oracle/randomness` wrote the values of `randomness/cases.json`. `randomness/kept.json`
//! holds the sums of what is too costly to draw in another language: releases live on it, so
//! `PINTLE_REWRITE=1` only adds what is missing, and nothing that stands there may change.
//! `PINTLE_RANDOMNESS_CORPUS=1` takes all charts of the corpus, which needs minutes.

#![allow(clippy::unwrap_used)]

#[path = "bench/corpus.rs"]
mod corpus;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use pintle::chart::{Chart, File, values};
use pintle::release::Seed;
use pintle::render::{self, Environment, Inputs, NoCluster, Options, ReleaseFacts};
use pintle::source::directory;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde::Deserialize;
use serde_json::Map;
use sha2::{Digest as _, Sha256};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn birth() -> Timestamp {
    "2026-03-04T05:06:07Z".parse().unwrap()
}

fn seed(number: u8) -> Seed {
    Seed::new([number; 32], birth())
}

fn chart(templates: &[(&str, &str)]) -> Chart {
    let file = |name: &str, data: &str| File {
        name: name.to_owned(),
        data: data.as_bytes().into(),
        modified: None,
    };
    let mut files = vec![file(
        "Chart.yaml",
        "apiVersion: v2\nname: c\nversion: 1.0.0\n",
    )];
    files.extend(templates.iter().map(|(name, text)| file(name, text)));
    if templates
        .iter()
        .any(|(name, _)| name.starts_with("charts/"))
    {
        files.push(file(
            "charts/d/Chart.yaml",
            "apiVersion: v2\nname: d\nversion: 1.0.0\n",
        ));
    }
    Chart::from_files(files).unwrap()
}

/// A seed under which this and any other render draw, whatever the world's own randomness is.
fn environment(seed: Seed, now: Timestamp, chance: u8) -> Environment {
    Environment {
        now,
        seed: Some(seed),
        random: Box::new(move |buffer| buffer.fill(chance)),
        ..Environment::default()
    }
}

fn render(templates: &[(&str, &str)], seed: Seed, now: Timestamp) -> String {
    let inputs = Inputs {
        environment: environment(seed, now, 3),
        ..Inputs::default()
    };
    let rendered = render::render(chart(templates), inputs, &NoCluster);
    rendered.unwrap().manifest
}

/// The value of a line `name: value`, which is written in base64.
fn value(manifest: &str, name: &str) -> String {
    let line = manifest
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let line = line.unwrap_or_else(|| panic!("no {name} in {manifest}"));
    String::from_utf8(STANDARD.decode(line).unwrap()).unwrap()
}

#[test]
fn a_call_draws_what_the_description_of_it_says() {
    #[derive(Deserialize)]
    struct Cases {
        seed: String,
        files: Vec<Drawing>,
    }
    #[derive(Deserialize)]
    struct Drawing {
        path: String,
        calls: Vec<Call>,
    }
    #[derive(Deserialize)]
    struct Call {
        function: String,
        arguments: Vec<serde_json::Value>,
        value: String,
    }
    let text = std::fs::read("tests/randomness/cases.json").unwrap();
    let cases: Cases = serde_json::from_slice(&text).unwrap();
    let secret: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&cases.seed[2 * at..2 * at + 2], 16).unwrap())
        .collect();
    let seed = Seed::new(secret.try_into().unwrap(), birth());
    let name = |file: &Drawing, at: usize| format!("{}{at}", file.path.replace('/', "_"));
    let templates: Vec<(String, String)> = cases
        .files
        .iter()
        .map(|file| {
            let lines = file.calls.iter().enumerate().map(|(at, call)| {
                let arguments: Vec<String> =
                    call.arguments.iter().map(ToString::to_string).collect();
                let arguments = arguments.join(" ");
                let name = name(file, at);
                format!(
                    "{name}: {{{{ {} {arguments} | toString | b64enc }}}}\n",
                    call.function
                )
            });
            let path = file.path.strip_prefix("c/").unwrap().to_owned();
            (path, lines.collect())
        })
        .collect();
    let templates: Vec<(&str, &str)> = templates
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    let manifest = render(&templates, seed, birth());
    for file in &cases.files {
        for (at, call) in file.calls.iter().enumerate() {
            let drawn = value(&manifest, &name(file, at));
            assert_eq!(drawn, call.value, "{} {}", file.path, call.function);
        }
    }
}

/// Every function that draws, once or more.
const EVERYTHING: &str = r#"
alphanum: {{ randAlphaNum 20 | b64enc }}
alpha: {{ randAlpha 20 | b64enc }}
numeric: {{ randNumeric 20 | b64enc }}
ascii: {{ randAscii 20 | b64enc }}
int: {{ randInt 0 1000000000 | toString | b64enc }}
bytes: {{ randBytes 20 | b64enc }}
uuid: {{ uuidv4 | b64enc }}
shuffled: {{ shuffle "the quick brown fox jumps over the lazy dog" | b64enc }}
bcrypt: {{ bcrypt "password" | b64enc }}
htpasswd: {{ htpasswd "user" "password" | b64enc }}
encrypted: {{ encryptAES "password" "text" | b64enc }}
rsa: {{ genPrivateKey "rsa" | b64enc }}
dsa: {{ genPrivateKey "dsa" | b64enc }}
ecdsa: {{ genPrivateKey "ecdsa" | b64enc }}
ed25519: {{ genPrivateKey "ed25519" | b64enc }}
{{- $ca := genCA "ca" 3650 }}
authority: {{ $ca.Cert | b64enc }}
authority-key: {{ $ca.Key | b64enc }}
{{- $signed := genSignedCert "shop" (list "10.0.0.1") (list "shop.example") 365 $ca }}
signed: {{ $signed.Cert | b64enc }}
signed-key: {{ $signed.Key | b64enc }}
{{- $own := genSelfSignedCert "own" nil (list "own.example") 30 }}
own: {{ $own.Cert | b64enc }}
own-key: {{ $own.Key | b64enc }}
{{- $key := genPrivateKey "ecdsa" }}
{{- $with := genCAWithKey "with" 10 $key }}
authority-with-key: {{ $with.Cert | b64enc }}
self-signed-with-key: {{ (genSelfSignedCertWithKey "own" nil nil 30 $key).Cert | b64enc }}
signed-with-key: {{ (genSignedCertWithKey "own" nil nil 30 $ca $key).Cert | b64enc }}
"#;

fn values_of(manifest: &str) -> BTreeMap<String, String> {
    let pairs = manifest.lines().filter_map(|line| line.split_once(": "));
    pairs
        .filter(|(name, _)| *name != "# Source")
        .map(|(name, _)| (name.to_owned(), value(manifest, name)))
        .collect()
}

#[test]
fn one_seed_gives_the_same_always_and_two_never() {
    let template = [("templates/a.yaml", EVERYTHING)];
    let first = values_of(&render(&template, seed(1), birth()));
    assert_eq!(first.len(), EVERYTHING.matches(": {{").count());
    // Passwords and keys do not know what time it is, and no certificate is two thirds old.
    let later = values_of(&render(&template, seed(1), birth() + DAY * 6));
    assert_eq!(first, later);
    let other = values_of(&render(&template, seed(2), birth()));
    for (name, value) in &first {
        assert_ne!(other[name], *value, "{name}");
    }
    // Each is another one, too.
    let distinct: std::collections::BTreeSet<&String> = first.values().collect();
    assert_eq!(distinct.len(), first.len());
    // A seed that was stored and read is the same one.
    let stored = Seed::read(&seed(1).write()).unwrap();
    assert_eq!(values_of(&render(&template, stored, birth())), first);
}

#[test]
fn what_was_made_once_is_made_for_ever() {
    let path = Path::new("tests/randomness/kept.json");
    let text = std::fs::read(path).unwrap_or_else(|_| b"{}".to_vec());
    let mut kept: BTreeMap<String, String> = serde_json::from_slice(&text).unwrap();
    let made = values_of(&render(
        &[("templates/a.yaml", EVERYTHING)],
        seed(1),
        birth(),
    ));
    let rewrite = std::env::var_os("PINTLE_REWRITE").is_some();
    for (name, value) in made {
        let sum: String = Sha256::digest(value.as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match kept.get(&name) {
            Some(before) => assert_eq!(*before, sum, "{name}"),
            None if rewrite => {
                kept.insert(name, sum);
            }
            None => panic!("{name} is not in {}: PINTLE_REWRITE=1", path.display()),
        }
    }
    if rewrite {
        let text = serde_json::to_string_pretty(&kept).unwrap();
        std::fs::write(path, text + "\n").unwrap();
    }
}

#[test]
fn what_is_new_in_a_chart_leaves_the_rest_alone() {
    let template = "password: {{ randAlphaNum 16 | b64enc }}\nother: {{ randAlphaNum 20 | b64enc }}\n\
        key: {{ (genSelfSignedCert \"a\" nil nil 9).Key | b64enc }}\n";
    let before = render(&[("templates/m.yaml", template)], seed(1), birth());
    let inserted = format!(
        "new: {{{{ randAlphaNum 12 | b64enc }}}}\nuuid: {{{{ uuidv4 | b64enc }}}}\n\
         cert: {{{{ (genSelfSignedCert \"b\" nil nil 9).Key | b64enc }}}}\n{template}\
         last: {{{{ randAlphaNum 16 | b64enc }}}}\n"
    );
    let after = render(
        &[
            ("templates/a.yaml", template),
            ("templates/m.yaml", &inserted),
            ("templates/z.yaml", "z: {{ randAlphaNum 16 | b64enc }}\n"),
            ("charts/d/templates/m.yaml", template),
        ],
        seed(1),
        birth(),
    );
    let (_, after) = after
        .split_once("# Source: c/templates/m.yaml\n")
        .unwrap_or_else(|| panic!("{after}"));
    for name in ["password", "other", "key"] {
        assert_eq!(value(&before, name), value(after, name), "{name}");
    }
    assert_ne!(value(after, "last"), value(after, "password"));
}

#[test]
fn includes_and_texts_draw_for_the_file_that_they_are_printed_in() {
    let helper = "{{ define \"password\" }}{{ randAlphaNum 8 }}{{ end }}";
    let template = "a: {{ include \"password\" . | b64enc }}\n\
        b: {{ tpl \"{{ randAlphaNum 8 }}\" . | b64enc }}\n";
    let files = [
        ("templates/_helpers.tpl", helper),
        ("templates/a.yaml", template),
    ];
    let manifest = render(&files, seed(1), birth());
    let plain = "a: {{ randAlphaNum 8 | b64enc }}\nb: {{ randAlphaNum 8 | b64enc }}\n";
    let directly = render(&[("templates/a.yaml", plain)], seed(1), birth());
    assert_eq!(values_of(&manifest), values_of(&directly));
}

#[test]
fn lists_that_hold_themselves_are_no_trap() {
    let template = "{{- $d := dict \"k\" 1 -}}{{- $l := list $d \"a\" -}}{{- $_ := set $d \"k\" $l -}}\n\
        a: {{ (genSelfSignedCert \"a\" nil $l 9).Key }}\n";
    let inputs = Inputs {
        environment: environment(seed(1), birth(), 3),
        ..Inputs::default()
    };
    let failure = render::render(chart(&[("templates/a.yaml", template)]), inputs, &NoCluster);
    let failure = failure.unwrap_err().to_string();
    assert!(failure.contains("is not a string"), "{failure}");
}

/// From when to when a certificate is valid: the two times of a year of two digits in it.
fn term(pem: &str) -> (Timestamp, Timestamp) {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
    let mut times = der.windows(15).filter_map(|window| {
        let digits = window.strip_prefix(&[0x17, 13])?;
        let digits = std::str::from_utf8(digits).ok()?.strip_suffix('Z')?;
        let part = |at: usize| digits.get(at..at + 2);
        let time = format!(
            "20{}-{}-{}T{}:{}:{}Z",
            part(0)?,
            part(2)?,
            part(4)?,
            part(6)?,
            part(8)?,
            part(10)?
        );
        time.parse().ok()
    });
    (times.next().unwrap(), times.next().unwrap())
}

/// Whether a server with this certificate is trusted at a time by who trusts the authority.
fn trusted(signed: &str, authority: &str, host: &str, at: Timestamp) -> Result<(), rustls::Error> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
        .unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .unwrap();
    let signed = CertificateDer::from_pem_slice(signed.as_bytes()).unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at.as_second() as u64));
    let host = ServerName::try_from(host.to_owned()).unwrap();
    verifier
        .verify_server_cert(&signed, &[], &host, &[], at)
        .map(drop)
}

#[test]
fn a_certificate_is_valid_whenever_it_is_rendered_and_trusted_by_its_authority() {
    let template = "{{- $ca := genCA \"ca\" 30 }}\nca: {{ $ca.Cert | b64enc }}\n\
        {{- $signed := genSignedCert \"shop\" nil (list \"shop.example\") 9 $ca }}\n\
        signed: {{ $signed.Cert | b64enc }}\nkey: {{ $signed.Key | b64enc }}\n\
        password: {{ randAlphaNum 9 | b64enc }}\n";
    let mut before: Option<BTreeMap<String, String>> = None;
    let mut renewals = 0;
    for day in 0..61 {
        // The first is made in the very second of the seed, and a clock may go back by an hour.
        let now = birth() + DAY * day;
        let rendered = render(&[("templates/a.yaml", template)], seed(1), now);
        let rendered = values_of(&rendered);
        for (name, days) in [("ca", 30), ("signed", 9)] {
            let (begin, end) = term(&rendered[name]);
            assert_eq!(end.duration_since(begin), DAY * days, "{name}");
            assert!(begin <= now, "{name} on day {day}");
            // A third of the time is left, less the day on which it is rendered.
            assert!(now + DAY * days / 3 <= end, "{name} on day {day}");
        }
        trusted(&rendered["signed"], &rendered["ca"], "shop.example", now).unwrap();
        if let Some(before) = before.replace(rendered.clone()) {
            assert_eq!(before["password"], rendered["password"]);
            let authority_renewed = before["ca"] != rendered["ca"];
            let renewed = before["signed"] != rendered["signed"];
            assert_eq!(authority_renewed, day % 20 == 0, "day {day}");
            assert_eq!(renewed, day % 6 == 0 || day % 20 == 0, "day {day}");
            assert_eq!(before["key"] != rendered["key"], renewed, "day {day}");
            renewals += u32::from(renewed);
        }
    }
    assert_eq!(renewals, 12);
    let early = birth() - DAY / 24;
    let before_the_seed = render(&[("templates/a.yaml", template)], seed(1), early);
    let at_the_seed = render(&[("templates/a.yaml", template)], seed(1), birth());
    assert_eq!(before_the_seed, at_the_seed);
    // Terms that end before they begin, and such as no calendar has.
    for days in ["0", "-5", "106752", "9223372036854775807"] {
        let template = format!("a: {{{{ (genCA \"ca\" {days}).Cert | b64enc }}}}\n");
        let at = |now| render(&[("templates/a.yaml", &template)], seed(1), now);
        assert_eq!(at(birth()), at(birth() + DAY), "{days}");
    }
}

/// Charts of the corpus that Helm renders, each twice under one seed: every tenth, or all.
#[test]
fn real_charts_render_the_same_twice() {
    let Ok(tasks) = corpus::tasks() else {
        eprintln!("skipped: the corpus is not at hand");
        return;
    };
    let every = match std::env::var_os("PINTLE_RANDOMNESS_CORPUS") {
        Some(_) => 1,
        None => 10,
    };
    let queue = Mutex::new(tasks.iter().step_by(every));
    let differing = Mutex::new(Vec::new());
    let drawing = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(task) = { queue.lock().unwrap().next() } {
                    let [first, second, other] =
                        [(1, 3), (1, 4), (2, 3)].map(|(number, chance)| {
                            rendered(task, environment(seed(number), birth() + DAY, chance))
                        });
                    *drawing.lock().unwrap() += u32::from(first != other);
                    if first != second {
                        let chart = task.chart.display().to_string();
                        differing.lock().unwrap().push(chart);
                    }
                }
            });
        }
    });
    let differing = differing.into_inner().unwrap();
    let drawing = drawing.into_inner().unwrap();
    assert_eq!(differing, Vec::<String>::new());
    assert!(
        drawing > 50 / every as u32,
        "only {drawing} charts draw anything"
    );
    let count = tasks.len().div_ceil(every);
    eprintln!("{count} charts, {drawing} of which draw");
}

fn rendered(task: &corpus::Task, environment: Environment) -> Vec<String> {
    let given = match &task.values {
        Some(file) => values::load(&std::fs::read(file).unwrap()).unwrap(),
        None => Map::new(),
    };
    let files = directory::read(&task.chart, &mut Vec::new()).unwrap();
    let chart = Chart::from_files(files).unwrap();
    let inputs = Inputs {
        release: ReleaseFacts {
            name: "release".to_owned(),
            namespace: "default".to_owned(),
            revision: 1,
            is_install: true,
            is_upgrade: false,
        },
        values: given,
        environment,
        options: Options {
            skip_schema_validation: task.skip_schema,
            ..Options::default()
        },
        ..Inputs::default()
    };
    match render::render(chart, inputs, &NoCluster) {
        Ok(rendered) => {
            let hooks = rendered.hooks.iter().map(|hook| hook.manifest.clone());
            hooks
                .chain([rendered.manifest.clone(), rendered.notes.clone()])
                .collect()
        }
        // Some ask for a cluster of an age of its own.
        Err(failure) => vec![failure.to_string()],
    }
}
