//! The reasons why a write was refused, and their error codes and texts on the wire.

use caravana_protocol::emoji::NoEmoji;
use caravana_protocol::{ErrorCode, TextError, WireError};
use caravana_store::StoreError;
use caravana_telemetry::{Seldom, causes};

use crate::budgets::TooSoon;

/// Why a write was refused.
#[derive(Debug, thiserror::Error)]
pub enum WriteRefused {
    /// The text can't be a message.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The text can't be a reaction.
    #[error(transparent)]
    Emoji(#[from] NoEmoji),
    /// A budget is used up.
    #[error(transparent)]
    TooSoon(#[from] TooSoon),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl WriteRefused {
    /// The name of the refusal.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Text(error) => error.code(),
            Self::Emoji(_) => ErrorCode::InvalidMessage,
            Self::TooSoon(_) => ErrorCode::RateLimited,
            Self::Store(error) => words(error).0,
        }
    }

    /// The error that the client sees.
    #[must_use]
    pub fn to_wire(&self, reference: Option<String>) -> WireError {
        match self {
            Self::Text(error) => WireError::new(error.code(), error.to_string(), reference),
            Self::Emoji(error) => WireError::new(self.code(), error.to_string(), reference),
            Self::TooSoon(too_soon) => {
                // Rounded up, so that a client that waits this long is not refused again.
                let millis = u64::try_from(too_soon.retry_after.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
                WireError::new(ErrorCode::RateLimited, too_soon.to_string(), reference).after(millis)
            }
            Self::Store(error) => store_error(error, reference),
        }
    }
}

/// The error code and text for a store's refusal. Only messages are written through here, so a conflict is always one
/// of message ids.
fn words(error: &StoreError) -> (ErrorCode, &'static str) {
    match error {
        StoreError::NotFound => (ErrorCode::NotFound, "no such thing"),
        StoreError::Forbidden => (ErrorCode::Forbidden, "not allowed"),
        StoreError::Blocked => (ErrorCode::Blocked, "nothing can be written to this person"),
        StoreError::Gone => (ErrorCode::Gone, "no longer there"),
        StoreError::Conflict => (ErrorCode::IdConflict, "this id is stored with something else"),
        StoreError::Overloaded => (ErrorCode::Overloaded, "too much is being written"),
        StoreError::LimitReached(_) => (ErrorCode::LimitReached, "there is as much of it as may be"),
        StoreError::TooManyReactions => (ErrorCode::TooManyReactions, "there are as many reactions as there may be"),
        StoreError::EndsBeforeStart => (ErrorCode::BadRequest, "it would end before it starts"),
        StoreError::Full(_) => (ErrorCode::StorageFull, "the server's disk is full"),
        StoreError::Unavailable(_) | StoreError::Closed | StoreError::Failed(_) => {
            (ErrorCode::TemporarilyUnavailable, "try again with the same id")
        }
    }
}

/// A store's refusal as the client sees it. Database text never leaves the server; it is logged here, once.
fn store_error(error: &StoreError, reference: Option<String>) -> WireError {
    let (code, text) = words(error);
    if matches!(error, StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Failed(_)) {
        static FAILED: Seldom = Seldom::new();
        if let Some(times) = FAILED.happened() {
            tracing::error!(error = %causes(error), times, "the store failed");
        }
    }
    WireError::new(code, text, reference)
}
