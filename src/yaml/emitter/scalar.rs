//! Strings in their styles.

use memchr::memchr;

use super::{Emitter, SIMPLE_KEY_LENGTH, push_spaces};
use crate::yaml::order::Edition;
use crate::yaml::style::{self, Analysis, Style, is_break, is_printable, width};

/// go-yaml v2: emitterc.go best_width.
const FOLD_BEHIND: usize = 80;

impl Emitter {
    /// Writes a string plain, if there is no doubt that it can be. Most can.
    pub(super) fn plain_at_once(&mut self, text: &str, simple_key: bool) -> bool {
        if !style::is_plain_ascii(text, self.edition) {
            return false;
        }
        if simple_key || !self.may_reach_fold(text) {
            self.indicator(text, true, false);
            self.indention = false;
        } else {
            let outer = self.indent;
            self.increase_indent(true, false);
            self.plain(text, true);
            self.indent = outer;
        }
        true
    }

    /// A key that is not written at once, and its colon.
    pub(super) fn string_key(&mut self, text: &str, tag: &str) {
        let analysis = Analysis::of(text, self.edition);
        // go-yaml: emitterc.go yaml_emitter_check_simple_key.
        if text.len() + tag.len() <= SIMPLE_KEY_LENGTH && !analysis.multiline {
            self.styled(text, tag, analysis, true);
            self.indicator(":", false, false);
        } else {
            self.indicator("?", true, true);
            self.styled(text, tag, analysis, false);
            self.write_indent();
            self.indicator(":", true, true);
        }
    }

    /// A value that is not written at once.
    pub(super) fn string(&mut self, text: &str, tag: &str) {
        self.styled(text, tag, Analysis::of(text, self.edition), false);
    }

    fn styled(&mut self, text: &str, tag: &str, analysis: Analysis, simple_key: bool) {
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
        self.edition == Edition::V2 && self.column + 1 + text.len() > FOLD_BEHIND
    }

    fn is_behind_fold(&self) -> bool {
        self.edition == Edition::V2 && self.column > FOLD_BEHIND
    }

    /// Writes text of one line, with a break for a single space behind the fold column.
    fn fold_words(&mut self, text: &str, foldable: impl Fn(usize) -> bool) {
        let bytes = text.as_bytes();
        let mut spaces = false;
        let mut start = 0;
        while let Some(length) = memchr(b' ', &bytes[start..]) {
            let at = start + length;
            if length > 0 {
                self.put_str(&text[start..at]);
                self.indention = false;
                spaces = false;
            }
            let next_space = bytes.get(at + 1) == Some(&b' ');
            if !spaces && self.is_behind_fold() && !next_space && foldable(at) {
                self.write_indent();
            } else {
                self.put(' ');
            }
            spaces = true;
            start = at + 1;
        }
        if start < text.len() {
            self.put_str(&text[start..]);
            self.indention = false;
        }
    }

    /// go-yaml: emitterc.go yaml_emitter_write_single_quoted_scalar.
    fn single_quoted(&mut self, text: &str, may_fold: bool) {
        self.indicator("'", true, false);
        let bytes = text.as_bytes();
        let (mut spaces, mut breaks) = (false, false);
        let mut at = 0;
        while at < bytes.len() {
            let run = style::run(&bytes[at..]);
            if run > 0 {
                if breaks {
                    self.write_indent();
                }
                self.put_ascii(&text[at..at + run]);
                self.indention = false;
                (spaces, breaks) = (false, false);
                at += run;
                continue;
            }
            let c = text[at..].chars().next().unwrap_or_default();
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
                (spaces, breaks) = (false, false);
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
        while at < bytes.len() {
            let run = if all { 0 } else { style::run(&bytes[at..]) };
            if run > 0 {
                self.put_ascii(&text[at..at + run]);
                spaces = false;
                at += run;
                continue;
            }
            let c = text[at..].chars().next().unwrap_or_default();
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
        // LS and PS break lines, too.
        if memchr(0xe2, bytes).is_none() {
            return self.literal_lines(text);
        }
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

    /// The lines of a literal scalar that end in LF, all but the last perhaps.
    fn literal_lines(&mut self, text: &str) {
        let indent = self.indent.max(0) as usize;
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                push_spaces(&mut self.out, indent);
            }
            self.out.push_str(line);
        }
        self.indention = text.ends_with('\n');
        self.column = if self.indention { 0 } else { indent + 1 };
    }

    fn put_ascii(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.len();
    }
}
