//! Numbers out of anything, as spf13/cast v1.7.0 makes them: what is no number is zero.

use crate::template::{Object, Value};

/// Sprig's `toInt64` and `toInt`.
// cast: caste.go ToInt64E, ToIntE
pub(super) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(_, number) => *number,
        Value::Uint(_, number) => *number as i64,
        Value::Float(_, number) => truncate(*number),
        Value::String(text) => parse_integer(trim_zero_decimal(text.as_bytes())).unwrap_or(0),
        Value::Bool(truth) => i64::from(*truth),
        Value::Object(object) => calendar_number(object.as_ref()).unwrap_or(0),
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) => 0,
    }
}

/// Sprig's `toFloat64`.
// cast: caste.go ToFloat64E
pub(super) fn to_float64(value: &Value) -> f64 {
    match value {
        Value::Int(_, number) => *number as f64,
        Value::Uint(_, number) => *number as f64,
        Value::Float(_, number) => *number,
        Value::String(text) => parse_float(text.as_bytes()).unwrap_or(0.0),
        Value::Bool(truth) => f64::from(u8::from(*truth)),
        Value::Object(object) => calendar_number(object.as_ref()).unwrap_or(0) as f64,
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) => 0.0,
    }
}

/// Of Go's named integers, the library knows the month and the weekday only.
fn calendar_number(object: &dyn Object) -> Option<i64> {
    match (object.type_name(), object.to_data()) {
        ("time.Month" | "time.Weekday", Ok(Value::Int(_, number))) => Some(number),
        _ => None,
    }
}

/// Go's `int64(float)` on amd64: what does not fit is the smallest integer.
pub(super) fn truncate(number: f64) -> i64 {
    // 2^63 is exact as a float, and the first that does not fit.
    const BOUND: f64 = 9_223_372_036_854_775_808.0;
    if (-BOUND..BOUND).contains(&number) {
        number as i64
    } else {
        i64::MIN
    }
}

/// `"1.00"` is read as `"1"`; the point goes only if zeros follow it to the end.
fn trim_zero_decimal(text: &[u8]) -> &[u8] {
    let end = text
        .iter()
        .rposition(|&byte| byte != b'0')
        .map_or(0, |last| last + 1);
    match text[..end].split_last() {
        Some((b'.', before)) if end < text.len() => before,
        _ => text,
    }
}

/// Why an integer could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IntegerError {
    /// It is none.
    Syntax,
    /// It does not fit; this is the nearest that does.
    Range(i64),
}

/// Go's `strconv.ParseInt(text, base, 64)` for bases up to 16.
pub(super) fn parse_in_base(text: &[u8], base: u32) -> Result<i64, IntegerError> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() {
        return Err(IntegerError::Syntax);
    }
    let nearest = if negative { i64::MIN } else { i64::MAX };
    let mut number = 0_i128;
    for &digit in digits {
        let digit = char::from(digit)
            .to_digit(base)
            .ok_or(IntegerError::Syntax)?;
        number = number * i128::from(base) + i128::from(digit);
        // Go stops here, and does not see whether all that follows are digits.
        if number > i128::from(u64::MAX) {
            return Err(IntegerError::Range(nearest));
        }
    }
    let signed = if negative { -number } else { number };
    i64::try_from(signed).map_err(|_| IntegerError::Range(nearest))
}

/// Go's `strconv.ParseInt(text, 0, 64)`: the prefix tells the base, underscores separate digits.
fn parse_integer(text: &[u8]) -> Option<i64> {
    let unsigned = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    let (base, digits) = match unsigned {
        [b'0', b'b' | b'B', digits @ ..] if !digits.is_empty() => (2, digits),
        [b'0', b'o' | b'O', digits @ ..] if !digits.is_empty() => (8, digits),
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (16, digits),
        [b'0', digits @ ..] if !digits.is_empty() => (8, digits),
        digits => (10, digits),
    };
    if !underscores_separate(text) {
        return None;
    }
    let sign: &[u8] = if text.starts_with(b"-") { b"-" } else { b"" };
    if matches!(digits.first(), Some(b'-' | b'+')) {
        return None;
    }
    let plain: Vec<u8> = sign
        .iter()
        .chain(digits)
        .copied()
        .filter(|&byte| byte != b'_')
        .collect();
    parse_in_base(&plain, base).ok()
}

