//! The port to password-reset links.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_protocol::rest::User;

use super::{SecretHash, StoreError};

/// The most valid password-reset links of one account.
pub const RESETS: u32 = 5;

/// Password-reset links, known by the hashes of their secrets.
#[async_trait]
pub trait Resets: Send + Sync + 'static {
    /// Stores a password-reset link for the account with this e-mail (in lower case). Answers `false` and stores
    /// nothing when there is no such account, or when it already has [`RESETS`] valid links. Each link is sent as an
    /// e-mail, and the limit keeps an attacker from filling a mailbox.
    async fn create_reset(&self, email: &str, token: SecretHash, now: i64, expires_at: i64)
    -> Result<bool, StoreError>;

    /// The user of a link, with e-mail, without using the link up. `None` when the link is unknown, used or expired.
    async fn reset_holder(&self, token: SecretHash, now: i64) -> Result<Option<User>, StoreError>;

    /// Uses a link up: its account gets this password, and the same commit ends the user's other reset links and all
    /// sign-ins, tokens and tickets. Answers the user; `None`, and nothing changes, when the link is unknown, used or
    /// expired.
    async fn reset_password(
        &self,
        token: SecretHash,
        password_hash: String,
        now: i64,
    ) -> Result<Option<UserId>, StoreError>;
}
