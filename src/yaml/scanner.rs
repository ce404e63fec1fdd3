//! Text to tokens: indentation, simple keys, and which token begins where.
//!
//! A port of the rules of go-yaml v2's scanner (scannerc.go), which is libyaml's. How scalars,
//! tags and directives are read stands in `scalar.rs`, `quoted.rs`, `block.rs` and `tag.rs`.

use std::collections::VecDeque;

use super::error::Fault;
use super::reader::Input;
use super::token::{Kind, Mark, Token};

/// go-yaml: scannerc.go max_flow_level and max_indents.
const MAX_DEPTH: usize = 10_000;

/// Characters between the start of a simple key and its colon, at most.
const SIMPLE_KEY_LENGTH: usize = 1024;

/// Turns text into tokens, no further ahead than the parser needs.
pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    /// The byte offset of the next character.
    pub(super) pos: usize,
    pub(super) mark: Mark,
    fault: Option<Fault>,
    horizon: usize,
    /// As long as go-yaml's buffer begins with a byte order mark and is not read up to this offset,
    /// it takes the first character of any line for one (yamlprivateh.go is_bom).
    bom_until: usize,
    started: bool,

    tokens: VecDeque<Token<'a>>,
    /// How many tokens the parser has taken.
    taken: usize,
    available: bool,

    pub(super) indent: isize,
    indents: Vec<isize>,
    pub(super) simple_key_allowed: bool,
    pub(super) flow_level: usize,
    /// The last place on each flow level where a simple key may have begun.
    simple_keys: Vec<SimpleKey>,
    /// The levels of `simple_keys` by the number of the token they begin with, ascending.
    key_tokens: VecDeque<(usize, usize)>,
}

