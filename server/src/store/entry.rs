//! From a stored event, whatever database it was read from, to the wire's types.
//!
//! Total: any row becomes something that can be delivered (G17). What is missing becomes a placeholder, is logged and counted, and
//! blocks nothing. The adapters read their own types into these.

use caravana_protocol::limits::{HISTORY_PAGE, REPLAY_PAGE_BYTES, REPLAY_PAGE_EVENTS};
use caravana_protocol::rest::Group;
use caravana_protocol::{
    Epoch, Event, GroupId, GroupUpdated, MemberJoined, MemberLeft, Message, MessageChange, MessageId, Role, Seq,
    Timestamp, UserId,
};
use uuid::Uuid;

use super::{Anchor, Appended, Draft, History, Page, StoreError};
use crate::metrics;
use crate::telemetry::user_value;

/// An event with all that its frame needs. Everything but the log's own columns may be missing: rows of the other
/// tables can be removed by other programs.
pub(super) struct Entry {
    pub(super) seq: Seq,
    pub(super) kind: String,
    pub(super) message_id: Option<MessageId>,
    pub(super) actor_id: Option<UserId>,
    pub(super) role: Option<Role>,
    pub(super) at: Timestamp,
    /// Whether the message's row is there.
    pub(super) is_stored: bool,
    pub(super) user_id: Option<UserId>,
    pub(super) text: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) status: bool,
    pub(super) message_seq: Option<Seq>,
    pub(super) reply_to: Option<MessageId>,
    pub(super) edited_at: Option<Timestamp>,
    pub(super) display_name: Option<String>,
    pub(super) name: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) members_can_invite: Option<bool>,
    pub(super) renamed: Option<String>,
}

impl Entry {
    /// The event in its present state.
    pub(super) fn into_event(self, group_id: GroupId) -> Event {
        let (seq, at) = (self.seq, self.at);
        match self.kind.as_str() {
            "member_joined" => Event::MemberJoined(MemberJoined {
                group_id,
                seq,
                user_id: self.actor_id.unwrap_or_else(|| UserId::new(Uuid::nil())),
                display_name: self.display_name.unwrap_or_default(),
                role: self.role.unwrap_or(Role::Member),
                at,
            }),
            "member_left" => Event::MemberLeft(MemberLeft {
                group_id,
                seq,
                user_id: self.actor_id.unwrap_or_else(|| UserId::new(Uuid::nil())),
                display_name: self.display_name.unwrap_or_default(),
                at,
            }),
            "group_updated" => Event::GroupUpdated(GroupUpdated {
                group_id,
                seq,
                name: self.name.unwrap_or_default(),
                time_zone: self.time_zone,
                members_can_invite: self.members_can_invite.unwrap_or(true),
                renamed: self.renamed.filter(|name| !name.trim().is_empty()),
                at,
            }),
            "message_edited" => Event::MessageEdited(self.into_change(group_id)),
            "message_deleted" => Event::MessageDeleted(self.into_change(group_id)),
            "new_message" => Event::NewMessage(self.into_message(group_id)),
            other => {
                let kind = user_value(other);
                metrics::placeholder();
                tracing::warn!(%group_id, seq, kind, "an event of unknown kind is shown as a deleted message");
                Event::NewMessage(self.into_message(group_id))
            }
        }
    }

    fn into_change(self, group_id: GroupId) -> MessageChange {
        let message_seq = self.message_seq.unwrap_or(self.seq);
        let deleted = self.kind == "message_deleted";
        let mut message = self.into_message(group_id);
        if deleted {
            message.message.clear();
            message.status = false;
        }
        MessageChange { message, message_seq }
    }

    fn into_message(self, group_id: GroupId) -> Message {
        let seq = self.seq;
        let id = self.message_id.unwrap_or_else(|| {
            tracing::warn!(%group_id, seq, "a message without a readable id gets a placeholder");
            placeholder(group_id, seq)
        });
        let status = self.is_stored && self.status;
        Message {
            id,
            user_id: self.user_id.or(self.actor_id),
            group_id,
            message: if status { self.text.unwrap_or_default() } else { String::new() },
            created_at: self.created_at.unwrap_or(self.at),
            status,
            seq,
            reply_to: self.reply_to,
            edited_at: self.edited_at.filter(|_| status),
        }
    }
}

/// A stable id for a row whose own id is no UUID, so that clients can still tell it from others.
pub(super) fn placeholder(group_id: GroupId, seq: Seq) -> MessageId {
    metrics::placeholder();
    MessageId::new(Uuid::from_u128(group_id.uuid().as_u128() ^ u128::from(seq)))
}

