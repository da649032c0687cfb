//! Deletes expired rows in short writes, so that other writes do not wait long.

use async_trait::async_trait;
use caravana_protocol::UserId;
use caravana_store::{INVITE_REMEMBERED, Pruning, StoreError};
use uuid::Uuid;

use super::PostgresStore;
use super::backend::Backend;
use super::log::reactions;

#[async_trait]
impl Pruning for PostgresStore {
    /// Skips rows that another server is using up or pruning at the moment.
    async fn prune(&self, now: i64, limit: u32) -> Result<u64, StoreError> {
        self.access
            .write(move |backend, _| {
                Box::pin(async move {
                    let mut pruned = 0;
                    for (statement, end) in [
                    (
                        "delete from caravana.ticket where ticket_hash in (select t.ticket_hash from caravana.ticket t
                               where t.expires_at <= $1 limit $2 for update skip locked)",
                        now,
                    ),
                    (
                        "delete from caravana.session where token_hash in (select t.token_hash from caravana.session t
                               where t.expires_at <= $1 limit $2 for update skip locked)",
                        now,
                    ),
                    (
                        "delete from caravana.reset where token_hash in (select t.token_hash from caravana.reset t
                               where t.expires_at <= $1 limit $2 for update skip locked)",
                        now,
                    ),
                    (
                        "delete from caravana.invite where token_hash in (select t.token_hash from caravana.invite t
                               where t.expires_at <= $1 limit $2 for update skip locked)",
                        now.saturating_sub(INVITE_REMEMBERED),
                    ),
                ] {
                    let deleted = sqlx::query(statement).bind(end).bind(i64::from(limit)).execute(&mut *backend).await?;
                    pruned += deleted.rows_affected();
                }
                    Ok(pruned)
                })
            })
            .await
    }

    /// Processes one batch of one ended user. If the database refuses to remove a user's author ids, the next user is
    /// tried; the failure is reported only if no other user is left.
    async fn forget_authors(&self, limit: u32) -> Result<bool, StoreError> {
        self.access
            .write(move |backend, _| {
                Box::pin(async move {
                    let (mut after, mut failed) = (None, None);
                    while let Some(user) = next(backend, after).await? {
                        backend.run("savepoint person").await?;
                        match forget(backend, user, limit).await {
                            Ok(()) => return Ok(true),
                            Err(error @ StoreError::Failed(_)) => {
                                backend.run("rollback to savepoint person").await?;
                                (after, failed) = (Some(user), Some(error));
                            }
                            Err(error) => return Err(error),
                        }
                    }
                    // Another server may have finished the user that this one waited for, and more users may follow.
                    let others = "select exists (select from caravana.ended where $1::uuid is null or user_id > $1)";
                    let others: bool = sqlx::query_scalar(others).bind(after).fetch_one(backend).await?;
                    if others { Ok(true) } else { failed.map_or(Ok(false), Err) }
                })
            })
            .await
    }
}

/// The next ended user. Waits if another server works on the same user: this server must not answer "done" before the
/// other one is.
async fn next(backend: &mut Backend, after: Option<Uuid>) -> Result<Option<Uuid>, StoreError> {
    let next =
        "select user_id from caravana.ended where $1::uuid is null or user_id > $1 order by user_id limit 1 for update";
    Ok(sqlx::query_scalar(next).bind(after).fetch_optional(backend).await?)
}

/// Order: first the messages; when none has the author, the events; then the user's entry in the list of ended users.
async fn forget(backend: &mut Backend, user: Uuid, limit: u32) -> Result<(), StoreError> {
    for statement in [
        LOSE_AUTHOR,
        // Events of joining and leaving keep the user's id: clients need it to update their member lists.
        "update caravana.event set actor_id = null where (group_id, seq) in
           (select e.group_id, e.seq from caravana.event e
            where e.actor_id = $1 and e.message_id is not null limit $2)",
    ] {
        let done = sqlx::query(statement).bind(user).bind(i64::from(limit)).execute(&mut *backend).await?;
        if done.rows_affected() > 0 {
            return Ok(());
        }
    }
    if reactions::forget(backend, user, limit).await? {
        return Ok(());
    }
    sqlx::query("delete from caravana.ended where user_id = $1").bind(user).execute(backend).await?;
    Ok(())
}

const LOSE_AUTHOR: &str = "update public.group_chat set user_id = null where id in
   (select c.id from public.group_chat c where c.user_id = $1 limit $2)";

/// Checks that the author can be removed from messages; [`StoreError::Forbidden`] if the host's table does not accept
/// messages without an author. It tries this on one message and rolls back, because only the database knows all of its
/// constraints.
pub(super) async fn can_be_forgotten(backend: &mut Backend, user: UserId) -> Result<(), StoreError> {
    backend.run("savepoint tried").await?;
    match sqlx::query(LOSE_AUTHOR).bind(user.uuid()).bind(1_i64).execute(&mut *backend).await.map_err(StoreError::from)
    {
        Ok(_) => Ok(backend.run("rollback to savepoint tried").await?),
        Err(StoreError::Failed(error)) => {
            let error: &dyn std::error::Error = &*error;
            tracing::warn!(
                error,
                "an account can't end: group_chat takes no message without an author; see `server doctor`"
            );
            Err(StoreError::Forbidden)
        }
        Err(error) => Err(error),
    }
}
