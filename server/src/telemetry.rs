//! Logs.
//!
//! What a log line may hold: ids, routes as they are declared, statuses, durations, counts. What it never holds: message
//! bodies, tokens, cookies, query strings, e-mail addresses. Values that come from a user are cut at
//! [`USER_VALUE_CHARACTERS`]. A panic is a line like any other, with the place where it happened and those of its words
//! that stand in the source.

use std::any::Any;
use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::metrics;
use crate::settings::{LogFormat, SettingError};

/// Characters of a user's value in a log line; enough to find it, too few to flood.
pub const USER_VALUE_CHARACTERS: usize = 128;

/// Starts logging for the whole process. Called once, by `main`.
pub fn start(format: LogFormat, filter: &str) -> Result<(), SettingError> {
    let filter = EnvFilter::try_new(filter).map_err(|error| SettingError::new("RUST_LOG", error.to_string()))?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    }
    .map_err(|error| SettingError::new("LOG_FORMAT", error.to_string()))?;
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// Takes the place of the standard report, which prints the whole text: `"…" is not a char boundary` would put a part of
/// somebody's message into the log.
fn panicked(panic: &PanicHookInfo<'_>) {
    metrics::panicked();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, panic = words(panic.payload()), "a panic");
}

/// What a panic says, if it says it in words of the source. Formatted ones may hold anybody's values.
#[must_use]
pub fn words(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&'static str>().copied().unwrap_or("with values, which are not logged")
}

/// A user's value as a log line may hold it.
#[must_use]
pub fn user_value(value: &str) -> String {
    value.chars().take(USER_VALUE_CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What somebody wrote was in the text of the panic that it caused.
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

    #[test]
    fn a_users_value_is_one_short_line() {
        let cut = user_value(&format!("a\n\u{1b}[31m{}", "é".repeat(500)));
        assert_eq!(cut.chars().count(), USER_VALUE_CHARACTERS);
        assert!(!cut.chars().any(char::is_control), "{cut}");
    }
}
