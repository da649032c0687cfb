//! The port to tickets, each good for one upgrade.

use async_trait::async_trait;
use caravana_protocol::UserId;

use super::{Proof, SecretHash, StoreError};

/// Tickets for one upgrade, known by the hashes of their secrets.
#[async_trait]
pub trait Tickets: Send + Sync + 'static {
    /// Remembers a ticket for one upgrade and what it was bought with.
    async fn create_ticket(
        &self,
        ticket: SecretHash,
        bought: (UserId, Proof),
        expires_at: i64,
    ) -> Result<(), StoreError>;

    /// Uses a ticket up: whose it is, and what it was bought with. `None` when unknown, used or over, or when that has
    /// ended meanwhile.
    async fn take_ticket(&self, ticket: SecretHash, now: i64) -> Result<Option<(UserId, Proof)>, StoreError>;
}
