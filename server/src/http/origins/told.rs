//! Logs the foreign origins: each once, and only a few, because strangers choose their names.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use caravana_telemetry as telemetry;

use crate::origin::Origin;

/// How many names are logged and remembered within [`PERIOD`]. A site has few names, so an operator who looks for the
/// right one finds it among these.
const NAMES: usize = 16;
/// How long names are remembered. After that they are forgotten, so that an attacker can't fill the list once and keep
/// later names out of the log for ever.
const PERIOD: Duration = Duration::from_hours(1);

/// The names that were logged recently.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Lately>);

#[derive(Debug, Default)]
struct Lately {
    names: BTreeSet<String>,
    since: Option<Instant>,
}

impl Told {
    /// Logs a foreign origin, unless it was logged recently or too many were.
    pub(super) fn tell(&self, origin: &str, site: &Origin, now: Instant) {
        let name = telemetry::user_value(origin);
        if self.is_news(&name, now) {
            tracing::warn!(
                origin = name,
                %site,
                "a page of another address was refused; if people use that one, set PUBLIC_URL to it or add it to ALLOWED_ORIGINS"
            );
        }
    }

    fn is_news(&self, name: &str, now: Instant) -> bool {
        let mut lately = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lately.since.is_none_or(|since| now.duration_since(since) >= PERIOD) {
            *lately = Lately { names: BTreeSet::new(), since: Some(now) };
        }
        // `null` is the origin of a page that does not reveal its origin.
        name.starts_with("http") && lately.names.len() < NAMES && lately.names.insert(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_told_once_an_hour_and_a_flood_of_names_is_not() {
        let (told, start) = (Told::default(), Instant::now());
        assert!(told.is_news("http://192.168.1.7:3000", start));
        assert!(!told.is_news("http://192.168.1.7:3000", start), "told already");
        assert!(!told.is_news("null", start));
        let flood = (0..1_000_000).filter(|number| told.is_news(&format!("http://{number}.example"), start)).count();
        assert_eq!(flood, NAMES - 1);
        assert_eq!(told.0.lock().unwrap().names.len(), NAMES);
        assert!(told.is_news("http://192.168.1.7:3000", start + PERIOD), "told again to who looks later");
    }
}
