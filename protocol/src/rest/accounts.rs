//! Users, their accounts, and what signs them in.

use serde::{Deserialize, Serialize};

#[cfg(feature = "openapi")]
use super::schemas;
use crate::{Timestamp, UserId};

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
