//! The port to sign-ins by cookie.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::{SecretHash, StoreError};

/// The most sign-ins of one user.
pub const SIGN_INS: u32 = 100;

/// Sign-ins by cookie, known by the hashes of their secrets.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Stores a sign-in. If the user then has more than [`SIGN_INS`], the sign-ins that would expire first end now.
    /// [`StoreError::Conflict`], and nothing is stored, when `password_hash` is no longer the account's: if a sign-in
    /// with the old password and a change of password run at the same time, that sign-in does not survive the change.
    async fn create_session(&self, session: NewSession) -> Result<(), StoreError>;

    /// The user's valid sign-ins, at most [`SIGN_INS`] of them, latest expiry first.
    async fn sessions(&self, user: UserId, now: i64) -> Result<Vec<SignInRow>, StoreError>;

    /// The user of a valid sign-in, with e-mail, and when it expires. `None` when the sign-in is unknown or expired.
    async fn session(&self, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError>;

    /// Moves the expiry of a sign-in.
    async fn extend_session(&self, token: SecretHash, expires_at: i64) -> Result<(), StoreError>;

    /// Deletes a sign-in. Answers its user.
    async fn delete_session(&self, token: SecretHash) -> Result<Option<UserId>, StoreError>;
}

/// A new sign-in by cookie. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The hash of the cookie's secret.
    pub token: SecretHash,
    /// The user.
    pub user: UserId,
    /// The PHC string that the password was checked against.
    pub password_hash: String,
    /// The browser's name, in a few words.
    pub browser: Option<String>,
    /// The time of the sign-in.
    pub now: i64,
    /// When it expires, unless the expiry is moved.
    pub expires_at: i64,
}

/// A valid sign-in. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInRow {
    /// The hash of the cookie's secret.
    pub token: SecretHash,
    /// The browser's name.
    pub browser: Option<String>,
    /// The time of the sign-in.
    pub created_at: i64,
    /// When it expires, unless the expiry is moved.
    pub expires_at: i64,
}
