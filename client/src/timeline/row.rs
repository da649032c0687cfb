//! One line of a group's log, as the screen shows it.

use caravana_protocol::{Event, GroupUpdated, MemberJoined, MemberLeft, Message, MessageId, Seq};

/// The key of a row. A message keeps its key from the moment at which it is written, so that the row of a pending
/// message becomes the row of the stored one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A message.
    Message(MessageId),
    /// Another event, by its seq.
    Event(Seq),
}

/// One line of a group's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A message in its present state.
    Message(Message),
    /// A user became a member, or a member's role changed.
    MemberJoined(MemberJoined),
    /// A user is no longer a member.
    MemberLeft(MemberLeft),
    /// The group's properties changed.
    GroupUpdated(GroupUpdated),
}

impl Row {
    /// Its position in the log.
    #[must_use]
    pub const fn seq(&self) -> Seq {
        match self {
            Self::Message(message) => message.seq,
            Self::MemberJoined(joined) => joined.seq,
            Self::MemberLeft(left) => left.seq,
            Self::GroupUpdated(updated) => updated.seq,
        }
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> RowKey {
        match self {
            Self::Message(message) => RowKey::Message(message.id),
            Self::MemberJoined(_) | Self::MemberLeft(_) | Self::GroupUpdated(_) => RowKey::Event(self.seq()),
        }
    }

    /// The message, if it is one.
    #[must_use]
    pub const fn message(&self) -> Option<&Message> {
        match self {
            Self::Message(message) => Some(message),
            Self::MemberJoined(_) | Self::MemberLeft(_) | Self::GroupUpdated(_) => None,
        }
    }

    /// The row that an event becomes. `None` for an edit or a deletion, which changes a row, and for an unknown kind,
    /// which is not shown.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        match event {
            Event::NewMessage(message) => Some(Self::Message(message.clone())),
            Event::MemberJoined(joined) => Some(Self::MemberJoined(joined.clone())),
            Event::MemberLeft(left) => Some(Self::MemberLeft(left.clone())),
            Event::GroupUpdated(updated) => Some(Self::GroupUpdated(updated.clone())),
            Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::Other(_) => None,
        }
    }
}

/// A row, and the seq up to which its state is known.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) row: Row,
    pub(super) version: Seq,
}
