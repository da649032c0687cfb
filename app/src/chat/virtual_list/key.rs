//! The keys of items, and their order.

use std::cmp::Ordering;
use std::fmt;

use caravana_client::RowKey;
use caravana_protocol::{MessageId, Seq};

/// The key of an item. The rows that belong to the item carry it in the document (`data-line`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKey {
    /// A message.
    Message(MessageId),
    /// Another event, by its seq.
    Event(Seq),
    /// The place where part of the log is missing.
    Gap,
}

impl ItemKey {
    /// The item that a line's key belongs to: the line's own item, or the item below a separator.
    #[must_use]
    pub fn of_line(key: &str) -> Option<Self> {
        let key = key.strip_prefix("day-").or_else(|| key.strip_prefix("unread-")).unwrap_or(key);
        match key.strip_prefix("notice-") {
            Some(seq) => seq.parse().ok().map(Self::Event),
            None if key == "gap" => Some(Self::Gap),
            None => key.parse().ok().map(Self::Message),
        }
    }

    /// The key of the session's row; `None` for the gap.
    #[must_use]
    pub const fn row(self) -> Option<RowKey> {
        match self {
            Self::Message(id) => Some(RowKey::Message(id)),
            Self::Event(seq) => Some(RowKey::Event(seq)),
            Self::Gap => None,
        }
    }
}

impl From<RowKey> for ItemKey {
    fn from(key: RowKey) -> Self {
        match key {
            RowKey::Message(id) => Self::Message(id),
            RowKey::Event(seq) => Self::Event(seq),
        }
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(id) => id.fmt(f),
            Self::Event(seq) => write!(f, "notice-{seq}"),
            Self::Gap => f.write_str("gap"),
        }
    }
}

/// The position of an item: stored items by their seq, the gap after the last complete item, then unacknowledged
/// messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// An event of the log.
    At(Seq),
    /// The gap after this seq.
    Behind(Seq),
    /// A message that is not acknowledged, by its index among them.
    Waiting(usize),
}

impl Position {
    pub(super) fn order(self, other: Self) -> Ordering {
        let rank = |place| match place {
            Self::At(seq) => (0, seq, 0),
            Self::Behind(seq) => (0, seq, 1),
            Self::Waiting(number) => (1, number as Seq, 0),
        };
        rank(self).cmp(&rank(other))
    }
}
