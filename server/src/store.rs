//! What the server needs of a database, without saying which.
//!
//! The database is the only truth (ARCHITECTURE, idea 2). Two ports, each by its noun: [`Log`] is the groups' event
//! logs, used by the hub and the message routes; [`Directory`] is people, sessions, groups, members and invites, used
//! by the other routes. One adapter implements both. Promises of every adapter, checked by one contract suite:
//! - an answer to a write comes after its commit;
//! - in every group seqs are 1 … head without a hole, and commit order is seq order;
//! - every question about a group names who asks, and a group that the asker is no member of does not exist.

mod commits;
mod directory;
mod entry;
mod error;
mod hints;
mod log;
pub mod postgres;
pub mod sqlite;

use std::sync::Arc;

use caravana_protocol::{GroupId, Message};

pub use directory::{Account, Directory, MemberRow, NewAccount, NewInvite, Proof, Removal, SecretHash, TokenHolder};
pub use error::StoreError;
pub use hints::{Hint, HintSender, Hints, hints};
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
