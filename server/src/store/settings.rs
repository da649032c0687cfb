//! The operator's settings for the database. Plain values; the settings reader has checked them.

use std::path::PathBuf;

use super::{DatabaseAddress, MembersView, PostgresAddress};

/// Which database to use, and its settings.
#[derive(Debug, Clone)]
pub enum DatabaseSettings {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresSettings>),
}

/// The settings for a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// Its address.
    pub address: PostgresAddress,
    /// The address to listen for notifications, if `address` leads to a pooler that does not forward notifications.
    pub listen: Option<PostgresAddress>,
    /// The table or view that holds the members, instead of the server's own.
    pub members_view: Option<MembersView>,
    /// Whether to start on a database whose settings can lose commits.
    pub allows_unsafe_durability: bool,
    /// Whether this is a production database.
    pub is_production: bool,
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

impl PostgresSettings {
    /// The default settings for this address.
    #[must_use]
    pub fn at(address: PostgresAddress) -> Self {
        Self { address, listen: None, members_view: None, allows_unsafe_durability: false, is_production: false }
    }
}
