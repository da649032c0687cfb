//! Groups.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use super::schemas;
use crate::{Epoch, GroupId, Message, Role, Seq, Timestamp};

/// A group as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// The group's id.
    pub id: GroupId,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "Oaxaca en abril"))]
    pub name: String,
    /// The time zone of the trip, an IANA name.
    #[cfg_attr(feature = "openapi", schema(required = true, example = "America/Mexico_City"))]
    pub time_zone: Option<String>,
    /// The asking member's role.
    pub role: Role,
    /// How many members it has.
    pub member_count: u64,
    /// Whether plain members may invite.
    pub members_can_invite: bool,
    /// The history that `head` counts in.
    pub epoch: Epoch,
    /// Its last event.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 42))]
    pub head: Seq,
    /// How far the asking member has read.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 40))]
    pub last_read: Seq,
    /// Messages of others that the asking member has not read.
    pub unread: u64,
    /// The last message, for the list of groups.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub last_message: Option<Message>,
    /// When the asking member joined; the beginning of time if a host's table of members does not say.
    pub joined_at: Timestamp,
}

impl Group {
    /// The time by which lists of groups are ordered, the latest first: that of the last message, or of the asking
    /// member's entry if that is later. So a new group is at the top before its first message.
    #[must_use]
    pub fn active_at(&self) -> Timestamp {
        self.last_message.as_ref().map_or(self.joined_at, |message| message.created_at.max(self.joined_at))
    }
}

/// `{group}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupAnswer {
    /// The group.
    pub group: Group,
}

/// `{groups}`, by last activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupsAnswer {
    /// The asking member's groups.
    pub groups: Vec<Group>,
}

/// Make a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewGroup {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::group_name))]
    pub name: String,
    /// The time zone of the trip, an IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::new_time_zone))]
    pub time_zone: Option<String>,
}

/// Change a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupPatch {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::new_group_name))]
    pub name: Option<String>,
    /// Its new time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::time_zone))]
    pub time_zone: Option<String>,
    /// Whether plain members may invite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub members_can_invite: Option<bool>,
}
