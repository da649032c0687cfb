//! What callers of a database are told when it did not do what was asked.

mod postgres;
pub(super) mod sqlite;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use caravana_protocol::limits::{GROUPS_PER_USER, MEMBERS_PER_GROUP};

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such thing, or the asker is no member: the two look the same.
    #[error("not found")]
    NotFound,
    /// A member, but without the right.
    #[error("forbidden")]
    Forbidden,
    /// It existed and ended.
    #[error("gone")]
    Gone,
    /// The id is stored with another author, group, text or `reply_to`; or the e-mail is taken.
    #[error("conflict with what is stored")]
    Conflict,
    /// There is as much of it as may be.
    #[error(transparent)]
    LimitReached(#[from] Limit),
    /// The disk is full.
    #[error("the disk is full")]
    Full(#[source] sqlx::Error),
    /// Too much waits for the database already; nothing was tried.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The database did not answer in time or is being restarted. The outcome is unknown; the same id may be retried.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The database is being closed.
    #[error("the database is closed")]
    Closed,
    /// Something that should not happen.
    #[error("the database failed")]
    Failed(#[source] sqlx::Error),
}

/// A bound on what people can make, see the protocol's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Of groups that one user is in.
    #[error("one person can be in at most {GROUPS_PER_USER} groups")]
    Groups,
    /// Of members of a group.
    #[error("a group can have at most {MEMBERS_PER_GROUP} members")]
    Members,
    /// Of living links into a group.
    #[error("there are as many links into this group as there may be; wait until some are over, or revoke some")]
    Invites,
}

impl StoreError {
    /// The same kind of failure once more, for another who waits for the same transaction.
    pub(super) fn again(&self) -> Self {
        let why = || sqlx::Error::Protocol("the transaction was rolled back".into());
        match self {
            Self::NotFound => Self::NotFound,
            Self::Forbidden => Self::Forbidden,
            Self::Gone => Self::Gone,
            Self::Conflict => Self::Conflict,
            Self::LimitReached(limit) => Self::LimitReached(*limit),
            Self::Full(_) => Self::Full(why()),
            Self::Overloaded => Self::Overloaded,
            Self::Unavailable(_) => Self::Unavailable(why()),
            Self::Closed => Self::Closed,
            Self::Failed(_) => Self::Failed(why()),
        }
    }
}

/// What a database's own code means for callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// The disk is full.
    Full,
    /// It can't answer now.
    Unavailable,
    /// It should not happen.
    Failed,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Io, PoolClosed, PoolTimedOut, Tls};
        let meaning = if let sqlx::Error::Database(error) = &error {
            meaning(error.as_ref())
        } else if matches!(error, PoolTimedOut | PoolClosed | Io(_) | Tls(_)) {
            Meaning::Unavailable
        } else {
            Meaning::Failed
        };
        match meaning {
            Meaning::Full => Self::Full(error),
            Meaning::Unavailable => Self::Unavailable(error),
            Meaning::Failed => Self::Failed(error),
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
