//! Chooses the adapter for a database: the only place that knows all adapters. The ports in [`caravana_store`] know none.

mod address;

use std::path::PathBuf;
use std::sync::Arc;

use caravana_postgres::{self as postgres, PostgresSettings, PostgresStore};
use caravana_sqlite::{self as sqlite, SqliteStore};
use caravana_store::{SecretHash, SharedStore};

pub use address::{AddressError, DatabaseAddress};

/// Which database to use, and its settings.
#[derive(Debug, Clone)]
pub enum DatabaseSettings {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresSettings>),
}

impl DatabaseSettings {
    /// The default settings for this address.
    #[must_use]
    pub fn at(address: DatabaseAddress) -> Self {
        match address {
            DatabaseAddress::Sqlite(path) => Self::Sqlite(path),
            DatabaseAddress::Postgres(address) => Self::Postgres(Box::new(PostgresSettings::at(address))),
        }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite adapter could not open its file.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// The PostgreSQL adapter could not open its database.
    #[error(transparent)]
    Postgres(#[from] postgres::OpenError),
}

impl OpenError {
    /// The setting that the operator has to check.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        match self {
            Self::Postgres(postgres::OpenError::MembersView(_)) => "MEMBERS_VIEW",
            Self::Postgres(_) | Self::Sqlite(_) => "DATABASE_URL",
        }
    }
}

/// Opens the database and brings its schema up to date. With `new_epochs` every group begins a new epoch, as after a
/// restored backup.
pub async fn open(database: &DatabaseSettings, new_epochs: bool) -> Result<SharedStore, OpenError> {
    Ok(match database {
        DatabaseSettings::Sqlite(path) => Arc::new(SqliteStore::open(path, new_epochs).await?),
        DatabaseSettings::Postgres(settings) => Arc::new(PostgresStore::open(settings, new_epochs).await?),
    })
}

/// [`Resets::create_reset`](caravana_store::Resets::create_reset) for an operator's command, while servers may be running
/// on the same database. `false` means that no link was stored.
pub async fn create_reset(
    database: &DatabaseSettings,
    email: &str,
    token: SecretHash,
    now: i64,
    expires_at: i64,
) -> Result<bool, OpenError> {
    Ok(match database {
        DatabaseSettings::Sqlite(path) => sqlite::create_reset(path, email, token, now, expires_at).await?,
        DatabaseSettings::Postgres(settings) => {
            postgres::create_reset(&settings.address, email, token, now, expires_at).await?
        }
    })
}
