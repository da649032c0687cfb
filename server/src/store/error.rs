//! The errors that callers of a database get.

mod postgres;
pub(super) mod sqlite;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use caravana_protocol::limits::{GROUPS_PER_USER, MEMBERS_PER_GROUP};

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing, or the asker is not a member. The two cases look the same on purpose.
    #[error("not found")]
    NotFound,
    /// The asker is a member but may not do this.
    #[error("forbidden")]
    Forbidden,
    /// It existed, and it has ended.
    #[error("gone")]
    Gone,
    /// The id is stored with another author, group, text or `reply_to`; or the e-mail is taken.
    #[error("conflict with what is stored")]
    Conflict,
    /// A limit is reached.
    #[error(transparent)]
    LimitReached(#[from] Limit),
    /// The disk is full.
    #[error("the disk is full")]
    Full(#[source] sqlx::Error),
    /// Too many writes are waiting. This one was not tried.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The database did not answer in time or is being restarted. It is unknown whether the write was stored; the
    /// caller may retry with the same id.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// The database is being closed.
    #[error("the database is closed")]
    Closed,
    /// An unexpected failure.
    #[error("the database failed")]
    Failed(#[source] sqlx::Error),
}

/// A limit on what people can create; see the protocol's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Groups per user.
    #[error("one person can be in at most {GROUPS_PER_USER} groups")]
    Groups,
    /// Members per group.
    #[error("a group can have at most {MEMBERS_PER_GROUP} members")]
    Members,
    /// Valid invites per group or per member.
    #[error("there are as many links into this group as there may be; wait until some are over, or revoke some")]
    Invites,
}

impl StoreError {
    /// The same kind of failure, for another caller of the same transaction.
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
