//! Converts rows to the types of the protocol. The conversion is total: any stored row becomes something that can be
//! delivered (G17).
//!
//! Columns have types here, so less can go wrong than in SQLite: only a text in a database without an encoding, or a
//! time out of range. Times are read as microseconds; a time outside the years of our era is read as null.

use caravana_protocol::{Content, Event, GroupId, Message, MessageId, Seq, Timestamp, UserId};
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{FromRow, Postgres};
use time::OffsetDateTime;
use uuid::Uuid;

use caravana_store::entry::{Entry, Extras, GroupProperties, MessageState, Quoted, Trip, shown, shown_name};

/// The expression for a column's microseconds since 1970, or null.
macro_rules! micros {
    ($column:literal) => {
        concat!(
            "(extract(epoch from case when ",
            $column,
            " between timestamptz '0001-01-01 00:00:00+00' and timestamptz '9999-12-31 23:59:59+00' then ",
            $column,
            " end) * 1000000)::bigint"
        )
    };
}

/// The columns of a [`LogRow`]: an event, the message and the user that it is about, and its group. Of a payload, no
/// more is read than fits into a frame. Of a payload with a name, no more is read than is delivered of a name, because
/// another program may have written it.
macro_rules! log_columns {
    () => {
        concat!(
            "e.seq, e.kind, e.message_id, e.actor_id, case when e.kind = 'group_updated' \
               then jsonb_build_object('name', left(e.payload ->> 'name', 1025))::text \
               else left(e.payload::text, 65537) end as payload, ",
            micros!("e.at"),
            " as at, c.id as stored_id, c.user_id, left(c.message::text, 65537) as message, ",
            micros!("c.created_at"),
            " as created_at, c.status, m.seq as message_seq, m.reply_to, ",
            micros!("m.edited_at"),
            " as edited_at, m.mentions::text as mentions, m.mentions_everyone, m.reactions::text as reactions, m.pin_seq, q.id as quoted_id, \
             q.user_id as quoted_user, left(q.message::text, 201) as quoted_text, q.status as quoted_status, \
             u.display_name, g.name, cg.time_zone, cg.members_can_invite, cg.emoji, cg.starts_on, cg.ends_on"
        )
    };
}

/// The joins that give an event `e` the rest of [`log_columns`]. Each row is looked up by its key: the limit of one
/// keeps the planner from scanning whole tables for a page, which it would do right after a bulk insert. The joins also
/// compare the group: a message that another program has moved to another group is not shown in the old one.
macro_rules! log_joins {
    () => {
        "left join lateral (select m.seq, m.reply_to, m.edited_at, m.mentions, m.mentions_everyone, m.reactions, m.pin_seq \
           from caravana.message m \
           where m.message_id = e.message_id and m.group_id = e.group_id limit 1) m on true \
         left join lateral (select c.id, c.user_id, c.message, c.created_at, c.status from public.group_chat c \
           where c.id = e.message_id and c.group_id = e.group_id limit 1) c on true \
         left join lateral (select q.id, q.user_id, q.message, q.status from public.group_chat q \
           where q.id = m.reply_to and q.group_id = e.group_id limit 1) q on true \
         left join lateral (select {user name} as display_name from public.users u \
           where e.message_id is null and u.id = e.actor_id limit 1) u on true \
         left join lateral (select {group name} as name from public.groups g \
           where e.kind = 'group_updated' and g.id = e.group_id limit 1) g on true \
         left join lateral (select cg.time_zone, cg.members_can_invite, cg.emoji, cg.starts_on, cg.ends_on \
           from caravana.\"group\" cg \
           where e.kind = 'group_updated' and cg.group_id = e.group_id limit 1) cg on true"
    };
}

