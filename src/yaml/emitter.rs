//! The tree as YAML text, laid out as go-yaml's emitter does.
//!
//! One emitter for both editions: v2 folds at 80 columns and does not indent sequences in
//! mappings; v3, at an indentation of 2, does not fold and does indent.

use super::number;
use super::order::{self, Edition};
use super::style::{self, Analysis, Style, is_break, is_printable, width};
use super::tree::{Kind, Tree};

/// Columns of indentation.
const INDENT: isize = 2;

/// go-yaml v2: emitterc.go best_width.
const FOLD_BEHIND: usize = 80;

/// The longest key, in bytes, that goes without a `?`.
const SIMPLE_KEY_LENGTH: usize = 128;

/// Writes a tree as a document, the line break at its end included.
pub(super) fn emit(tree: &Tree, edition: Edition) -> String {
    let mut emitter = Emitter {
        tree,
        edition,
        out: String::with_capacity(tree.nodes.len() * 16),
        column: 0,
        indent: -1,
        whitespace: true,
        indention: true,
        frames: Vec::new(),
    };
    emitter.document();
    emitter.out
}

struct Emitter<'t> {
    tree: &'t Tree,
    edition: Edition,
    out: String,
    /// In characters.
    column: usize,
    indent: isize,
    /// Whether the last character was whitespace.
    whitespace: bool,
    /// Whether the line holds nothing but indentation and indicators.
    indention: bool,
    frames: Vec<Frame>,
}

/// A string, the tag it needs, and what its characters allow.
struct StringScalar<'t> {
    text: &'t str,
    tag: &'static str,
    analysis: Analysis,
}

impl StringScalar<'_> {
    /// go-yaml: emitterc.go yaml_emitter_check_simple_key.
    fn is_simple_key(&self) -> bool {
        self.text.len() + self.tag.len() <= SIMPLE_KEY_LENGTH && !self.analysis.multiline
    }
}

/// A block collection that is being written, and the indentation around it.
enum Frame {
    Sequence {
        next: usize,
        end: usize,
        outer: isize,
    },
    Mapping {
        keys: Vec<usize>,
        at: usize,
        outer: isize,
    },
}

impl<'t> Emitter<'t> {
    fn document(&mut self) {
        self.node(0, false);
        loop {
            match self.frames.last_mut() {
                None => break,
                Some(Frame::Sequence { next, end, .. }) if *next < *end => {
                    let item = *next;
                    *next = self.tree.nodes[item].end;
                    self.write_indent();
                    self.indicator("-", true, true);
                    self.node(item, false);
                }
                Some(Frame::Mapping { keys, at, .. }) if *at < keys.len() => {
                    let key = keys[*at];
                    *at += 1;
                    self.pair(key);
                }
                Some(Frame::Sequence { outer, .. } | Frame::Mapping { outer, .. }) => {
                    self.indent = *outer;
                    self.frames.pop();
                }
            }
        }
        self.write_indent();
    }

    /// A value: a scalar at once, a collection by opening it.
    fn node(&mut self, index: usize, in_mapping: bool) {
        let node = self.tree.nodes[index];
        let empty = node.end == index + 1;
        match node.kind {
            Kind::Sequence if empty => self.indicator("[]", true, false),
            Kind::Mapping if empty => self.indicator("{}", true, false),
            Kind::Sequence => {
                let outer = self.indent;
                // go-yaml v2 puts a mapping's sequence under its key.
                let indentless = self.edition == Edition::V2 && in_mapping && !self.indention;
                self.increase_indent(false, indentless);
                self.frames.push(Frame::Sequence {
                    next: index + 1,
                    end: node.end,
                    outer,
                });
            }
            Kind::Mapping => {
                let outer = self.indent;
                let tree = self.tree;
                let mut keys: Vec<usize> = tree.children(index).step_by(2).collect();
                order::sort_by_key(&mut keys, self.edition, |&key| tree.key(key));
                self.increase_indent(false, false);
                self.frames.push(Frame::Mapping { keys, at: 0, outer });
            }
            kind => self.scalar(kind),
        }
    }

