//! The databases that tests run on.

/// The database that tests of the whole server and of the browser run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Store {
    /// A file for each test.
    Sqlite,
    /// A throw-away PostgreSQL, with a database for each test.
    Postgres,
}

impl Store {
    /// The value of `TEST_STORE` for the tests.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}
