//! The wall clock of the machine, for times that people see. No decision depends on it (G18).

use std::time::SystemTime;

use caravana_protocol::Timestamp;

/// The time now.
pub(super) fn wall_clock() -> Timestamp {
    let micros = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_micros();
    Timestamp::from_unix_micros(i64::try_from(micros).unwrap_or(0))
}
