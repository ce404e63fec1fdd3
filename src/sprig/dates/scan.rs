//! The parts of a written date: numbers, names, offsets and fractions.

use crate::sprig::runes;

use super::duration::leading_integer;
use super::layout::OffsetForm;

/// Why a part could not be read.
pub(super) enum Failure {
    Bad,
    OutOfRange(&'static str),
}

pub(super) type Read<'t, T> = Result<(T, &'t [u8]), Failure>;

/// The text behind what must be there literally; where it differs, as the error. Spaces stand for
/// any number of spaces.
// time: format.go skip
pub(super) fn skip<'t>(mut text: &'t [u8], mut literal: &[u8]) -> Result<&'t [u8], &'t [u8]> {
    let behind_spaces = |text: &'t [u8]| {
        let spaces = text.iter().take_while(|&&byte| byte == b' ').count();
        &text[spaces..]
    };
    while let Some(&byte) = literal.first() {
        if byte == b' ' {
            if text.first().is_some_and(|&byte| byte != b' ') {
                return Err(text);
            }
            let spaces = literal.iter().take_while(|&&byte| byte == b' ').count();
            literal = &literal[spaces..];
            text = behind_spaces(text);
            continue;
        }
        if text.first() != Some(&byte) {
            return Err(text);
        }
        (text, literal) = (&text[1..], &literal[1..]);
    }
    Ok(text)
}

pub(super) fn split(text: &[u8], at: usize) -> Read<'_, &[u8]> {
    text.split_at_checked(at).ok_or(Failure::Bad)
}

/// A whole number with or without a sign, and nothing else.
pub(super) fn signed(text: &[u8]) -> Result<i64, Failure> {
    let digits = match text {
        [b'-' | b'+', digits @ ..] | digits => digits,
    };
    match leading_integer(digits) {
        Some((number, b"")) if text.starts_with(b"-") => Ok((number as i64).wrapping_neg()),
        Some((number, b"")) => Ok(number as i64),
        _ => Err(Failure::Bad),
    }
}

/// One of the names, or of their first three letters, in any case; its index.
pub(super) fn name<'t>(names: &[&str], text: &'t [u8], short: bool) -> Read<'t, u32> {
    for (index, name) in names.iter().enumerate() {
        let name = if short { &name[..3] } else { name };
        if let Some((start, rest)) = text.split_at_checked(name.len())
            && start.eq_ignore_ascii_case(name.as_bytes())
        {
            return Ok((index as u32, rest));
        }
    }
    Err(Failure::Bad)
}

/// One or two digits, two if `fixed`.
pub(super) fn number(text: &[u8], fixed: bool) -> Read<'_, u32> {
    let digit = |at: usize| {
        text.get(at)
            .filter(|byte| byte.is_ascii_digit())
            .map(|byte| u32::from(byte - b'0'))
    };
    match (digit(0), digit(1)) {
        (Some(tens), Some(ones)) => Ok((tens * 10 + ones, &text[2..])),
        (Some(ones), None) if !fixed => Ok((ones, &text[1..])),
        _ => Err(Failure::Bad),
    }
}

pub(super) fn below<'t>(
    (number, rest): (u32, &'t [u8]),
    bound: u32,
    name: &'static str,
) -> Read<'t, u32> {
    if number < bound {
        Ok((number, rest))
    } else {
        Err(Failure::OutOfRange(name))
    }
}

/// Up to three digits, three if `fixed`; otherwise up to two spaces may stand before them.
pub(super) fn day_of_year(text: &[u8], fixed: bool) -> Read<'_, u32> {
    let spaces = text
        .iter()
        .take(2)
        .take_while(|&&byte| byte == b' ')
        .count();
    let text = if fixed { text } else { &text[spaces..] };
    let digits = text
        .iter()
        .take(3)
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 || fixed && digits != 3 {
        return Err(Failure::Bad);
    }
    let number = text[..digits]
        .iter()
        .fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
    Ok((number, &text[digits..]))
}

