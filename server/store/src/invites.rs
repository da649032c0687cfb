//! The port to invite links into groups.

use async_trait::async_trait;
use caravana_protocol::rest::InvitedGroup;
use caravana_protocol::{GroupId, InviteId, UserId};

use super::{SecretHash, StoreError};

/// How long an invite is kept after its end, in seconds: 30 days.
pub const INVITE_REMEMBERED: i64 = 30 * 24 * 60 * 60;

/// Invites, known by the hashes of their secrets.
#[async_trait]
pub trait Invites: Send + Sync + 'static {
    /// Creates an invite. The owner and admins may do so, and any member while the group allows it. The invite is valid
    /// only while its maker may invite: while the maker is a member and, if the maker does not manage the group, while
    /// the group allows members to invite. [`StoreError::LimitReached`] when the maker or the group has as many invites
    /// as allowed.
    async fn create_invite(&self, actor: UserId, group: GroupId, invite: NewInvite) -> Result<(), StoreError>;

    /// The invites that are valid now, newest first: all of them for the owner and admins, their own for members.
    /// `None` when the viewer is not a member.
    async fn invites(&self, group: GroupId, viewer: UserId, now: i64) -> Result<Option<Vec<InviteRow>>, StoreError>;

    /// Revokes an invite. The owner and admins may revoke any, members their own. A second call changes nothing and
    /// answers `false`.
    async fn revoke_invite(
        &self,
        actor: UserId,
        group: GroupId,
        invite: InviteId,
        now: i64,
    ) -> Result<bool, StoreError>;

    /// The group that an invite leads to. [`StoreError::NotFound`] when the invite is unknown, [`StoreError::Gone`]
    /// when it is expired, used up or revoked.
    async fn invite(&self, token: SecretHash, now: i64) -> Result<InvitedGroup, StoreError>;

    /// The group of an invite, valid or not; `None` when the invite is unknown.
    async fn invites_into(&self, token: SecretHash) -> Result<Option<GroupId>, StoreError>;

    /// Joins by an invite. A member keeps their role and uses nothing up. A user whom another user has removed can come
    /// back only by an invite that an owner or admin made after the removal; any other invite is [`StoreError::Gone`]
    /// for that user. [`StoreError::LimitReached`] when the user is in as many groups as allowed, and when the group is
    /// full.
    async fn accept_invite(&self, token: SecretHash, user: UserId, now: i64) -> Result<GroupId, StoreError>;
}

/// A new invite.
#[derive(Debug, Clone)]
pub struct NewInvite {
    /// The hash of the link's secret.
    pub token: SecretHash,
    /// How many people may use it; `None` means no limit.
    pub max_uses: Option<u32>,
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// When it expires, in seconds since 1970.
    pub expires_at: i64,
}

/// An invite as stored. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteRow {
    /// The id that names the invite where its secret is not known.
    pub id: InviteId,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made; `None` for an invite from before this was recorded.
    pub created_at: Option<i64>,
    /// When it expires.
    pub expires_at: i64,
    /// How many people have used it.
    pub uses: u32,
    /// How many people may use it; `None` means no limit.
    pub max_uses: Option<u32>,
}

impl InviteRow {
    /// The id of the invite with this hash: the first half of the hash. Neither the secret nor the whole hash can be
    /// computed from it.
    #[must_use]
    pub fn id_of(token: &[u8]) -> InviteId {
        let mut half = [0; 16];
        half.iter_mut().zip(token).for_each(|(to, from)| *to = *from);
        InviteId::new(uuid::Uuid::from_bytes(half))
    }
}
