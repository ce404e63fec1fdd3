//! Helm's duration functions.

use std::any::Any;
use std::rc::Rc;

use crate::template::{CallError, FloatKind, Function, Functions, Object, Text, Type, Value};

const SECOND: i64 = 1_000_000_000;

/// Adds them. helm: pkg/engine/funcs.go, under "Duration helpers"
pub(super) fn insert(functions: &mut Functions) {
    functions.insert(
        "mustToDuration",
        Function::new(|value: Value| read(&value).map(Duration::value)),
    );
    let mut whole = |name: &str, unit: i64| {
        functions.insert(
            name,
            Function::new(move |value: Value| read_or_zero(&value) / unit),
        );
    };
    whole("durationMilliseconds", SECOND / 1_000);
    whole("durationMicroseconds", SECOND / 1_000_000);
    whole("durationNanoseconds", 1);
    let mut parts = |name: &str, unit: i64, divisors: &'static [f64]| {
        let body = move |value: Value| {
            let number = in_units(read_or_zero(&value), unit);
            divisors
                .iter()
                .fold(number, |number, divisor| number / divisor)
        };
        functions.insert(name, Function::new(body));
    };
    parts("durationSeconds", SECOND, &[]);
    parts("durationMinutes", 60 * SECOND, &[]);
    parts("durationHours", 3600 * SECOND, &[]);
    // Go divides step by step, and the last digit shows it.
    parts("durationDays", 3600 * SECOND, &[24.0]);
    parts("durationWeeks", 3600 * SECOND, &[24.0, 7.0]);
    functions.insert("durationRoundTo", to_multiple(round));
    functions.insert("durationTruncateTo", to_multiple(truncate));
}

fn to_multiple(body: fn(i64, i64) -> i64) -> Function {
    Function::new(move |value: Value, multiple: Value| {
        let duration = read_or_zero(&value);
        Duration::value(match read(&multiple) {
            Ok(multiple) if read(&value).is_ok() => body(duration, multiple),
            _ => duration,
        })
    })
}

fn read_or_zero(value: &Value) -> i64 {
    read(value).unwrap_or_default()
}

/// Whole units and the rest of them, as Go's `Hours` and its like give them.
fn in_units(duration: i64, unit: i64) -> f64 {
    (duration / unit) as f64 + (duration % unit) as f64 / unit as f64
}

/// Go: time.Duration.Round
fn round(duration: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        return duration;
    }
    let rest = duration % multiple;
    let down = rest.unsigned_abs() * 2 < multiple.unsigned_abs();
    match duration {
        ..0 if down => duration - rest,
        ..0 => (duration - rest).checked_sub(multiple).unwrap_or(i64::MIN),
        _ if down => duration - rest,
        _ => (duration - rest).checked_add(multiple).unwrap_or(i64::MAX),
    }
}

/// Go: time.Duration.Truncate
fn truncate(duration: i64, multiple: i64) -> i64 {
    if multiple <= 0 {
        duration
    } else {
        duration - duration % multiple
    }
}

/// Nanoseconds of what templates pass for a duration: one, a text, or a number of seconds.
/// helm: pkg/engine/funcs.go asDuration
fn read(value: &Value) -> Result<i64, CallError> {
    match value {
        Value::Nil => refused("invalid duration"),
        Value::String(text) => read_text(&text.to_str_lossy()),
        Value::Int(_, seconds) => match seconds.checked_mul(SECOND) {
            Some(duration) => Ok(duration),
            None => refused(format!("duration seconds overflow: {seconds}")),
        },
        Value::Uint(_, seconds) => {
            let signed = i64::try_from(*seconds).ok();
            match signed.and_then(|seconds| seconds.checked_mul(SECOND)) {
                Some(duration) => Ok(duration),
                None => refused(format!("duration seconds overflow: {seconds}")),
            }
        }
        Value::Float(_, seconds) => read_float(*seconds),
        Value::Object(object) => match object.as_any().downcast_ref::<Duration>() {
            Some(duration) => Ok(duration.0),
            None => unsupported(value),
        },
        _ => unsupported(value),
    }
}

fn refused<T>(message: impl Into<String>) -> Result<T, CallError> {
    Err(CallError::new(message))
}

fn unsupported<T>(value: &Value) -> Result<T, CallError> {
    refused(format!("unsupported duration type {}", value.type_name()))
}

fn read_text(text: &str) -> Result<i64, CallError> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return refused("empty duration");
    }
    if let Some(duration) = parse(trimmed) {
        return Ok(duration);
    }
    match trimmed.parse::<f64>() {
        Ok(seconds) => read_float(seconds),
        Err(_) => refused(format!("could not parse duration {}", quoted(text))),
    }
}

fn quoted(text: &str) -> String {
    String::from_utf8_lossy(&crate::template::quote::quote(text.as_bytes())).into_owned()
}

