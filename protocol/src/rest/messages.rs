//! The messages of a group.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use super::schemas;
use crate::{Epoch, Event, Message, MessageId, Seq, UserId};

/// A page of a group's history, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagesAnswer {
    /// The messages in their present state.
    pub messages: Vec<Message>,
    /// The other events between the messages and, where the page reaches an end of the log, beyond them:
    /// `member_joined`, `member_left` and `group_updated`, ascending; if there are more than 200, the newest 200. Left
    /// out if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "listed_events")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Event>))]
    pub events: Vec<Event>,
    /// The history.
    pub epoch: Epoch,
    /// The group's last event: a cursor for what comes after this page's state.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 42))]
    pub head: Seq,
    /// Whether there are older ones.
    pub has_more_before: bool,
    /// Whether there are newer ones.
    pub has_more_after: bool,
}

/// Answer to a message sent by REST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageAnswer {
    /// The message as stored.
    pub message: Message,
    /// The id was stored already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

/// Send a message by REST.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// Primary key and idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The text.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::message_text))]
    pub message: String,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// The members that it mentions, at most 50; those who are no members are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserId>,
    /// Whether it mentions all members. In groups of more than 30, only the owner and admins may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mentions_everyone: bool,
}

/// The pinned messages of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PinsAnswer {
    /// The newest pin first, at most [`crate::limits::PINS_PER_GROUP`].
    pub messages: Vec<Message>,
}

/// Who has read a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReadsAnswer {
    /// The members, without its author.
    pub read: Vec<UserId>,
}

/// Events in a list. Each is written as the frame that carries it, character by character.
mod listed_events {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_json::value::RawValue;

    use crate::{Event, ServerFrame, codec};

    pub(super) fn serialize<S: Serializer>(events: &[Event], serializer: S) -> Result<S::Ok, S::Error> {
        let frames = events.iter().map(|event| RawValue::from_string(codec::encode_event(event)));
        let frames: Vec<Box<RawValue>> = frames.collect::<Result<_, _>>().map_err(serde::ser::Error::custom)?;
        frames.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Event>, D::Error> {
        let frames = Vec::<Box<RawValue>>::deserialize(deserializer)?;
        let event = |frame: Box<RawValue>| match codec::decode_server(frame.get()) {
            Ok(Some(ServerFrame::Event(event))) => Some(event),
            Ok(_) | Err(_) => None,
        };
        Ok(frames.into_iter().filter_map(event).collect())
    }
}
