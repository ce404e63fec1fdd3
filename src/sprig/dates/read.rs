//! Reading a date by a layout, with Go's complaints.

use std::rc::Rc;

use super::calendar::{Date, MONTHS, WEEKDAYS, days_in, is_leap};
use super::layout::{Cut, Part};
use super::scan::{
    Failure, below, day_of_year, fraction_length, name, nanoseconds, number, offset, quoted,
    signed, skip, split, zone_name,
};
use super::time::Time;
use super::zone::Zone;

/// The time that a text is by a layout, in the local zone where it names none.
///
/// # Errors
/// Go's message.
// time: format.go ParseInLocation
pub fn parse(layout: &[u8], text: &[u8], local: &Zone) -> Result<Time, String> {
    let mut fields = Fields::default();
    let (mut layout_rest, mut text_rest) = (layout, text);
    let cannot = |part: &[u8], rest: &[u8]| {
        let [text, layout, rest, part] = [text, layout, rest, part].map(quoted);
        format!("parsing time {text} as {layout}: cannot parse {rest} as {part}")
    };
    let complain = |complaint: &str| format!("parsing time {}: {complaint}", quoted(text));
    loop {
        let cut = Cut::first(layout_rest);
        text_rest = skip(text_rest, cut.before).map_err(|rest| cannot(cut.before, rest))?;
        let Some(part) = cut.part else {
            if !text_rest.is_empty() {
                return Err(complain(&format!("extra text: {}", quoted(text_rest))));
            }
            break;
        };
        let written = &layout_rest[cut.before.len()..layout_rest.len() - cut.behind.len()];
        layout_rest = cut.behind;
        text_rest = match fields.read(part, text_rest, layout_rest) {
            Ok(rest) => rest,
            Err(Failure::Bad) => return Err(cannot(written, text_rest)),
            Err(Failure::OutOfRange(name)) => {
                return Err(complain(&format!("{name} out of range")));
            }
        };
    }
    fields.time(local).map_err(complain)
}

/// What was read so far.
#[derive(Default)]
struct Fields {
    year: i64,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    minute: u32,
    second: u32,
    nanosecond: u32,
    /// A layout can have both, and then it is afternoon.
    morning: bool,
    afternoon: bool,
    utc: bool,
    offset: Option<i64>,
    zone_name: Vec<u8>,
}

