//! What an operator says about the database. Plain values, checked where they are read.

use std::path::PathBuf;

use super::{DatabaseAddress, MembersView, PostgresAddress};

/// Which database, and what its operator says about it.
#[derive(Debug, Clone)]
pub enum DatabaseSettings {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<PostgresSettings>),
}

/// What an operator says about a database on a server.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// Where it is.
    pub address: PostgresAddress,
    /// Where to listen, if `address` leads to a pooler that does not pass notifications on.
    pub listen: Option<PostgresAddress>,
    /// The table or view that says who is a member, in the place of ours.
    pub members_view: Option<MembersView>,
    /// Whether a database may be used that can lose commits.
    pub allows_unsafe_durability: bool,
    /// Whether it is for real people.
    pub is_production: bool,
}

impl DatabaseSettings {
    /// A database with nothing special about it.
    #[must_use]
    pub fn at(address: DatabaseAddress) -> Self {
        match address {
            DatabaseAddress::Sqlite(path) => Self::Sqlite(path),
            DatabaseAddress::Postgres(address) => Self::Postgres(Box::new(PostgresSettings::at(address))),
        }
    }
}

impl PostgresSettings {
    /// A database with nothing special about it.
    #[must_use]
    pub fn at(address: PostgresAddress) -> Self {
        Self { address, listen: None, members_view: None, allows_unsafe_durability: false, is_production: false }
    }
}
