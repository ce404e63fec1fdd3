//! Values as Go's `fmt` prints them, where Helm puts one into a sentence.

use std::fmt::Write as _;

use serde_json::{Number, Value};

/// The value as `%v` prints it.
pub(in crate::chart) fn plain(value: &Value) -> String {
    let mut out = String::new();
    write_plain(&mut out, value);
    out
}

/// The value as `%t` prints it, which is meant for booleans and says so of everything else.
pub(in crate::chart) fn boolean(value: &Value) -> String {
    if value.is_null() {
        return "%!t(<nil>)".to_owned();
    }
    let mut out = String::new();
    write_boolean(&mut out, value);
    out
}

pub(in crate::chart) fn write_plain(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(n) => number(out, n),
        Value::String(s) => out.push_str(s),
        Value::Array(items) => {
            list(out, items.iter(), write_plain);
        }
        Value::Object(entries) => {
            map(
                out,
                entries.iter(),
                |out, key| out.push_str(key),
                write_plain,
            );
        }
    }
}

fn write_boolean(out: &mut String, value: &Value) {
    match value {
        Value::Bool(_) => write_plain(out, value),
        Value::Null => out.push_str("<nil>"),
        Value::Number(n) => {
            out.push_str(if n.is_f64() {
                "%!t(float64="
            } else {
                "%!t(int64="
            });
            number(out, n);
            out.push(')');
        }
        Value::String(s) => string_as_boolean(out, s),
        Value::Array(items) => list(out, items.iter(), write_boolean),
        Value::Object(entries) => map(out, entries.iter(), string_as_boolean, write_boolean),
    }
}

fn string_as_boolean(out: &mut String, text: &str) {
    let _ = write!(out, "%!t(string={text})");
}

/// `[a b]`
pub(in crate::chart) fn list<T>(
    out: &mut String,
    items: impl Iterator<Item = T>,
    mut item: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (i, value) in items.enumerate() {
        if i > 0 {
            out.push(' ');
        }
        item(out, value);
    }
    out.push(']');
}

/// `map[a:1 b:2]`
pub(in crate::chart) fn map<K: AsRef<str>, V>(
    out: &mut String,
    entries: impl Iterator<Item = (K, V)>,
    mut key: impl FnMut(&mut String, &str),
    mut value: impl FnMut(&mut String, V),
) {
    out.push_str("map[");
    for (i, (k, v)) in entries.enumerate() {
        if i > 0 {
            out.push(' ');
        }
        key(out, k.as_ref());
        out.push(':');
        value(out, v);
    }
    out.push(']');
}

fn number(out: &mut String, n: &Number) {
    match n.as_f64() {
        Some(f) if n.is_f64() => out.push_str(&float(f)),
        _ => {
            let _ = write!(out, "{n}");
        }
    }
}

/// A float as `%v` prints it: the shortest digits that read back, and an exponent below 1e-4 and
/// from 1e6 on.
// go: strconv FormatFloat(value, 'g', -1, 64)
pub(in crate::chart) fn float(value: f64) -> String {
    if let Some(word) = word(value) {
        return word.to_owned();
    }
    layout(ryu::Buffer::new().format_finite(value))
}

/// As [`float`], but with the digits of the nearest 32-bit float.
// go: strconv FormatFloat(value, 'g', -1, 32), which sigs.k8s.io/yaml uses for numbers that are
// wanted as strings
pub(in crate::chart) fn single(value: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "narrowing is the rule")]
    let value = value as f32;
    if let Some(word) = word(f64::from(value)) {
        return word.to_owned();
    }
    layout(ryu::Buffer::new().format_finite(value))
}

fn word(value: f64) -> Option<&'static str> {
    match value {
        f if f.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

/// Lays out the digits that ryu prints, such as `-0.00125` or `1.5e300`, in Go's form.
fn layout(printed: &str) -> String {
    let (sign, printed) = printed
        .strip_prefix('-')
        .map_or(("", printed), |rest| ("-", rest));
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let leading = all.bytes().take_while(|&digit| digit == b'0').count();
    let digits = all[leading..].trim_end_matches('0');
    if digits.is_empty() {
        return format!("{sign}0");
    }
    // the power of ten of the first digit that counts
    let power = exponent + length(whole) - 1 - length(&all[..leading]);
    if !(-4..6).contains(&power) {
        return scientific(sign, digits, power);
    }
    if power < 0 {
        let zeros = "0".repeat(power.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let point = power.unsigned_abs() as usize + 1;
    if digits.len() <= point {
        return format!("{sign}{digits:0<point$}");
    }
    format!("{sign}{}.{}", &digits[..point], &digits[point..])
}

fn scientific(sign: &str, digits: &str, power: i32) -> String {
    let direction = if power < 0 { '-' } else { '+' };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!(
        "{sign}{first}{point}{rest}e{direction}{:02}",
        power.unsigned_abs()
    )
}

fn length(digits: &str) -> i32 {
    i32::try_from(digits.len()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_gos_form() {
        for (value, text) in [
            (0.0, "0"),
            (3.0, "3"),
            (-0.5, "-0.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456.0, "123456"),
            (100_000.0, "100000"),
            (1_000_000.0, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (12.75, "12.75"),
            (1.5e300, "1.5e+300"),
        ] {
            assert_eq!(float(value), text);
        }
    }
}
