//! The wall calendar: a UTC moment and an offset as a day and an hour.

use caravana_protocol::Timestamp;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// A moment on a wall calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i64,
    /// January is 1.
    pub month: u8,
    /// The day of the month, from 1.
    pub day: u8,
    /// Monday is 0.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// Days since 1970-01-01, to compare days.
    pub day_number: i64,
}

impl Civil {
    /// The wall calendar at `at`, `offset_minutes` east of UTC.
    #[must_use]
    pub fn at(at: Timestamp, offset_minutes: i32) -> Self {
        Self::from_millis(at.unix_millis(), offset_minutes)
    }

    /// The same for a moment in milliseconds since 1970.
    pub(crate) fn from_millis(unix_millis: i64, offset_minutes: i32) -> Self {
        let local = unix_millis + i64::from(offset_minutes) * MINUTE_MS;
        let day_number = local.div_euclid(DAY_MS);
        let minute_of_day = local.rem_euclid(DAY_MS) / MINUTE_MS;
        let (year, month, day) = year_month_day(day_number);
        Self {
            year,
            month,
            day,
            // 1970-01-01 was a Thursday.
            weekday: small((day_number + 3).rem_euclid(7)),
            hour: small(minute_of_day / 60),
            minute: small(minute_of_day % 60),
            day_number,
        }
    }
}

/// The proleptic Gregorian date of a day, counted in eras of 400 years that begin on 1 March.
fn year_month_day(day_number: i64) -> (i64, u8, u8) {
    let shifted = day_number + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), small(month), small(day))
}

fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_calendar_knows_leap_days_and_weekdays() {
        let leap = Civil::at(moment("2024-02-29T23:59:00Z"), 0);
        assert_eq!((leap.year, leap.month, leap.day, leap.weekday, leap.hour, leap.minute), (2024, 2, 29, 3, 23, 59));
        let before = Civil::at(moment("1969-12-31T23:00:00Z"), 0);
        assert_eq!((before.year, before.month, before.day, before.weekday), (1969, 12, 31, 2));
        let century = Civil::at(moment("2100-03-01T00:00:00Z"), -1);
        assert_eq!((century.year, century.month, century.day), (2100, 2, 28));
    }
}
