//! Every case of `tests/golden` against `pintle template`: standard output, standard error and
//! exit status as the real helm gave them (`tests/golden/rewrite`).

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// What differs from Helm's answer, or nothing.
fn difference(chart: &Path, case: &Path) -> Option<String> {
    let arguments = fs::read_to_string(case.join("arguments")).unwrap();
    let answer = Command::new(env!("CARGO_BIN_EXE_pintle"))
        .arg("template")
        .args(arguments.lines())
        .current_dir(chart)
        .env_remove("HELM_NAMESPACE")
        .output()
        .unwrap();
    // Helm names some files by their absolute path.
    let root = chart.parent().unwrap().to_string_lossy().into_owned();
    let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&root, "{golden}");
    let status = text(case.join("status"));
    let wanted: i32 = status.trim().parse().unwrap_or(0);
    let found = [
        ("stdout", shown(&answer.stdout)),
        ("stderr", shown(&answer.stderr)),
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