#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        let text: &'a str = &input.text;
        let bom_until = if text.starts_with('\u{feff}') {
            input.first_chunk
        } else {
            0
        };
        Self {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            mark: Mark::default(),
            fault: input.fault.clone(),
            horizon: input.horizon,
            bom_until,
            started: false,
            tokens: VecDeque::with_capacity(16),
            taken: 0,
            available: false,
            indent: -1,
            indents: Vec::new(),
            simple_key_allowed: true,
            flow_level: 0,
            simple_keys: vec![SimpleKey::default()],
            key_tokens: VecDeque::new(),
        }
    }

    /// The next token, left in the queue. After the end of the stream it is the last one again.
    pub(super) fn peek(&mut self) -> Result<&Token<'a>, Fault> {
        if !self.available {
            self.fetch_more()?;
        }
        Ok(self.tokens.front().unwrap_or(&Token {
            kind: Kind::StreamEnd,
            line: 0,
        }))
    }

    /// Takes the token that was peeked at.
    pub(super) fn take(&mut self) -> Option<Token<'a>> {
        self.available = false;
        self.taken += 1;
        self.tokens.pop_front()
    }

    /// A fault here and now, with the line it is on.
    pub(super) fn error<T>(&self, problem: &str) -> Result<T, Fault> {
        Err(Fault::at(self.mark.line, 1, problem))
    }

    /// Whether all of the text can be read.
    pub(super) fn is_sound(&self) -> bool {
        self.fault.is_none()
    }

    /// The reader's fault, if it is met within the next few characters.
    pub(super) fn check_horizon(&self, characters: usize) -> Result<(), Fault> {
        match &self.fault {
            Some(fault) => {
                let left = self.text.get(self.pos..self.horizon).unwrap_or_default();
                if left.chars().take(characters).count() < characters {
                    Err(fault.clone())
                } else {
                    Ok(())
                }
            }
            None => Ok(()),
        }
    }

    /// Fetches until the first token cannot become a simple key any more.
    fn fetch_more(&mut self) -> Result<(), Fault> {
        loop {
            if !self.tokens.is_empty() {
                match self.key_at(self.taken) {
                    None => break,
                    Some(level) if !self.key_is_valid(level)? => break,
                    Some(_) => {}
                }
            }
            let fetched = self.fetch_next();
            self.check_horizon(1)?;
            fetched?;
        }
        self.available = true;
        Ok(())
    }

    fn fetch_next(&mut self) -> Result<(), Fault> {
        if !self.started {
            self.started = true;
            self.push(Kind::StreamStart);
            return Ok(());
        }
        self.skip_to_token();
        self.unroll_indent(self.mark.column as isize);
        if self.pos + 4 > self.bom_until {
            self.bom_until = 0;
        }
        self.check_horizon(4)?;
        let first = self.byte(0);
        if self.mark.column == 0 {
            match first {
                b'%' => return self.fetch_directive(),
                b'-' if self.at_document_indicator() => {
                    return self.fetch_document_indicator(Kind::DocumentStart);
                }
                b'.' if self.at_document_indicator() => {
                    return self.fetch_document_indicator(Kind::DocumentEnd);
                }
                _ => {}
            }
        }
        let flow = self.flow_level > 0;
        match first {
            0 if self.at_end() => self.fetch_stream_end(),
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.is_blankz(1) => self.fetch_block_entry(),
            b'?' if flow || self.is_blankz(1) => self.fetch_key(),
            b':' if flow || self.is_blankz(1) => self.fetch_value(),
            b'*' => self.fetch_anchor(false),
            b'&' => self.fetch_anchor(true),
            b'!' => self.fetch_tag(),
            b'|' if !flow => self.fetch_block_scalar(true),
            b'>' if !flow => self.fetch_block_scalar(false),
            b'\'' | b'"' => self.fetch_quoted(first == b'\''),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' | b' ' | b'\t' | b'\r' | b'\n' => {
                self.no_token()
            }
            0xc2 | 0xe2 if self.is_break(0) => self.no_token(),
            _ => self.fetch_plain(),
        }
    }

    fn no_token(&self) -> Result<(), Fault> {
        self.error("found character that cannot start any token")
    }

    /// Skips blanks, comments and line breaks.
    fn skip_to_token(&mut self) {
        loop {
            if self.mark.column == 0 && self.pos < self.bom_until {
                self.advance_char();
            }
            loop {
                match self.byte(0) {
                    b' ' => self.advance(1),
                    b'\t' if self.flow_level > 0 || !self.simple_key_allowed => self.advance(1),
                    _ => break,
                }
            }
            if self.byte(0) == b'#' {
                self.skip_to_break();
            }
            if !self.is_break(0) {
                break;
            }
            self.skip_line();
            if self.flow_level == 0 {
                self.simple_key_allowed = true;
            }
        }
    }

    // -- simple keys

    fn next_number(&self) -> usize {
        self.taken + self.tokens.len()
    }

    fn key_at(&mut self, token: usize) -> Option<usize> {
        while self
            .key_tokens
            .front()
            .is_some_and(|&(number, _)| number < token)
        {
            self.key_tokens.pop_front();
        }
        self.key_tokens
            .front()
            .filter(|&&(number, _)| number == token)
            .map(|&(_, level)| level)
    }

    fn forget_key_token(&mut self, token: usize) {
        // The one to forget is nearly always the last.
        if let Some(at) = self
            .key_tokens
            .iter()
            .rposition(|&(number, _)| number <= token)
            && self.key_tokens[at].0 == token
        {
            self.key_tokens.remove(at);
        }
    }

    fn key_is_valid(&mut self, level: usize) -> Result<bool, Fault> {
        let mark = self.mark;
        let Some(key) = self.simple_keys.get_mut(level) else {
            return Ok(false);
        };
        if !key.possible {
            return Ok(false);
        }
        // A simple key stays on its line and within 1024 characters.
        if key.mark.line < mark.line || key.mark.index + SIMPLE_KEY_LENGTH < mark.index {
            if key.required {
                return self.error("could not find expected ':'");
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    fn save_simple_key(&mut self) -> Result<(), Fault> {
        if !self.simple_key_allowed {
            return Ok(());
        }
        let required = self.flow_level == 0 && self.indent == self.mark.column as isize;
        self.remove_simple_key()?;
        let token = self.next_number();
        let level = self.simple_keys.len() - 1;
        self.simple_keys[level] = SimpleKey {
            possible: true,
            required,
            token,
            mark: self.mark,
        };
        self.forget_key_token(token);
        self.key_tokens.push_back((token, level));
        Ok(())
    }

    fn remove_simple_key(&mut self) -> Result<(), Fault> {
        let level = self.simple_keys.len() - 1;
        let key = self.simple_keys[level];
        if key.possible {
            if key.required {
                return self.error("could not find expected ':'");
            }
            self.simple_keys[level].possible = false;
            self.forget_key_token(key.token);
        }
        Ok(())
    }

    // -- indentation

    /// Opens a block collection if the column is deeper than the current one.
    fn roll_indent(
        &mut self,
        column: usize,
        number: Option<usize>,
        kind: Kind<'a>,
        line: usize,
    ) -> Result<(), Fault> {
        if self.flow_level > 0 || self.indent >= column as isize {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column as isize;
        if self.indents.len() > MAX_DEPTH {
            return self.error(&format!("exceeded max depth of {MAX_DEPTH}"));
        }
        self.insert(number, Token { kind, line });
        Ok(())
    }

    /// Closes the block collections that are deeper than the column.
    fn unroll_indent(&mut self, column: isize) {
        if self.flow_level > 0 {
            return;
        }
        while self.indent > column {
            self.push(Kind::BlockEnd);
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    // -- the queue

    fn push(&mut self, kind: Kind<'a>) {
        self.tokens.push_back(Token {
            kind,
            line: self.mark.line,
        });
    }

    /// Inserts a token where the token of that number is; at the end if it was taken already.
    fn insert(&mut self, number: Option<usize>, token: Token<'a>) {
        match number.and_then(|number| number.checked_sub(self.taken)) {
            Some(at) if at < self.tokens.len() => self.tokens.insert(at, token),
            _ => self.tokens.push_back(token),
        }
    }

    // -- one token each

    fn fetch_stream_end(&mut self) -> Result<(), Fault> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(Kind::StreamEnd);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), Fault> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_directive()?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: Kind<'a>) -> Result<(), Fault> {
        self.unroll_indent(-1);
        self.remove_simple_key()?;
        self.simple_key_allowed = false;
        self.push(kind);
        self.advance(3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: Kind<'a>) -> Result<(), Fault> {
        self.save_simple_key()?;
        // Until a key is saved on the new level, its number is that of this very bracket; when the
        // level closes, that number is forgotten, and so an empty `[]` or `{}` is no simple key.
        let token = self.next_number();
        self.simple_keys.push(SimpleKey {
            token,
            mark: self.mark,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        if self.flow_level > MAX_DEPTH {
            return self.error(&format!("exceeded max depth of {MAX_DEPTH}"));
        }
        self.simple_key_allowed = true;
        self.push(kind);
        self.advance(1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind<'a>) -> Result<(), Fault> {
        self.remove_simple_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.simple_keys.pop() {
                self.forget_key_token(key.token);
            }
        }
        self.simple_key_allowed = false;
        self.push(kind);
        self.advance(1);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Fault> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push(Kind::FlowEntry);
        self.advance(1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Fault> {
        // In the flow context the parser refuses it, for it can say where.
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error("block sequence entries are not allowed in this context");
            }
            self.roll_indent(
                self.mark.column,
                None,
                Kind::BlockSequenceStart,
                self.mark.line,
            )?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        self.push(Kind::BlockEntry);
        self.advance(1);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Fault> {
        if self.flow_level == 0 {
            if !self.simple_key_allowed {
                return self.error("mapping keys are not allowed in this context");
            }
            self.roll_indent(
                self.mark.column,
                None,
                Kind::BlockMappingStart,
                self.mark.line,
            )?;
        }
        self.remove_simple_key()?;
        self.simple_key_allowed = self.flow_level == 0;
        self.push(Kind::Key);
        self.advance(1);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), Fault> {
        let level = self.simple_keys.len() - 1;
        if self.key_is_valid(level)? {
            let key = self.simple_keys[level];
            self.insert(
                Some(key.token),
                Token {
                    kind: Kind::Key,
                    line: key.mark.line,
                },
            );
            self.roll_indent(
                key.mark.column,
                Some(key.token),
                Kind::BlockMappingStart,
                key.mark.line,
            )?;
            self.simple_keys[level].possible = false;
            self.forget_key_token(key.token);
            self.simple_key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.simple_key_allowed {
                    return self.error("mapping values are not allowed in this context");
                }
                self.roll_indent(
                    self.mark.column,
                    None,
                    Kind::BlockMappingStart,
                    self.mark.line,
                )?;
            }
            self.simple_key_allowed = self.flow_level == 0;
        }
        self.push(Kind::Value);
        self.advance(1);
        Ok(())
    }

    fn fetch_anchor(&mut self, anchor: bool) -> Result<(), Fault> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_anchor(anchor)?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_tag(&mut self) -> Result<(), Fault> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_tag()?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Result<(), Fault> {
        self.remove_simple_key()?;
        self.simple_key_allowed = true;
        let token = self.scan_block_scalar(literal)?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_quoted(&mut self, single: bool) -> Result<(), Fault> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_quoted(single)?;
        self.tokens.push_back(token);
        Ok(())
    }

    fn fetch_plain(&mut self) -> Result<(), Fault> {
        self.save_simple_key()?;
        self.simple_key_allowed = false;
        let token = self.scan_plain()?;
        self.tokens.push_back(token);
        Ok(())
    }
}
