//! Dates: Go's times, layouts and durations.
//!
//! `time` is Go's `time.Time` as templates see it, `zone` where it is shown, `layout` how it is
//! written and read, `duration` the spans between times.

mod calendar;
mod duration;
mod layout;
mod read;
mod scan;
mod time;
mod zone;

use std::rc::Rc;

use crate::template::{CallError, Function, IntKind, Text, Type, Value};

use super::Environment;
use super::cast::{self, IntegerError};

pub use duration::{Duration, parse_duration};
pub use read::parse;
pub use time::Time;
pub use zone::Zone;

use zone::Zones;

const DATE_ONLY: &[u8] = b"2006-01-02";

pub(super) fn functions(environment: &Rc<Environment>) -> Vec<(&'static str, Function)> {
    let clock = Clock {
        environment: Rc::clone(environment),
        zones: Rc::new(Zones::new(environment.time_zone.clone())),
    };
    let mut functions = formatting(&clock);
    functions.extend(spans(&clock));
    let [now, to_date, must_to_date] = [clock.clone(), clock.clone(), clock];
    functions.extend([
        ("now", Function::new(move || Value::from(now.now()))),
        (
            "toDate",
            Function::new(move |layout: Text, text: Text| {
                Value::from(read::parse(&layout, &text, &to_date.zones.local()).unwrap_or_default())
            }),
        ),
        (
            "mustToDate",
            Function::new(move |layout: Text, text: Text| {
                read::parse(&layout, &text, &must_to_date.zones.local())
                    .map(Value::from)
                    .map_err(CallError::new)
            }),
        ),
        (
            "unixEpoch",
            Function::with_machine(vec![Type::Named(Time::TYPE)], None, |_, values| {
                Ok(Time::of(&values[0])
                    .map_or(0, |time| time.unix())
                    .to_string()
                    .into())
            }),
        ),
    ]);
    functions
}

/// Those of a time that depend on the local zone.
pub(super) fn methods(
    environment: &Rc<Environment>,
) -> Vec<(&'static str, &'static str, Function)> {
    let zones = Zones::new(environment.time_zone.clone());
    let local = Function::with_machine(Vec::new(), None, move |_, values| {
        let time = Time::of(&values[0]).cloned().unwrap_or_default();
        Ok(time.shown_in(zones.local()).into())
    });
    vec![(Time::TYPE, "Local", local)]
}

fn formatting(clock: &Clock) -> Vec<(&'static str, Function)> {
    let [date, html, html_zone] = [clock.clone(), clock.clone(), clock.clone()];
    let in_zone = || {
        let clock = clock.clone();
        Function::new(move |layout: Text, date: Value, zone: Text| {
            clock.format(&layout, &date, &zone)
        })
    };
    vec![
        (
            "date",
            Function::new(move |layout: Text, value: Value| date.format(&layout, &value, b"Local")),
        ),
        ("dateInZone", in_zone()),
        ("date_in_zone", in_zone()),
        (
            "htmlDate",
            Function::new(move |value: Value| html.format(DATE_ONLY, &value, b"Local")),
        ),
        (
            "htmlDateInZone",
            Function::new(move |value: Value, zone: Text| {
                html_zone.format(DATE_ONLY, &value, &zone)
            }),
        ),
    ]
}

fn spans(clock: &Clock) -> Vec<(&'static str, Function)> {
    let [ago, round] = [clock.clone(), clock.clone()];
    let modify = |strict: bool| {
        Function::with_machine(
            vec![Type::String, Type::Named(Time::TYPE)],
            None,
            move |_, values| {
                let (Value::String(span), Some(time)) = (&values[0], Time::of(&values[1])) else {
                    return Ok(values[1].clone());
                };
                match parse_duration(span) {
                    Ok(span) => Ok(time.plus(span).into()),
                    Err(error) if strict => Err(CallError::new(error)),
                    Err(_) => Ok(values[1].clone()),
                }
            },
        )
    };
    vec![
        ("dateModify", modify(false)),
        ("date_modify", modify(false)),
        ("mustDateModify", modify(true)),
        ("must_date_modify", modify(true)),
        (
            "ago",
            Function::new(move |value: Value| {
                let time = match value {
                    Value::Int(IntKind::Int32, _) => ago.now(),
                    value => ago.time(&value),
                };
                ago.now().since(&time).rounded(Duration::SECOND).to_string()
            }),
        ),
        (
            "duration",
            Function::new(|value: Value| seconds(&value).to_string()),
        ),
        (
            "durationRound",
            Function::new(move |value: Value| round.rounded(&value)),
        ),
    ]
}

/// `duration` takes whole seconds, and only of two types.
// sprig: date.go duration
fn seconds(value: &Value) -> Duration {
    let seconds = match value {
        Value::Int(IntKind::Int64, seconds) => *seconds,
        Value::String(text) => match cast::parse_in_base(text, 10) {
            Ok(seconds) | Err(IntegerError::Range(seconds)) => seconds,
            Err(IntegerError::Syntax) => 0,
        },
        _ => 0,
    };
    Duration(seconds.wrapping_mul(Duration::SECOND.0))
}

/// What tells the time, and the zones that it is told in.
#[derive(Clone)]
struct Clock {
    environment: Rc<Environment>,
    zones: Rc<Zones>,
}

impl Clock {
    fn now(&self) -> Time {
        Time::from_timestamp((self.environment.now)()).shown_in(self.zones.local())
    }

    /// The time that a value stands for: seconds since 1970 are one, what is none is now.
    fn time(&self, value: &Value) -> Time {
        match value {
            Value::Int(IntKind::Int | IntKind::Int32 | IntKind::Int64, seconds) => {
                Time::new(*seconds, 0, self.zones.local())
            }
            other => Time::of(other).cloned().unwrap_or_else(|| self.now()),
        }
    }

    // sprig: date.go dateInZone
    fn format(&self, layout: &[u8], date: &Value, zone: &[u8]) -> Text {
        let zone = self.zones.load(zone).unwrap_or_default();
        layout::format(&self.time(date).shown_in(zone), layout).into()
    }

    /// The span in its largest unit.
    // sprig: date.go durationRound
    fn rounded(&self, value: &Value) -> String {
        let span = match value {
            Value::String(text) => parse_duration(text).unwrap_or_default(),
            Value::Int(IntKind::Int64, nanoseconds) => Duration(*nanoseconds),
            other => Time::of(other)
                .map(|time| self.now().since(time))
                .unwrap_or_default(),
        };
        const SECOND: u64 = 1_000_000_000;
        const UNITS: [(&str, u64); 6] = [
            ("y", 365 * 24 * 3600 * SECOND),
            ("mo", 30 * 24 * 3600 * SECOND),
            ("d", 24 * 3600 * SECOND),
            ("h", 3600 * SECOND),
            ("m", 60 * SECOND),
            ("s", SECOND),
        ];
        let length = span.0.unsigned_abs();
        match UNITS.into_iter().find(|&(_, unit)| length > unit) {
            Some((name, unit)) => format!("{}{name}", length / unit),
            None => "0s".to_owned(),
        }
    }
}
