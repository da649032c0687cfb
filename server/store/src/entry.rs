//! Converts a stored event, from any database, to the types of the protocol.
//!
//! The conversion is total: any row becomes something that can be delivered (G17). A missing value becomes a
//! placeholder, which is logged and counted, and delivery goes on. The adapters read their own row types into the types
//! of this file.

use std::collections::BTreeMap;

use caravana_protocol::limits::{EMOJI_BYTES, EVENT_CHARACTERS, MESSAGE_CHARACTERS, QUOTE_CHARACTERS};
use caravana_protocol::rest::Group;
use caravana_protocol::{
    Columns, Content, Date, Emoji, Event, GroupId, GroupUpdated, MemberJoined, MemberLeft, Message, MessageBody,
    MessageChange, MessageId, Other, PinChanged, Quote, Reaction, ReactionChanged, Role, Seq, Timestamp, UserId,
};
use caravana_telemetry::{Seldom, metrics, user_value};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Appended, NewMessage, StoreError};

/// An event of the log, with the data from other tables that its frame contains. Other programs can remove rows of
/// those tables.
pub struct Entry {
    /// Its position in the group's log.
    pub seq: Seq,
    /// Its kind, as it is named in the log.
    pub kind: String,
    /// The message that it is about.
    pub message_id: Option<MessageId>,
    /// Who caused it.
    pub actor_id: Option<UserId>,
    /// The fields of this kind: a JSON object, or whatever another program has stored.
    pub payload: Option<String>,
    /// When it was committed.
    pub at: Timestamp,
    /// The message that the event is about.
    pub message: MessageState,
    /// The name of the member that the event is about.
    pub display_name: Option<String>,
    /// The group's properties, if the event is about the group.
    pub group: GroupProperties,
}

/// The present state of a message.
#[derive(Default)]
pub struct MessageState {
    /// Whether the message's row exists.
    pub is_stored: bool,
    /// Its author.
    pub user_id: Option<UserId>,
    /// Its text.
    pub text: Option<String>,
    /// When it was written.
    pub created_at: Option<Timestamp>,
    /// `false` after its deletion.
    pub status: bool,
    /// Its position in the group's log.
    pub seq: Option<Seq>,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// When its text was changed last.
    pub edited_at: Option<Timestamp>,
    /// What others see of it besides its text.
    pub extras: Extras,
}

/// What a message has in some groups only: each may be missing, and another program may have written anything into it.
#[derive(Default)]
pub struct Extras {
    /// The mentioned members: a JSON list.
    pub mentions: Option<String>,
    /// Whether it mentions all.
    pub mentions_everyone: bool,
    /// The reactions: a JSON list.
    pub reactions: Option<String>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// The answered message, if it is stored in the same group.
    pub quoted: Option<Quoted>,
}

/// The message that another one answers.
pub struct Quoted {
    /// Its author.
    pub user_id: Option<UserId>,
    /// The beginning of its text.
    pub text: Option<String>,
    /// `false` after its deletion.
    pub status: bool,
}

impl Extras {
    /// Puts them into a message. A deleted message has none but the quote.
    pub fn put_into(self, message: &mut Message) {
        if message.status {
            message.content.mentions =
                self.mentions.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            message.content.mentions_everyone = self.mentions_everyone;
            message.reactions = self.reactions.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            message.pinned = self.pinned;
        }
        if message.content.reply_to.is_some() {
            message.reply = self.quoted.map(|quoted| Quote {
                user_id: quoted.user_id,
                text: quoted.text.filter(|_| quoted.status).map(quote).unwrap_or_default(),
            });
        }
    }
}

