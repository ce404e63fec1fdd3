//! Block scalars: literal (`|`) and folded (`>`).

use std::borrow::Cow;

use super::error::Fault;
use super::scanner::Scanner;
use super::token::{Kind, Token};

/// What happens to the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl<'a> Scanner<'a> {
    /// go-yaml: scannerc.go yaml_parser_scan_block_scalar.
    pub(super) fn scan_block_scalar(&mut self, literal: bool) -> Result<Token<'a>, Fault> {
        let line = self.mark.line;
        self.advance(1);
        let (chomping, increment) = self.scan_block_header()?;
        // 0 stands for "to be found".
        let mut indent = match increment {
            0 => 0,
            _ if self.indent >= 0 => self.indent as usize + increment,
            _ => increment,
        };
        let mut out = String::new();
        let mut leading_break = None;
        let mut trailing_breaks = String::new();
        let mut leading_blank = false;
        self.scan_block_breaks(&mut indent, &mut trailing_breaks)?;
        while self.mark.column == indent && !self.at_end() {
            let blank = self.is_blank(0);
            if !literal && !leading_blank && !blank && leading_break == Some('\n') {
                if trailing_breaks.is_empty() {
                    out.push(' ');
                }
            } else {
                out.extend(leading_break);
            }
            out.push_str(&trailing_breaks);
            trailing_breaks.clear();
            leading_blank = blank;
            let end = self.line_end();
            out.push_str(&self.text[self.pos..end]);
            self.advance_to(end);
            leading_break = self.read_line();
            self.scan_block_breaks(&mut indent, &mut trailing_breaks)?;
        }
        if chomping != Chomping::Strip {
            out.extend(leading_break);
        }
        if chomping == Chomping::Keep {
            out.push_str(&trailing_breaks);
        }
        Ok(Token {
            kind: Kind::Scalar {
                text: Cow::Owned(out),
                plain: false,
            },
            line,
        })
    }

    /// The indicators behind `|` or `>`, in either order, up to the end of the line.
    fn scan_block_header(&mut self) -> Result<(Chomping, usize), Fault> {
        let mut increment = 0;
        let mut chomping = self.scan_chomping();
        if self.byte(0).is_ascii_digit() {
            if self.byte(0) == b'0' {
                return self.error("found an indentation indicator equal to 0");
            }
            increment = usize::from(self.byte(0) - b'0');
            self.advance(1);
            chomping = chomping.or_else(|| self.scan_chomping());
        }
        while self.is_blank(0) {
            self.advance(1);
        }
        if self.byte(0) == b'#' {
            self.skip_to_break();
        }
        if !self.is_breakz(0) {
            return self.error("did not find expected comment or line break");
        }
        self.skip_line();
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    fn scan_chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.byte(0) {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return None,
        };
        self.advance(1);
        Some(chomping)
    }

    /// Skips indentation and empty lines; finds the indentation out if it is not known.
    fn scan_block_breaks(&mut self, indent: &mut usize, breaks: &mut String) -> Result<(), Fault> {
        let mut max_indent = 0;
        loop {
            while (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b' ' {
                self.advance(1);
            }
            max_indent = max_indent.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.byte(0) == b'\t' {
                return self.error("found a tab character where an indentation space is expected");
            }
            match self.read_line() {
                Some(stands_for) => breaks.push(stands_for),
                None => break,
            }
        }
        if *indent == 0 {
            *indent = max_indent.max((self.indent + 1) as usize).max(1);
        }
        Ok(())
    }
}
