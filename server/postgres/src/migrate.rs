//! Brings a PostgreSQL database up to date: the server's schema, and the rows that were there before the server.
//!
//! It runs at every start and in `server migrate`. Promises: two processes that start together do the work once, one
//! after the other; if a process dies in the middle, the next one can continue; a schema newer than this binary's stays
//! unchanged; when it returns, every row that was there before has its place in a log. It needs a role that owns the
//! seed's tables (or may create them), but no superuser. It works through a pooler in any mode, because everything that
//! belongs together is in one transaction. It never changes a row or a column of the host's.

mod backfill;
mod schema;
mod search;
mod tables;

pub(super) use tables::closed_doors;

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// What the migration found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The schema versions that it added.
    pub applied: Vec<i64>,
    /// How many old rows got their place in a log.
    pub backfilled: u64,
    /// How many old messages came into the index of the search.
    pub indexed: u64,
    /// Why sign-up is impossible here: the host's `users` table requires columns that the server can't fill. Users then
    /// come by token.
    pub sign_up_off: Option<String>,
    /// Why no group can be created here.
    pub groups_off: Option<String>,
    /// Problems that do not prevent the start. Each is a sentence.
    pub warnings: Vec<String>,
}

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The server is too old.
    #[error("PostgreSQL {0} is too old; 15 or later is needed")]
    OldServer(String),
    /// A version that was applied here differs from the same version in this binary.
    #[error("version {0} of the schema was applied here with another text than this server has")]
    Changed(i64),
    /// A table has the name of a seed's table, but another structure.
    #[error("table {table} can't be adopted: {reason}")]
    Table {
        /// Its name.
        table: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Other programs kept the host's tables locked for a minute.
    #[error("other programs keep the tables locked; try again when their transactions have ended")]
    Locked,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// The oldest PostgreSQL that the tests run on.
const OLDEST_SERVER: i32 = 150_000;
/// The key of the migration's advisory lock: "caravana" in ASCII.
const LOCK: i64 = 0x6361_7261_7661_6e61;
/// Old rows per transaction.
const BATCH: usize = 5_000;
/// How long to wait for a lock on the host's tables. Other writers queue behind this wait.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '3s'";
/// How long the other writers then get before the next try.
const TURN: Duration = Duration::from_secs(1);
/// How many tries there are.
const LOCK_ATTEMPTS: u32 = 15;
/// SQLSTATE `lock_not_available`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Brings the database up to date, and reports what it found and did.
pub async fn migrate(options: &PgConnectOptions) -> Result<Report, MigrateError> {
    run(options, false).await
}

/// The schema versions that this binary has and the database lacks.
pub(super) fn pending(there: &[i64]) -> Vec<i64> {
    schema::versions().filter(|version| !there.contains(version)).collect()
}

/// Like [`migrate()`], for `server migrate`: it also finds rows that were written without the triggers, which needs a
/// scan of the whole table, and gives them their place.
pub async fn migrate_and_repair(options: &PgConnectOptions) -> Result<Report, MigrateError> {
    run(options, true).await
}

/// Brings all messages into the index of the search, for a database that was filled without triggers.
pub async fn index_all(options: &PgConnectOptions) -> Result<u64, MigrateError> {
    let mut reader = connect(options).await?;
    let mut writer = connect(options).await?;
    search::old_messages(&mut reader, &mut writer, true).await
}

async fn run(options: &PgConnectOptions, repair: bool) -> Result<Report, MigrateError> {
    let mut guard = connect(options).await?;
    check_version(&mut guard).await?;
    // The lock is held by a transaction and not by the session, because a pooler may give the session to another
    // client.
    let mut guard = guard.begin().await?;
    sqlx::raw_sql("set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0")
        .execute(&mut *guard)
        .await?;
    sqlx::query("select pg_advisory_xact_lock($1)").persistent(false).bind(LOCK).execute(&mut *guard).await?;
    let mut connection = connect(options).await?;
    tables::check(&mut connection).await?;
    let mut report = Report { applied: bring_up(&mut connection).await?, ..Report::default() };
    sqlx::raw_sql("select caravana.settle_names()").execute(&mut connection).await?;
    report.backfilled = backfill::old_rows(&mut guard, &mut connection).await?;
    if repair {
        report.backfilled += backfill::strays(&mut connection).await?;
    }
    report.indexed = search::old_messages(&mut guard, &mut connection, repair).await?;
    (report.sign_up_off, report.groups_off) = closed_doors(&mut connection).await?;
    publish(&mut connection, &mut report).await?;
    guard.commit().await?;
    Ok(report)
}

/// Waits for the host's tables without blocking their writers for long.
async fn bring_up(connection: &mut PgConnection) -> Result<Vec<i64>, MigrateError> {
    for _ in 0..LOCK_ATTEMPTS {
        match schema::bring_up(connection).await {
            Err(MigrateError::Database(error)) if has_code(&error, LOCK_NOT_AVAILABLE) => {
                tracing::info!("the tables are locked by another program; trying again");
                tokio::time::sleep(TURN).await;
            }
            done => return done,
        }
    }
    Err(MigrateError::Locked)
}

/// Adds the table to the existing publication for subscribers. Without the right to do that, the subscribers get fewer
/// events.
async fn publish(connection: &mut PgConnection, report: &mut Report) -> Result<(), MigrateError> {
    let refused: Option<String> =
        sqlx::query_scalar("select caravana.publish()").persistent(false).fetch_one(connection).await?;
    if let Some(reason) = refused {
        report.warnings.push(format!(
            "the publication supabase_realtime does not have group_chat and can't be given it ({reason}); its owner can: \
             alter publication supabase_realtime add table public.group_chat"
        ));
    }
    Ok(())
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    options.clone().statement_cache_capacity(0).application_name("caravana migrate").connect().await
}

async fn check_version(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let (number, name): (i32, String) =
        sqlx::query_as("select current_setting('server_version_num')::int, current_setting('server_version')")
            .persistent(false)
            .fetch_one(connection)
            .await?;
    if number < OLDEST_SERVER { Err(MigrateError::OldServer(name)) } else { Ok(()) }
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|found| found == code)
}
