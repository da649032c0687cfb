//! What the server needs of a database, without saying which.
//!
//! The database is the only truth (ARCHITECTURE, idea 2). One port for each noun, in the file of that name, and each is
//! implemented in the adapter's file of the same name. [`Log`] is the groups' event logs, used by the hub and the message
//! routes. The other routes use [`Accounts`], what people are signed in by ([`Sessions`], [`Proofs`], [`Tickets`],
//! [`Resets`]), [`Groups`] with their [`Members`] and [`Invites`], and [`Exports`]; [`Pruning`] is for the server itself.
//! [`Store`] is all of them. Secrets come here only as SHA-256 hashes. Times that decide something are passed in by the
//! caller, in seconds since 1970: adapters read no clock. Promises of every adapter, checked by one contract suite:
//! - an answer to a write comes after its commit;
//! - in every group seqs are 1 … head without a hole, and commit order is seq order;
//! - every question about a group names who asks, and a group that the asker is no member of does not exist.

mod accounts;
mod address;
mod commits;
pub mod doctor;
mod entry;
mod error;
mod exports;
mod groups;
mod hints;
mod invites;
mod log;
mod members;
mod members_view;
pub mod postgres;
mod proofs;
mod pruning;
mod resets;
mod rules;
mod sessions;
mod settings;
pub mod sqlite;
mod tickets;

use std::sync::Arc;

use caravana_protocol::{Event, GroupId, UserId};

pub use accounts::{Account, Accounts, NewAccount, PasswordChange};
pub use address::{AddressError, DatabaseAddress, PostgresAddress};
pub use commits::Effects;
pub(crate) use entry::repeated;
pub use error::{Limit, StoreError};
pub use exports::{Belongings, Exports, Membership, OwnInvite, OwnMessages};
pub use groups::Groups;
pub use hints::{Hint, HintSender, Hints, hints};
pub use invites::{INVITE_REMEMBERED, InviteRow, Invites, NewInvite};
pub use log::{Anchor, Appended, Changed, Channel, Draft, History, Log, Page};
pub use members::{MemberRow, Members, Removal};
pub use members_view::{MembersView, MembersViewError};
pub use proofs::{KnownHolder, LAST_SECOND, Proof, Proofs, TokenHolder};
pub use pruning::Pruning;
pub use resets::{RESETS, Resets};
pub use sessions::{NewSession, SIGN_INS, Sessions, SignIn};
pub use settings::{DatabaseSettings, PostgresSettings};
pub use tickets::Tickets;

/// The hash of a secret.
pub type SecretHash = [u8; 32];

/// A whole database.
pub trait Store:
    Log + Accounts + Exports + Groups + Invites + Members + Proofs + Pruning + Resets + Sessions + Tickets
{
    /// Whether it answers; for `/readyz`.
    fn ping(&self) -> futures::future::BoxFuture<'_, Result<(), StoreError>>;

    /// Waits until another database turns out to be in the place of the one that was opened, like an older copy or one that
    /// has not got all that was committed. Nothing is asked of that one here; it has to be opened.
    fn replaced(&self) -> futures::future::BoxFuture<'_, ()>;

    /// Finishes what waits and closes the database.
    fn close(&self) -> futures::future::BoxFuture<'_, ()>;
}

/// What a commit of our own did, for the hub. The event itself where whoever wrote it has it, so that nobody reads the log for
/// it; for everything else a hint to read the log.
#[derive(Debug, Clone)]
pub enum Effect {
    /// This was added to its group's log.
    Event(Event),
    /// The group's log moved.
    Moved(GroupId),
    /// This user entered the group, left it, or has another role there.
    Member(GroupId, UserId),
    /// The group ended; these were its members.
    GroupDeleted(GroupId, Vec<UserId>),
    /// This user has another name.
    Renamed(UserId, String),
}

/// How the rest of the server holds a database.
pub type SharedStore = Arc<dyn Store>;

/// How the hub holds it: the hub needs the logs only.
pub type SharedLog = Arc<dyn Log>;
