//! Go's view of text: runes, where every broken byte counts as one U+FFFD, their simple case
//! mappings and their classes. Go's tables are of Unicode 15; Rust's are newer.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

use crate::template::rune;

/// The runes of these bytes, each with its own bytes.
pub(super) fn runes(mut bytes: &[u8]) -> impl Iterator<Item = (char, &[u8])> {
    std::iter::from_fn(move || {
        if bytes.is_empty() {
            return None;
        }
        let (rune, width) = rune::decode(bytes);
        let (own, rest) = bytes.split_at(width);
        bytes = rest;
        Some((rune, own))
    })
}

/// Each rune mapped, and broken bytes replaced, as by Go's `strings.Map`.
pub(super) fn map(bytes: &[u8], mut mapping: impl FnMut(char) -> char) -> String {
    runes(bytes).map(|(rune, _)| mapping(rune)).collect()
}

/// Go's `unicode.ToUpper`.
pub(super) fn to_upper(rune: char) -> char {
    match rune {
        // Rust knows these under their full mapping only, which has two letters.
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
            shifted(rune, 8)
        }
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(rune, 9),
        _ => simple(rune, rune.to_uppercase()),
    }
}

/// Go's `unicode.ToLower`.
pub(super) fn to_lower(rune: char) -> char {
    match rune {
        '\u{130}' => 'i',
        _ => simple(rune, rune.to_lowercase()),
    }
}

/// Go's `unicode.ToTitle`.
pub(super) fn to_title(rune: char) -> char {
    match rune {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => rune,
        _ => to_upper(rune),
    }
}

fn shifted(rune: char, by: u32) -> char {
    char::from_u32(rune as u32 + by).unwrap_or(rune)
}

/// The mapping, if it is of one letter and both were in Unicode 15.
fn simple(rune: char, mut mapped: impl Iterator<Item = char>) -> char {
    match (mapped.next(), mapped.next()) {
        (Some(one), None) if !is_newer(one) && !is_newer(rune) => one,
        _ => rune,
    }
}

/// Whether this cased letter came after Unicode 15, or got its case then.
fn is_newer(rune: char) -> bool {
    matches!(rune,
        '\u{1c89}'..='\u{1c8a}'
        | '\u{a7cb}'..='\u{a7cf}'
        | '\u{a7d2}'..='\u{a7d5}'
        | '\u{a7da}'..='\u{a7dc}'
        | '\u{10d50}'..='\u{10d85}'
        | '\u{16ea0}'..='\u{16ed3}')
}

/// Go's `unicode.IsUpper`.
pub(super) fn is_upper(rune: char) -> bool {
    if rune.is_ascii() {
        rune.is_ascii_uppercase()
    } else {
        category(rune) == Category::UppercaseLetter
    }
}

/// Go's `unicode.IsLower`.
pub(super) fn is_lower(rune: char) -> bool {
    if rune.is_ascii() {
        rune.is_ascii_lowercase()
    } else {
        category(rune) == Category::LowercaseLetter
    }
}

/// Go's `unicode.IsTitle`.
pub(super) fn is_title(rune: char) -> bool {
    category(rune) == Category::TitlecaseLetter
}

/// Go's `unicode.IsLetter`.
pub(super) fn is_letter(rune: char) -> bool {
    rune.is_ascii_alphabetic()
        || matches!(
            category(rune),
            Category::UppercaseLetter
                | Category::LowercaseLetter
                | Category::TitlecaseLetter
                | Category::ModifierLetter
                | Category::OtherLetter
        )
}

/// Go's `unicode.IsDigit`.
pub(super) fn is_digit(rune: char) -> bool {
    if rune.is_ascii() {
        rune.is_ascii_digit()
    } else {
        category(rune) == Category::DecimalNumber
    }
}

/// Go's `unicode.IsNumber`.
pub(super) fn is_number(rune: char) -> bool {
    matches!(
        category(rune),
        Category::DecimalNumber | Category::LetterNumber | Category::OtherNumber
    )
}

/// Go's `unicode.IsPunct`.
pub(super) fn is_punctuation(rune: char) -> bool {
    matches!(
        category(rune),
        Category::ConnectorPunctuation
            | Category::DashPunctuation
            | Category::OpenPunctuation
            | Category::ClosePunctuation
            | Category::InitialPunctuation
            | Category::FinalPunctuation
            | Category::OtherPunctuation
    )
}

/// Go's `unicode.IsSpace`.
pub(super) fn is_space(rune: char) -> bool {
    rune.is_whitespace()
}

fn category(rune: char) -> Category {
    match is_newer(rune) {
        true => Category::Unassigned,
        false => get_general_category(rune),
    }
}

/// The text without the runes of a kind at both its ends, as Go's `strings.TrimFunc`.
pub(super) fn trim(bytes: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    let mut from = 0;
    for (rune, own) in runes(bytes) {
        if !cut(rune) {
            break;
        }
        from += own.len();
    }
    let mut to = from;
    let mut at = from;
    for (rune, own) in runes(&bytes[from..]) {
        at += own.len();
        if !cut(rune) {
            to = at;
        }
    }
    &bytes[from..to]
}
