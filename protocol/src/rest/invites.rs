//! Links into a group.

use serde::{Deserialize, Serialize};

use crate::{InviteId, Timestamp, UserId};

/// Ask for an invite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewInvite {
    /// How many people may use it; unlimited when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000, example = 10))]
    pub max_uses: Option<u32>,
    /// Seconds until it ends; a week when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 31_622_400, example = 604_800))]
    pub expires_in: Option<u64>,
}

/// A new invite. Only this answer shows its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invite {
    /// The id by which it is listed and revoked.
    pub id: InviteId,
    /// The secret part of the link.
    pub token: String,
    /// The whole link.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A link that lets people in, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LivingInvite {
    /// The id by which it is revoked.
    pub id: InviteId,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made. Left out if the server's version that made it did not note the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many people have used it.
    pub uses: u32,
    /// How many people may use it; unlimited when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
}

/// Links into a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitesAnswer {
    /// The links that let people in now, the newest first: all of them for the owner and admins, only one's own for
    /// members.
    pub invites: Vec<LivingInvite>,
}

/// What a link shows before one signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitePreview {
    /// The group behind it.
    pub group: InvitedGroup,
}

/// A group as it is shown to a person who is not a member yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitedGroup {
    /// Its name.
    pub name: String,
    /// How many members it has.
    pub member_count: u64,
    /// The name of the person who made the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<String>,
}
