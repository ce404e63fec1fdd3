//! Scalars in single and double quotes.

use std::borrow::Cow;

use super::cursor::{BLANK, BREAK, CLASS, END, QUOTE, WIDE};
use super::error::Fault;
use super::scalar::Breaks;
use super::scanner::Scanner;
use super::token::{Kind, Token};

impl<'a> Scanner<'a> {
    /// go-yaml: scannerc.go yaml_parser_scan_flow_scalar.
    pub(super) fn scan_quoted(&mut self, single: bool) -> Result<Token<'a>, Fault> {
        let line = self.mark.line;
        self.advance(1);
        let simple = if self.is_sound() {
            self.simple_quoted(single)
        } else {
            None
        };
        let text = match simple {
            Some(text) => Cow::Borrowed(text),
            None => Cow::Owned(self.folded_quoted(single)?),
        };
        self.advance(1);
        Ok(Token {
            kind: Kind::Scalar { text, plain: false },
            line,
        })
    }

    /// A scalar on one line and without an escape, which is most of them.
    fn simple_quoted(&mut self, single: bool) -> Option<&'a str> {
        let quote = if single { b'\'' } else { b'"' };
        let begin = self.pos;
        let mut at = begin;
        loop {
            let b = *self.bytes.get(at)?;
            match CLASS[usize::from(b)] {
                QUOTE if b == quote => break,
                QUOTE if b == b'\\' && !single => return None,
                BREAK => return None,
                WIDE if self.is_break(at - begin) => return None,
                _ => at += 1,
            }
        }
        if single && self.bytes.get(at + 1) == Some(&quote) {
            return None;
        }
        self.advance_to(at);
        Some(&self.text[begin..at])
    }

    fn folded_quoted(&mut self, single: bool) -> Result<String, Fault> {
        let quote = if single { b'\'' } else { b'"' };
        let mut out = String::new();
        let mut breaks = Breaks::default();
        loop {
            self.check_horizon(4)?;
            if self.mark.column == 0 && self.at_document_indicator() {
                return self.error("found unexpected document indicator");
            }
            if self.at_end() {
                return self.error("found unexpected end of stream");
            }
            let mut leading_blanks = self.read_words(single, &mut out)?;
            if self.byte(0) == quote {
                return Ok(out);
            }
            let blanks = self.pos;
            let mut blanks_end = blanks;
            loop {
                if self.is_blank(0) {
                    self.advance(1);
                    blanks_end = self.pos;
                } else if self.is_break(0) {
                    let stands_for = self.read_line();
                    breaks.push(stands_for, !leading_blanks);
                    leading_blanks = true;
                } else {
                    break;
                }
            }
            if leading_blanks {
                breaks.fold_into(&mut out);
            } else {
                out.push_str(&self.text[blanks..blanks_end]);
            }
        }
    }

    /// Reads up to a blank, a break, the end or the closing quote; true behind an escaped line break.
    fn read_words(&mut self, single: bool, out: &mut String) -> Result<bool, Fault> {
        loop {
            let run = self.pos;
            let run_end = self.quoted_run_end();
            out.push_str(&self.text[run..run_end]);
            self.advance_to(run_end);
            match (self.byte(0), single) {
                (b'\'', true) if self.byte(1) == b'\'' => {
                    out.push('\'');
                    self.advance(2);
                }
                (b'\'', true) | (b'"', false) => return Ok(false),
                (b'\'', false) | (b'"' | b'\\', true) => {
                    out.push(char::from(self.byte(0)));
                    self.advance(1);
                }
                (b'\\', false) if self.is_break(1) => {
                    self.advance(1);
                    self.skip_line();
                    return Ok(true);
                }
                (b'\\', false) => self.read_escape(out)?,
                _ => return Ok(false),
            }
        }
    }

    fn quoted_run_end(&self) -> usize {
        let mut at = self.pos;
        while let Some(&b) = self.bytes.get(at) {
            let class = CLASS[usize::from(b)];
            if class & (BLANK | BREAK | END | QUOTE) != 0
                || (class == WIDE && self.is_break(at - self.pos))
            {
                break;
            }
            at += 1;
        }
        at
    }

    fn read_escape(&mut self, out: &mut String) -> Result<(), Fault> {
        match unescape(&self.bytes[self.pos + 1..]) {
            Ok((c, width)) => {
                out.push(c);
                self.advance(1 + width);
                Ok(())
            }
            Err(problem) => self.error(problem),
        }
    }
}

/// The character that stands behind a backslash, and how many bytes it takes.
pub(super) fn unescape(bytes: &[u8]) -> Result<(char, usize), &'static str> {
    let (c, digits) = match bytes.first().copied().unwrap_or(0) {
        b'0' => ('\0', 0),
        b'a' => ('\x07', 0),
        b'b' => ('\x08', 0),
        b't' | b'\t' => ('\t', 0),
        b'n' => ('\n', 0),
        b'v' => ('\x0b', 0),
        b'f' => ('\x0c', 0),
        b'r' => ('\r', 0),
        b'e' => ('\x1b', 0),
        b' ' => (' ', 0),
        b'"' => ('"', 0),
        b'\'' => ('\'', 0),
        b'\\' => ('\\', 0),
        b'N' => ('\u{85}', 0),
        b'_' => ('\u{a0}', 0),
        b'L' => ('\u{2028}', 0),
        b'P' => ('\u{2029}', 0),
        b'x' => ('\0', 2),
        b'u' => ('\0', 4),
        b'U' => ('\0', 8),
        _ => return Err("found unknown escape character"),
    };
    if digits == 0 {
        return Ok((c, 1));
    }
    let mut value = 0;
    for at in 1..=digits {
        let digit = bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
        let Some(digit) = digit else {
            return Err("did not find expected hexdecimal number");
        };
        value = (value << 4) | digit;
    }
    match char::from_u32(value) {
        Some(c) => Ok((c, 1 + digits)),
        None => Err("found invalid Unicode character escape code"),
    }
}