/// Whether each underscore stands between digits, or behind the prefix of a base.
// strconv: atoi.go underscoreOK
fn underscores_separate(text: &[u8]) -> bool {
    let text = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    let (prefixed, hexadecimal) = match text {
        [b'0', mark, ..] => (
            matches!(mark.to_ascii_lowercase(), b'b' | b'o' | b'x'),
            mark.eq_ignore_ascii_case(&b'x'),
        ),
        _ => (false, false),
    };
    let mut before = if prefixed { b'0' } else { b'^' };
    for &byte in &text[if prefixed { 2 } else { 0 }..] {
        let digit = byte.is_ascii_digit() || hexadecimal && byte.is_ascii_hexdigit();
        match byte {
            _ if digit => before = b'0',
            b'_' if before != b'0' => return false,
            b'_' => before = b'_',
            _ if before == b'_' => return false,
            _ => before = b'!',
        }
    }
    before != b'_'
}

/// Go's `strconv.ParseFloat(text, 64)`; nothing where it gives an error.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let unsigned = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    let negative = text.starts_with(b"-");
    if unsigned.eq_ignore_ascii_case(b"inf") || unsigned.eq_ignore_ascii_case(b"infinity") {
        return Some(if negative {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        });
    }
    if text.eq_ignore_ascii_case(b"nan") {
        return Some(f64::NAN);
    }
    if !underscores_separate(text) {
        return None;
    }
    let plain: String = unsigned
        .iter()
        .filter(|&&byte| byte != b'_')
        .map(|&byte| char::from(byte))
        .collect();
    let magnitude = match plain
        .strip_prefix("0x")
        .or_else(|| plain.strip_prefix("0X"))
    {
        Some(digits) => parse_hexadecimal_float(digits)?,
        None => {
            let shaped = plain
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
            let starts = plain
                .bytes()
                .next()
                .is_some_and(|b| b.is_ascii_digit() || b == b'.');
            plain.parse::<f64>().ok().filter(|_| shaped && starts)?
        }
    };
    let number = if negative { -magnitude } else { magnitude };
    number.is_finite().then_some(number)
}

/// The digits behind `0x`: hexadecimal digits with a point, and a binary exponent that must be there.
fn parse_hexadecimal_float(digits: &str) -> Option<f64> {
    let (mantissa, exponent) = digits.split_once(['p', 'P'])?;
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = exponent.parse().unwrap_or(if exponent.starts_with('-') {
        -100_000
    } else {
        100_000
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (mut bits, mut shift, mut sticky) = (0_u128, 0_i64, false);
    for (index, digit) in whole.chars().chain(fraction.chars()).enumerate() {
        let digit = u128::from(digit.to_digit(16)?);
        if bits >> 120 == 0 {
            bits = bits << 4 | digit;
        } else {
            sticky |= digit != 0;
            shift += 4;
        }
        if index >= whole.len() {
            shift -= 4;
        }
    }
    Some(scaled(
        bits | u128::from(sticky),
        shift.saturating_add(exponent),
    ))
}

/// `bits * 2^exponent`, rounded once to the nearest float, ties to even.
fn scaled(bits: u128, exponent: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    let width = 128 - i64::from(bits.leading_zeros());
    // The exponent of the lowest bit that the result can hold.
    let lowest = (width + exponent - 53).max(-1074);
    let drop = lowest - exponent;
    let kept = match drop {
        ..=0 => return (bits << -drop) as f64 * power_of_two(lowest),
        1..=127 => bits >> drop,
        _ => 0,
    };
    let rest = if drop <= 127 {
        bits - (kept << drop)
    } else {
        bits
    };
    let half = if drop <= 127 {
        1_u128 << (drop - 1)
    } else {
        u128::MAX
    };
    let up = rest > half || rest == half && kept & 1 == 1;
    (kept + u128::from(up)) as f64 * power_of_two(lowest)
}

/// `2^exponent` where that, or the product that it is a factor of, is a float.
fn power_of_two(exponent: i64) -> f64 {
    match exponent {
        1024.. => f64::INFINITY,
        -1022..=1023 => f64::from_bits(((exponent + 1023) as u64) << 52),
        -1074..=-1023 => f64::from_bits(1 << (exponent + 1074)),
        _ => 0.0,
    }
}
