//! The port to groups, as their members see them.

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch};
use caravana_protocol::{GroupId, UserId};

use super::StoreError;

/// Groups.
#[async_trait]
pub trait Groups: Send + Sync + 'static {
    /// Creates a group; its maker becomes the owner. [`StoreError::LimitReached`] when the user is in as many groups as
    /// allowed.
    async fn create_group(
        &self,
        id: GroupId,
        owner: UserId,
        name: &str,
        time_zone: Option<&str>,
    ) -> Result<Group, StoreError>;

    /// The user's groups, the most recently active first.
    async fn groups(&self, user: UserId) -> Result<Vec<Group>, StoreError>;

    /// One group as this member sees it; `None` when the viewer is not a member.
    async fn group(&self, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError>;

    /// Changes a group; owner and admins only.
    async fn update_group(&self, actor: UserId, group: GroupId, patch: GroupPatch) -> Result<Group, StoreError>;

    /// Ends a group; owner only. Its messages stay in the table; its members and invites are deleted.
    async fn delete_group(&self, actor: UserId, group: GroupId) -> Result<(), StoreError>;
}
