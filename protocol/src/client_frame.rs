//! What a client may say.

use serde::Serialize;

use crate::{Content, Cursor, GroupId, MessageId, Seq, UserId};

/// A client's own name for one frame, at most [`crate::limits::REF_CHARACTERS`] characters; errors about the frame
/// repeat it.
pub type FrameRef = String;

/// A client frame together with the references that answers to it repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// What the client said.
    pub frame: ClientFrame,
    /// The frame's `ref`. A change that has one is answered by `done`.
    pub own_reference: Option<FrameRef>,
    /// What errors repeat: the frame's `ref`, or else its `data.id`.
    pub reference: Option<FrameRef>,
}

/// What a client may say. On the endpoint of one group `group_id` may be left out of every frame; on the endpoint of
/// many it is needed wherever it stands here. `user_id` is taken for the seed's clients only, and only if it is the
/// connection's own.
#[derive(Clone, PartialEq, Serialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum ClientFrame {
    /// Store this message and tell the group. Answered by `message_sent` after the commit, or by an error; sending the
    /// same `id` again is safe for ever and answered from the stored row.
    SendMessage {
        /// What it says, the text as written; the server normalises it. Its fields stand beside the others.
        #[serde(flatten)]
        content: Content,
        /// The message's primary key and idempotency key. Without one the server mints it, and a retry may double.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<MessageId>,
        /// Must be the connection's user if given.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
    },
    /// Replace the text of an own message. The event is `message_edited`; a frame with a `ref` is answered by `done`.
    EditMessage {
        /// The message.
        id: MessageId,
        /// The new text.
        message: String,
    },
    /// Delete an own message (or, for who manages the group, any). The event is `message_deleted`; a frame with a `ref` is
    /// answered by `done`, also where the message was deleted before.
    DeleteMessage {
        /// The message.
        id: MessageId,
    },
    /// The user is writing. Repeat every [`crate::limits::TYPING_REPEAT_MS`]; more is dropped without an error.
    Typing {
        /// Must be the connection's user if given.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
    },
    /// The user stopped writing.
    StopTyping {
        /// Must be the connection's user if given.
        #[serde(skip_serializing_if = "Option::is_none")]
        user_id: Option<UserId>,
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
    },
    /// Everything up to `seq` was read. Never goes back.
    MarkRead {
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
        /// The last event that was seen.
        seq: Seq,
    },
    /// Follow a group on this socket. Answered by `joined`, then by what was missed since the cursor, then `caught_up`;
    /// without a cursor the stream starts at `joined.head`. On a group that is followed already it starts afresh.
    Subscribe {
        /// The group.
        group_id: GroupId,
        /// What is known already.
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<Cursor>,
    },
    /// Follow it no longer. Answered by `left`.
    Unsubscribe {
        /// The group.
        group_id: GroupId,
    },
    /// The same as `subscribe` with that cursor: what a client says when it finds a gap.
    Sync {
        /// The group.
        #[serde(skip_serializing_if = "Option::is_none")]
        group_id: Option<GroupId>,
        /// What is known already.
        cursor: Cursor,
    },
    /// A fresh token of the same user, before the old one ends.
    Auth {
        /// The JWT.
        token: String,
    },
}

impl ClientFrame {
    /// The words in `type` that a server understands.
    pub const KINDS: [&str; 10] = [
        "send_message",
        "edit_message",
        "delete_message",
        "typing",
        "stop_typing",
        "mark_read",
        "subscribe",
        "unsubscribe",
        "sync",
        "auth",
    ];

    /// The word in `type`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::SendMessage { .. } => "send_message",
            Self::EditMessage { .. } => "edit_message",
            Self::DeleteMessage { .. } => "delete_message",
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
    /// Texts and tokens never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientFrame").field("type", &self.kind()).finish_non_exhaustive()
    }
}
