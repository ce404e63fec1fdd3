//! Go's runes: how Go reads UTF-8, where every broken byte counts as one U+FFFD.

/// The first rune of these bytes and its width. A broken byte is U+FFFD of width 1, and nothing at
/// all is U+FFFD of width 0, as with `utf8.DecodeRune`.
pub fn decode(bytes: &[u8]) -> (char, usize) {
    match bytes.first() {
        None => (char::REPLACEMENT_CHARACTER, 0),
        Some(byte) if byte.is_ascii() => (char::from(*byte), 1),
        Some(_) => match bstr::decode_utf8(bytes) {
            (Some(rune), width) => (rune, width),
            (None, _) => (char::REPLACEMENT_CHARACTER, 1),
        },
    }
}

/// Whether the first byte belongs to no rune.
pub fn is_broken(bytes: &[u8]) -> bool {
    decode(bytes) == (char::REPLACEMENT_CHARACTER, 1)
}

/// How many runes there are, as `utf8.RuneCount` counts them.
pub fn count(bytes: &[u8]) -> usize {
    if bytes.is_ascii() {
        return bytes.len();
    }
    let mut rest = bytes;
    let mut count = 0;
    while !rest.is_empty() {
        rest = &rest[decode(rest).1..];
        count += 1;
    }
    count
}

/// Appends a rune in UTF-8.
pub fn push(out: &mut Vec<u8>, rune: char) {
    out.extend_from_slice(rune.encode_utf8(&mut [0; 4]).as_bytes());
}
