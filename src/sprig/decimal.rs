//! Decimal numbers of any size, as shopspring/decimal v1.4.0 reckons with them.

use num_bigint::{BigInt, Sign};

use crate::template::print::format_float;
use crate::template::{CallError, FloatKind};

/// How many places a quotient has.
const DIVISION_PLACES: i64 = 16;

/// `value * 10^exponent`.
#[derive(Debug, Clone)]
pub(super) struct Decimal {
    value: BigInt,
    exponent: i64,
}

impl Decimal {
    /// The decimal with the fewest digits that reads as this float.
    pub(super) fn from_float(number: f64) -> Result<Self, CallError> {
        if !number.is_finite() {
            let shown = match number {
                _ if number.is_nan() => "NaN",
                f64::INFINITY => "+Inf",
                _ => "-Inf",
            };
            return Err(CallError::new(format!(
                "Cannot create a Decimal from {shown}"
            )));
        }
        // The fewest digits, and of those the nearest, as d.dddde±x: Rust's own are not always.
        let written = format_float(number, b'e', None, FloatKind::Float64);
        let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let value = format!("{whole}{fraction}").parse().unwrap_or_default();
        let exponent = exponent.parse::<i64>().unwrap_or_default() - fraction.len() as i64;
        Ok(Self { value, exponent })
    }

    /// The nearest float.
    pub(super) fn to_float(&self) -> f64 {
        format!("{}e{}", self.value, self.exponent)
            .parse()
            .unwrap_or(f64::NAN)
    }

    /// The sum.
    pub(super) fn plus(self, other: &Self) -> Result<Self, CallError> {
        let exponent = self.exponent.min(other.exponent);
        Ok(Self {
            value: self.at(exponent) + other.at(exponent),
            exponent,
        })
    }

    /// The difference.
    pub(super) fn minus(self, other: &Self) -> Result<Self, CallError> {
        let exponent = self.exponent.min(other.exponent);
        Ok(Self {
            value: self.at(exponent) - other.at(exponent),
            exponent,
        })
    }

    /// The product.
    pub(super) fn times(self, other: &Self) -> Result<Self, CallError> {
        Ok(Self {
            value: self.value * &other.value,
            exponent: self.exponent + other.exponent,
        })
    }

    /// The quotient to sixteen places, half away from zero.
    // decimal: decimal.go DivRound
    pub(super) fn over(self, other: &Self) -> Result<Self, CallError> {
        if other.value.sign() == Sign::NoSign {
            return Err(CallError::new("decimal division by 0"));
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let dividend = &self.value * power(shift.max(0));
        let divisor = &other.value * power((-shift).max(0));
        let quotient = &dividend / &divisor;
        let remainder = &dividend - &quotient * &divisor;
        let twice = BigInt::from(remainder.magnitude() * 2_u32);
        let away = match twice >= BigInt::from(divisor.magnitude().clone()) {
            true if self.value.sign() == other.value.sign() => 1,
            true => -1,
            false => 0,
        };
        Ok(Self {
            value: quotient + away,
            exponent: -DIVISION_PLACES,
        })
    }

    /// The value at an exponent that is no larger than its own.
    fn at(&self, exponent: i64) -> BigInt {
        &self.value * power(self.exponent - exponent)
    }
}

fn power(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

/// Go's `math.Pow(10, places)`, which differs from the C library's in the last bit at times.
// math: pow.go pow
pub(super) fn power_of_ten(places: isize) -> f64 {
    let (mut result, mut result_exponent) = (1.0_f64, 0_i64);
    let (mut square, mut square_exponent) = (10.0 / 16.0, 4_i64);
    let mut bits = places.unsigned_abs();
    while bits != 0 {
        if !(-(1 << 12)..=1 << 12).contains(&square_exponent) {
            // Catastrophic overflow of the exponent: infinity, or zero below.
            result_exponent += square_exponent;
            break;
        }
        if bits & 1 == 1 {
            result *= square;
            result_exponent += square_exponent;
        }
        square *= square;
        square_exponent <<= 1;
        if square < 0.5 {
            square += square;
            square_exponent -= 1;
        }
        bits >>= 1;
    }
    if places < 0 {
        result = 1.0 / result;
        result_exponent = -result_exponent;
    }
    scale(result, result_exponent)
}

/// `number * 2^exponent` for a positive number, rounded once.
// math: ldexp.go ldexp
fn scale(mut number: f64, mut exponent: i64) -> f64 {
    while number < 0.5 {
        number *= 2.0;
        exponent -= 1;
    }
    while number >= 1.0 {
        number /= 2.0;
        exponent += 1;
    }
    match exponent {
        1025.. => f64::INFINITY,
        // In two steps, because the larger powers are no floats themselves.
        -1020..=1024 => {
            let half = exponent / 2;
            number * 2.0_f64.powi(half as i32) * 2.0_f64.powi((exponent - half) as i32)
        }
        -1100..=-1021 => number * 2.0_f64.powi(-1000) * 2.0_f64.powi((exponent + 1000) as i32),
        _ => 0.0,
    }
}
