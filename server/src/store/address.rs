//! Where a database is.
//!
//! The one reader of database addresses: what an operator wrote is read once, and from there on it is a file or a server. An
//! address may have a password in it, so neither an address nor an error about one says what stands in it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// Where a database is: `sqlite://path/to/file.db` or `postgres://user:password@host/database`.
#[derive(Debug, Clone)]
pub enum DatabaseAddress {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(PostgresAddress),
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with something else.
    #[error("not understood; use sqlite://path/to/file.db or postgres://user:password@host/database")]
    Unknown,
    /// No file, or SQLite's own word for a database that ends with its process.
    #[error("the database must be a file: what is acknowledged has to survive the process")]
    NoFile,
    /// Not that of a server.
    #[error("not understood; use postgres://user:password@host/database")]
    NoServer,
}

impl FromStr for DatabaseAddress {
    type Err = AddressError;

    /// Options of a file (behind `?`) are SQLite's own words; the adapters set what they need by themselves.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        if is_server(text) {
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

/// Where a PostgreSQL server is, and how it is entered.
#[derive(Clone)]
pub struct PostgresAddress(Box<PgConnectOptions>);

impl PostgresAddress {
    /// For a connection.
    pub(crate) fn options(&self) -> PgConnectOptions {
        self.0.as_ref().clone()
    }
}

impl FromStr for PostgresAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !is_server(text) {
            return Err(AddressError::NoServer);
        }
        let options = PgConnectOptions::from_str(text).map_err(|_| AddressError::NoServer)?;
        // A pooler takes no connection that begins with a setting which it does not know.
        Ok(Self(Box::new(options.extra_float_digits(None))))
    }
}

impl fmt::Debug for PostgresAddress {
    /// The password is among the options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAddress").finish_non_exhaustive()
    }
}

fn is_server(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
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
            let address: DatabaseAddress = text.parse().unwrap();
            let DatabaseAddress::Postgres(address) = address else { panic!("{address:?}") };
            let options = address.options();
            assert_eq!((options.get_host(), options.get_port()), ("db.example.org", 6543));
            assert_eq!(options.get_database(), Some("chat"));
        }
        assert_eq!("sqlite://x.db".parse::<PostgresAddress>().unwrap_err(), AddressError::NoServer);
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
