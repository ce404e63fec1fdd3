//! Any serialisable value as a flat tree: what the writer walks.

use std::fmt::{Display, Write as _};

use serde::ser::{self, Serialize};

use super::decode::{MAX_DEPTH, from_go_bytes};
use super::error::Error;
use super::number;

/// What serde calls a [`Plain`].
const PLAIN: &str = "yaml::Plain";

/// A text that is written without quotes, as go-yaml writes a time; in JSON it is a string.
#[derive(Clone, Debug)]
pub struct Plain(pub String);

impl Serialize for Plain {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(PLAIN, &self.0)
    }
}

/// A value, its nodes in order, each before its children; a mapping's are keys and values in turn.
#[derive(Default)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
    /// All strings, one behind the other.
    text: String,
    depth: usize,
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
    /// A text that is no string: a timestamp.
    Plain(Span),
    /// A Go string that is no UTF-8: its base64, and its text with each bad byte replaced.
    Binary {
        base64: Span,
        lossy: Span,
    },
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
    pub(super) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        let mut tree = Self::default();
        value.serialize(&mut tree)?;
        Ok(tree)
    }

    pub(super) fn text(&self, span: Span) -> &str {
        &self.text[span.start..span.end]
    }

    /// A key's text, without regard to bytes that are no UTF-8.
    pub(super) fn key(&self, index: usize) -> &str {
        match self.nodes[index].kind {
            Kind::Str(span) | Kind::Plain(span) | Kind::Binary { lossy: span, .. } => {
                self.text(span)
            }
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

    fn push(&mut self, kind: Kind) {
        let end = self.nodes.len() + 1;
        self.nodes.push(Node { kind, end });
    }

    fn span(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span {
            start,
            end: self.text.len(),
        }
    }

    fn push_str(&mut self, text: &str) {
        let span = self.span(text);
        self.push(Kind::Str(span));
    }

    fn push_display(&mut self, text: impl Display) -> Result<(), Error> {
        let start = self.text.len();
        write!(self.text, "{text}").map_err(<Error as ser::Error>::custom)?;
        self.push(Kind::Str(Span {
            start,
            end: self.text.len(),
        }));
        Ok(())
    }

    /// Opens a collection and returns its index.
    fn open(&mut self, kind: Kind) -> Result<usize, Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let problem = format!("exceeded max depth of {MAX_DEPTH}");
            return Err(Error::Unwritable {
                line: None,
                problem,
            });
        }
        self.push(kind);
        Ok(self.nodes.len() - 1)
    }

    fn close(&mut self, collection: usize) {
        self.depth -= 1;
        self.nodes[collection].end = self.nodes.len();
    }
}

/// A collection being filled; two of them for a variant with fields, the outer one named after it.
pub(super) struct Open<'t> {
    tree: &'t mut Tree,
    collection: usize,
    around: Option<usize>,
}

impl Open<'_> {
    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(&mut *self.tree)
    }

    fn finish(self) -> Result<(), Error> {
        self.tree.close(self.collection);
        if let Some(around) = self.around {
            self.tree.close(around);
        }
        Ok(())
    }
}

impl<'t> ser::Serializer for &'t mut Tree {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Open<'t>;
    type SerializeTuple = Open<'t>;
    type SerializeTupleStruct = Open<'t>;
    type SerializeTupleVariant = Open<'t>;
    type SerializeMap = Open<'t>;
    type SerializeStruct = Open<'t>;
    type SerializeStructVariant = Open<'t>;

    fn serialize_bool(self, v: bool) -> Result<(), Error> {
        self.push(Kind::Bool(v));
        Ok(())
    }

    fn serialize_i8(self, v: i8) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i16(self, v: i16) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i32(self, v: i32) -> Result<(), Error> {
        self.serialize_i64(v.into())
    }

    fn serialize_i64(self, v: i64) -> Result<(), Error> {
        self.push(Kind::Int(v));
        Ok(())
    }

    fn serialize_u8(self, v: u8) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u16(self, v: u16) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u32(self, v: u32) -> Result<(), Error> {
        self.serialize_u64(v.into())
    }

