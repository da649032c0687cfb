//! Converts a stored event, from any database, to the types of the protocol.
//!
//! The conversion is total: any row becomes something that can be delivered (G17). A missing value becomes a
//! placeholder, which is logged and counted, and delivery goes on. The adapters read their own row types into the types
//! of this file.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::pin::pin;

use caravana_protocol::limits::{
    EVENT_CHARACTERS, HISTORY_PAGE, HISTORY_PAGE_BYTES, MESSAGE_CHARACTERS, REPLAY_PAGE_EVENTS,
};
use caravana_protocol::rest::Group;
use caravana_protocol::{
    Columns, Content, Epoch, Event, GroupId, GroupUpdated, MemberJoined, MemberLeft, Message, MessageBody,
    MessageChange, MessageId, Other, Role, Seq, Timestamp, UserId,
};
use futures::{Stream, TryStreamExt as _};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Anchor, Appended, Draft, History, Page, StoreError};
use crate::metrics;
use crate::telemetry::{Seldom, user_value};

/// An event of the log, with the data from other tables that its frame contains. Other programs can remove rows of
/// those tables.
pub(super) struct Entry {
    pub(super) seq: Seq,
    pub(super) kind: String,
    pub(super) message_id: Option<MessageId>,
    pub(super) actor_id: Option<UserId>,
    /// The fields of this kind: a JSON object, or whatever another program has stored.
    pub(super) payload: Option<String>,
    pub(super) at: Timestamp,
    /// The message that the event is about.
    pub(super) message: MessageState,
    /// The name of the member that the event is about.
    pub(super) display_name: Option<String>,
    /// The group's properties, if the event is about the group.
    pub(super) group: GroupProperties,
}

/// The present state of a message.
#[derive(Default)]
pub(super) struct MessageState {
    /// Whether the message's row exists.
    pub(super) is_stored: bool,
    pub(super) user_id: Option<UserId>,
    pub(super) text: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) status: bool,
    pub(super) seq: Option<Seq>,
    pub(super) reply_to: Option<MessageId>,
    pub(super) edited_at: Option<Timestamp>,
}

/// The present properties of a group.
#[derive(Default)]
pub(super) struct GroupProperties {
    pub(super) name: Option<String>,
    pub(super) time_zone: Option<String>,
    pub(super) members_can_invite: Option<bool>,
}

/// The payload fields of the kinds that this build knows. They may have any JSON type, because another program may have
/// written the payload.
#[derive(Default, Deserialize)]
struct Payload {
    role: Option<Value>,
    name: Option<Value>,
    message_seq: Option<Value>,
}

