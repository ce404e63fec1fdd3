//! Everyday documents, from text straight to values.
//!
//! In comes text whose only line break is LF; out comes the value that `scanner`, `parser`, `compose` and
//! `json` would make of it, or nothing where the document holds anything out of the ordinary: an anchor,
//! a tag, an explicit key, a second document, anything that is wrong. Then those rooms read it from
//! the start. So nothing is refused here, and nothing is read here whose meaning is in any doubt.
//!
//! Each function stands at its first character, and leaves the cursor behind its last one, or, as
//! its name or comment says, at the next content: a character that is no blank, comment or line break.

mod block;
mod flow;
mod scalar;

use std::borrow::Cow;

use memchr::memchr;

use super::reader;
use super::resolve::{self, Scalar};

/// Collections within one another; deeper documents are left to the walk that keeps its own stack.
const MAX_DEPTH: usize = 100;

/// Bytes between the start of a simple key and its colon: well within go-yaml's 1024 characters.
const MAX_KEY_LENGTH: usize = 1000;

/// What becomes of a document's parts, and which of them are wanted. The others are only judged.
pub trait Construct: Copy {
    /// What a node becomes.
    type Value;
    /// A mapping that is being filled.
    type Map: Default;

    /// What is wanted of the value of a mapping's key, if anything.
    fn entry(self, _key: &str) -> Option<Self> {
        Some(self)
    }

    /// What is wanted of each item of a sequence.
    fn item(self) -> Option<Self> {
        Some(self)
    }

    /// Null, or what is not wanted.
    fn null() -> Self::Value;
    /// A boolean.
    fn bool(value: bool) -> Self::Value;
    /// An integer.
    fn int(value: i64) -> Self::Value;
    /// An integer beyond `i64`.
    fn uint(value: u64) -> Self::Value;
    /// A finite number that is no integer in YAML.
    fn float(value: f64) -> Self::Value;
    /// A string.
    fn text(text: Cow<'_, str>) -> Self::Value;
    /// A sequence.
    fn sequence(items: Vec<Self::Value>) -> Self::Value;
    /// A mapping.
    fn mapping(map: Self::Map) -> Self::Value;
    /// Adds an entry. Of equal keys the last one counts.
    fn insert(map: &mut Self::Map, key: Cow<'_, str>, value: Self::Value);
}

/// The value of an everyday document.
pub(super) fn read<C: Construct>(bytes: &[u8], construct: C) -> Option<C::Value> {
    let text = reader::everyday(bytes)?;
    let mut direct = Direct {
        text: &text,
        bytes: text.as_bytes(),
        pos: 0,
        column: -1,
        depth: 0,
    };
    direct.document(construct)
}

/// A cursor, and no state besides.
struct Direct<'a> {
    text: &'a str,
    bytes: &'a [u8],
    pos: usize,
    /// Of the next content, while the cursor is there; -1 at the end.
    column: isize,
    depth: usize,
}

/// A scalar that stands where a key may stand.
struct Word<'a> {
    text: Cow<'a, str>,
    plain: bool,
    /// Whether the colon of a key is behind it, which the cursor has passed.
    is_key: bool,
}

impl<'a> Direct<'a> {
    /// The byte here, 0 at the end.
    #[inline]
    fn byte(&self) -> u8 {
        self.byte_at(self.pos)
    }