    fn serialize_u64(self, v: u64) -> Result<(), Error> {
        self.push(Kind::Uint(v));
        Ok(())
    }

    /// With the digits of a float32, as Go's JSON encoder writes one.
    fn serialize_f32(self, v: f32) -> Result<(), Error> {
        let value = if v.is_finite() {
            number::parse_decimal(&v.to_string())
        } else {
            None
        };
        self.serialize_f64(value.unwrap_or_else(|| v.into()))
    }

    fn serialize_f64(self, v: f64) -> Result<(), Error> {
        self.push(Kind::Float(v));
        Ok(())
    }

    fn serialize_char(self, v: char) -> Result<(), Error> {
        self.push_str(v.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, v: &str) -> Result<(), Error> {
        self.push_str(v);
        Ok(())
    }

    /// Bytes stand for a Go string that may be no UTF-8.
    fn serialize_bytes(self, v: &[u8]) -> Result<(), Error> {
        if let Ok(text) = std::str::from_utf8(v) {
            return self.serialize_str(text);
        }
        let base64 = self.span(&base64_lines(v));
        let lossy = self.span(&from_go_bytes(v));
        self.push(Kind::Binary { base64, lossy });
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.push(Kind::Null);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(&mut *self)?;
        if name == PLAIN
            && let Some(node) = self.nodes.last_mut()
            && let Kind::Str(span) = node.kind
        {
            node.kind = Kind::Plain(span);
        }
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        let collection = self.open(Kind::Mapping)?;
        self.push_str(variant);
        value.serialize(&mut *self)?;
        self.close(collection);
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Open<'t>, Error> {
        let collection = self.open(Kind::Sequence)?;
        Ok(Open {
            tree: self,
            collection,
            around: None,
        })
    }

    fn serialize_tuple(self, len: usize) -> Result<Open<'t>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Open<'t>, Error> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'t>, Error> {
        let around = self.open(Kind::Mapping)?;
        self.push_str(variant);
        let collection = self.open(Kind::Sequence)?;
        Ok(Open {
            tree: self,
            collection,
            around: Some(around),
        })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Open<'t>, Error> {
        let collection = self.open(Kind::Mapping)?;
        Ok(Open {
            tree: self,
            collection,
            around: None,
        })
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Open<'t>, Error> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'t>, Error> {
        let around = self.open(Kind::Mapping)?;
        self.push_str(variant);
        let collection = self.open(Kind::Mapping)?;
        Ok(Open {
            tree: self,
            collection,
            around: Some(around),
        })
    }
}

impl ser::SerializeSeq for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeTuple for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeTupleStruct for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeTupleVariant for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeMap for Open<'_> {
    type Ok = ();
    type Error = Error;

    /// Keys are strings, or scalars that are written as strings.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let at = self.tree.nodes.len();
        self.value(key)?;
        let Some(Node { kind, .. }) = self.tree.nodes.get(at).copied() else {
            return Ok(());
        };
        self.tree.nodes.truncate(at);
        match kind {
            Kind::Str(_) | Kind::Plain(_) | Kind::Binary { .. } => {
                self.tree.push(kind);
                Ok(())
            }
            Kind::Bool(key) => self.tree.push_display(key),
            Kind::Int(key) => self.tree.push_display(key),
            Kind::Uint(key) => self.tree.push_display(key),
            Kind::Null | Kind::Float(_) | Kind::Sequence | Kind::Mapping => {
                Err(ser::Error::custom("json: unsupported type of a map's key"))
            }
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeStruct for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.tree.push_str(key);
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

impl ser::SerializeStructVariant for Open<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.tree.push_str(key);
        self.value(value)
    }

    fn end(self) -> Result<(), Error> {
        self.finish()
    }
}

/// go-yaml: resolve.go encodeBase64, lines of 70 if it takes more than one.
fn base64_lines(bytes: &[u8]) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(bytes);
    if encoded.len() < 70 {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / 70 + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(70));
        lines.push_str(line);
        lines.push('\n');
        rest = tail;
    }
    lines
}
