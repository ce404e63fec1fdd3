//! Values to YAML by way of JSON, as sigs.k8s.io/yaml does it.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::compose::Document;
use super::emitter;
use super::error::{Error, Fault};
use super::json;
use super::number;
use super::order::Edition;
use super::reader;
use super::tree::{Kind, Tree};

/// A key up to this long, in bytes, has JSON text of less than the 1024 characters of a simple key.
const SAFE_KEY_LENGTH: usize = 170;

/// sigs.k8s.io/yaml: Marshal.
pub(super) fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    let mut tree = Tree::of(value)?;
    if is_doubtful(&tree) {
        tree = Tree::of(&read_back(&tree)?)?;
    }
    Ok(emitter::emit(&tree, Edition::V2))
}

/// Whether the JSON text holds anything that go-yaml may not read as it was meant, or not write.
fn is_doubtful(tree: &Tree) -> bool {
    tree.nodes
        .iter()
        .enumerate()
        .any(|(index, node)| match node.kind {
            Kind::Float(value) => !value.is_finite(),
            Kind::Str(span) | Kind::Plain(span) | Kind::Binary { lossy: span, .. } => {
                has_doubtful(tree.text(span))
            }
            Kind::Mapping => tree
                .children(index)
                .step_by(2)
                .any(|key| tree.key(key).len() > SAFE_KEY_LENGTH),
            _ => false,
        })
}

/// U+007F to U+009F, U+FFFE, U+FFFF, which JSON leaves raw and YAML does not allow, or breaks lines at.
fn has_doubtful(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.iter().enumerate().any(|(at, b)| match b {
        0x7f => true,
        0xc2 => bytes.get(at + 1).is_some_and(|&next| next < 0xa0),
        0xef => matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])),
        _ => false,
    })
}

/// What go-yaml reads from the tree's JSON text.
fn read_back(tree: &Tree) -> Result<Value, Error> {
    let text = to_json(tree)?;
    let input = reader::read(text.as_bytes());
    let unwritable = |Fault { line, problem }| Error::Unwritable { line, problem };
    match Document::first(&input).map_err(unwritable)? {
        Some(document) => json::decode(&document, false, &|_| false),
        None => Ok(Value::Null),
    }
}

/// Go: encoding/json Marshal, keys sorted, `<`, `>`, `&`, U+2028 and U+2029 escaped.
fn to_json(tree: &Tree) -> Result<String, Error> {
    enum Task {
        Node(usize),
        Text(&'static str),
        Key(usize),
    }
    let mut out = String::new();
    let mut tasks = vec![Task::Node(0)];
    while let Some(task) = tasks.pop() {
        let index = match task {
            Task::Text(text) => {
                out.push_str(text);
                continue;
            }
            Task::Key(key) => {
                write_scalar(tree, key, &mut out)?;
                out.push(':');
                continue;
            }
            Task::Node(index) => index,
        };
        let from = tasks.len();
        match tree.nodes[index].kind {
            Kind::Sequence => {
                out.push('[');
                for (at, child) in tree.children(index).enumerate() {
                    tasks.extend((at > 0).then_some(Task::Text(",")));
                    tasks.push(Task::Node(child));
                }
                tasks.push(Task::Text("]"));
            }
            Kind::Mapping => {
                out.push('{');
                let mut keys: Vec<usize> = tree.children(index).step_by(2).collect();
                keys.sort_by_key(|&key| tree.key(key));
                for (at, key) in keys.into_iter().enumerate() {
                    tasks.extend((at > 0).then_some(Task::Text(",")));
                    tasks.push(Task::Key(key));
                    tasks.push(Task::Node(tree.nodes[key].end));
                }
                tasks.push(Task::Text("}"));
            }
            _ => write_scalar(tree, index, &mut out)?,
        }
        tasks[from..].reverse();
    }
    Ok(out)
}

fn write_scalar(tree: &Tree, index: usize, out: &mut String) -> Result<(), Error> {
    // Writing to a string does not fail.
    match tree.nodes[index].kind {
        Kind::Null => out.push_str("null"),
        Kind::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        Kind::Int(value) => _ = write!(out, "{value}"),
        Kind::Uint(value) => _ = write!(out, "{value}"),
        Kind::Float(value) if value.is_finite() => {
            out.push_str(&number::format_through_json(value))
        }
        Kind::Float(value) => {
            let problem = format!("json: unsupported value: {}", number::format_g(value));
            return Err(Error::Marshal { problem });
        }
        Kind::Str(span) | Kind::Plain(span) | Kind::Binary { lossy: span, .. } => {
            write_string(tree.text(span), out)
        }
        Kind::Sequence | Kind::Mapping => {}
    }
    Ok(())
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                _ = write!(out, "\\u{:04x}", u32::from(c))
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
