//! The reader's zone as a short text, for the first paint.
//!
//! A server does not know where its reader is, and neither the server nor the WASM contains a database of zones. The
//! browser has one. A small script in the page ([`SCRIPT`]) writes the offsets of the last years into a cookie, before
//! anything is painted; the server renders the next page with them and writes the same text into the page, from where
//! the first render in the browser takes it. So both render with the same offsets. The text is used only to show times.
//!
//! The text is `-300`, or `60_29579100.120_29881500.60`: an offset in minutes east of UTC, then the changes, oldest
//! first, each a minute since 1970 and the offset from then on.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

/// Writes the zone's text into the cookie [`crate::ports::ZONE_COOKIE`]. On a page that was rendered with another zone
/// (the first visit, or a journey since the last one), it also corrects the hours of messages before they are painted. And
/// it writes the page's path into `data-path`, for the browser's entry: Back may change the address before WASM runs.
pub const SCRIPT: &str = include_str!("zone.js");

/// At most this many changes: four years of summer time, and four more. The script writes no more.
const CHANGES: usize = 12;
/// No zone is farther from UTC, in minutes; dates of the 19th century are, by some minutes, and have no messages.
const FARTHEST: i16 = 18 * 60;
const MINUTE_MS: i64 = 60_000;

/// The offsets of a zone: small, because it is copied with its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Zone {
    first: i16,
    /// Minutes since 1970, and the offset from then on; only the first `len` are valid.
    changes: [(u32, i16); CHANGES],
    len: usize,
}

/// This text is no zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the offsets of a zone")]
pub struct NoZone;

impl Zone {
    /// Minutes east of UTC at a moment in milliseconds since 1970.
    #[must_use]
    pub fn offset(&self, unix_millis: i64) -> i32 {
        let minute = unix_millis.div_euclid(MINUTE_MS);
        let before = self.changes().iter().take_while(|(from, _)| i64::from(*from) <= minute).last();
        before.map_or(self.first, |(_, offset)| *offset).into()
    }

    fn changes(&self) -> &[(u32, i16)] {
        self.changes.get(..self.len).unwrap_or_default()
    }
}

impl FromStr for Zone {
    type Err = NoZone;

    fn from_str(text: &str) -> Result<Self, NoZone> {
        let mut parts = text.split('_');
        let mut zone = Self { first: offset(parts.next())?, ..Self::default() };
        for part in parts {
            let (from, next) = part.split_once('.').ok_or(NoZone)?;
            let from: u32 = from.parse().map_err(|_| NoZone)?;
            let place = zone.changes.get_mut(zone.len).ok_or(NoZone)?;
            *place = (from, offset(Some(next))?);
            zone.len += 1;
        }
        zone.changes().is_sorted().then_some(zone).ok_or(NoZone)
    }
}

fn offset(text: Option<&str>) -> Result<i16, NoZone> {
    let offset: i16 = text.and_then(|text| text.parse().ok()).ok_or(NoZone)?;
    (-FARTHEST..=FARTHEST).contains(&offset).then_some(offset).ok_or(NoZone)
}

impl Display for Zone {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        self.changes().iter().try_for_each(|(from, offset)| write!(f, "_{from}.{offset}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summer_time_begins_and_ends_at_its_minutes() {
        let madrid: Zone = "60_29579100.120_29881500.60".parse().unwrap();
        let at = |text: &str| madrid.offset(text.parse::<caravana_protocol::Timestamp>().unwrap().unix_millis());
        assert_eq!(at("2026-03-29T00:59:00Z"), 60);
        assert_eq!(at("2026-03-29T01:00:00Z"), 120);
        assert_eq!(at("2026-10-25T00:59:59Z"), 120);
        assert_eq!(at("2026-10-25T01:00:00Z"), 60);
        assert_eq!(at("1969-12-31T23:59:00Z"), 60);
    }

    #[test]
    fn a_text_is_read_as_it_is_written() {
        for text in ["0", "-300", "60_29579100.120_29881500.60", "845"] {
            assert_eq!(text.parse::<Zone>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn whatever_else_a_client_sends_is_no_zone() {
        let long = format!("0{}", "_1.0".repeat(CHANGES + 1));
        let texts = ["", "x", "1081", "-1081", "60_", "60_1", "60_1.2.3", "60_5.0_4.0", "60_x.0", "\"><script>", &long];
        for text in texts {
            assert_eq!(text.parse::<Zone>(), Err(NoZone), "{text}");
        }
        let most = format!("0{}", "_1.0".repeat(CHANGES));
        assert!(most.parse::<Zone>().is_ok());
    }
}
