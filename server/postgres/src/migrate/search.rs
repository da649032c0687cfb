//! Brings the messages that are older than the search into its index, in transactions of limited size.
//!
//! One statement reads the messages that are not in it, the newest first, on its own connection; a second connection
//! writes them in batches. New messages come in by the triggers meanwhile. A process that is killed leaves whole
//! batches: the next start goes on with the messages that remain.

use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{BATCH, MigrateError};

/// How often to log the progress.
const TELL: Duration = Duration::from_secs(5);

/// Indexes all messages that are in no index, once; with `again` also when that was finished before, for messages that
/// were written without the triggers.
pub(super) async fn old_messages(
    reader: &mut PgConnection,
    writer: &mut PgConnection,
    again: bool,
) -> Result<u64, MigrateError> {
    let is_finished: bool = sqlx::query_scalar("select finished_at is not null from caravana.search_state")
        .persistent(false)
        .fetch_one(&mut *writer)
        .await?;
    if is_finished && !again {
        return Ok(0);
    }
    let mut indexed = 0;
    let mut told = Instant::now();
    let mut ids = Vec::with_capacity(BATCH);
    let mut rows = sqlx::query_scalar::<_, Uuid>(
        "select m.message_id from caravana.message m \
         join public.group_chat c on c.id = m.message_id and c.group_id = m.group_id and coalesce(c.status, true) \
         where not exists (select from caravana.search_text t where t.message_id = m.message_id) \
         order by c.created_at desc nulls last, m.group_id, m.seq desc",
    )
    .persistent(false)
    .fetch(reader);
    loop {
        let id = rows.try_next().await?;
        ids.extend(id);
        if ids.len() >= BATCH || (id.is_none() && !ids.is_empty()) {
            let count: i64 = sqlx::query_scalar("select caravana.search_old($1)")
                .persistent(false)
                .bind(std::mem::take(&mut ids))
                .fetch_one(&mut *writer)
                .await?;
            indexed += count.unsigned_abs();
            if told.elapsed() >= TELL {
                told = Instant::now();
                tracing::info!(messages = indexed, "old messages come into the index of the search");
            }
        }
        if id.is_none() {
            break;
        }
    }
    drop(rows);
    sqlx::query("update caravana.search_state set finished_at = now() where finished_at is null")
        .persistent(false)
        .execute(writer)
        .await?;
    Ok(indexed)
}
