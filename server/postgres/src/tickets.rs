//! Tickets for one upgrade, known by their hashes only. A ticket ends with the credentials that it was issued for.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_store::{Proof, SecretHash, StoreError, Tickets};
use uuid::Uuid;

use super::{PostgresStore, proofs};

#[async_trait]
impl Tickets for PostgresStore {
    async fn create_ticket(
        &self,
        ticket: SecretHash,
        (user, proof): (UserId, Proof),
        expires_at: i64,
    ) -> Result<(), StoreError> {
        self.access
            .write(move |backend, _| {
                Box::pin(async move {
                    sqlx::query(
                        "insert into caravana.ticket
                           (ticket_hash, user_id, expires_at, session_hash, token_issued_at, token_expires_at)
                         values ($1, $2, $3, $4, $5, $6)",
                    )
                    .bind(&ticket[..])
                    .bind(user.uuid())
                    .bind(expires_at)
                    .bind(proof.session.as_ref().map(|hash| &hash[..]))
                    .bind(proof.issued_at)
                    .bind(proof.expires_at)
                    .execute(backend)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// One statement reads the ticket and uses it up: if two upgrades send the same ticket, only one gets it.
    async fn take_ticket(&self, ticket: SecretHash, now: i64) -> Result<Option<(UserId, Proof)>, StoreError> {
        self.access
            .write(move |backend, _| {
                Box::pin(async move {
                    let row: Option<TicketRow> = sqlx::query_as(
                        "delete from caravana.ticket where ticket_hash = $1
                         returning user_id, expires_at, session_hash, token_issued_at, token_expires_at",
                    )
                    .bind(&ticket[..])
                    .fetch_optional(&mut *backend)
                    .await?;
                    let Some(row) = row.filter(|row| row.expires_at > now) else { return Ok(None) };
                    let session = row.session_hash.map(SecretHash::try_from).transpose();
                    let Ok(session) = session else { return Ok(None) };
                    let user = UserId::new(row.user_id);
                    let proof = Proof { session, issued_at: row.token_issued_at, expires_at: row.token_expires_at };
                    Ok(proofs::holds(backend, user, &proof, now).await?.then_some((user, proof)))
                })
            })
            .await
    }
}

#[derive(sqlx::FromRow)]
struct TicketRow {
    user_id: Uuid,
    expires_at: i64,
    session_hash: Option<Vec<u8>>,
    token_issued_at: Option<i64>,
    token_expires_at: Option<i64>,
}
