//! What the server tells its operators: metrics, and the bounds of log lines.
//!
//! A log line may contain: ids, routes as they are declared, statuses, durations, counts. It never contains message
//! bodies, tokens, cookies, query strings or e-mail addresses. Values from a user are cut at [`USER_VALUE_CHARACTERS`].
//! The crate knows nothing about where lines and metrics go: the server's binary sets that up.

pub mod metrics;

use std::any::Any;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Characters of a user's value in a log line: enough to search for it, too few to flood the log.
pub const USER_VALUE_CHARACTERS: usize = 128;

/// The window in which the lines of one kind are limited, for events that a client can cause as often as it likes.
const SELDOM: Duration = Duration::from_secs(5);

/// An event that is logged as a sum. It is stored in a `static` next to its log statement. So there is one per kind of
/// line, and a client can't create more.
#[derive(Debug)]
pub struct Seldom {
    most: u32,
    count: Mutex<Count>,
}

#[derive(Debug)]
struct Count {
    /// How often it has happened since the last line.
    times: u64,
    /// How many lines were written since `since`.
    lines: u32,
    since: Option<Instant>,
}

impl Seldom {
    /// At most one line per window.
    #[must_use]
    pub const fn new() -> Self {
        Self::up_to(1)
    }

    /// At most `most` lines per window, for lines that differ from each other.
    #[must_use]
    pub const fn up_to(most: u32) -> Self {
        Self { most, count: Mutex::new(Count { times: 0, lines: 0, since: None }) }
    }

    /// Counts the event. `Some`: a line is due, and this many events have happened since the last one.
    pub fn happened(&self) -> Option<u64> {
        self.happened_at(Instant::now())
    }

    fn happened_at(&self, now: Instant) -> Option<u64> {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        count.times += 1;
        if count.since.is_none_or(|since| now.saturating_duration_since(since) >= SELDOM) {
            (count.since, count.lines) = (Some(now), 0);
        }
        if count.lines == self.most {
            return None;
        }
        count.lines += 1;
        Some(std::mem::take(&mut count.times))
    }
}

impl Default for Seldom {
    fn default() -> Self {
        Self::new()
    }
}

/// The text of a panic, if it is a constant of the source. A formatted text may contain a user's values.
#[must_use]
pub fn words(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("with values, which are not logged")
}

/// The maximum length of an error with its causes, in characters.
const CAUSES_CHARACTERS: usize = 512;

/// An error with its causes, cut to a maximum length. The reader of a log needs the last cause most.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        // Many errors include the text of their cause.
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = error.source();
    }
    text.chars().take(CAUSES_CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A user's value in the form for a log line.
#[must_use]
pub fn user_value(value: &str) -> String {
    value.chars().take(USER_VALUE_CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Before the fix, the text of a panic contained the user's message that caused it.
    #[test]
    fn a_panic_is_told_in_words_of_the_source_only() {
        let said = |act: fn(&str)| {
            let text = String::from("¿a qué hora?");
            words(&*std::panic::catch_unwind(|| act(&text)).expect_err("it panics")).to_owned()
        };
        assert_eq!(said(|_| panic!("the hub is gone")), "the hub is gone");
        assert_eq!(said(|text| drop(text[..1].to_owned())), "with values, which are not logged");
        assert_eq!(said(|text| panic!("{text}")), "with values, which are not logged");
    }

    /// Before the fix, one client caused nine hundred thousand lines in fifteen seconds.
    #[test]
    fn what_happens_again_and_again_is_told_as_a_sum() {
        let (seldom, start) = (Seldom::new(), Instant::now());
        assert_eq!(seldom.happened_at(start), Some(1));
        for _ in 0..60_000 {
            assert_eq!(seldom.happened_at(start + SELDOM / 2), None);
        }
        assert_eq!(seldom.happened_at(start + SELDOM), Some(60_001));
        let several = Seldom::up_to(3);
        let lines = (0..1_000).filter(|_| several.happened_at(start).is_some()).count();
        assert_eq!(lines, 3);
    }

    #[test]
    fn a_users_value_is_one_short_line() {
        let cut = user_value(&format!("a\n\u{1b}[31m{}", "é".repeat(500)));
        assert_eq!(cut.chars().count(), USER_VALUE_CHARACTERS);
        assert!(!cut.chars().any(char::is_control), "{cut}");
    }
}
