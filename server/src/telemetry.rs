//! Logs.
//!
//! What a log line may hold: ids, routes as they are declared, statuses, durations, counts. What it never holds: message
//! bodies, tokens, cookies, query strings, e-mail addresses. Values that come from a user are cut at
//! [`USER_VALUE_CHARACTERS`].

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::util::SubscriberInitExt;

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
    .map_err(|error| SettingError::new("LOG_FORMAT", error.to_string()))
}

/// A user's value as a log line may hold it.
#[must_use]
pub fn user_value(value: &str) -> String {
    value.chars().take(USER_VALUE_CHARACTERS).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
