//! Gives old rows their place in a log, once, in transactions of limited size.
//!
//! One statement reads the rows without a place, group by group, on its own connection. A second connection numbers
//! them in batches, with the groups' heads locked. What other programs write meanwhile goes to the group's backlog and
//! is numbered when the group is closed. A process that is killed leaves only whole batches: the next start reads the
//! rows that remain.

use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::{BATCH, MigrateError};

/// How often to log the progress.
const TELL: Duration = Duration::from_secs(5);

/// Numbers all old rows. `reader` reads them, `writer` numbers them. Answers how many rows got a place.
pub(super) async fn old_rows(reader: &mut PgConnection, writer: &mut PgConnection) -> Result<u64, MigrateError> {
    let mut progress = Progress::new();
    loop {
        if !is_open(writer).await? {
            return Ok(progress.numbered);
        }
        make_heads(writer).await?;
        walk(reader, writer, &mut progress).await?;
        close_rest(writer, &mut progress).await?;
        finish(writer).await?;
    }
}

/// Numbers rows that were written without the triggers.
pub(super) async fn strays(writer: &mut PgConnection) -> Result<u64, MigrateError> {
    let mut progress = Progress::new();
    loop {
        let mut tx = patient(writer).await?;
        let numbered: i64 = sqlx::query_scalar("select caravana.number_strays($1)")
            .persistent(false)
            .bind(i32::try_from(BATCH).unwrap_or(i32::MAX))
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        progress.add(numbered);
        if numbered == 0 {
            return Ok(progress.numbered);
        }
    }
}

/// A transaction for a scan of a whole table, without the database's statement timeout.
async fn patient(connection: &mut PgConnection) -> Result<sqlx::Transaction<'_, sqlx::Postgres>, sqlx::Error> {
    let mut tx = connection.begin().await?;
    sqlx::raw_sql("set local statement_timeout = 0").execute(&mut *tx).await?;
    Ok(tx)
}

async fn is_open(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select finished_at is null or exists (select from caravana.head where backfilling) from caravana.adoption",
    )
    .persistent(false)
    .fetch_one(connection)
    .await
}

/// Creates the rows of the server's tables for every group that any table names. For new groups the trigger creates
/// them.
async fn make_heads(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    for statement in [
        "insert into caravana.\"group\" (group_id) select g.id from public.groups g \
         where not exists (select from caravana.\"group\" x where x.group_id = g.id) order by g.id limit $1 \
         on conflict do nothing",
        "insert into caravana.head (group_id, backfilling) select g.id, true from public.groups g \
         where not exists (select from caravana.head h where h.group_id = g.id) order by g.id limit $1 \
         on conflict do nothing",
        "insert into caravana.head (group_id, backfilling) select distinct c.group_id, true from public.group_chat c \
         where c.group_id is not null and not exists (select from caravana.head h where h.group_id = c.group_id) \
         order by c.group_id limit $1 on conflict do nothing",
    ] {
        loop {
            let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let mut tx = patient(connection).await?;
            let made = sqlx::query(statement).persistent(false).bind(limit).execute(&mut *tx).await?;
            tx.commit().await?;
            if made.rows_affected() == 0 {
                break;
            }
        }
    }
    Ok(())
}

/// Reads all rows without a place, in the order in which they get one.
async fn walk(
    reader: &mut PgConnection,
    writer: &mut PgConnection,
    progress: &mut Progress,
) -> Result<(), MigrateError> {
    let mut rows = sqlx::query_as::<_, (Uuid, Uuid)>(
        "select c.group_id, c.id from public.group_chat c \
         join caravana.head h on h.group_id = c.group_id and h.backfilling \
         where not exists (select from caravana.message m where m.message_id = c.id and m.group_id = c.group_id) \
         order by c.group_id, c.created_at, c.id",
    )
    .persistent(false)
    .fetch(reader);
    let mut batch = Batch::default();
    while let Some((group, id)) = rows.try_next().await? {
        if batch.groups.last().is_some_and(|last| *last != group) {
            batch.closing.extend(batch.groups.last());
        }
        if batch.groups.len() == BATCH {
            batch.write(writer, progress).await?;
        }
        batch.groups.push(group);
        batch.ids.push(id);
    }
    batch.closing.extend(batch.groups.last());
    batch.write(writer, progress).await
}

/// Closes the groups without old rows, and those that a killed process had just finished. A group to which another
/// program keeps writing stays open for another round.
async fn close_rest(writer: &mut PgConnection, progress: &mut Progress) -> Result<(), MigrateError> {
    let mut after = Uuid::nil();
    loop {
        let closing: Vec<Uuid> = sqlx::query_scalar(
            "select group_id from caravana.head where backfilling and group_id > $1 order by group_id limit 500",
        )
        .persistent(false)
        .bind(after)
        .fetch_all(&mut *writer)
        .await?;
        let Some(last) = closing.last() else { return Ok(()) };
        after = *last;
        Batch { closing, ..Batch::default() }.write(writer, progress).await?;
    }
}

/// Ends the backfill: from now on an unknown group is a new one. Does nothing while there are open groups; then another
/// round follows.
async fn finish(writer: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(
        "begin; \
         select 1 from caravana.adoption for update; \
         update caravana.adoption set finished_at = now() \
         where finished_at is null and not exists (select from caravana.head where backfilling); \
         commit",
    )
    .execute(writer)
    .await?;
    Ok(())
}

#[derive(Default)]
struct Batch {
    groups: Vec<Uuid>,
    ids: Vec<Uuid>,
    /// Groups whose last row is in this batch.
    closing: Vec<Uuid>,
}

impl Batch {
    /// Writes the batch in one transaction and empties it.
    async fn write(&mut self, writer: &mut PgConnection, progress: &mut Progress) -> Result<(), MigrateError> {
        if self.groups.is_empty() && self.closing.is_empty() {
            return Ok(());
        }
        let numbered: i64 = sqlx::query_scalar("select caravana.backfill($1, $2, $3)")
            .persistent(false)
            .bind(std::mem::take(&mut self.groups))
            .bind(std::mem::take(&mut self.ids))
            .bind(std::mem::take(&mut self.closing))
            .fetch_one(writer)
            .await?;
        progress.add(numbered);
        Ok(())
    }
}

struct Progress {
    numbered: u64,
    told: Instant,
}

impl Progress {
    fn new() -> Self {
        Self { numbered: 0, told: Instant::now() }
    }

    fn add(&mut self, numbered: i64) {
        self.numbered += u64::try_from(numbered).unwrap_or(0);
        if self.told.elapsed() >= TELL {
            self.told = Instant::now();
            tracing::info!(rows = self.numbered, "old messages get their place in their groups' logs");
        }
    }
}
