//! Any serialisable value as what a document is made of, part by part.

use serde::ser::{self, Serialize};

use super::decode::MAX_DEPTH;
use super::error::Error;
use super::number;

/// What serde calls a [`Plain`].
const PLAIN: &str = "yaml::Plain";

/// A text that go-yaml v3 writes without quotes, as it does a time; in JSON it is a string.
#[derive(Clone, Debug)]
pub struct Plain(pub String);

impl Serialize for Plain {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(PLAIN, &self.0)
    }
}

/// What serde calls [`Fields`].
const FIELDS: &str = "yaml::Fields";

/// A map whose entries go-yaml v3 writes in their own order, as it does a struct's; in JSON they are
/// sorted.
#[derive(Clone, Debug)]
pub struct Fields<T>(pub T);

impl<T: Serialize> Serialize for Fields<T> {
    fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(FIELDS, &self.0)
    }
}

/// Takes the parts of a value in their order.
pub(super) trait Sink {
    fn null(&mut self) -> Step;
    fn bool(&mut self, value: bool) -> Step;
    fn int(&mut self, value: i64) -> Step;
    fn uint(&mut self, value: u64) -> Step;
    fn float(&mut self, value: f64) -> Step;
    fn text(&mut self, text: &str) -> Step;
    /// A Go string that is no UTF-8.
    fn bytes(&mut self, bytes: &[u8]) -> Step;
    /// The next text is a [`Plain`].
    fn plain(&mut self) {}
    /// The next mapping is [`Fields`].
    fn fields(&mut self) {}
    fn open(&mut self, collection: Collection) -> Step;
    /// Before each item of a sequence.
    fn item(&mut self) -> Step;
    /// Before each value of a mapping.
    fn key(&mut self, key: Key<'_>) -> Step;
    fn close(&mut self) -> Step;
}

pub(super) type Step = Result<(), Stop>;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Collection {
    Sequence,
    Mapping,
}

#[derive(Clone, Copy)]
pub(super) enum Key<'k> {
    Text(&'k str),
    Bytes(&'k [u8]),
}

/// Why a value is not taken to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// The sink has a doubt about what the value becomes.
    #[error("in doubt")]
    Doubt,
    #[error(transparent)]
    Error(#[from] Error),
}

impl ser::Error for Stop {
    fn custom<T: std::fmt::Display>(problem: T) -> Self {
        Self::Error(ser::Error::custom(problem))
    }
}

/// Hands a value to a sink.
pub(super) fn serialize<T: Serialize + ?Sized>(value: &T, sink: &mut impl Sink) -> Step {
    let mut depth = 0;
    value.serialize(Parts {
        sink,
        depth: &mut depth,
    })
}

/// What serde hands a value's parts to.
struct Parts<'s, S> {
    sink: &'s mut S,
    /// How many collections are open.
    depth: &'s mut usize,
}

impl<'s, S: Sink> Parts<'s, S> {
    fn part(&mut self) -> Parts<'_, S> {
        Parts {
            sink: self.sink,
            depth: self.depth,
        }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        value.serialize(self.part())
    }

    fn open(&mut self, collection: Collection) -> Step {
        *self.depth += 1;
        if *self.depth > MAX_DEPTH {
            let problem = format!("exceeded max depth of {MAX_DEPTH}");
            let line = None;
            return Err(Error::Unwritable { line, problem }.into());
        }
        self.sink.open(collection)
    }

    fn close(&mut self) -> Step {
        *self.depth -= 1;
        self.sink.close()
    }

    fn opened(mut self, collection: Collection) -> Result<Open<'s, S>, Stop> {
        self.open(collection)?;
        Ok(Open {
            parts: self,
            is_variant: false,
        })
    }

    /// A variant with fields: a mapping of its name to them.
    fn opened_variant(
        mut self,
        name: &'static str,
        collection: Collection,
    ) -> Result<Open<'s, S>, Stop> {
        self.open(Collection::Mapping)?;
        self.sink.key(Key::Text(name))?;
        self.open(collection)?;
        Ok(Open {
            parts: self,
            is_variant: true,
        })
    }
}

