//! Moments as dates and hours in the reader's zone.
//!
//! Owns the reader's clock and zone, and the labels of days and hours. Guarantees that nothing here reads a clock:
//! the reader's offset and "now" come from [`crate::ports::Device`], and only after hydration, so that the server's
//! HTML and the first render in the browser are the same. Texts come from the catalogue ([`crate::i18n`]). Called by
//! the rows of the timeline and by the group list.

use caravana_protocol::Timestamp;

use crate::civil::Civil;
use crate::i18n::Words;

const DAY_MS: i64 = 24 * 60 * 60_000;
const HALF_A_YEAR_MS: i64 = 182 * DAY_MS;
/// Up to this many days ago, a day is shown as its weekday.
const WEEKDAY_REACH: i64 = 6;

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
