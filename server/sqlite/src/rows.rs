//! Converts rows to the types of the protocol. The conversion is total: any stored row becomes something that can be
//! delivered (G17). A value that can't be read becomes a placeholder, is logged, and does not stop delivery.

use caravana_protocol::{Content, Epoch, Event, GroupId, Message, Timestamp, UserId};
use sqlx::sqlite::{SqliteTypeInfo, SqliteValueRef};
use sqlx::{FromRow, Sqlite};
use uuid::Uuid;

use caravana_store::entry::{
    Entry, Extras, GroupProperties, MessageState, Quoted, Trip, placeholder, shown, shown_name,
};
use caravana_telemetry::Seldom;

/// The columns of a [`LogRow`]: an event, the message and the user that it is about, and its group. Of a payload, no
/// more is read than fits into a frame. Of a payload with a name, no more is read than is delivered of a name, because
/// another program may have written it.
macro_rules! log_columns {
    () => {
        "e.seq, e.kind, e.message_id, e.actor_id, case when e.kind = 'group_updated' and json_valid(e.payload) \
           then json_object('name', substr(e.payload ->> '$.name', 1, 1025)) \
           else substr(e.payload, 1, 65537) end as payload, e.at, \
         c.id as stored_id, c.user_id, substr(c.message, 1, 65537) as message, c.created_at, c.status, \
         m.seq as message_seq, m.reply_to, m.edited_at, \
         m.mentions, m.mentions_everyone, m.reactions, m.pin_seq, \
         q.id as quoted_id, q.user_id as quoted_user, substr(q.message, 1, 201) as quoted_text, q.status as quoted_status, \
         u.display_name, g.name, cg.time_zone, cg.members_can_invite, cg.emoji, cg.starts_on, cg.ends_on"
    };
}

/// The joins that give an event `e` the rest of [`log_columns`]. They also compare the group: a message that another
/// program has moved to another group is not shown in the old one.
macro_rules! log_joins {
    () => {
        "left join caravana_message m on m.message_id = e.message_id and m.group_id = e.group_id \
         left join group_chat c on c.id = e.message_id and c.group_id = e.group_id \
         left join group_chat q on q.id = m.reply_to and q.group_id = e.group_id \
         left join users u on e.message_id is null and u.id = e.actor_id \
         left join groups g on e.kind = 'group_updated' and g.id = e.group_id \
         left join caravana_group cg on e.kind = 'group_updated' and cg.group_id = e.group_id"
    };
}

/// The columns of a [`MessageRow`].
macro_rules! message_columns {
    () => {
        "c.id, c.user_id, c.group_id, substr(c.message, 1, 65537) as message, c.created_at, c.status, m.seq, m.reply_to, \
         m.edited_at, m.mentions, m.mentions_everyone, m.reactions, m.pin_seq, \
         q.id as quoted_id, q.user_id as quoted_user, substr(q.message, 1, 201) as quoted_text, q.status as quoted_status"
    };
}

/// The tables of [`message_columns`].
macro_rules! message_tables {
    () => {
        "group_chat c join caravana_message m on m.message_id = c.id \
         left join group_chat q on q.id = m.reply_to and q.group_id = c.group_id"
    };
}

pub(super) use {log_columns, log_joins, message_columns, message_tables};

/// A value from a table that other programs also write. SQLite allows any value in any column, so every value is read
/// as text.
pub(super) struct Loose(String);

impl Loose {
    /// The value as a `status` flag.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self.0.as_str(), "" | "0" | "f" | "false")
    }
}

impl std::ops::Deref for Loose {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<Loose> for String {
    fn from(value: Loose) -> Self {
        value.0
    }
}

impl sqlx::Type<Sqlite> for Loose {
    fn type_info() -> SqliteTypeInfo {
        <String as sqlx::Type<Sqlite>>::type_info()
    }

