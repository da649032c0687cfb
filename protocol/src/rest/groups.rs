//! Groups.

use serde::{Deserialize, Serialize};

use super::mine::given;
#[cfg(feature = "openapi")]
use super::schemas;
use super::{Mine, User};
use crate::message::Carried;
use crate::{Date, Epoch, GroupId, Message, Role, Seq, Timestamp, UserId};

/// What a group is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GroupKind {
    /// A conversation of two people, without a trip, roles and links.
    Direct,
    /// A group. Whatever a newer server calls otherwise is shown as one.
    #[default]
    #[serde(other)]
    Group,
}

impl GroupKind {
    /// Whether it is an ordinary group.
    #[must_use]
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    pub const fn is_group(&self) -> bool {
        matches!(self, Self::Group)
    }
}

/// A group as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// The group's id.
    pub id: GroupId,
    /// What it is; left out for a group.
    #[serde(default, skip_serializing_if = "GroupKind::is_group")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub kind: GroupKind,
    /// Its name; of a direct conversation, the present name of the other person, which is empty when their account is gone.
    #[cfg_attr(feature = "openapi", schema(example = "Oaxaca en abril"))]
    pub name: String,
    /// The other person of a direct conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<UserId>,
    /// Whether nothing can be written in this direct conversation, because one of the two has blocked the other, or the
    /// other's account is gone. Left out where it is open.
    #[serde(default, skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub closed: bool,
    /// The time zone of the trip, an IANA name.
    #[cfg_attr(feature = "openapi", schema(required = true, example = "America/Mexico_City"))]
    pub time_zone: Option<String>,
    /// The emoji that stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "🌮"))]
    pub emoji: Option<String>,
    /// The first day of the trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Date>,
    /// The last day of the trip, not before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
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
    /// How many of these messages mention the asking member or everyone; left out where none does.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub unread_mentions: u64,
    /// The last message, for the list of groups.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub last_message: Option<LastMessage>,
    /// When the asking member joined; the beginning of time if a host's table of members does not say.
    pub joined_at: Timestamp,
    /// The asking member's own settings. An older server does not say them.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub me: Mine,
}

impl Group {
    /// The time by which lists of groups are ordered, the latest first: that of the last message, or of the asking
    /// member's entry if that is later. So a new group is at the top before its first message.
    #[must_use]
    pub fn active_at(&self) -> Timestamp {
        self.last_message.as_ref().map_or(self.joined_at, |last| last.message.created_at.max(self.joined_at))
    }
}

/// Whether a flag is left out.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Whether a number is left out.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference; it is large on small machines only")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The last message of a group, with its author's name: a client that lists groups does not know their members.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(from = "Carried")]
pub struct LastMessage {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// The author's present name; left out where the author's account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Ana"))]
    pub display_name: Option<String>,
}

impl From<Carried> for LastMessage {
    fn from(mut carried: Carried) -> Self {
        Self { display_name: carried.display_name.take(), message: carried.into() }
    }
}

/// `{group}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupAnswer {
    /// The group.
    pub group: Group,
}

/// Begin a direct conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewDirect {
    /// With whom.
    pub user_id: UserId,
}

/// `{users}`, whom the asking person has blocked, the last one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlocksAnswer {
    /// The blocked people.
    pub users: Vec<User>,
}

/// `{groups}`, by last activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupsAnswer {
    /// The asking member's groups.
    pub groups: Vec<Group>,
    /// Whom the asking person has blocked; left out if nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub blocked: Vec<UserId>,
}

/// Make a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewGroup {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::group_name))]
    pub name: String,
    /// The time zone of the trip, an IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::new_time_zone))]
    pub time_zone: Option<String>,
    /// The emoji that stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::group_emoji))]
    pub emoji: Option<String>,
    /// The first day of the trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Date>,
    /// The last day of the trip, not before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
}

impl NewGroup {
    /// A group of which only the name is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
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
    /// The emoji that stands for it; `null` for none.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::group_emoji))]
    pub emoji: Option<Option<String>>,
    /// The first day of the trip; `null` for none.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Date>))]
    pub starts_on: Option<Option<Date>>,
    /// The last day of the trip, not before the first; `null` for none.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Date>))]
    pub ends_on: Option<Option<Date>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_of_a_newer_server_is_a_group() {
        let kind = |word: &str| serde_json::from_str::<GroupKind>(word).unwrap();
        assert_eq!(kind("\"direct\""), GroupKind::Direct);
        assert_eq!((kind("\"group\""), kind("\"channel\"")), (GroupKind::Group, GroupKind::Group));
        assert_eq!(serde_json::to_string(&GroupKind::Direct).unwrap(), "\"direct\"");
    }
}
