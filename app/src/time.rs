//! Moments as dates and hours in the reader's zone.
//!
//! Owns the conversion of a UTC moment and an offset to a day and an hour. Guarantees that nothing here reads a clock:
//! the reader's offset and "now" come from [`crate::ports::Browser`], and only after hydration, so that the server's
//! HTML and the first render in the browser are the same. Texts come from the catalogue ([`crate::i18n`]). Called by
//! the rows of the timeline and by the group list.

use caravana_protocol::Timestamp;

use crate::i18n::Words;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const HALF_A_YEAR_MS: i64 = 182 * DAY_MS;
/// Up to this many days ago, a day is shown as its weekday.
const WEEKDAY_REACH: i64 = 6;

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

    fn from_millis(unix_millis: i64, offset_minutes: i32) -> Self {
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

/// The reader's clock and zone. Before hydration both are unknown: labels use UTC and do not refer to today.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reader {
    /// Minutes east of UTC at a moment. A function, because summer time changes it.
    pub offset: Option<fn(i64) -> i32>,
    /// The time when the labels were last made, in milliseconds since 1970.
    pub now_millis: Option<i64>,
    /// The offsets half a year ago, now, and in half a year. They are stored because the function gives other answers
    /// when the device changes its zone.
    clock: [i32; 3],
}

impl Reader {
    /// The reader at this moment, in the zone of the function.
    #[must_use]
    pub fn at(now_millis: i64, offset: fn(i64) -> i32) -> Self {
        let clock = [-HALF_A_YEAR_MS, 0, HALF_A_YEAR_MS].map(|apart| offset(now_millis.saturating_add(apart)));
        Self { offset: Some(offset), now_millis: Some(now_millis), clock }
    }

    /// Whether labels for this reader are also right for the other one: the same day and the same zone offsets.
    #[must_use]
    pub fn reads_as(self, other: Self) -> bool {
        let day = |reader: Self| reader.today().map(|today| today.day_number);
        self.clock == other.clock && day(self) == day(other)
    }

    /// The date and the hour at `at` in the reader's zone.
    #[must_use]
    pub fn civil(self, at: Timestamp) -> Civil {
        let offset = self.offset.map_or(0, |offset| offset(at.unix_millis()));
        Civil::at(at, offset)
    }

    fn today(self) -> Option<Civil> {
        self.now_millis.map(|now| Civil::from_millis(now, self.clock[1]))
    }

    /// The separator above the first message of a day: Hoy, Ayer, the weekday, the date.
    #[must_use]
    pub fn day_label(self, words: &Words, day: Civil) -> String {
        let today = self.today();
        match today.map(|today| today.day_number - day.day_number) {
            Some(0) => words.today.to_owned(),
            Some(1) => words.yesterday.to_owned(),
            Some(2..=WEEKDAY_REACH) => words.weekdays[usize::from(day.weekday)].to_owned(),
            Some(_) | None => {
                let this_year = today.is_some_and(|today| today.year == day.year);
                (words.date)(day, !this_year)
            }
        }
    }

    /// The time in the list of groups: the hour today, then Ayer, the weekday, the date.
    #[must_use]
    pub fn short_label(self, words: &Words, at: Timestamp) -> String {
        let civil = self.civil(at);
        match self.today().map(|today| today.day_number - civil.day_number) {
            Some(0) => clock(civil),
            Some(1) => words.yesterday.to_owned(),
            Some(2..=WEEKDAY_REACH) => words.weekdays_short[usize::from(civil.weekday)].to_owned(),
            Some(_) | None => (words.short_date)(civil),
        }
    }

    /// The date of a moment, with the year if it is not the current one.
    #[must_use]
    pub fn date(self, words: &Words, at: Timestamp) -> String {
        let civil = self.civil(at);
        (words.date)(civil, self.today().is_none_or(|today| today.year != civil.year))
    }

    /// The hour that is shown beside a message.
    #[must_use]
    pub fn clock(self, at: Timestamp) -> String {
        clock(self.civil(at))
    }
}

fn clock(civil: Civil) -> String {
    format!("{:02}:{:02}", civil.hour, civil.minute)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn bogota(_: i64) -> i32 {
        -300
    }

    fn reader(now: &str) -> Reader {
        Reader::at(moment(now).unix_millis(), bogota)
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

    #[test]
    fn midnight_is_the_readers_own() {
        let reader = reader("2026-11-22T04:30:00Z");
        let words = Lang::Es.words();
        let day = reader.civil(moment("2026-11-22T04:00:00Z"));
        assert_eq!((day.day, day.hour), (21, 23));
        assert_eq!(reader.day_label(words, day), "Hoy");
    }

    /// Once, «Hoy» stayed above the messages of the day before, and a page whose device had moved to Madrid showed
    /// Bogotá's hours.
    #[test]
    fn labels_are_good_for_one_day_on_one_clock() {
        let evening = reader("2026-11-23T04:59:59Z");
        assert!(evening.reads_as(reader("2026-11-22T05:00:00Z")));
        assert!(!evening.reads_as(reader("2026-11-23T05:00:00Z")), "midnight");
        assert!(!evening.reads_as(Reader::at(moment("2026-11-22T12:00:00Z").unix_millis(), |_| 60)), "another zone");
        let summer: fn(i64) -> i32 = |at| if at < 1_780_000_000_000 { -300 } else { -240 };
        assert!(!evening.reads_as(Reader::at(moment("2026-11-23T04:00:00Z").unix_millis(), summer)), "other summers");
        assert!(!Reader::default().reads_as(evening), "nothing was known");
    }

    #[test]
    fn days_are_called_by_their_distance() {
        let reader = reader("2026-11-22T16:00:00Z");
        let label = |lang: Lang, at| reader.day_label(lang.words(), reader.civil(moment(at)));
        assert_eq!(label(Lang::Es, "2026-11-21T16:00:00Z"), "Ayer");
        assert_eq!(label(Lang::En, "2026-11-21T16:00:00Z"), "Yesterday");
        assert_eq!(label(Lang::Es, "2026-11-18T16:00:00Z"), "miércoles");
        assert_eq!(label(Lang::Es, "2026-11-15T16:00:00Z"), "15 de noviembre");
        assert_eq!(label(Lang::En, "2025-11-15T16:00:00Z"), "15 November 2025");
    }

    #[test]
    fn a_date_names_its_year_where_it_is_not_this_one() {
        let reader = reader("2026-12-30T16:00:00Z");
        let date = |at| reader.date(Lang::Es.words(), moment(at));
        assert_eq!(date("2027-01-01T04:59:00Z"), "31 de diciembre");
        assert_eq!(date("2027-01-01T05:00:00Z"), "1 de enero de 2027");
        assert_eq!(Reader::default().date(Lang::Es.words(), moment("2027-01-01T04:59:00Z")), "1 de enero de 2027");
    }

    #[test]
    fn before_the_page_is_taken_over_a_day_is_its_date_in_utc() {
        let day = Reader::default().civil(moment("2026-11-22T04:00:00Z"));
        assert_eq!(Reader::default().day_label(Lang::Es.words(), day), "22 de noviembre de 2026");
        assert_eq!(Reader::default().clock(moment("2026-11-22T04:05:00Z")), "04:05");
    }
}
