//! The lexer: a template's text into items. Go: text/template/parse/lex.go.

use std::fmt;

use super::node::Position;
use super::quote::quoted;
use super::rune;
use super::unicode::{is_digit, is_letter, is_print};

const LEFT: &[u8] = b"{{";
const RIGHT: &[u8] = b"}}";

/// A trim marker is `-` with the space that has to stand before or after it.
const TRIM_MARKER: usize = 2;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ItemKind {
    Error,
    Bool,
    Char,
    CharConstant,
    Complex,
    Assign,
    Declare,
    #[default]
    Eof,
    Field,
    Identifier,
    LeftDelim,
    LeftParen,
    Number,
    Pipe,
    RawString,
    RightDelim,
    RightParen,
    Space,
    String,
    Text,
    Variable,
    // The keywords.
    Block,
    Break,
    Continue,
    Dot,
    Define,
    Else,
    End,
    If,
    Nil,
    Range,
    Template,
    With,
}

impl ItemKind {
    fn keyword(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"block" => Self::Block,
            b"break" => Self::Break,
            b"continue" => Self::Continue,
            b"define" => Self::Define,
            b"else" => Self::Else,
            b"end" => Self::End,
            b"if" => Self::If,
            b"range" => Self::Range,
            b"nil" => Self::Nil,
            b"template" => Self::Template,
            b"with" => Self::With,
            _ => return None,
        })
    }

    fn is_keyword(self) -> bool {
        matches!(
            self,
            Self::Block
                | Self::Break
                | Self::Continue
                | Self::Dot
                | Self::Define
                | Self::Else
                | Self::End
                | Self::If
                | Self::Nil
                | Self::Range
                | Self::Template
                | Self::With
        )
    }
}

/// A token, or a run of text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Item<'t> {
    pub(super) kind: ItemKind,
    /// Where it starts, in bytes.
    pub(super) position: Position,
    pub(super) text: &'t [u8],
    /// The line where it starts, from 1.
    pub(super) line: usize,
    /// What is wrong, if it is an error.
    pub(super) fault: Fault<'t>,
}

/// What the lexer can stumble over.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Fault<'t> {
    #[default]
    None,
    Fixed(&'static str),
    BadCharacter(char),
    UnrecognizedCharacter(char),
    BadNumber(&'t [u8]),
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::None => Ok(()),
            Self::Fixed(message) => f.write_str(message),
            Self::BadCharacter(rune) => write!(f, "bad character {}", code_point(rune)),
            Self::UnrecognizedCharacter(rune) => {
                write!(f, "unrecognized character in action: {}", code_point(rune))
            }
            Self::BadNumber(text) => write!(f, "bad number syntax: {}", quoted(text)),
        }
    }
}

/// Go's `%#U`.
fn code_point(rune: char) -> String {
    match is_print(rune) {
        true => format!("U+{:04X} '{rune}'", rune as u32),
        false => format!("U+{:04X}", rune as u32),
    }
}

impl fmt::Display for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            ItemKind::Eof => f.write_str("EOF"),
            ItemKind::Error => self.fault.fmt(f),
            kind if kind.is_keyword() => write!(f, "<{}>", String::from_utf8_lossy(self.text)),
            _ if self.text.len() > 10 => {
                let mut end = 0;
                for _ in 0..10 {
                    end += rune::decode(&self.text[end..]).1;
                }
                write!(f, "{}...", quoted(&self.text[..end]))
            }
            _ => f.write_str(&quoted(self.text)),
        }
    }
}

/// The state of the scanner.
pub(super) struct Lexer<'t> {
    input: &'t [u8],
    position: usize,
    start: usize,
    at_eof: bool,
    paren_depth: usize,
    line: usize,
    start_line: usize,
    inside_action: bool,
    /// `break` and `continue` are functions' names where there are such functions.
    break_is_keyword: bool,
    continue_is_keyword: bool,
}

/// What a state function comes to: an item, or the need to go on in text.
type Next<'t> = Option<Item<'t>>;

impl<'t> Lexer<'t> {
    pub(super) fn new(input: &'t [u8], break_is_keyword: bool, continue_is_keyword: bool) -> Self {
        Self {
            input,
            position: 0,
            start: 0,
            at_eof: false,
            paren_depth: 0,
            line: 1,
            start_line: 1,
            inside_action: false,
            break_is_keyword,
            continue_is_keyword,
        }
    }

