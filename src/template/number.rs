//! Number constants: a constant has every type that can represent it, and the place where it
//! stands picks one. Go: text/template/parse/node.go newNumber, and strconv's reading of numbers.

use super::lex::ItemKind;
use super::quote::{Unit, quoted, unquote_char};
use super::value::Value;

/// A number constant with its values under all types that can represent it.
#[derive(Debug, Clone)]
pub(super) struct Number {
    /// As written.
    pub(super) text: Box<[u8]>,
    pub(super) int: Option<i64>,
    pub(super) uint: Option<u64>,
    pub(super) float: Option<f64>,
    /// What it is where nothing asks for a type.
    pub(super) ideal: Ideal,
}

/// The type that a constant takes by its own syntax.
#[derive(Debug, Clone)]
pub(super) enum Ideal {
    Value(Value),
    /// `18446744073709551615` is a constant, but no int.
    Overflow,
    /// Complex numbers are not supported.
    Complex,
}

impl Number {
    /// The constant of an item; the error is Go's message.
    pub(super) fn parse(text: &[u8], kind: ItemKind) -> Result<Self, String> {
        match kind {
            ItemKind::CharConstant => Self::character(text),
            ItemKind::Complex => Self::complex(text),
            _ => Self::simple(text),
        }
    }

    fn character(text: &[u8]) -> Result<Self, String> {
        let (unit, tail) = unquote_char(&text[1..], text[0]).map_err(|error| error.to_string())?;
        if tail != b"'" {
            return Err(format!(
                "malformed character constant: {}",
                String::from_utf8_lossy(text)
            ));
        }
        let code = match unit {
            Unit::Byte(byte) => i64::from(byte),
            Unit::Rune(rune) => i64::from(rune as u32),
        };
        Ok(Self {
            text: text.into(),
            int: Some(code),
            uint: Some(code as u64),
            float: Some(code as f64),
            ideal: Ideal::Value(Value::int(code)),
        })
    }

    /// A complex number whose imaginary part is zero can still be an argument of another type.
    fn complex(text: &[u8]) -> Result<Self, String> {
        let illegal = || illegal_number(text);
        let imaginary_at = 1 + text[1..]
            .iter()
            .zip(text)
            .rposition(|(byte, before)| {
                matches!(byte, b'+' | b'-') && !matches!(before, b'e' | b'E' | b'p' | b'P')
            })
            .ok_or_else(illegal)?;
        let real = parse_float(&text[..imaginary_at]).ok_or_else(illegal)?;
        let imaginary = parse_float(&text[imaginary_at..text.len() - 1]).ok_or_else(illegal)?;
        Ok(Self::of_complex(text, real, imaginary))
    }

    fn of_complex(text: &[u8], real: f64, imaginary: f64) -> Self {
        let real = Some(real).filter(|_| imaginary == 0.0);
        Self {
            text: text.into(),
            int: real.and_then(whole_i64),
            uint: real.and_then(whole_u64),
            float: real,
            ideal: Ideal::Complex,
        }
    }

    fn simple(text: &[u8]) -> Result<Self, String> {
        if let Some(imaginary) = text.strip_suffix(b"i").and_then(parse_float) {
            return Ok(Self::of_complex(text, 0.0, imaginary));
        }
        let mut uint = parse_uint(text);
        let int = parse_int(text);
        if int == Some(0) {
            // Also -0.
            uint = Some(0);
        }
        let float = match (int, uint) {
            (Some(int), _) => int as f64,
            (None, Some(uint)) => uint as f64,
            (None, None) => {
                let float = parse_float(text).ok_or_else(|| illegal_number(text))?;
                if !has_float_syntax(text) {
                    return Err(format!("integer overflow: {}", quoted(text)));
                }
                float
            }
        };
        // Go: node.go newNumber. What reads as an integer of one kind is not asked for the other: +1
        // is none without a sign.
        let (int, uint) = match (int, uint) {
            (None, None) => (whole_i64(float), whole_u64(float)),
            read => read,
        };
        let ideal = match int {
            _ if has_float_syntax(text) && !is_hexadecimal_int(text) => {
                Ideal::Value(Value::float64(float))
            }
            Some(int) => Ideal::Value(Value::int(int)),
            None => Ideal::Overflow,
        };
        Ok(Self {
            text: text.into(),
            int,
            uint,
            float: Some(float),
            ideal,
        })
    }
}

fn illegal_number(text: &[u8]) -> String {
    format!("illegal number syntax: {}", quoted(text))
}

fn has_float_syntax(text: &[u8]) -> bool {
    text.iter().any(|byte| b".eEpP".contains(byte))
}

fn is_hexadecimal_int(text: &[u8]) -> bool {
    matches!(text, [b'0', b'x' | b'X', _, ..]) && !text.iter().any(|byte| b"pP".contains(byte))
}

/// The integer that a float is exactly, if it fits.
fn whole_i64(float: f64) -> Option<i64> {
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float);
    (fits && float.fract() == 0.0).then_some(float as i64)
}

fn whole_u64(float: f64) -> Option<u64> {
    let fits = (0.0..18_446_744_073_709_551_616.0).contains(&float);
    (fits && float.fract() == 0.0).then_some(float as u64)
}

