//! The port to groups, as their members see them.

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch};
use caravana_protocol::{GroupId, UserId};

use super::StoreError;

/// Groups.
#[async_trait]
pub trait Groups: Send + Sync + 'static {
    /// Makes a group; the maker becomes its owner. [`StoreError::LimitReached`] for who is in as many as one may be.
    async fn create_group(
        &self,
        id: GroupId,
        owner: UserId,
        name: &str,
        time_zone: Option<&str>,
    ) -> Result<Group, StoreError>;

    /// The user's groups, by last activity, the latest first.
    async fn groups(&self, user: UserId) -> Result<Vec<Group>, StoreError>;

    /// One group as this member sees it.
    async fn group(&self, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError>;

    /// Changes a group; owner and admins only.
    async fn update_group(&self, actor: UserId, group: GroupId, patch: GroupPatch) -> Result<Group, StoreError>;

    /// Ends a group; owner only. Its messages stay in the table, its members and invites go.
    async fn delete_group(&self, actor: UserId, group: GroupId) -> Result<(), StoreError>;
}