    fn compatible(_: &SqliteTypeInfo) -> bool {
        true
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for Loose {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        // SQLite converts numbers to text here; invalid UTF-8 is replaced.
        let bytes = <&[u8] as sqlx::Decode<'r, Sqlite>>::decode(value)?;
        Ok(Self(String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// The name of a user or a group, cut to the length that is delivered.
pub(super) struct Name(pub(super) String);

impl sqlx::Type<Sqlite> for Name {
    fn type_info() -> SqliteTypeInfo {
        <Loose as sqlx::Type<Sqlite>>::type_info()
    }

    fn compatible(info: &SqliteTypeInfo) -> bool {
        <Loose as sqlx::Type<Sqlite>>::compatible(info)
    }
}

impl<'r> sqlx::Decode<'r, Sqlite> for Name {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(Self(shown_name(Loose::decode(value)?.0)))
    }
}

/// An event, with the data from other tables that its frame contains.
#[derive(FromRow)]
pub(super) struct LogRow {
    pub(super) seq: Option<i64>,
    kind: Option<Loose>,
    message_id: Option<Loose>,
    actor_id: Option<Loose>,
    payload: Option<Loose>,
    at: Option<Loose>,
    #[sqlx(flatten)]
    message: MessageColumns,
    display_name: Option<Loose>,
    #[sqlx(flatten)]
    group: GroupColumns,
}

/// The message that an event is about.
#[derive(FromRow)]
struct MessageColumns {
    stored_id: Option<Loose>,
    user_id: Option<Loose>,
    message: Option<Loose>,
    created_at: Option<Loose>,
    status: Option<Loose>,
    message_seq: Option<i64>,
    reply_to: Option<Loose>,
    edited_at: Option<Loose>,
    #[sqlx(flatten)]
    extras: ExtraColumns,
}

/// What a message has in some groups only.
#[derive(Default, FromRow)]
pub(super) struct ExtraColumns {
    mentions: Option<Loose>,
    mentions_everyone: Option<bool>,
    reactions: Option<Loose>,
    pin_seq: Option<i64>,
    quoted_id: Option<Loose>,
    quoted_user: Option<Loose>,
    quoted_text: Option<Loose>,
    quoted_status: Option<Loose>,
}

/// The group that an event is about.
#[derive(FromRow)]
struct GroupColumns {
    name: Option<Loose>,
    time_zone: Option<Loose>,
    members_can_invite: Option<bool>,
    #[sqlx(flatten)]
    trip: TripColumns,
}

/// What is stored of a group's trip.
#[derive(FromRow)]
pub(super) struct TripColumns {
    emoji: Option<Loose>,
    starts_on: Option<Loose>,
    ends_on: Option<Loose>,
}

impl TripColumns {
    pub(super) fn into_trip(self) -> Trip {
        Trip::stored(self.emoji.as_deref(), self.starts_on.as_deref(), self.ends_on.as_deref())
    }
}

impl LogRow {
    /// The event in its present state; `None` for the empty right side of an outer join.
    pub(super) fn into_event(self, group_id: GroupId) -> Option<Event> {
        let entry = Entry {
            seq: unsigned(self.seq?),
            kind: self.kind.map(String::from).unwrap_or_default(),
            message_id: self.message_id.as_deref().and_then(|id| id.parse().ok()),
            actor_id: user(self.actor_id.as_deref()),
            payload: self.payload.map(String::from),
            at: time(self.at.as_deref()),
            message: self.message.into_state(),
            display_name: self.display_name.map(String::from),
            group: self.group.into_state(),
        };
        Some(entry.into_event(group_id))
    }
}

impl MessageColumns {
    fn into_state(self) -> MessageState {
        MessageState {
            is_stored: self.stored_id.is_some(),
            user_id: user(self.user_id.as_deref()),
            text: self.message.map(String::from),
            created_at: self.created_at.as_deref().map(|text| time(Some(text))),
            status: self.status.as_ref().is_none_or(Loose::is_true),
            seq: self.message_seq.map(unsigned),
            reply_to: self.reply_to.as_deref().and_then(|id| id.parse().ok()),
            edited_at: self.edited_at.as_deref().map(|text| time(Some(text))),
            extras: self.extras.into_extras(),
        }
    }
}

impl ExtraColumns {
    pub(super) fn into_extras(self) -> Extras {
        let Self { quoted_user, quoted_text, quoted_status, .. } = self;
        Extras {
            mentions: self.mentions.map(String::from),
            mentions_everyone: self.mentions_everyone.unwrap_or(false),
            reactions: self.reactions.map(String::from),
            pinned: self.pin_seq.is_some(),
            quoted: self.quoted_id.map(|_| Quoted {
                user_id: user(quoted_user.as_deref()),
                text: quoted_text.map(String::from),
                status: quoted_status.as_ref().is_none_or(Loose::is_true),
            }),
        }
    }
}

impl GroupColumns {
    fn into_state(self) -> GroupProperties {
        GroupProperties {
            name: self.name.map(String::from),
            time_zone: self.time_zone.map(String::from),
            members_can_invite: self.members_can_invite,
            trip: self.trip.into_trip(),
        }
    }
}

/// A message with its position.
#[derive(FromRow)]
pub(super) struct MessageRow {
    id: Loose,
    user_id: Option<Loose>,
    group_id: Option<Loose>,
    message: Loose,
    created_at: Option<Loose>,
    status: Option<Loose>,
    seq: i64,
    reply_to: Option<Loose>,
    edited_at: Option<Loose>,
    #[sqlx(flatten)]
    extras: ExtraColumns,
}

impl MessageRow {
    /// The stored text, also of a deleted message. It never leaves the adapter.
    pub(super) fn text(&self) -> &str {
        &self.message
    }

    /// The id as it is stored, valid or not.
    pub(super) fn stored_id(&self) -> &str {
        &self.id
    }

    /// The message in its present state.
    pub(super) fn into_message(self) -> Message {
        let group_id =
            self.group_id.as_deref().and_then(|id| id.parse().ok()).unwrap_or_else(|| GroupId::new(Uuid::nil()));
        let seq = unsigned(self.seq);
        let status = self.status.as_ref().is_none_or(Loose::is_true);
        let body = if status { shown(self.message.into()) } else { String::new() };
        let reply_to = self.reply_to.as_deref().and_then(|id| id.parse().ok());
        let mut message = Message {
            id: self.id.parse().unwrap_or_else(|_| placeholder(group_id, seq)),
            user_id: user(self.user_id.as_deref()),
            group_id,
            content: Content { reply_to, ..Content::text(body) },
            created_at: time(self.created_at.as_deref()),
            status,
            seq,
            edited_at: self.edited_at.as_deref().filter(|_| status).map(|text| time(Some(text))),
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        self.extras.into_extras().put_into(&mut message);
        message
    }
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn user(id: Option<&str>) -> Option<UserId> {
    id.and_then(|id| id.parse().ok())
}

/// Parses an epoch. The database stores it without hyphens; the protocol writes it with hyphens.
pub(super) fn epoch(text: &str) -> Epoch {
    Epoch::new(Uuid::try_parse(text).unwrap_or_else(|_| {
        static UNREADABLE: Seldom = Seldom::new();
        if let Some(times) = UNREADABLE.happened() {
            tracing::warn!(times, "a group's epoch can't be read; all groups with such a one share the empty epoch");
        }
        Uuid::nil()
    }))
}

/// Reads RFC 3339, and also what `datetime('now')` and other programs write: a space instead of the `T`, and no zone.
pub(super) fn time(text: Option<&str>) -> Timestamp {
    let Some(text) = text else { return Timestamp::from_unix_micros(0) };
    text.parse().or_else(|_| format!("{}Z", text.replacen(' ', "T", 1)).parse()).unwrap_or_else(|_| {
        static UNREADABLE: Seldom = Seldom::new();
        if let Some(times) = UNREADABLE.happened() {
            tracing::warn!(times, "a stored time can't be read and is shown as 1970");
        }
        Timestamp::from_unix_micros(0)
    })
}
