//! The port to tickets. Each ticket is good for one WebSocket upgrade.

use async_trait::async_trait;
use caravana_protocol::UserId;

use super::{Proof, SecretHash, StoreError};

/// Tickets, known by the hashes of their secrets.
#[async_trait]
pub trait Tickets: Send + Sync + 'static {
    /// Stores a ticket, and the user and credentials that it was issued for.
    async fn create_ticket(
        &self,
        ticket: SecretHash,
        issued_for: (UserId, Proof),
        expires_at: i64,
    ) -> Result<(), StoreError>;

    /// Uses a ticket up. Answers its user and the credentials that it was issued for. `None` when the ticket is
    /// unknown, used or expired, or when those credentials have ended since.
    async fn take_ticket(&self, ticket: SecretHash, now: i64) -> Result<Option<(UserId, Proof)>, StoreError>;
}
