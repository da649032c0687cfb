//! What a person wants done, as it waits to be said.

use std::fmt;
use std::str::FromStr;

use caravana_protocol::{ClientFrame, Content, ErrorCode, GroupId, IdError, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What the person wants, told from everything else that is wanted. A send has its message's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(MessageId);

impl IntentId {
    /// A fresh one.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(MessageId::new(id))
    }

    /// Of the message that a send of this id stores.
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

/// What is wanted of a message.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Want {
    /// That it is stored.
    Send(Content),
    /// That it says this.
    Edit(String),
    /// That it is deleted.
    Delete,
}

/// Something that a person wants and that the server has not answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its id, for ever.
    pub id: IntentId,
    /// Of which message.
    pub message: MessageId,
    /// What.
    pub want: Want,
    /// Since when, for people to read.
    pub at: Timestamp,
    /// How far it is.
    pub state: SendState,
    /// Its place among everything that is wanted on this device.
    pub(crate) order: u64,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendState {
    /// Waits for its turn.
    Queued,
    /// Said to the server, not answered yet.
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
    /// That a message is sent.
    #[must_use]
    pub fn send(message: MessageId, content: Content, at: Timestamp) -> Self {
        Self::new(message.into(), message, Want::Send(content), at)
    }

    /// Something wanted of a message.
    #[must_use]
    pub const fn new(id: IntentId, message: MessageId, want: Want, at: Timestamp) -> Self {
        Self { id, message, want, at, state: SendState::Queued, order: 0 }
    }

    /// Whether it is a message that is to be stored, and not a change of one.
    #[must_use]
    pub const fn is_send(&self) -> bool {
        matches!(self.want, Want::Send(_))
    }

    /// What the message says if this is done.
    #[must_use]
    pub fn text(&self) -> &str {
        match &self.want {
            Want::Send(content) => &content.body,
            Want::Edit(text) => text,
            Want::Delete => "",
        }
    }

    /// The frame that says it.
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
