//! One connection, as the adapter's statements see it.
//!
//! Owns the difference between a connection of our own and one that a pooler lends us for a transaction: there a
//! statement must have no name, and nothing may be left behind in the session. A link that is dropped in the middle of
//! something is closed and never used again, because nobody knows what its other end is doing.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Either, Execute, Executor, Postgres, SqlStr};

/// A statement that takes longer is ended by the database.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a statement waits for a lock that somebody else holds.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    held: Held,
    /// Whether statements may have a name, and so be parsed once for many questions.
    named: bool,
    /// Whether it may be used again.
    clean: bool,
}

#[derive(Debug)]
enum Held {
    /// `None` only while it is being dropped.
    Pooled(Option<PoolConnection<Postgres>>),
    Own(Box<PgConnection>),
}

impl Link {
    /// A connection of the pool.
    pub(super) fn pooled(connection: PoolConnection<Postgres>, named: bool) -> Self {
        Self { held: Held::Pooled(Some(connection)), named, clean: false }
    }

    /// A connection for one user only.
    pub(super) fn own(connection: PgConnection, named: bool) -> Self {
        Self { held: Held::Own(Box::new(connection)), named, clean: false }
    }

    /// Nothing is going on in it any more: the pool may have it back.
    pub(super) fn release(mut self) {
        self.clean = true;
    }

    /// Runs statements without arguments, several in one go.
    pub(super) async fn run(&mut self, statements: &str) -> Result<(), sqlx::Error> {
        let statements = sqlx::AssertSqlSafe(statements.to_owned());
        sqlx::raw_sql(statements).execute(self.connection()?).await.map(|_| ())
    }

    fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        match &mut self.held {
            Held::Pooled(Some(connection)) => Ok(connection),
            Held::Pooled(None) => Err(sqlx::Error::PoolClosed),
            Held::Own(connection) => Ok(connection),
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let (false, Held::Pooled(connection)) = (self.clean, &mut self.held) {
            // Not closed politely: its other end may not listen any more, and the place in the pool is needed.
            drop(connection.take().map(PoolConnection::detach));
        }
    }
}

/// What a connection of our own is told once, and one of a pooler for each transaction (`set local`). `durability` is the
/// value of `synchronous_commit` that the start has found good. Statements are planned for the tables as they are: a plan that
/// was kept from when a table was small reads all of it when it no longer is, until the database's next `analyze`.
pub(super) fn manners(local: bool, durability: &str, lock_timeout: Duration) -> String {
    let set = if local { "set local" } else { "set" };
    format!(
        "{set} statement_timeout = {}; {set} lock_timeout = {}; \
         {set} idle_in_transaction_session_timeout = {}; {set} synchronous_commit = {durability}; \
         {set} plan_cache_mode = force_custom_plan",
        STATEMENT_TIMEOUT.as_millis(),
        lock_timeout.as_millis(),
        STATEMENT_TIMEOUT.as_millis(),
    )
}

/// What a lane of the writer is told beside it: its few statements look up a handful of rows by their keys, however large the
/// tables are. So the one plan that is right for that is kept, which makes a commit a quarter cheaper than planning each time.
pub(super) const BY_KEYS: &str = "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; \
                                  set enable_hashjoin = off; set enable_mergejoin = off";

/// A query that leaves no prepared statement behind.
struct Unnamed<E>(E);

impl<'q, E: Execute<'q, Postgres>> Execute<'q, Postgres> for Unnamed<E> {
    fn sql(self) -> SqlStr {
        self.0.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.0.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.0.take_arguments()
    }

    fn persistent(&self) -> bool {
        false
    }
}

impl<'c> Executor<'c> for &'c mut Link {
    type Database = Postgres;

    fn fetch_many<'e, 'q, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: Execute<'q, Postgres>,
        'q: 'e,
        E: 'q,
    {
        let named = self.named;
        match self.connection() {
            Ok(connection) if named => connection.fetch_many(query),
            Ok(connection) => connection.fetch_many(Unnamed(query)),
            Err(error) => Box::pin(futures::stream::once(std::future::ready(Err(error)))),
        }
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, sqlx::Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let named = self.named;
        match self.connection() {
            Ok(connection) if named => connection.fetch_optional(query),
            Ok(connection) => connection.fetch_optional(Unnamed(query)),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn prepare_with<'e>(
        self,
        sql: SqlStr,
        parameters: &'e [PgTypeInfo],
    ) -> BoxFuture<'e, Result<PgStatement, sqlx::Error>>
    where
        'c: 'e,
    {
        match self.connection() {
            Ok(connection) => connection.prepare_with(sql, parameters),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, sqlx::Error>>
    where
        'c: 'e,
    {
        match self.connection() {
            Ok(connection) => connection.describe(sql),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }
}
