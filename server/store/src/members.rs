//! The port to group members and their roles.

use async_trait::async_trait;
use caravana_protocol::rest::User;
use caravana_protocol::{GroupId, Role, Timestamp, UserId};

use super::StoreError;

/// The members of groups.
#[async_trait]
pub trait Members: Send + Sync + 'static {
    /// The members: the owner first, then by the time when they joined; `None` when the viewer is not a member.
    async fn members(&self, group: GroupId, viewer: UserId) -> Result<Option<Vec<MemberRow>>, StoreError>;

    /// Changes a member's role; owner only. [`Role::Owner`] hands the group over: the actor becomes admin. A guest can
    /// only be a member: any higher role is [`StoreError::Forbidden`].
    async fn set_role(&self, actor: UserId, group: GroupId, user: UserId, role: Role) -> Result<(), StoreError>;

    /// Removes a member, or lets the actor leave. The owner may remove anyone; an admin may remove anyone except the
    /// owner and other admins. The invites that the member made are revoked in the same commit. When the owner leaves,
    /// the longest-serving admin becomes owner, or else the longest-serving member; a guest only if there are only
    /// guests. When the last member leaves, the group ends.
    async fn remove_member(&self, actor: UserId, group: GroupId, user: UserId) -> Result<Removal, StoreError>;
}

/// A member as stored.
#[derive(Debug, Clone)]
pub struct MemberRow {
    /// The user.
    pub user: User,
    /// The member's role.
    pub role: Role,
    /// When the user joined.
    pub joined_at: Timestamp,
}

/// What a removal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The group has one member less.
    Member,
    /// The last member left, and the group ended.
    Group,
}
