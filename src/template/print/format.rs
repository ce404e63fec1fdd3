//! The flags of a verb, and how one basic value is written under them: Go's fmt/format.go.

use super::float::append_float;
use crate::template::quote::{append_quoted, append_quoted_rune, can_backquote};
use crate::template::rune;
use crate::template::unicode::is_print;
use crate::template::value::FloatKind;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
    pub(super) minus: bool,
    pub(super) plus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`, where the plus is no sign.
    pub(super) plus_v: bool,
    /// `%#v`, Go syntax.
    pub(super) sharp_v: bool,
}

impl Flags {
    /// Whether there is nothing that changes how a decimal number is written.
    fn is_plain(&self) -> bool {
        self.width.is_none() && self.precision.is_none() && !self.plus && !self.space
    }
}

/// An output buffer with the flags that apply to what is written next.
pub(super) struct Formatter {
    pub(super) out: Vec<u8>,
    pub(super) flags: Flags,
}

impl Formatter {
    fn write_padding(&mut self, count: usize) {
        // Zeros go to the left only.
        let fill = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.out.resize(self.out.len() + count, fill);
    }

    pub(super) fn pad(&mut self, text: &[u8]) {
        let Some(width @ 1..) = self.flags.width else {
            return self.out.extend_from_slice(text);
        };
        let missing = width.saturating_sub(rune::count(text));
        if !self.flags.minus {
            self.write_padding(missing);
        }
        self.out.extend_from_slice(text);
        if self.flags.minus {
            self.write_padding(missing);
        }
    }

    fn pad_without_zeros(&mut self, text: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }

    pub(super) fn boolean(&mut self, truth: bool) {
        self.pad(if truth { b"true" } else { b"false" });
    }

    /// `%U`
    pub(super) fn unicode(&mut self, number: u64) {
        let digits = self.flags.precision.unwrap_or(4).max(4);
        let mut text = b"U+".to_vec();
        append_number(&mut text, number, 16, true, digits);
        let rune = u32::try_from(number).ok().and_then(char::from_u32);
        if let (true, Some(rune)) = (self.flags.sharp, rune.filter(|rune| is_print(*rune))) {
            text.extend_from_slice(format!(" '{rune}'").as_bytes());
        }
        self.pad_without_zeros(&text);
    }

    /// An integer of this size; `verb` matters for `O` and the case of hexadecimal digits.
    pub(super) fn integer(&mut self, size: u64, negative: bool, base: u64, verb: char) {
        let flags = self.flags;
        if flags.is_plain() && base == 10 {
            self.out.extend(negative.then_some(b'-'));
            return append_number(&mut self.out, size, base, false, 0);
        }
        if flags.precision == Some(0) && size == 0 {
            let zero = std::mem::replace(&mut self.flags.zero, false);
            self.write_padding(flags.width.unwrap_or(0));
            self.flags.zero = zero;
            return;
        }
        // `%.3d` and `%03d` both ask for zeros; a precision wins.
        let digits = match (flags.precision, flags.width) {
            (Some(precision), _) => precision,
            (None, Some(width)) if flags.zero && !flags.minus => {
                width.saturating_sub(usize::from(negative || flags.plus || flags.space))
            }
            _ => 0,
        };
        let mut text = Vec::with_capacity(24 + digits);
        text.extend(if negative {
            Some(b'-')
        } else if flags.plus {
            Some(b'+')
        } else if flags.space {
            Some(b' ')
        } else {
            None
        });
        if verb == 'O' {
            text.extend_from_slice(b"0o");
        }
        if flags.sharp {
            // Octal digits that begin with a zero need no other mark.
            let leading_zero = size == 0 || digits > octal_digits(size);
            text.extend_from_slice(match (base, verb) {
                (2, _) => b"0b",
                (8, _) if !leading_zero => b"0",
                (16, 'X') => b"0X",
                (16, _) => b"0x",
                _ => b"",
            });
        }
        append_number(&mut text, size, base, verb == 'X', digits);
        self.pad_without_zeros(&text);
    }

