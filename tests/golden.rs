//! Every case of `tests/golden` against `pintle template`: standard output, standard error, exit
//! status and the files that were written, as the real helm gave them (`tests/golden/rewrite`).

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path());
    let mut folders: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn text(path: PathBuf) -> String {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The folders that differ from run to run, and what stands for them in a case.
struct Places {
    golden: PathBuf,
    home: tempfile::TempDir,
    out: tempfile::TempDir,
}

impl Places {
    fn pairs(&self) -> [(&str, String); 3] {
        let golden = self.golden.to_string_lossy().into_owned();
        let of = |folder: &tempfile::TempDir| folder.path().to_string_lossy().into_owned();
        [
            ("{golden}", golden),
            ("{home}", of(&self.home)),
            ("{out}", of(&self.out)),
        ]
    }

    fn read(&self, path: PathBuf) -> String {
        let replace = |text: String, (name, path): (&str, String)| text.replace(name, &path);
        self.pairs().into_iter().fold(text(path), replace)
    }

    fn shown(&self, bytes: &[u8]) -> String {
        let replace = |text: String, (name, path): (&str, String)| text.replace(&path, name);
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.pairs().into_iter().fold(text, replace)
    }
}

/// All files of a folder, one after another, each under its path.
fn written(folder: &Path) -> String {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut files = Vec::new();
    walk(folder, &mut files);
    files.sort();
    let shown = |path: &PathBuf| {
        let name = path.strip_prefix(folder).unwrap().display();
        format!("=== {name}\n{}", text(path.clone()))
    };
    files.iter().map(shown).collect()
}

/// What differs from Helm's answer, or nothing.
fn difference(chart: &Path, case: &Path) -> Option<String> {
    let places = Places {
        golden: chart.parent().unwrap().to_owned(),
        home: tempfile::tempdir().unwrap(),
        out: tempfile::tempdir().unwrap(),
    };
    let environment = places.read(case.join("environment"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_pintle"))
        .arg("template")
        .args(places.read(case.join("arguments")).lines())
        .current_dir(chart)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", places.home.path())
        .envs(
            environment
                .lines()
                .map(|line| line.split_once('=').unwrap()),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let input = places.read(case.join("stdin"));
    // A program that does not read its input may be gone by now.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let answer = child.wait_with_output().unwrap();
    let status = text(case.join("status"));
    let wanted: i32 = status.trim().parse().unwrap_or(0);
    let found = [
        ("stdout", places.shown(&answer.stdout)),
        ("stderr", places.shown(&answer.stderr)),
        ("files", written(places.out.path())),
    ];
    for (name, found) in found {
        let wanted = text(case.join(name));
        if found != wanted {
            return Some(first_difference(name, &wanted, &found));
        }
    }
    (answer.status.code() != Some(wanted))
        .then(|| format!("status: helm {wanted}, here {:?}", answer.status.code()))
}

fn first_difference(name: &str, wanted: &str, found: &str) -> String {
    let (mut wanted, mut found) = (wanted.split('\n'), found.split('\n'));
    let mut line = 1;
    loop {
        match (wanted.next(), found.next()) {
            (Some(wanted), Some(found)) if wanted == found => line += 1,
            (wanted, found) => {
                let short = |text: Option<&str>| {
                    text.map(|text| text.chars().take(300).collect::<String>())
                };
                let (wanted, found) = (short(wanted), short(found));
                return format!("{name} line {line}:\n  helm {wanted:?}\n  here {found:?}");
            }
        }
    }
}

#[test]
fn every_case_is_as_helm_has_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut cases = 0;
    let mut differences = Vec::new();
    for chart in folders(&root) {
        for case in folders(&chart)
            .into_iter()
            .filter(|case| case.join("arguments").exists())
        {
            cases += 1;
            if let Some(difference) = difference(&chart, &case) {
                let name = case.strip_prefix(&root).unwrap().display().to_string();
                differences.push(format!("{name}: {difference}"));
            }
        }
    }
    assert!(cases > 50, "only {cases} cases found");
    assert!(
        differences.is_empty(),
        "{} of {cases} cases differ\n{}",
        differences.len(),
        differences.join("\n")
    );
}
