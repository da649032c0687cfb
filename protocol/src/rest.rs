//! Types of the REST interface, shared by the server that answers and the page that asks.
//!
//! With the feature `openapi` each type also has its schema, with its bounds. The server makes its OpenAPI document
//! from the schemas; the browser's bundle is built without them.

#[cfg(feature = "openapi")]
pub mod schemas;

use serde::{Deserialize, Serialize};

use crate::{Epoch, Event, GroupId, InviteId, Message, MessageId, Role, Seq, Timestamp, UserId};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The name that others see.
    #[cfg_attr(feature = "openapi", schema(example = "Ana"))]
    pub display_name: String,
    /// Only in answers to the person itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "ana@example.org"))]
    pub email: Option<String>,
}

/// A group as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Group {
    /// The group's id.
    pub id: GroupId,
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "Oaxaca en abril"))]
    pub name: String,
    /// The time zone of the trip, an IANA name.
    #[cfg_attr(feature = "openapi", schema(required = true, example = "America/Mexico_City"))]
    pub time_zone: Option<String>,
    /// The asking member's role.
    pub role: Role,
    /// How many members it has.
    pub member_count: u64,
    /// Whether plain members may invite.
    pub members_can_invite: bool,
    /// The history that `head` counts in.
    pub epoch: Epoch,
    /// Its last event.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 42))]
    pub head: Seq,
    /// How far the asking member has read.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 40))]
    pub last_read: Seq,
    /// Messages of others that the asking member has not read.
    pub unread: u64,
    /// The last message, for the list of groups.
    #[cfg_attr(feature = "openapi", schema(required = true))]
    pub last_message: Option<Message>,
    /// When the asking member joined; the beginning of time if a host's table of members does not say.
    pub joined_at: Timestamp,
}

impl Group {
    /// The time by which lists of groups are ordered, the latest first: that of the last message, or of the asking
    /// member's entry if that is later. So a new group is at the top before its first message.
    #[must_use]
    pub fn active_at(&self) -> Timestamp {
        self.last_message.as_ref().map_or(self.joined_at, |message| message.created_at.max(self.joined_at))
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// Who.
    pub user: User,
    /// What they may do.
    pub role: Role,
    /// Since when.
    pub joined_at: Timestamp,
    /// Whether they have an open socket in the group.
    pub online: bool,
}

/// `{user}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserAnswer {
    /// The person.
    pub user: User,
}

/// `{group}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupAnswer {
    /// The group.
    pub group: Group,
}

/// `{groups}`, by last activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupsAnswer {
    /// The asking member's groups.
    pub groups: Vec<Group>,
}

/// `{members}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MembersAnswer {
    /// The group's members.
    pub members: Vec<Member>,
}

/// A page of a group's history, ascending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessagesAnswer {
    /// The messages in their present state.
    pub messages: Vec<Message>,
    /// The other events between the messages and, where the page reaches an end of the log, beyond them:
    /// `member_joined`, `member_left` and `group_updated`, ascending; if there are more than 200, the newest 200. Left
    /// out if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "listed_events")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<Event>))]
    pub events: Vec<Event>,
    /// The history.
    pub epoch: Epoch,
    /// The group's last event: a cursor for what comes after this page's state.
    #[cfg_attr(feature = "openapi", schema(value_type = u64, example = 42))]
    pub head: Seq,
    /// Whether there are older ones.
    pub has_more_before: bool,
    /// Whether there are newer ones.
    pub has_more_after: bool,
}

/// Events in a list. Each is written as the frame that carries it, character by character.
mod listed_events {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};
    use serde_json::value::RawValue;

    use crate::{Event, ServerFrame, codec};

    pub(super) fn serialize<S: Serializer>(events: &[Event], serializer: S) -> Result<S::Ok, S::Error> {
        let frames = events.iter().map(|event| RawValue::from_string(codec::encode_event(event)));
        let frames: Vec<Box<RawValue>> = frames.collect::<Result<_, _>>().map_err(serde::ser::Error::custom)?;
        frames.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Event>, D::Error> {
        let frames = Vec::<Box<RawValue>>::deserialize(deserializer)?;
        let event = |frame: Box<RawValue>| match codec::decode_server(frame.get()) {
            Ok(Some(ServerFrame::Event(event))) => Some(event),
            Ok(_) | Err(_) => None,
        };
        Ok(frames.into_iter().filter_map(event).collect())
    }
}

/// Answer to a message sent by REST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MessageAnswer {
    /// The message as stored.
    pub message: Message,
    /// The id was stored already.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

/// Register.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Register {
    /// The e-mail with which the person signs in.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::email))]
    pub email: String,
    /// 12 to 128 characters.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::password))]
    pub password: String,
    /// The name that others see.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::display_name))]
    pub display_name: String,
}

