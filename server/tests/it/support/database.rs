//! The database of a test: a file of its own, or a database of its own on a real PostgreSQL.
//!
//! `TEST_STORE=postgres` puts every test of the whole server on PostgreSQL that is not about SQLite's file. The contract
//! suite asks for each by name.

use std::path::PathBuf;

use caravana_server::database;
use caravana_server::store::{DatabaseSettings, SharedStore};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};

use super::PATIENCE;
use super::postgres::TestDatabase;

/// Which kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    /// The one that this run is about.
    pub(crate) fn chosen() -> Self {
        match std::env::var("TEST_STORE").as_deref() {
            Err(_) | Ok("" | "sqlite") => Self::Sqlite,
            Ok("postgres") => Self::Postgres,
            Ok(other) => panic!("TEST_STORE is sqlite or postgres, not {other}"),
        }
    }
}

/// A database of a test's own.
#[expect(clippy::large_enum_variant, reason = "there is one for each test")]
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(TestDatabase),
    /// A test's own arrangement: what the server is told, and how others come in.
    Arranged {
        url: String,
        options: PgConnectOptions,
    },
}

impl Database {
    /// A new one. `file` is where it lies if it is a file.
    pub(crate) async fn new(kind: Kind, file: PathBuf) -> Self {
        match kind {
            Kind::Sqlite => Self::Sqlite(file),
            Kind::Postgres => Self::Postgres(TestDatabase::migrated().await),
        }
    }

    /// What `DATABASE_URL` says of it.
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(file) => format!("sqlite://{}", file.display()),
            Self::Postgres(database) => database.url(),
            Self::Arranged { url, .. } => url.clone(),
        }
    }

    /// An id as a value of its type, where the database does not see by itself which it is.
    pub(crate) fn uuid(&self, id: impl std::fmt::Display) -> String {
        match self {
            Self::Sqlite(_) => format!("'{id}'"),
            Self::Postgres(_) | Self::Arranged { .. } => format!("'{id}'::uuid"),
        }
    }

    /// The adapter that a server would open.
    pub(crate) async fn open(&self) -> SharedStore {
        database::open(&DatabaseSettings::at(self.url().parse().unwrap()), false).await.unwrap()
    }

    /// Another program's connection.
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

/// Its statements are the test's own, and belong in no log that a test looks through.
async fn outsider(options: PgConnectOptions) -> PgConnection {
    options.disable_statement_logging().connect().await.unwrap()
}

/// Another program, which speaks plain SQL. Values stand in the statements: they are the tests' own.
pub(crate) enum Foreign {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Foreign {
    /// A table of ours, by its name in this database: `{ours}session`.
    fn sql(&self, statement: &str) -> AssertSqlSafe<String> {
        let prefix = match self {
            Self::Sqlite(_) => "caravana_",
            Self::Postgres(_) => "caravana.",
        };
        AssertSqlSafe(statement.replace("{ours}", prefix))
    }

    /// A table of ours whose name is a word of SQL.
    pub(crate) fn ours(&self, name: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("caravana_{name}"),
            Self::Postgres(_) => format!("caravana.\"{name}\""),
        }
    }

    /// Every column there is: its table as a statement names it, the table's name without what marks it as ours, and its
    /// own name.
    pub(crate) async fn columns(&mut self) -> Vec<(String, String, String)> {
        match self {
            Self::Sqlite(connection) => sqlx::query_as(
                "select t.name, replace(t.name, 'caravana_', ''), c.name
                 from sqlite_master t, pragma_table_info(t.name) c where t.type = 'table'",
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

    /// Runs a statement, or several.
    pub(crate) async fn run(&mut self, statement: &str) {
        let statement = sqlx::raw_sql(self.sql(statement));
        match self {
            Self::Sqlite(connection) => drop(statement.execute(connection).await.unwrap()),
            Self::Postgres(connection) => drop(statement.execute(connection).await.unwrap()),
        }
    }

    /// The numbers of a query's only column.
    pub(crate) async fn numbers(&mut self, query: &str) -> Vec<i64> {
        let query = self.sql(query);
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(query).fetch_all(connection).await.unwrap(),
            Self::Postgres(connection) => sqlx::query_scalar(query).fetch_all(connection).await.unwrap(),
        }
    }

    /// Messages of somebody in a group, each a statement of its own, all in one commit.
    pub(crate) async fn says(&mut self, author: impl ToString, group: impl ToString, texts: &[String]) {
        let (author, group) = (author.to_string(), group.to_string());
        let mut statements = vec!["begin".to_owned()];
        statements.extend(texts.iter().map(|text| {
            format!("insert into group_chat (user_id, group_id, message) values ('{author}', '{group}', '{text}')")
        }));
        statements.push("commit".to_owned());
        self.run(&statements.join(";")).await;
    }

    /// Whether the files of the database are whole, where it has some.
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
