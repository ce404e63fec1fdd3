//! Helm's duration functions.

use crate::sprig::dates::{Duration, parse_duration};
use crate::sprig::parse_float;
use crate::template::{CallError, FloatKind, Function, Functions, Value};

const SECOND: i64 = 1_000_000_000;

/// Adds them. helm: pkg/engine/funcs.go, under "Duration helpers"
pub(super) fn insert(functions: &mut Functions) {
    functions.insert(
        "mustToDuration",
        Function::new(|value: Value| read(&value).map(|span| Value::from(Duration(span)))),
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
    functions.insert("durationRoundTo", to_multiple(Duration::rounded));
    functions.insert("durationTruncateTo", to_multiple(Duration::truncated));
}

fn to_multiple(body: fn(Duration, Duration) -> Duration) -> Function {
    Function::new(move |value: Value, multiple: Value| {
        let duration = Duration(read_or_zero(&value));
        Value::from(match read(&multiple) {
            Ok(multiple) if read(&value).is_ok() => body(duration, Duration(multiple)),
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
        _ => match Duration::of(value) {
            Some(duration) => Ok(duration.0),
            None => unsupported(value),
        },
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
    if let Ok(duration) = parse_duration(trimmed.as_bytes()) {
        return Ok(duration.0);
    }
    match parse_float(trimmed.as_bytes()) {
        Some(seconds) => read_float(seconds),
        None => refused(format!("could not parse duration {}", quoted(text))),
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
    let nanoseconds = seconds * SECOND as f64;
    if nanoseconds > i64::MAX as f64 || nanoseconds < i64::MIN as f64 {
        let shown =
            crate::template::print::format_float(nanoseconds, b'g', None, FloatKind::Float64);
        return refused(format!("duration nanoseconds overflow: {shown}"));
    }
    Ok(nanoseconds as i64)
}