/// The beginning of a text, as a reply shows it.
fn quote(text: String) -> String {
    match text.char_indices().nth(QUOTE_CHARACTERS) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

/// The present properties of a group.
#[derive(Default)]
pub struct GroupProperties {
    /// Its name.
    pub name: Option<String>,
    /// Its time zone.
    pub time_zone: Option<String>,
    /// Whether every member may invite.
    pub members_can_invite: Option<bool>,
    /// What is known of the trip.
    pub trip: Trip,
}

/// What a group tells of its trip.
#[derive(Debug, Default)]
pub struct Trip {
    /// The emoji that stands for it.
    pub emoji: Option<String>,
    /// Its first day.
    pub starts_on: Option<Date>,
    /// Its last day.
    pub ends_on: Option<Date>,
}

impl Trip {
    /// Reads the stored texts. What is no emoji or no day was written by another program, and is not shown.
    #[must_use]
    pub fn stored(emoji: Option<&str>, starts_on: Option<&str>, ends_on: Option<&str>) -> Self {
        let day = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let emoji = emoji.and_then(|text| Emoji::parse(text).ok()).map(|emoji| emoji.to_string());
        Self { emoji, starts_on: day(starts_on), ends_on: day(ends_on) }
    }
}

/// The payload fields of the kinds that this build knows. They may have any JSON type, because another program may have
/// written the payload.
#[derive(Default, Deserialize)]
struct Payload {
    role: Option<Value>,
    name: Option<Value>,
    message_seq: Option<Value>,
    emoji: Option<Value>,
    on: Option<Value>,
}

impl Payload {
    fn of(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

impl Entry {
    /// The event in its present state.
    #[must_use]
    pub fn into_event(self, group_id: GroupId) -> Event {
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
                    emoji: self.group.trip.emoji,
                    starts_on: self.group.trip.starts_on,
                    ends_on: self.group.trip.ends_on,
                    at,
                })
            }
            "reaction_changed" => match self.reaction(group_id) {
                Some(change) => Event::ReactionChanged(change),
                None => Event::Other(self.into_other(group_id)),
            },
            "message_pinned" => Event::MessagePinned(self.pin(group_id)),
            "message_unpinned" => Event::MessageUnpinned(self.pin(group_id)),
            _ => Event::Other(self.into_other(group_id)),
        }
    }

    /// `None` if the payload names no emoji.
    fn reaction(&self, group_id: GroupId) -> Option<ReactionChanged> {
        let payload = self.payload();
        let emoji = payload.emoji.as_ref().and_then(Value::as_str).filter(|emoji| emoji.len() <= EMOJI_BYTES)?;
        Some(ReactionChanged {
            group_id,
            seq: self.seq,
            message_id: self.message_id?,
            message_seq: self.message_seq(&payload),
            user_id: self.member(),
            emoji: emoji.to_owned(),
            on: payload.on.as_ref().and_then(Value::as_bool).unwrap_or(true),
            count: self.reactions().into_iter().find(|one| one.emoji == emoji).map_or(0, |one| one.count),
            at: self.at,
        })
    }

    /// The present reactions to the message.
    fn reactions(&self) -> Vec<Reaction> {
        let text = self.message.extras.reactions.as_deref();
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    fn pin(&self, group_id: GroupId) -> PinChanged {
        PinChanged {
            group_id,
            seq: self.seq,
            message_id: self.message_id.unwrap_or_else(|| placeholder(group_id, self.seq)),
            message_seq: self.message_seq(&self.payload()),
            user_id: self.member(),
            at: self.at,
        }
    }

    /// The position of the message that the event is about.
    fn message_seq(&self, payload: &Payload) -> Seq {
        payload.message_seq.as_ref().and_then(Value::as_u64).or(self.message.seq).unwrap_or(self.seq)
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
        let message_seq = self.message_seq(&self.payload());
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
        let body = message.text.filter(|_| status).map(shown).unwrap_or_default();
        let mut whole = Message {
            id,
            user_id: message.user_id.or(self.actor_id),
            group_id,
            content: Content { reply_to: message.reply_to, ..Content::text(body) },
            created_at: message.created_at.unwrap_or(self.at),
            status,
            seq,
            edited_at: message.edited_at.filter(|_| status),
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        message.extras.put_into(&mut whole);
        whole
    }
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<BTreeMap<String, &RawValue>>(text).is_ok()
}

/// A stable placeholder id for a row whose own id is not a UUID. With it clients can still tell the row from others.
#[must_use]
pub fn placeholder(group_id: GroupId, seq: Seq) -> MessageId {
    metrics::placeholder();
    MessageId::new(Uuid::from_u128(group_id.uuid().as_u128() ^ u128::from(seq)))
}

/// The answer to a send that inserted nothing because its id is already stored: the stored row if it is the same
/// message. `text` is the stored text, also of a deleted message. It is compared after the normalization that a new
/// text gets: an earlier version or another program may have stored it without.
pub fn repetition(new: &NewMessage, message: Message, text: &str) -> Result<Appended, StoreError> {
    // After an edit or a deletion the stored text is no longer the one that was sent, but the sender may still wait for
    // the first answer.
    let changed_since = message.edited_at.is_some() || !message.status;
    let same = message.user_id == Some(new.user_id)
        && message.group_id == new.group_id
        && message.content.reply_to == new.content.reply_to
        && (text == new.content.body.as_str()
            || changed_since
            || MessageBody::parse(text).is_ok_and(|kept| kept == new.content.body));
    if same { Ok(Appended { message, duplicate: true }) } else { Err(StoreError::Conflict) }
}

/// The answer to a send that exceeds the rate limit, when its id is already stored as this message.
pub fn repeated(new: &NewMessage, message: Message) -> Result<Appended, StoreError> {
    // For a deleted message the text is not compared.
    let text = message.content.body.clone();
    repetition(new, message, &text)
}

/// The statements of both adapters read one character more than is delivered whole, and contain this number as a
/// literal.
const _: () = assert!(EVENT_CHARACTERS + 1 == 65_537);
/// How many characters of a name or a time zone are delivered, where another program wrote a longer one.
pub const NAME_CHARACTERS: usize = 256;

/// A stored text as it is delivered. A text longer than [`EVENT_CHARACTERS`] would not fit into a mailbox: it is cut to
/// [`MESSAGE_CHARACTERS`].
#[must_use]
pub fn shown(text: String) -> String {
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
#[must_use]
pub fn shown_name(name: String) -> String {
    match name.char_indices().nth(NAME_CHARACTERS) {
        Some((end, _)) => name[..end].to_owned(),
        None => name,
    }
}

/// Sorts groups for a list: the most recently active first.
#[must_use]
pub fn by_activity(mut groups: Vec<Group>) -> Vec<Group> {
    groups.sort_by_key(|group| (std::cmp::Reverse(group.active_at()), group.id));
    groups
}
