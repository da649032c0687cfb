//! What the server needs from a database, independent of which database it is.
//!
//! The database is the only truth (ARCHITECTURE, idea 2). There is one port (a trait) for each noun, in the file of
//! that name. Each adapter implements it in its own file of the same name. [`Log`] is the groups' event logs, used by
//! the hub and the message routes. The other routes use [`Accounts`], the credentials ([`Sessions`], [`Proofs`],
//! [`Tickets`], [`Resets`]), [`Groups`] with their [`Members`] and [`Invites`], [`Directs`], [`Exports`] and [`Searches`]. [`Pruning`] is for the
//! server's own clean-up. [`Store`] combines all ports. Secrets reach a port only as SHA-256 hashes. Adapters read no
//! clock for a decision: the caller passes the time in, in seconds since 1970. Every adapter makes these promises, and
//! one contract suite checks them:
//! - an answer to a write comes after its commit;
//! - in every group the seqs are 1 … head without a hole, and commit order is seq order;
//! - every question about a group names the asker, and for an asker who is not a member the group does not exist.

mod accounts;
mod commits;
mod direct;
pub mod doctor;
pub mod entry;
pub mod error;
mod exports;
mod groups;
mod hints;
mod invites;
mod log;
mod members;
pub mod pages;
mod proofs;
mod pruning;
mod resets;
pub mod rules;
pub mod search;
mod sessions;
mod tickets;

use std::sync::Arc;

use caravana_protocol::rest::User;
use caravana_protocol::{Event, GroupId, UserId};

pub use accounts::{Account, Accounts, NewAccount, PasswordChange, SharingPatch};
pub use commits::{Commits, Effects};
pub use direct::{Directs, pair};
pub use entry::repeated;
pub use error::{Cause, Limit, StoreError};
pub use exports::{Belongings, Exports, Membership, OwnInvite, OwnMessages};
pub use groups::{Groups, changes_more_than_the_name, first_change};
pub use hints::{Hint, HintSender, HintSource, Hints};
pub use invites::{INVITE_REMEMBERED, InviteRow, Invites, NewInvite};
pub use log::{Anchor, Appended, Changed, GroupState, History, Log, Marked, NewMessage, Page};
pub use members::{MemberRow, Members, Removal};
pub use proofs::{FOR_EVER, KnownHolder, LAST_SECOND, NAMELESS, Proof, Proofs, TokenHolder};
pub use pruning::Pruning;
pub use resets::{RESETS, Resets};
pub use search::{Search, Searches};
pub use sessions::{NewSession, SIGN_INS, Sessions, SignInRow};
pub use tickets::Tickets;

/// The hash of a secret.
pub type SecretHash = [u8; 32];

/// All ports of one database.
pub trait Store:
    Log
    + Accounts
    + Directs
    + Exports
    + Groups
    + Invites
    + Members
    + Proofs
    + Pruning
    + Resets
    + Searches
    + Sessions
    + Tickets
{
    /// Checks that the database answers; for `/readyz`.
    fn ping(&self) -> futures::future::BoxFuture<'_, Result<(), StoreError>>;

    /// Waits until the address leads to another database than the one that was opened, for example to an older copy, or
    /// to a replica that lacks some commits. This store sends no queries to that database; the caller has to open it.
    fn replaced(&self) -> futures::future::BoxFuture<'_, ()>;

    /// Finishes what waits and closes the database.
    fn close(&self) -> futures::future::BoxFuture<'_, ()>;
}

/// What a commit of this server did, for the hub. It carries the event itself where the writer has it, so that the hub
/// need not read the log. For everything else it is a hint to read the log.
#[derive(Debug, Clone)]
pub enum Effect {
    /// This event was added to its group's log.
    Event(Event),
    /// The group's log has new events.
    Moved(GroupId),
    /// This user joined the group, left it, has another role in it, or has changed what is theirs in it.
    Member(GroupId, UserId),
    /// The group ended; these were its members.
    GroupDeleted(GroupId, Vec<UserId>),
    /// This conversation of two was closed, or is open again; these are the two.
    Closed(GroupId, bool, [UserId; 2]),
    /// This user has another name, shares something else, or has blocked others. Without the e-mail.
    Account(User),
}

/// The type by which the rest of the server holds a database.
pub type SharedStore = Arc<dyn Store>;

/// The type by which the hub holds a database: the hub needs the logs only.
pub type SharedLog = Arc<dyn Log>;
