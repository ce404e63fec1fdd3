//! Numbers by their digits: compared exactly, whatever their size.

use std::cmp::Ordering;

/// A number as digits and a power of ten: `0.125` is `125` and `-3`. Zero has no digits, and
/// digits never end in zero, so equal numbers are equal here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    power: i64,
}

impl Decimal {
    /// Reads a number as JSON or Go's `fmt` writes it; nothing where it is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, power) = match rest.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_end_matches('0');
        let dropped = digits.len() - significant.len();
        let significant = significant.trim_start_matches('0');
        if significant.is_empty() {
            return Some(Self {
                negative: false,
                digits: String::new(),
                power: 0,
            });
        }
        let power =
            i64::from(power) - i64::try_from(fraction.len()).ok()? + i64::try_from(dropped).ok()?;
        Some(Self {
            negative,
            digits: significant.to_owned(),
            power,
        })
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.power >= 0
    }

    /// The number as an integer of the machine, cut to its bounds; nothing where it is none.
    pub(crate) fn to_integer(&self) -> Option<i64> {
        if !self.is_integer() {
            return None;
        }
        let bound = if self.negative { i64::MIN } else { i64::MAX };
        if self.power > 18 {
            return Some(bound);
        }
        let zeros = "0".repeat(usize::try_from(self.power).unwrap_or(0));
        let sign = if self.negative { "-" } else { "" };
        let digits = if self.digits.is_empty() {
            "0"
        } else {
            &self.digits
        };
        Some(format!("{sign}{digits}{zeros}").parse().unwrap_or(bound))
    }

    /// The nearest float.
    pub(crate) fn to_float(&self) -> f64 {
        let sign = if self.negative { "-" } else { "" };
        let digits = if self.digits.is_empty() {
            "0"
        } else {
            &self.digits
        };
        format!("{sign}{digits}e{}", self.power)
            .parse()
            .unwrap_or(f64::INFINITY)
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self.sign(), other.sign()) {
            (a, b) if a != b => a.cmp(&b),
            (0, _) => Ordering::Equal,
            (1, _) => self.compare_size(other),
            _ => other.compare_size(self),
        }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (_, true) => -1,
            _ => 1,
        }
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        let reach = |number: &Self| {
            number
                .power
                .saturating_add(i64::try_from(number.digits.len()).unwrap_or(i64::MAX))
        };
        reach(self)
            .cmp(&reach(other))
            .then_with(|| self.digits.cmp(&other.digits))
    }

    /// Whether the number is so many times the other, and nothing over.
    pub(crate) fn is_multiple_of(&self, other: &Self) -> bool {
        // the largest divisor that cannot overflow below
        const MOST_DIGITS: usize = 37;
        // enough to use up every factor of two and five in such a divisor
        const MOST_ROUNDS: i64 = 128;
        if self.digits.is_empty() || other.digits.is_empty() {
            return true;
        }
        let zeros = self.power - other.power;
        // digits that end in no zero are no multiple of ten
        if zeros < 0 || other.digits.len() > MOST_DIGITS {
            return self == other;
        }
        let Ok(divisor) = other.digits.parse::<u128>() else {
            return false;
        };
        let digits = self.digits.bytes().map(|byte| u128::from(byte - b'0'));
        let mut rest = digits.fold(0, |rest, digit| (rest * 10 + digit) % divisor);
        for _ in 0..zeros.min(MOST_ROUNDS) {
            if rest == 0 {
                break;
            }
            rest = rest * 10 % divisor;
        }
        rest == 0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn numbers_compare_by_value() {
        assert_eq!(d("1.0"), d("1"));
        assert_eq!(d("1e+06"), d("1000000"));
        assert_eq!(d("-0.0"), d("0"));
        assert_eq!(d("0.1").compare(&d("0.09")), Ordering::Greater);
        assert_eq!(d("-2").compare(&d("-10")), Ordering::Greater);
        assert_eq!(d("100").to_integer(), Some(100));
        assert_eq!(d("1.5").to_integer(), None);
    }

    #[test]
    fn multiples_are_exact() {
        assert!(d("0.3").is_multiple_of(&d("0.1")));
        assert!(d("10").is_multiple_of(&d("2.5")));
        assert!(!d("7").is_multiple_of(&d("2")));
        assert!(!d("0.35").is_multiple_of(&d("0.1")));
        assert!(d("1e300").is_multiple_of(&d("0.5")));
    }
}
