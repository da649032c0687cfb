//! The frames that a client may send.

use serde::Serialize;

use crate::{Content, Cursor, GroupId, MessageId, Seq, UserId};

/// A client's own name for one frame, at most [`crate::limits::REF_CHARACTERS`] characters. Errors about the frame
/// repeat it.
pub type FrameRef = String;

/// A client frame with the references that its answers repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The client's frame.
    pub frame: ClientFrame,
    /// The frame's `ref`. A change with a `ref` is answered by `done`.
    pub own_reference: Option<FrameRef>,
    /// The reference that errors repeat: the frame's `ref`, or if it has none, its `data.id`.
    pub reference: Option<FrameRef>,
}

/// A frame that a client may send. On the endpoint of one group every frame may leave out `group_id`; on the endpoint
/// of many groups it is required in every frame that has it here. `user_id` is accepted only for the seed's clients,
/// and only if it is the connection's own user.
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Store this message and tell the group. Answered by `message_sent` after the commit, or by an error. Sending the
    /// same `id` again is always safe: the server then answers from the stored row.
    SendMessage {
        /// What the message says, the text as written; the server normalises it. Its fields stand beside the others in
        /// `data`.
        #[serde(flatten)]
        content: Content,
        /// The message's primary key and idempotency key. If it is missing, the server makes one, and a retry may store
        /// the message twice.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<MessageId>,
        /// Must be the connection's user if given.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
    },
    /// Replace the text of the user's own message. The event is `message_edited`; a frame with a `ref` is answered by
    /// `done`.
    EditMessage {
        /// The message.
        id: MessageId,
        /// The new text.
        message: String,
        /// The members that the new text mentions; if it is missing, the mentions stay as they are.
        #[serde(skip_serializing_if = "Option::is_none")]
        mentions: Option<Vec<UserId>>,
    },
    /// Delete the user's own message, or any message if the user manages the group. The event is `message_deleted`; a
    /// frame with a `ref` is answered by `done`, also if the message was deleted before.
    DeleteMessage {
        /// The message.
        id: MessageId,
    },
    /// React to a message, or take the reaction back. The event is `reaction_changed`; a frame with a `ref` is answered
    /// by `done`, also if nothing had to change.
    React {
        /// The message.
        id: MessageId,
        /// One emoji.
        emoji: String,
        /// `false`: take it back.
        on: bool,
    },
    /// Pin a message, or take its pin off. The event is `message_pinned` or `message_unpinned`; a frame with a `ref` is
    /// answered by `done`, also if nothing had to change.
    PinMessage {
        /// The message.
        id: MessageId,
        /// `false`: take the pin off.
        on: bool,
    },
    /// The user is typing. Repeat it every [`crate::limits::TYPING_REPEAT_MS`]; more frequent ones are dropped without
    /// an error.
    Typing {
        /// Must be the connection's user if given.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
    },
    /// The user stopped typing.
    StopTyping {
        /// Must be the connection's user if given.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
    },
    /// The user has read everything up to `seq`. The mark never goes back.
    MarkRead {
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
        /// The last event that was seen.
        seq: Seq,
    },
    /// Follow a group on this socket. Answered by `joined`, then by the events after the cursor, then by `caught_up`.
    /// Without a cursor the stream starts at `joined.head`. For a group that is followed already, the stream starts
    /// again.
    Subscribe {
        /// The group.
        group_id: GroupId,
        /// All events up to here are known to the client.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<Cursor>,
    },
    /// Stop following the group. Answered by `left`.
    Unsubscribe {
        /// The group.
        group_id: GroupId,
    },
    /// The same as `subscribe` with that cursor. A client sends it when it finds a gap.
    Sync {
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
        /// All events up to here are known to the client.
        cursor: Cursor,
    },
    /// A fresh token of the same user, before the old one ends.
    Auth {
        /// The JWT.
        token: String,
    },
}

impl ClientFrame {
    /// The values of `type` that a server understands.
    pub const KINDS: [&str; 12] = [
        "send_message",
        "edit_message",
        "delete_message",
        "react",
        "pin_message",
        "typing",
        "stop_typing",
        "mark_read",
        "subscribe",
        "unsubscribe",
        "sync",
        "auth",
    ];

    /// The value of `type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SendMessage { .. } => "send_message",
            Self::EditMessage { .. } => "edit_message",
            Self::DeleteMessage { .. } => "delete_message",
            Self::React { .. } => "react",
            Self::PinMessage { .. } => "pin_message",
            Self::Typing { .. } => "typing",
            Self::StopTyping { .. } => "stop_typing",
            Self::MarkRead { .. } => "mark_read",
            Self::Subscribe { .. } => "subscribe",
            Self::Unsubscribe { .. } => "unsubscribe",
            Self::Sync { .. } => "sync",
            Self::Auth { .. } => "auth",
        }
    }
}

impl std::fmt::Debug for ClientFrame {
    /// The text of a message and a token never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientFrame").field("type", &self.kind()).finish_non_exhaustive()
    }
}
