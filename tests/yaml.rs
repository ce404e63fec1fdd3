//! The yaml room against what Helm's own YAML modules say (tests/oracle/yaml).
//!
//! The committed cases run always. `PINTLE_YAML_CASES=N` also makes N random ones of each kind with
//! the Go oracle, from `PINTLE_YAML_SEED` (1) on, and reads every YAML file of `PINTLE_YAML_CORPUS`.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pintle::yaml;
use serde_json::{Value, json};

/// A case with its answer, as the oracle writes them.
struct Case {
    line: Value,
}

impl Case {
    fn document(&self) -> Vec<u8> {
        match (self.line.get("doc"), self.line.get("bytes")) {
            (Some(text), _) => text.as_str().unwrap().into(),
            (None, Some(bytes)) => STANDARD.decode(bytes.as_str().unwrap()).unwrap(),
            (None, None) => Vec::new(),
        }
    }

    fn expected(&self) -> Result<&Value, &str> {
        match self.line.get("error") {
            Some(error) => Err(error.as_str().unwrap()),
            None => Ok(&self.line["out"]),
        }
    }
}

/// What this room makes of a case.
fn answer(mode: &str, case: &Case) -> Result<Value, yaml::Error> {
    match mode {
        "read" => yaml::from_slice(&case.document()),
        "strict" => yaml::from_slice_strict(&case.document()),
        "map" => yaml::map_from_slice(&case.document()).map(Value::Object),
        "array" => yaml::array_from_slice(&case.document()).map(Value::Array),
        "documents" => {
            let stream = case.document();
            let documents: Result<Vec<_>, _> = yaml::Documents::new(&stream).collect();
            documents.map(|all| all.iter().map(|one| STANDARD.encode(one)).collect())
        }
        "write" => yaml::to_string(&case.line["value"]).map(Value::String),
        "pretty" => yaml::to_string_pretty(&case.line["value"]).map(Value::String),
        other => panic!("no mode {other}"),
    }
}

/// A difference, if there is one.
fn check(mode: &str, text: &str) -> Option<String> {
    let case = Case {
        line: serde_json::from_str(text).unwrap(),
    };
    let answered = answer(mode, &case);
    // Where Go answers this or that, it is enough that we answer.
    if case.line.get("unstable").is_some() {
        return None;
    }
    let shown = |side: &str, what: &dyn std::fmt::Display| format!("  {side}: {what}\n");
    let input = match case.line.get("value") {
        Some(value) => value.to_string(),
        None => format!("{:?}", String::from_utf8_lossy(&case.document())),
    };
    let difference = match (case.expected(), &answered) {
        (Ok(expected), Ok(answered)) if expected == answered => return None,
        (Err(expected), Err(answered)) if expected == answered.to_string() => return None,
        (Ok(expected), Ok(answered)) => shown("go  ", expected) + &shown("ours", answered),
        (Ok(expected), Err(error)) => shown("go  ", expected) + &shown("ours", error),
        (Err(error), Ok(answered)) => shown("go  ", &error) + &shown("ours", answered),
        (Err(expected), Err(answered)) => shown("go  ", &expected) + &shown("ours", answered),
    };
    Some(format!("{mode} {input}\n{difference}"))
}

/// Checks lines and returns how many there were; panics with the first differences.
fn check_all(mode: &str, lines: impl Iterator<Item = String>) -> usize {
    let mut count = 0;
    let mut differences = Vec::new();
    for line in lines {
        count += 1;
        differences.extend(check(mode, &line));
    }
    let total = differences.len();
    differences.sort_by_key(String::len);
    differences.truncate(30);
    assert!(
        total == 0,
        "{total} of {count} differ in {mode}:\n{}",
        differences.join("\n")
    );
    count
}

fn committed(mode: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/yaml/{mode}.jsonl"));
    let text = std::fs::read_to_string(path).unwrap();
    assert!(check_all(mode, text.lines().map(str::to_owned)) > 0);
}

#[test]
fn reads_as_go_does() {
    committed("read");
}

#[test]
fn reads_strictly_as_go_does() {
    committed("strict");
}

#[test]
fn writes_as_go_does() {
    committed("write");
}

#[test]
fn writes_prettily_as_go_does() {
    committed("pretty");
}

#[test]
fn reads_into_maps_and_arrays_as_go_does() {
    committed("map");
    committed("array");
}

#[test]
fn splits_streams_as_kubernetes_does() {
    committed("documents");
}

/// The oracle, built; it is gone with this.
struct Oracle {
    folder: tempfile::TempDir,
}

impl Oracle {
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(folder.path().join("oracle"))
            .arg(".")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/yaml"))
            .status()
            .unwrap();
        assert!(built.success());
        Self { folder }
    }

    fn command(&self) -> Command {
        Command::new(self.folder.path().join("oracle"))
    }
}

