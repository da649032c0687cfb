//! The port to links that lead into a group.

use async_trait::async_trait;
use caravana_protocol::rest::InvitedGroup;
use caravana_protocol::{GroupId, InviteId, UserId};

use super::{SecretHash, StoreError};

/// How long a link into a group is remembered after its end, in seconds: a month.
pub const INVITE_REMEMBERED: i64 = 30 * 24 * 60 * 60;

/// Links into groups, known by the hashes of their secrets.
#[async_trait]
pub trait Invites: Send + Sync + 'static {
    /// Makes an invite: owner, admin, or any member while the group allows it. It lets people in while its maker may
    /// invite: no longer than they are a member, and where they manage nothing, while the group allows members to
    /// invite. [`StoreError::LimitReached`] where there are as many as may be.
    async fn create_invite(&self, actor: UserId, group: GroupId, invite: NewInvite) -> Result<(), StoreError>;

    /// The invites that let people in now, the one that was made last first: all for owner and admins, their own for
    /// members. `None` when the viewer is no member.
    async fn invites(&self, group: GroupId, viewer: UserId, now: i64) -> Result<Option<Vec<InviteRow>>, StoreError>;

    /// Takes an invite back: owner and admins any, members their own. Doing it again changes nothing, and answers
    /// `false`.
    async fn revoke_invite(
        &self,
        actor: UserId,
        group: GroupId,
        invite: InviteId,
        now: i64,
    ) -> Result<bool, StoreError>;

    /// What an invite leads to. [`StoreError::NotFound`] when unknown, [`StoreError::Gone`] when over, used up or
    /// revoked.
    async fn invite(&self, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError>;

    /// The group of an invite, whatever became of it since; `None` when it is unknown.
    async fn invites_into(&self, token: SecretHash) -> Result<Option<GroupId>, StoreError>;

    /// Joins by an invite. A member stays what they are and uses nothing up. Whom somebody else has removed comes back
    /// only by one that an owner or admin made after that; any other is [`StoreError::Gone`] for them.
    /// [`StoreError::LimitReached`] for who is in as many groups as one may be, and where the group is full.
    async fn accept_invite(&self, token: SecretHash, user: UserId, now: i64) -> Result<GroupId, StoreError>;
}

/// A new invite.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// The hash of the link's secret.
    pub token: SecretHash,
    /// How many people may use it.
    pub max_uses: Option<u32>,
    /// Since when, in seconds since 1970.
    pub created_at: i64,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
}

/// An invite as stored. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// By which it is named where its secret is not.
    pub id: InviteId,
    /// Who made it.
    pub created_by: UserId,
    /// When, where that was noted.
    pub created_at: Option<i64>,
    /// When it ends.
    pub expires_at: i64,
    /// How many people have used it.
    pub uses: u32,
    /// How many may.
    pub max_uses: Option<u32>,
}

impl InviteRow {
    /// The id of the invite with this hash: half of it, which leads back neither to the secret nor to the hash.
    #[must_use]
    pub fn id_of(token: &[u8]) -> InviteId {
        let mut half = [0; 16];
        half.iter_mut().zip(token).for_each(|(to, from)| *to = *from);
        InviteId::new(uuid::Uuid::from_bytes(half))
    }
}
