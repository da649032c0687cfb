//! The end of what is over, in short writes: nobody else's waits for long.

use uuid::Uuid;

use super::super::PostgresStore;
use crate::store::{INVITE_REMEMBERED, StoreError};

/// What another server is using up or pruning just now is left to it.
pub(super) async fn prune(store: &PostgresStore, now: i64, limit: u32) -> Result<u64, StoreError> {
    store
        .access
        .write(move |link, _| {
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
                    let deleted = sqlx::query(statement).bind(end).bind(i64::from(limit)).execute(&mut *link).await?;
                    pruned += deleted.rows_affected();
                }
                Ok(pruned)
            })
        })
        .await
}

/// Messages first: when their author is gone from all of them, from the events, and then from the list.
pub(super) async fn forget_authors(store: &PostgresStore, limit: u32) -> Result<bool, StoreError> {
    store
        .access
        .write(move |link, _| {
            Box::pin(async move {
                // Two servers do not work at the same person.
                let ended: Option<Uuid> =
                    sqlx::query_scalar("select user_id from caravana.ended limit 1 for update skip locked")
                        .fetch_optional(&mut *link)
                        .await?;
                let Some(user) = ended else { return Ok(false) };
                for statement in [
                    "update public.group_chat set user_id = null where id in
                       (select c.id from public.group_chat c where c.user_id = $1 limit $2)",
                    // Who joined and left keeps the id, which clients need to know whom to take from their lists.
                    "update caravana.event set actor_id = null where (group_id, seq) in
                       (select e.group_id, e.seq from caravana.event e
                        where e.actor_id = $1 and e.message_id is not null limit $2)",
                ] {
                    let done = sqlx::query(statement).bind(user).bind(i64::from(limit)).execute(&mut *link).await?;
                    if done.rows_affected() > 0 {
                        return Ok(true);
                    }
                }
                sqlx::query("delete from caravana.ended where user_id = $1").bind(user).execute(link).await?;
                Ok(true)
            })
        })
        .await
}
