//! The SQLite adapter: one file, one writer, several readers.
//!
//! Owns the database file while it is open: a second server on the same file is refused. Promises G1: the mode is WAL
//! with `synchronous=FULL`, set and read back, so that a commit is on the disk before its caller gets an answer. Reads
//! go to a small pool of read-only connections and see every commit that was answered (G16). All writes go through the
//! one [`Writer`]. Membership and role are checked inside the statements and transactions that depend on them, never
//! before. Every write that the triggers turn into events tells the hub which group's log has new events.

mod accounts;
mod backup;
mod bounds;
mod direct;
mod directs;
mod doctor;
mod ended;
mod ends;
mod exports;
mod groups;
mod invites;
mod log;
mod members;
mod mine;
mod operator;
mod privacy;
mod proofs;
mod pruning;
mod resets;
mod roles;
mod rows;
mod search;
mod sessions;
mod tickets;
mod trip;
mod witness;
mod writer;

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use caravana_store::{HintSource, Store, StoreError};
use sqlx::error::DatabaseError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqliteConnection, SqlitePool};
use tokio::task::JoinHandle;

pub use backup::{BackupError, back_up};
pub use doctor::examine;
pub use operator::create_reset;
pub use search::place_all;
use witness::{Past, Witness};
use writer::Writer;

/// How long a statement waits for another process that holds the file's lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a read waits for a free connection before the answer is `temporarily_unavailable`.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// Read connections: on a small machine, enough that one long page does not delay the other reads.
const READERS: u32 = 4;
/// The first SQLite version without the WAL-reset bug, which could lose commits.
const SAFE_VERSION: (u32, u32, u32) = (3, 51, 3);

/// The schema, version by version.
static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// A SQLite database.
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    hints: HintSource,
    indexer: JoinHandle<()>,
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder or the lock file could not be made.
    #[error("the database folder {path} can't be used")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another server has the file open.
    #[error("another server is using {0}")]
    InUse(PathBuf),
    /// The linked SQLite is too old to be trusted with commits.
    #[error("SQLite {0} may lose commits; 3.51.3 or later is needed")]
    OldSqlite(String),
    /// The database did not accept a setting that durability needs.
    #[error("the database refuses {0}")]
    Unsafe(&'static str),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the schema could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
}

impl SqliteStore {
    /// Opens the database in this file, creates it if it is missing, and brings its schema up to date. All groups begin
    /// a new epoch if the file turns out to be an older copy, or if the operator says so (`new_epochs`).
    pub async fn open(path: &Path, new_epochs: bool) -> Result<Self, OpenError> {
        let Opened { lock, options, mut connection } = prepare(path).await?;
        let (witness, past) = Witness::open(path, &lock, &mut connection, new_epochs).await?;
        if past == Past::Rewritten {
            tracing::warn!("the database is an older copy of what was here: every group begins a new epoch");
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            // A local file needs no ping before each use.
            .test_before_acquire(false)
            .connect_with(options.clone().read_only(true))
            .await?;
        let (writer, hints) = Writer::start(connection, witness, lock);
        let indexer = search::indexer::start(readers.clone(), writer.clone());
        Ok(Self { readers, writer, hints, indexer })
    }

    /// Finishes the waiting writes and closes the file.
    pub async fn close(&self) {
        self.indexer.abort();
        self.writer.close().await;
        self.readers.close().await;
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.indexer.abort();
    }
}

impl Store for SqliteStore {
    fn ping(&self) -> futures::future::BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async {
            sqlx::query("select 1").execute(&self.readers).await?;
            Ok(())
        })
    }

    /// Never returns: an open file stays the same file, even if its path gets another one.
    fn replaced(&self) -> futures::future::BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    fn close(&self) -> futures::future::BoxFuture<'_, ()> {
        Box::pin(Self::close(self))
    }
}

/// A database that is locked, safe and has the current schema.
struct Opened {
    lock: File,
    options: SqliteConnectOptions,
    connection: SqliteConnection,
}

async fn prepare(path: &Path) -> Result<Opened, OpenError> {
    let lock = lock(path)?;
    let options = SqliteConnectOptions::from_str("sqlite:")?
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT);
    let mut connection = sqlx::ConnectOptions::connect(&options).await?;
    check_safety(&mut connection).await?;
    // An older binary must keep working on a newer schema, so unknown newer migrations are not an error. This does not
    // use `run`: its trait bound would make every future around it `!Send`.
    let mut migrations = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    migrations.set_ignore_missing(true).run_direct(None, &mut connection, false).await?;
    Ok(Opened { lock, options, connection })
}

