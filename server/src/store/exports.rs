//! The port to what is kept of a user, for them to take away.

use async_trait::async_trait;
use caravana_protocol::rest::User;
use caravana_protocol::{GroupId, Message, Role, Timestamp, UserId};

use super::StoreError;

/// What is kept of a user.
#[async_trait]
pub trait Exports: Send + Sync + 'static {
    /// What is kept of a user besides messages. [`StoreError::NotFound`] when there is no such user.
    async fn belongings(&self, user: UserId) -> Result<Belongings, StoreError>;

    /// A user's own messages in all groups, also in those that they have left, in the order of the stored ids: at most
    /// `limit` of them, after the place that the page before ended at.
    async fn messages_of(&self, user: UserId, after: Option<String>, limit: u32) -> Result<OwnMessages, StoreError>;
}

/// What is kept of a user besides messages.
#[derive(Debug, Clone)]
pub struct Belongings {
    /// With e-mail, where there is an account.
    pub user: User,
    /// Since when the user is known here.
    pub created_at: Timestamp,
    /// The groups that the user is in.
    pub memberships: Vec<Membership>,
    /// The links that the user has made into groups that still exist.
    pub invites: Vec<OwnInvite>,
}

/// A group that somebody is in.
#[derive(Debug, Clone)]
pub struct Membership {
    /// Which.
    pub group: GroupId,
    /// Its name.
    pub name: String,
    /// What they may do there.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
    /// How far they have read.
    pub last_read: u64,
}

/// A link that somebody has made.
#[derive(Debug, Clone)]
pub struct OwnInvite {
    /// Where it leads.
    pub group: GroupId,
    /// How many people may use it.
    pub max_uses: Option<u32>,
    /// How many did.
    pub uses: u32,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// A page of somebody's own messages.
#[derive(Debug, Clone)]
pub struct OwnMessages {
    /// In their present state.
    pub messages: Vec<Message>,
    /// Where the next page begins; `None` when this was the last one.
    pub next: Option<String>,
}
