//! Resource quantities by value: `1000m` is `1`, `1024Mi` is `1Gi`. The server writes them in its own form.

use serde_json::Value;

/// Whether two quantities are the same amount. What is no quantity equals nothing but itself.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    a == b || matches!((nano(a), nano(b)), (Some(a), Some(b)) if a == b)
}

/// The amount in thousand-millionths, rounded up as the API does it.
// apimachinery: api/resource/quantity.go ParseQuantity
fn nano(value: &Value) -> Option<i128> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let unsigned = text.trim_start_matches(['+', '-']);
    if text.len() - unsigned.len() > 1 {
        return None;
    }
    let suffix_at = unsigned
        .find(|c: char| c != '.' && !c.is_ascii_digit())
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(suffix_at);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || fraction.contains('.') {
        return None;
    }
    let (binary, decimal) = scale(suffix)?;
    let mut amount = digits
        .parse::<i128>()
        .ok()?
        .checked_mul(1i128.checked_shl(binary)?)?;
    let exponent = decimal
        .checked_add(9)?
        .checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10i128.checked_pow(exponent.unsigned_abs())?;
    amount = if exponent < 0 {
        amount / power + i128::from(amount % power != 0)
    } else {
        amount.checked_mul(power)?
    };
    Some(if text.starts_with('-') {
        -amount
    } else {
        amount
    })
}

/// A suffix as powers of two and of ten.
fn scale(suffix: &str) -> Option<(u32, i32)> {
    Some(match suffix {
        "" => (0, 0),
        "n" => (0, -9),
        "u" => (0, -6),
        "m" => (0, -3),
        "k" => (0, 3),
        "M" => (0, 6),
        "G" => (0, 9),
        "T" => (0, 12),
        "P" => (0, 15),
        "E" => (0, 18),
        "Ki" => (10, 0),
        "Mi" => (20, 0),
        "Gi" => (30, 0),
        "Ti" => (40, 0),
        "Pi" => (50, 0),
        "Ei" => (60, 0),
        exponent => (0, exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_amount_has_many_forms() {
        for (a, b) in [
            (json!("1000m"), json!("1")),
            (json!(2), json!("2")),
            (json!(0.5), json!("500m")),
            (json!("1024Mi"), json!("1Gi")),
            (json!("1.5Gi"), json!("1536Mi")),
            (json!("1e3"), json!("1k")),
            (json!("-1.50"), json!("-1500m")),
            (json!("0.1n"), json!("1n")),
            (json!("8Ei"), json!("8192Pi")),
        ] {
            assert!(same(&a, &b), "{a} {b}");
        }
        for (a, b) in [
            (json!("1G"), json!("1Gi")),
            (json!("1"), json!("-1")),
            (json!("x"), json!("y")),
            (json!("1.2.3"), json!("1.23")),
            (json!(""), json!("0")),
            (json!("1e99999999999"), json!("1")),
            (json!("--1"), json!("1")),
        ] {
            assert!(!same(&a, &b), "{a} {b}");
        }
    }
}
