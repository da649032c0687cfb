//! Starts the log of the process: its form, its filter, and a line for a panic.
//!
//! A panic is logged like any other line, with its location and with the parts of its text that are constants in the
//! source.

use std::panic::PanicHookInfo;

use caravana_telemetry::{metrics, words};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For human readers.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log filter can't be parsed.
    #[error("RUST_LOG: {0}")]
    Filter(ParseError),
    /// Logging was already started.
    #[error("LOG_FORMAT: {0}")]
    Twice(TryInitError),
}

/// Starts logging for the whole process. Called once, by `main`.
pub fn start(format: LogFormat, filter: &str) -> Result<(), LogError> {
    let filter = EnvFilter::try_new(filter).map_err(LogError::Filter)?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => lines.finish().try_init(),
        LogFormat::Json => lines.json().flatten_event(true).finish().try_init(),
    }
    .map_err(LogError::Twice)?;
    std::panic::set_hook(Box::new(panicked));
    Ok(())
}

/// Replaces the standard panic report, which prints the whole text: `"…" is not a char boundary` would put a part of a
/// user's message into the log.
fn panicked(panic: &PanicHookInfo<'_>) {
    metrics::panicked();
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, panic = words(panic.payload()), "a panic");
}
