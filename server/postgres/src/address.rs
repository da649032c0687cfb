//! The address of a server.
//!
//! An address may contain a password, so its `Debug` output and its parse errors show nothing of it.

use std::fmt;
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

/// The text is not the address of a PostgreSQL server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not understood; use postgres://user:password@host/database")]
pub struct AddressError;

/// The address of a PostgreSQL server and the credentials for it.
#[derive(Clone)]
pub struct PostgresAddress(Box<PgConnectOptions>);

impl PostgresAddress {
    /// Whether a text begins with the scheme of such an address.
    #[must_use]
    pub fn has_its_scheme(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// The options for a connection.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        self.0.as_ref().clone()
    }
}

impl FromStr for PostgresAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !Self::has_its_scheme(text) {
            return Err(AddressError);
        }
        let options = PgConnectOptions::from_str(text).map_err(|_| AddressError)?;
        // A pooler refuses a connection whose start-up message contains a setting that the pooler does not know.
        Ok(Self(Box::new(options.extra_float_digits(None))))
    }
}

impl fmt::Debug for PostgresAddress {
    /// Prints no options, because the password is one of them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresAddress").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_server() {
        for text in ["postgres://u:p@db.example.org:6543/chat", "postgresql://u:p@db.example.org:6543/chat"] {
            let options = text.parse::<PostgresAddress>().unwrap().options();
            assert_eq!((options.get_host(), options.get_port()), ("db.example.org", 6543));
            assert_eq!(options.get_database(), Some("chat"));
        }
        for text in ["sqlite://x.db", "postgres://u:secret-password@[h/db", ""] {
            let error = text.parse::<PostgresAddress>().unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret-password"), "{text}");
        }
    }
}
