//! A message as all members see it, and the roles of members.

use serde::{Deserialize, Serialize, Serializer};

use crate::{Content, GroupId, MessageId, Reaction, Seq, Timestamp, UserId};

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
    /// The message that it answers, as that one is now.
    pub reply: Option<Quote>,
    /// The reactions to it, in the order of the first use of each emoji.
    pub reactions: Vec<Reaction>,
    /// Whether it is pinned in its group.
    pub pinned: bool,
}

/// What a reply shows of the message that it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quote {
    /// Its author; `null` when the author's account is gone.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub user_id: Option<UserId>,
    /// The first [`crate::limits::QUOTE_CHARACTERS`] characters of its present text; empty when it was deleted.
    pub text: String,
}

impl Message {
    /// The same message in its deleted state: without its text, and without what others added to it.
    #[must_use]
    pub fn deleted(self) -> Self {
        let Content { reply_to, .. } = self.content;
        let content = Content { reply_to, ..Content::text(String::new()) };
        Self { content, status: false, edited_at: None, reactions: Vec::new(), pinned: false, ..self }
    }

    /// What a reply to it shows.
    #[must_use]
    pub fn quote(&self) -> Quote {
        let text = self.content.body.chars().take(crate::limits::QUOTE_CHARACTERS).collect();
        Quote { user_id: self.user_id, text }
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { id, user_id, group_id, content, created_at, status, seq, edited_at, reply, reactions, pinned } =
            self;
        let Content { body, reply_to, mentions, mentions_everyone } = content;
        Written {
            id,
            user_id,
            group_id,
            message: body,
            created_at,
            status,
            seq,
            reply_to,
            reply,
            edited_at,
            mentions,
            mentions_everyone: *mentions_everyone,
            reactions,
            pinned: *pinned,
        }
        .serialize(serializer)
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
    /// That message as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Quote>))]
    reply: &'a Option<Quote>,
    /// When its text was last changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Timestamp>))]
    edited_at: &'a Option<Timestamp>,
    /// The members that it mentions; left out where there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<UserId>, required = false))]
    mentions: &'a [UserId],
    /// Whether it mentions all members; left out where it does not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    mentions_everyone: bool,
    /// The reactions, in the order of the first use of each emoji; left out where there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Reaction>, required = false))]
    reactions: &'a [Reaction],
    /// Whether it is pinned; left out where it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pinned: bool,
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
#[expect(clippy::struct_excessive_bools, reason = "the fields of the frames, as they are written")]
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
    reply: Option<Quote>,
    #[serde(default)]
    mentions: Vec<UserId>,
    #[serde(default)]
    mentions_everyone: bool,
    #[serde(default)]
    reactions: Vec<Reaction>,
    #[serde(default)]
    pinned: bool,
    /// Only in [`crate::MessageChange`].
    pub(crate) message_seq: Option<Seq>,
    /// Only in [`crate::MessageSent`].
    #[serde(default)]
    pub(crate) duplicate: bool,
    /// Only in [`crate::rest::LastMessage`].
    pub(crate) display_name: Option<String>,
}

impl From<Carried> for Message {
    fn from(carried: Carried) -> Self {
        let Carried { mentions, mentions_everyone, reply_to, .. } = carried;
        let content = Content { body: carried.message, reply_to, mentions, mentions_everyone };
        Self {
            id: carried.id,
            user_id: carried.user_id,
            group_id: carried.group_id,
            content,
            created_at: carried.created_at,
            status: carried.status,
            seq: carried.seq,
            edited_at: carried.edited_at,
            reply: carried.reply,
            reactions: carried.reactions,
            pinned: carried.pinned,
        }
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
