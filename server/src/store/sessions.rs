//! The port to sign-ins by cookie.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::{SecretHash, StoreError};

/// How many sign-ins a user has at most.
pub const SIGN_INS: u32 = 100;

/// Sign-ins by cookie, known by the hashes of their secrets.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// Remembers a sign-in; of more than [`SIGN_INS`] of a user those that would end first end now.
    /// [`StoreError::Conflict`], and nothing is remembered, when the password that proved it is no longer the
    /// account's: of a sign-in and a change of password at the same time, the sign-in with the old password never
    /// outlives the change.
    async fn create_session(&self, session: NewSession) -> Result<(), StoreError>;

    /// A user's living sign-ins, at most [`SIGN_INS`] of them, the one that ends last first.
    async fn sessions(&self, user: UserId, now: i64) -> Result<Vec<SignIn>, StoreError>;

    /// The user of a live sign-in, with e-mail, and when it ends. `None` when unknown or over.
    async fn session(&self, token: SecretHash, now: i64) -> Result<Option<(User, i64)>, StoreError>;

    /// Moves the end of a sign-in.
    async fn extend_session(&self, token: SecretHash, expires_at: i64) -> Result<(), StoreError>;

    /// Forgets a sign-in. Answers whose it was.
    async fn delete_session(&self, token: SecretHash) -> Result<Option<UserId>, StoreError>;
}

/// A new sign-in by cookie. Times are seconds since 1970.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// The hash of the cookie's secret.
    pub token: SecretHash,
    /// Whose.
    pub user: UserId,
    /// The PHC string that their password was found to match.
    pub password_hash: String,
    /// What the browser calls itself, in a few words.
    pub browser: Option<String>,
    /// Since when.
    pub now: i64,
    /// When it ends if nothing moves the end.
    pub expires_at: i64,
}

/// A living sign-in. Times are seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// The hash of the cookie's secret.
    pub token: SecretHash,
    /// What the browser called itself.
    pub browser: Option<String>,
    /// Since when.
    pub created_at: i64,
    /// When it ends if nothing moves the end.
    pub expires_at: i64,
}
