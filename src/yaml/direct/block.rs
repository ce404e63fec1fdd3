//! Literal and folded scalars.
//!
//! The rules are those of `yaml/block.rs`, where a line ends in LF.

use super::{Construct, Direct, push_breaks, string};
use crate::yaml::block::Chomping;

/// The lines of a block scalar, as far as they were looked at.
struct Lines {
    /// 0 stands for "to be found".
    indent: usize,
    /// The indentation there must be.
    least: usize,
    /// Where the current line begins, and at which column behind its indentation the cursor is.
    begin: usize,
    column: usize,
}

impl Direct<'_> {
    /// A literal or folded scalar; on to the next content.
    ///
    /// go-yaml: scannerc.go yaml_parser_scan_block_scalar.
    pub(super) fn block_scalar<C: Construct>(
        &mut self,
        parent: isize,
        wanted: Option<C>,
    ) -> Option<C::Value> {
        let literal = self.byte() == b'|';
        self.pos += 1;
        let (chomping, increment) = self.block_header()?;
        let mut lines = Lines {
            indent: match increment {
                0 => 0,
                _ => parent.max(0) as usize + increment,
            },
            least: (parent + 1).max(1) as usize,
            begin: self.pos,
            column: 0,
        };
        let mut out = String::new();
        let (mut leading_break, mut leading_blank) = (false, false);
        let mut breaks = self.skip_breaks(&mut lines)?;
        while lines.column == lines.indent && self.pos < self.bytes.len() {
            let begin = self.pos;
            self.skip_to_break();
            if wanted.is_some() {
                let blank = matches!(self.bytes[begin], b' ' | b'\t');
                if literal || leading_blank || blank || !leading_break {
                    out.extend(leading_break.then_some('\n'));
                } else if breaks == 0 {
                    out.push(' ');
                }
                push_breaks(&mut out, breaks);
                out.push_str(&self.text[begin..self.pos]);
                leading_blank = blank;
            }
            leading_break = self.pos < self.bytes.len();
            self.pos += usize::from(leading_break);
            breaks = self.skip_breaks(&mut lines)?;
        }
        if chomping != Chomping::Strip {
            out.extend(leading_break.then_some('\n'));
        }
        if chomping == Chomping::Keep {
            push_breaks(&mut out, breaks);
        }
        self.column = lines.column as isize;
        self.find_content()?;
        Some(string(out.into(), wanted))
    }

    /// The indicators behind `|` or `>`, in either order, and the rest of the line with its break.
    fn block_header(&mut self) -> Option<(Chomping, usize)> {
        let mut increment = 0;
        let mut chomping = self.chomping();
        if self.byte().is_ascii_digit() {
            increment = usize::from(self.byte() - b'0');
            if increment == 0 {
                return None;
            }
            self.pos += 1;
            chomping = chomping.or_else(|| self.chomping());
        }
        while matches!(self.byte(), b' ' | b'\t') {
            self.pos += 1;
        }
        match self.byte() {
            b'#' => self.skip_to_break(),
            b'\n' | 0 => {}
            _ => return None,
        }
        self.pos = self.bytes.len().min(self.pos + 1);
        Some((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.byte() {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return None,
        };
        self.pos += 1;
        Some(chomping)
    }

    /// Skips indentation and empty lines; finds the indentation out if it is not known. Says how many
    /// lines were empty.
    fn skip_breaks(&mut self, lines: &mut Lines) -> Option<usize> {
        let mut deepest = 0;
        let mut breaks = 0;
        loop {
            let indent = lines.indent;
            lines.begin = self.pos;
            while (indent == 0 || self.pos - lines.begin < indent) && self.byte() == b' ' {
                self.pos += 1;
            }
            lines.column = self.pos - lines.begin;
            deepest = deepest.max(lines.column);
            match self.byte() {
                b'\t' if indent == 0 || lines.column < indent => return None,
                b'\n' => {
                    breaks += 1;
                    self.pos += 1;
                }
                _ => break,
            }
        }
        if lines.indent == 0 {
            lines.indent = deepest.max(lines.least);
        }
        Some(breaks)
    }
}
