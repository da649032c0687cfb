//! The durable changes that a group's log consists of.

mod other;

use serde::{Deserialize, Serialize};

pub use other::{Columns, Other};

use crate::message::Carried;
use crate::{Date, GroupId, Message, PinChanged, ReactionChanged, Role, Seq, Timestamp, UserId};

/// A durable change in a group, with its position in the group's log. The server sends it to every connection that
/// follows the group; the receiver applies it only if its seq is the cursor's plus one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wrote a message. In a replay it carries the message's present state.
    NewMessage(Message),
    /// The text of a message changed.
    MessageEdited(MessageChange),
    /// A message was deleted; its text is empty and its `status` false.
    MessageDeleted(MessageChange),
    /// Somebody became a member, or a member's role changed.
    MemberJoined(MemberJoined),
    /// A member left or was removed.
    MemberLeft(MemberLeft),
    /// The group's own properties changed.
    GroupUpdated(GroupUpdated),
    /// A member reacted to a message, or took the reaction back.
    ReactionChanged(ReactionChanged),
    /// A member pinned a message.
    MessagePinned(PinChanged),
    /// A member took a message's pin off.
    MessageUnpinned(PinChanged),
    /// A change of a kind that this build does not know.
    Other(Other),
}

impl Event {
    /// The kinds that this build knows.
    pub const KINDS: [&str; 9] = [
        "new_message",
        "message_edited",
        "message_deleted",
        "member_joined",
        "member_left",
        "group_updated",
        "reaction_changed",
        "message_pinned",
        "message_unpinned",
    ];

    /// Its position in the group's log.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        match self {
            Self::NewMessage(message) => message.seq,
            Self::MessageEdited(change) | Self::MessageDeleted(change) => change.message.seq,
            Self::MemberJoined(joined) => joined.seq,
            Self::MemberLeft(left) => left.seq,
            Self::GroupUpdated(updated) => updated.seq,
            Self::ReactionChanged(change) => change.seq,
            Self::MessagePinned(change) | Self::MessageUnpinned(change) => change.seq,
            Self::Other(other) => other.seq,
        }
    }

    /// The group in whose log it is.
    #[must_use]
    pub const fn group_id(&self) -> GroupId {
        match self {
            Self::NewMessage(message) => message.group_id,
            Self::MessageEdited(change) | Self::MessageDeleted(change) => change.message.group_id,
            Self::MemberJoined(joined) => joined.group_id,
            Self::MemberLeft(left) => left.group_id,
            Self::GroupUpdated(updated) => updated.group_id,
            Self::ReactionChanged(change) => change.group_id,
            Self::MessagePinned(change) | Self::MessageUnpinned(change) => change.group_id,
            Self::Other(other) => other.group_id,
        }
    }

    /// The value of `type` in a frame, and of the kind in the database.
    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Self::NewMessage(_) => "new_message",
            Self::MessageEdited(_) => "message_edited",
            Self::MessageDeleted(_) => "message_deleted",
            Self::MemberJoined(_) => "member_joined",
            Self::MemberLeft(_) => "member_left",
            Self::GroupUpdated(_) => "group_updated",
            Self::ReactionChanged(_) => "reaction_changed",
            Self::MessagePinned(_) => "message_pinned",
            Self::MessageUnpinned(_) => "message_unpinned",
            Self::Other(other) => &other.kind,
        }
    }
}

/// A message after an edit or a deletion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(try_from = "Carried")]
pub struct MessageChange {
    /// The message in its present state. Its `seq` here is the change's own position in the log.
    #[serde(flatten)]
    pub message: Message,
    /// The position of the message itself.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub message_seq: Seq,
}

impl TryFrom<Carried> for MessageChange {
    type Error = &'static str;

    fn try_from(carried: Carried) -> Result<Self, Self::Error> {
        let message_seq = carried.message_seq.ok_or("missing field `message_seq`")?;
        Ok(Self { message: carried.into(), message_seq })
    }
}

impl MessageChange {
    /// The message in its current state, at its own position.
    #[must_use]
    pub fn into_message(self) -> Message {
        Message { seq: self.message_seq, ..self.message }
    }
}

/// Somebody became a member, or a member's role changed (then `user_id` was a member already).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberJoined {
    /// The group.
    pub group_id: GroupId,
    /// Position in the group's log.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub seq: Seq,
    /// Who.
    pub user_id: UserId,
    /// The name at the time of reading.
    pub display_name: String,
    /// The role that the member now has.
    pub role: Role,
    /// When.
    pub at: Timestamp,
}

/// A member left or was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberLeft {
    /// The group.
    pub group_id: GroupId,
    /// Position in the group's log.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub seq: Seq,
    /// Who is no longer a member.
    pub user_id: UserId,
    /// The name at the time of reading.
    pub display_name: String,
    /// When.
    pub at: Timestamp,
}

/// The group's properties as they are now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupUpdated {
    /// The group.
    pub group_id: GroupId,
    /// Position in the group's log.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub seq: Seq,
    /// Its name.
    pub name: String,
    /// The time zone of the trip, an IANA name.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub time_zone: Option<String>,
    /// Whether plain members may invite.
    pub members_can_invite: bool,
    /// The emoji that stands for it; left out where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
    /// The first day of the trip; left out where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_on: Option<Date>,
    /// The last day of the trip; left out where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
    /// The name that this change gave the group, where it was a change of name. `name` is the present one, which may be that
    /// of a later change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<String>,
    /// When.
    pub at: Timestamp,
}
