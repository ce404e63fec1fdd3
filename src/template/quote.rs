//! Go's quoted strings, both ways: `strconv.Quote` and `strconv.Unquote`.

use super::rune;
use super::unicode::is_print;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The literal is not one of Go's; the message is Go's `strconv.ErrSyntax`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid syntax")]
pub struct InvalidSyntax;

/// A double-quoted Go string literal, as `%q` prints it.
pub fn quote(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    append_quoted(&mut out, text, false);
    out
}

/// [`quote`] for messages, which are UTF-8 whatever the text was.
pub(super) fn quoted(text: &[u8]) -> String {
    String::from_utf8(quote(text))
        .unwrap_or_else(|broken| String::from_utf8_lossy(broken.as_bytes()).into_owned())
}

/// Appends a double-quoted Go string literal; with `ascii`, all else is escaped (`%+q`).
pub(super) fn append_quoted(out: &mut Vec<u8>, text: &[u8], ascii: bool) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        let run = rest
            .iter()
            .position(|byte| !plain(byte))
            .unwrap_or(rest.len());
        out.extend_from_slice(&rest[..run]);
        rest = &rest[run..];
        let Some(&byte) = rest.first() else {
            break;
        };
        let (rune, width) = rune::decode(rest);
        if width == 1 && rune == char::REPLACEMENT_CHARACTER {
            out.extend_from_slice(b"\\x");
            append_hex(out, u32::from(byte), 2);
        } else {
            append_escaped(out, rune, '"', ascii);
        }
        rest = &rest[width..];
    }
    out.push(b'"');
}

/// A single-quoted Go character literal, as `%q` prints one.
pub fn rune(rune: char) -> String {
    let mut out = Vec::new();
    append_quoted_rune(&mut out, rune, false);
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends a single-quoted Go character literal (`%q` of an integer).
pub(super) fn append_quoted_rune(out: &mut Vec<u8>, rune: char, ascii: bool) {
    out.push(b'\'');
    append_escaped(out, rune, '\'', ascii);
    out.push(b'\'');
}

fn append_escaped(out: &mut Vec<u8>, rune: char, quote: char, ascii: bool) {
    if rune == quote || rune == '\\' {
        out.push(b'\\');
        return rune::push(out, rune);
    }
    if is_print(rune) && (rune.is_ascii() || !ascii) {
        return rune::push(out, rune);
    }
    let code = rune as u32;
    let letter = match rune {
        '\x07' => b'a',
        '\x08' => b'b',
        '\x0c' => b'f',
        '\n' => b'n',
        '\r' => b'r',
        '\t' => b't',
        '\x0b' => b'v',
        '\0'..=' ' | '\x7f' => b'x',
        _ if code < 0x10000 => b'u',
        _ => b'U',
    };
    out.extend_from_slice(&[b'\\', letter]);
    match letter {
        b'x' => append_hex(out, code, 2),
        b'u' => append_hex(out, code, 4),
        b'U' => append_hex(out, code, 8),
        _ => {}
    }
}

fn append_hex(out: &mut Vec<u8>, code: u32, digits: u32) {
    for digit in (0..digits).rev() {
        out.push(HEX[(code >> (4 * digit) & 0xf) as usize]);
    }
}

/// Whether the text can stand between backquotes unchanged (`%#q`).
pub(super) fn can_backquote(text: &[u8]) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let (rune, width) = rune::decode(rest);
        rest = &rest[width..];
        let fine = match rune {
            '\u{feff}' => false,
            _ if width > 1 => true,
            char::REPLACEMENT_CHARACTER | '`' | '\x7f' => false,
            _ => rune >= ' ' || rune == '\t',
        };
        if !fine {
            return false;
        }
    }
    true
}