/// Sign in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Login {
    /// The e-mail of the account.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::email))]
    pub email: String,
    /// Its password.
    #[cfg_attr(feature = "openapi", schema(example = "correct horse battery staple"))]
    pub password: String,
}

/// Change one's password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangePassword {
    /// The present one.
    #[cfg_attr(feature = "openapi", schema(example = "correct horse battery staple"))]
    pub password: String,
    /// The one to have from now on, 12 to 128 characters.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::password))]
    pub new_password: String,
}

/// Ask for a link by which a lost password is replaced.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AskReset {
    /// The e-mail of the account.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::email))]
    pub email: String,
}

/// How a lost password is replaced here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ResetWays {
    /// Whether this server sends the link by mail. Otherwise its operator hands links out.
    pub by_mail: bool,
}

/// A new password, set by a link.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPassword {
    /// 12 to 128 characters.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::password))]
    pub password: String,
}

/// Change one's account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountPatch {
    /// The new name that others see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::new_display_name))]
    pub display_name: Option<String>,
}

/// End one's account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeleteAccount {
    /// Its password.
    #[cfg_attr(feature = "openapi", schema(example = "correct horse battery staple"))]
    pub password: String,
}

/// A place where somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// Its id. It can't be used to sign in.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
    pub id: uuid::Uuid,
    /// The browser's name for itself at the sign-in, in a few words; `null` if it gave none.
    #[cfg_attr(feature = "openapi", schema(required = true, example = "Firefox · Linux"))]
    pub browser: Option<String>,
    /// When the person signed in there.
    pub created_at: Timestamp,
    /// When it last sent a request, to the hour.
    pub last_seen_at: Timestamp,
    /// Whether it has an open socket now.
    pub online: bool,
    /// Whether this request comes from it.
    pub current: bool,
}

/// `{sessions}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignInsAnswer {
    /// Where the asking person is signed in, at most 100 places, the one that was used last first.
    pub sessions: Vec<SignIn>,
}

/// Make a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewGroup {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::group_name))]
    pub name: String,
    /// The time zone of the trip, an IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::new_time_zone))]
    pub time_zone: Option<String>,
}

/// Change a group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GroupPatch {
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::new_group_name))]
    pub name: Option<String>,
    /// Its new time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::time_zone))]
    pub time_zone: Option<String>,
    /// Whether plain members may invite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub members_can_invite: Option<bool>,
}

/// Change a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberPatch {
    /// The new role. `owner` hands the group over.
    pub role: Role,
}

/// Ask for an invite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewInvite {
    /// How many people may use it; unlimited when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100_000, example = 10))]
    pub max_uses: Option<u32>,
    /// Seconds until it ends; a week when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 31_622_400, example = 604_800))]
    pub expires_in: Option<u64>,
}

/// A new invite. Only this answer shows its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Invite {
    /// The id by which it is listed and revoked.
    pub id: InviteId,
    /// The secret part of the link.
    pub token: String,
    /// The whole link.
    #[cfg_attr(feature = "openapi", schema(format = "uri"))]
    pub url: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A link that lets people in, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LivingInvite {
    /// The id by which it is revoked.
    pub id: InviteId,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made. Left out if the server's version that made it did not note the time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// How many people have used it.
    pub uses: u32,
    /// How many people may use it; unlimited when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_uses: Option<u32>,
}

/// Links into a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitesAnswer {
    /// The links that let people in now, the newest first: all of them for the owner and admins, only one's own for
    /// members.
    pub invites: Vec<LivingInvite>,
}

/// What a link shows before one signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitePreview {
    /// The group behind it.
    pub group: InvitedGroup,
}

/// A group as it is shown to a person who is not a member yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct InvitedGroup {
    /// Its name.
    pub name: String,
    /// How many members it has.
    pub member_count: u64,
    /// The name of the person who made the link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invited_by: Option<String>,
}

/// Send a message by REST.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewMessage {
    /// Primary key and idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<MessageId>,
    /// The text.
    #[cfg_attr(feature = "openapi", schema(schema_with = schemas::message_text))]
    pub message: String,
    /// The message that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
}

/// A short-lived token for programs.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenAnswer {
    /// The JWT.
    pub access_token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A ticket for one upgrade.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TicketAnswer {
    /// The secret for `?ticket=`.
    pub ticket: String,
    /// When it ends, used or not.
    pub expires_at: Timestamp,
}

/// The envelope of every refused request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorAnswer {
    /// What went wrong.
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ErrorBody {
    /// For programs; a word of [`crate::ErrorCode`].
    #[cfg_attr(feature = "openapi", schema(value_type = crate::ErrorCode))]
    pub code: String,
    /// For people.
    pub message: String,
    /// For support.
    pub request_id: String,
}
