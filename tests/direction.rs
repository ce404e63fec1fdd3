//! The house rules that a compiler does not know: which room may use which, and what no file may
//! hold. [`ROOMS`] mirrors ARCHITECTURE.md; whoever changes one changes both.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod direction {
    mod code;
    mod paths;
    mod rules;
    #[cfg(test)]
    mod samples;

    pub(super) use rules::{broken_rules, cycle};
}

use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may use.
#[derive(Clone, Copy)]
enum Knows {
    Everybody,
    Only(&'static [&'static str]),
}

use Knows::{Everybody, Only};

const ROOMS: &[(&str, Knows)] = &[
    // pure rooms
    ("api", Only(&[])),
    ("plan", Only(&["api", "release", "manifest", "merge"])),
    ("bundle", Only(&["chart", "images", "manifest", "yaml"])),
    ("chart", Only(&["yaml", "semver"])),
    ("images", Only(&["api", "manifest"])),
    ("semver", Only(&[])),
    ("yaml", Only(&[])),
    (
        "render",
        Only(&[
            "template", "sprig", "yaml", "chart", "manifest", "semver", "release",
        ]),
    ),
    ("sprig", Only(&["template", "semver"])),
    ("template", Only(&[])),
    ("health", Only(&[])),
    // manifest and release print floats as Go does, which template can.
    ("manifest", Only(&["yaml", "template"])),
    ("merge", Only(&[])),
    ("release", Only(&["chart", "manifest", "yaml", "template"])),
    // rooms that touch the world
    ("source", Only(&["yaml", "semver", "chart"])),
    ("watch", Only(&[])),
    ("storage", Only(&["release", "plan", "watch"])),
    (
        "cluster",
        Only(&[
            "plan", "manifest", "merge", "health", "api", "release", "storage", "render",
        ]),
    ),
    ("telemetry", Only(&["api"])),
    ("controller", Everybody),
    ("command", Everybody),
];

/// Every Rust file below a folder of the project, by its path from the project's root.
fn rust_files(folder: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                walk(&entry.path(), found);
            } else if entry
                .path()
                .extension()
                .is_some_and(|extension| extension == "rs")
            {
                found.push(entry.path());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join(folder), &mut found);
    found.sort();
    let name = |path: &Path| {
        path.strip_prefix(root)
            .unwrap()
            .to_string_lossy()
            .replace('\\', "/")
    };
    found
        .iter()
        .map(|path| (name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

#[test]
fn the_house_keeps_its_rules() {
    let mut files = rust_files("src");
    assert!(
        files.len() > 50,
        "only {} files were found in src/",
        files.len()
    );
    for folder in ["tests", "examples", "benches"] {
        if Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).is_dir() {
            files.extend(rust_files(folder));
        }
    }
    let broken: Vec<String> = direction::broken_rules(ROOMS, &files);
    assert!(
        broken.is_empty(),
        "{} broken rules:\n{}",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn the_table_itself_has_a_direction() {
    assert_eq!(direction::cycle(ROOMS), None);
}