impl Fields {
    /// Reads one part; gives back what follows it.
    // time: format.go parse
    fn read<'t>(
        &mut self,
        part: Part,
        text: &'t [u8],
        layout_rest: &[u8],
    ) -> Result<&'t [u8], Failure> {
        match part {
            Part::Hour
            | Part::Hour12
            | Part::ZeroHour12
            | Part::Minute
            | Part::ZeroMinute
            | Part::Second
            | Part::ZeroSecond
            | Part::HalfDay { .. }
            | Part::Fraction { .. } => self.read_clock(part, text, layout_rest),
            Part::Offset(_) | Part::ZoneName => self.read_zone(part, text),
            _ => self.read_date(part, text),
        }
    }

    fn read_date<'t>(&mut self, part: Part, text: &'t [u8]) -> Result<&'t [u8], Failure> {
        let rest;
        match part {
            Part::Year => {
                let (digits, behind) = split(text, 2)?;
                let year = signed(digits)?;
                self.year = year + if year >= 69 { 1900 } else { 2000 };
                rest = behind;
            }
            Part::LongYear => {
                let (digits, behind) = split(text, 4)?;
                if !digits[0].is_ascii_digit() {
                    return Err(Failure::Bad);
                }
                self.year = signed(digits)?;
                rest = behind;
            }
            Part::Month | Part::LongMonth => {
                let (index, behind) = name(&MONTHS, text, part == Part::Month)?;
                self.month = Some(index + 1);
                rest = behind;
            }
            Part::NumMonth | Part::ZeroMonth => {
                let (month, behind) = number(text, part == Part::ZeroMonth)?;
                if !(1..=12).contains(&month) {
                    return Err(Failure::OutOfRange("month"));
                }
                self.month = Some(month);
                rest = behind;
            }
            Part::Weekday | Part::LongWeekday => {
                (_, rest) = name(&WEEKDAYS, text, part == Part::Weekday)?;
            }
            Part::Day | Part::UnderDay | Part::ZeroDay => {
                let padded = text.strip_prefix(b" ").filter(|_| part == Part::UnderDay);
                let (day, behind) = number(padded.unwrap_or(text), part == Part::ZeroDay)?;
                self.day = Some(day);
                rest = behind;
            }
            Part::UnderYearDay | Part::ZeroYearDay => {
                let (day, behind) = day_of_year(text, part == Part::ZeroYearDay)?;
                self.day_of_year = Some(day);
                rest = behind;
            }
            // The other parts are read elsewhere.
            _ => return Err(Failure::Bad),
        }
        Ok(rest)
    }

    fn read_clock<'t>(
        &mut self,
        part: Part,
        text: &'t [u8],
        layout_rest: &[u8],
    ) -> Result<&'t [u8], Failure> {
        let rest;
        match part {
            Part::Hour => (self.hour, rest) = below(number(text, false)?, 24, "hour")?,
            Part::Hour12 | Part::ZeroHour12 => {
                (self.hour, rest) = below(number(text, part == Part::ZeroHour12)?, 13, "hour")?;
            }
            Part::Minute | Part::ZeroMinute => {
                (self.minute, rest) = below(number(text, part == Part::ZeroMinute)?, 60, "minute")?;
            }
            Part::Second | Part::ZeroSecond => {
                let (second, behind) =
                    below(number(text, part == Part::ZeroSecond)?, 60, "second")?;
                self.second = second;
                rest = self.unannounced_fraction(behind, layout_rest)?;
            }
            Part::HalfDay { upper } => {
                let (letters, behind) = split(text, 2)?;
                match (letters, upper) {
                    (b"PM", true) | (b"pm", false) => self.afternoon = true,
                    (b"AM", true) | (b"am", false) => self.morning = true,
                    _ => return Err(Failure::Bad),
                }
                rest = behind;
            }
            Part::Fraction {
                digits,
                trimmed: false,
                ..
            } => {
                let (fraction, behind) = split(text, digits + 1)?;
                self.nanosecond = nanoseconds(fraction)?;
                rest = behind;
            }
            Part::Fraction { .. } => match fraction_length(text) {
                0 => rest = text,
                length => {
                    self.nanosecond = nanoseconds(&text[..length])?;
                    rest = &text[length..];
                }
            },
            // The other parts are read elsewhere.
            _ => return Err(Failure::Bad),
        }
        Ok(rest)
    }

    fn read_zone<'t>(&mut self, part: Part, text: &'t [u8]) -> Result<&'t [u8], Failure> {
        let rest;
        match part {
            Part::Offset(form) => match text.strip_prefix(b"Z").filter(|_| form.letter) {
                Some(behind) => {
                    self.utc = true;
                    rest = behind;
                }
                None => {
                    let (offset, behind) = offset(text, form)?;
                    self.offset = Some(offset);
                    rest = behind;
                }
            },
            Part::ZoneName => match text.strip_prefix(b"UTC") {
                Some(behind) => {
                    self.utc = true;
                    rest = behind;
                }
                None => {
                    let length = zone_name(text).ok_or(Failure::Bad)?;
                    self.zone_name = text[..length].to_vec();
                    rest = &text[length..];
                }
            },
            // The other parts are read elsewhere.
            _ => return Err(Failure::Bad),
        }
        Ok(rest)
    }

    /// A fraction behind the second that the layout does not speak of.
    fn unannounced_fraction<'t>(
        &mut self,
        text: &'t [u8],
        layout_rest: &[u8],
    ) -> Result<&'t [u8], Failure> {
        let length = fraction_length(text);
        if length == 0 || matches!(Cut::first(layout_rest).part, Some(Part::Fraction { .. })) {
            return Ok(text);
        }
        self.nanosecond = nanoseconds(&text[..length])?;
        Ok(&text[length..])
    }

    fn time(mut self, local: &Zone) -> Result<Time, &'static str> {
        if self.afternoon && self.hour < 12 {
            self.hour += 12;
        } else if self.morning && self.hour == 12 {
            self.hour = 0;
        }
        let (month, day) = self.month_and_day()?;
        if day < 1 || day > days_in(month, self.year) {
            return Err("day out of range");
        }
        let second = i64::from(self.hour * 3_600 + self.minute * 60 + self.second);
        let shown = Date::day_number(self.year, month, i64::from(day)) * 86_400 + second;
        let time = |seconds: i64, zone: Zone| Time::new(seconds, self.nanosecond, zone);
        if self.utc {
            return Ok(time(shown, Zone::Utc));
        }
        let name = String::from_utf8_lossy(&self.zone_name);
        // Go marks the absence of an offset by the number -1.
        if let Some(offset) = self.offset.filter(|&offset| offset != -1) {
            let seconds = shown - offset;
            let in_effect = local.at(seconds);
            let is_local =
                in_effect.offset == offset && (name.is_empty() || in_effect.name == name);
            let fixed = || Zone::Fixed {
                name: Rc::from(&*name),
                offset,
            };
            return Ok(time(
                seconds,
                if is_local { local.clone() } else { fixed() },
            ));
        }
        if !name.is_empty() {
            if let Some(offset) = local.offset_of_name(&name, shown) {
                return Ok(time(shown - offset, local.clone()));
            }
            // Go shows the offset of GMT+3, but does not reckon with it; of other names it knows none.
            let hours = name
                .strip_prefix("GMT")
                .and_then(|hours| signed(hours.as_bytes()).ok());
            let offset = hours.unwrap_or(0) * 3_600;
            return Ok(time(
                shown,
                Zone::Fixed {
                    name: Rc::from(&*name),
                    offset,
                },
            ));
        }
        Ok(time(local.at_clock(shown), local.clone()))
    }

    fn month_and_day(&self) -> Result<(u32, u32), &'static str> {
        let Some(day_of_year) = self.day_of_year else {
            return Ok((self.month.unwrap_or(1), self.day.unwrap_or(1)));
        };
        let days = if is_leap(self.year) { 366 } else { 365 };
        if day_of_year < 1 || day_of_year > days {
            return Err("day-of-year out of range");
        }
        let number = Date::day_number(self.year, 1, i64::from(day_of_year));
        let date = Date::of_day(number);
        if self.month.is_some_and(|month| month != date.month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|day| day != date.day) {
            return Err("day-of-year does not match day");
        }
        Ok((date.month, date.day))
    }
}
