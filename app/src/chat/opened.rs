//! What a page loads of a group before it shows the group.

use std::collections::HashSet;

use caravana_protocol::rest::{Group, Member, MessagesAnswer};
use caravana_protocol::{Event, Message, MessageId, UserId};
use serde::{Deserialize, Serialize};

use super::{lists, tints};

/// A page of a larger group carries this many members: more than the panel shows on any screen. The whole list of 3,000
/// members would make a page of 1.7 MB.
const CARRIED: usize = 60;

/// A group with everything that its first render shows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Opened {
    /// The group.
    pub group: Group,
    /// Its members; on a page of a large group only some of them.
    pub members: Vec<Member>,
    /// Its newest messages, with enough of them to include the first unread one.
    pub messages: MessagesAnswer,
    /// Its pinned messages, the newest pin first.
    pub pins: Vec<Message>,
}

impl Opened {
    /// Leaves out the members that the first render does not need: it shows the first rows of the panel, and the names of
    /// those who wrote the messages or are in the events. Those who joined first are kept for the sake of the colours. The browser loads the others after hydration.
    pub fn carry_less(&mut self) {
        if self.members.len() <= CARRIED {
            return;
        }
        let shown = self.messages.messages.iter().chain(&self.pins);
        let authors = shown.flat_map(|message| {
            let quoted = message.reply.as_ref().and_then(|reply| reply.user_id);
            let reacting = message.reactions.iter().flat_map(|reaction| reaction.users.iter().copied());
            message.user_id.into_iter().chain(quoted).chain(reacting)
        });
        let joined = self.messages.events.iter().filter_map(|event| match event {
            Event::MemberJoined(joined) => Some(joined.user_id),
            Event::NewMessage(_)
            | Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::Other(_) => None,
        });
        let needed: HashSet<UserId> = authors.chain(joined).chain(tints::first_joined(&self.members)).collect();
        self.members.sort_by_cached_key(lists::place);
        let mut kept = 0;
        self.members.retain(|member| {
            kept += 1;
            kept <= CARRIED || needed.contains(&member.user.id)
        });
    }

    /// Whether members are left out. Somebody who leaves while the page is made has the same effect, which costs the
    /// browser one request.
    #[must_use]
    pub fn has_some_members_only(&self) -> bool {
        (self.members.len() as u64) < self.group.member_count
    }
}

/// A message, and how far its row is below the upper edge of the conversation, in pixels.
pub type Left = (MessageId, f64);

/// How a group is opened.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Opening {
    /// The number of messages that are unread.
    pub unread: u64,
    /// Where the reader left the group, if they are to find it as it was.
    pub left: Option<Left>,
    /// The unread messages that mention the reader.
    pub mentions: Vec<MessageId>,
}
