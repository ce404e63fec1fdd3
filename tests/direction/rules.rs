//! The rules.
//!
//! In: the table of rooms, and the files with their texts. Out: a line for each breach, with the
//! place and what is asked for. Never: a file read.

use std::collections::BTreeSet;

use super::code::{Token, tokens};
use super::paths::uses;
use crate::Knows;

const LONGEST_FILE: usize = 800;

/// What a parent file has to say: what comes in, what goes out, what it must never do.
const PREFACE: usize = 3;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &[
    "util",
    "utils",
    "utility",
    "utilities",
    "common",
    "helper",
    "helpers",
    "misc",
    "manager",
    "managers",
    "service",
    "services",
];

/// Files here bear the names of Kubernetes kinds, and Service is one.
const NAMED_AFTER_KINDS: &str = "src/health/";

/// Every breach in these files.
pub(crate) fn broken_rules(rooms: &[(&str, Knows)], files: &[(String, String)]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen = BTreeSet::new();
    for (path, text) in files {
        let tokens = tokens(text);
        broken.extend(looks(path, text, &tokens));
        let Some(place) = Place::of(path) else {
            continue;
        };
        match place.room {
            None if path == "src/lib.rs" => broken.extend(only_rooms(path, &tokens)),
            // src/main.rs stands above the house.
            None => {}
            Some(room) => {
                seen.insert(room);
                broken.extend(direction(rooms, path, &place, &tokens));
            }
        }
    }
    for (room, _) in rooms {
        if !seen.contains(room) {
            broken.push(format!("the table has a room {room}, and src/ has none"));
        }
    }
    broken
}

/// Where a file of src/ stands.
struct Place<'a> {
    room: Option<&'a str>,
    /// Whether it is its room's parent file.
    parent: bool,
    /// How many modules deep: 2 for `src/plan/decide.rs`.
    depth: usize,
}

impl<'a> Place<'a> {
    /// `None` for files outside of src/.
    fn of(path: &'a str) -> Option<Self> {
        let module = path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let module = module.strip_suffix("/mod").unwrap_or(module);
        if matches!(module, "lib" | "main") {
            return Some(Self {
                room: None,
                parent: false,
                depth: 0,
            });
        }
        let depth = module.split('/').count();
        Some(Self {
            room: module.split('/').next(),
            parent: depth == 1,
            depth,
        })
    }
}

fn direction(
    rooms: &[(&str, Knows)],
    path: &str,
    place: &Place<'_>,
    tokens: &[Token<'_>],
) -> Vec<String> {
    let room = place.room.unwrap_or_default();
    let Some((_, knows)) = rooms.iter().find(|(name, _)| *name == room) else {
        return vec![format!("{path}: the room {room} is not in the table")];
    };
    let refused = |other: &str| {
        if !rooms.iter().any(|(name, _)| *name == other) {
            return Some(format!("`crate::{other}` is no room: name the room itself"));
        }
        match knows {
            Knows::Everybody => None,
            Knows::Only(known) if other == room || known.contains(&other) => None,
            Knows::Only(_) => Some(format!("{room} may not use {other}")),
        }
    };
    let uses = uses(tokens, place.depth);
    uses.iter()
        .filter_map(|used| Some(format!("{path}:{}: {}", used.line, refused(used.room)?)))
        .collect()
}

/// The root re-exports nothing: a room is reached by its own name, or the direction is hidden.
fn only_rooms(path: &str, tokens: &[Token<'_>]) -> Option<String> {
    let forbidden = [
        "use", "fn", "struct", "enum", "trait", "impl", "static", "const", "type",
    ];
    let found = tokens
        .iter()
        .find(|token| forbidden.contains(&token.text))?;
    Some(format!(
        "{path}:{}: `{}`: the root only lists the rooms",
        found.line, found.text
    ))
}

/// What any file may be called and hold.
fn looks(path: &str, text: &str, tokens: &[Token<'_>]) -> Vec<String> {
    let mut broken = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE {
        broken.push(format!(
            "{path}: {lines} lines, and {LONGEST_FILE} are the most"
        ));
    }
    if let Some(name) = empty_name(path) {
        broken.push(format!(
            "{path}: `{name}` says nothing about what is inside"
        ));
    }
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1).map_or("", |token| token.text);
        if token.text == "unsafe" || (token.text == "todo" && next == "!") {
            broken.push(format!(
                "{path}:{}: `{}` is not taken",
                token.line, token.text
            ));
        }
    }
    let preface = text
        .lines()
        .take_while(|line| line.starts_with("//!"))
        .count();
    let wanted = match Place::of(path) {
        Some(place) if place.parent => PREFACE,
        _ => 1,
    };
    if preface < wanted {
        broken.push(format!(
            "{path}: opens with {preface} lines of `//!`, and {wanted} are the least"
        ));
    }
    broken
}

fn empty_name(path: &str) -> Option<&str> {
    if path.starts_with(NAMED_AFTER_KINDS) {
        return None;
    }
    let mut words = path.trim_end_matches(".rs").split(['/', '_']);
    words.find(|word| EMPTY_NAMES.contains(word))
}

/// Rooms that use each other in a circle, if the table allows that.
pub(crate) fn cycle(rooms: &[(&str, Knows)]) -> Option<String> {
    let mut placed: Vec<&str> = Vec::new();
    let mut left: Vec<&(&str, Knows)> = rooms.iter().collect();
    while !left.is_empty() {
        let is_ready = |room: &&(&str, Knows)| match room.1 {
            Knows::Everybody => true,
            Knows::Only(known) => known.iter().all(|room| placed.contains(room)),
        };
        let (ready, waiting): (Vec<&(&str, Knows)>, Vec<_>) = left.into_iter().partition(is_ready);
        if ready.is_empty() {
            let names: Vec<&str> = waiting.iter().map(|(name, _)| *name).collect();
            return Some(names.join(", "));
        }
        placed.extend(ready.iter().map(|(name, _)| *name));
        left = waiting;
    }
    None
}
