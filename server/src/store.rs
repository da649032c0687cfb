//! What the server needs of a database, without saying which.
//!
//! The database is the only truth (ARCHITECTURE, idea 2). Two ports, each by its noun: [`Log`] is the groups' event
//! logs, used by the hub and the message routes; [`Directory`] is people, sessions, groups, members and invites, used
//! by the other routes. One adapter implements both. Promises of every adapter, checked by one contract suite:
//! - an answer to a write comes after its commit;
//! - in every group seqs are 1 … head without a hole, and commit order is seq order;
//! - every question about a group names who asks, and a group that the asker is no member of does not exist.

mod directory;
pub mod doctor;
mod log;
pub mod postgres;
pub mod sqlite;

use std::sync::Arc;

use caravana_protocol::{GroupId, Message};

pub use directory::{
    Account, Belongings, Directory, MemberRow, Membership, NewAccount, NewInvite, NewSession, OwnInvite, OwnMessages,
    PasswordChange, Proof, RESETS, Removal, SIGN_INS, SecretHash, SignIn, TokenHolder,
};
pub use log::{Anchor, Appended, Channel, Draft, History, Log, Page};

/// A whole database.
pub trait Store: Log + Directory {
    /// Whether it answers; for `/readyz`.
    fn ping(&self) -> futures::future::BoxFuture<'_, Result<(), StoreError>>;

    /// Finishes what waits and closes the database.
    fn close(&self) -> futures::future::BoxFuture<'_, ()>;
}

/// What a commit of our own did, for the hub. The message itself where there is one, because it is needed at once; for
/// everything else a hint to read the log.
#[derive(Debug, Clone)]
pub enum Effect {
    /// A message was stored; it carries its seq.
    Message(Message),
    /// The group's log moved.
    Moved(GroupId),
    /// The group ended; its members are gone.
    GroupDeleted(GroupId),
}

/// How the rest of the server holds a database.
pub type SharedStore = Arc<dyn Store>;

/// How the hub holds it: the hub needs the logs only.
pub type SharedLog = Arc<dyn Log>;

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