/// Go's `strconv.ParseUint(text, 0, 64)`.
fn parse_uint(text: &[u8]) -> Option<u64> {
    let (base, digits) = match text {
        [b'0', b'b' | b'B', digits @ ..] if !digits.is_empty() => (2, digits),
        [b'0', b'o' | b'O', digits @ ..] if !digits.is_empty() => (8, digits),
        [b'0', b'x' | b'X', digits @ ..] if !digits.is_empty() => (16, digits),
        [b'0', digits @ ..] => (8, digits),
        [] => return None,
        digits => (10, digits),
    };
    let mut number = 0_u64;
    for &byte in digits {
        if byte == b'_' {
            continue;
        }
        let digit = char::from(byte).to_digit(base)?;
        number = number
            .checked_mul(u64::from(base))?
            .checked_add(u64::from(digit))?;
    }
    underscores_fine(text).then_some(number)
}

/// Go's `strconv.ParseInt(text, 0, 64)`.
fn parse_int(text: &[u8]) -> Option<i64> {
    let (negative, size) = match text {
        [b'-', size @ ..] => (true, size),
        [b'+', size @ ..] => (false, size),
        size => (false, size),
    };
    let size = parse_uint(size)?;
    match negative {
        true => 0_i64.checked_sub_unsigned(size),
        false => i64::try_from(size).ok(),
    }
}

/// Underscores separate digits only. Go: strconv underscoreOK.
fn underscores_fine(text: &[u8]) -> bool {
    if !text.contains(&b'_') {
        return true;
    }
    let text = match text {
        [b'+' | b'-', rest @ ..] => rest,
        text => text,
    };
    let (hexadecimal, start) = match text {
        [b'0', b'x' | b'X', ..] => (true, 2),
        [b'0', b'b' | b'B' | b'o' | b'O', ..] => (false, 2),
        _ => (false, 0),
    };
    let mut after_digit = start > 0;
    let mut after_underscore = false;
    for &byte in &text[start..] {
        let digit = byte.is_ascii_digit() || hexadecimal && byte.is_ascii_hexdigit();
        let underscore = byte == b'_';
        if underscore && !after_digit || after_underscore && !digit {
            return false;
        }
        after_digit = digit;
        after_underscore = underscore;
    }
    !after_underscore
}

/// Go's `strconv.ParseFloat(text, 64)`, for what the lexer lets through.
fn parse_float(text: &[u8]) -> Option<f64> {
    if !underscores_fine(text) {
        return None;
    }
    let plain: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'_').collect();
    let (negative, size) = match plain.as_slice() {
        [b'-', size @ ..] => (true, size),
        [b'+', size @ ..] => (false, size),
        size => (false, size),
    };
    let float = match size {
        [b'0', b'x' | b'X', digits @ ..] => hexadecimal_float(digits)?,
        // What follows has digits, a point and an exponent only, or Rust refuses it as Go does.
        _ if size
            .iter()
            .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(byte)) =>
        {
            std::str::from_utf8(size).ok()?.parse::<f64>().ok()?
        }
        _ => return None,
    };
    let float = if negative { -float } else { float };
    float.is_finite().then_some(float)
}

/// A float such as `0x1.8p3`, after its `0x`.
fn hexadecimal_float(text: &[u8]) -> Option<f64> {
    let at = text.iter().position(|byte| matches!(byte, b'p' | b'P'))?;
    let (number, exponent) = (&text[..at], std::str::from_utf8(&text[at + 1..]).ok()?);
    let digits: String = number
        .iter()
        .filter(|&&byte| byte != b'.')
        .map(|&byte| char::from(byte))
        .collect();
    let mut exponent: i64 = exponent.parse::<i64>().ok()?.clamp(-100_000, 100_000);
    if digits.is_empty() {
        return None;
    }
    if let Some(point) = number.iter().position(|&byte| byte == b'.') {
        exponent -= 4 * (digits.len() - point) as i64;
    }
    let mut mantissa = 0_u64;
    for digit in digits.chars() {
        let digit = u64::from(digit.to_digit(16)?);
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            // Below the precision of any float; only its being there matters to rounding.
            mantissa |= u64::from(digit != 0);
            exponent += 4;
        }
    }
    Some(scale(mantissa, exponent))
}

/// mantissa × 2^exponent, rounded once, a tie to even.
fn scale(mantissa: u64, exponent: i64) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    let top = 63 - i64::from(mantissa.leading_zeros()) + exponent;
    if top > 1023 {
        return f64::INFINITY;
    }
    // The weight of the last bit that a float of this size has.
    let last = (top - 52).max(-1074);
    let drop = last - exponent;
    let kept = match drop {
        ..=0 => mantissa << (-drop).min(63),
        1..=63 => {
            let (kept, rest) = (mantissa >> drop, mantissa & ((1 << drop) - 1));
            let half = 1_u64 << (drop - 1);
            kept + u64::from(rest > half || rest == half && kept & 1 == 1)
        }
        _ => return 0.0,
    };
    // Both factors are exact, and so is the product: `kept` has 53 bits at most.
    let (first, second) = (last / 2, last - last / 2);
    kept as f64 * 2_f64.powi(first as i32) * 2_f64.powi(second as i32)
}