    /// The next item.
    pub(super) fn next_item(&mut self) -> Item<'t> {
        if self.inside_action {
            return self.lex_inside_action();
        }
        loop {
            if let Some(item) = self.lex_text() {
                return item;
            }
        }
    }

    fn rest(&self) -> &'t [u8] {
        &self.input[self.position..]
    }

    fn next(&mut self) -> Option<char> {
        let (rune, width) = rune::decode(self.rest());
        if width == 0 {
            self.at_eof = true;
            return None;
        }
        self.position += width;
        self.line += usize::from(rune == '\n');
        Some(rune)
    }

    fn backup(&mut self) {
        if self.at_eof || self.position == 0 {
            return;
        }
        let before = &self.input[..self.position];
        self.position -= match bstr::decode_last_utf8(before) {
            (Some(_), width) => width,
            (None, _) => 1,
        };
        self.line -= usize::from(before.ends_with(b"\n"));
    }

    fn peek(&self) -> Option<char> {
        match rune::decode(self.rest()) {
            (_, 0) => None,
            (rune, _) => Some(rune),
        }
    }

    fn emit(&mut self, kind: ItemKind) -> Item<'t> {
        let item = Item {
            kind,
            position: self.start as Position,
            text: &self.input[self.start..self.position],
            line: self.start_line,
            fault: Fault::None,
        };
        self.start = self.position;
        self.start_line = self.line;
        item
    }

    /// Skips what is pending, in which [`Self::next`] has counted no lines.
    fn ignore(&mut self) {
        self.count_lines();
        self.start = self.position;
        self.start_line = self.line;
    }

    fn count_lines(&mut self) {
        let pending = &self.input[self.start..self.position];
        self.line += pending.iter().filter(|&&byte| byte == b'\n').count();
    }

    fn accept(&mut self, valid: &str) -> bool {
        if self.next().is_some_and(|rune| valid.contains(rune)) {
            return true;
        }
        self.backup();
        false
    }

    fn accept_run(&mut self, valid: &str) {
        while self.next().is_some_and(|rune| valid.contains(rune)) {}
        self.backup();
    }

    /// An error item, after which there is no input.
    fn error(&mut self, fault: Fault<'t>) -> Item<'t> {
        let item = Item {
            kind: ItemKind::Error,
            position: self.start as Position,
            text: b"",
            line: self.start_line,
            fault,
        };
        self.start = 0;
        self.position = 0;
        self.input = b"";
        item
    }

    fn fail(&mut self, message: &'static str) -> Item<'t> {
        self.error(Fault::Fixed(message))
    }

    fn lex_text(&mut self) -> Next<'t> {
        let Some(before) = find_left(self.rest()) else {
            self.position = self.input.len();
            if self.position > self.start {
                self.count_lines();
                return Some(self.emit(ItemKind::Text));
            }
            return Some(self.emit(ItemKind::Eof));
        };
        if before > 0 {
            self.position += before;
            let delim_end = self.position + LEFT.len();
            let trimmed = match has_left_trim_marker(&self.input[delim_end..]) {
                true => right_trim_length(&self.input[self.start..self.position]),
                false => 0,
            };
            self.position -= trimmed;
            self.count_lines();
            let item = self.emit(ItemKind::Text);
            self.position += trimmed;
            self.ignore();
            if !item.text.is_empty() {
                return Some(item);
            }
        }
        self.lex_left_delim()
    }

    fn lex_left_delim(&mut self) -> Next<'t> {
        self.position += LEFT.len();
        let marker = match has_left_trim_marker(self.rest()) {
            true => TRIM_MARKER,
            false => 0,
        };
        if self.rest()[marker..].starts_with(b"/*") {
            self.position += marker;
            self.ignore();
            return self.lex_comment();
        }
        let item = self.emit(ItemKind::LeftDelim);
        self.inside_action = true;
        self.position += marker;
        self.ignore();
        self.paren_depth = 0;
        Some(item)
    }

    fn lex_comment(&mut self) -> Next<'t> {
        self.position += 2;
        let Some(end) = bstr::ByteSlice::find(self.rest(), b"*/") else {
            return Some(self.fail("unclosed comment"));
        };
        self.position += end + 2;
        let Some(trim) = self.at_right_delim() else {
            return Some(self.fail("comment ends before closing delimiter"));
        };
        if trim {
            self.position += TRIM_MARKER;
        }
        self.position += RIGHT.len();
        if trim {
            self.position += left_trim_length(self.rest());
        }
        self.ignore();
        None
    }

    /// Whether a right delimiter stands here, and if so, whether it trims.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest) && rest[TRIM_MARKER..].starts_with(RIGHT) {
            return Some(true);
        }
        rest.starts_with(RIGHT).then_some(false)
    }

    fn lex_right_delim(&mut self) -> Item<'t> {
        let trim = self.at_right_delim() == Some(true);
        if trim {
            self.position += TRIM_MARKER;
            self.ignore();
        }
        self.position += RIGHT.len();
        let item = self.emit(ItemKind::RightDelim);
        if trim {
            self.position += left_trim_length(self.rest());
            self.ignore();
        }
        self.inside_action = false;
        item
    }

    fn lex_inside_action(&mut self) -> Item<'t> {
        if self.at_right_delim().is_some() {
            return match self.paren_depth {
                0 => self.lex_right_delim(),
                _ => self.fail("unclosed left paren"),
            };
        }
        let Some(rune) = self.next() else {
            return self.fail("unclosed action");
        };
        match rune {
            ' ' | '\t' | '\r' | '\n' => {
                // The space may belong to " -}}".
                self.backup();
                self.lex_space()
            }
            '=' => self.emit(ItemKind::Assign),
            ':' => match self.next() {
                Some('=') => self.emit(ItemKind::Declare),
                _ => self.fail("expected :="),
            },
            '|' => self.emit(ItemKind::Pipe),
            '"' => self.lex_quote(),
            '`' => self.lex_raw_quote(),
            '$' => self.lex_field_or_variable(ItemKind::Variable),
            '\'' => self.lex_char(),
            '.' if !self.rest().first().is_none_or(u8::is_ascii_digit) => {
                self.lex_field_or_variable(ItemKind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.backup();
                self.lex_number()
            }
            _ if is_alphanumeric(rune) => {
                self.backup();
                self.lex_identifier()
            }
            '(' => {
                self.paren_depth += 1;
                self.emit(ItemKind::LeftParen)
            }
            ')' => match self.paren_depth.checked_sub(1) {
                Some(depth) => {
                    self.paren_depth = depth;
                    self.emit(ItemKind::RightParen)
                }
                None => self.fail("unexpected right paren"),
            },
            _ if rune.is_ascii() && is_print(rune) => self.emit(ItemKind::Char),
            _ => self.error(Fault::UnrecognizedCharacter(rune)),
        }
    }

    fn lex_space(&mut self) -> Item<'t> {
        let mut spaces = 0;
        while let Some(byte) = self.rest().first().filter(|byte| is_space_byte(**byte)) {
            self.line += usize::from(*byte == b'\n');
            self.position += 1;
            spaces += 1;
        }
        // A trim-marked closing delimiter has its minus after a space.
        let from_last = &self.input[self.position - 1..];
        if has_right_trim_marker(from_last) && from_last[TRIM_MARKER..].starts_with(RIGHT) {
            self.backup();
            if spaces == 1 {
                return self.lex_right_delim();
            }
        }
        self.emit(ItemKind::Space)
    }

    fn lex_identifier(&mut self) -> Item<'t> {
        let rune = self.skip_alphanumerics();
        let word = &self.input[self.start..self.position];
        if !self.at_terminator() {
            return self.error(Fault::BadCharacter(rune));
        }
        match ItemKind::keyword(word) {
            Some(ItemKind::Break) if !self.break_is_keyword => self.emit(ItemKind::Identifier),
            Some(ItemKind::Continue) if !self.continue_is_keyword => {
                self.emit(ItemKind::Identifier)
            }
            Some(keyword) => self.emit(keyword),
            None if matches!(word, b"true" | b"false") => self.emit(ItemKind::Bool),
            None => self.emit(ItemKind::Identifier),
        }
    }

    /// Skips letters and digits; gives what comes after them.
    fn skip_alphanumerics(&mut self) -> char {
        loop {
            let plain = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
            self.position += self.rest().iter().take_while(plain).count();
            match self.peek() {
                Some(rune) if is_alphanumeric(rune) => self.position += rune.len_utf8(),
                other => return other.unwrap_or(char::REPLACEMENT_CHARACTER),
            }
        }
    }

    fn lex_field_or_variable(&mut self, kind: ItemKind) -> Item<'t> {
        if self.at_terminator() {
            return match kind {
                ItemKind::Variable => self.emit(ItemKind::Variable),
                _ => self.emit(ItemKind::Dot),
            };
        }
        let rune = self.skip_alphanumerics();
        if !self.at_terminator() {
            return self.error(Fault::BadCharacter(rune));
        }
        self.emit(kind)
    }

    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(RIGHT),
        }
    }

    fn lex_char(&mut self) -> Item<'t> {
        match self.skip_quoted('\'') {
            true => self.emit(ItemKind::CharConstant),
            false => self.fail("unterminated character constant"),
        }
    }

    fn lex_quote(&mut self) -> Item<'t> {
        match self.skip_quoted('"') {
            true => self.emit(ItemKind::String),
            false => self.fail("unterminated quoted string"),
        }
    }

    /// Skips to after the closing quote; false where the line or the text ends before.
    fn skip_quoted(&mut self, quote: char) -> bool {
        loop {
            let mut rune = self.next();
            if rune == Some('\\') {
                rune = self.next();
                if !matches!(rune, None | Some('\n')) {
                    continue;
                }
            }
            match rune {
                None | Some('\n') => return false,
                Some(rune) if rune == quote => return true,
                Some(_) => {}
            }
        }
    }

    fn lex_raw_quote(&mut self) -> Item<'t> {
        loop {
            match self.next() {
                None => return self.fail("unterminated raw quoted string"),
                Some('`') => return self.emit(ItemKind::RawString),
                Some(_) => {}
            }
        }
    }

    fn lex_number(&mut self) -> Item<'t> {
        let kind = match self.scan_number() {
            false => None,
            true if matches!(self.peek(), Some('+' | '-')) => {
                let complex = self.scan_number() && self.input[self.position - 1] == b'i';
                complex.then_some(ItemKind::Complex)
            }
            true => Some(ItemKind::Number),
        };
        match kind {
            Some(kind) => self.emit(kind),
            None => self.error(Fault::BadNumber(&self.input[self.start..self.position])),
        }
    }

    /// Scans roughly; the parser notices what is no number.
    fn scan_number(&mut self) -> bool {
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            // A leading 0 does not mean octal in floats.
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = match digits.len() {
            11 => "eE",
            23 => "pP",
            _ => "",
        };
        if !exponent.is_empty() && self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        self.accept("i");
        if self.peek().is_some_and(is_alphanumeric) {
            self.next();
            return false;
        }
        true
    }
}

fn find_left(text: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        let brace = start + bstr::ByteSlice::find_byte(&text[start..], b'{')?;
        if text[brace..].starts_with(LEFT) {
            return Some(brace);
        }
        start = brace + 1;
    }
}

fn is_space(rune: char) -> bool {
    matches!(rune, ' ' | '\t' | '\r' | '\n')
}

fn is_space_byte(byte: u8) -> bool {
    is_space(char::from(byte))
}

fn is_alphanumeric(rune: char) -> bool {
    if rune.is_ascii() {
        return rune == '_' || rune.is_ascii_alphanumeric();
    }
    is_letter(rune) || is_digit(rune)
}

fn has_left_trim_marker(text: &[u8]) -> bool {
    matches!(text, [b'-', space, ..] if is_space_byte(*space))
}

fn has_right_trim_marker(text: &[u8]) -> bool {
    matches!(text, [space, b'-', ..] if is_space_byte(*space))
}

fn right_trim_length(text: &[u8]) -> usize {
    text.iter()
        .rev()
        .take_while(|&&byte| is_space_byte(byte))
        .count()
}

fn left_trim_length(text: &[u8]) -> usize {
    text.iter().take_while(|&&byte| is_space_byte(byte)).count()
}
