//! What a person wants and the server has not answered.

use std::fmt;
use std::str::FromStr;

use caravana_protocol::{ClientFrame, Content, ErrorCode, GroupId, IdError, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of an intent. An intent that sends a message has that message's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(MessageId);

impl IntentId {
    /// A fresh id.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(MessageId::new(id))
    }

    /// The message that an intent with this id sends, if it sends one.
    pub(crate) const fn message(self) -> MessageId {
        self.0
    }
}

impl From<MessageId> for IntentId {
    fn from(id: MessageId) -> Self {
        Self(id)
    }
}

impl FromStr for IntentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What an intent wants of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// Store it.
    Send(Content),
    /// Replace its text by this one.
    Edit(String),
    /// Delete it.
    Delete,
}

/// Something that a person wants and that the server has not answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id; it never changes.
    pub id: IntentId,
    /// The message that it is about.
    pub message: MessageId,
    /// What the person wants.
    pub want: Want,
    /// When the person asked for it, for people to read.
    pub at: Timestamp,
    /// Whether it waits, is under way or was refused.
    pub state: SendState,
    /// Its place in the order of all intents of this device.
    pub(crate) order: u64,
}

/// Whether an intent waits, is under way or was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendState {
    /// Waits for its turn.
    Queued,
    /// Sent to the server, not answered yet.
    Sending,
    /// Refused. It stays until the person retries or discards it.
    Failed {
        /// Why; `None` when the server gave no reason that this build knows.
        code: Option<ErrorCode>,
        /// Whether the same may be taken later.
        retryable: bool,
    },
}

impl Intent {
    /// An intent that sends a message.
    #[must_use]
    pub fn send(message: MessageId, content: Content, at: Timestamp) -> Self {
        Self::new(message.into(), message, Want::Send(content), at)
    }

    /// An intent about a message.
    #[must_use]
    pub const fn new(id: IntentId, message: MessageId, want: Want, at: Timestamp) -> Self {
        Self { id, message, want, at, state: SendState::Queued, order: 0 }
    }

    /// Whether it sends a message, and does not change one.
    #[must_use]
    pub const fn is_send(&self) -> bool {
        matches!(self.want, Want::Send(_))
    }

    /// The message's text once the intent is done.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.want {
            Want::Send(content) => &content.body,
            Want::Edit(text) => text,
            Want::Delete => "",
        }
    }

    /// The frame that asks the server for it.
    pub(crate) fn frame(&self, group: GroupId) -> ClientFrame {
        let id = self.message;
        match &self.want {
            Want::Send(content) => {
                let content = content.clone();
                ClientFrame::SendMessage { content, id: Some(id), user_id: None, group_id: Some(group) }
            }
            Want::Edit(text) => ClientFrame::EditMessage { id, message: text.clone() },
            Want::Delete => ClientFrame::DeleteMessage { id },
        }
    }
}

impl fmt::Debug for Want {
    /// Texts never reach a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Send(_) => "Send",
            Self::Edit(_) => "Edit",
            Self::Delete => "Delete",
        })
    }
}

impl fmt::Debug for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, want, state, .. } = self;
        f.debug_struct("Intent").field("id", id).field("want", want).field("state", state).finish_non_exhaustive()
    }
}