    fn truncate<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(precision) = self.flags.precision else {
            return text;
        };
        let mut end = 0;
        for _ in 0..precision {
            if end >= text.len() {
                break;
            }
            end += rune::decode(&text[end..]).1;
        }
        &text[..end]
    }

    /// `%s`
    pub(super) fn string(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        self.pad(text);
    }

    /// `%x` and `%X` of a string or of bytes.
    pub(super) fn hexadecimal(&mut self, bytes: &[u8], upper: bool) {
        let flags = self.flags;
        let length = flags.precision.unwrap_or(usize::MAX).min(bytes.len());
        if length == 0 {
            return self.write_padding(flags.width.unwrap_or(0));
        }
        let mark: &[u8] = if upper { b"0X" } else { b"0x" };
        let digits: &[u8; 16] = if upper {
            b"0123456789ABCDEF"
        } else {
            b"0123456789abcdef"
        };
        let mut text = Vec::with_capacity(length * 2 + 2);
        for (index, byte) in bytes[..length].iter().enumerate() {
            if flags.space && index > 0 {
                text.push(b' ');
            }
            if flags.sharp && (flags.space || index == 0) {
                text.extend_from_slice(mark);
            }
            text.extend_from_slice(&[
                digits[usize::from(byte >> 4)],
                digits[usize::from(byte & 15)],
            ]);
        }
        self.pad(&text);
    }

    /// `%q` of a string.
    pub(super) fn quoted(&mut self, text: &[u8]) {
        let text = self.truncate(text);
        let mut quoted = Vec::with_capacity(text.len() + 2);
        if self.flags.sharp && can_backquote(text) {
            quoted.push(b'`');
            quoted.extend_from_slice(text);
            quoted.push(b'`');
        } else {
            append_quoted(&mut quoted, text, self.flags.plus);
        }
        self.pad(&quoted);
    }

    /// `%c`; what is no rune is U+FFFD.
    pub(super) fn character(&mut self, code: u64) {
        self.pad(rune_of(code).encode_utf8(&mut [0; 4]).as_bytes());
    }

    /// `%q` of an integer.
    pub(super) fn quoted_character(&mut self, code: u64) {
        let mut quoted = Vec::new();
        append_quoted_rune(&mut quoted, rune_of(code), self.flags.plus);
        self.pad(&quoted);
    }

    /// A float under one of strconv's forms. Go: fmt fmtFloat.
    pub(super) fn float(&mut self, value: f64, kind: FloatKind, form: u8, default: Option<usize>) {
        let precision = self.flags.precision.or(default);
        let mut text = vec![b'+'];
        append_float(&mut text, value, form, precision, kind);
        if matches!(text[1], b'-' | b'+') {
            text.remove(0);
        }
        let flags = self.flags;
        if flags.space && text[0] == b'+' && !flags.plus {
            text[0] = b' ';
        }
        if !value.is_finite() {
            if value.is_nan() && !flags.space && !flags.plus {
                text.remove(0);
            }
            // Go shows the sign of an infinity always and pads it with spaces.
            return self.pad_without_zeros(&text);
        }
        if flags.sharp && form != b'b' {
            restore_zeros(&mut text, form, precision);
        }
        if !flags.plus && text[0] == b'+' {
            return self.pad(&text[1..]);
        }
        match flags.width {
            // The sign stands before the zeros.
            Some(width) if flags.zero && !flags.minus && width > text.len() => {
                self.out.push(text[0]);
                self.write_padding(width - text.len());
                self.out.extend_from_slice(&text[1..]);
            }
            _ => self.pad(&text),
        }
    }
}

fn octal_digits(size: u64) -> usize {
    (64 - size.leading_zeros()).div_ceil(3) as usize
}

/// Appends a number in this base, with zeros before it up to this many digits.
fn append_number(out: &mut Vec<u8>, size: u64, base: u64, upper: bool, digits: usize) {
    let symbols: &[u8; 16] = if upper {
        b"0123456789ABCDEF"
    } else {
        b"0123456789abcdef"
    };
    let mut buffer = [0; 64];
    let mut start = buffer.len();
    let mut rest = size;
    loop {
        start -= 1;
        buffer[start] = symbols[(rest % base) as usize];
        rest /= base;
        if rest == 0 {
            break;
        }
    }
    let written = buffer.len() - start;
    out.resize(out.len() + digits.saturating_sub(written), b'0');
    out.extend_from_slice(&buffer[start..]);
}

fn rune_of(code: u64) -> char {
    u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// `%#g` keeps the decimal point and the trailing zeros. Go: fmt fmtFloat, the sharp flag.
fn restore_zeros(text: &mut Vec<u8>, form: u8, precision: Option<usize>) {
    let mut missing = match form {
        b'g' | b'G' | b'x' => precision.map_or(6, |precision| precision as i64),
        _ => 0,
    };
    let (mut point, mut nonzero) = (false, false);
    let mut end = text.len();
    for (index, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'.' => point = true,
            b'p' | b'P' => {
                end = index;
                break;
            }
            b'e' | b'E' if !matches!(form, b'x' | b'X') => {
                end = index;
                break;
            }
            _ => {
                nonzero |= byte != b'0';
                missing -= i64::from(nonzero);
            }
        }
    }
    let tail = text.split_off(end);
    if !point {
        if text.len() == 2 && text[1] == b'0' {
            missing -= 1;
        }
        text.push(b'.');
    }
    text.extend(std::iter::repeat_n(
        b'0',
        usize::try_from(missing).unwrap_or(0),
    ));
    text.extend_from_slice(&tail);
}
