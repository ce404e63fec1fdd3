//! How the scanner looks at characters and moves over them.

use super::scanner::Scanner;

/// Ends a run of plain characters: blanks, breaks, the end.
pub(super) const BLANK: u8 = 1;
pub(super) const BREAK: u8 = 2;
/// The first byte of the line breaks that are no ASCII, and of other characters.
pub(super) const WIDE: u8 = 4;
pub(super) const COLON: u8 = 8;
/// Ends a plain scalar inside of a flow collection.
pub(super) const FLOW: u8 = 16;
pub(super) const QUOTE: u8 = 32;
pub(super) const END: u8 = 64;

/// What each byte may end.
pub(super) static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    table[0] = END;
    table[b' ' as usize] = BLANK;
    table[b'\t' as usize] = BLANK;
    table[b'\r' as usize] = BREAK;
    table[b'\n' as usize] = BREAK;
    table[0xc2] = WIDE;
    table[0xe2] = WIDE;
    table[b':' as usize] = COLON;
    let flow = b",?[]{}";
    let mut i = 0;
    while i < flow.len() {
        table[flow[i] as usize] = FLOW;
        i += 1;
    }
    table[b'"' as usize] = QUOTE;
    table[b'\'' as usize] = QUOTE;
    table[b'\\' as usize] = QUOTE;
    table
}

/// The number of characters, given that most text is ASCII.
pub(super) fn characters(text: &[u8]) -> usize {
    text.iter().filter(|&&b| b & 0xc0 != 0x80).count()
}

impl<'a> Scanner<'a> {
    /// The byte so far ahead, 0 behind the end.
    #[inline]
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn at_end(&self) -> bool {
        self.pos >= self.bytes.len()
    }

    /// Moves over so many characters of one byte, none of them a line break.
    #[inline]
    pub(super) fn advance(&mut self, count: usize) {
        self.pos += count;
        self.mark.index += count;
        self.mark.column += count;
    }

    /// Moves to an offset on the same line.
    #[inline]
    pub(super) fn advance_to(&mut self, end: usize) {
        let count = characters(&self.bytes[self.pos..end]);
        self.pos = end;
        self.mark.index += count;
        self.mark.column += count;
    }

    pub(super) fn advance_char(&mut self) {
        let width = self.text[self.pos..]
            .chars()
            .next()
            .map_or(0, char::len_utf8);
        self.advance_to(self.pos + width);
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.byte(ahead), b' ' | b'\t')
    }

    /// CR, LF, NEL, LS or PS.
    #[inline]
    pub(super) fn is_break(&self, ahead: usize) -> bool {
        match self.byte(ahead) {
            b'\r' | b'\n' => true,
            0xc2 => self.byte(ahead + 1) == 0x85,
            0xe2 => self.byte(ahead + 1) == 0x80 && matches!(self.byte(ahead + 2), 0xa8 | 0xa9),
            _ => false,
        }
    }

    #[inline]
    pub(super) fn is_breakz(&self, ahead: usize) -> bool {
        self.byte(ahead) == 0 || self.is_break(ahead)
    }

    #[inline]
    pub(super) fn is_blankz(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_breakz(ahead)
    }

    /// `---` or `...` with a blank, a break or the end behind it.
    pub(super) fn at_document_indicator(&self) -> bool {
        matches!(
            self.bytes.get(self.pos..self.pos + 3),
            Some(b"---" | b"...")
        ) && self.is_blankz(3)
    }

    /// Moves to the next line break or the end.
    pub(super) fn skip_to_break(&mut self) {
        self.advance_to(self.line_end());
    }

    /// The offset of the next line break or the end.
    pub(super) fn line_end(&self) -> usize {
        const STRIDE: usize = 16;
        let mut at = self.pos;
        loop {
            // Branch-free, so that the compiler can look at all bytes of a stride at once.
            while let Some(stride) = self.bytes.get(at..at + STRIDE) {
                let may_end = |b: u8| (b == b'\n') | (b == b'\r') | (b == 0xc2) | (b == 0xe2);
                if stride.iter().fold(false, |any, &b| any | may_end(b)) {
                    break;
                }
                at += STRIDE;
            }
            let stop = self.bytes.len().min(at + STRIDE);
            while at < stop {
                let class = CLASS[usize::from(self.bytes[at])];
                if class == BREAK || (class == WIDE && self.is_break(at - self.pos)) {
                    return at;
                }
                at += 1;
            }
            if at == self.bytes.len() {
                return at;
            }
        }
    }

    /// Moves over a line break, if here is one.
    pub(super) fn skip_line(&mut self) {
        self.read_line();
    }

    /// Moves over a line break and returns what it stands for in a scalar: LF, LS or PS.
    pub(super) fn read_line(&mut self) -> Option<char> {
        let (width, count, stands_for) = match (self.byte(0), self.byte(1), self.byte(2)) {
            (b'\r', b'\n', _) => (2, 2, '\n'),
            (b'\r' | b'\n', ..) => (1, 1, '\n'),
            (0xc2, 0x85, _) => (2, 1, '\n'),
            (0xe2, 0x80, 0xa8) => (3, 1, '\u{2028}'),
            (0xe2, 0x80, 0xa9) => (3, 1, '\u{2029}'),
            _ => return None,
        };
        self.pos += width;
        self.mark.index += count;
        self.mark.column = 0;
        self.mark.line += 1;
        Some(stands_for)
    }
}
