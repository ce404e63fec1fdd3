//! Go's `time.Time` as templates see it.

use std::any::Any;
use std::borrow::Cow;
use std::rc::Rc;

use crate::template::{CallError, Function, Object, Text, Type, UintKind, Value, print};

use super::calendar::{Date, MONTHS, WEEKDAYS, weekday};
use super::duration::{self, Duration};
use super::layout::{self, Clock};
use super::zone::Zone;

/// A moment, and the zone that it is shown in.
#[derive(Debug, Clone)]
pub struct Time {
    /// Seconds since 1970.
    seconds: i64,
    nanosecond: u32,
    zone: Zone,
}

const OUT_OF_RANGE: &str = "year outside of range [0,9999]";

/// The first second of the year 1, which is Go's zero time.
const ZERO: i64 = -62_135_596_800;

impl Default for Time {
    fn default() -> Self {
        Self {
            seconds: ZERO,
            nanosecond: 0,
            zone: Zone::Utc,
        }
    }
}

impl Time {
    /// The name of the Go type.
    pub const TYPE: &'static str = "time.Time";

    pub(super) fn new(seconds: i64, nanosecond: u32, zone: Zone) -> Self {
        Self {
            seconds,
            nanosecond,
            zone,
        }
    }

    /// The time that a value of a template is; nothing if it is another value.
    pub fn of(value: &Value) -> Option<&Self> {
        match value {
            Value::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }

    /// Seconds since 1970.
    pub fn unix(&self) -> i64 {
        self.seconds
    }

    /// The time in UTC.
    pub(in crate::sprig) fn from_timestamp(timestamp: jiff::Timestamp) -> Self {
        let nanoseconds = timestamp.as_nanosecond();
        Self {
            seconds: nanoseconds.div_euclid(1_000_000_000) as i64,
            nanosecond: nanoseconds.rem_euclid(1_000_000_000) as u32,
            zone: Zone::Utc,
        }
    }

    pub(in crate::sprig) fn year(&self) -> i64 {
        self.clock().date.year
    }

    /// The name of the zone that it is shown in.
    pub fn zone(&self) -> &str {
        self.zone.name()
    }

    /// The same moment, shown in UTC.
    pub fn utc(&self) -> Self {
        self.shown_in(Zone::Utc)
    }

    /// The time as a layout shows it.
    pub fn format(&self, layout: &[u8]) -> Vec<u8> {
        layout::format(self, layout)
    }

    pub(super) fn nanosecond(&self) -> u32 {
        self.nanosecond
    }

    pub(super) fn shown_in(&self, zone: Zone) -> Self {
        Self {
            zone,
            ..self.clone()
        }
    }

    /// What clock and calendar show.
    pub(super) fn clock(&self) -> Clock {
        let in_effect = self.zone.at(self.seconds);
        let shown = self.seconds.wrapping_add(in_effect.offset);
        let day_number = shown.div_euclid(86_400);
        let second = shown.rem_euclid(86_400) as u32;
        Clock {
            date: Date::of_day(day_number),
            day_number,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
            zone: in_effect.name,
            offset: in_effect.offset,
        }
    }

    pub(in crate::sprig) fn plus(&self, span: Duration) -> Self {
        let nanoseconds = i64::from(self.nanosecond) + span.0 % 1_000_000_000;
        let seconds = span.0 / 1_000_000_000 + nanoseconds.div_euclid(1_000_000_000);
        Self {
            seconds: self.seconds.wrapping_add(seconds),
            nanosecond: nanoseconds.rem_euclid(1_000_000_000) as u32,
            zone: self.zone.clone(),
        }
    }

    /// The span from an earlier time to this one, as large as a duration can be.
    pub(super) fn since(&self, earlier: &Self) -> Duration {
        let span = self.nanoseconds() - earlier.nanoseconds();
        Duration(span.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    fn nanoseconds(&self) -> i128 {
        i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanosecond)
    }

    // time: time.go AddDate
    fn plus_date(&self, years: isize, months: isize, days: isize) -> Self {
        let clock = self.clock();
        let months = (clock.date.month as i64 - 1).wrapping_add(months as i64);
        let year = clock
            .date
            .year
            .wrapping_add(years as i64)
            .wrapping_add(months.div_euclid(12));
        let month = months.rem_euclid(12) as u32 + 1;
        let day = i64::from(clock.date.day).wrapping_add(days as i64);
        let second = i64::from(clock.hour * 3_600 + clock.minute * 60 + clock.second);
        let shown = Date::day_number(year, month, day)
            .wrapping_mul(86_400)
            .wrapping_add(second);
        Self {
            seconds: self.zone.at_clock(shown),
            ..self.clone()
        }
    }

    /// Down to, or to the nearest, multiple of a unit since the zero time.
    fn stepped(&self, unit: Duration, nearest: bool) -> Self {
        if unit.0 <= 0 {
            return self.clone();
        }
        let since_zero = self.nanoseconds() - i128::from(ZERO) * 1_000_000_000;
        let unit = i128::from(unit.0);
        let rest = since_zero.rem_euclid(unit);
        let up = nearest && 2 * rest >= unit;
        let stepped = self.nanoseconds() - rest + if up { unit } else { 0 };
        Self {
            seconds: stepped.div_euclid(1_000_000_000) as i64,
            nanosecond: stepped.rem_euclid(1_000_000_000) as u32,
            zone: self.zone.clone(),
        }
    }

    /// In units of so many nanoseconds since 1970, cut to 64 bits.
    fn unix_in(&self, unit: i128) -> i64 {
        self.nanoseconds().div_euclid(unit) as i64
    }

    fn shown(&self) -> Vec<u8> {
        layout::format(self, b"2006-01-02 15:04:05.999999999 -0700 MST")
    }

    // time: time.go MarshalText, MarshalJSON
    fn marshalled(&self, method: &str, quote: &str) -> Result<Value, CallError> {
        match self.in_rfc_3339() {
            Some(shown) => Ok(Value::Bytes(
                [quote.as_bytes(), &shown, quote.as_bytes()].concat().into(),
            )),
            None => Err(CallError::new(format!("Time.{method}: {OUT_OF_RANGE}"))),
        }
    }

    /// None where the year has not four digits.
    fn in_rfc_3339(&self) -> Option<Vec<u8>> {
        (0..=9999)
            .contains(&self.clock().date.year)
            .then(|| layout::format(self, b"2006-01-02T15:04:05.999999999Z07:00"))
    }

    /// The call that makes such a time.
    // time: format.go GoString
    fn in_go_syntax(&self) -> String {
        let clock = self.clock();
        let zone = match &self.zone {
            Zone::Utc => "time.UTC".to_owned(),
            Zone::Rules { is_local: true, .. } => "time.Local".to_owned(),
            named => format!("time.Location(\"{}\")", named.name()),
        };
        let month = MONTHS[(clock.date.month - 1) as usize];
        format!(
            "time.Date({}, time.{month}, {}, {}, {}, {}, {}, {zone})",
            clock.date.year,
            clock.date.day,
            clock.hour,
            clock.minute,
            clock.second,
            self.nanosecond
        )
    }

    /// Methods that give back a number or a part of the date.
    fn part(&self, name: &[u8]) -> Option<Value> {
        let clock = self.clock();
        let int = |number: i64| Value::int(number);
        Some(match name {
            b"Year" => int(clock.date.year),
            b"Month" => Value::Object(Rc::new(Named::Month(i64::from(clock.date.month)))),
            b"Day" => int(i64::from(clock.date.day)),
            b"Hour" => int(i64::from(clock.hour)),
            b"Minute" => int(i64::from(clock.minute)),
            b"Second" => int(i64::from(clock.second)),
            b"Nanosecond" => int(i64::from(self.nanosecond)),
            b"YearDay" => int(i64::from(clock.date.day_of_year())),
            b"Weekday" => Value::Object(Rc::new(Named::Weekday(weekday(clock.day_number) as i64))),
            b"Unix" => Value::int64(self.seconds),
            b"UnixNano" => Value::int64(self.unix_in(1)),
            b"UnixMicro" => Value::int64(self.unix_in(1_000)),
            b"UnixMilli" => Value::int64(self.unix_in(1_000_000)),
            b"IsZero" => Value::Bool(self.seconds == ZERO && self.nanosecond == 0),
            b"IsDST" => Value::Bool(self.zone.is_daylight_saving(self.seconds)),
            b"UTC" => self.shown_in(Zone::Utc).into(),
            b"String" => Value::string(self.shown()),
            b"GoString" => Value::string(self.in_go_syntax()),
            b"Location" => Value::Object(Rc::new(Location(self.zone.clone()))),
            _ => return None,
        })
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Object(Rc::new(time))
    }
}

impl Object for Time {
    fn type_name(&self) -> &'static str {
        Self::TYPE
    }

    fn kind(&self) -> &'static str {
        "struct"
    }