/// The answer to a send of which nothing was inserted, because its id is there: the stored row if it is the same message.
/// `text` is the stored one, also of a deleted message.
pub(super) fn repetition(draft: &Draft, message: Message, text: &str) -> Result<Appended, StoreError> {
    // After an edit or a deletion the stored text is no longer the one that was sent, and the sender may still be
    // waiting for the first answer.
    let changed_since = message.edited_at.is_some() || !message.status;
    let same = message.user_id == Some(draft.user_id)
        && message.group_id == draft.group_id
        && message.reply_to == draft.reply_to
        && (text == draft.body.as_str() || changed_since);
    if same { Ok(Appended { message, duplicate: true }) } else { Err(StoreError::Conflict) }
}

/// Rows of one page.
pub(super) fn page_limit() -> i64 {
    i64::try_from(REPLAY_PAGE_EVENTS).unwrap_or(i64::MAX)
}

/// A page of the log, cut where it would be too large.
pub(super) fn page(epoch: Epoch, head: Seq, found: impl Iterator<Item = Event>) -> Page {
    let mut bytes = 0;
    let mut events = Vec::with_capacity(found.size_hint().1.unwrap_or(0));
    for event in found {
        bytes += weight(&event);
        if bytes > REPLAY_PAGE_BYTES && !events.is_empty() {
            break;
        }
        events.push(event);
    }
    Page { events, epoch, head }
}

/// Bytes of the frame around a message's text, measured generously.
const ENVELOPE: usize = 420;

/// About how many bytes the event's frame has; escapes can at most double a text in practice.
fn weight(event: &Event) -> usize {
    ENVELOPE
        + match event {
            Event::NewMessage(message) => message.message.len(),
            Event::MessageEdited(change) | Event::MessageDeleted(change) => change.message.message.len(),
            Event::MemberJoined(_) | Event::MemberLeft(_) | Event::GroupUpdated(_) => 0,
        }
}

/// Groups as they stand in a list: by last activity, the latest first.
pub(super) fn by_activity(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by_key(|group| (std::cmp::Reverse(group.active_at()), group.id));
    groups
}

/// Messages on one side of a seq, and whether there are more: of one row more than was asked for.
pub(super) fn side(found: impl Iterator<Item = Event>, limit: usize) -> (Vec<Message>, bool) {
    let mut messages: Vec<Message> = found
        .filter_map(|event| match event {
            Event::NewMessage(message) => Some(message),
            Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::MemberJoined(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_) => None,
        })
        .collect();
    let more = messages.len() > limit;
    messages.truncate(limit);
    (messages, more)
}

/// What has to be read for a page of messages: below which seq how many, above which seq how many.
pub(super) struct Sides {
    pub(super) older: Option<(Seq, usize)>,
    pub(super) newer: Option<(Seq, usize)>,
}

impl Sides {
    pub(super) fn of(anchor: Anchor, limit: usize) -> Self {
        match anchor {
            Anchor::End => Self { older: Some((Seq::MAX, limit)), newer: None },
            Anchor::Before(seq) => Self { older: Some((seq, limit)), newer: None },
            Anchor::After(seq) => Self { older: None, newer: Some((seq, limit)) },
            Anchor::Around(seq) => {
                let half = limit / 2;
                Self { older: Some((seq, half)), newer: Some((seq.saturating_sub(1), limit - half)) }
            }
        }
    }
}

/// Puts a page of messages together from what was read of its two sides. `older` is descending.
pub(super) fn history(
    anchor: Anchor,
    (epoch, head): (Epoch, Seq),
    older: Option<(Vec<Message>, bool)>,
    newer: Option<(Vec<Message>, bool)>,
) -> History {
    let (mut messages, has_more_before) =
        older.unwrap_or_else(|| (Vec::new(), matches!(anchor, Anchor::After(seq) if seq > 0)));
    messages.reverse();
    let (newer, has_more_after) = newer.unwrap_or_else(|| (Vec::new(), matches!(anchor, Anchor::Before(_))));
    messages.extend(newer);
    History { messages, events: Vec::new(), epoch, head, has_more_before, has_more_after }
}

/// The most events besides messages in a page of history: as many as it may have messages.
pub(super) const HISTORY_EVENTS: usize = HISTORY_PAGE;

/// The part of the log that a page stands for, from its first seq to its last: up to the neighbouring pages' messages, and
/// where there are none to the end of the log.
pub(super) fn part(anchor: Anchor, page: &History) -> (Seq, Seq) {
    let first = match anchor {
        Anchor::After(seq) => seq.saturating_add(1),
        Anchor::End | Anchor::Before(_) | Anchor::Around(_) if page.has_more_before => {
            page.messages.first().map_or(0, |message| message.seq)
        }
        Anchor::End | Anchor::Before(_) | Anchor::Around(_) => 0,
    };
    let last = match anchor {
        Anchor::Before(seq) => seq.saturating_sub(1),
        Anchor::End | Anchor::After(_) | Anchor::Around(_) if page.has_more_after => {
            page.messages.last().map_or(page.head, |message| message.seq)
        }
        Anchor::End | Anchor::After(_) | Anchor::Around(_) => page.head,
    };
    (first, last)
}
