//! Go's `time.Duration`.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use crate::template::{CallError, Function, Object, Text, Value};

/// A span of time in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration(pub i64);

impl Duration {
    /// The name of the Go type.
    pub const TYPE: &'static str = "time.Duration";

    pub(super) const SECOND: Self = Self(1_000_000_000);

    /// The duration that a value of a template is; nothing if it is another value.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Object(object) => object.as_any().downcast_ref().copied(),
            _ => None,
        }
    }

    /// In units of so many nanoseconds, as Go reckons `Hours`, `Minutes` and `Seconds`.
    fn in_units(self, unit: i64) -> f64 {
        (self.0 / unit) as f64 + (self.0 % unit) as f64 / unit as f64
    }

    /// The seconds in it.
    pub fn seconds(self) -> f64 {
        self.in_units(Self::SECOND.0)
    }

    /// The minutes in it.
    pub fn minutes(self) -> f64 {
        self.in_units(60 * Self::SECOND.0)
    }

    /// The hours in it.
    pub fn hours(self) -> f64 {
        self.in_units(3_600 * Self::SECOND.0)
    }

    /// Toward zero, to a multiple of `unit`; unchanged if that is not positive.
    #[must_use]
    pub fn truncated(self, unit: Self) -> Self {
        match unit.0 {
            ..=0 => self,
            unit => Self(self.0 - self.0 % unit),
        }
    }

    /// To the nearest multiple of `unit`, half away from zero; unchanged if that is not positive.
    #[must_use]
    pub fn rounded(self, unit: Self) -> Self {
        if unit.0 <= 0 {
            return self;
        }
        let rest = self.0 % unit.0;
        let down = self.0 - rest;
        if rest.unsigned_abs() < unit.0.unsigned_abs() - rest.unsigned_abs() {
            return Self(down);
        }
        Self(if self.0 < 0 {
            down.saturating_sub(unit.0)
        } else {
            down.saturating_add(unit.0)
        })
    }
}

impl fmt::Display for Duration {
    /// `1h2m3.5s`, and in smaller units what is less than a second.
    // time: time.go Duration.format
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let length = self.0.unsigned_abs();
        let decimal = |length: u64, unit: u64, digits: usize| {
            let fraction = format!("{:0digits$}", length % unit);
            let fraction = fraction.trim_end_matches('0');
            let point = if fraction.is_empty() { "" } else { "." };
            format!("{}{point}{fraction}", length / unit)
        };
        match length {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{sign}{length}ns"),
            1_000..1_000_000 => write!(f, "{sign}{}µs", decimal(length, 1_000, 3)),
            1_000_000..1_000_000_000 => write!(f, "{sign}{}ms", decimal(length, 1_000_000, 6)),
            _ => {
                let (minutes, rest) = (length / 60_000_000_000, length % 60_000_000_000);
                let seconds = decimal(rest, 1_000_000_000, 9);
                match (minutes / 60, minutes % 60) {
                    (0, 0) => write!(f, "{sign}{seconds}s"),
                    (0, minutes) => write!(f, "{sign}{minutes}m{seconds}s"),
                    (hours, minutes) => write!(f, "{sign}{hours}h{minutes}m{seconds}s"),
                }
            }
        }
    }
}

impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Object(Rc::new(duration))
    }
}