impl<'s, S: Sink> ser::Serializer for Parts<'s, S> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Open<'s, S>;
    type SerializeTuple = Open<'s, S>;
    type SerializeTupleStruct = Open<'s, S>;
    type SerializeTupleVariant = Open<'s, S>;
    type SerializeMap = Open<'s, S>;
    type SerializeStruct = Open<'s, S>;
    type SerializeStructVariant = Open<'s, S>;

    fn serialize_bool(self, v: bool) -> Step {
        self.sink.bool(v)
    }

    fn serialize_i8(self, v: i8) -> Step {
        self.sink.int(v.into())
    }

    fn serialize_i16(self, v: i16) -> Step {
        self.sink.int(v.into())
    }

    fn serialize_i32(self, v: i32) -> Step {
        self.sink.int(v.into())
    }

    fn serialize_i64(self, v: i64) -> Step {
        self.sink.int(v)
    }

    fn serialize_u8(self, v: u8) -> Step {
        self.sink.uint(v.into())
    }

    fn serialize_u16(self, v: u16) -> Step {
        self.sink.uint(v.into())
    }

    fn serialize_u32(self, v: u32) -> Step {
        self.sink.uint(v.into())
    }

    fn serialize_u64(self, v: u64) -> Step {
        self.sink.uint(v)
    }

    /// With the digits of a float32, as Go's JSON encoder writes one.
    fn serialize_f32(self, v: f32) -> Step {
        let value = if v.is_finite() {
            number::parse_decimal(&v.to_string())
        } else {
            None
        };
        self.sink.float(value.unwrap_or_else(|| v.into()))
    }

    fn serialize_f64(self, v: f64) -> Step {
        self.sink.float(v)
    }

    fn serialize_char(self, v: char) -> Step {
        self.sink.text(v.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, v: &str) -> Step {
        self.sink.text(v)
    }

    /// Bytes stand for a Go string that may be no UTF-8.
    fn serialize_bytes(self, v: &[u8]) -> Step {
        match std::str::from_utf8(v) {
            Ok(text) => self.sink.text(text),
            Err(_) => self.sink.bytes(v),
        }
    }

    fn serialize_none(self) -> Step {
        self.sink.null()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Step {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Step {
        self.sink.null()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Step {
        self.sink.null()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Step {
        self.sink.text(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Step {
        match name {
            PLAIN => self.sink.plain(),
            FIELDS => self.sink.fields(),
            _ => {}
        }
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Step {
        self.open(Collection::Mapping)?;
        self.sink.key(Key::Text(variant))?;
        self.value(value)?;
        self.close()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Open<'s, S>, Stop> {
        self.opened(Collection::Sequence)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Open<'s, S>, Stop> {
        self.opened(Collection::Sequence)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Open<'s, S>, Stop> {
        self.opened(Collection::Sequence)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'s, S>, Stop> {
        self.opened_variant(variant, Collection::Sequence)
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Open<'s, S>, Stop> {
        self.opened(Collection::Mapping)
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Open<'s, S>, Stop> {
        self.opened(Collection::Mapping)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Open<'s, S>, Stop> {
        self.opened_variant(variant, Collection::Mapping)
    }
}

/// A collection that is being taken; two of them for a variant with fields.
pub(super) struct Open<'s, S> {
    parts: Parts<'s, S>,
    is_variant: bool,
}

impl<S: Sink> Open<'_, S> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        self.parts.sink.item()?;
        self.parts.value(value)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Step {
        self.parts.sink.key(Key::Text(key))?;
        self.parts.value(value)
    }

    fn finish(mut self) -> Step {
        self.parts.close()?;
        if self.is_variant {
            self.parts.close()?;
        }
        Ok(())
    }
}

impl<S: Sink> ser::SerializeSeq for Open<'_, S> {
    type Ok = ();
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        self.item(value)
    }

    fn end(self) -> Step {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeTuple for Open<'_, S> {
    type Ok = ();
    type Error = Stop;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        self.item(value)
    }

    fn end(self) -> Step {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeTupleStruct for Open<'_, S> {
    type Ok = ();
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        self.item(value)
    }

    fn end(self) -> Step {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeTupleVariant for Open<'_, S> {
    type Ok = ();
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        self.item(value)
    }

    fn end(self) -> Step {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeMap for Open<'_, S> {
    type Ok = ();
    type Error = Stop;

    /// Keys are strings, or scalars that are written as strings.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Step {
        serialize(key, &mut Keys(self.parts.sink))
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Step {
        self.parts.value(value)
    }

    fn end(self) -> Step {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeStruct for Open<'_, S> {
    type Ok = ();
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Step {
        self.field(key, value)
    }

    fn end(self) -> Step {
        self.finish()
    }
}

impl<S: Sink> ser::SerializeStructVariant for Open<'_, S> {
    type Ok = ();
    type Error = Stop;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Step {
        self.field(key, value)
    }

    fn end(self) -> Step {
        self.finish()
    }
}

/// Takes a scalar as a key.
struct Keys<'s>(&'s mut dyn Sink);

impl Keys<'_> {
    fn unsupported(&self) -> Step {
        Err(ser::Error::custom("json: unsupported type of a map's key"))
    }
}

impl Sink for Keys<'_> {
    fn null(&mut self) -> Step {
        self.unsupported()
    }

    fn bool(&mut self, value: bool) -> Step {
        self.text(if value { "true" } else { "false" })
    }

    fn int(&mut self, value: i64) -> Step {
        self.text(&value.to_string())
    }

    fn uint(&mut self, value: u64) -> Step {
        self.text(&value.to_string())
    }

    fn float(&mut self, _value: f64) -> Step {
        self.unsupported()
    }

    fn text(&mut self, text: &str) -> Step {
        self.0.key(Key::Text(text))
    }

    fn bytes(&mut self, bytes: &[u8]) -> Step {
        self.0.key(Key::Bytes(bytes))
    }

    fn open(&mut self, _collection: Collection) -> Step {
        self.unsupported()
    }

    fn item(&mut self) -> Step {
        self.unsupported()
    }

    fn key(&mut self, _key: Key<'_>) -> Step {
        self.unsupported()
    }

    fn close(&mut self) -> Step {
        self.unsupported()
    }
}