/// The columns of a [`MessageRow`].
macro_rules! message_columns {
    () => {
        concat!(
            "m.message_id, c.id as stored_id, c.user_id, m.group_id, left(c.message::text, 65537) as message, ",
            micros!("c.created_at"),
            " as created_at, c.status, m.seq, m.reply_to, ",
            micros!("m.edited_at"),
            " as edited_at, m.mentions::text as mentions, m.mentions_everyone, m.reactions::text as reactions, m.pin_seq, q.id as quoted_id, \
             q.user_id as quoted_user, left(q.message::text, 201) as quoted_text, q.status as quoted_status"
        )
    };
}

/// The join that gives a message `m` the quoted columns of [`message_columns`].
macro_rules! message_joins {
    () => {
        "left join public.group_chat q on q.id = m.reply_to and q.group_id = m.group_id"
    };
}

pub(super) use {log_columns, log_joins, message_columns, message_joins, micros};

/// A text from a table that other programs also write. A database without an encoding may hold any bytes; invalid UTF-8
/// is replaced.
#[derive(Debug, Clone)]
pub(super) struct Loose(pub(super) String);

impl sqlx::Type<Postgres> for Loose {
    fn type_info() -> PgTypeInfo {
        <String as sqlx::Type<Postgres>>::type_info()
    }

    fn compatible(info: &PgTypeInfo) -> bool {
        <String as sqlx::Type<Postgres>>::compatible(info)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for Loose {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(Self(String::from_utf8_lossy(value.as_bytes()?).into_owned()))
    }
}

/// The name of a user or a group, cut to the length that is delivered.
#[derive(Debug)]
pub(super) struct Name(pub(super) String);

impl sqlx::Type<Postgres> for Name {
    fn type_info() -> PgTypeInfo {
        <Loose as sqlx::Type<Postgres>>::type_info()
    }

    fn compatible(info: &PgTypeInfo) -> bool {
        <Loose as sqlx::Type<Postgres>>::compatible(info)
    }
}

impl<'r> sqlx::Decode<'r, Postgres> for Name {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        Ok(Self(shown_name(Loose::decode(value)?.0)))
    }
}

/// An event, with the data from other tables that its frame contains.
#[derive(FromRow)]
pub(super) struct LogRow {
    seq: Option<i64>,
    kind: Option<Loose>,
    message_id: Option<Uuid>,
    actor_id: Option<Uuid>,
    payload: Option<Loose>,
    at: Option<i64>,
    #[sqlx(flatten)]
    message: MessageColumns,
    display_name: Option<Loose>,
    #[sqlx(flatten)]
    group: GroupColumns,
}

/// The message that an event is about.
#[derive(FromRow)]
struct MessageColumns {
    stored_id: Option<Uuid>,
    user_id: Option<Uuid>,
    message: Option<Loose>,
    created_at: Option<i64>,
    status: Option<bool>,
    message_seq: Option<i64>,
    reply_to: Option<Uuid>,
    edited_at: Option<i64>,
    #[sqlx(flatten)]
    extras: ExtraColumns,
}

/// What a message has in some groups only.
#[derive(Clone, Default, FromRow)]
pub(super) struct ExtraColumns {
    mentions: Option<String>,
    mentions_everyone: Option<bool>,
    reactions: Option<String>,
    pin_seq: Option<i64>,
    quoted_id: Option<Uuid>,
    quoted_user: Option<Uuid>,
    quoted_text: Option<Loose>,
    quoted_status: Option<bool>,
}

impl ExtraColumns {
    pub(super) fn into_extras(self) -> Extras {
        let Self { quoted_user, quoted_text, quoted_status, .. } = self;
        Extras {
            mentions: self.mentions,
            mentions_everyone: self.mentions_everyone.unwrap_or(false),
            reactions: self.reactions,
            pinned: self.pin_seq.is_some(),
            quoted: self.quoted_id.map(|_| Quoted {
                user_id: quoted_user.map(UserId::new),
                text: quoted_text.map(|text| text.0),
                status: quoted_status.unwrap_or(true),
            }),
        }
    }
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
        let text = |column: &Option<Loose>| column.as_ref().map(|text| text.0.clone());
        let (emoji, starts_on, ends_on) = (text(&self.emoji), text(&self.starts_on), text(&self.ends_on));
        Trip::stored(emoji.as_deref(), starts_on.as_deref(), ends_on.as_deref())
    }
}

