//! The checker is able to fail: each rule on a small house that keeps it and one that breaks it.

use super::code::tokens;
use super::paths::uses;
use super::{broken_rules, cycle};
use crate::Knows;

const PREFACE: &str = "//! What comes in.\n//! What goes out.\n//! What it must never do.\n";

const ROOMS: &[(&str, Knows)] = &[
    ("template", Knows::Only(&[])),
    ("render", Knows::Only(&["template"])),
    ("controller", Knows::Everybody),
];

/// A good house with these files added, or put in the place of its own.
fn house(changed: &[(&str, &str)]) -> Vec<String> {
    let mut files = vec![
        (
            "src/lib.rs".to_owned(),
            "//! The house.\npub mod template;\n".to_owned(),
        ),
        ("src/template/mod.rs".to_owned(), PREFACE.to_owned()),
        (
            "src/render/mod.rs".to_owned(),
            format!("{PREFACE}use crate::template;\n"),
        ),
        (
            "src/controller/mod.rs".to_owned(),
            format!("{PREFACE}use crate::{{render, template}};\n"),
        ),
    ];
    for (path, text) in changed {
        files.retain(|(other, _)| other != path);
        files.push(((*path).to_owned(), format!("{PREFACE}{text}")));
    }
    broken_rules(ROOMS, &files)
}

fn rooms_used(text: &str, depth: usize) -> Vec<&str> {
    uses(&tokens(text), depth)
        .iter()
        .map(|used| used.room)
        .collect()
}

#[test]
fn a_good_house_has_no_breach() {
    assert_eq!(house(&[]), Vec::<String>::new());
}

#[test]
fn a_forbidden_use_is_found_with_its_line() {
    let breach = house(&[(
        "src/template/exec.rs",
        "use std::fmt;\nuse crate::render::Scope;\n",
    )]);
    assert_eq!(
        breach,
        ["src/template/exec.rs:5: template may not use render"]
    );
}

#[test]
fn every_way_to_write_a_use_is_read() {
    for (text, expected) in [
        ("use crate::api;", vec!["api"]),
        ("use crate::api::Reason as Word;", vec!["api"]),
        (
            "pub(crate) use crate::{api::{Reason, Spec}, plan as wish, yaml};",
            vec!["api", "plan", "yaml"],
        ),
        (
            "use {crate::api, std::fmt, crate::plan::{self}};",
            vec!["api", "plan"],
        ),
        (
            "fn f(x: &crate::api::Spec) -> crate::plan::Plan { crate::yaml::read::<crate::merge::A>() }",
            vec!["api", "plan", "yaml", "merge"],
        ),
        ("use super::super::api::Reason;", vec!["api"]),
        (
            "use super::{decide, super::{api, plan}};",
            vec!["api", "plan"],
        ),
        ("use self::super::super::api;", vec!["api"]),
        (
            "mod tests { use super::super::super::api; use super::super::decide; }",
            vec!["api"],
        ),
        (
            "mod tests { fn f() {} } use super::super::api;",
            vec!["api"],
        ),
        ("macro_rules! m { () => { $crate::api::f() } }", vec!["api"]),
        ("use crate::*;", vec!["*"]),
        ("use crate::{self as root};", vec!["self"]),
        ("use crate as root;", vec!["as"]),
        ("use crate::r#api;", vec!["api"]),
        (
            "use super::decide; use std::{io, fmt}; pub(crate) fn f() {} pub(super) fn g() {}",
            vec![],
        ),
    ] {
        assert_eq!(rooms_used(text, 2), expected, "{text}");
    }
    assert_eq!(
        rooms_used(
            "use super::api; pub(super) mod x; pub(in super::plan) fn f() {}",
            1
        ),
        ["api", "plan"]
    );
}

