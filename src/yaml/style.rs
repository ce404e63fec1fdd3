//! Which of YAML's styles a string can be written in.

use memchr::{memchr, memchr_iter};

use super::order::Edition;
use super::resolve::reads_as_string;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What a string's characters allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analysis {
    pub(super) multiline: bool,
    plain: bool,
    single: bool,
    literal: bool,
}

/// The style go-yaml asks for, before the characters are looked at.
///
/// go-yaml: encode.go stringv.
pub(super) fn wanted(text: &str, edition: Edition) -> Style {
    if text.contains('\n') {
        Style::Literal
    } else if reads_as_string(text, edition == Edition::V3) {
        Style::Plain
    } else {
        Style::Double
    }
}

impl Analysis {
    /// go-yaml: emitterc.go yaml_emitter_select_scalar_style, outside of flow collections.
    pub(super) fn select(self, wanted: Style, text: &str, simple_key: bool) -> Style {
        let mut style = wanted;
        if simple_key && self.multiline {
            style = Style::Double;
        }
        if style == Style::Plain && (!self.plain || (text.is_empty() && simple_key)) {
            style = Style::Single;
        }
        if style == Style::Single && !self.single {
            style = Style::Double;
        }
        if style == Style::Literal && (!self.literal || simple_key) {
            style = Style::Double;
        }
        style
    }

    /// go-yaml: emitterc.go yaml_emitter_analyze_scalar, outside of flow collections.
    pub(super) fn of(text: &str, edition: Edition) -> Self {
        let bytes = text.as_bytes();
        if bytes.is_empty() {
            return Self {
                multiline: false,
                plain: true,
                single: true,
                literal: false,
            };
        }
        if memchr(b'\n', bytes).is_some() && bytes.iter().all(|&b| matches!(b, b'\n' | b' '..=b'~'))
        {
            return Self::of_ascii_lines(bytes);
        }
        let mut indicators = begins_with_marker(bytes) || begins_badly(bytes);
        let (mut breaks, mut special, mut tabs) = (false, false, false);
        let (mut break_space, mut space_break) = (false, false);
        let (mut previous_space, mut previous_break) = (false, false);
        let mut after_blank = true;
        let mut at = 0;
        while at < bytes.len() {
            let first = bytes[at];
            if ORDINARY[usize::from(first)] {
                (previous_space, previous_break, after_blank) = (false, false, false);
                at += 1;
                continue;
            }
            indicators |= match first {
                b'#' => after_blank,
                b':' => blank_or_end(bytes, at + 1),
                _ => false,
            };
            if first == b'\t' && edition == Edition::V3 {
                tabs = true;
            } else if !is_printable(bytes, at) {
                special = true;
            }
            let space = first == b' ';
            let line_break = is_break(bytes, at);
            break_space |= space && previous_break;
            space_break |= line_break && previous_space;
            breaks |= line_break;
            previous_space = space;
            previous_break = line_break;
            after_blank = space || first == b'\t' || line_break || first == 0;
            at += width(first);
        }
        let leading = bytes[0] == b' ' || is_break(bytes, 0);
        let trailing_space = previous_space;
        let hard = space_break || special;
        Self {
            multiline: breaks,
            plain: !(leading
                || trailing_space
                || breaks
                || indicators
                || break_space
                || hard
                || tabs),
            single: !(break_space || hard || tabs),
            literal: !(trailing_space || hard),
        }
    }

    /// The same of more than one line of printable ASCII.
    fn of_ascii_lines(bytes: &[u8]) -> Self {
        let (mut space_break, mut break_space) = (false, false);
        for at in memchr_iter(b'\n', bytes) {
            space_break |= at > 0 && bytes[at - 1] == b' ';
            break_space |= bytes.get(at + 1) == Some(&b' ');
        }
        Self {
            multiline: true,
            plain: false,
            single: !(break_space || space_break),
            literal: !(space_break || bytes.ends_with(b" ")),
        }
    }
}

/// Whether go-yaml would write the text plain. Only printable ASCII is looked at.
pub(super) fn is_plain_ascii(text: &str, edition: Edition) -> bool {
    let bytes = text.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    if first == b' ' || last == b' ' || begins_badly(bytes) || begins_with_marker(bytes) {
        return false;
    }
    let mut at = 0;
    loop {
        at += run(&bytes[at..]);
        match bytes.get(at) {
            None => break,
            Some(b' ' | b'\'' | b'"' | b'\\') => {}
            Some(b':') if !blank_or_end(bytes, at + 1) => {}
            Some(b'#') if bytes[at - 1] != b' ' => {}
            Some(_) => return false,
        }
        at += 1;
    }
    reads_as_string(text, edition == Edition::V3)
}

/// How many characters are at the start that are ASCII, no blank, and the same in all styles.
pub(super) fn run(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|&b| !PLAIN[usize::from(b)]);
    end.unwrap_or(bytes.len())
}

fn begins_with_marker(bytes: &[u8]) -> bool {
    bytes.starts_with(b"---") || bytes.starts_with(b"...")
}

/// Characters of one byte that are text wherever they stand behind the first.
static ORDINARY: [bool; 256] = ordinary();

const fn ordinary() -> [bool; 256] {
    let mut table = [false; 256];
    let mut b = b'!';
    while b <= b'~' {
        table[b as usize] = b != b'#' && b != b':';
        b += 1;
    }
    table
}

/// Those of them that need no look in quotes, either.
static PLAIN: [bool; 256] = plain();

const fn plain() -> [bool; 256] {
    let mut table = ordinary();
    table[b'\'' as usize] = false;
    table[b'"' as usize] = false;
    table[b'\\' as usize] = false;
    table
}

/// Whether the first character makes the text anything but a plain scalar.
fn begins_badly(bytes: &[u8]) -> bool {
    match bytes[0] {
        b'#' | b',' | b'[' | b']' | b'{' | b'}' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' => true,
        b'?' | b':' | b'-' => blank_or_end(bytes, 1),
        _ => false,
    }
}

fn blank_or_end(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_none_or(|b| matches!(b, b' ' | b'\t'))
}

/// How many bytes the character takes that begins with this one.
pub(super) fn width(first: u8) -> usize {
    match first {
        0x00..=0xbf => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xff => 4,
    }
}

/// CR, LF, NEL, LS or PS.
pub(super) fn is_break(bytes: &[u8], at: usize) -> bool {
    match bytes[at] {
        b'\r' | b'\n' => true,
        0xc2 => bytes.get(at + 1) == Some(&0x85),
        0xe2 => matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9])),
        _ => false,
    }
}

/// go-yaml: yamlprivateh.go is_printable, which knows nothing above U+FFFF.
pub(super) fn is_printable(bytes: &[u8], at: usize) -> bool {
    let next = |ahead: usize| bytes.get(at + ahead).copied().unwrap_or(0);
    match bytes[at] {
        b'\n' | b' '..=b'~' => true,
        0xc2 => next(1) >= 0xa0,
        0xc3..=0xec | 0xee => true,
        0xed => next(1) < 0xa0,
        0xef => !(next(1) == 0xbb && next(2) == 0xbf || next(1) == 0xbf && next(2) >= 0xbe),
        _ => false,
    }
}
