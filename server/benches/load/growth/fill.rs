//! Fills the database of a running server, as another program does: thousands of rows a statement.

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::Result;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use tokio::runtime::Runtime;
use uuid::Uuid;

/// Rows of one statement.
const ROWS: usize = 2_000;
/// Characters of each message: as in the other workloads.
const TEXT: usize = 200;

/// How long a statement waits for the server's write.
const PATIENCE: Duration = Duration::from_secs(30);

/// What an id is of.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    User = 1,
    Group = 2,
    Message = 3,
}

/// The id with this number.
pub(crate) fn id(kind: Kind, number: usize) -> Uuid {
    // Version 7, a millisecond apart, as servers and clients make them.
    let millis = 1_767_225_600_000 + number as u128;
    Uuid::from_u128(millis << 80 | 0x7 << 76 | (kind as u128) << 64 | 0b10 << 62 | number as u128)
}

/// Another program with a connection of its own.
pub(crate) struct Filler {
    runtime: Runtime,
    connection: Connection,
}

enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Filler {
    pub(crate) fn connect(url: &str) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(async {
            anyhow::Ok(if url.starts_with("sqlite:") {
                let options = SqliteConnectOptions::from_str(url)?.busy_timeout(PATIENCE);
                Connection::Sqlite(SqliteConnection::connect_with(&options).await?)
            } else {
                Connection::Postgres(PgConnection::connect(url).await?)
            })
        })?;
        Ok(Self { runtime, connection })
    }

    /// Users with numbers below this.
    pub(crate) fn users(&mut self, count: usize) -> Result<()> {
        self.insert("users (id, display_name)", (0..count).map(|n| format!("('{}', 'Viajera {n}')", id(Kind::User, n))))
    }

    /// Groups with numbers below this.
    pub(crate) fn groups(&mut self, count: usize) -> Result<()> {
        self.insert("groups (id, name)", (0..count).map(|n| format!("('{}', 'Viaje {n}')", id(Kind::Group, n))))
    }

    /// Members, by group and user.
    pub(crate) fn members(&mut self, members: impl Iterator<Item = (Uuid, Uuid)>) -> Result<()> {
        let into = format!("{}member (group_id, user_id)", self.ours());
        self.insert(&into, members.map(|(group, user)| format!("('{group}', '{user}')")))
    }

    /// Read marks of these users in a group.
    pub(crate) fn reads(&mut self, group: Uuid, users: impl Iterator<Item = Uuid>) -> Result<()> {
        let into = format!("{}read (group_id, user_id, seq)", self.ours());
        self.insert(&into, users.map(|user| format!("('{group}', '{user}', 1)")))
    }

    /// Messages of a user in a group.
    pub(crate) fn messages(&mut self, group: Uuid, user: Uuid, count: usize) -> Result<()> {
        let text = "la ruta ".repeat(TEXT / 8);
        let row = |n| format!("('{}', '{user}', '{group}', '{text}')", id(Kind::Message, n));
        self.insert("group_chat (id, user_id, group_id, message)", (0..count).map(row))
    }

    /// Messages by group, author and text, in this order.
    pub(crate) fn texts(&mut self, messages: impl Iterator<Item = (Uuid, Uuid, String)>) -> Result<()> {
        let row = |(n, (group, user, text))| format!("('{}', '{user}', '{group}', '{text}')", id(Kind::Message, n));
        self.insert("group_chat (id, user_id, group_id, message)", messages.enumerate().map(row))
    }

    /// Statistics for the planner, as a database has them that has been used for a while.
    pub(crate) fn settle(&mut self) -> Result<()> {
        match &self.connection {
            Connection::Sqlite(_) => Ok(()),
            Connection::Postgres(_) => self.run("analyze".to_owned()),
        }
    }

    fn ours(&self) -> &'static str {
        match &self.connection {
            Connection::Sqlite(_) => "caravana_",
            Connection::Postgres(_) => "caravana.",
        }
    }

    fn insert(&mut self, into: &str, rows: impl Iterator<Item = String>) -> Result<()> {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let values: Vec<String> = rows.by_ref().take(ROWS).collect();
            self.run(format!("insert into {into} values {}", values.join(",")))?;
        }
        Ok(())
    }

    fn run(&mut self, statement: String) -> Result<()> {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement));
        self.runtime.block_on(async {
            match &mut self.connection {
                Connection::Sqlite(connection) => statement.execute(connection).await.map(drop),
                Connection::Postgres(connection) => statement.execute(connection).await.map(drop),
            }
        })?;
        Ok(())
    }
}