impl Payload {
    fn of(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

impl Entry {
    /// The event in its present state.
    pub(super) fn into_event(self, group_id: GroupId) -> Event {
        let (seq, at) = (self.seq, self.at);
        match self.kind.as_str() {
            "new_message" => Event::NewMessage(self.into_message(group_id)),
            "message_edited" => Event::MessageEdited(self.into_change(group_id)),
            "message_deleted" => Event::MessageDeleted(self.into_change(group_id)),
            "member_joined" => Event::MemberJoined(MemberJoined {
                group_id,
                seq,
                user_id: self.member(),
                role: self.payload().role.as_ref().and_then(Value::as_str).map_or(Role::Member, Role::from_word),
                display_name: self.display_name.map(shown_name).unwrap_or_default(),
                at,
            }),
            "member_left" => Event::MemberLeft(MemberLeft {
                group_id,
                seq,
                user_id: self.member(),
                display_name: self.display_name.map(shown_name).unwrap_or_default(),
                at,
            }),
            "group_updated" => {
                let name = self.payload().name;
                let renamed = name.as_ref().and_then(Value::as_str).filter(|name| !name.trim().is_empty());
                Event::GroupUpdated(GroupUpdated {
                    group_id,
                    seq,
                    renamed: renamed.map(|name| shown_name(name.to_owned())),
                    name: self.group.name.map(shown_name).unwrap_or_default(),
                    time_zone: self.group.time_zone.map(shown_name),
                    members_can_invite: self.group.members_can_invite.unwrap_or(true),
                    at,
                })
            }
            _ => Event::Other(self.into_other(group_id)),
        }
    }

    /// An event of a kind that this build does not know is delivered as it is stored.
    fn into_other(self, group_id: GroupId) -> Other {
        let Self { seq, kind, message_id, actor_id, payload, at, .. } = self;
        let fields = payload.as_deref().filter(|text| is_object(text));
        if fields.is_none() && payload.is_some() {
            static BROKEN: Seldom = Seldom::new();
            metrics::placeholder();
            if let Some(times) = BROKEN.happened() {
                let kind = user_value(&kind);
                tracing::warn!(%group_id, seq, kind, times, "an event goes out without its payload, which is no JSON object");
            }
        }
        Other::stored(group_id, seq, &kind, Columns { message_id, actor_id, at }, fields)
    }

    fn payload(&self) -> Payload {
        Payload::of(self.payload.as_deref())
    }

    /// The member that the event is about; the nil UUID if the row names none.
    fn member(&self) -> UserId {
        self.actor_id.unwrap_or_else(|| UserId::new(Uuid::nil()))
    }

    fn into_change(self, group_id: GroupId) -> MessageChange {
        let own_seq = self.payload().message_seq.as_ref().and_then(Value::as_u64);
        let message_seq = own_seq.or(self.message.seq).unwrap_or(self.seq);
        let deleted = self.kind == "message_deleted";
        let message = self.into_message(group_id);
        MessageChange { message: if deleted { message.deleted() } else { message }, message_seq }
    }

    fn into_message(self, group_id: GroupId) -> Message {
        let (seq, message) = (self.seq, self.message);
        let id = self.message_id.unwrap_or_else(|| {
            static NAMELESS: Seldom = Seldom::new();
            if let Some(times) = NAMELESS.happened() {
                tracing::warn!(%group_id, seq, times, "a message without a readable id gets a placeholder");
            }
            placeholder(group_id, seq)
        });
        let status = message.is_stored && message.status;
        Message {
            id,
            user_id: message.user_id.or(self.actor_id),
            group_id,
            content: Content {
                body: message.text.filter(|_| status).map(shown).unwrap_or_default(),
                reply_to: message.reply_to,
            },
            created_at: message.created_at.unwrap_or(self.at),
            status,
            seq,
            edited_at: message.edited_at.filter(|_| status),
        }
    }
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, &RawValue>>(text).is_ok()
}

/// A stable placeholder id for a row whose own id is not a UUID. With it clients can still tell the row from others.
pub(super) fn placeholder(group_id: GroupId, seq: Seq) -> MessageId {
    metrics::placeholder();
    MessageId::new(Uuid::from_u128(group_id.uuid().as_u128() ^ u128::from(seq)))
}

/// The answer to a send that inserted nothing because its id is already stored: the stored row if it is the same
/// message. `text` is the stored text, also of a deleted message. It is compared after the normalization that a new
/// text gets: an earlier version or another program may have stored it without.
pub(super) fn repetition(draft: &Draft, message: Message, text: &str) -> Result<Appended, StoreError> {
    // After an edit or a deletion the stored text is no longer the one that was sent, but the sender may still wait for
    // the first answer.
    let changed_since = message.edited_at.is_some() || !message.status;
    let same = message.user_id == Some(draft.user_id)
        && message.group_id == draft.group_id
        && message.content.reply_to == draft.content.reply_to
        && (text == draft.content.body.as_str()
            || changed_since
            || MessageBody::parse(text).is_ok_and(|kept| kept == draft.content.body));
    if same { Ok(Appended { message, duplicate: true }) } else { Err(StoreError::Conflict) }
}

/// The answer to a send that exceeds the rate limit, when its id is already stored as this message.
pub(crate) fn repeated(draft: &Draft, message: Message) -> Result<Appended, StoreError> {
    // For a deleted message the text is not compared.
    let text = message.content.body.clone();
    repetition(draft, message, &text)
}

/// The number of rows of one page.
pub(super) fn page_limit() -> i64 {
    i64::try_from(REPLAY_PAGE_EVENTS).unwrap_or(i64::MAX)
}

/// A page of the log: the events after a seq, and the group's epoch and head. It takes as many events as fit into
/// `most` bytes of frames, but at least one, and reads no further rows. `None` when there is no row at all.
pub(super) async fn page(
    rows: impl Stream<Item = Result<(Epoch, Seq, Option<Event>), sqlx::Error>> + Send,
    most: usize,
) -> Result<Option<Page>, StoreError> {
    let mut rows = pin!(rows);
    let mut page = None;
    let mut bytes = 0;
    while let Some((epoch, head, event)) = rows.try_next().await? {
        let Page { events, .. } = page.get_or_insert_with(|| Page { events: Vec::new(), epoch, head });
        let Some(event) = event else { continue };
        bytes += weight(&event);
        if bytes > most && !events.is_empty() {
            break;
        }
        events.push(event);
    }
    Ok(page)
}

/// An upper bound for the bytes of an event's frame without its texts.
const ENVELOPE: usize = 420;

/// An upper bound for the bytes of the event's frame.
fn weight(event: &Event) -> usize {
    let texts = match event {
        Event::NewMessage(message) => json_length(&message.content.body),
        Event::MessageEdited(change) | Event::MessageDeleted(change) => json_length(&change.message.content.body),
        Event::MemberJoined(joined) => json_length(&joined.display_name),
        Event::MemberLeft(left) => json_length(&left.display_name),
        Event::GroupUpdated(group) => {
            let given = [&group.time_zone, &group.renamed].into_iter().flatten();
            json_length(&group.name) + given.map(|text| json_length(text)).sum::<usize>()
        }
        // The payload is already JSON.
        Event::Other(other) => other.payload().len(),
    };
    ENVELOPE + texts
}

/// The bytes of a text as a JSON string, without the quotes.
fn json_length(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 1,
        0x00..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escaped).sum::<usize>()
}

/// The statements of both adapters read one character more than is delivered whole, and contain this number as a
/// literal.
const _: () = assert!(EVENT_CHARACTERS + 1 == 65_537);
/// How many characters of a name or a time zone are delivered, where another program wrote a longer one.
const NAME_CHARACTERS: usize = 256;

/// A stored text as it is delivered. A text longer than [`EVENT_CHARACTERS`] would not fit into a mailbox: it is cut to
/// [`MESSAGE_CHARACTERS`].
pub(super) fn shown(text: String) -> String {
    static CUT: Seldom = Seldom::new();
    // A text never has more characters than bytes.
    if text.len() <= EVENT_CHARACTERS || text.chars().nth(EVENT_CHARACTERS).is_none() {
        return text;
    }
    metrics::placeholder();
    if let Some(times) = CUT.happened() {
        tracing::warn!(times, "of a message that is too long for a frame its beginning is shown");
    }
    text.chars().take(MESSAGE_CHARACTERS - 1).chain(['…']).collect()
}

/// The same for a name or a time zone. Used wherever another program may have written the value.
pub(super) fn shown_name(name: String) -> String {
    match name.char_indices().nth(NAME_CHARACTERS) {
        Some((end, _)) => name[..end].to_owned(),
        None => name,
    }
}

/// Sorts groups for a list: the most recently active first.
pub(super) fn by_activity(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by_key(|group| (std::cmp::Reverse(group.active_at()), group.id));
    groups
}

/// The messages on one side of a seq, and whether there are more. `found` has one row more than `limit`. Stops reading
/// at `limit` messages, or when the messages fill a page's bytes.
pub(super) async fn side(
    found: impl Stream<Item = Result<Option<Event>, sqlx::Error>> + Send,
    limit: usize,
) -> Result<(Vec<Message>, bool), StoreError> {
    let mut found = pin!(found);
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while let Some(event) = found.try_next().await? {
        let Some(event) = event else { continue };
        bytes += weight(&event);
        let Event::NewMessage(message) = event else { continue };
        if messages.len() == limit || bytes > HISTORY_PAGE_BYTES && !messages.is_empty() {
            return Ok((messages, true));
        }
        messages.push(message);
    }
    Ok((messages, false))
}

/// The two reads for a page of messages: how many messages below which seq, and how many above which seq.
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

/// Combines the two sides into a page of messages. `older` is in descending order.
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

/// The most other events in a page of history: as many as the page may have messages.
pub(super) const HISTORY_EVENTS: usize = HISTORY_PAGE;

/// The other events in the part of the log that a page of messages covers, ascending. `found` is in descending order.
pub(super) async fn besides(
    found: impl Stream<Item = Result<Option<Event>, sqlx::Error>> + Send,
) -> Result<Vec<Event>, StoreError> {
    // Rows are converted one by one: the cut-off rest of a row is freed before the next row is read.
    let mut events: Vec<Event> = found.try_filter_map(async |event| Ok(event)).try_collect().await?;
    events.reverse();
    Ok(events)
}

/// The other events need no limit in bytes: with names cut to [`NAME_CHARACTERS`] they are never more than this.
const _: () = assert!(HISTORY_EVENTS * (ENVELOPE + 3 * NAME_CHARACTERS * 6) < HISTORY_PAGE_BYTES / 4);

/// The part of the log that a page covers, from its first seq to its last. It reaches to the next message of the page
/// itself where there are more messages on that side, and otherwise to the end of the log.
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
