//! The port to links for a new password.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::{SecretHash, StoreError};

/// How many links for a new password of one account live at once.
pub const RESETS: u32 = 5;

/// Links for a new password, known by the hashes of their secrets.
#[async_trait]
pub trait Resets: Send + Sync + 'static {
    /// Remembers a link for a new password of the account with this e-mail (in lower case). `false`, and nothing is
    /// remembered, when there is no such account, or [`RESETS`] of its links live already: each is a letter, and
    /// nobody's mailbox is to be filled from here.
    async fn create_reset(&self, email: &str, token: SecretHash, now: i64, expires_at: i64)
    -> Result<bool, StoreError>;

    /// Whose link this is, with e-mail, without using it up. `None` when unknown, used or over.
    async fn reset_holder(&self, token: SecretHash, now: i64) -> Result<Option<User>, StoreError>;

    /// Uses a link up: its account gets this password, and in the same commit the user's other links and everything
    /// that they are signed in by end. Answers who it is; `None`, and nothing changes, when the link is unknown, used
    /// or over.
    async fn reset_password(
        &self,
        token: SecretHash,
        password_hash: String,
        now: i64,
    ) -> Result<Option<UserId>, StoreError>;
}
