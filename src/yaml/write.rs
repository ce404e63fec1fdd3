//! Values to YAML by way of JSON, as sigs.k8s.io/yaml does it.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::compose::Document;
use super::emitter::Emitter;
use super::error::{Error, Fault};
use super::json::{self, Everything};
use super::number;
use super::order::Edition;
use super::reader;
use super::serialize::{Stop, serialize};
use super::tree::{Kind, Tree};

/// sigs.k8s.io/yaml: Marshal.
pub(super) fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    match emit(value, Emitter::new(Edition::V2).with_doubts()) {
        Ok(text) => Ok(text),
        Err(Stop::Error(error)) => Err(error),
        // Its JSON text holds something that go-yaml may not read as it was meant.
        Err(Stop::Doubt) => trusted(&read_back(&Tree::of(value)?)?, Edition::V2),
    }
}

/// go-yaml v3: Encoder, at an indentation of 2.
pub(super) fn to_string_pretty<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    trusted(value, Edition::V3)
}

fn trusted<T: Serialize + ?Sized>(value: &T, edition: Edition) -> Result<String, Error> {
    emit(value, Emitter::new(edition)).map_err(|stop| match stop {
        Stop::Error(error) => error,
        Stop::Doubt => <Error as serde::ser::Error>::custom(stop),
    })
}

fn emit<T: Serialize + ?Sized>(value: &T, mut emitter: Emitter) -> Result<String, Stop> {
    serialize(value, &mut emitter)?;
    Ok(emitter.finish())
}

/// What go-yaml reads from the tree's JSON text.
fn read_back(tree: &Tree) -> Result<Value, Error> {
    let text = to_json(tree)?;
    let input = reader::read(text.as_bytes());
    let unwritable = |Fault { line, problem }| Error::Unwritable { line, problem };
    match Document::first(&input).map_err(unwritable)? {
        Some(document) => json::decode(&document, false, Everything),
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
        Kind::Str(span) => write_string(tree.text(span), out),
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
