//! Moments as dates and hours in the reader's zone.
//!
//! Owns the reader's clock and zone, and the labels of days and hours. Guarantees that nothing here reads a clock. For
//! the first render, the zone and "now" come with the page ([`Reader::told`]), so that the server's HTML and the first
//! render in the browser are the same. After hydration they come from [`crate::ports::Device`]. Texts come from the
//! catalogue ([`crate::i18n`]). Called by the rows of the timeline and by the group list.

use caravana_protocol::{Date, Timestamp};

use crate::civil::Civil;
use crate::i18n::Words;
use crate::zone::Zone;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const HALF_A_YEAR_MS: i64 = 182 * DAY_MS;
/// Up to this many days ago, a day is shown as its weekday.
const WEEKDAY_REACH: i64 = 6;

/// Minutes east of UTC at a moment; summer time changes them.
#[derive(Debug, Clone, Copy, Default)]
enum Offset {
    #[default]
    Unknown,
    /// As the browser wrote it into its cookie.
    Told(Zone),
    /// As the device computes it.
    Of(fn(i64) -> i32),
}

impl Offset {
    fn at(self, unix_millis: i64) -> i32 {
        match self {
            Self::Unknown => 0,
            Self::Told(zone) => zone.offset(unix_millis),
            Self::Of(offset) => offset(unix_millis),
        }
    }
}

/// The reader's clock and zone. If both are unknown, labels use UTC and do not refer to today.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reader {
    offset: Offset,
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
        Self::with(now_millis, Offset::Of(offset))
    }

    /// The reader of a page: the zone that the browser told the server, and the time when the page was made.
    #[must_use]
    pub fn told(now_millis: i64, zone: Zone) -> Self {
        Self::with(now_millis, Offset::Told(zone))
    }

    fn with(now_millis: i64, offset: Offset) -> Self {
        let clock = [-HALF_A_YEAR_MS, 0, HALF_A_YEAR_MS].map(|apart| offset.at(now_millis.saturating_add(apart)));
        Self { offset, now_millis: Some(now_millis), clock }
    }

    /// The zone and the time that came with the page, if they did.
    #[must_use]
    pub fn as_told(self) -> Option<(i64, Zone)> {
        match (self.now_millis, self.offset) {
            (Some(now), Offset::Told(zone)) => Some((now, zone)),
            (_, Offset::Unknown | Offset::Told(_) | Offset::Of(_)) => None,
        }
    }

    /// Whether labels for this reader are also right for the other one: the same day and the same zone offsets, both
    /// from the device. What the page was told may be wrong for old messages.
    #[must_use]
    pub fn reads_as(self, other: Self) -> bool {
        let day = |reader: Self| reader.today().map(|today| today.day_number);
        let kind = |reader: Self| std::mem::discriminant(&reader.offset);
        kind(self) == kind(other) && self.clock == other.clock && day(self) == day(other)
    }

    /// The date and the hour at `at` in the reader's zone.
    #[must_use]
    pub fn civil(self, at: Timestamp) -> Civil {
        Civil::at(at, self.offset.at(at.unix_millis()))
    }

    /// The moments at which a day begins and ends in the reader's zone. Both belong to it.
    #[must_use]
    pub fn whole_day(self, day: Date) -> [Timestamp; 2] {
        let midnight = |number: i64| {
            let wall = number.saturating_mul(DAY_MS);
            // The offset at that moment, which is known only roughly before it is applied.
            let rough = wall - i64::from(self.offset.at(wall)) * MINUTE_MS;
            (wall - i64::from(self.offset.at(rough)) * MINUTE_MS) * 1_000
        };
        [midnight(day.day_number()), midnight(day.day_number() + 1) - 1].map(Timestamp::from_unix_micros)
    }

    fn today(self) -> Option<Civil> {
        self.now_millis.map(|now| Civil::from_millis(now, self.clock[1]))
    }

    /// Today in the reader's zone, in days since 1970-01-01, if it is known.
    #[must_use]
    pub(crate) fn today_number(self) -> Option<i64> {
        self.today().map(|today| today.day_number)
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

    /// The time of a message that was found, which may be years old: as in the list of groups, with the year if it is not
    /// the current one.
    #[must_use]
    pub fn found_label(self, words: &Words, at: Timestamp) -> String {
        let civil = self.civil(at);
        let this_year = self.today().is_some_and(|today| today.year == civil.year);
        if this_year { self.short_label(words, at) } else { (words.date)(civil, true) }
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

    #[test]
    fn a_day_is_the_readers_own_from_its_midnight_to_the_next() {
        let day = |reader: Reader, text: &str| reader.whole_day(text.parse().unwrap()).map(|at| at.to_string());
        let here = reader("2026-11-22T16:00:00Z");
        assert_eq!(day(here, "2026-11-21"), ["2026-11-21T05:00:00Z", "2026-11-22T04:59:59.999999Z"]);
        // The night in which Madrid's clocks go forward.
        let madrid = Reader::told(0, "60_29579100.120_29881500.60".parse().unwrap());
        assert_eq!(day(madrid, "2026-03-29"), ["2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"]);
        assert_eq!(day(Reader::default(), "2026-03-29"), ["2026-03-29T00:00:00Z", "2026-03-29T23:59:59.999999Z"]);
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
    fn what_was_found_names_its_year_where_it_is_not_this_one() {
        let label = |at| reader("2026-11-22T16:00:00Z").found_label(Lang::Es.words(), moment(at));
        assert_eq!(label("2026-11-22T14:05:00Z"), "09:05");
        assert_eq!(label("2026-03-01T14:05:00Z"), "1 mar");
        assert_eq!(label("2025-11-15T16:00:00Z"), "15 de noviembre de 2025");
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
    fn what_the_page_was_told_gives_the_devices_labels_and_is_replaced_by_the_device() {
        let now = moment("2026-11-22T16:00:00Z").unix_millis();
        let (told, device) = (Reader::told(now, "-300".parse().unwrap()), Reader::at(now, bogota));
        for at in ["2026-11-22T04:00:00Z", "2026-11-21T16:00:00Z", "2026-11-22T05:00:00Z"] {
            assert_eq!(
                told.short_label(Lang::Es.words(), moment(at)),
                device.short_label(Lang::Es.words(), moment(at))
            );
        }
        assert!(!told.reads_as(device));
        assert_eq!(told.as_told().map(|(now, zone)| (now, zone.to_string())), Some((now, "-300".to_owned())));
        assert!(device.as_told().is_none() && Reader::default().as_told().is_none());
    }

    #[test]
    fn where_no_zone_is_known_a_day_is_its_date_in_utc() {
        let day = Reader::default().civil(moment("2026-11-22T04:00:00Z"));
        assert_eq!(Reader::default().day_label(Lang::Es.words(), day), "22 de noviembre de 2026");
        assert_eq!(Reader::default().clock(moment("2026-11-22T04:05:00Z")), "04:05");
    }
}