    fn field(&self, _name: &[u8]) -> Option<Value> {
        None
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        if let Some(part) = self.part(name) {
            return Some(Function::with_machine(Vec::new(), None, move |_, _| {
                Ok(part.clone())
            }));
        }
        let time = self.clone();
        let with_other = |answer: fn(&Self, &Self) -> Value| {
            let time = self.clone();
            Function::with_machine(vec![Type::Named(Self::TYPE)], None, move |_, values| {
                Ok(Self::of(&values[0])
                    .map(|other| answer(&time, other))
                    .unwrap_or_default())
            })
        };
        Some(match name {
            b"Format" => {
                Function::new(move |layout: Text| Text::from(layout::format(&time, &layout)))
            }
            b"Add" => Function::new(move |span: Value| {
                duration::expect(&span).map(|span| Value::from(time.plus(span)))
            }),
            b"AddDate" => Function::new(move |years: isize, months: isize, days: isize| {
                Value::from(time.plus_date(years, months, days))
            }),
            b"Truncate" => Function::new(move |unit: Value| {
                duration::expect(&unit).map(|unit| Value::from(time.stepped(unit, false)))
            }),
            b"Round" => Function::new(move |unit: Value| {
                duration::expect(&unit).map(|unit| Value::from(time.stepped(unit, true)))
            }),
            b"In" => {
                Function::with_machine(vec![Type::Named(Location::TYPE)], None, move |_, values| {
                    match &values[0] {
                        Value::Object(object)
                            if let Some(location) = object.as_any().downcast_ref::<Location>() =>
                        {
                            Ok(time.shown_in(location.0.clone()).into())
                        }
                        _ => Err(CallError::new("time: missing Location in call to Time.In")),
                    }
                })
            }
            b"MarshalText" => Function::new(move || time.marshalled("MarshalText", "")),
            b"MarshalJSON" => Function::new(move || time.marshalled("MarshalJSON", "\"")),
            b"Sub" => with_other(|time, other| time.since(other).into()),
            b"After" => {
                with_other(|time, other| Value::Bool(time.nanoseconds() > other.nanoseconds()))
            }
            b"Before" => {
                with_other(|time, other| Value::Bool(time.nanoseconds() < other.nanoseconds()))
            }
            b"Equal" => {
                with_other(|time, other| Value::Bool(time.nanoseconds() == other.nanoseconds()))
            }
            b"Compare" => with_other(|time, other| {
                Value::int(time.nanoseconds().cmp(&other.nanoseconds()) as i64)
            }),
            _ => return None,
        })
    }

