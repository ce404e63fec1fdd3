//! What `pintle template` does that helm does not: its help, its place in the command line, and what
//! it refuses by name because it cannot do it. What it does as helm does is in `golden.rs`,
//! `places.rs` and `cluster/template.rs`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Output};

/// Runs the program in the folder of a golden chart.
fn pintle(chart: &str, line: &str) -> Output {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    Command::new(env!("CARGO_BIN_EXE_pintle"))
        .args(line.split_whitespace())
        .current_dir(golden.join(chart))
        .env_clear()
        .env("HOME", "/nowhere")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn refusal(chart: &str, line: &str) -> String {
    let answer = pintle(chart, line);
    assert_eq!(answer.status.code(), Some(1), "{line}");
    assert_eq!(text(&answer.stdout), "", "{line}");
    text(&answer.stderr)
}

#[test]
fn what_cannot_be_done_is_refused_by_name() {
    for line in [
        "template x chart --post-renderer mine",
        "template x chart --post-renderer-args a --post-renderer mine",
    ] {
        assert_eq!(
            refusal("flags", line),
            "Error: invalid argument \"mine\" for \"--post-renderer\" flag: pintle runs no plugins, \
             so it cannot post-render\n"
        );
    }
    let unverified = "Error: --verify is not supported yet: pintle cannot verify signatures\n";
    for line in [
        "template x https://127.0.0.1:1/shop.tgz --verify",
        "template x oci://127.0.0.1:1/shop --verify",
        "template x shop --repo https://127.0.0.1:1 --verify",
    ] {
        assert_eq!(refusal("flags", line), unverified);
    }
    assert_eq!(
        refusal(
            "broken",
            "template x missing-dependency-chart --dependency-update"
        ),
        "Error: --dependency-update is not supported yet, and dependencies are found in Chart.yaml, \
         but missing in charts/ directory: x\n"
    );
}

#[test]
fn the_command_may_stand_behind_global_flags() {
    let plain = pintle("flags", "template x chart -n there");
    assert!(plain.status.success());
    for line in [
        "-n there template x chart",
        "--namespace=there template x chart",
        "--debug=false -nthere template x chart",
    ] {
        let answer = pintle("flags", line);
        assert_eq!(text(&answer.stdout), text(&plain.stdout), "{line}");
        assert!(answer.status.success(), "{line}");
    }
    // A value is no command.
    let answer = pintle("flags", "-n template crd");
    assert_eq!(answer.status.code(), Some(2));
}

#[test]
fn help_names_every_flag_that_does_something() {
    let asked = pintle("flags", "template --help");
    assert!(asked.status.success());
    let help = text(&asked.stdout);
    for line in [
        "template x chart -h",
        "help template",
        "template --help=1 x",
    ] {
        assert_eq!(text(&pintle("flags", line).stdout), help, "{line}");
    }
    for part in [
        "  pintle template [NAME] [CHART] [flags]\n",
        "  -f, --values strings ",
        "      --dry-run string[=\"unset\"] ",
        "      --wait WaitStrategy[=watcher] ",
        "\nGlobal Flags:\n",
        "  -n, --namespace string ",
    ] {
        assert!(help.contains(part), "{part} is not in\n{help}");
    }
    for hidden in ["--atomic", "--hide-notes", "--validate", "--vmodule"] {
        assert!(!help.contains(&format!("{hidden} ")), "{hidden}");
    }
}
