//! The port to groups, as their members see them.

use async_trait::async_trait;
use caravana_protocol::rest::{Group, GroupPatch, MinePatch, NewGroup};
use caravana_protocol::{GroupId, UserId};

use super::StoreError;

/// Everything of a new group but its name, as the first change of it. `None`: only the name is known.
#[must_use]
pub fn first_change(new: &NewGroup) -> Option<GroupPatch> {
    let patch = GroupPatch {
        name: None,
        time_zone: new.time_zone.clone(),
        members_can_invite: None,
        emoji: new.emoji.clone().map(Some),
        starts_on: new.starts_on.map(Some),
        ends_on: new.ends_on.map(Some),
    };
    changes_more_than_the_name(&patch).then_some(patch)
}

/// Whether a change concerns what is kept beside the group's own row.
#[must_use]
pub fn changes_more_than_the_name(patch: &GroupPatch) -> bool {
    let GroupPatch { name: _, time_zone, members_can_invite, emoji, starts_on, ends_on } = patch;
    time_zone.is_some() || members_can_invite.is_some() || emoji.is_some() || starts_on.is_some() || ends_on.is_some()
}

/// Groups.
#[async_trait]
pub trait Groups: Send + Sync + 'static {
    /// Creates a group; its maker becomes the owner. [`StoreError::LimitReached`] when the user is in as many groups as
    /// allowed. Everything in `new` is already validated, except the order of the days.
    async fn create_group(&self, id: GroupId, owner: UserId, new: NewGroup) -> Result<Group, StoreError>;

    /// The user's groups, the most recently active first.
    async fn groups(&self, user: UserId) -> Result<Vec<Group>, StoreError>;

    /// One group as this member sees it; `None` when the viewer is not a member.
    async fn group(&self, group: GroupId, viewer: UserId) -> Result<Option<Group>, StoreError>;

    /// Changes a group; owner and admins only. [`StoreError::EndsBeforeStart`], and nothing changes, when its days would be in
    /// the wrong order.
    async fn update_group(&self, actor: UserId, group: GroupId, patch: GroupPatch) -> Result<Group, StoreError>;

    /// Changes what is this member's own in a group. The member's row goes with the membership.
    async fn set_mine(&self, user: UserId, group: GroupId, patch: MinePatch) -> Result<(), StoreError>;

    /// Ends a group; owner only. Its messages stay in the table; its members and invites are deleted.
    async fn delete_group(&self, actor: UserId, group: GroupId) -> Result<(), StoreError>;
}