fn read_float(seconds: f64) -> Result<i64, CallError> {
    let shown = || crate::template::print::format_float(seconds, b'g', None, FloatKind::Float64);
    if !seconds.is_finite() {
        return refused(format!("invalid duration seconds: {}", shown()));
    }
    let most = i64::MAX as f64 / SECOND as f64;
    let least = i64::MIN as f64 / SECOND as f64;
    if seconds > most || seconds < least {
        return refused(format!("duration seconds overflow: {}", shown()));
    }
    Ok((seconds * SECOND as f64) as i64)
}

/// Go: time.ParseDuration
fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (part, after) = parse_part(rest)?;
        total = total.checked_add(part).filter(|total| *total <= 1 << 63)?;
        rest = after;
    }
    match negative {
        true => Some((total as i64).wrapping_neg()),
        false => i64::try_from(total).ok(),
    }
}

/// A number and its unit, in nanoseconds, and what follows.
fn parse_part(text: &str) -> Option<(u64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at(digits(text));
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at(digits(after));
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit_end = rest
        .bytes()
        .position(|byte| byte == b'.' || byte.is_ascii_digit());
    let (unit, rest) = rest.split_at(unit_end.unwrap_or(rest.len()));
    let unit: u64 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND as u64,
        "m" => 60 * SECOND as u64,
        "h" => 3600 * SECOND as u64,
        _ => return None,
    };
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanoseconds = whole.checked_mul(unit).filter(|part| *part <= 1 << 63)?;
    let (numerator, scale) = leading_fraction(fraction);
    if numerator > 0 {
        nanoseconds += (numerator as f64 * (unit as f64 / scale)) as u64;
    }
    (nanoseconds <= 1 << 63).then_some((nanoseconds, rest))
}

/// As many of the digits as fit, and what they are parts of. Go: time.leadingFraction
fn leading_fraction(digits: &str) -> (u64, f64) {
    let mut number: u64 = 0;
    let mut scale = 1.0;
    for digit in digits.bytes() {
        let next = number
            .checked_mul(10)
            .and_then(|number| number.checked_add(u64::from(digit - b'0')));
        match next.filter(|number| *number <= 1 << 63) {
            Some(next) => number = next,
            None => break,
        }
        scale *= 10.0;
    }
    (number, scale)
}

/// Go's `time.Duration`, in nanoseconds.
struct Duration(i64);

impl Duration {
    fn value(nanoseconds: i64) -> Value {
        Value::Object(Rc::new(Self(nanoseconds)))
    }

    /// `1h2m3.5s`. Go: time.Duration.String
    fn text(&self) -> String {
        let size = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        let second = SECOND as u64;
        if size < second {
            let (unit, name) = match size {
                0 => return "0s".to_owned(),
                1..1_000 => (1, "ns"),
                1_000..1_000_000 => (1_000, "\u{b5}s"),
                _ => (1_000_000, "ms"),
            };
            return format!("{sign}{}{name}", decimal(size, unit));
        }
        let seconds = decimal(size % (60 * second), second);
        let minutes = size / (60 * second);
        match (minutes / 60, minutes % 60) {
            (0, 0) => format!("{sign}{seconds}s"),
            (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
            (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
        }
    }
}

/// A number of units, with as many decimals as it takes.
fn decimal(number: u64, unit: u64) -> String {
    let (whole, rest) = (number / unit, number % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let rest = format!("{rest:0digits$}");
    format!("{whole}.{}", rest.trim_end_matches('0'))
}

impl Object for Duration {
    fn type_name(&self) -> &'static str {
        "time.Duration"
    }

    fn kind(&self) -> &'static str {
        "int64"
    }

    fn field(&self, _name: &[u8]) -> Option<Value> {
        None
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let duration = self.0;
        let constant =
            |value: Value| Function::with_machine(vec![], None, move |_, _| Ok(value.clone()));
        let float = |unit| Value::float64(in_units(duration, unit));
        Some(match name {
            b"String" => constant(Value::string(self.text())),
            b"Nanoseconds" => constant(Value::int64(duration)),
            b"Microseconds" => constant(Value::int64(duration / 1_000)),
            b"Milliseconds" => constant(Value::int64(duration / 1_000_000)),
            b"Seconds" => constant(float(SECOND)),
            b"Minutes" => constant(float(60 * SECOND)),
            b"Hours" => constant(float(3600 * SECOND)),
            b"Abs" => constant(Self::value(duration.saturating_abs())),
            b"Round" => with_duration(duration, round),
            b"Truncate" => with_duration(duration, truncate),
            _ => return None,
        })
    }

    fn is_true(&self) -> bool {
        self.0 != 0
    }

    fn print(&self) -> Text {
        self.text().into()
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(Value::int64(self.0))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A method that takes a duration, which a template writes as a number of nanoseconds.
fn with_duration(duration: i64, body: fn(i64, i64) -> i64) -> Function {
    Function::with_machine(
        vec![Type::INT64],
        None,
        move |_, arguments| match arguments {
            [Value::Int(_, multiple)] => Ok(Duration::value(body(duration, *multiple))),
            _ => refused("a duration is a number of nanoseconds"),
        },
    )
}
