//! Dates and times in the two layouts that charts and schemas need, with Go's complaints.

/// A time of RFC 3339, as Go prints it again for JSON.
///
/// # Errors
/// Go's sentence.
// go: time.Time UnmarshalJSON, then MarshalJSON
pub(in crate::chart) fn rfc3339(text: &str) -> Result<String, String> {
    let mut scan = Scan {
        text,
        layout: "2006-01-02T15:04:05Z07:00",
        rest: text,
    };
    scan.date()?;
    scan.literal("T")?;
    scan.part("15", 2, "hour", 0..=23)?;
    scan.literal(":")?;
    scan.part("04", 2, "minute", 0..=59)?;
    scan.literal(":")?;
    scan.part("05", 2, "second", 0..=59)?;
    let seconds = &text[..text.len() - scan.rest.len()];
    let fraction = scan.fraction();
    let zone = scan.zone()?;
    scan.end()?;
    let fraction = fraction
        .get(..fraction.len().min(10))
        .unwrap_or(fraction)
        .trim_end_matches('0');
    let fraction = if fraction == "." { "" } else { fraction };
    Ok(format!("{seconds}{fraction}{zone}"))
}

/// Checks a date such as `2024-02-29`.
///
/// # Errors
/// Go's sentence.
// go: time.Parse("2006-01-02", text)
pub(in crate::chart) fn date(text: &str) -> Result<(), String> {
    let mut scan = Scan {
        text,
        layout: "2006-01-02",
        rest: text,
    };
    let days = scan.date_parts()?;
    scan.end()?;
    scan.check_day(days)
}

struct Scan<'a> {
    text: &'a str,
    layout: &'a str,
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn date(&mut self) -> Result<(), String> {
        let parts = self.date_parts()?;
        self.check_day(parts)
    }

    fn date_parts(&mut self) -> Result<(u32, u32, u32), String> {
        let year = self.part("2006", 4, "year", 0..=9999)?;
        self.literal("-")?;
        let month = self.part("01", 2, "month", 1..=12)?;
        self.literal("-")?;
        let day = self.part("02", 2, "day", 0..=99)?;
        Ok((year, month, day))
    }

    fn check_day(&self, (year, month, day): (u32, u32, u32)) -> Result<(), String> {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        if (1..=days).contains(&day) {
            Ok(())
        } else {
            Err(self.out_of_range("day"))
        }
    }

    fn part(
        &mut self,
        std: &str,
        width: usize,
        name: &str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, String> {
        let digits = self
            .rest
            .get(..width)
            .filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        let digits = digits.ok_or_else(|| self.bad(std))?;
        let number: u32 = digits.parse().map_err(|_| self.bad(std))?;
        self.rest = &self.rest[width..];
        if range.contains(&number) {
            Ok(number)
        } else {
            Err(self.out_of_range(name))
        }
    }

    fn literal(&mut self, text: &str) -> Result<(), String> {
        self.rest = self.rest.strip_prefix(text).ok_or_else(|| self.bad(text))?;
        Ok(())
    }

    fn fraction(&mut self) -> &'a str {
        let rest = self.rest;
        let Some(digits) = rest.strip_prefix('.') else {
            return "";
        };
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return "";
        }
        self.rest = &digits[count..];
        &rest[..=count]
    }

    fn zone(&mut self) -> Result<&'a str, String> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Ok("Z");
        }
        let zone = self.rest.get(..6).ok_or_else(|| self.bad("Z07:00"))?;
        let bytes = zone.as_bytes();
        let digit = |i: usize| bytes[i].is_ascii_digit();
        let shaped = matches!(bytes[0], b'+' | b'-')
            && bytes[3] == b':'
            && digit(1)
            && digit(2)
            && digit(4)
            && digit(5);
        if !shaped {
            return Err(self.bad("Z07:00"));
        }
        if &zone[1..3] > "24" || &zone[4..] > "60" {
            return Err(self.out_of_range(if &zone[1..3] > "24" {
                "time zone offset hour"
            } else {
                "time zone offset minute"
            }));
        }
        self.rest = &self.rest[6..];
        Ok(if &zone[1..] == "00:00" { "Z" } else { zone })
    }

    fn end(&self) -> Result<(), String> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(format!(
            "parsing time {}: extra text: {}",
            self.quoted(),
            super::quote::quote(self.rest)
        ))
    }

    fn bad(&self, std: &str) -> String {
        let rest = super::quote::quote(self.rest);
        format!(
            "parsing time {} as \"{}\": cannot parse {rest} as \"{std}\"",
            self.quoted(),
            self.layout
        )
    }

    fn out_of_range(&self, name: &str) -> String {
        format!("parsing time {}: {name} out of range", self.quoted())
    }

    fn quoted(&self) -> String {
        super::quote::quote(self.text)
    }
}