#[test]
fn what_is_not_code_is_left_out() {
    for text in [
        "// use crate::api;\n",
        "/// [`crate::api`]\n",
        "/* use crate::api; /* nested */ use crate::plan; */",
        "let text = \"use crate::api; \\\" crate::plan\";",
        "let text = r#\"use \" crate::api;\"#; let other = br\"crate::plan\";",
        "let (a, b) = ('\"', b'\\''); // crate::api \"",
        "fn f<'a>(x: &'a str) {} // 'crate::api",
    ] {
        assert_eq!(rooms_used(text, 2), Vec::<&str>::new(), "{text}");
    }
    let after = "let (quote, tick): (char, &'static str) = ('\"', \"'\"); use crate::api;";
    assert_eq!(rooms_used(after, 2), ["api"]);
}

#[test]
fn other_breaches_are_found() {
    let long = "// a line\n".repeat(798);
    for (path, text, expected) in [
        (
            "src/render/far.rs",
            "use crate::nowhere;\n",
            "src/render/far.rs:4: `crate::nowhere` is no room: name the room itself",
        ),
        (
            "src/cellar/mod.rs",
            "",
            "src/cellar/mod.rs: the room cellar is not in the table",
        ),
        (
            "src/lib.rs",
            "pub use template::Value;\n",
            "src/lib.rs:4: `use`: the root only lists the rooms",
        ),
        (
            "src/render/all.rs",
            long.as_str(),
            "src/render/all.rs: 801 lines, and 800 are the most",
        ),
        (
            "src/render/string_utils.rs",
            "",
            "src/render/string_utils.rs: `utils` says nothing about what is inside",
        ),
        (
            "src/render/common/a.rs",
            "",
            "src/render/common/a.rs: `common` says nothing about what is inside",
        ),
        (
            "tests/helpers.rs",
            "",
            "tests/helpers.rs: `helpers` says nothing about what is inside",
        ),
        (
            "src/render/raw.rs",
            "fn f() { unsafe { g() } }\n",
            "src/render/raw.rs:4: `unsafe` is not taken",
        ),
        (
            "src/render/later.rs",
            "fn f() { todo!() }\n",
            "src/render/later.rs:4: `todo` is not taken",
        ),
    ] {
        assert_eq!(house(&[(path, text)]), [expected]);
    }
}

#[test]
fn what_only_looks_like_a_breach_is_none() {
    // A kind's name is a name.
    assert_eq!(
        house(&[("src/health/service.rs", "")]),
        ["src/health/service.rs: the room health is not in the table"]
    );
    assert_eq!(
        house(&[(
            "src/render/text.rs",
            "/// No todo!, nothing unsafe.\nfn todo() {}\n"
        )]),
        Vec::<String>::new()
    );
}

#[test]
fn a_room_says_what_it_is() {
    let files = [
        (
            "src/template/mod.rs".to_owned(),
            "//! One.\n//! Two.\nmod exec;\n".to_owned(),
        ),
        ("src/template/exec.rs".to_owned(), "mod walk;\n".to_owned()),
    ];
    let breaches = broken_rules(&ROOMS[..1], &files);
    assert_eq!(
        breaches,
        [
            "src/template/mod.rs: opens with 2 lines of `//!`, and 3 are the least",
            "src/template/exec.rs: opens with 0 lines of `//!`, and 1 are the least",
        ]
    );
}

#[test]
fn a_room_that_is_gone_leaves_the_table() {
    let breaches = broken_rules(&ROOMS[..1], &[]);
    assert_eq!(
        breaches,
        ["the table has a room template, and src/ has none"]
    );
}

#[test]
fn a_circle_is_found() {
    let circle = [
        ("a", Knows::Only(&["b"])),
        ("b", Knows::Only(&["a"])),
        ("c", Knows::Only(&[])),
    ];
    assert_eq!(cycle(&circle), Some("a, b".to_owned()));
    assert_eq!(
        cycle(&[("a", Knows::Only(&["nobody"]))]),
        Some("a".to_owned())
    );
}
