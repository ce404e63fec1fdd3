//! Days of the Gregorian calendar, by their number since 1970.

/// A date of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i64,
    /// From 1 on.
    pub(super) month: u32,
    /// From 1 on.
    pub(super) day: u32,
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// How many days there are in the 400 years after which the calendar repeats itself.
const ERA: i64 = 146_097;

impl Date {
    /// The date of a day. Years are reckoned from March on, so that the leap day is their last.
    pub(super) fn of_day(number: i64) -> Self {
        let number = i128::from(number) + 719_468;
        let era = number.div_euclid(i128::from(ERA)) as i64;
        let day_of_era = number.rem_euclid(i128::from(ERA)) as i64;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    /// The number of the day; the month must be one, the day can be any.
    pub(super) fn day_number(year: i64, month: u32, day: i64) -> i64 {
        let year = year.wrapping_sub(i64::from(month <= 2));
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted = i64::from((month + 9) % 12);
        let day_of_year = (153 * shifted + 2) / 5;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era.wrapping_mul(ERA)
            .wrapping_add(day_of_era - 719_468)
            .wrapping_add(day.wrapping_sub(1))
    }

    /// From 1 on.
    pub(super) fn day_of_year(self) -> u32 {
        let first = Self::day_number(self.year, 1, 1);
        (Self::day_number(self.year, self.month, i64::from(self.day)) - first + 1) as u32
    }
}

pub(super) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(super) fn days_in(month: u32, year: i64) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// 0 is Sunday.
pub(super) fn weekday(day_number: i64) -> usize {
    (i128::from(day_number) + 4).rem_euclid(7) as usize
}
