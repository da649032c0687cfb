//! The port to who is in a group, and what they may do there.

use async_trait::async_trait;
use caravana_protocol::rest::User;
use caravana_protocol::{GroupId, Role, Timestamp, UserId};

use super::StoreError;

/// The members of groups.
#[async_trait]
pub trait Members: Send + Sync + 'static {
    /// The members, owner first, then by the time they joined; `None` when the viewer is not one of them.
    async fn members(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<MemberRow>>, StoreError>;

    /// Gives a member another role; owner only. [`Role::Owner`] hands the group over: the actor becomes admin. A guest
    /// stays a member: [`StoreError::Forbidden`].
    async fn set_role(&self, actor: UserId, group: GroupId, user: UserId, role: Role) -> Result<(), StoreError>;

    /// Removes a member (owner; admin, but not another admin or the owner) or lets the actor leave. The links that they
    /// made are revoked with it. An owner who leaves hands over to the longest-serving admin, else member, a guest only
    /// where there is nobody else; the last one's leaving ends the group.
    async fn remove_member(&self, actor: UserId, group: GroupId, user: UserId) -> Result<Removal, StoreError>;
}

/// A member as stored.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// Who.
    pub user: User,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
}

/// What a removal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// One member less.
    Member,
    /// Nobody was left; the group ended.
    Group,
}
