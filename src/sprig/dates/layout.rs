//! Go's layouts: a date is written, and read, as `Mon Jan 2 15:04:05 MST 2006` is in its place.

use super::calendar::{Date, MONTHS, WEEKDAYS, weekday};
use super::time::Time;

/// What a part of a layout stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    /// `PM` or `pm`.
    HalfDay {
        upper: bool,
    },
    ZoneName,
    Offset(OffsetForm),
    /// So many digits of the second behind a point or comma, with `9` as few as it takes.
    Fraction {
        digits: usize,
        trimmed: bool,
        separator: u8,
    },
}

/// How an offset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OffsetForm {
    /// `Z` for none at all.
    pub(super) letter: bool,
    pub(super) colon: bool,
    pub(super) minutes: bool,
    pub(super) seconds: bool,
}

const OFFSETS: [(&[u8], OffsetForm); 5] = [
    (
        b"070000",
        OffsetForm {
            letter: false,
            colon: false,
            minutes: true,
            seconds: true,
        },
    ),
    (
        b"07:00:00",
        OffsetForm {
            letter: false,
            colon: true,
            minutes: true,
            seconds: true,
        },
    ),
    (
        b"0700",
        OffsetForm {
            letter: false,
            colon: false,
            minutes: true,
            seconds: false,
        },
    ),
    (
        b"07:00",
        OffsetForm {
            letter: false,
            colon: true,
            minutes: true,
            seconds: false,
        },
    ),
    (
        b"07",
        OffsetForm {
            letter: false,
            colon: false,
            minutes: false,
            seconds: false,
        },
    ),
];

/// A layout cut at its first part: what is before it, the part if there is one, what is behind it.
pub(super) struct Cut<'l> {
    pub(super) before: &'l [u8],
    pub(super) part: Option<Part>,
    pub(super) behind: &'l [u8],
}

impl<'l> Cut<'l> {
    // time: format.go nextStdChunk
    pub(super) fn first(layout: &'l [u8]) -> Self {
        for at in 0..layout.len() {
            if let Some((part, skip, length)) = part_at(&layout[at..]) {
                let at = at + skip;
                return Self {
                    before: &layout[..at],
                    part: Some(part),
                    behind: &layout[at + length..],
                };
            }
        }
        Self {
            before: layout,
            part: None,
            behind: b"",
        }
    }
}

/// The part that a text starts with: what it is, how many bytes before it are literal, its length.
fn part_at(text: &[u8]) -> Option<(Part, usize, usize)> {
    let lower_follows = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let (part, length) = match text {
        [b'J', b'a', b'n', b'u', b'a', b'r', b'y', ..] => (Part::LongMonth, 7),
        [b'J', b'a', b'n', ..] if !lower_follows(3) => (Part::Month, 3),
        [b'M', b'o', b'n', b'd', b'a', b'y', ..] => (Part::LongWeekday, 6),
        [b'M', b'o', b'n', ..] if !lower_follows(3) => (Part::Weekday, 3),
        [b'M', b'S', b'T', ..] => (Part::ZoneName, 3),
        [b'0', b'1', ..] => (Part::ZeroMonth, 2),
        [b'0', b'2', ..] => (Part::ZeroDay, 2),
        [b'0', b'3', ..] => (Part::ZeroHour12, 2),
        [b'0', b'4', ..] => (Part::ZeroMinute, 2),
        [b'0', b'5', ..] => (Part::ZeroSecond, 2),
        [b'0', b'6', ..] => (Part::Year, 2),
        [b'0', b'0', b'2', ..] => (Part::ZeroYearDay, 3),
        [b'1', b'5', ..] => (Part::Hour, 2),
        [b'1', ..] => (Part::NumMonth, 1),
        [b'2', b'0', b'0', b'6', ..] => (Part::LongYear, 4),
        [b'2', ..] => (Part::Day, 1),
        [b'_', b'2', b'0', b'0', b'6', ..] => return Some((Part::LongYear, 1, 4)),
        [b'_', b'2', ..] => (Part::UnderDay, 2),
        [b'_', b'_', b'2', ..] => (Part::UnderYearDay, 3),
        [b'3', ..] => (Part::Hour12, 1),
        [b'4', ..] => (Part::Minute, 1),
        [b'5', ..] => (Part::Second, 1),
        [b'P', b'M', ..] => (Part::HalfDay { upper: true }, 2),
        [b'p', b'm', ..] => (Part::HalfDay { upper: false }, 2),
        [mark @ (b'-' | b'Z'), behind @ ..] => {
            let (written, form) = OFFSETS
                .into_iter()
                .find(|(written, _)| behind.starts_with(written))?;
            (
                Part::Offset(OffsetForm {
                    letter: *mark == b'Z',
                    ..form
                }),
                1 + written.len(),
            )
        }
        [separator @ (b'.' | b','), digit @ (b'0' | b'9'), ..] => {
            let digits = text[1..].iter().take_while(|byte| *byte == digit).count();
            if text.get(1 + digits).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            let part = Part::Fraction {
                digits,
                trimmed: *digit == b'9',
                separator: *separator,
            };
            (part, 1 + digits)
        }
        _ => return None,
    };
    Some((part, 0, length))
}

