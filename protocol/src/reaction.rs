//! Reactions to messages.

use serde::{Deserialize, Serialize};

use crate::limits::REACTION_USERS;
use crate::{GroupId, MessageId, Seq, Timestamp, UserId};

/// All reactions to a message with one emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reaction {
    /// The emoji.
    #[cfg_attr(feature = "openapi", schema(example = "🎉"))]
    pub emoji: String,
    /// How many members have reacted with it.
    pub count: u64,
    /// Who, in the order of their reactions; only the first [`REACTION_USERS`].
    pub users: Vec<UserId>,
}

/// A member reacted to a message, or took the reaction back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReactionChanged {
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
    /// With which emoji.
    pub emoji: String,
    /// `false`: taken back.
    pub on: bool,
    /// How many members react with it now. In a replay this is the present number, so events that come late, or twice,
    /// add nothing.
    pub count: u64,
    /// When.
    pub at: Timestamp,
}

impl ReactionChanged {
    /// Carries the change over to the message's reactions, of any state. The emoji stay in the order of their first use.
    pub fn apply(&self, reactions: &mut Vec<Reaction>) {
        let known = reactions.iter().position(|reaction| reaction.emoji == self.emoji);
        if self.count == 0 {
            if let Some(at) = known {
                reactions.remove(at);
            }
            return;
        }
        let at = known.unwrap_or_else(|| {
            reactions.push(Reaction { emoji: self.emoji.clone(), count: 0, users: Vec::new() });
            reactions.len() - 1
        });
        let reaction = &mut reactions[at];
        reaction.count = self.count;
        let is_named = reaction.users.contains(&self.user_id);
        if !self.on {
            reaction.users.retain(|user| *user != self.user_id);
        } else if !is_named && reaction.users.len() < REACTION_USERS {
            reaction.users.push(self.user_id);
        }
    }
}
