//! A row of the group list.

use std::cmp::Reverse;

use caravana_protocol::{GroupId, Timestamp, UserId};
use reactive_stores::{Patch, Store};

use super::Whole;

/// A group in the list.
#[derive(Debug, Clone, PartialEq, Eq, Store, Patch)]
pub struct GroupRow {
    /// Which, as text: the key and the address.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The other person, if it is a direct conversation.
    pub peer: Whole<Option<UserId>>,
    /// The emoji that stands for it.
    pub emoji: Whole<Option<String>>,
    /// The last message in one line, with its author.
    pub preview: String,
    /// The beginning of what the reader has written here and not sent; shown in place of the preview. Empty for none.
    pub draft: String,
    /// When the last message was written, if there is one.
    pub at: Whole<Option<Timestamp>>,
    /// The order of the list: the time of the last message, or of the reader's joining.
    pub active_at: Whole<Timestamp>,
    /// Messages of others that the reader has not seen.
    pub unread: u64,
    /// How many of them mention the reader.
    pub mentions: u64,
    /// The names of those who are typing; they are shown instead of the preview.
    pub typing: Whole<Vec<String>>,
    /// The reader wants to be told nothing of it now.
    pub muted: bool,
    /// The reader put it aside.
    pub archived: bool,
    /// The reader wants it first.
    pub favourite: bool,
}

impl GroupRow {
    /// The group's id.
    #[must_use]
    pub fn group(&self) -> Option<GroupId> {
        self.id.parse().ok()
    }

    /// Whether the list has it: a conversation is there once something was written in it, here or by the other.
    #[must_use]
    pub fn is_begun(&self) -> bool {
        self.peer.0.is_none() || self.at.0.is_some() || !self.draft.is_empty() || !self.typing.is_empty()
    }

    /// Its place in the list.
    #[must_use]
    pub fn place(&self) -> (bool, bool, Reverse<Timestamp>) {
        (self.archived, !self.favourite, Reverse(self.active_at.0))
    }
}