/// Opens the database for a task that must be alone with it, like [`SqliteStore::open`], but without a server's commit
/// [`Witness`]. The file is free for a server again when both values are dropped.
pub async fn open_alone(path: &Path) -> Result<(SqliteConnection, File), OpenError> {
    let Opened { lock, mut connection, .. } = prepare(path).await?;
    // Records the file's place, so that the next server does not take the file for a copy.
    Witness::open(path, &lock, &mut connection, false).await?;
    Ok((connection, lock))
}

/// Opens the database read-only, also while a server uses it. `None` when there is no such file.
pub async fn look_into(path: &Path) -> Result<Option<SqliteConnection>, OpenError> {
    if !path.exists() {
        return Ok(None);
    }
    let options = SqliteConnectOptions::from_str("sqlite:")?.filename(path).read_only(true).busy_timeout(BUSY_TIMEOUT);
    Ok(Some(sqlx::ConnectOptions::connect(&options).await?))
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let folder_error = |source| OpenError::Folder { path: path.to_owned(), source };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(folder_error)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options().create(true).truncate(false).write(true).open(name).map_err(folder_error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(folder_error(source)),
    }
}

/// Reads back the settings that durability depends on.
async fn check_safety(connection: &mut sqlx::SqliteConnection) -> Result<(), OpenError> {
    let version: String = sqlx::query_scalar("select sqlite_version()").fetch_one(&mut *connection).await?;
    if !is_safe_version(&version) {
        return Err(OpenError::OldSqlite(version));
    }
    let mode: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&mut *connection).await?;
    if mode != "wal" {
        return Err(OpenError::Unsafe("journal_mode=WAL"));
    }
    let synchronous: i64 = sqlx::query_scalar("pragma synchronous").fetch_one(&mut *connection).await?;
    if synchronous < 2 {
        return Err(OpenError::Unsafe("synchronous=FULL"));
    }
    Ok(())
}

fn is_safe_version(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= SAFE_VERSION
}

/// Whether the error is a violated `unique` or `primary key` constraint.
fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

/// Parses a stored id. The server's ids are UUIDs; a row with another id, written by another program, can't be named in
/// the protocol.
fn id<T: FromStr>(text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Failed("a stored id is no UUID".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_sqlite_is_refused() {
        for (version, is_safe) in [
            ("3.51.3", true),
            ("3.51.10", true),
            ("3.52.0", true),
            ("4.0.0", true),
            ("3.51.2", false),
            ("3.9.99", false),
            ("2.99.99", false),
            ("3.51", false),
            ("", false),
        ] {
            assert_eq!(is_safe_version(version), is_safe, "{version}");
        }
    }

    /// The settings are read back, because a file system may refuse the WAL and a build may have other defaults.
    #[tokio::test]
    async fn a_connection_that_could_lose_commits_is_refused() {
        use SqliteJournalMode::{Delete, Memory, Wal};
        use SqliteSynchronous::{Extra, Full, Normal, Off};
        for (journal, synchronous, missing) in [
            (Wal, Full, None),
            (Wal, Extra, None),
            (Wal, Normal, Some("synchronous=FULL")),
            (Wal, Off, Some("synchronous=FULL")),
            (Delete, Full, Some("journal_mode=WAL")),
            (Memory, Full, Some("journal_mode=WAL")),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let options = SqliteConnectOptions::new()
                .filename(folder.path().join("x.db"))
                .create_if_missing(true)
                .journal_mode(journal)
                .synchronous(synchronous);
            let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
            let found = match check_safety(&mut connection).await {
                Ok(()) => None,
                Err(OpenError::Unsafe(what)) => Some(what),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(found, missing, "{journal:?}, {synchronous:?}");
        }
    }

    #[tokio::test]
    async fn a_second_server_on_the_same_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let first = SqliteStore::open(&path, false).await.unwrap();
        assert!(matches!(SqliteStore::open(&path, false).await, Err(OpenError::InUse(_))));
        first.close().await;
        drop(first);
        SqliteStore::open(&path, false).await.unwrap();
    }
}
