//! Bytes to text: encodings, byte order marks, and the characters YAML does not allow.
//!
//! go-yaml reads in chunks, so a forbidden byte is only reported once its chunk is needed. The
//! `horizon` says from where on it is.

use std::borrow::Cow;

use super::error::Fault;

/// go-yaml: yamlprivateh.go input_raw_buffer_size.
const CHUNK: usize = 512;

/// The readable part of a document's bytes.
pub(super) struct Input<'a> {
    /// Everything before the first forbidden character, as UTF-8.
    pub(super) text: Cow<'a, str>,
    /// What is wrong behind `text`, if anything.
    pub(super) fault: Option<Fault>,
    /// The offset in `text` from which on the scanner meets `fault` instead of text.
    pub(super) horizon: usize,
    /// The offset in `text` behind the first chunk.
    pub(super) first_chunk: usize,
}

/// Where go-yaml's chunks begin. A character that one holds only in part begins the next.
struct Chunks {
    /// The offset behind the current chunk, in the bytes.
    end: usize,
    /// The start of the current chunk, in the text.
    start: usize,
    first: Option<usize>,
}

impl Chunks {
    const fn new() -> Self {
        Self {
            end: CHUNK,
            start: 0,
            first: None,
        }
    }

    /// Takes note of a character.
    fn pass(&mut self, at: usize, width: usize, in_text: usize) {
        if at + width > self.end {
            self.end = at + CHUNK;
            self.start = in_text;
            self.first.get_or_insert(in_text);
        }
    }

    fn input<'a>(&self, text: Cow<'a, str>, fault: Option<&str>) -> Input<'a> {
        let horizon = match fault {
            None => usize::MAX,
            // Known to be incomplete only at the end, when all before it has been handed out.
            Some(problem) if problem.starts_with("incomplete") => text.len(),
            Some(_) => self.start,
        };
        let first_chunk = self.first.unwrap_or(text.len());
        Input {
            text,
            fault: fault.map(Fault::bare),
            horizon,
            first_chunk,
        }
    }
}

/// Decodes bytes as go-yaml's reader does.
pub(super) fn read(bytes: &[u8]) -> Input<'_> {
    match bytes {
        [0xff, 0xfe, ..] => read_utf16(bytes, u16::from_le_bytes),
        [0xfe, 0xff, ..] => read_utf16(bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, ..] => read_utf8(bytes, 3),
        _ => read_utf8(bytes, 0),
    }
}

fn read_utf8(bytes: &[u8], mark: usize) -> Input<'_> {
    let body = &bytes[mark..];
    if let Ok(text) = std::str::from_utf8(body)
        && !has_forbidden(body)
    {
        let first_chunk = text.floor_char_boundary(CHUNK - mark);
        return Input {
            text: text.into(),
            fault: None,
            horizon: usize::MAX,
            first_chunk,
        };
    }
    let mut chunks = Chunks::new();
    let mut at = mark;
    let fault = loop {
        let rest = &bytes[at..];
        let Some(&first) = rest.first() else {
            break None;
        };
        chunks.pass(at, declared_width(first).unwrap_or(1), at - mark);
        match decode_utf8(rest) {
            Ok(width) => at += width,
            Err(problem) => break Some(problem),
        }
    };
    // All of it was decoded character by character just now.
    chunks.input(String::from_utf8_lossy(&bytes[mark..at]), fault)
}

/// Text that needs none of this: UTF-8 whose only line break is LF. CR with LF, which means the
/// same, becomes LF.
pub(super) fn everyday(bytes: &[u8]) -> Option<Cow<'_, str>> {
    const MARK: &[u8] = &[0xef, 0xbb, 0xbf];
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    if bytes.starts_with(MARK) {
        return None;
    }
    let uncommon = any(bytes, is_uncommon);
    if uncommon
        && any(bytes, |from| {
            !from.starts_with(b"\r\n") && is_uncommon(from)
        })
    {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    Some(if uncommon {
        text.split('\r').collect::<String>().into()
    } else {
        text.into()
    })
}

/// Whether any character is none of `#x9 #xA #xD #x20-#x7E #x85 #xA0-#xFFFD #x10000-`.
fn has_forbidden(bytes: &[u8]) -> bool {
    any(bytes, is_forbidden)
}