    fn print(&self) -> Text {
        self.shown().into()
    }

    fn go_syntax(&self) -> Option<Text> {
        Some(self.in_go_syntax().into())
    }

    /// Seconds count from the year 1, and UTC is no pointer. (Those of the clock are counted
    /// otherwise, together with its monotonic reading: nothing that two runs have in common.)
    fn raw_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let location = match self.zone {
            Zone::Utc => 0,
            _ => print::ADDRESS,
        };
        let number = |number| Value::Uint(UintKind::Uint64, number);
        Some(vec![
            ("wall", number(u64::from(self.nanosecond))),
            ("ext", Value::int64(self.seconds.wrapping_sub(ZERO))),
            ("loc", number(location)),
        ])
    }

    // time: time.go MarshalJSON
    fn to_data(&self) -> Result<Value, CallError> {
        match self.in_rfc_3339() {
            Some(shown) => Ok(Value::string(shown)),
            None => Err(CallError::new(format!(
                "json: error calling MarshalJSON for type time.Time: Time.MarshalJSON: {OUT_OF_RANGE}"
            ))),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A month or a weekday: numbers with names.
enum Named {
    Month(i64),
    Weekday(i64),
}

impl Named {
    // time: format.go Month.String, Weekday.String
    fn name(&self) -> Cow<'static, str> {
        let (kind, name) = match self {
            Self::Month(number) => ("Month", MONTHS.get(number.wrapping_sub(1) as usize)),
            Self::Weekday(number) => ("Weekday", WEEKDAYS.get(*number as usize)),
        };
        match name {
            Some(name) => Cow::Borrowed(name),
            None => format!("%!{kind}({})", self.number()).into(),
        }
    }

    fn number(&self) -> i64 {
        let (Self::Month(number) | Self::Weekday(number)) = self;
        *number
    }
}

impl Object for Named {
    fn type_name(&self) -> &'static str {
        match self {
            Self::Month(_) => "time.Month",
            Self::Weekday(_) => "time.Weekday",
        }
    }

    fn kind(&self) -> &'static str {
        "int"
    }

    fn field(&self, _name: &[u8]) -> Option<Value> {
        None
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let shown = Text::from(&*self.name());
        (name == b"String").then(|| Function::new(move || shown.clone()))
    }

    fn is_true(&self) -> bool {
        self.number() != 0
    }

    fn print(&self) -> Text {
        Text::from(&*self.name())
    }

    fn counted(&self, number: i64) -> Option<Value> {
        Some(Value::Object(Rc::new(match self {
            Self::Month(_) => Self::Month(number),
            Self::Weekday(_) => Self::Weekday(number),
        })))
    }

    fn to_data(&self) -> Result<Value, CallError> {
        Ok(Value::int(self.number()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Go's `*time.Location`.
struct Location(Zone);

impl Location {
    const TYPE: &'static str = "*time.Location";
}

impl Object for Location {
    fn type_name(&self) -> &'static str {
        Self::TYPE
    }

    fn kind(&self) -> &'static str {
        "ptr"
    }

    fn field(&self, _name: &[u8]) -> Option<Value> {
        None
    }

    fn method(&self, name: &[u8]) -> Option<Function> {
        let shown = self.print();
        (name == b"String").then(|| Function::new(move || shown.clone()))
    }

    fn print(&self) -> Text {
        self.0.name().into()
    }

    /// A struct without exported fields.
    fn to_data(&self) -> Result<Value, CallError> {
        Ok(crate::template::Map::default().into())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
