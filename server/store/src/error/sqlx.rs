//! What the errors of the adapters' driver mean for callers.
//!
//! It stands here, behind a feature, and not in the adapters: the conversion that `?` uses must be in the crate of the
//! error. Without the feature, as for the hub, this crate does not know the driver.

pub mod postgres;
pub mod sqlite;

use ::sqlx::error::DatabaseError;
use ::sqlx::postgres::PgDatabaseError;
use ::sqlx::sqlite::SqliteError;

use super::StoreError;

/// What a database's error code means for callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The disk is full.
    Full,
    /// The database can't answer now.
    Unavailable,
    /// The error is unexpected.
    Failed,
}

impl From<::sqlx::Error> for StoreError {
    fn from(error: ::sqlx::Error) -> Self {
        use ::sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls};
        let meaning = if let ::sqlx::Error::Database(error) = &error {
            meaning(error.as_ref())
        } else if matches!(error, PoolTimedOut | PoolClosed | Io(_) | Tls(_)) {
            Meaning::Unavailable
        } else {
            Meaning::Failed
        };
        match meaning {
            Meaning::Full => Self::Full(error.into()),
            Meaning::Unavailable => Self::Unavailable(error.into()),
            Meaning::Failed => Self::Failed(error.into()),
        }
    }
}

impl StoreError {
    /// The driver's error, if the failure came from the driver.
    #[must_use]
    pub fn driver(&self) -> Option<&::sqlx::Error> {
        match self {
            Self::Full(cause) | Self::Unavailable(cause) | Self::Failed(cause) => cause.downcast_ref(),
            Self::NotFound
            | Self::Forbidden
            | Self::Gone
            | Self::Conflict
            | Self::LimitReached(_)
            | Self::Blocked
            | Self::TooManyReactions
            | Self::EndsBeforeStart
            | Self::Overloaded
            | Self::Closed => None,
        }
    }
}

fn meaning(error: &(dyn DatabaseError + 'static)) -> Meaning {
    if error.try_downcast_ref::<SqliteError>().is_some() {
        sqlite::meaning(error)
    } else if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        postgres::meaning(error.code())
    } else {
        Meaning::Failed
    }
}
