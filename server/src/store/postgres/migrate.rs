//! Brings a PostgreSQL database up to date: our schema, and what was there before us.
//!
//! Called at every start and by `server migrate`. Promises: two that start together do it once, one after the other; a
//! process that dies in the middle leaves a database on which the next one goes on; a newer schema than this binary's is
//! left alone; when it returns, every row that was here before has its place. It needs a role that owns the seed's tables
//! (or may make them), and no superuser. It works through a pooler in any mode, because all that must hold together is
//! within a transaction. It never changes a row or a column of the host's.

mod backfill;
mod schema;
mod tables;

pub(super) use tables::closed_doors;

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The versions of the schema that were added now.
    pub applied: Vec<i64>,
    /// How many rows that were here before got their place now.
    pub backfilled: u64,
    /// Why nobody can sign up here: the host's table needs what we can't fill. People then come by token.
    pub sign_up_off: Option<String>,
    /// Why nobody can make a group here.
    pub groups_off: Option<String>,
    /// What could not be done, and is no reason not to start. Each a sentence.
    pub warnings: Vec<String>,
}

/// Why a database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The server is too old.
    #[error("PostgreSQL {0} is too old; 15 or later is needed")]
    OldServer(String),
    /// A version that was applied here differs from this binary's.
    #[error("version {0} of the schema was applied here with another text than this server has")]
    Changed(i64),
    /// One of the seed's tables is there, but it is not the seed's.
    #[error("table {table} can't be adopted: {reason}")]
    Table {
        /// Its name.
        table: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Other programs held the host's tables for a minute.
    #[error("other programs keep the tables locked; try again when their transactions have ended")]
    Locked,
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// The first PostgreSQL that the tests run on.
const OLDEST_SERVER: i32 = 150_000;
/// The number of our lock among the database's advisory locks: "caravana" in ASCII.
const LOCK: i64 = 0x6361_7261_7661_6e61;
/// Rows that get their place in one transaction.
const BATCH: usize = 5_000;
/// While a lock on the host's tables is waited for, their writers wait behind us: not longer than this …
const LOCK_TIMEOUT: &str = "set local lock_timeout = '3s'";
/// … then they get their turn for so long …
const TURN: Duration = Duration::from_secs(1);
/// … and this often we come back.
const LOCK_ATTEMPTS: u32 = 15;
/// SQLSTATE `lock_not_available`.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// Brings the database up to date and says what it is like.
pub async fn migrate(options: &PgConnectOptions) -> Result<Report, MigrateError> {
    run(options, false).await
}

/// The versions of the schema that this binary has and a database lacks.
pub(super) fn pending(there: &[i64]) -> Vec<i64> {
    schema::versions().filter(|version| !there.contains(version)).collect()
}

/// The same for `server migrate`: looks also for rows that were written past the triggers, which takes a walk through the
/// whole table, and gives them their place.
pub async fn migrate_and_repair(options: &PgConnectOptions) -> Result<Report, MigrateError> {
    run(options, true).await
}

async fn run(options: &PgConnectOptions, repair: bool) -> Result<Report, MigrateError> {
    let mut guard = connect(options).await?;
    check_version(&mut guard).await?;
    // Held by a transaction and not by the session, which a pooler may give to somebody else.
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
    (report.sign_up_off, report.groups_off) = closed_doors(&mut connection).await?;
    publish(&mut connection, &mut report).await?;
    guard.commit().await?;
    Ok(report)
}

/// Waits for the host's tables without holding up their writers for long.
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

/// Tells the existing subscribers' publication of the table. Without the right to, they only hear less.
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
