//! Directives, anchors, aliases and tags.

use super::error::Fault;
use super::scanner::Scanner;
use super::token::{Kind, Token};

impl<'a> Scanner<'a> {
    /// `%YAML 1.1` or `%TAG !handle! prefix`, with its line break.
    pub(super) fn scan_directive(&mut self) -> Result<Token<'a>, Fault> {
        let line = self.mark.line;
        self.advance(1);
        let kind = match self.scan_directive_name()? {
            "YAML" => self.scan_version()?,
            "TAG" => self.scan_tag_directive()?,
            _ => return self.error("found unknown directive name"),
        };
        self.skip_blanks();
        if self.byte(0) == b'#' {
            self.skip_to_break();
        }
        if !self.is_breakz(0) {
            return self.error("did not find expected comment or line break");
        }
        self.skip_line();
        Ok(Token { kind, line })
    }

    fn skip_blanks(&mut self) {
        while self.is_blank(0) {
            self.advance(1);
        }
    }

    /// A run of ASCII letters, digits, `_` and `-`.
    fn scan_word(&mut self) -> &'a str {
        let begin = self.pos;
        while is_word(self.byte(0)) {
            self.advance(1);
        }
        &self.text[begin..self.pos]
    }

    fn scan_directive_name(&mut self) -> Result<&'a str, Fault> {
        let name = self.scan_word();
        if name.is_empty() {
            return self.error("could not find expected directive name");
        }
        if !self.is_blankz(0) {
            return self.error("found unexpected non-alphabetical character");
        }
        Ok(name)
    }

    fn scan_version(&mut self) -> Result<Kind<'a>, Fault> {
        self.skip_blanks();
        let major = self.scan_version_number()?;
        if self.byte(0) != b'.' {
            return self.error("did not find expected digit or '.' character");
        }
        self.advance(1);
        let minor = self.scan_version_number()?;
        Ok(Kind::VersionDirective { major, minor })
    }

    fn scan_version_number(&mut self) -> Result<u8, Fault> {
        let mut value = 0;
        let mut length = 0;
        while self.byte(0).is_ascii_digit() {
            length += 1;
            if length > 2 {
                return self.error("found extremely long version number");
            }
            value = value * 10 + (self.byte(0) - b'0');
            self.advance(1);
        }
        if length == 0 {
            return self.error("did not find expected version number");
        }
        Ok(value)
    }

    fn scan_tag_directive(&mut self) -> Result<Kind<'a>, Fault> {
        self.skip_blanks();
        let handle = self.scan_tag_handle(true)?;
        if !self.is_blank(0) {
            return self.error("did not find expected whitespace");
        }
        self.skip_blanks();
        let prefix = self.scan_tag_uri("")?;
        if !self.is_blankz(0) {
            return self.error("did not find expected whitespace or line break");
        }
        Ok(Kind::TagDirective { handle, prefix })
    }

    /// `&name` or `*name`.
    pub(super) fn scan_anchor(&mut self, anchor: bool) -> Result<Token<'a>, Fault> {
        let line = self.mark.line;
        self.advance(1);
        let name = self.scan_word();
        let ends = self.is_blankz(0)
            || matches!(
                self.byte(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if name.is_empty() || !ends {
            return self.error("did not find expected alphabetic or numeric character");
        }
        let kind = if anchor {
            Kind::Anchor(name)
        } else {
            Kind::Alias(name)
        };
        Ok(Token { kind, line })
    }

    /// `!<uri>`, `!suffix`, `!handle!suffix` or `!`.
    pub(super) fn scan_tag(&mut self) -> Result<Token<'a>, Fault> {
        let line = self.mark.line;
        let (handle, suffix) = if self.byte(1) == b'<' {
            self.advance(2);
            let suffix = self.scan_tag_uri("")?;
            if self.byte(0) != b'>' {
                return self.error("did not find the expected '>'");
            }
            self.advance(1);
            ("", suffix)
        } else {
            let handle = self.scan_tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                (handle, self.scan_tag_uri("")?)
            } else {
                let suffix = self.scan_tag_uri(handle)?;
                if suffix.is_empty() {
                    ("", "!".to_owned())
                } else {
                    ("!", suffix)
                }
            }
        };
        if !self.is_blankz(0) {
            return self.error("did not find expected whitespace or line break");
        }
        Ok(Token {
            kind: Kind::Tag { handle, suffix },
            line,
        })
    }

    fn scan_tag_handle(&mut self, directive: bool) -> Result<&'a str, Fault> {
        let begin = self.pos;
        if self.byte(0) != b'!' {
            return self.error("did not find expected '!'");
        }
        self.advance(1);
        self.scan_word();
        if self.byte(0) == b'!' {
            self.advance(1);
        } else if directive && self.pos - begin != 1 {
            return self.error("did not find expected '!'");
        }
        Ok(&self.text[begin..self.pos])
    }

    /// A tag's URI behind `head`, whose `!` is left out. Escapes are decoded.
    fn scan_tag_uri(&mut self, head: &str) -> Result<String, Fault> {
        let mut uri = head.get(1..).unwrap_or("").as_bytes().to_vec();
        let mut found = !head.is_empty();
        loop {
            match self.byte(0) {
                b'%' => self.scan_uri_escape(&mut uri)?,
                b if is_uri(b) => {
                    uri.push(b);
                    self.advance(1);
                }
                _ => break,
            }
            found = true;
        }
        if !found {
            return self.error("did not find expected tag URI");
        }
        Ok(String::from_utf8_lossy(&uri).into_owned())
    }

    /// The escaped octets of one character.
    fn scan_uri_escape(&mut self, uri: &mut Vec<u8>) -> Result<(), Fault> {
        let mut left = None;
        while left != Some(0) {
            let digits = (
                char::from(self.byte(1)).to_digit(16),
                char::from(self.byte(2)).to_digit(16),
            );
            let (b'%', (Some(high), Some(low))) = (self.byte(0), digits) else {
                return self.error("did not find URI escaped octet");
            };
            let octet = (high * 16 + low) as u8;
            left = match left {
                None => match octet {
                    0x00..=0x7f => Some(0),
                    0xc0..=0xdf => Some(1),
                    0xe0..=0xef => Some(2),
                    0xf0..=0xf7 => Some(3),
                    _ => return self.error("found an incorrect leading UTF-8 octet"),
                },
                Some(_) if octet & 0xc0 != 0x80 => {
                    return self.error("found an incorrect trailing UTF-8 octet");
                }
                Some(left) => Some(left - 1),
            };
            uri.push(octet);
            self.advance(3);
        }
        Ok(())
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

fn is_uri(b: u8) -> bool {
    is_word(b) || b";/?:@&=+$,.!~*'()[]".contains(&b)
}
