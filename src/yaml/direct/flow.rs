//! Flow collections: `[a, b]` and `{a: b}`.

use std::borrow::Cow;

use memchr::memchr;

use super::scalar::{FLOW_STOPS, Stop};
use super::{Construct, Direct, Word, plain_value, string};

impl<'a> Direct<'a> {
    /// A flow collection in a block collection; on to the next content.
    pub(super) fn flow_in_block<C: Construct>(&mut self, wanted: Option<C>) -> Option<C::Value> {
        let value = self.flow_collection(wanted)?;
        self.end_line()?;
        Some(value)
    }

    fn flow_collection<C: Construct>(&mut self, wanted: Option<C>) -> Option<C::Value> {
        self.deeper()?;
        let opening = self.byte();
        self.pos += 1;
        let value = if opening == b'[' {
            self.flow_sequence(wanted)
        } else {
            self.flow_mapping(wanted)
        };
        self.depth -= 1;
        value
    }

    fn flow_sequence<C: Construct>(&mut self, wanted: Option<C>) -> Option<C::Value> {
        let inner = wanted.and_then(C::item);
        let mut items = Vec::new();
        loop {
            self.skip_in_flow()?;
            if self.byte() == b']' {
                break;
            }
            let item = self.flow_node(inner)?;
            if inner.is_some() {
                items.push(item);
            }
            self.skip_in_flow()?;
            match self.byte() {
                b',' => self.pos += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.pos += 1;
        Some(C::sequence(items))
    }

    fn flow_mapping<C: Construct>(&mut self, wanted: Option<C>) -> Option<C::Value> {
        let mut map = C::Map::default();
        loop {
            self.skip_in_flow()?;
            if self.byte() == b'}' {
                break;
            }
            let key = self.flow_key()?;
            let inner = wanted.and_then(|construct| construct.entry(&key));
            self.skip_in_flow()?;
            let value = match self.byte() {
                b',' | b'}' => C::null(),
                _ => self.flow_node(inner)?,
            };
            if inner.is_some() {
                C::insert(&mut map, key, value);
            }
            self.skip_in_flow()?;
            match self.byte() {
                b',' => self.pos += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.pos += 1;
        Some(C::mapping(map))
    }

    /// A key and its colon, on one line.
    fn flow_key(&mut self) -> Option<Cow<'a, str>> {
        let start = self.pos;
        let word = match self.byte() {
            b'"' | b'\'' => {
                let text = self.quoted(true)?;
                self.skip_spaces();
                let one_line = memchr(b'\n', &self.bytes[start..self.pos]).is_none();
                if self.byte() != b':' || !one_line {
                    return None;
                }
                Word {
                    text,
                    plain: false,
                    is_key: true,
                }
            }
            _ => {
                let (text, stop) = self.flow_plain()?;
                if stop != Stop::Colon {
                    return None;
                }
                Word {
                    text: Cow::Borrowed(text),
                    plain: true,
                    is_key: true,
                }
            }
        };
        self.pos += 1;
        self.key_text(start, word)
    }

    fn flow_node<C: Construct>(&mut self, wanted: Option<C>) -> Option<C::Value> {
        match self.byte() {
            b'[' | b'{' => self.flow_collection(wanted),
            b'"' | b'\'' => Some(string(self.quoted(wanted.is_some())?, wanted)),
            _ => {
                let (text, stop) = self.flow_plain()?;
                if stop == Stop::Break {
                    // What stands on the next line may be more of it.
                    self.skip_in_flow()?;
                    if !matches!(self.byte(), b',' | b']' | b'}') {
                        return None;
                    }
                }
                plain_value(Cow::Borrowed(text), wanted)
            }
        }
    }

    /// The plain scalar's characters on this line.
    fn flow_plain(&mut self) -> Option<(&'a str, Stop)> {
        match self.byte() {
            b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b'#' | b'\t' | 0 => {
                return None;
            }
            b',' | b'?' | b':' | b'[' | b']' | b'{' | b'}' => return None,
            b'-' if self.is_blankz_at(self.pos + 1) => return None,
            _ => {}
        }
        let start = self.pos;
        let line = self.plain_line(&FLOW_STOPS);
        Some((&self.text[start..line.end], line.stop))
    }

    /// Moves over blanks, comments and line breaks.
    fn skip_in_flow(&mut self) -> Option<()> {
        let mut begin = None;
        loop {
            match self.byte() {
                b' ' => self.pos += 1,
                // What tabs mean depends on what stands before them.
                b'\t' => return None,
                b'#' => self.skip_to_break(),
                b'\n' => {
                    self.pos += 1;
                    begin = Some(self.pos);
                }
                // At the start of a line they may be more than what they seem.
                b'-' | b'.' | b'%' if begin == Some(self.pos) => return None,
                _ => return Some(()),
            }
        }
    }
}
