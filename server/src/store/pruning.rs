//! The port to what is over and has to be taken out.

use async_trait::async_trait;

use super::StoreError;

/// The end of what is over.
#[async_trait]
pub trait Pruning: Send + Sync + 'static {
    /// Takes out what has been over: tickets, sign-ins and links for a new password at once, links into groups after
    /// [`super::INVITE_REMEMBERED`], so that who comes late is told what it was. At most `limit` of each, in one short write.
    /// Answers how many.
    async fn prune(&self, now: i64, limit: u32) -> Result<u64, StoreError>;

    /// Goes on taking people whose account has ended out of what they have written, in one short write: at most `limit`
    /// messages and events of one of them. Whether there is more to do. What another server is doing at the moment is
    /// waited for.
    async fn forget_authors(&self, limit: u32) -> Result<bool, StoreError>;
}
