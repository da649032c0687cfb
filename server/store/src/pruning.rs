//! The port to the clean-up of expired rows.

use async_trait::async_trait;

use super::StoreError;

/// Deletes expired rows, and removes deleted users from their messages.
#[async_trait]
pub trait Pruning: Send + Sync + 'static {
    /// Deletes expired rows: tickets, sign-ins and password-reset links at once, and invites after
    /// [`INVITE_REMEMBERED`](super::INVITE_REMEMBERED), so that until then a visitor gets [`StoreError::Gone`] and not
    /// [`StoreError::NotFound`]. Deletes at most `limit` of each, in one short write. Answers how many rows it deleted.
    async fn prune(&self, now: i64, limit: u32) -> Result<u64, StoreError>;

    /// Removes the author from messages and events of users whose account has ended: at most `limit` rows of one user,
    /// in one short write. Answers whether there is more to do. Waits if another server is doing the same.
    async fn forget_authors(&self, limit: u32) -> Result<bool, StoreError>;
}