/// The time as the layout shows it.
// time: format.go Time.appendFormat
pub(super) fn format(time: &Time, layout: &[u8]) -> Vec<u8> {
    let clock = time.clock();
    let mut out = Vec::with_capacity(layout.len() + 10);
    let mut rest = layout;
    loop {
        let cut = Cut::first(rest);
        out.extend_from_slice(cut.before);
        let Some(part) = cut.part else { return out };
        rest = cut.behind;
        let text = match part {
            Part::Offset(form) => offset(clock.offset, form),
            Part::ZoneName if clock.zone.is_empty() => offset(
                clock.offset,
                OffsetForm {
                    letter: false,
                    colon: false,
                    minutes: true,
                    seconds: false,
                },
            ),
            Part::ZoneName => clock.zone.clone(),
            Part::Fraction {
                digits,
                trimmed,
                separator,
            } => fraction(time.nanosecond(), digits, trimmed, separator),
            other => plain(other, &clock),
        };
        out.extend_from_slice(text.as_bytes());
    }
}

/// A time as clock and calendar show it.
pub(super) struct Clock {
    pub(super) date: Date,
    pub(super) day_number: i64,
    pub(super) hour: u32,
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) zone: String,
    pub(super) offset: i64,
}

fn plain(part: Part, clock: &Clock) -> String {
    let Date { year, month, day } = clock.date;
    let hour12 = if clock.hour.is_multiple_of(12) {
        12
    } else {
        clock.hour % 12
    };
    let month_name = MONTHS[month as usize - 1];
    let weekday_name = WEEKDAYS[weekday(clock.day_number)];
    match part {
        Part::LongMonth => month_name.to_owned(),
        Part::Month => month_name[..3].to_owned(),
        Part::NumMonth => month.to_string(),
        Part::ZeroMonth => format!("{month:02}"),
        Part::LongWeekday => weekday_name.to_owned(),
        Part::Weekday => weekday_name[..3].to_owned(),
        Part::Day => day.to_string(),
        Part::UnderDay => format!("{day:2}"),
        Part::ZeroDay => format!("{day:02}"),
        Part::UnderYearDay => format!("{:3}", clock.date.day_of_year()),
        Part::ZeroYearDay => format!("{:03}", clock.date.day_of_year()),
        Part::Hour => format!("{:02}", clock.hour),
        Part::Hour12 => hour12.to_string(),
        Part::ZeroHour12 => format!("{hour12:02}"),
        Part::Minute => clock.minute.to_string(),
        Part::ZeroMinute => format!("{:02}", clock.minute),
        Part::Second => clock.second.to_string(),
        Part::ZeroSecond => format!("{:02}", clock.second),
        Part::LongYear => format!(
            "{}{:04}",
            if year < 0 { "-" } else { "" },
            year.unsigned_abs()
        ),
        Part::Year => format!("{:02}", year.unsigned_abs() % 100),
        Part::HalfDay { upper } => {
            let (morning, afternoon) = if upper { ("AM", "PM") } else { ("am", "pm") };
            if clock.hour < 12 { morning } else { afternoon }.to_owned()
        }
        // The caller's.
        Part::ZoneName | Part::Offset(_) | Part::Fraction { .. } => String::new(),
    }
}

fn offset(seconds: i64, form: OffsetForm) -> String {
    if form.letter && seconds == 0 {
        return "Z".to_owned();
    }
    // Go takes the sign from the minutes, so that half a minute west is `+00:00`.
    let minutes = seconds / 60;
    let colon = if form.colon { ":" } else { "" };
    let mut out = format!(
        "{}{:02}",
        if minutes < 0 { '-' } else { '+' },
        minutes.abs() / 60
    );
    if form.minutes {
        out.push_str(&format!("{colon}{:02}", minutes.abs() % 60));
    }
    if form.seconds {
        let rest = if minutes < 0 {
            seconds.abs() % 60
        } else {
            seconds % 60
        };
        out.push_str(&format!(
            "{colon}{}{:02}",
            if rest < 0 { "-" } else { "" },
            rest.abs()
        ));
    }
    out
}

fn fraction(nanosecond: u32, digits: usize, trimmed: bool, separator: u8) -> String {
    if trimmed && nanosecond == 0 {
        return String::new();
    }
    let all = format!("{nanosecond:09}");
    let kept = &all[..digits.min(9)];
    let kept = if trimmed {
        kept.trim_end_matches('0')
    } else {
        kept
    };
    match trimmed && kept.is_empty() {
        true => String::new(),
        false => format!("{}{kept}", char::from(separator)),
    }
}
