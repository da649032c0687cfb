//! A connection to one of the database's backends, as the adapter's statements see it.
//!
//! Hides the difference between the server's own connection and one that a pooler lends for one transaction: through a
//! pooler a statement must not be a named prepared statement, and the session must keep no state. A backend that is
//! dropped during a call is closed and never used again, because its state is unknown.

use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use sqlx::error::BoxDynError;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgConnection, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Either, Execute, Executor, Postgres, SqlStr};

/// The database ends a statement that takes longer.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a statement waits for a lock that another transaction holds.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// A connection to a backend. Behind a pooler each transaction may have another process.
#[derive(Debug)]
pub(super) struct Backend {
    held: Held,
    /// Whether statements are prepared under a name, so that they are parsed only once.
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

impl Backend {
    /// A connection of the pool.
    pub(super) fn pooled(connection: PoolConnection<Postgres>, named: bool) -> Self {
        Self { held: Held::Pooled(Some(connection)), named, clean: false }
    }

    /// A connection that is not in the pool.
    pub(super) fn own(connection: PgConnection, named: bool) -> Self {
        Self { held: Held::Own(Box::new(connection)), named, clean: false }
    }

    /// Says that no call is in progress: the pool may reuse the connection.
    pub(super) fn release(mut self) {
        self.clean = true;
    }

    /// Runs one or more statements without arguments, in one round trip.
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

impl Drop for Backend {
    fn drop(&mut self) {
        if let (false, Held::Pooled(connection)) = (self.clean, &mut self.held) {
            // Dropped without a goodbye: the database may not answer any more, and the place in the pool is needed.
            drop(connection.take().map(PoolConnection::detach));
        }
    }
}

/// The settings for a connection: set once on the server's own connection, and in each transaction behind a pooler
/// (`set local`). `durability` is the value of `synchronous_commit` that was approved at the start. Statements are
/// planned anew each time: a cached plan from when a table was small would scan the whole table after it has grown,
/// until the next `analyze`.
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

/// Additional settings for a lane of the writer. Its few statements look up a handful of rows by key, however large the
/// tables are. So one cached plan is always right, and a commit costs a quarter less than with planning each time.
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

impl<'c> Executor<'c> for &'c mut Backend {
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
