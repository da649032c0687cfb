//! The database of one test: its own SQLite file, or its own database on a real PostgreSQL.
//!
//! `TEST_STORE=postgres` runs every test of the whole server on PostgreSQL, except those about SQLite's file. The
//! contract suite names both kinds itself.

use std::path::PathBuf;

use caravana_server::database;
use caravana_server::database::DatabaseSettings;
use caravana_store::SharedStore;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use super::PATIENCE;
use super::postgres::TestDatabase;

/// The kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// The kind that `TEST_STORE` selects.
    pub(crate) fn chosen() -> Self {
        match std::env::var("TEST_STORE").as_deref() {
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("TEST_STORE is sqlite or postgres, not {other}"),
        }
    }
}

/// The database of one test.
#[expect(clippy::large_enum_variant, reason = "there is one for each test")]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(TestDatabase),
    /// A database that the test has set up: the URL for the server, and the options for other connections.
    Arranged {
        url: String,
        options: PgConnectOptions,
    },
}

impl Database {
    /// A new database. `file` is its path if it is a SQLite file.
    pub(crate) async fn new(kind: Kind, file: PathBuf) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(file),
            Kind::Postgres => Self::Postgres(TestDatabase::migrated().await),
        }
    }

    /// Its `DATABASE_URL`.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}", file.display()),
            Self::Postgres(database) => database.url(),
            Self::Arranged { url, .. } => url.clone(),
        }
    }

    /// An id as an SQL literal, with a cast where the database can not infer the type.
    pub(crate) fn uuid(&self, id: impl std::fmt::Display) -> String {
        match self {
            Self::Sqlite(_) => format!("'{id}'"),
            Self::Postgres(_) | Self::Arranged { .. } => format!("'{id}'::uuid"),
        }
    }

    /// Opens the store as a server would.
    pub(crate) async fn open(&self) -> SharedStore {
        database::open(&DatabaseSettings::at(self.url().parse().unwrap()), false).await.unwrap()
    }

    /// A connection of another program.
    pub(crate) async fn foreign(&self) -> Foreign {
        match self {
            Self::Sqlite(file) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file).busy_timeout(PATIENCE);
                Foreign::Sqlite(options.disable_statement_logging().connect().await.unwrap())
            }
            Self::Postgres(database) => Foreign::Postgres(outsider(database.options()).await),
            Self::Arranged { options, .. } => Foreign::Postgres(outsider(options.clone()).await),
        }
    }
}

/// A connection without statement logging: its statements are the test's own, and must not be in a log that a test
/// checks.
async fn outsider(options: PgConnectOptions) -> PgConnection {
    options.disable_statement_logging().connect().await.unwrap()
}

/// Another program that uses plain SQL. Values are part of the statements, because they come from the tests.
pub(crate) enum Foreign {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Foreign {
    /// Replaces `{ours}` by the prefix of our tables in this database, as in `{ours}session`.
    fn sql(&self, statement: &str) -> AssertSqlSafe<String> {
        let prefix = match self {
            Self::Sqlite(_) => "caravana_",
            Self::Postgres(_) => "caravana.",
        };
        AssertSqlSafe(statement.replace("{ours}", prefix))
    }

    /// The name of one of our tables whose name is an SQL keyword.
    pub(crate) fn ours(&self, name: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("caravana_{name}"),
            Self::Postgres(_) => format!("caravana.\"{name}\""),
        }
    }

    /// Every column: its table's name for a statement, the table's name without our prefix, and the column's name.
    pub(crate) async fn columns(&mut self) -> Vec<(String, String, String)> {
        match self {
            Self::Sqlite(connection) => sqlx::query_as(
                "select t.name, replace(t.name, 'caravana_', ''), c.name
                 from sqlite_master t, pragma_table_info(t.name) c
                 where t.type = 'table' and t.sql not like 'create virtual table%'",
            )
            .fetch_all(connection)
            .await
            .unwrap(),
            Self::Postgres(connection) => sqlx::query_as(
                "select format('%I.%I', table_schema, table_name), table_name::text, column_name::text
                 from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
                 where table_schema in ('public', 'caravana') and t.table_type = 'BASE TABLE'",
            )
            .fetch_all(connection)
            .await
            .unwrap(),
        }
    }

    /// Runs one or more statements.
    pub(crate) async fn run(&mut self, statement: &str) {
        let statement = sqlx::raw_sql(self.sql(statement));
        match self {
            Self::Sqlite(connection) => drop(statement.execute(connection).await.unwrap()),
            Self::Postgres(connection) => drop(statement.execute(connection).await.unwrap()),
        }
    }

    /// Runs a query with one numeric column and returns its values.
    pub(crate) async fn numbers(&mut self, query: &str) -> Vec<i64> {
        let query = self.sql(query);
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(query).fetch_all(connection).await.unwrap(),
            Self::Postgres(connection) => sqlx::query_scalar(query).fetch_all(connection).await.unwrap(),
        }
    }

    /// Inserts messages of one author into a group, each by its own statement, all in one commit.
    pub(crate) async fn says(&mut self, author: impl ToString, group: impl ToString, texts: &[String]) {
        let (author, group) = (author.to_string(), group.to_string());
        let mut statements = vec!["begin".to_owned()];
        statements.extend(texts.iter().map(|text| {
            format!("insert into group_chat (user_id, group_id, message) values ('{author}', '{group}', '{text}')")
        }));
        statements.push("commit".to_owned());
        self.run(&statements.join(";")).await;
    }

    /// Whether the database's files are intact. On PostgreSQL: whether the connection still answers.
    pub(crate) async fn is_sound(&mut self) -> bool {
        match self {
            Self::Sqlite(connection) => {
                let sound: String = sqlx::query_scalar("pragma integrity_check").fetch_one(connection).await.unwrap();
                sound == "ok"
            }
            Self::Postgres(connection) => connection.ping().await.is_ok(),
        }
    }
}
