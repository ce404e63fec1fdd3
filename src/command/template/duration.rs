//! Whether a text is a duration, as Go reads one.

use crate::command::flags::go_quoted;

/// `Err` with Go's words if the text is none.
// go: time.ParseDuration
pub(super) fn check(text: &str) -> Result<(), String> {
    let whole = go_quoted(text);
    let invalid = || format!("time: invalid duration {whole}");
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(());
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let (mut rest, mut total) = (unsigned, 0_u64);
    while !rest.is_empty() {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits(rest));
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => after.split_at(digits(after)),
            None => ("", after),
        };
        if number.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let is_number = |byte: u8| byte == b'.' || byte.is_ascii_digit();
        let end = after.bytes().position(is_number).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() && within_range(number) {
            return Err(format!("time: missing unit in duration {whole}"));
        }
        let nanoseconds: u64 = match unit {
            _ if !within_range(number) => return Err(invalid()),
            "ns" => 1,
            "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            unit => {
                return Err(format!(
                    "time: unknown unit {} in duration {whole}",
                    go_quoted(unit)
                ));
            }
        };
        let number: u64 = if number.is_empty() {
            0
        } else {
            number.parse().map_err(|_| invalid())?
        };
        let part: f64 = format!("0.{fraction}0").parse().unwrap_or(0.0);
        total = number
            .checked_mul(nanoseconds)
            .and_then(|part| part.checked_add(total))
            .and_then(|sum| sum.checked_add((part * nanoseconds as f64) as u64))
            .filter(|sum| *sum <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = after;
    }
    if total > i64::MAX as u64 && !text.starts_with('-') {
        return Err(invalid());
    }
    Ok(())
}

fn within_range(number: &str) -> bool {
    number.is_empty() || number.parse::<u64>().is_ok_and(|number| number <= 1 << 63)
}
