//! Parts of a value to YAML text, laid out as go-yaml's emitter does.
//!
//! One emitter for both editions: v2 folds at 80 columns and does not indent sequences in
//! mappings; v3, at an indentation of 2, does not fold and does indent.
//!
//! Entries are written in the order in which they come. Where that is not the order of YAML's keys, they
//! are put into it when their mapping ends, unless they are a struct's.

mod scalar;

use std::fmt::Write as _;
use std::ops::Range;

use memchr::memchr;

use super::cursor::characters;
use super::decode::from_go_bytes;
use super::number;
use super::order::{self, Edition};
use super::serialize::{Collection, Key, Sink, Step, Stop};

/// Columns of indentation.
const INDENT: isize = 2;

/// A key up to this long, in bytes, has JSON text of less than the 1024 characters of a simple key.
const SAFE_KEY_LENGTH: usize = 170;

/// The longest key, in bytes, that goes without a `?`.
const SIMPLE_KEY_LENGTH: usize = 128;

pub(super) struct Emitter {
    edition: Edition,
    /// Whether to stop at what may not survive JSON.
    doubts: bool,
    out: String,
    /// In characters.
    column: usize,
    indent: isize,
    /// Whether the last character was whitespace.
    whitespace: bool,
    /// Whether the line holds nothing but indentation and indicators.
    indention: bool,
    /// Whether the next text needs no quotes, whatever it looks like.
    plain_next: bool,
    /// Whether the next mapping keeps its order.
    fields_next: bool,
    open: Vec<Open>,
    /// The entries of all open mappings so far, and the texts of their keys.
    entries: Vec<Entry>,
    keys: String,
}

/// A block collection that is being written.
struct Open {
    collection: Collection,
    /// Whether anything is in it.
    begun: bool,
    /// The indentation around it.
    outer: isize,
    /// Its first entry, and whether all entries were in order so far.
    first: usize,
    ordered: bool,
    /// Whether any order will do.
    keeps_order: bool,
}

struct Entry {
    key: Range<usize>,
    /// Where its text begins, behind the indentation.
    begin: usize,
}

impl Emitter {
    pub(super) fn new(edition: Edition) -> Self {
        Self {
            edition,
            doubts: false,
            out: String::with_capacity(256),
            column: 0,
            indent: -1,
            whitespace: true,
            indention: true,
            plain_next: false,
            fields_next: false,
            open: Vec::new(),
            entries: Vec::new(),
            keys: String::new(),
        }
    }

    /// Stops where the value's JSON text would hold anything that go-yaml may not read as it was meant, or not
    /// write.
    pub(super) fn with_doubts(mut self) -> Self {
        self.doubts = true;
        self
    }

    /// The document, the line break at its end included.
    pub(super) fn finish(mut self) -> String {
        self.write_indent();
        self.out
    }

    fn doubt(&self, doubtful: bool) -> Step {
        if self.doubts && doubtful {
            Err(Stop::Doubt)
        } else {
            Ok(())
        }
    }

    /// Opens the innermost collection in the text, if that is not done, and begins a line in it.
    fn begin_line(&mut self) {
        let in_mapping = match self.open.as_slice() {
            [.., around, _] => around.collection == Collection::Mapping,
            _ => false,
        };
        if let Some(open) = self.open.last_mut()
            && !open.begun
        {
            open.begun = true;
            open.outer = self.indent;
            // go-yaml v2 puts a mapping's sequence under its key.
            let indentless = open.collection == Collection::Sequence
                && self.edition == Edition::V2
                && in_mapping
                && !self.indention;
            self.increase_indent(false, indentless);
        }
        self.write_indent();
    }

    /// Takes note of an entry that begins here.
    fn begin_entry(&mut self, key: &str) {
        let start = self.keys.len();
        self.keys.push_str(key);
        let entry = Entry {
            key: start..self.keys.len(),
            begin: self.out.len(),
        };
        if let Some(open) = self.open.last_mut()
            && open.ordered
            && !open.keeps_order
            && let Some(before) = self.entries[open.first..].last()
        {
            open.ordered = order::follows(&self.keys[before.key.clone()], key, self.edition);
        }
        self.entries.push(entry);
    }

    fn text_key(&mut self, text: &str) -> Step {
        self.begin_entry(text);
        if text.len() <= SIMPLE_KEY_LENGTH && self.plain_at_once(text, true) {
            self.indicator(":", false, false);
            return Ok(());
        }
        self.doubt(text.len() > SAFE_KEY_LENGTH || has_doubtful(text))?;
        self.string_key(text, "");
        Ok(())
    }

    /// Puts the entries from `first` on, which are the last ones, into the order of their keys.
    fn reorder(&mut self, first: usize) {
        let Some(start) = self.entries.get(first).map(|entry| entry.begin) else {
            return;
        };
        // All entries but the last have the indentation of the next one behind them.
        self.write_indent();
        let indent = self.indent.max(0) as usize;
        let text = self.out.split_off(start);
        let ends = self.entries[first + 1..].iter().map(|entry| entry.begin);
        let ends = ends.chain([start + text.len()]);
        let mut lines: Vec<(&str, &str)> = self.entries[first..]
            .iter()
            .zip(ends)
            .map(|(entry, end)| {
                let lines = entry.begin - start..end - start - indent;
                (&self.keys[entry.key.clone()], &text[lines])
            })
            .collect();
        order::sort_by_key(&mut lines, self.edition, |(key, _)| key);
        for (at, (_, lines)) in lines.into_iter().enumerate() {
            if at > 0 {
                push_spaces(&mut self.out, indent);
            }
            self.out.push_str(lines);
        }
        self.column = 0;
        self.whitespace = true;
        self.indention = true;
    }

