//! The port to the other instances of this server, and what they tell each other.
//!
//! A broker may drop signals: no message depends on them (idea 2). A lost hint is found by the sweep, lost presence by
//! the next repetition, a lost revocation by the look-up of sign-ins, and typing expires. A lost read mark, name, switch or new
//! membership is shown when a client loads it again. A broker promises only that it never waits, and that it says when
//! it may have dropped something. [`LocalBroker`] connects the instances inside one process.

mod local;

use std::fmt;

use caravana_protocol::rest::User;
use caravana_protocol::{CloseReason, GroupId, Seq, UserId};
use caravana_store::{Proof, SecretHash};
use futures::stream::BoxStream;
use uuid::Uuid;

pub use local::LocalBroker;

/// One running server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstanceId(Uuid);

impl InstanceId {
    /// The id of an instance that starts.
    #[must_use]
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What one instance tells the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// A group's log has new events. If the seq is known, the log has at least reached it.
    Hint(GroupId, Option<Seq>),
    /// A user types in a group, or no longer does.
    Typing {
        /// The group.
        group_id: GroupId,
        /// Who types.
        user_id: UserId,
        /// Whether the user types now. It counts for a few seconds and is repeated.
        is_typing: bool,
    },
    /// How many connections some users have to a group on the sending instance; zero: none any more. It counts for a
    /// limited time and is repeated.
    Presence {
        /// The group.
        group_id: GroupId,
        /// The users, each with a number of connections.
        users: Vec<(UserId, u32)>,
        /// Whether these are all users with a connection there.
        is_complete: bool,
    },
    /// A member has read up to this seq.
    Read {
        /// The group.
        group_id: GroupId,
        /// Who.
        user_id: UserId,
        /// Up to where.
        seq: Seq,
        /// Whether the other members may know.
        is_shared: bool,
    },
    /// A user joined the group, left it, or has another role in it.
    Member(GroupId, UserId),
    /// A group was deleted; these were its members.
    GroupDeleted(GroupId, Vec<UserId>),
    /// A conversation of two was closed, or is open again.
    Closed {
        /// The conversation.
        group_id: GroupId,
        /// Which of both.
        is_closed: bool,
        /// The two.
        members: [UserId; 2],
    },
    /// A user has another name, or shares something else. Without the e-mail.
    Account(User),
    /// Connections must end.
    Revoked(UserId, Revoked),
    /// A sign-in of a user has a new secret; its connections now depend on that one.
    Renewed {
        /// The user.
        user_id: UserId,
        /// The secret until now.
        session: SecretHash,
        /// The new secret.
        renewed: SecretHash,
    },
}

/// Which connections of a user must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// All.
    All(CloseReason),
    /// All except those that this sign-in opened directly. Connections with a token that the sign-in asked for end too.
    AllBut(SecretHash),
    /// Those that this sign-in opened, by its cookie or by a ticket or token that it asked for.
    SignIn(SecretHash),
    /// Those that depend on this credential.
    Proof(Proof),
}

/// What a broker delivers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivered {
    /// A signal of another instance.
    Signal(InstanceId, Signal),
    /// Some signals may have been lost.
    Lost,
}

/// The way to the other instances.
pub trait Broker: Send + Sync + 'static {
    /// Whether there may be other instances. While there are none, nothing is published.
    fn has_others(&self) -> bool;

    /// Passes a signal to all other instances. Never waits, and may fail without a word.
    fn publish(&self, signal: Signal);

    /// The signals of the other instances from now on.
    fn signals(&self) -> BoxStream<'static, Delivered>;
}
