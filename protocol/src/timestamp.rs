//! A moment in UTC, to the microsecond; both databases can store it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// A moment in UTC. On the wire RFC 3339 with `Z`; fractions of a second only where there are any. It is for people to
/// read: no order, deduplication or resume ever depends on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = "date-time", example = "2027-04-03T12:00:00Z"))]
pub struct Timestamp(OffsetDateTime);

/// The text is no RFC 3339 moment, or lies outside the years 0 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time")]
pub struct TimestampError;

impl Timestamp {
    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z. Moments outside the years 0 to 9999 become the
    /// epoch itself, because no peer could read them.
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> Self {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
            .ok()
            .filter(|moment| (0..=9999).contains(&moment.year()))
            .map_or(Self(OffsetDateTime::UNIX_EPOCH), Self)
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_micros(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000).unwrap_or(0)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_millis(self) -> i64 {
        self.unix_micros() / 1_000
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(moment: OffsetDateTime) -> Self {
        Self::from_unix_micros(i64::try_from(moment.unix_timestamp_nanos() / 1_000).unwrap_or(0))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let moment = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError)?;
        // An offset may move the last hours of the year 9999 behind the end of what can be written.
        let utc = moment.checked_to_offset(UtcOffset::UTC).filter(|utc| (0..=9999).contains(&utc.year()));
        utc.map(Self::from).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_writes_whole_seconds_with_a_z() {
        let moment: Timestamp = "2024-01-01T12:00:00Z".parse().unwrap();
        assert_eq!(moment.to_string(), "2024-01-01T12:00:00Z");
        assert_eq!(moment.unix_millis(), 1_704_110_400_000);
    }

    #[test]
    fn offsets_become_utc_and_fractions_stop_at_the_microsecond() {
        let moment: Timestamp = "2024-01-01T12:00:00.123456789+02:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2024-01-01T10:00:00.123456Z");
        assert_eq!(Timestamp::from_unix_micros(moment.unix_micros()), moment);
    }

    #[test]
    fn a_moment_that_has_no_place_in_utc_is_refused() {
        for text in ["9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+14:00"] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
        for text in ["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z"] {
            assert_eq!(text.parse::<Timestamp>().map(|moment| moment.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn the_ends_of_time_do_not_panic() {
        for micros in [i64::MIN, i64::MAX, 253_402_300_800_000_000] {
            assert_eq!(Timestamp::from_unix_micros(micros).unix_micros(), 0);
        }
    }
}
