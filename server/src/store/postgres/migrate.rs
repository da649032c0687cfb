//! Brings a PostgreSQL database up to date: our schema, and what it finds of the seed's tables.
//!
//! Called at every start and by `server migrate`. Promises: two that start together do it once, one after the other; a
//! process that dies in the middle leaves a database on which the next one goes on; a newer schema than this binary's is
//! left alone. It needs a role that owns the seed's tables (or may make them), and no superuser. It works through a
//! pooler in any mode, because all that must hold together is within a transaction.

mod schema;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

/// What was found and done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The versions of the schema that were added now.
    pub applied: Vec<i64>,
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
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// The first PostgreSQL that the tests run on.
const OLDEST_SERVER: i32 = 150_000;

/// The number of our lock among the database's advisory locks: "caravana" in ASCII.
const LOCK: i64 = 0x6361_7261_7661_6e61;

/// Brings the database up to date and says what it is like.
pub async fn migrate(options: &PgConnectOptions) -> Result<Report, MigrateError> {
    let mut guard = connect(options).await?;
    check_version(&mut guard).await?;
    // Held by a transaction and not by the session, which a pooler may give to somebody else.
    let mut guard_tx = guard.begin().await?;
    sqlx::raw_sql("set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0")
        .execute(&mut *guard_tx)
        .await?;
    sqlx::query("select pg_advisory_xact_lock($1)").persistent(false).bind(LOCK).execute(&mut *guard_tx).await?;
    let mut connection = connect(options).await?;
    let applied = schema::bring_up(&mut connection).await?;
    guard_tx.commit().await?;
    Ok(Report { applied })
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
