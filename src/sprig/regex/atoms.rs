//! The smallest parts of an expression: characters, escapes, ranges and counts.

use regex_syntax::hir::ClassUnicode;

use crate::template::rune;

use super::class;
use super::syntax::{ErrorCode, Parsed, SyntaxError};
use super::tree::Count;

/// A character or a range of them, inside of brackets.
pub(super) fn class_range<'e>(
    text: &'e [u8],
    whole: &'e [u8],
) -> Parsed<'e, (ClassUnicode, &'e [u8])> {
    let (low, rest) = class_character(text, whole)?;
    let (high, rest) = match rest {
        [b'-', behind, ..] if *behind != b']' => class_character(&rest[1..], whole)?,
        _ => (low, rest),
    };
    if high < low {
        return Err(SyntaxError(
            ErrorCode::CharRange,
            &text[..text.len() - rest.len()],
        ));
    }
    // Surrogates are left out at the ends of a range: they are no characters.
    let low = char::from_u32(low).unwrap_or('\u{e000}');
    let high = char::from_u32(high).unwrap_or('\u{d7ff}');
    let ranges: &[(char, char)] = if low <= high { &[(low, high)] } else { &[] };
    Ok((class::of(ranges), rest))
}

/// The code of a character inside of brackets.
fn class_character<'e>(text: &'e [u8], whole: &'e [u8]) -> Parsed<'e, (u32, &'e [u8])> {
    match text.first() {
        None => Err(SyntaxError(ErrorCode::MissingBracket, whole)),
        Some(b'\\') => escape_code(text),
        Some(_) => next(text).map(|(character, rest)| (character as u32, rest)),
    }
}

pub(super) fn escape(text: &[u8]) -> Parsed<'_, (Option<char>, &[u8])> {
    escape_code(text).map(|(code, rest)| (char::from_u32(code), rest))
}

/// The code that an escape stands for.
// regexp/syntax: parse.go parseEscape
fn escape_code(text: &[u8]) -> Parsed<'_, (u32, &[u8])> {
    if text.len() == 1 {
        return Err(SyntaxError(ErrorCode::TrailingBackslash, b""));
    }
    let (letter, rest) = next(&text[1..])?;
    let invalid = |rest: &[u8]| SyntaxError(ErrorCode::Escape, &text[..text.len() - rest.len()]);
    let octal = |byte: Option<&u8>| byte.is_some_and(|byte| (b'0'..=b'7').contains(byte));
    let code = match letter {
        '1'..='7' if !octal(rest.first()) => return Err(invalid(rest)),
        '0'..='7' => {
            let more = rest
                .iter()
                .take(2)
                .take_while(|&byte| octal(Some(byte)))
                .count();
            let code = rest[..more]
                .iter()
                .fold(letter as u32 - '0' as u32, |code, digit| {
                    code * 8 + u32::from(digit - b'0')
                });
            return Ok((code, &rest[more..]));
        }
        'x' => return hexadecimal(rest, &invalid),
        'a' => 0x07,
        'f' => 0x0c,
        'n' => 0x0a,
        'r' => 0x0d,
        't' => 0x09,
        'v' => 0x0b,
        mark if mark.is_ascii() && !mark.is_ascii_alphanumeric() => mark as u32,
        _ => return Err(invalid(rest)),
    };
    Ok((code, rest))
}

/// What follows `\x`: two digits, or any number of them in braces.
fn hexadecimal<'e>(
    text: &'e [u8],
    invalid: &dyn Fn(&[u8]) -> SyntaxError<'e>,
) -> Parsed<'e, (u32, &'e [u8])> {
    if text.is_empty() {
        return Err(invalid(text));
    }
    let (first, mut rest) = next(text)?;
    if first != '{' {
        // Go asks for a second rune even at the end, and blames the end then.
        let (second, rest) = next(rest)?;
        return match (first.to_digit(16), second.to_digit(16)) {
            (Some(high), Some(low)) => Ok((high << 4 | low, rest)),
            _ => Err(invalid(rest)),
        };
    }
    let (mut code, mut digits) = (0_u32, 0);
    loop {
        if rest.is_empty() {
            return Err(invalid(rest));
        }
        let (character, behind) = next(rest)?;
        rest = behind;
        match character.to_digit(16) {
            Some(digit) => code = code * 16 + digit,
            None if character == '}' && digits > 0 => return Ok((code, rest)),
            None => return Err(invalid(rest)),
        }
        if code > char::MAX as u32 {
            return Err(invalid(rest));
        }
        digits += 1;
    }
}

pub(super) fn simple_count(operator: u8) -> Count {
    Count {
        least: u32::from(operator == b'+'),
        most: (operator == b'?').then_some(1),
        braces: false,
    }
}

/// The count in braces and what follows; no count where it is too large or upside down; nothing
/// where the brace stands for itself.
// regexp/syntax: parse.go parseRepeat
pub(super) fn braces(text: &[u8]) -> Option<(Option<Count>, &[u8])> {
    let (least, rest) = integer(text.strip_prefix(b"{")?)?;
    let (most, rest) = match rest {
        [b',', b'}', ..] => (None, &rest[1..]),
        [b',', behind @ ..] => {
            let (most, rest) = integer(behind)?;
            (Some(most), rest)
        }
        _ => (Some(least), rest),
    };
    let after = rest.strip_prefix(b"}")?;
    let valid = least <= 1_000 && most.is_none_or(|most| (least..=1_000).contains(&most));
    Some((
        valid.then_some(Count {
            least,
            most,
            braces: true,
        }),
        after,
    ))
}

/// A number without leading zeros; one that is too large is the largest.
fn integer(text: &[u8]) -> Option<(u32, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at(length);
    match digits {
        [] | [b'0', _, ..] => None,
        _ => {
            let number = digits.iter().try_fold(0_u32, |number, digit| {
                number.checked_mul(10)?.checked_add(u32::from(digit - b'0'))
            });
            Some((number.unwrap_or(u32::MAX), rest))
        }
    }
}

/// The next character; broken UTF-8 and the end of the text are refused.
// regexp/syntax: parse.go nextRune
pub(super) fn next(text: &[u8]) -> Parsed<'_, (char, &[u8])> {
    match rune::decode(text) {
        (char::REPLACEMENT_CHARACTER, 1) => Err(SyntaxError(ErrorCode::Utf8, text)),
        (character, width) => Ok((character, &text[width..])),
    }
}

pub(super) fn check_utf8(mut text: &[u8]) -> Parsed<'_, ()> {
    while !text.is_empty() {
        text = next(text)?.1;
    }
    Ok(())
}
