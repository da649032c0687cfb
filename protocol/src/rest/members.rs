//! The members of a group.

use serde::{Deserialize, Serialize};

use super::User;
use crate::{Role, Timestamp};

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Who.
    pub user: User,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
    /// Whether they have an open socket in the group.
    pub online: bool,
}

/// `{members}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MembersAnswer {
    /// The group's members.
    pub members: Vec<Member>,
}

/// Change a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberPatch {
    /// The new role. `owner` hands the group over.
    pub role: Role,
}