impl LogRow {
    /// The event in its present state; `None` for the empty right side of an outer join.
    pub(super) fn into_event(self, group_id: GroupId) -> Option<Event> {
        let entry = Entry {
            seq: unsigned(self.seq?),
            kind: self.kind.map(|kind| kind.0).unwrap_or_default(),
            message_id: self.message_id.map(MessageId::new),
            actor_id: self.actor_id.map(UserId::new),
            payload: self.payload.map(|payload| payload.0),
            at: moment(self.at),
            message: self.message.into_state(),
            display_name: self.display_name.map(|name| name.0),
            group: self.group.into_state(),
        };
        Some(entry.into_event(group_id))
    }
}

impl MessageColumns {
    fn into_state(self) -> MessageState {
        MessageState {
            is_stored: self.stored_id.is_some(),
            user_id: self.user_id.map(UserId::new),
            text: self.message.map(|text| text.0),
            created_at: self.created_at.map(Timestamp::from_unix_micros),
            status: self.status.unwrap_or(true),
            seq: self.message_seq.map(unsigned),
            reply_to: self.reply_to.map(MessageId::new),
            edited_at: self.edited_at.map(Timestamp::from_unix_micros),
            extras: self.extras.into_extras(),
        }
    }
}

impl GroupColumns {
    fn into_state(self) -> GroupProperties {
        GroupProperties {
            name: self.name.map(|name| name.0),
            time_zone: self.time_zone.map(|zone| zone.0),
            members_can_invite: self.members_can_invite,
            trip: self.trip.into_trip(),
        }
    }
}

/// A place in a log, with its message if the message's row exists.
#[derive(FromRow)]
pub(super) struct MessageRow {
    message_id: Uuid,
    stored_id: Option<Uuid>,
    user_id: Option<Uuid>,
    group_id: Uuid,
    message: Option<Loose>,
    created_at: Option<i64>,
    status: Option<bool>,
    seq: i64,
    reply_to: Option<Uuid>,
    edited_at: Option<i64>,
    #[sqlx(flatten)]
    extras: ExtraColumns,
}

impl MessageRow {
    pub(super) fn id(&self) -> MessageId {
        MessageId::new(self.message_id)
    }

    pub(super) fn seq(&self) -> Seq {
        unsigned(self.seq)
    }

    /// Whether the message's row exists, and not only its place in the log.
    pub(super) fn is_stored(&self) -> bool {
        self.stored_id.is_some()
    }

    /// The stored text, also of a deleted message. It never leaves the adapter.
    pub(super) fn text(&self) -> &str {
        self.message.as_ref().map_or("", |text| text.0.as_str())
    }

    /// The message in its present state.
    pub(super) fn to_message(&self) -> Message {
        let status = self.status.unwrap_or(true);
        let body = if status { shown(self.text().to_owned()) } else { String::new() };
        let mut message = Message {
            id: self.id(),
            user_id: self.user_id.map(UserId::new),
            group_id: GroupId::new(self.group_id),
            content: Content { reply_to: self.reply_to.map(MessageId::new), ..Content::text(body) },
            created_at: moment(self.created_at),
            status,
            seq: self.seq(),
            edited_at: self.edited_at.filter(|_| status).map(Timestamp::from_unix_micros),
            reply: None,
            reactions: Vec::new(),
            pinned: false,
        };
        self.extras.clone().into_extras().put_into(&mut message);
        message
    }
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Converts a time; one that can't be read is shown as 1970.
pub(super) fn moment(micros: Option<i64>) -> Timestamp {
    Timestamp::from_unix_micros(micros.unwrap_or(0))
}

/// A time as a parameter of a statement.
pub(super) fn bound(moment: Timestamp) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(moment.unix_micros()) * 1_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
