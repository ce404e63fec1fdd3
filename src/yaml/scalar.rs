//! Plain scalars, and how lines fold into one.

use std::borrow::Cow;

use super::cursor::{BLANK, BREAK, CLASS, COLON, END, FLOW, WIDE};
use super::error::Fault;
use super::scanner::Scanner;
use super::token::{Kind, Token};

/// The line breaks between two runs of a scalar that folds.
#[derive(Default)]
pub(super) struct Breaks {
    leading: Option<char>,
    trailing: String,
}

impl Breaks {
    pub(super) fn push(&mut self, stands_for: Option<char>, first: bool) {
        match stands_for {
            Some(c) if !first => self.trailing.push(c),
            Some(c) => self.leading = Some(c),
            None => {}
        }
    }

    /// One LF becomes a space, more lose their first; LS and PS stay.
    pub(super) fn fold_into(&mut self, out: &mut String) {
        match self.leading.take() {
            Some('\n') if self.trailing.is_empty() => out.push(' '),
            Some('\n') | None => out.push_str(&self.trailing),
            Some(other) => {
                out.push(other);
                out.push_str(&self.trailing);
            }
        }
        self.trailing.clear();
    }
}

impl<'a> Scanner<'a> {
    /// go-yaml: scannerc.go yaml_parser_scan_plain_scalar.
    pub(super) fn scan_plain(&mut self) -> Result<Token<'a>, Fault> {
        let line = self.mark.line;
        let indent = self.indent + 1;
        let begin = self.pos;
        // The value is text[begin..end] until a line is folded into it.
        let mut end = begin;
        let mut folded: Option<String> = None;
        let mut breaks = Breaks::default();
        let mut leading_blanks = false;

        loop {
            self.check_horizon(4)?;
            if (self.mark.column == 0 && self.at_document_indicator()) || self.byte(0) == b'#' {
                break;
            }
            let run = self.pos;
            let run_end = self.plain_run_end();
            if run_end > run {
                if leading_blanks {
                    let out = folded.get_or_insert_with(|| self.text[begin..end].to_owned());
                    breaks.fold_into(out);
                    out.push_str(&self.text[run..run_end]);
                    leading_blanks = false;
                } else if let Some(out) = &mut folded {
                    out.push_str(&self.text[end..run_end]);
                }
                end = run_end;
                self.advance_to(run_end);
            }
            if !(self.is_blank(0) || self.is_break(0)) {
                break;
            }
            loop {
                if self.is_blank(0) {
                    if leading_blanks
                        && (self.mark.column as isize) < indent
                        && self.byte(0) == b'\t'
                    {
                        return self.error("found a tab character that violates indentation");
                    }
                    self.advance(1);
                } else if self.is_break(0) {
                    let stands_for = self.read_line();
                    breaks.push(stands_for, !leading_blanks);
                    leading_blanks = true;
                } else {
                    break;
                }
            }
            if self.flow_level == 0 && (self.mark.column as isize) < indent {
                break;
            }
        }
        if leading_blanks {
            self.simple_key_allowed = true;
        }
        let text = folded.map_or_else(|| Cow::Borrowed(&self.text[begin..end]), Cow::Owned);
        Ok(Token {
            kind: Kind::Scalar { text, plain: true },
            line,
        })
    }

    /// Where the run of characters that belong to a plain scalar ends.
    fn plain_run_end(&self) -> usize {
        let stop = if self.flow_level > 0 {
            BLANK | BREAK | END | FLOW
        } else {
            BLANK | BREAK | END
        };
        let mut at = self.pos;
        while let Some(&b) = self.bytes.get(at) {
            let class = CLASS[usize::from(b)];
            if class & (stop | COLON | WIDE) != 0
                && (class & stop != 0
                    || (class == COLON && self.is_blankz(at + 1 - self.pos))
                    || (class == WIDE && self.is_break(at - self.pos)))
            {
                break;
            }
            at += 1;
        }
        at
    }
}
