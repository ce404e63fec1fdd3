//! Any serialisable value as a flat tree, whose JSON text can be written.

use super::decode::from_go_bytes;
use super::error::Error;
use super::serialize::{Collection, Key, Sink, Step, Stop, serialize};

/// A value, its nodes in order, each before its children; a mapping's are keys and values in turn.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// All strings, one behind the other.
    text: String,
    /// The collections that are being filled.
    open: Vec<usize>,
}

#[derive(Clone, Copy)]
pub(super) struct Node {
    pub(super) kind: Kind,
    /// The index behind the last descendant.
    pub(super) end: usize,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Str(Span),
    Sequence,
    Mapping,
}

/// A range of the tree's text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl Tree {
    pub(super) fn of<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let mut tree = Self::default();
        match serialize(value, &mut tree) {
            Ok(()) | Err(Stop::Doubt) => Ok(tree),
            Err(Stop::Error(error)) => Err(error),
        }
    }

    pub(super) fn text(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    pub(super) fn key(&self, index: usize) -> &str {
        match self.nodes[index].kind {
            Kind::Str(span) => self.text(span),
            _ => "",
        }
    }

    /// The children of a collection.
    pub(super) fn children(&self, parent: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes[parent].end;
        let mut next = parent + 1;
        std::iter::from_fn(move || {
            let child = next;
            next = self.nodes.get(child).filter(|_| child < end)?.end;
            Some(child)
        })
    }

    fn push(&mut self, kind: Kind) -> Step {
        let end = self.nodes.len() + 1;
        self.nodes.push(Node { kind, end });
        Ok(())
    }
}

impl Sink for Tree {
    fn null(&mut self) -> Step {
        self.push(Kind::Null)
    }

    fn bool(&mut self, value: bool) -> Step {
        self.push(Kind::Bool(value))
    }

    fn int(&mut self, value: i64) -> Step {
        self.push(Kind::Int(value))
    }

    fn uint(&mut self, value: u64) -> Step {
        self.push(Kind::Uint(value))
    }

    fn float(&mut self, value: f64) -> Step {
        self.push(Kind::Float(value))
    }

    fn text(&mut self, text: &str) -> Step {
        let start = self.text.len();
        self.text.push_str(text);
        let end = self.text.len();
        self.push(Kind::Str(Span { start, end }))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Step {
        self.text(&from_go_bytes(bytes))
    }

    fn open(&mut self, collection: Collection) -> Step {
        self.open.push(self.nodes.len());
        self.push(match collection {
            Collection::Sequence => Kind::Sequence,
            Collection::Mapping => Kind::Mapping,
        })
    }

    fn item(&mut self) -> Step {
        Ok(())
    }

    fn key(&mut self, key: Key<'_>) -> Step {
        match key {
            Key::Text(text) => self.text(text),
            Key::Bytes(bytes) => self.bytes(bytes),
        }
    }

    fn close(&mut self) -> Step {
        if let Some(collection) = self.open.pop() {
            self.nodes[collection].end = self.nodes.len();
        }
        Ok(())
    }
}
