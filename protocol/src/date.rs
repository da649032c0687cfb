//! A day of the calendar, without a time zone.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::Month;

/// A day, on the wire `YYYY-MM-DD`. It is a day wherever the reader is, so it is never converted to another time zone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = "date", example = "2027-04-03"))]
pub struct Date(time::Date);

impl Date {
    /// The number of days since 1970-01-01, to count between days.
    #[must_use]
    pub fn day_number(self) -> i64 {
        /// The Julian day of 1970-01-01.
        const EPOCH: i32 = 2_440_588;
        i64::from(self.0.to_julian_day() - EPOCH)
    }
}

/// The text is no day `YYYY-MM-DD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a day like 2027-04-03")]
pub struct DateError;

impl std::str::FromStr for Date {
    type Err = DateError;

    fn from_str(text: &str) -> Result<Self, DateError> {
        let number = |from: usize, to: usize| {
            let digits = text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
            digits.parse::<u16>().ok()
        };
        let read = || {
            let dashes = text.len() == 10 && text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
            let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
            let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
            let date = time::Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok()?;
            dashes.then_some(Self(date))
        };
        read().ok_or(DateError)
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), u8::from(self.0.month()), self.0.day())
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_they_are_written_and_ordered_by_the_calendar() {
        for text in ["2027-04-03", "2028-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(text.parse::<Date>().unwrap().to_string(), text);
        }
        let day = |text: &str| text.parse::<Date>().unwrap();
        assert_eq!((day("1970-01-01").day_number(), day("2028-03-01").day_number()), (0, 21_244));
        assert!(day("2027-09-30") < day("2027-10-01"));
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2027-4-3",
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "2027-01-00",
            "20270403",
            "2027/04/03",
            "2027-04-03T00:00:00Z",
            "+027-04-03",
            "2027-04-+3",
            " 2027-04-03",
            "２０２７-04-03",
            "12027-04-03",
        ] {
            assert_eq!(text.parse::<Date>(), Err(DateError), "{text:?}");
        }
    }
}
