//! Users, their accounts, and what signs them in.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use super::schemas;
use crate::{Timestamp, UserId};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(from = "CarriedUser")]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The name that others see.
    #[cfg_attr(feature = "openapi", schema(example = "Ana"))]
    pub display_name: String,
    /// Only in answers to the person itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "ana@example.org"))]
    pub email: Option<String>,
    /// Only to the person itself; to others it is the default.
    #[serde(flatten)]
    pub sharing: Sharing,
    /// Whom the person has blocked: complete in `account_changed`, left out everywhere else and if it is nobody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub blocked: Vec<UserId>,
}

/// A person as it is read. It needs no `flatten` of serde, which buffers a value before it reads it.
#[derive(Deserialize)]
struct CarriedUser {
    id: UserId,
    display_name: String,
    email: Option<String>,
    #[serde(default = "on")]
    share_reads: bool,
    #[serde(default = "on")]
    share_typing: bool,
    #[serde(default = "on")]
    share_last_seen: bool,
    #[serde(default)]
    blocked: Vec<UserId>,
}

impl From<CarriedUser> for User {
    fn from(carried: CarriedUser) -> Self {
        let CarriedUser { id, display_name, email, share_reads, share_typing, share_last_seen, blocked } = carried;
        Self { id, display_name, email, sharing: Sharing { share_reads, share_typing, share_last_seen }, blocked }
    }
}

const fn on() -> bool {
    true
}

/// Whether a switch is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_on(switch: &bool) -> bool {
    *switch
}

/// What a person shares with the other members of their groups. Whoever does not share one of these does not see that of
/// others. A switch is left out while it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Sharing {
    /// How far the person has read.
    #[serde(skip_serializing_if = "is_on")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub share_reads: bool,
    /// That the person is typing.
    #[serde(skip_serializing_if = "is_on")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub share_typing: bool,
    /// When the person was last there. The server keeps the switch for clients; it tells nobody such a time yet.
    #[serde(skip_serializing_if = "is_on")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub share_last_seen: bool,
}

impl Default for Sharing {
    fn default() -> Self {
        Self { share_reads: true, share_typing: true, share_last_seen: true }
    }
}

/// `{user}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserAnswer {
    /// The person.
    pub user: User,
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
    /// Whether others see how far the person has read, and the person sees it of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub share_reads: Option<bool>,
    /// Whether others see that the person is typing, and the person sees it of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub share_typing: Option<bool>,
    /// Whether others may see when the person was last there, and the person sees it of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub share_last_seen: Option<bool>,
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