    fn pair(&mut self, key: usize) {
        let value = self.tree.nodes[key].end;
        let string = self.string(self.tree.nodes[key].kind);
        self.write_indent();
        if string.is_simple_key() {
            self.string_scalar(&string, true);
            self.indicator(":", false, false);
        } else {
            self.indicator("?", true, true);
            self.string_scalar(&string, false);
            self.write_indent();
            self.indicator(":", true, true);
        }
        self.node(value, true);
    }

    fn string(&self, kind: Kind) -> StringScalar<'t> {
        let (text, tag) = match (kind, self.edition) {
            (Kind::Binary { base64, .. }, Edition::V3) => (self.tree.text(base64), "!!binary"),
            (Kind::Str(span) | Kind::Binary { lossy: span, .. }, _) => (self.tree.text(span), ""),
            _ => ("", ""),
        };
        StringScalar {
            text,
            tag,
            analysis: Analysis::of(text, self.edition),
        }
    }

    fn scalar(&mut self, kind: Kind) {
        match kind {
            Kind::Null => self.atom("null"),
            Kind::Bool(true) => self.atom("true"),
            Kind::Bool(false) => self.atom("false"),
            Kind::Int(value) => self.atom(&value.to_string()),
            Kind::Uint(value) => self.atom(&value.to_string()),
            Kind::Float(value) => self.float(value),
            Kind::Plain(span) => self.atom(self.tree.text(span)),
            Kind::Str(_) | Kind::Binary { .. } => self.string_scalar(&self.string(kind), false),
            Kind::Sequence | Kind::Mapping => {}
        }
    }

    fn float(&mut self, value: f64) {
        let text = match self.edition {
            Edition::V2 => number::format_through_json(value),
            Edition::V3 => number::format_g(value),
        };
        self.atom(match text.as_str() {
            "+Inf" => ".inf",
            "-Inf" => "-.inf",
            "NaN" => ".nan",
            digits => digits,
        });
    }

    /// Text of ASCII characters that is fine as it is.
    fn atom(&mut self, text: &str) {
        self.indicator(text, true, false);
        self.indention = false;
    }

    fn string_scalar(&mut self, string: &StringScalar<'_>, simple_key: bool) {
        let StringScalar {
            text,
            tag,
            analysis,
        } = *string;
        let wanted = match tag {
            "" => style::wanted(text, self.edition),
            _ if text.contains('\n') => Style::Literal,
            _ => Style::Plain,
        };
        if !tag.is_empty() {
            self.indicator(tag, true, false);
        }
        let outer = self.indent;
        self.increase_indent(true, false);
        match analysis.select(wanted, text, simple_key) {
            Style::Plain => self.plain(text, !simple_key),
            Style::Single => self.single_quoted(text, !simple_key),
            Style::Double => self.double_quoted(text, !simple_key),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    // -- styles

    fn plain(&mut self, text: &str, may_fold: bool) {
        if !self.whitespace {
            self.put(' ');
        }
        if may_fold && self.may_reach_fold(text) {
            self.fold_words(text, |at| at + 1 < text.len());
        } else {
            self.put_str(text);
        }
        self.whitespace = false;
        self.indention = false;
    }

    /// Whether the text goes beyond the columns behind which lines are folded.
    fn may_reach_fold(&self, text: &str) -> bool {
        self.edition == Edition::V2 && self.column + text.len() > FOLD_BEHIND
    }

    fn is_behind_fold(&self) -> bool {
        self.edition == Edition::V2 && self.column > FOLD_BEHIND
    }

    /// Writes text of one line, with a break for a single space behind the fold column.
    fn fold_words(&mut self, text: &str, foldable: impl Fn(usize) -> bool) {
        let bytes = text.as_bytes();
        let mut spaces = false;
        for (at, c) in text.char_indices() {
            if c == ' ' {
                let next_space = bytes.get(at + 1) == Some(&b' ');
                if !spaces && self.is_behind_fold() && !next_space && foldable(at) {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(c);
                self.indention = false;
                spaces = false;
            }
        }
    }

    /// go-yaml: emitterc.go yaml_emitter_write_single_quoted_scalar.
    fn single_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("'", true, false);
        let bytes = text.as_bytes();
        let (mut spaces, mut breaks) = (false, false);
        let mut at = 0;
        for c in text.chars() {
            if c == ' ' {
                let inside = at > 0 && at + 1 < bytes.len() && bytes[at + 1] != b' ';
                if may_fold && !spaces && self.is_behind_fold() && inside {
                    self.write_indent();
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else if is_break(bytes, at) {
                if !breaks && c == '\n' {
                    self.put_break();
                }
                self.write_break(c);
                self.indention = true;
                breaks = true;
            } else {
                if breaks {
                    self.write_indent();
                }
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
                self.indention = false;
                spaces = false;
                breaks = false;
            }
            at += c.len_utf8();
        }
        self.indicator("'", false, false);
        self.indention = false;
    }

    /// go-yaml: emitterc.go yaml_emitter_write_double_quoted_scalar.
    fn double_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("\"", true, false);
        let bytes = text.as_bytes();
        // go-yaml: yamlprivateh.go is_bom looks at the start, whatever the position.
        let all = text.starts_with('\u{feff}');
        let mut spaces = false;
        let mut at = 0;
        for c in text.chars() {
            if all || !is_printable(bytes, at) || is_break(bytes, at) || c == '"' || c == '\\' {
                self.escape(c);
                spaces = false;
            } else if c == ' ' {
                if may_fold && !spaces && self.is_behind_fold() && at > 0 && at + 1 < bytes.len() {
                    self.write_indent();
                    if bytes[at + 1] == b' ' {
                        self.put('\\');
                    }
                } else {
                    self.put(' ');
                }
                spaces = true;
            } else {
                self.put(c);
                spaces = false;
            }
            at += c.len_utf8();
        }
        self.indicator("\"", false, false);
        self.indention = false;
    }

    fn escape(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\x07' => 'a',
            '\x08' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\x0b' => 'v',
            '\x0c' => 'f',
            '\r' => 'r',
            '\x1b' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{a0}' => '_',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ => {
                let escaped = match u32::from(c) {
                    value @ ..=0xff => format!("\\x{value:02X}"),
                    value @ ..=0xffff => format!("\\u{value:04X}"),
                    value => format!("\\U{value:08X}"),
                };
                return self.put_str(&escaped);
            }
        };
        self.put('\\');
        self.put(short);
    }

    /// go-yaml: emitterc.go yaml_emitter_write_literal_scalar.
    fn literal(&mut self, text: &str) {
        self.indicator("|", true, false);
        let bytes = text.as_bytes();
        if bytes[0] == b' ' || is_break(bytes, 0) {
            self.indicator("2", false, false);
        }
        let mut ends = text.char_indices().rev().map(|(at, _)| is_break(bytes, at));
        match (ends.next(), ends.next()) {
            (Some(false), _) => self.indicator("-", false, false),
            (Some(true), Some(true) | None) => self.indicator("+", false, false),
            _ => {}
        }
        self.put_break();
        self.indention = true;
        self.whitespace = true;
        let mut breaks = true;
        let mut at = 0;
        while at < bytes.len() {
            if is_break(bytes, at) {
                let wide = width(bytes[at]);
                let c = text[at..].chars().next().unwrap_or('\n');
                self.write_break(c);
                self.indention = true;
                breaks = true;
                at += wide;
                continue;
            }
            if breaks {
                self.write_indent();
            }
            let mut end = at;
            while end < bytes.len() && !is_break(bytes, end) {
                end += width(bytes[end]);
            }
            self.put_str(&text[at..end]);
            self.indention = false;
            breaks = false;
            at = end;
        }
    }

    // -- characters

    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn put_str(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
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
            self.out
                .extend(std::iter::repeat_n(' ', indent - self.column));
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
