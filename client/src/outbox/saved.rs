//! A message on its way, as it outlives a reload.

use caravana_protocol::{ErrorCode, GroupId, MessageId, Timestamp, UserId};
use serde::{Deserialize, Serialize};

use super::{Pending, SendState};

/// What the storage keeps of an unacknowledged message. The adapter stores it under its id and does not look inside.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedMessage {
    /// The message's id, and the key in the storage.
    pub id: MessageId,
    /// Who wrote it. On a shared device nobody sends what somebody else wrote.
    pub user_id: UserId,
    /// Where it is to go.
    pub group_id: GroupId,
    /// The text.
    pub message: String,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// When it was written, for people to read.
    pub at: Timestamp,
    /// Its place among all messages of this device.
    pub order: u64,
    /// It was refused, and is not sent before the person asks for it.
    #[serde(default)]
    pub failed: bool,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
}

impl SavedMessage {
    pub(crate) fn new(entry: &Pending, group_id: GroupId, user_id: UserId) -> Self {
        let (failed, code) = match entry.state {
            SendState::Failed { code, .. } => (true, code),
            SendState::Queued | SendState::Sending => (false, None),
        };
        Self {
            id: entry.id,
            user_id,
            group_id,
            message: entry.message.clone(),
            reply_to: entry.reply_to,
            at: entry.at,
            order: entry.order,
            failed,
            code,
        }
    }

    pub(crate) fn into_pending(self) -> Pending {
        let state = if self.failed {
            SendState::Failed { code: self.code, retryable: self.code.is_none_or(ErrorCode::retryable) }
        } else {
            SendState::Queued
        };
        Pending { id: self.id, message: self.message, reply_to: self.reply_to, at: self.at, state, order: self.order }
    }
}

impl std::fmt::Debug for SavedMessage {
    /// Texts never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SavedMessage").field("id", &self.id).field("order", &self.order).finish_non_exhaustive()
    }
}
