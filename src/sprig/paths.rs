//! Slash-separated paths. The `os` functions are those of Linux, where both are the same.

use crate::template::{Function, Text};

pub(super) fn functions() -> Vec<(&'static str, Function)> {
    let mut functions = Vec::new();
    let both = [
        (
            "base",
            "osBase",
            Function::new(|path: Text| Text::from_bytes(base(&path))),
        ),
        (
            "dir",
            "osDir",
            Function::new(|path: Text| {
                let end = path
                    .iter()
                    .rposition(|&byte| byte == b'/')
                    .map_or(0, |at| at + 1);
                clean(&path[..end])
            }),
        ),
        ("clean", "osClean", Function::new(|path: Text| clean(&path))),
        (
            "ext",
            "osExt",
            Function::new(|path: Text| Text::from_bytes(extension(&path))),
        ),
        (
            "isAbs",
            "osIsAbs",
            Function::new(|path: Text| path.starts_with(b"/")),
        ),
    ];
    for (plain, os, function) in both {
        functions.push((plain, function.clone()));
        functions.push((os, function));
    }
    functions
}

fn base(path: &[u8]) -> &[u8] {
    if path.is_empty() {
        return b".";
    }
    let end = path
        .iter()
        .rposition(|&byte| byte != b'/')
        .map_or(0, |last| last + 1);
    match path[..end].rsplit(|&byte| byte == b'/').next() {
        Some(last) if !last.is_empty() => last,
        _ => b"/",
    }
}

fn extension(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&byte| byte == b'.' || byte == b'/') {
        Some(at) if path[at] == b'.' => &path[at..],
        _ => b"",
    }
}

/// The shortest path of the same meaning, by its letters alone.
// path: path.go Clean
fn clean(path: &[u8]) -> Text {
    let rooted = path.starts_with(b"/");
    let mut kept: Vec<&[u8]> = Vec::new();
    for element in path.split(|&byte| byte == b'/') {
        match element {
            b"" | b"." => {}
            b".." if kept.last().is_some_and(|last| *last != b"..") => {
                kept.pop();
            }
            b".." if rooted => {}
            other => kept.push(other),
        }
    }
    let joined = kept.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat().into(),
        (false, true) => ".".into(),
        (false, false) => joined.into(),
    }
}