    /// Digits and words that are fine as they are.
    fn atom(&mut self, text: &str) {
        self.indicator(text, true, false);
        self.indention = false;
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        self.indicator("", true, false);
        let start = self.out.len();
        // Writing to a string does not fail.
        let _ = write!(self.out, "{value}");
        self.column += self.out.len() - start;
    }

    // -- characters

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_str(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += characters(text.as_bytes());
    }

    fn put_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        if self.edition == Edition::V3 {
            self.indention = true;
        }
    }

    fn write_break(&mut self, c: char) {
        if c == '\n' {
            self.put_break();
        } else {
            self.out.push(c);
            self.column = 0;
        }
    }

    fn increase_indent(&mut self, flow: bool, indentless: bool) {
        if self.indent < 0 {
            self.indent = if flow { INDENT } else { 0 };
        } else if !indentless {
            self.indent += INDENT;
        }
    }

    fn write_indent(&mut self) {
        let indent = self.indent.max(0) as usize;
        if !self.indention || self.column > indent || (self.column == indent && !self.whitespace) {
            self.put_break();
        }
        if self.column < indent {
            push_spaces(&mut self.out, indent - self.column);
            self.column = indent;
        }
        self.whitespace = true;
        self.indention = true;
    }

    /// An indicator of ASCII characters, behind a space if it needs one.
    fn indicator(&mut self, indicator: &str, needs_space: bool, is_indention: bool) {
        if needs_space && !self.whitespace {
            self.put(' ');
        }
        self.out.push_str(indicator);
        self.column += indicator.len();
        self.whitespace = false;
        self.indention = self.indention && is_indention;
    }
}

impl Sink for Emitter {
    fn null(&mut self) -> Step {
        self.atom("null");
        Ok(())
    }

    fn bool(&mut self, value: bool) -> Step {
        self.atom(if value { "true" } else { "false" });
        Ok(())
    }

    fn int(&mut self, value: i64) -> Step {
        self.display(value);
        Ok(())
    }

    fn uint(&mut self, value: u64) -> Step {
        self.display(value);
        Ok(())
    }

    fn float(&mut self, value: f64) -> Step {
        self.doubt(!value.is_finite())?;
        match (self.edition, number::as_small_integer(value)) {
            (Edition::V2, Some(value)) => self.display(value),
            (Edition::V2, None) => self.atom(&number::format_through_json(value)),
            (Edition::V3, _) => self.atom(match number::format_g(value).as_str() {
                "+Inf" => ".inf",
                "-Inf" => "-.inf",
                "NaN" => ".nan",
                digits => digits,
            }),
        }
        Ok(())
    }

    fn plain(&mut self) {
        self.plain_next = self.edition == Edition::V3;
    }

    fn fields(&mut self) {
        self.fields_next = self.edition == Edition::V3;
    }

    fn text(&mut self, text: &str) -> Step {
        if std::mem::take(&mut self.plain_next) {
            self.atom(text);
        } else if !self.plain_at_once(text, false) {
            self.doubt(has_doubtful(text))?;
            self.string(text, "");
        }
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Step {
        match self.edition {
            Edition::V2 => self.text(&from_go_bytes(bytes)),
            Edition::V3 => {
                self.string(&base64_lines(bytes), "!!binary");
                Ok(())
            }
        }
    }

    fn open(&mut self, collection: Collection) -> Step {
        self.open.push(Open {
            collection,
            begun: false,
            outer: self.indent,
            first: self.entries.len(),
            ordered: true,
            keeps_order: std::mem::take(&mut self.fields_next),
        });
        Ok(())
    }

    fn item(&mut self) -> Step {
        self.begin_line();
        self.indicator("-", true, true);
        Ok(())
    }

    fn key(&mut self, key: Key<'_>) -> Step {
        self.begin_line();
        match key {
            Key::Text(text) => self.text_key(text),
            Key::Bytes(bytes) => {
                let lossy = from_go_bytes(bytes);
                match self.edition {
                    Edition::V2 => self.text_key(&lossy),
                    Edition::V3 => {
                        self.begin_entry(&lossy);
                        self.string_key(&base64_lines(bytes), "!!binary");
                        Ok(())
                    }
                }
            }
        }
    }

    fn close(&mut self) -> Step {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        match open.collection {
            Collection::Sequence if !open.begun => self.indicator("[]", true, false),
            Collection::Mapping if !open.begun => self.indicator("{}", true, false),
            _ => {}
        }
        if !open.ordered {
            self.reorder(open.first);
        }
        if let Some(first) = self.entries.get(open.first) {
            self.keys.truncate(first.key.start);
            self.entries.truncate(open.first);
        }
        self.indent = open.outer;
        Ok(())
    }
}

/// U+007F to U+009F, U+FFFE, U+FFFF, which JSON leaves raw and YAML does not allow, or breaks lines at.
fn has_doubtful(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_ascii() {
        return memchr(0x7f, bytes).is_some();
    }
    bytes.iter().enumerate().any(|(at, b)| match b {
        0x7f => true,
        0xc2 => bytes.get(at + 1).is_some_and(|&next| next < 0xa0),
        0xef => matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])),
        _ => false,
    })
}

fn push_spaces(out: &mut String, mut count: usize) {
    const SPACES: &str = "                                                                ";
    while count > SPACES.len() {
        out.push_str(SPACES);
        count -= SPACES.len();
    }
    out.push_str(&SPACES[..count]);
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
