//! Plain scalars and quoted ones.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

use super::{Construct, Direct, MAX_KEY_LENGTH, Word, plain_value, push_breaks, string};
use crate::yaml::quoted::unescape;
use crate::yaml::resolve::{self, Scalar};

/// Characters that end a run of a plain scalar, or may end it.
static STOPS: [bool; 256] = stops(b"\n:#\0");

/// The same in a flow collection.
pub(super) static FLOW_STOPS: [bool; 256] = stops(b"\n:#\0,?[]{}");

const fn stops(stops: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut i = 0;
    while i < stops.len() {
        table[stops[i] as usize] = true;
        i += 1;
    }
    table
}

/// Where a line of a plain scalar ends, and what is there.
pub(super) struct Line {
    pub(super) end: usize,
    pub(super) stop: Stop,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The line break, or the end.
    Break,
    Comment,
    /// A colon with a blank behind it.
    Colon,
    /// A character that means something in flow collections.
    Flow,
}

fn is_key_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/')
}

impl<'a> Direct<'a> {
    /// The scalar here, a plain one up to the end of the line at most, or the key with its colon.
    /// `wanted` says whether the text of a quoted one matters.
    pub(super) fn word(&mut self, wanted: bool) -> Option<Word<'a>> {
        match self.byte() {
            b'"' | b'\'' => self.quoted_word(wanted),
            b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b'#' | b'\t' => None,
            b',' | b'[' | b']' | b'{' | b'}' => None,
            b'-' | b'?' | b':' if self.is_blankz_at(self.pos + 1) => None,
            _ => {
                let start = self.pos;
                let line = self.plain_line(&STOPS);
                let is_key = line.stop == Stop::Colon;
                self.pos += usize::from(is_key);
                Some(Word {
                    text: Cow::Borrowed(&self.text[start..line.end]),
                    plain: true,
                    is_key,
                })
            }
        }
    }

    fn quoted_word(&mut self, wanted: bool) -> Option<Word<'a>> {
        let start = self.pos;
        let text = self.quoted(wanted)?;
        let end = self.pos;
        self.skip_spaces();
        let is_key = self.byte() == b':' && self.is_blankz_at(self.pos + 1);
        if !is_key {
            self.pos = end;
        } else if memchr(b'\n', &self.bytes[start..end]).is_none() {
            self.pos += 1;
        } else {
            return None;
        }
        Some(Word {
            text,
            plain: false,
            is_key,
        })
    }

    /// A plain key that is nothing but a string, with its colon: that is most of them.
    #[inline]
    pub(super) fn plain_key(&mut self) -> Option<&'a str> {
        let start = self.pos;
        let rest = &self.bytes[start..];
        let length = rest.iter().position(|&b| !is_key_byte(b))?;
        if !rest.first()?.is_ascii_alphabetic()
            || rest[length] != b':'
            || !self.is_blankz_at(start + length + 1)
            || length > MAX_KEY_LENGTH
        {
            return None;
        }
        let text = &self.text[start..start + length];
        if resolve::plain(text) != Scalar::Str {
            return None;
        }
        self.pos += length + 1;
        Some(text)
    }

    /// Moves over the plain scalar's characters on this line, to what stops it.
    #[inline]
    pub(super) fn plain_line(&mut self, stops: &[bool; 256]) -> Line {
        let start = self.pos;
        let mut at = start;
        let stop = loop {
            while let Some(&b) = self.bytes.get(at)
                && !stops[usize::from(b)]
            {
                at += 1;
            }
            match self.byte_at(at) {
                b'\n' | 0 => break Stop::Break,
                b'#' if matches!(self.bytes[at - 1], b' ' | b'\t') => break Stop::Comment,
                b':' if self.is_blankz_at(at + 1) => break Stop::Colon,
                b'#' | b':' => at += 1,
                _ => break Stop::Flow,
            }
        };
        self.pos = at;
        while at > start && matches!(self.bytes[at - 1], b' ' | b'\t') {
            at -= 1;
        }
        Line { end: at, stop }
    }

    /// What follows a scalar that is no key: nothing, or further lines of a plain one. On to the next
    /// content.
    pub(super) fn rest_of_scalar<C: Construct>(
        &mut self,
        word: Word<'a>,
        parent: isize,
        wanted: Option<C>,
    ) -> Option<C::Value> {
        let mut text = word.text;
        if !word.plain {
            self.end_line()?;
            return Some(string(text, wanted));
        }
        // At the top, the end of the document is to be looked for on each line.
        if parent < 0 {
            return None;
        }
        while self.byte() != b'#' {
            let breaks = self.find_line()?;
            if self.column <= parent || self.byte() == b'#' {
                break;
            }
            let start = self.pos;
            let line = self.plain_line(&STOPS);
            if line.stop == Stop::Colon {
                return None;
            }
            if wanted.is_some() {
                let out = text.to_mut();
                match breaks {
                    1 => out.push(' '),
                    more => push_breaks(out, more - 1),
                }
                out.push_str(&self.text[start..line.end]);
            } else {
                // Whatever it is, it is a string.
                text = Cow::Borrowed(" ");
            }
        }
        self.find_content()?;
        plain_value(text, wanted)
    }

    /// A quoted scalar.
    pub(super) fn quoted(&mut self, wanted: bool) -> Option<Cow<'a, str>> {
        let quote = self.byte();
        self.pos += 1;
        let begin = self.pos;
        let at = self.quoted_stop(quote)?;
        if self.bytes[at] == quote && (quote == b'"' || self.byte_at(at + 1) != quote) {
            self.pos = at + 1;
            return Some(Cow::Borrowed(&self.text[begin..at]));
        }
        let mut out = String::new();
        loop {
            let run = self.pos;
            let at = self.quoted_stop(quote)?;
            let text = &self.text[run..at];
            self.pos = at + 1;
            match self.bytes[at] {
                b'\n' => {
                    out.push_str(text.trim_end_matches([' ', '\t']));
                    match self.skip_breaks_in_quotes()? {
                        0 => out.push(' '),
                        breaks => push_breaks(&mut out, breaks),
                    }
                }
                b'\\' if self.byte() == b'\n' => {
                    out.push_str(text);
                    self.pos += 1;
                    let breaks = self.skip_breaks_in_quotes()?;
                    push_breaks(&mut out, breaks);
                }
                b'\\' => {
                    out.push_str(text);
                    let (c, width) = unescape(&self.bytes[self.pos..]).ok()?;
                    out.push(c);
                    self.pos += width;
                }
                b'\'' if self.byte() == b'\'' => {
                    out.push_str(text);
                    out.push('\'');
                    self.pos += 1;
                }
                _ => {
                    out.push_str(text);
                    break;
                }
            }
        }
        Some(if wanted {
            Cow::Owned(out)
        } else {
            Cow::Borrowed("")
        })
    }

    /// Where the next quote, backslash or line break is that matters in quotes.
    fn quoted_stop(&self, quote: u8) -> Option<usize> {
        let rest = &self.bytes[self.pos..];
        let length = if quote == b'"' {
            memchr3(b'"', b'\\', b'\n', rest)
        } else {
            memchr2(b'\'', b'\n', rest)
        };
        Some(self.pos + length?)
    }

    /// From the start of a line in quotes over blanks and further line breaks, which are counted.
    fn skip_breaks_in_quotes(&mut self) -> Option<usize> {
        let mut breaks = 0;
        loop {
            let line = self.pos;
            while matches!(self.byte(), b' ' | b'\t') {
                self.pos += 1;
            }
            match self.byte() {
                b'\n' => {
                    breaks += 1;
                    self.pos += 1;
                }
                // Perhaps the start or end of a document.
                b'-' | b'.' if self.pos == line => return None,
                _ => return Some(breaks),
            }
        }
    }
}
