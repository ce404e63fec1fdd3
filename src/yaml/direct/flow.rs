//! Flow collections: `[a, b]` and `{a: b}`.

use std::borrow::Cow;

use memchr::memchr;
use serde_json::{Map, Value};

use super::scalar::{FLOW_STOPS, Stop};
use super::{Direct, Select, Word, plain_value, string};

impl<'a> Direct<'a> {
    /// A flow collection in a block collection; on to the next content.
    pub(super) fn flow_in_block<S: Select>(&mut self, select: Option<S>) -> Option<Value> {
        let value = self.flow_collection(select)?;
        self.end_line()?;
        Some(value)
    }

    fn flow_collection<S: Select>(&mut self, select: Option<S>) -> Option<Value> {
        self.deeper()?;
        let opening = self.byte();
        self.pos += 1;
        let value = if opening == b'[' {
            self.flow_sequence(select)
        } else {
            self.flow_mapping(select)
        };
        self.depth -= 1;
        value
    }

    fn flow_sequence<S: Select>(&mut self, select: Option<S>) -> Option<Value> {
        let wanted = select.and_then(S::item);
        let mut items = Vec::new();
        loop {
            self.skip_in_flow()?;
            if self.byte() == b']' {
                break;
            }
            let item = self.flow_node(wanted)?;
            if wanted.is_some() {
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
        Some(Value::Array(items))
    }

    fn flow_mapping<S: Select>(&mut self, select: Option<S>) -> Option<Value> {
        let mut map = Map::new();
        loop {
            self.skip_in_flow()?;
            if self.byte() == b'}' {
                break;
            }
            let key = self.flow_key()?;
            let wanted = select.and_then(|select| select.entry(&key));
            self.skip_in_flow()?;
            let value = match self.byte() {
                b',' | b'}' => Value::Null,
                _ => self.flow_node(wanted)?,
            };
            if wanted.is_some() {
                map.insert(key.into_owned(), value);
            }
            self.skip_in_flow()?;
            match self.byte() {
                b',' => self.pos += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.pos += 1;
        Some(Value::Object(map))
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

    fn flow_node<S: Select>(&mut self, select: Option<S>) -> Option<Value> {
        let wanted = select.is_some();
        match self.byte() {
            b'[' | b'{' => self.flow_collection(select),
            b'"' | b'\'' => Some(string(self.quoted(wanted)?, wanted)),
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