/// An offset in seconds.
pub(super) fn offset(text: &[u8], form: OffsetForm) -> Read<'_, i64> {
    let colon = usize::from(form.colon);
    let minutes_at = 3 + colon;
    let seconds_at = minutes_at + 2 + colon;
    let length = match (form.minutes, form.seconds) {
        (false, _) => 3,
        (true, false) => minutes_at + 2,
        (true, true) => seconds_at + 2,
    };
    let (written, rest) = split(text, length)?;
    if form.colon && (written[3] != b':' || form.seconds && written[6] != b':') {
        return Err(Failure::Bad);
    }
    // What is out of range is complained of before what is no number.
    let pair = |at: usize, wanted: bool| match wanted {
        true => number(&written[at..at + 2], true).map(|(number, _)| i64::from(number)),
        false => Ok(0),
    };
    let hours = pair(1, true);
    let minutes = if hours.is_ok() {
        pair(minutes_at, form.minutes)
    } else {
        Ok(0)
    };
    let seconds = if hours.is_ok() && minutes.is_ok() {
        pair(seconds_at, form.seconds)
    } else {
        Ok(0)
    };
    let known = |part: &Result<i64, Failure>| *part.as_ref().unwrap_or(&0);
    let parts = [
        (known(&hours), 24, "time zone offset hour"),
        (known(&minutes), 60, "time zone offset minute"),
        (known(&seconds), 60, "time zone offset second"),
    ];
    // Go keeps the last complaint.
    if let Some((.., name)) = parts
        .into_iter()
        .rev()
        .find(|&(number, most, _)| number > most)
    {
        return Err(Failure::OutOfRange(name));
    }
    let total = (hours? * 60 + minutes?) * 60 + seconds?;
    match written[0] {
        b'+' => Ok((total, rest)),
        b'-' => Ok((-total, rest)),
        _ => Err(Failure::Bad),
    }
}

/// How long the name of a zone is that a text starts with.
// time: format.go parseTimeZone
pub(super) fn zone_name(text: &[u8]) -> Option<usize> {
    let start = text.get(..3)?;
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if start == b"GMT" {
        return Some(3 + signed_hours(&text[3..]));
    }
    if matches!(start[0], b'+' | b'-') {
        return Some(signed_hours(text)).filter(|&length| length > 0);
    }
    let letters = text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    match letters {
        3 => Some(3),
        4 if text[3] == b'T' || text.starts_with(b"WITA") => Some(4),
        5 if text[4] == b'T' => Some(5),
        _ => None,
    }
}

/// How long `+3` or `-11` is at the start of a text; 0 if it is none.
fn signed_hours(text: &[u8]) -> usize {
    let Some(digits) = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")) else {
        return 0;
    };
    match leading_integer(digits) {
        Some((hours, rest)) if rest.len() < digits.len() && hours <= 23 => text.len() - rest.len(),
        _ => 0,
    }
}

/// How long a point or comma with digits behind it is at the start of a text; 0 if it is none.
pub(super) fn fraction_length(text: &[u8]) -> usize {
    match text {
        [b'.' | b',', digits @ ..] => match digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
        {
            0 => 0,
            count => count + 1,
        },
        _ => 0,
    }
}

/// The nanoseconds of a point or comma and at most nine digits; more are cut off.
// time: format.go parseNanoseconds
pub(super) fn nanoseconds(text: &[u8]) -> Result<u32, Failure> {
    let [b'.' | b',', digits @ ..] = text else {
        return Err(Failure::Bad);
    };
    let digits = &digits[..digits.len().min(9)];
    let number = signed(digits)?;
    if number < 0 {
        return Err(Failure::OutOfRange("fractional second"));
    }
    Ok(number as u32 * 10_u32.pow(9 - digits.len() as u32))
}

/// A text in double quotes as Go's package of times writes it, which escapes all but ASCII.
// time: format.go quote
pub(super) fn quoted(text: &[u8]) -> String {
    let mut out = String::from("\"");
    for (rune, own) in runes::runes(text) {
        match rune {
            '"' | '\\' => out.extend(['\\', rune]),
            ' '..='\x7f' => out.push(rune),
            _ => own
                .iter()
                .for_each(|byte| out.push_str(&format!("\\x{byte:02x}"))),
        }
    }
    out.push('"');
    out
}
