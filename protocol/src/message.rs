//! A message as all members see it, and the roles of members.

use serde::{Deserialize, Serialize, Serializer};

use crate::{Content, GroupId, MessageId, Seq, Timestamp, UserId};

/// A message in its present state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Carried")]
pub struct Message {
    /// Primary key and idempotency key.
    pub id: MessageId,
    /// The author; `None` when the author's account is gone or another program wrote the row without one.
    pub user_id: Option<UserId>,
    /// The group whose log it stands in.
    pub group_id: GroupId,
    /// Its current content. The text is empty when the message was deleted: no deleted text is ever sent again.
    pub content: Content,
    /// When it was written, for people to read.
    pub created_at: Timestamp,
    /// `false`: deleted.
    pub status: bool,
    /// Its position in the group's log.
    pub seq: Seq,
    /// When its text was last changed.
    pub edited_at: Option<Timestamp>,
}

impl Message {
    /// The same message in its deleted state.
    #[must_use]
    pub fn deleted(mut self) -> Self {
        self.content.body.clear();
        Self { status: false, edited_at: None, ..self }
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, user_id, group_id, content, created_at, status, seq, edited_at } = self;
        let Content { body, reply_to } = content;
        let written = Written { id, user_id, group_id, message: body, created_at, status, seq, reply_to, edited_at };
        written.serialize(serializer)
    }
}

/// A message as the server sends it. The first six fields are those of the seed, in the seed's order, and clients of
/// the seed find in them what they always found.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = Message))]
struct Written<'a> {
    /// Primary key and idempotency key.
    #[cfg_attr(feature = "openapi", schema(value_type = MessageId))]
    id: &'a MessageId,
    /// The author; `null` when the author's account is gone or another program wrote the row without one.
    #[cfg_attr(feature = "openapi", schema(required = true, value_type = Option<UserId>))]
    user_id: &'a Option<UserId>,
    /// The group whose log it stands in.
    #[cfg_attr(feature = "openapi", schema(value_type = GroupId))]
    group_id: &'a GroupId,
    /// Today's text. Empty when the message was deleted: no deleted text is ever sent again.
    #[cfg_attr(feature = "openapi", schema(example = "¿A qué hora sale el camión?"))]
    message: &'a str,
    /// When it was written, for people to read.
    #[cfg_attr(feature = "openapi", schema(value_type = Timestamp))]
    created_at: &'a Timestamp,
    /// `false`: deleted.
    status: &'a bool,
    /// Its position in the group's log.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 7))]
    seq: &'a Seq,
    /// The message that it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<MessageId>))]
    reply_to: &'a Option<MessageId>,
    /// When its text was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    edited_at: &'a Option<Timestamp>,
}

#[cfg(feature = "openapi")]
impl utoipa::PartialSchema for Message {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
        Written::schema()
    }
}

#[cfg(feature = "openapi")]
impl utoipa::ToSchema for Message {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::Schema>)>) {
        <Written as utoipa::ToSchema>::schemas(schemas);
    }
}

/// A message as it is read, with the fields that only some frames have. One reader for all frames keeps the browser's
/// bundle small. It also needs no `flatten` of serde, which buffers a value before it reads it.
#[derive(Deserialize)]
pub(crate) struct Carried {
    id: MessageId,
    user_id: Option<UserId>,
    group_id: GroupId,
    message: String,
    created_at: Timestamp,
    status: bool,
    seq: Seq,
    reply_to: Option<MessageId>,
    edited_at: Option<Timestamp>,
    /// Only in [`crate::MessageChange`].
    pub(crate) message_seq: Option<Seq>,
    /// Only in [`crate::MessageSent`].
    #[serde(default)]
    pub(crate) duplicate: bool,
}

impl From<Carried> for Message {
    fn from(carried: Carried) -> Self {
        let Carried { id, user_id, group_id, message, created_at, status, seq, reply_to, edited_at, .. } = carried;
        let content = Content { body: message, reply_to };
        Self { id, user_id, group_id, content, created_at, status, seq, edited_at }
    }
}

/// What a member may do in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also removes members and messages, renames the group, invites.
    Admin,
    /// Also gives roles, hands the group over, deletes it. One per group.
    Owner,
}

impl Role {
    /// The word on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    /// The role with this word. An unknown word gives a plain member, which is safe if another program wrote the table.
    #[must_use]
    pub fn from_word(word: &str) -> Self {
        match word {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            _ => Self::Member,
        }
    }

    /// Whether this role may rename the group, remove members and delete others' messages.
    #[must_use]
    pub const fn manages(self) -> bool {
        matches!(self, Self::Admin | Self::Owner)
    }
}