/// Whether a byte that is neither printable ASCII nor LF, with those behind it, is what is looked for.
fn any(bytes: &[u8], found: impl Fn(&[u8]) -> bool) -> bool {
    const STRIDE: usize = 64;
    // Branch-free over a stride, so that the compiler can take many bytes at once.
    let suspicious = |stride: &[u8]| {
        stride.iter().fold(false, |any, &b| {
            any | (b >= 0x7f) | ((b < 0x20) & (b != b'\n'))
        })
    };
    let mut at = 0;
    bytes.chunks(STRIDE).any(|stride| {
        let range = at..at + stride.len();
        at = range.end;
        suspicious(stride)
            && range
                .into_iter()
                .any(|at| !matches!(bytes[at], b'\n' | b' '..=b'~') && found(&bytes[at..]))
    })
}

fn is_forbidden(from: &[u8]) -> bool {
    match from {
        [b'\t' | b'\n' | b'\r', ..] => false,
        [0x00..=0x1f | 0x7f, ..] => true,
        [0xc2, next, ..] => *next < 0xa0 && *next != 0x85,
        [0xef, 0xbf, last, ..] => *last >= 0xbe,
        _ => false,
    }
}

/// Forbidden characters, and line breaks other than LF.
fn is_uncommon(from: &[u8]) -> bool {
    matches!(
        from,
        [b'\r', ..] | [0xc2, 0x85, ..] | [0xe2, 0x80, 0xa8 | 0xa9, ..]
    ) || is_forbidden(from)
}

fn declared_width(first: u8) -> Option<usize> {
    match first {
        0x00..=0x7f => Some(1),
        0xc0..=0xdf => Some(2),
        0xe0..=0xef => Some(3),
        0xf0..=0xf7 => Some(4),
        _ => None,
    }
}

/// The width of the first character, or go-yaml's reason to refuse it.
///
/// go-yaml: readerc.go yaml_parser_update_buffer.
fn decode_utf8(bytes: &[u8]) -> Result<usize, &'static str> {
    let first = bytes[0];
    let width = declared_width(first).ok_or("invalid leading UTF-8 octet")?;
    if width > bytes.len() {
        return Err("incomplete UTF-8 octet sequence");
    }
    let mut value = u32::from(first) & [0, 0x7f, 0x1f, 0x0f, 0x07][width];
    for &octet in &bytes[1..width] {
        if octet & 0xc0 != 0x80 {
            return Err("invalid trailing UTF-8 octet");
        }
        value = (value << 6) + u32::from(octet & 0x3f);
    }
    if value < [0, 0, 0x80, 0x800, 0x1_0000][width] {
        return Err("invalid length of a UTF-8 sequence");
    }
    if (0xd800..=0xdfff).contains(&value) || value > 0x10_ffff {
        return Err("invalid Unicode character");
    }
    if is_allowed(value) {
        Ok(width)
    } else {
        Err("control characters are not allowed")
    }
}

fn is_allowed(value: u32) -> bool {
    matches!(value, 0x09 | 0x0a | 0x0d | 0x20..=0x7e | 0x85 | 0xa0..=0xd7ff | 0xe000..=0xfffd | 0x1_0000..=0x10_ffff)
}

fn read_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Input<'static> {
    let mut text = String::with_capacity(bytes.len());
    let mut chunks = Chunks::new();
    let mut at = 2;
    let fault = loop {
        let rest = &bytes[at..];
        let width = match rest {
            [] => break None,
            [a, b, ..] if is_high(unit([*a, *b])) => 4,
            _ => 2,
        };
        chunks.pass(at, width, text.len());
        match decode_utf16(rest, unit) {
            Ok(c) => text.push(c),
            Err(problem) => break Some(problem),
        }
        at += width;
    };
    chunks.input(text.into(), fault)
}

fn is_high(unit: u16) -> bool {
    unit & 0xfc00 == 0xd800
}

fn decode_utf16(rest: &[u8], unit: fn([u8; 2]) -> u16) -> Result<char, &'static str> {
    let [a, b, tail @ ..] = rest else {
        return Err("incomplete UTF-16 character");
    };
    let first = unit([*a, *b]);
    let mut value = u32::from(first);
    if first & 0xfc00 == 0xdc00 {
        return Err("unexpected low surrogate area");
    }
    if is_high(first) {
        let [c, d, ..] = tail else {
            return Err("incomplete UTF-16 surrogate pair");
        };
        let second = unit([*c, *d]);
        if second & 0xfc00 != 0xdc00 {
            return Err("expected low surrogate area");
        }
        value = 0x1_0000 + (u32::from(first & 0x3ff) << 10) + u32::from(second & 0x3ff);
    }
    let allowed = char::from_u32(value).filter(|_| is_allowed(value));
    allowed.ok_or("control characters are not allowed")
}
