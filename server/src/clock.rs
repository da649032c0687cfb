//! The only place where the wall clock is read, for credentials and for what a page shows. It decides only about the
//! expiry of credentials (G18).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use caravana_protocol::Timestamp;

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> i64 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// Milliseconds since 1970, for the labels of a page: what is called today.
pub(crate) fn unix_millis() -> i64 {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// How long until this second begins. Zero if it has begun.
pub(crate) fn until_second(second: i64) -> Duration {
    let begin = UNIX_EPOCH.checked_add(Duration::from_secs(second.max(0).unsigned_abs()));
    let until = |begin: SystemTime| begin.duration_since(SystemTime::now()).unwrap_or_default();
    begin.map_or(Duration::MAX, until)
}

/// These seconds since 1970 as answers show them.
pub(crate) fn to_timestamp(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(seconds.saturating_mul(1_000_000))
}