    #[inline]
    fn byte_at(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Whether a blank, a line break or the end is there.
    #[inline]
    fn is_blankz_at(&self, at: usize) -> bool {
        matches!(self.byte_at(at), b' ' | b'\n' | b'\t' | 0)
    }

    #[inline]
    fn skip_spaces(&mut self) {
        const STRIDE: &[u8; 8] = b"        ";
        while self.bytes[self.pos..].starts_with(STRIDE) {
            self.pos += STRIDE.len();
        }
        while self.byte() == b' ' {
            self.pos += 1;
        }
    }

    /// Moves to the next line break or the end.
    #[inline]
    fn skip_to_break(&mut self) {
        self.pos = self.line_end();
    }

    #[inline]
    fn line_end(&self) -> usize {
        match memchr(b'\n', &self.bytes[self.pos..]) {
            Some(length) => self.pos + length,
            None => self.bytes.len(),
        }
    }

    /// Leaves a line that holds nothing more than blanks and a comment, for the next content.
    fn end_line(&mut self) -> Option<()> {
        let spaces = self.pos;
        self.skip_spaces();
        match self.byte() {
            b'\n' | 0 => {}
            b'#' if self.pos > spaces => {}
            _ => return None,
        }
        self.find_content()
    }

    /// Moves from a comment, from the end of a line or from content (where it stays) to the next content.
    fn find_content(&mut self) -> Option<()> {
        loop {
            match self.byte() {
                b'#' => self.skip_to_break(),
                b'\n' => _ = self.find_line()?,
                // `---`, `...` and directives end what is everyday.
                first @ (b'-' | b'.') if self.column == 0 => {
                    let marker =
                        self.byte_at(self.pos + 1) == first && self.byte_at(self.pos + 2) == first;
                    return (!marker).then_some(());
                }
                b'%' if self.column == 0 => return None,
                0 => {
                    self.column = -1;
                    return Some(());
                }
                _ => return Some(()),
            }
        }
    }

    /// Moves from the end of a line to the next one that is not blank, behind its indentation, or to the
    /// end. Says how many lines that is.
    #[inline]
    fn find_line(&mut self) -> Option<usize> {
        let mut breaks = 0;
        while self.pos < self.bytes.len() {
            breaks += 1;
            self.pos += 1;
            let line = self.pos;
            self.skip_spaces();
            match self.byte() {
                b'\n' => {}
                0 => break,
                // Where tabs are allowed depends on what stands before them.
                b'\t' => return None,
                _ => {
                    self.column = (self.pos - line) as isize;
                    return Some(breaks);
                }
            }
        }
        self.column = -1;
        Some(breaks)
    }

    fn document<C: Construct>(&mut self, construct: C) -> Option<C::Value> {
        self.skip_spaces();
        self.column = self.pos as isize;
        while matches!(self.byte(), b'#' | b'\n') {
            self.skip_to_break();
            self.find_line()?;
        }
        if self.column == 0 && self.bytes[self.pos..].starts_with(b"---") {
            self.pos += 3;
            self.end_line()?;
        } else {
            self.find_content()?;
        }
        if self.column < 0 {
            return Some(C::null());
        }
        let value = self.node(-1, Some(construct))?;
        (self.column < 0).then_some(value)
    }

    /// The node that begins here, deeper than its parent's column; on to the next content.
    fn node<C: Construct>(&mut self, parent: isize, wanted: Option<C>) -> Option<C::Value> {
        let column = self.column;
        match self.byte() {
            b'-' if self.is_blankz_at(self.pos + 1) => return self.sequence(column, false, wanted),
            b'[' | b'{' => return self.flow_in_block(wanted),
            b'|' | b'>' => return self.block_scalar(parent, wanted),
            _ => {}
        }
        if let Some(key) = self.plain_key() {
            return self.mapping(key.into(), column, wanted);
        }
        let start = self.pos;
        let word = self.word(wanted.is_some())?;
        if word.is_key {
            let key = self.key_text(start, word)?;
            return self.mapping(key, column, wanted);
        }
        self.rest_of_scalar(word, parent, wanted)
    }

    /// A block mapping whose first key was read; on to the next content.
    fn mapping<C: Construct>(
        &mut self,
        mut key: Cow<'a, str>,
        column: isize,
        wanted: Option<C>,
    ) -> Option<C::Value> {
        self.deeper()?;
        let mut map = C::Map::default();
        loop {
            let inner = wanted.and_then(|construct| construct.entry(&key));
            let value = self.entry(column, inner)?;
            if inner.is_some() {
                C::insert(&mut map, key, value);
            }
            if self.column != column {
                break;
            }
            key = match self.plain_key() {
                Some(key) => key.into(),
                None => {
                    let start = self.pos;
                    let word = self.word(wanted.is_some())?;
                    self.key_text(start, word)?
                }
            };
        }
        if self.column > column {
            return None;
        }
        self.depth -= 1;
        Some(C::mapping(map))
    }

    /// The value behind a key's colon; on to the next content.
    fn entry<C: Construct>(&mut self, column: isize, wanted: Option<C>) -> Option<C::Value> {
        self.skip_spaces();
        match self.byte() {
            b'\n' | b'#' | 0 => {
                self.find_content()?;
                if self.column > column {
                    return self.node(column, wanted);
                }
                // A sequence in a mapping need not be deeper than its key.
                let entry = self.byte() == b'-' && self.is_blankz_at(self.pos + 1);
                if self.column == column && entry {
                    return self.sequence(column, true, wanted);
                }
                Some(C::null())
            }
            b'[' | b'{' => self.flow_in_block(wanted),
            b'|' | b'>' => self.block_scalar(column, wanted),
            b'-' if self.is_blankz_at(self.pos + 1) => None,
            _ => {
                let word = self.word(wanted.is_some())?;
                if word.is_key {
                    return None;
                }
                self.rest_of_scalar(word, column, wanted)
            }
        }
    }

    /// A block sequence; on to the next content.
    fn sequence<C: Construct>(
        &mut self,
        column: isize,
        in_mapping: bool,
        wanted: Option<C>,
    ) -> Option<C::Value> {
        self.deeper()?;
        let inner = wanted.and_then(C::item);
        let mut items = Vec::new();
        loop {
            self.pos += 1;
            let dash = self.pos;
            self.skip_spaces();
            let item = match self.byte() {
                b'\n' | b'#' | 0 => {
                    self.find_content()?;
                    if self.column > column {
                        self.node(column, inner)?
                    } else {
                        C::null()
                    }
                }
                _ => {
                    self.column = column + 1 + (self.pos - dash) as isize;
                    self.node(column, inner)?
                }
            };
            if inner.is_some() {
                items.push(item);
            }
            if self.column != column {
                break;
            }
            if !(self.byte() == b'-' && self.is_blankz_at(self.pos + 1)) {
                if in_mapping {
                    break;
                }
                return None;
            }
        }
        if self.column > column {
            return None;
        }
        self.depth -= 1;
        Some(C::sequence(items))
    }

    /// A key as JSON has it: strings, and scalars whose text is not in doubt.
    fn key_text(&self, start: usize, word: Word<'a>) -> Option<Cow<'a, str>> {
        if !word.is_key || self.pos - start > MAX_KEY_LENGTH {
            return None;
        }
        if !word.plain {
            return Some(word.text);
        }
        match resolve::plain(&word.text) {
            // `<<` merges.
            Scalar::Str if word.text != "<<" => Some(word.text),
            Scalar::Bool(key) => Some(if key { "true" } else { "false" }.into()),
            Scalar::Int(key) => Some(key.to_string().into()),
            _ => None,
        }
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }
}

/// A plain scalar's value, unless it is a number that JSON does not know.
fn plain_value<C: Construct>(text: Cow<'_, str>, wanted: Option<C>) -> Option<C::Value> {
    if wanted.is_none() && !text.starts_with(['.', '+', '-']) {
        return Some(C::null());
    }
    Some(match resolve::plain(&text) {
        Scalar::Null => C::null(),
        Scalar::Bool(value) => C::bool(value),
        Scalar::Int(value) => C::int(value),
        Scalar::Uint(value) => C::uint(value),
        Scalar::Float(value) if value.is_finite() => C::float(value),
        Scalar::Float(_) => return None,
        Scalar::Timestamp | Scalar::Str => string(text, wanted),
    })
}

fn string<C: Construct>(text: Cow<'_, str>, wanted: Option<C>) -> C::Value {
    match wanted {
        Some(_) => C::text(text),
        None => C::null(),
    }
}

fn push_breaks(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n('\n', count));
}
