//! The address of a database.
//!
//! This is the only parser of database addresses. The rest of the server sees a file path or the options of a server.
//! An address may contain a password, so its `Debug` output and its parse errors show nothing of it.

use std::path::PathBuf;
use std::str::FromStr;

use caravana_postgres::{self as postgres, PostgresAddress};

/// The address of a database: `sqlite://path/to/file.db` or `postgres://user:password@host/database`.
#[derive(Debug, Clone)]
pub enum DatabaseAddress {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(PostgresAddress),
}

/// Why a text is not a valid address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with neither scheme.
    #[error("not understood; use sqlite://path/to/file.db or postgres://user:password@host/database")]
    Unknown,
    /// It names no file, or it is SQLite's `:memory:`, a database that ends with its process.
    #[error("the database must be a file: what is acknowledged has to survive the process")]
    NoFile,
    /// It is not the address of a PostgreSQL server.
    #[error(transparent)]
    Server(#[from] postgres::AddressError),
}

impl FromStr for DatabaseAddress {
    type Err = AddressError;

    /// Ignores SQLite's options (after `?`): the adapter sets the options that it needs.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if PostgresAddress::has_its_scheme(text) {
            return Ok(Self::Postgres(text.parse()?));
        }
        let path = text.strip_prefix("sqlite:").ok_or(AddressError::Unknown)?;
        let path = path.strip_prefix("//").unwrap_or(path);
        let path = path.split('?').next().unwrap_or(path);
        if path.is_empty() || path.starts_with(":memory:") {
            return Err(AddressError::NoFile);
        }
        Ok(Self::Sqlite(path.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<PathBuf, AddressError> {
        match text.parse()? {
            DatabaseAddress::Sqlite(path) => Ok(path),
            DatabaseAddress::Postgres(address) => panic!("{address:?}"),
        }
    }

    #[test]
    fn an_address_names_a_file() {
        assert_eq!(file("sqlite://data/caravana.db"), Ok("data/caravana.db".into()));
        assert_eq!(file("sqlite:data/caravana.db"), Ok("data/caravana.db".into()));
        assert_eq!(file("sqlite:///var/x.db?mode=rwc"), Ok("/var/x.db".into()));
        for text in ["sqlite::memory:", "sqlite://:memory:", "sqlite://", "sqlite:", "sqlite:?mode=memory"] {
            assert_eq!(file(text), Err(AddressError::NoFile), "{text}");
        }
        for text in ["", "data/caravana.db", "mysql://h/db", "postgres:h"] {
            assert_eq!(file(text), Err(AddressError::Unknown), "{text}");
        }
    }

    #[test]
    fn an_address_names_a_server() {
        for text in ["postgres://u:p@db.example.org:6543/chat", "postgresql://u:p@db.example.org:6543/chat"] {
            assert!(matches!(text.parse(), Ok(DatabaseAddress::Postgres(_))), "{text}");
        }
    }

    #[test]
    fn nothing_says_what_stands_in_an_address() {
        let read: DatabaseAddress = "postgres://u:secret-password@h/db".parse().unwrap();
        assert!(!format!("{read:?}").contains("secret-password"));
        for text in ["postgres://u:secret-password@[h/db", "mysql://u:secret-password@h/db"] {
            let error = text.parse::<DatabaseAddress>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret-password"));
        }
    }
}
