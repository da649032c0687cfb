//! Deletes expired rows in short writes, so that other writes do not wait long.

use caravana_store::{INVITE_REMEMBERED, Pruning, StoreError};

use super::SqliteStore;
use super::log::forget_reactions;
use async_trait::async_trait;

#[async_trait]
impl Pruning for SqliteStore {
    async fn prune(&self, now: i64, limit: u32) -> Result<u64, StoreError> {
        self.writer
            .run(move |tx, _| {
                Box::pin(async move {
                    let mut pruned = 0;
                    for (statement, end) in [
                        (
                            "delete from caravana_ticket where ticket_hash in
                               (select ticket_hash from caravana_ticket where expires_at <= ? limit ?)",
                            now,
                        ),
                        (
                            "delete from caravana_session where token_hash in
                               (select token_hash from caravana_session where expires_at <= ? limit ?)",
                            now,
                        ),
                        (
                            "delete from caravana_reset where token_hash in
                               (select token_hash from caravana_reset where expires_at <= ? limit ?)",
                            now,
                        ),
                        (
                            "delete from caravana_invite where token_hash in
                               (select token_hash from caravana_invite where expires_at <= ? limit ?)",
                            now.saturating_sub(INVITE_REMEMBERED),
                        ),
                    ] {
                        pruned += sqlx::query(statement).bind(end).bind(limit).execute(&mut *tx).await?.rows_affected();
                    }
                    Ok(pruned)
                })
            })
            .await
    }

    /// Order: first the messages; when none has the author, the events; then the user's entry in the list of ended
    /// users.
    async fn forget_authors(&self, limit: u32) -> Result<bool, StoreError> {
        let ended: Option<String> =
            sqlx::query_scalar("select user_id from caravana_ended limit 1").fetch_optional(&self.readers).await?;
        let Some(user) = ended else { return Ok(false) };
        self
        .writer
        .run(move |tx, _| {
            Box::pin(async move {
                for statement in [
                    "update group_chat set user_id = null where id in
                           (select id from group_chat where user_id = ? limit ?)",
                    // Events of joining and leaving keep the user's id: clients need it to update their member lists.
                    "update caravana_event set actor_id = null where (group_id, seq) in
                           (select group_id, seq from caravana_event where actor_id = ? and message_id is not null limit ?)",
                ] {
                    let done = sqlx::query(statement).bind(&user).bind(limit).execute(&mut *tx).await?;
                    if done.rows_affected() > 0 {
                        return Ok(true);
                    }
                }
                if forget_reactions(tx, &user, limit).await? {
                    return Ok(true);
                }
                sqlx::query("delete from caravana_ended where user_id = ?").bind(user).execute(tx).await?;
                Ok(true)
            })
        })
        .await
    }
}
