//! Import: copies everything from one database into another, from SQLite to PostgreSQL or back.
//!
//! Ids, seqs and epochs are kept, so that a client's cursor and outbox stay valid. Promises: the target is changed only
//! if it is empty, or partly filled by an import of the same source; if the process is killed at any moment, the next
//! call continues where it stopped; a server does not start on a partly filled database; at the end the log of every
//! group is counted again. The import copies tables, not messages. The triggers are off while it writes, because the
//! rows that the triggers would number already have their numbers.

mod postgres;
mod sqlite;
mod table;

use async_trait::async_trait;
use caravana_postgres::migrate::MigrateError;
use caravana_sqlite::OpenError;
use serde_json::Value;

use crate::database::{DatabaseAddress, DatabaseSettings};
use table::{Row, TABLES, Table};

/// Rows per transaction.
const BATCH: i64 = 2_000;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// Rows of all tables.
    pub rows: u64,
    /// Groups whose log was checked.
    pub groups: u64,
    /// Values that the target can't hold and that were replaced by a displayable value.
    pub replaced: u64,
}

/// Why the import failed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Both databases are SQLite, or both are PostgreSQL.
    #[error("one of the two databases must be SQLite and the other PostgreSQL; for two of a kind use their own tools")]
    SameKind,
    /// The source does not have this server's tables, or has those of another version.
    #[error("the source is no database of this server's version; start this version on it once")]
    Source,
    /// The target already has rows.
    #[error("the target is not empty")]
    NotEmpty,
    /// The target's tables `users`, `groups` or `group_chat` belong to another program.
    #[error("the target has tables of another program; an import needs a database of its own")]
    Adopted,
    /// The source changed between two calls.
    #[error("the source has changed since this import began; begin again with an empty target")]
    Changed,
    /// Another process writes to one of the databases.
    #[error("a server is using one of the databases; stop it first")]
    InUse,
    /// After the import, the log of a group is incomplete.
    #[error("after the import the log of group {0} is not what it was")]
    Differs(String),
    /// A SQLite database could not be opened.
    #[error("the SQLite database can't be opened")]
    Open(#[from] OpenError),
    /// The PostgreSQL database could not be brought up to date.
    #[error("the PostgreSQL database can't be brought up to date")]
    Migrate(#[from] MigrateError),
    /// A database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// Receives the progress.
pub trait Progress: Send {
    /// Called once, with the number of all rows and how many of them an earlier call has copied.
    fn begins(&mut self, rows: u64, moved: u64);
    /// Called after each page: `rows` more rows of this table are written.
    fn moved(&mut self, table: &str, rows: u64);
}

/// The database that is read.
#[async_trait]
trait Source: Send {
    /// A value that changes whenever the logs change.
    async fn fingerprint(&mut self) -> Result<String, ImportError>;
    /// How many rows a table has.
    async fn count(&mut self, table: &Table) -> Result<u64, ImportError>;
    /// The next rows in key order; each is a JSON array in the order of the table's columns.
    async fn page(&mut self, table: &Table, after: Option<&[String]>, limit: i64) -> Result<Vec<Row>, ImportError>;
}

/// The database that is written.
#[async_trait]
trait Target: Source {
    /// How far an earlier call has come with this source, table by table. If there was none, it records a new import
    /// and all tables are at their beginning.
    async fn resume(&mut self, fingerprint: &str) -> Result<Vec<Reached>, ImportError>;
    /// Writes rows, and the new progress of their table, in one transaction and without triggers.
    async fn write(&mut self, table: &Table, rows: &[Vec<Value>], reached: &Reached) -> Result<(), ImportError>;
    /// A group whose log has a hole, or whose head differs from its last event, if there is one.
    async fn broken_log(&mut self) -> Result<Option<String>, ImportError>;
    /// Deletes the record of the import.
    async fn finish(&mut self) -> Result<(), ImportError>;
}

/// The progress of a table.
#[derive(Debug, Clone, Default)]
struct Reached {
    table: String,
    /// The key of the last row that was written.
    after: Option<Vec<String>>,
    rows: u64,
    done: bool,
}

/// Copies everything from one address to the other.
pub async fn import(
    from: &DatabaseAddress,
    to: &DatabaseAddress,
    progress: &mut dyn Progress,
) -> Result<Moved, ImportError> {
    use DatabaseAddress::{Postgres, Sqlite};
    match (from, to) {
        (Sqlite(from), Postgres(to)) => {
            let mut source = sqlite::Sqlite::source(from).await?;
            let mut target = postgres::Postgres::target(to).await?;
            transfer(&mut source, &mut target, progress).await
        }
        (Postgres(from), Sqlite(to)) => {
            let mut source = postgres::Postgres::source(from).await?;
            let mut target = sqlite::Sqlite::target(to).await?;
            transfer(&mut source, &mut target, progress).await
        }
        (Sqlite(_), Sqlite(_)) | (Postgres(_), Postgres(_)) => Err(ImportError::SameKind),
    }
}

/// Whether a database is partly filled by an import, so that no server may start on it. `false` for a database that
/// can't be read: opening it reports why.
pub async fn is_unfinished(database: &DatabaseSettings) -> bool {
    match database {
        DatabaseSettings::Sqlite(path) => sqlite::is_unfinished(path).await.unwrap_or(false),
        DatabaseSettings::Postgres(settings) => postgres::is_unfinished(&settings.address).await.unwrap_or(false),
    }
}

async fn transfer(
    source: &mut dyn Source,
    target: &mut dyn Target,
    progress: &mut dyn Progress,
) -> Result<Moved, ImportError> {
    let fingerprint = source.fingerprint().await?;
    let mut reached = target.resume(&fingerprint).await?;
    let mut counts = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        counts.push(source.count(table).await?);
    }
    progress.begins(counts.iter().sum(), reached.iter().map(|table| table.rows).sum());
    let mut moved = Moved::default();
    for (table, reached) in TABLES.iter().zip(&mut reached) {
        while !reached.done {
            let page = source.page(table, reached.after.as_deref(), BATCH).await?;
            let rows = page.len() as u64;
            reached.done = page.is_empty();
            reached.rows += rows;
            let mut values = Vec::with_capacity(page.len());
            for row in page {
                reached.after = Some(row.key);
                let (fitting, replaced) = table.fit(row.values);
                moved.replaced += replaced;
                values.push(fitting);
            }
            target.write(table, &values, reached).await?;
            progress.moved(table.name, rows);
        }
        moved.rows += reached.rows;
    }
    verify(source, target, &fingerprint, &counts).await?;
    moved.groups = source.count(&TABLES[table::HEADS]).await?;
    target.finish().await?;
    Ok(moved)
}

/// Checks the copy before the import counts as finished.
async fn verify(
    source: &mut dyn Source,
    target: &mut dyn Target,
    fingerprint: &str,
    counts: &[u64],
) -> Result<(), ImportError> {
    if source.fingerprint().await? != fingerprint {
        return Err(ImportError::Changed);
    }
    for (table, count) in TABLES.iter().zip(counts) {
        if target.count(table).await? != *count {
            return Err(ImportError::Changed);
        }
    }
    match target.broken_log().await? {
        Some(group) => Err(ImportError::Differs(group)),
        None => Ok(()),
    }
}
