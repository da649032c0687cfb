//! Pinned messages.

use serde::{Deserialize, Serialize};

use crate::{GroupId, MessageId, Seq, Timestamp, UserId};

/// A member pinned a message, or took the pin off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PinChanged {
    /// The group.
    pub group_id: GroupId,
    /// Position in the group's log.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub seq: Seq,
    /// The message.
    pub message_id: MessageId,
    /// The position of the message itself.
    #[cfg_attr(feature = "openapi", schema(value_type = u64))]
    pub message_seq: Seq,
    /// Who.
    pub user_id: UserId,
    /// When.
    pub at: Timestamp,
}
