//! The port to the data export: everything that is stored about a user.

use async_trait::async_trait;
use caravana_protocol::rest::{GroupKind, Mine, User};
use caravana_protocol::{GroupId, Message, Role, Timestamp, UserId};

use super::StoreError;

/// The data that is stored about a user.
#[async_trait]
pub trait Exports: Send + Sync + 'static {
    /// The user's data besides messages. [`StoreError::NotFound`] when there is no such user.
    async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError>;

    /// A page of the user's own messages from all groups, including groups that the user has left, ordered by stored
    /// id. It has at most `limit` messages and begins after the position `after`, where the previous page ended.
    async fn messages_of(&self, user: UserId, after: Option<String>, limit: u32) -> Result<OwnMessages, StoreError>;
}

/// A user's data besides messages.
#[derive(Debug, Clone)]
pub struct Belongings {
    /// The user, with e-mail if there is an account.
    pub user: User,
    /// When the user was first seen here.
    pub created_at: Timestamp,
    /// The groups that the user is a member of.
    pub memberships: Vec<Membership>,
    /// Whom the user has blocked, by the name that they have now.
    pub blocked: Vec<User>,
    /// The invites that the user made into groups that still exist.
    pub invites: Vec<OwnInvite>,
}

/// A group that the user is a member of.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The group's id.
    pub group: GroupId,
    /// What it is.
    pub kind: GroupKind,
    /// Its name, or that of the other person.
    pub name: String,
    /// The user's role.
    pub role: Role,
    /// When the user joined.
    pub joined_at: Timestamp,
    /// The user's read mark.
    pub last_read: u64,
    /// The user's own settings.
    pub mine: Mine,
}

/// An invite that the user made.
#[derive(Debug, Clone)]
pub struct OwnInvite {
    /// The group that it leads to.
    pub group: GroupId,
    /// How many people may use it; `None` means no limit.
    pub max_uses: Option<u32>,
    /// How many people have used it.
    pub uses: u32,
    /// When it expires, in seconds since 1970.
    pub expires_at: i64,
}

/// A page of a user's own messages.
#[derive(Debug, Clone)]
pub struct OwnMessages {
    /// The messages in their present state.
    pub messages: Vec<Message>,
    /// The position where the next page begins; `None` when this was the last page.
    pub next: Option<String>,
}
