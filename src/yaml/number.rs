//! Numbers as Go's strconv reads and writes them.

/// An integer of Go's `int` or, beyond it, `uint64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Integer {
    Signed(i64),
    Unsigned(u64),
}

/// `strconv.ParseInt(text, 0, 64)`, else `strconv.ParseUint(text, 0, 64)`; no underscores.
pub(super) fn parse_integer(text: &str) -> Option<Integer> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (radix, digits) = match rest.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, &rest[2..]),
        [b'0', b'o' | b'O', ..] => (8, &rest[2..]),
        [b'0', b'b' | b'B', ..] => (2, &rest[2..]),
        [b'0', _, ..] => (8, &rest[1..]),
        _ => (10, rest),
    };
    let magnitude = parse_digits(digits, radix)?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(value)) => Some(Integer::Signed(value)),
        (false, Err(_)) if rest.len() == text.len() => Some(Integer::Unsigned(magnitude)),
        (true, Ok(value)) => Some(Integer::Signed(-value)),
        (true, Err(_)) if magnitude == i64::MIN.unsigned_abs() => Some(Integer::Signed(i64::MIN)),
        _ => None,
    }
}

/// `strconv.ParseInt(text, radix, 64)`.
pub(super) fn parse_signed(text: &str, radix: u32) -> Option<i64> {
    // Rust takes the same signs and digits.
    i64::from_str_radix(text, radix).ok()
}

fn parse_digits(digits: &str, radix: u32) -> Option<u64> {
    // A second sign is none of Go's.
    if digits.starts_with(['+', '-']) {
        None
    } else {
        u64::from_str_radix(digits, radix).ok()
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`, within the range of a float64.
pub(super) fn parse_decimal(text: &str) -> Option<f64> {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = text.as_bytes();
    if let [b'+' | b'-', tail @ ..] = rest {
        rest = tail;
    }
    let whole = digits(rest);
    rest = &rest[whole..];
    if let [b'.', tail @ ..] = rest {
        let fraction = digits(tail);
        if whole + fraction == 0 {
            return None;
        }
        rest = &tail[fraction..];
    } else if whole == 0 {
        return None;
    }
    if let [b'e' | b'E', tail @ ..] = rest {
        let tail = if let [b'+' | b'-', tail @ ..] = tail {
            tail
        } else {
            tail
        };
        if tail.is_empty() || digits(tail) != tail.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    finite(text)
}

/// `strconv.ParseFloat(text, 64)` of a text that begins with a dot. Underscores may stand between digits.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return parse_decimal(text);
    }
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let placed = bytes
        .iter()
        .enumerate()
        .all(|(at, b)| *b != b'_' || between_digits(bytes, at, digit));
    if placed {
        parse_decimal(&text.replace('_', ""))
    } else {
        None
    }
}

fn between_digits(bytes: &[u8], at: usize, digit: impl Fn(Option<usize>) -> bool) -> bool {
    bytes[at] == b'_' && digit(at.checked_sub(1)) && digit(Some(at + 1))
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The shortest digits that give the number back, and where the decimal point is:
/// `0.d1d2d3... * 10^point`.
struct Digits {
    text: String,
    point: i32,
}

impl Digits {
    /// The digits of what ryu prints: `[-]d.ddd`, perhaps with `e` and an exponent.
    fn of(printed: &str) -> Self {
        let printed = printed.strip_prefix('-').unwrap_or(printed);
        let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let exponent: i32 = exponent.parse().unwrap_or(0);
        let all = format!("{whole}{fraction}");
        let text = all.trim_start_matches('0');
        let leading = all.len() - text.len();
        let point = whole.len() as i32 - leading as i32 + exponent;
        let text = text.trim_end_matches('0');
        Self {
            text: text.to_owned(),
            point: if text.is_empty() { 0 } else { point },
        }
    }
}

/// `strconv.FormatFloat(value, 'g', -1, 64)`.
pub(super) fn format_g(value: f64) -> String {
    format_shortest(
        value.is_sign_negative(),
        value.is_finite(),
        value.is_nan(),
        || Digits::of(ryu::Buffer::new().format_finite(value)),
    )
}

/// `strconv.FormatFloat(value, 'g', -1, 32)`.
pub(super) fn format_g32(value: f64) -> String {
    let value = value as f32;
    format_shortest(
        value.is_sign_negative(),
        value.is_finite(),
        value.is_nan(),
        || Digits::of(ryu::Buffer::new().format_finite(value)),
    )
}

fn format_shortest(
    negative: bool,
    finite: bool,
    nan: bool,
    digits: impl FnOnce() -> Digits,
) -> String {
    let sign = if negative { "-" } else { "" };
    if nan {
        return "NaN".to_owned();
    }
    if !finite {
        return if negative {
            "-Inf".to_owned()
        } else {
            "+Inf".to_owned()
        };
    }
    let digits = digits();
    if digits.text.is_empty() {
        return format!("{sign}0");
    }
    let exponent = digits.point - 1;
    // Go: strconv formatDigits, "use precision 6 for this decision".
    if (-4..6).contains(&exponent) {
        return format!("{sign}{}", fixed(&digits));
    }
    let (first, rest) = digits.text.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    format!(
        "{sign}{first}{point}{rest}e{direction}{:02}",
        exponent.abs()
    )
}

/// The integer that a number is, if it is one below 1e15: exact, and written alike by all.
pub(super) fn as_small_integer(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 1e15).then_some(value as i64)
}

/// How a finite number comes out of Go's JSON encoder, go-yaml's reader and go-yaml's writer.
pub(super) fn format_through_json(value: f64) -> String {
    if let Some(value) = as_small_integer(value) {
        return value.to_string();
    }
    // Go: encoding/json floatEncoder writes integers below 1e21 without an exponent, zeros behind the
    // shortest digits; go-yaml then reads an integer if one of 64 bits has room for it.
    if value.fract() == 0.0 && value.abs() < 1e21 {
        let sign = if value < 0.0 { "-" } else { "" };
        let text = format!(
            "{sign}{}",
            fixed(&Digits::of(ryu::Buffer::new().format_finite(value)))
        );
        if parse_integer(&text).is_some() {
            return text;
        }
    }
    format_g(value)
}

/// Digits with a decimal point where it belongs.
fn fixed(digits: &Digits) -> String {
    let length = digits.text.len() as i32;
    if digits.point <= 0 {
        format!(
            "0.{}{}",
            "0".repeat(digits.point.unsigned_abs() as usize),
            digits.text
        )
    } else if length <= digits.point {
        format!(
            "{}{}",
            digits.text,
            "0".repeat((digits.point - length) as usize)
        )
    } else {
        let (whole, fraction) = digits.text.split_at(digits.point as usize);
        format!("{whole}.{fraction}")
    }
}