/// The string that a double-quoted or backquoted literal stands for.
pub fn unquote(literal: &[u8]) -> Result<Vec<u8>, InvalidSyntax> {
    let (Some(&mark), true) = (literal.first(), literal.len() >= 2) else {
        return Err(InvalidSyntax);
    };
    let body = &literal[1..];
    match mark {
        b'`' => match body.iter().position(|&byte| byte == b'`') {
            // Go drops carriage returns from raw strings.
            Some(end) if end + 1 == body.len() => Ok(body[..end]
                .iter()
                .copied()
                .filter(|&b| b != b'\r')
                .collect()),
            _ => Err(InvalidSyntax),
        },
        b'"' => unquote_body(body),
        _ => Err(InvalidSyntax),
    }
}

fn unquote_body(body: &[u8]) -> Result<Vec<u8>, InvalidSyntax> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    loop {
        match rest.first() {
            None | Some(b'\n') => return Err(InvalidSyntax),
            Some(b'"') if rest.len() == 1 => return Ok(out),
            Some(_) => {
                let (unit, tail) = unquote_char(rest, b'"')?;
                match unit {
                    Unit::Byte(byte) => out.push(byte),
                    Unit::Rune(rune) => rune::push(&mut out, rune),
                }
                rest = tail;
            }
        }
    }
}

/// What one escape stands for: `\xff` is a byte, `\u00ff` a rune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Byte(u8),
    Rune(char),
}

/// The first character of the inside of a literal, and the rest.
pub(super) fn unquote_char(text: &[u8], quote: u8) -> Result<(Unit, &[u8]), InvalidSyntax> {
    match text.first() {
        None => return Err(InvalidSyntax),
        Some(&byte) if byte == quote => return Err(InvalidSyntax),
        Some(byte) if !byte.is_ascii() => {
            let (rune, width) = rune::decode(text);
            return Ok((Unit::Rune(rune), &text[width..]));
        }
        Some(b'\\') => {}
        Some(&byte) => return Ok((Unit::Byte(byte), &text[1..])),
    }
    let (&letter, rest) = text[1..].split_first().ok_or(InvalidSyntax)?;
    let unit = match letter {
        b'a' => Unit::Byte(7),
        b'b' => Unit::Byte(8),
        b'f' => Unit::Byte(12),
        b'n' => Unit::Byte(b'\n'),
        b'r' => Unit::Byte(b'\r'),
        b't' => Unit::Byte(b'\t'),
        b'v' => Unit::Byte(11),
        b'\\' => Unit::Byte(b'\\'),
        b'\'' | b'"' if letter == quote => Unit::Byte(letter),
        b'x' | b'u' | b'U' => return unquote_hex(letter, rest),
        b'0'..=b'7' => return unquote_octal(letter, rest),
        _ => return Err(InvalidSyntax),
    };
    Ok((unit, rest))
}

fn unquote_hex(letter: u8, rest: &[u8]) -> Result<(Unit, &[u8]), InvalidSyntax> {
    let length = match letter {
        b'x' => 2,
        b'u' => 4,
        _ => 8,
    };
    let digits = rest.get(..length).ok_or(InvalidSyntax)?;
    let code = digits.iter().try_fold(0_u32, |code, &digit| {
        let digit = char::from(digit).to_digit(16).ok_or(InvalidSyntax)?;
        Ok(code << 4 | digit)
    })?;
    let unit = match letter {
        b'x' => Unit::Byte(code as u8),
        _ => Unit::Rune(char::from_u32(code).ok_or(InvalidSyntax)?),
    };
    Ok((unit, &rest[length..]))
}

fn unquote_octal(first: u8, rest: &[u8]) -> Result<(Unit, &[u8]), InvalidSyntax> {
    let digits = rest.get(..2).ok_or(InvalidSyntax)?;
    let code = digits
        .iter()
        .try_fold(u32::from(first - b'0'), |code, &digit| {
            let digit = char::from(digit).to_digit(8).ok_or(InvalidSyntax)?;
            Ok(code << 3 | digit)
        })?;
    let byte = u8::try_from(code).map_err(|_| InvalidSyntax)?;
    Ok((Unit::Byte(byte), &rest[2..]))
}