impl Object for Duration {
    fn type_name(&self) -> &'static str {
        Self::TYPE
    }

    fn kind(&self) -> &'static str {
        "int64"
    }

    fn field(&self, _name: &[u8]) -> Option<Value> {
        None
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let span = *self;
        Some(match name {
            b"Hours" => Function::new(move || span.hours()),
            b"Minutes" => Function::new(move || span.minutes()),
            b"Seconds" => Function::new(move || span.seconds()),
            b"Milliseconds" => Function::new(move || span.0 / 1_000_000),
            b"Microseconds" => Function::new(move || span.0 / 1_000),
            b"Nanoseconds" => Function::new(move || span.0),
            b"String" => Function::new(move || span.to_string()),
            b"Abs" => Function::new(move || Value::from(Self(span.0.saturating_abs()))),
            b"Round" => Function::new(move |unit: Value| {
                expect(&unit).map(|unit| Value::from(span.rounded(unit)))
            }),
            b"Truncate" => Function::new(move |unit: Value| {
                expect(&unit).map(|unit| Value::from(span.truncated(unit)))
            }),
            _ => return None,
        })
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn print(&self) -> Text {
        self.to_string().into()
    }

    fn counted(&self, number: i64) -> Option<Value> {
        Some(Self(number).into())
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(Value::int64(self.0))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A duration for a parameter that is one; a number that is written in the template is taken, too.
pub(super) fn expect(value: &Value) -> Result<Duration, CallError> {
    match value {
        Value::Int(crate::template::IntKind::Int, nanoseconds) => Ok(Duration(*nanoseconds)),
        other => Duration::of(other).ok_or_else(|| {
            let found = other.type_name();
            CallError::new(format!(
                "wrong type for value; expected {}; got {found}",
                Duration::TYPE
            ))
        }),
    }
}

/// The duration of a text such as `1h15m30.918s`.
///
/// # Errors
/// Go's `time.ParseDuration` would have one: this is its message.
// time: format.go ParseDuration
pub fn parse_duration(text: &[u8]) -> Result<Duration, String> {
    let failed = |complaint: &str| format!("time: {complaint} {}", super::scan::quoted(text));
    let invalid = || failed("invalid duration");
    let negative = text.first() == Some(&b'-');
    let mut rest = match text {
        [b'-' | b'+', rest @ ..] | rest => rest,
    };
    if rest == b"0" {
        return Ok(Duration(0));
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (part, behind) = part(rest).map_err(|complaint| failed(&complaint))?;
        total = total
            .checked_add(part)
            .filter(|&total| total <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = behind;
    }
    match (negative, i64::try_from(total)) {
        (true, _) => Ok(Duration((total as i64).wrapping_neg())),
        (false, Ok(total)) => Ok(Duration(total)),
        (false, Err(_)) => Err(invalid()),
    }
}

/// A number and its unit at the start of a text, in nanoseconds, and what follows.
fn part(text: &[u8]) -> Result<(u64, &[u8]), String> {
    let invalid = || "invalid duration".to_owned();
    if text[0] != b'.' && !text[0].is_ascii_digit() {
        return Err(invalid());
    }
    let (whole, mut rest) = leading_integer(text).ok_or_else(invalid)?;
    let mut any_digits = rest.len() < text.len();
    let (mut fraction, mut scale) = (0, 1.0);
    if let Some(behind) = rest.strip_prefix(b".") {
        let digits;
        (fraction, scale, digits) = leading_fraction(behind);
        any_digits |= digits > 0;
        rest = &behind[digits..];
    }
    if !any_digits {
        return Err(invalid());
    }
    let is_name = |byte: &&u8| **byte != b'.' && !byte.is_ascii_digit();
    let (name, rest) = rest.split_at(rest.iter().take_while(is_name).count());
    if name.is_empty() {
        return Err("missing unit in duration".to_owned());
    }
    let unknown = || format!("unknown unit {} in duration", super::scan::quoted(name));
    let unit = unit(name).ok_or_else(unknown)?;
    let mut part = whole
        .checked_mul(unit)
        .filter(|&part| part <= 1 << 63)
        .ok_or_else(invalid)?;
    if fraction > 0 {
        part += (fraction as f64 * (unit as f64 / scale)) as u64;
    }
    if part > 1 << 63 {
        return Err(invalid());
    }
    Ok((part, rest))
}

fn unit(name: &[u8]) -> Option<u64> {
    Some(match name {
        b"ns" => 1,
        // Both the sign for micro and the Greek letter.
        b"us" | b"\xc2\xb5s" | b"\xce\xbcs" => 1_000,
        b"ms" => 1_000_000,
        b"s" => 1_000_000_000,
        b"m" => 60_000_000_000,
        b"h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The digits that a text starts with, and the rest; nothing if they are too many.
pub(super) fn leading_integer(text: &[u8]) -> Option<(u64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = text[..length].iter().try_fold(0_u64, |number, digit| {
        if number > (1 << 63) / 10 {
            return None;
        }
        Some(number * 10 + u64::from(digit - b'0')).filter(|&number| number <= 1 << 63)
    })?;
    Some((number, &text[length..]))
}

/// The digits behind a point as a whole number, what that is to be divided by, and how many there are.
fn leading_fraction(text: &[u8]) -> (u64, f64, usize) {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (mut number, mut scale) = (0_u64, 1.0);
    for digit in &text[..length] {
        if number > ((1 << 63) - 1) / 10 {
            break;
        }
        let next = number * 10 + u64::from(digit - b'0');
        if next > 1 << 63 {
            break;
        }
        number = next;
        scale *= 10.0;
    }
    (number, scale, length)
}
