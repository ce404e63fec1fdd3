//! Events to a tree of nodes, aliases bound to their anchors.

use std::borrow::Cow;
use std::collections::HashMap;

use super::error::Fault;
use super::parser::{EventKind, Parser};
use super::reader::Input;
use super::resolve::Tag;
use super::scanner::Scanner;

/// One document: its nodes in the order in which they begin, each before its children.
#[derive(Default)]
pub(super) struct Document<'a> {
    pub(super) nodes: Vec<Node<'a>>,
}

pub(super) struct Node<'a> {
    pub(super) kind: NodeKind<'a>,
    /// The 0-based line on which the node begins.
    pub(super) line: usize,
    /// The index behind the node's last descendant: its next sibling, if it has one.
    pub(super) end: usize,
}

pub(super) enum NodeKind<'a> {
    Scalar {
        text: Cow<'a, str>,
        tag: Tag,
        implicit: bool,
    },
    Sequence,
    Mapping,
    Alias {
        name: &'a str,
        target: usize,
    },
}

impl<'a> Document<'a> {
    /// Composes the first document of the stream; `None` if there is none.
    pub(super) fn first(input: &'a Input<'a>) -> Result<Option<Self>, Fault> {
        let mut parser = Parser::new(Scanner::new(input));
        match parser.next()?.kind {
            EventKind::DocumentStart => {}
            _ => return Ok(None),
        }
        let mut document = Document {
            nodes: Vec::with_capacity(input.text.len() / 16),
        };
        let mut anchors: HashMap<&'a str, usize> = HashMap::new();
        let mut open: Vec<usize> = Vec::new();
        loop {
            let event = parser.next()?;
            let index = document.nodes.len();
            let (anchor, kind, opens) = match event.kind {
                EventKind::DocumentStart | EventKind::DocumentEnd | EventKind::StreamEnd => break,
                EventKind::SequenceEnd | EventKind::MappingEnd => {
                    if let Some(node) = open.pop().and_then(|at| document.nodes.get_mut(at)) {
                        node.end = index;
                    }
                    continue;
                }
                EventKind::Alias(name) => match anchors.get(name) {
                    Some(&target) => (None, NodeKind::Alias { name, target }, false),
                    None => return Err(Fault::bare(format!("unknown anchor '{name}' referenced"))),
                },
                EventKind::Scalar {
                    anchor,
                    tag,
                    text,
                    implicit,
                } => (
                    anchor,
                    NodeKind::Scalar {
                        text,
                        tag: Tag::of(tag.as_deref()),
                        implicit,
                    },
                    false,
                ),
                EventKind::SequenceStart { anchor } => (anchor, NodeKind::Sequence, true),
                EventKind::MappingStart { anchor } => (anchor, NodeKind::Mapping, true),
            };
            if let Some(anchor) = anchor {
                anchors.insert(anchor, index);
            }
            if opens {
                open.push(index);
            }
            document.nodes.push(Node {
                kind,
                line: event.line,
                end: index + 1,
            });
        }
        Ok(Some(document))
    }
}
