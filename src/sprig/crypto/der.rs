//! DER, the encoding of keys and certificates: writing it, and reading what is needed.

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// `[n]` around whole elements.
pub(super) const fn explicit(number: u8) -> u8 {
    0xa0 | number
}

/// `[n]` in the place of an element's own tag.
pub(super) const fn implicit(number: u8) -> u8 {
    0x80 | number
}

/// One element.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let bytes = length.to_be_bytes();
        let bytes = &bytes[bytes.iter().take_while(|&&byte| byte == 0).count()..];
        out.push(0x80 | bytes.len() as u8);
        out.extend_from_slice(bytes);
    }
    out.extend_from_slice(content);
    out
}

/// One element of these.
pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

/// A whole number that is not negative, of these bytes, the highest first.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    match &bytes[zeros..] {
        [] => element(INTEGER, &[0]),
        // The highest bit would make it negative.
        digits @ [0x80..=0xff, ..] => element(INTEGER, &[&[0], digits].concat()),
        digits => element(INTEGER, digits),
    }
}

/// Whole bytes as a bit string.
pub(super) fn bit_string(bytes: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], bytes].concat())
}

/// The rest of an encoding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'d>(pub(super) &'d [u8]);

impl<'d> Reader<'d> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element: its tag, its content, and all of it.
    pub(super) fn any(&mut self) -> Option<(u8, &'d [u8], &'d [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        // Tags of several bytes occur nowhere in keys and certificates.
        if tag & 0x1f == 0x1f {
            return None;
        }
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            ..0x80 => (usize::from(first), rest),
            _ => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let shortest = digits.first().is_some_and(|&digit| digit != 0) && digits.len() <= 4;
                let length = digits
                    .iter()
                    .fold(0, |length, &digit| length << 8 | usize::from(digit));
                if !shortest || length < 0x80 {
                    return None;
                }
                (length, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length)?;
        let whole = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some((tag, content, whole))
    }

    /// The content of the next element, if that has this tag.
    pub(super) fn read(&mut self, tag: u8) -> Option<&'d [u8]> {
        self.element(tag).map(|(content, _)| content)
    }

    /// The content and all of the next element, if that has this tag.
    pub(super) fn element(&mut self, tag: u8) -> Option<(&'d [u8], &'d [u8])> {
        let mut ahead = *self;
        let (found, content, whole) = ahead.any()?;
        if found != tag {
            return None;
        }
        *self = ahead;
        Some((content, whole))
    }

    /// The bytes of a whole number that is not negative.
    pub(super) fn unsigned(&mut self) -> Option<&'d [u8]> {
        match self.read(INTEGER)? {
            [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => None,
            [0] => Some(&[]),
            [0, digits @ ..] | digits => Some(digits),
        }
    }

    /// A whole number that fits, as versions do.
    pub(super) fn small(&mut self) -> Option<u64> {
        let digits = self.unsigned()?;
        (digits.len() <= 8).then(|| {
            digits
                .iter()
                .fold(0, |number, &digit| number << 8 | u64::from(digit))
        })
    }

    /// The bytes of a bit string of whole bytes.
    pub(super) fn bits(&mut self) -> Option<&'d [u8]> {
        match self.read(BIT_STRING)? {
            [0, bytes @ ..] => Some(bytes),
            _ => None,
        }
    }
}
