//! The errors that callers of a database get.

#[cfg(feature = "sqlx")]
pub mod sqlx;

use caravana_protocol::limits::{
    BLOCKS_PER_USER, DIRECT_DAYS, DIRECT_PER_USER, DIRECT_UNWRITTEN, GROUPS_PER_USER, MEMBERS_PER_GROUP, PINS_PER_GROUP,
};

/// What an adapter knows of a failure, for the log.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the database did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing, or the asker is not a member. The two cases look the same on purpose.
    #[error("not found")]
    NotFound,
    /// The asker is a member but may not do this.
    #[error("forbidden")]
    Forbidden,
    /// One of two users has blocked the other, or is gone: nothing can be written in their conversation.
    #[error("blocked")]
    Blocked,
    /// It existed, and it has ended.
    #[error("gone")]
    Gone,
    /// The id is stored with another author, group, text or `reply_to`; or the e-mail is taken.
    #[error("conflict with what is stored")]
    Conflict,
    /// A limit is reached.
    #[error(transparent)]
    LimitReached(#[from] Limit),
    /// The member, or all members together, react to the message with as many emoji as may be.
    #[error("too many reactions")]
    TooManyReactions,
    /// The last day of a trip would be before the first one.
    #[error("a trip can't end before it starts")]
    EndsBeforeStart,
    /// The disk is full.
    #[error("the disk is full")]
    Full(#[source] Cause),
    /// Too many writes are waiting. This one was not tried.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The database did not answer in time or is being restarted. It is unknown whether the write was stored; the
    /// caller may retry with the same id.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// The database is being closed.
    #[error("the database is closed")]
    Closed,
    /// An unexpected failure.
    #[error("the database failed")]
    Failed(#[source] Cause),
}

/// A limit on what people can create; see the protocol's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Groups per user.
    #[error("one person can be in at most {GROUPS_PER_USER} groups")]
    Groups,
    /// Direct conversations that a user began lately.
    #[error(
        "within {DIRECT_DAYS} days a person can begin {DIRECT_PER_USER} direct conversations, and {DIRECT_UNWRITTEN} without a message can wait for one"
    )]
    Directs,
    /// People whom a user has blocked.
    #[error("one person can block at most {BLOCKS_PER_USER} people")]
    Blocks,
    /// Members per group.
    #[error("a group can have at most {MEMBERS_PER_GROUP} members")]
    Members,
    /// Valid invites per group or per member.
    #[error("there are as many links into this group as there may be; wait until some are over, or revoke some")]
    Invites,
    /// Pinned messages per group.
    #[error("a group can have at most {PINS_PER_GROUP} pinned messages")]
    Pins,
}

impl StoreError {
    /// The same kind of failure, for another caller of the same transaction.
    #[must_use]
    pub fn again(&self) -> Self {
        let why = || Cause::from("the transaction was rolled back");
        match self {
            Self::NotFound => Self::NotFound,
            Self::Forbidden => Self::Forbidden,
            Self::Blocked => Self::Blocked,
            Self::Gone => Self::Gone,
            Self::Conflict => Self::Conflict,
            Self::LimitReached(limit) => Self::LimitReached(*limit),
            Self::TooManyReactions => Self::TooManyReactions,
            Self::EndsBeforeStart => Self::EndsBeforeStart,
            Self::Full(_) => Self::Full(why()),
            Self::Overloaded => Self::Overloaded,
            Self::Unavailable(_) => Self::Unavailable(why()),
            Self::Closed => Self::Closed,
            Self::Failed(_) => Self::Failed(why()),
        }
    }
}
