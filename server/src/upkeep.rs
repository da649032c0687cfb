//! The operator's tasks for the database: migrates it, examines it, and copies it.
//!
//! Prints nothing itself; the binary does.

use caravana_postgres::{self as postgres, PostgresAddress};
use caravana_sqlite as sqlite;
use caravana_store::doctor::{Finding, State};

use crate::database::DatabaseAddress;
use crate::settings::Backup;

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    /// The SQLite file could not be opened.
    #[error("DATABASE_URL: the database could not be opened")]
    Sqlite(#[from] sqlite::OpenError),
    /// The PostgreSQL database could not be brought up to date.
    #[error("DATABASE_URL: the database could not be brought up to date")]
    Postgres(#[from] postgres::MigrateError),
    /// SQLite's file could not be copied.
    #[error(transparent)]
    Backup(#[from] sqlite::BackupError),
    /// A PostgreSQL database is copied with its own tools.
    #[error("DATABASE_URL: `backup` copies SQLite; copy a PostgreSQL database with pg_dump")]
    Dump,
}

/// Migrates the database, and repairs rows that were written without the triggers. Returns sentences that say what was
/// done.
pub async fn migrate(address: &DatabaseAddress) -> Result<Vec<String>, UpkeepError> {
    let server = match address {
        DatabaseAddress::Sqlite(path) => {
            sqlite::SqliteStore::open(path, false).await?.close().await;
            return Ok(vec!["the schema is up to date".to_owned()]);
        }
        DatabaseAddress::Postgres(server) => server,
    };
    let report = postgres::migrate_and_repair(&server.options()).await?;
    let mut said = vec![match report.applied.as_slice() {
        [] => "the schema is up to date".to_owned(),
        versions => format!("versions {versions:?} of the schema were added"),
    }];
    if report.backfilled > 0 {
        said.push(format!("{} messages got their place in their groups' logs", report.backfilled));
    }
    if report.indexed > 0 {
        said.push(format!("{} messages came into the index of the search", report.indexed));
    }
    said.extend(report.sign_up_off.map(|reason| format!("nobody can sign up here: {reason}")));
    said.extend(report.groups_off.map(|reason| format!("nobody can make a group here: {reason}")));
    said.extend(report.warnings);
    Ok(said)
}

/// Copies the database into a file while servers may be running on it. Returns the size of the copy in bytes.
pub async fn back_up(task: &Backup) -> Result<u64, UpkeepError> {
    match &task.database {
        DatabaseAddress::Sqlite(path) => Ok(sqlite::back_up(path, &task.file, task.replace).await?),
        DatabaseAddress::Postgres(_) => Err(UpkeepError::Dump),
    }
}

/// Examines the database. `listen` is the address for its notifications, if it differs.
pub async fn examine(address: &DatabaseAddress, listen: Option<&PostgresAddress>) -> Result<Vec<Finding>, UpkeepError> {
    match address {
        DatabaseAddress::Sqlite(path) => Ok(sqlite::examine(path).await?),
        DatabaseAddress::Postgres(server) => {
            let listen = listen.map(PostgresAddress::options);
            Ok(postgres::examine(&server.options(), listen.as_ref()).await)
        }
    }
}

/// Whether any finding requires action.
#[must_use]
pub fn is_wrong(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.state == State::Wrong)
}