#[test]
fn answers_random_cases_as_go_does() {
    let Ok(count) = std::env::var("PINTLE_YAML_CASES") else {
        return;
    };
    let seed = std::env::var("PINTLE_YAML_SEED").unwrap_or_else(|_| "1".to_owned());
    let corpus = std::env::var("PINTLE_YAML_CORPUS").unwrap_or_default();
    let oracle = Oracle::build();
    let mut failed = Vec::new();
    for mode in [
        "read",
        "strict",
        "map",
        "array",
        "documents",
        "write",
        "pretty",
    ] {
        let mut running = oracle
            .command()
            .args([mode, &seed, &count])
            .arg(&corpus)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(running.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let checked =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check_all(mode, lines)));
        let _ = running.kill();
        let _ = running.wait();
        match checked {
            Ok(checked) => println!("{mode}: {checked} cases agree"),
            Err(_) => failed.push(mode),
        }
    }
    assert!(failed.is_empty(), "differences in {failed:?}");
}

fn yaml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        let path = entry.path();
        if kind.is_dir() {
            yaml_files(&path, found);
        } else if kind.is_file() && path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            found.push(path);
        }
    }
}

#[test]
fn reads_and_writes_a_corpus_as_go_does() {
    let Ok(corpus) = std::env::var("PINTLE_YAML_CORPUS") else {
        return;
    };
    // In the whole corpus of charts, templates among them, this takes minutes.
    let mut files = Vec::new();
    yaml_files(Path::new(&corpus), &mut files);
    let oracle = Oracle::build();
    let mut running = oracle
        .command()
        .arg("read")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = running.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        for file in files {
            // Golden outputs are streams: each document on its own.
            let bytes = std::fs::read(file).unwrap();
            for document in yaml::Documents::new(&bytes).filter_map(Result::ok) {
                writeln!(input, "{}", json!({"bytes": STANDARD.encode(document)})).unwrap();
            }
        }
    });
    let mut values = Vec::new();
    let lines = BufReader::new(running.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .inspect(|line| {
            let case: Value = serde_json::from_str(line).unwrap();
            if let Some(value) = case.get("out") {
                values.push(value.clone());
            }
        });
    let read = check_all("read", lines);
    writer.join().unwrap();
    running.wait().unwrap();
    for mode in ["write", "pretty"] {
        let mut running = oracle
            .command()
            .arg(mode)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = running.stdin.take().unwrap();
        let lines = BufReader::new(running.stdout.take().unwrap())
            .lines()
            .map(Result::unwrap);
        std::thread::scope(|scope| {
            let values = &values;
            scope.spawn(move || {
                for value in values {
                    writeln!(input, "{}", json!({"value": value})).unwrap();
                }
            });
            check_all(mode, lines);
        });
        running.wait().unwrap();
    }
    println!("{read} documents read, {} written", values.len());
}

/// go-yaml's bound stands behind ours; at ours, nothing overflows the stack of a test's thread.
#[test]
fn depth_is_bounded() {
    for (open, close) in [
        ("[", "]"),
        ("{a: ", "}"),
        ("- ", ""),
        ("? ", ""),
        ("!!seq [", "]"),
    ] {
        for (depth, problem) in [
            (1000, ""),
            (1001, "exceeded max depth of 1000"),
            (30_000, "exceeded max depth of 10000"),
        ] {
            let text = format!("{}{}", open.repeat(depth), close.repeat(depth));
            let read = yaml::from_slice(text.as_bytes()).map(yaml::floats);
            let written = read.and_then(|value| {
                yaml::to_string(&json!(value)).map(|_| yaml::to_string_pretty(&value))
            });
            let said = written.map_or_else(|error| error.to_string(), |_| String::new());
            let expected = if open == "? " && depth == 1000 {
                "invalid map key"
            } else {
                problem
            };
            assert!(
                said.contains(expected) && said.is_empty() == expected.is_empty(),
                "{depth} of {open}: {said}"
            );
        }
    }
}

/// go-yaml's bound on what aliases repeat, and ours on how much text that is.
#[test]
fn aliases_are_bounded() {
    let rows = (1..10).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(10)));
    let laughs: String = std::iter::once("a0: &a0 ha\n".to_owned())
        .chain(rows)
        .collect();
    let text = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        "*a, ".repeat(1000)
    );
    for document in [laughs, text] {
        let said = yaml::from_slice(document.as_bytes())
            .unwrap_err()
            .to_string();
        assert_eq!(
            said,
            "error converting YAML to JSON: yaml: document contains excessive aliasing"
        );
    }
}
