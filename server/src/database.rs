//! Chooses the adapter for a database. The ports know no adapter.

use std::sync::Arc;

use crate::store::postgres::{self, PostgresStore};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::{DatabaseSettings, SecretHash, SharedStore};

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The SQLite file could not be opened.
    #[error(transparent)]
    Sqlite(#[from] sqlite::OpenError),
    /// The PostgreSQL server could not be opened.
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

/// Opens the database and migrates its schema. With `new_epochs` every group begins a new epoch, as after the server
/// has recognised a restored copy.
pub async fn open(database: &DatabaseSettings, new_epochs: bool) -> Result<SharedStore, OpenError> {
    Ok(match database {
        DatabaseSettings::Sqlite(path) => Arc::new(SqliteStore::open(path, new_epochs).await?),
        DatabaseSettings::Postgres(settings) => Arc::new(PostgresStore::open(settings, new_epochs).await?),
    })
}

/// [`Resets::create_reset`](crate::store::Resets::create_reset) for an operator's task, while servers are running.
/// Returns whether the account exists.
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
