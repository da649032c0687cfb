//! The trip of a group: its days, and the zone of its place.
//!
//! Pure. Owns the counting of days. Days are compared as days of the calendar, in the reader's zone. Called by the
//! bridge, which fills it, and by the header.

use caravana_protocol::Date;
use caravana_protocol::rest::Group;

use crate::i18n::Words;
use crate::time::Reader;

/// A group's trip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trip {
    /// The emoji that stands for the group.
    pub emoji: Option<String>,
    /// The first day.
    pub starts_on: Option<Date>,
    /// The last day.
    pub ends_on: Option<Date>,
    /// The zone of its place, by its IANA name.
    pub time_zone: Option<String>,
}

impl From<&Group> for Trip {
    fn from(group: &Group) -> Self {
        Self {
            emoji: group.emoji.clone(),
            starts_on: group.starts_on,
            ends_on: group.ends_on,
            time_zone: group.time_zone.clone(),
        }
    }
}

/// Where in the trip a day is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// So many days before the first.
    Before(u64),
    /// This day of so many; the first day is 1.
    During(u64, Option<u64>),
    /// After the last.
    Over,
}

impl Trip {
    /// `today` counts days since 1970-01-01. Nothing can be counted without a first day.
    fn phase(&self, today: i64) -> Option<Phase> {
        let (first, last) = (self.starts_on?.day_number(), self.ends_on.map(Date::day_number));
        Some(match u64::try_from(today - first) {
            Err(_) => Phase::Before(first.abs_diff(today)),
            Ok(_) if last.is_some_and(|last| today > last) => Phase::Over,
            Ok(gone) => Phase::During(gone + 1, last.map(|last| last.abs_diff(first) + 1)),
        })
    }

    /// «Día 3 de 10», «Faltan 12 días»; `None` if there is nothing to say or the reader's day is not known.
    #[must_use]
    pub fn label(&self, words: &Words, reader: Reader) -> Option<String> {
        Some(match self.phase(reader.today_number()?)? {
            Phase::Before(days) => (words.trip.before)(days),
            Phase::During(day, days) => (words.trip.day)(day, days),
            Phase::Over => words.trip.over.to_owned(),
        })
    }

    /// The name of the place, as its zone names it: `America/Mexico_City` is «Mexico City».
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let zone = self.time_zone.as_deref()?;
        Some(zone.rsplit('/').next().unwrap_or(zone).replace('_', " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    fn label(lang: Lang, starts_on: &str, ends_on: Option<&str>) -> Option<String> {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let trip = Trip { starts_on: Some(day(starts_on)), ends_on: ends_on.map(day), ..Trip::default() };
        let now = "2027-04-03T03:00:00Z".parse::<caravana_protocol::Timestamp>().unwrap();
        trip.label(lang.words(), Reader::at(now.unix_millis(), |_| -300))
    }

    /// It is the evening of 2 April in Bogotá.
    #[test]
    fn days_are_counted_in_the_readers_zone() {
        let spanish = |starts_on, ends_on| label(Lang::Es, starts_on, ends_on).unwrap();
        assert_eq!(spanish("2027-04-14", None), "Faltan 12 días");
        assert_eq!(spanish("2027-04-03", Some("2027-04-12")), "Falta 1 día");
        assert_eq!(spanish("2027-04-02", Some("2027-04-11")), "Día 1 de 10");
        assert_eq!(spanish("2027-03-24", Some("2027-04-02")), "Día 10 de 10");
        assert_eq!(spanish("2027-03-24", Some("2027-04-01")), "Viaje terminado");
        assert_eq!(spanish("2027-03-31", None), "Día 3");
        assert_eq!(label(Lang::En, "2027-04-03", None).unwrap(), "1 day to go");
        assert_eq!(label(Lang::En, "2027-03-31", Some("2027-04-03")).unwrap(), "Day 3 of 4");
    }

    #[test]
    fn nothing_is_counted_where_the_first_day_or_today_is_unknown() {
        let trip = Trip { ends_on: Some("2027-04-12".parse().unwrap()), ..Trip::default() };
        let now = Reader::at(1_800_000_000_000, |_| 0);
        assert_eq!(trip.label(Lang::Es.words(), now), None);
        let trip = Trip { starts_on: Some("2027-04-12".parse().unwrap()), ..Trip::default() };
        assert_eq!(trip.label(Lang::Es.words(), Reader::default()), None);
    }

    #[test]
    fn a_zone_names_its_place() {
        let place = |zone: &str| Trip { time_zone: Some(zone.to_owned()), ..Trip::default() }.place().unwrap();
        assert_eq!(place("America/Mexico_City"), "Mexico City");
        assert_eq!(place("America/Argentina/Ushuaia"), "Ushuaia");
        assert_eq!(place("UTC"), "UTC");
    }
}
