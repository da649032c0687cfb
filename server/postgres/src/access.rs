//! Database access for everything but sends: queries, and writes in their own transaction.
//!
//! Owns the pool. Promises: every call ends in time, also when the database has stopped answering; a connection that
//! died while idle is replaced without an error for the caller; a transaction that the database aborted because of a
//! conflict with another one is tried again; the hub is told of a commit before the caller gets its answer. It also
//! works over a pooler in transaction mode: then every query is a transaction, and the session keeps no state.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caravana_protocol::GroupId;
use caravana_store::{Commits, Effects, HintSender, StoreError};
use futures::future::BoxFuture;
use rand::RngExt as _;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgDatabaseError, PgPoolOptions};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::TaskTracker;

use super::backend::{Backend, LOCK_TIMEOUT, manners};
use super::place::Home;
use super::shape::Shape;

/// Connections for queries and writes; sends have their own. Enough for a page, a burst of resumes and the sweep at
/// once; few enough that ten servers stay below PostgreSQL's default of a hundred connections.
const CONNECTIONS: u32 = 8;
/// How long a caller waits for an answer at most; then it gets `temporarily_unavailable`.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many dead connections a query may meet before it fails: all of the pool's, after a restart, and two more.
const DEAD: u32 = CONNECTIONS + 2;
/// How often a transaction is tried that the database aborts because of a conflict with another one.
const TRIES: u32 = 6;
/// The longest pause before the first retry, in milliseconds; it doubles with each retry.
const PAUSE_MS: u64 = 10;

/// What a read needs from its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// One statement.
    Statement,
    /// Several statements that must see the same state.
    Snapshot,
}

/// The pool and how to use it. Cheap to clone.
#[derive(Clone)]
pub(super) struct Access {
    pool: PgPool,
    options: Arc<PgConnectOptions>,
    commits: Commits,
    writes: TaskTracker,
    /// Whether a pooler lends its connections for one transaction only. May become true after the start.
    is_pooled: Arc<AtomicBool>,
    /// The value to which `synchronous_commit` is set.
    durability: &'static str,
    shape: Arc<Shape>,
    home: Home,
    hints: Arc<HintSender>,
    /// When the database last stopped answering during a call. Connections from before are not used again.
    silent_at: Arc<Mutex<Option<Instant>>>,
}

impl Access {
    /// Makes the pool without connecting.
    pub(super) fn new(
        options: PgConnectOptions,
        is_pooled: bool,
        durability: &'static str,
        shape: Shape,
        home: Home,
        hints: Arc<HintSender>,
    ) -> Self {
        let is_pooled = Arc::new(AtomicBool::new(is_pooled));
        let has_pooler = Arc::clone(&is_pooled);
        let silent_at = Arc::new(Mutex::new(None::<Instant>));
        let last_silence = Arc::clone(&silent_at);
        let opened = home.clone();
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            // A dead connection is found when it is used, and replaced.
            .test_before_acquire(false)
            .before_acquire(move |_, meta| {
                let silent_at = *last_silence.lock().unwrap_or_else(PoisonError::into_inner);
                let is_older = silent_at.is_some_and(|silent_at| silent_at.elapsed() < meta.age);
                Box::pin(std::future::ready(Ok(!is_older)))
            })
            .after_connect(move |connection, _| {
                let (has_pooler, opened) = (has_pooler.load(Ordering::Relaxed), opened.clone());
                Box::pin(async move {
                    opened.check(&mut *connection).await?;
                    if !has_pooler {
                        let manners = sqlx::AssertSqlSafe(manners(false, durability, LOCK_TIMEOUT));
                        sqlx::raw_sql(manners).execute(connection).await?;
                    }
                    Ok(())
                })
            })
            .connect_lazy_with(options.clone());
        Self {
            pool,
            options: Arc::new(options),
            commits: Commits::default(),
            writes: TaskTracker::new(),
            is_pooled,
            durability,
            shape: Arc::new(shape),
            home,
            hints,
            silent_at,
        }
    }

    pub(super) fn commits(&self) -> &Commits {
        &self.commits
    }

    pub(super) fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    pub(super) fn durability(&self) -> &'static str {
        self.durability
    }

    pub(super) fn is_pooled(&self) -> bool {
        self.is_pooled.load(Ordering::Relaxed)
    }

    /// The database that was opened.
    pub(super) fn home(&self) -> &Home {
        &self.home
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// A statement with this database's names filled in: see [`Shape::put_into`].
    pub(super) fn sql(&self, template: &'static str) -> sqlx::AssertSqlSafe<String> {
        self.shape.put_into(template)
    }

    /// Hints to the hub that these groups may have new events that no caller was told of.
    pub(super) fn hint(&self, groups: impl IntoIterator<Item = GroupId>) {
        self.hints.groups(groups);
    }

    /// Runs one statement that may be repeated without harm: a read, or a write that sets a value to where it already
    /// may be.
    pub(super) async fn ask<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send,
        F: for<'c> Fn(&'c mut Backend) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync,
    {
        self.repeat(Reading::Statement, &question).await
    }

    /// Runs several reads that see the same state.
    pub(super) async fn ask_in_snapshot<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send,
        F: for<'c> Fn(&'c mut Backend) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync,
    {
        self.repeat(Reading::Snapshot, &question).await
    }

    async fn repeat<T, F>(&self, reading: Reading, question: &F) -> Result<T, StoreError>
    where
        T: Send,
        F: for<'c> Fn(&'c mut Backend) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync,
    {
        let deadline = Instant::now() + PATIENCE;
        let mut dead = 0;
        loop {
            let asked =
                timeout_at(deadline, self.once(reading, question)).await.unwrap_or_else(|_| Err(self.silence()));
            match asked {
                Err(error) if self.is_worth_another(&error) && dead < DEAD => dead += 1,
                answer => return answer,
            }
        }
    }

    async fn once<T, F>(&self, reading: Reading, question: &F) -> Result<T, StoreError>
    where
        T: Send,
        F: for<'c> Fn(&'c mut Backend) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync,
    {
        let mut backend = self.backend().await?;
        let begin = match (reading, self.is_pooled()) {
            (Reading::Statement, false) => None,
            (Reading::Statement, true) => Some(format!("begin; {}", self.local_manners())),
            (Reading::Snapshot, false) => Some("begin isolation level repeatable read read only".into()),
            (Reading::Snapshot, true) => {
                Some(format!("begin isolation level repeatable read read only; {}", self.local_manners()))
            }
        };
        if let Some(begin) = &begin {
            backend.run(begin).await?;
        }
        let answer = question(&mut backend).await;
        if is_broken(&answer) {
            return answer;
        }
        if begin.is_some() {
            backend.run(if answer.is_ok() { "commit" } else { "rollback" }).await?;
        }
        backend.release();
        answer
    }

    /// Runs a write in its own transaction, to its end even if the caller goes away, and tells the hub its effects.
    /// `work` may run more than once, each time in a new transaction.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> Fn(&'c mut Backend, &'c mut Effects) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let this = self.clone();
        let deadline = Instant::now() + PATIENCE;
        let write = async move {
            let (mut dead, mut tries) = (0, 1);
            loop {
                let mut is_begun = false;
                let outcome = timeout_at(deadline, this.transaction(&work, &mut is_begun)).await;
                match outcome.unwrap_or_else(|_| Err(this.silence())) {
                    // The transaction had not begun.
                    Err(error) if !is_begun && this.is_worth_another(&error) && dead < DEAD => dead += 1,
                    Err(error) if is_conflict(&error) && tries < TRIES => {
                        pause(tries).await;
                        tries += 1;
                    }
                    answer => return answer,
                }
            }
        };
        if self.writes.is_closed() {
            return Err(StoreError::Closed);
        }
        self.writes
            .spawn(write)
            .await
            .unwrap_or_else(|_| Err(StoreError::Unavailable("a write did not come to its end".into())))
    }

    async fn transaction<T, F>(&self, work: &F, is_begun: &mut bool) -> Result<T, StoreError>
    where
        F: for<'c> Fn(&'c mut Backend, &'c mut Effects) -> BoxFuture<'c, Result<T, StoreError>>,
    {
        let mut backend = self.backend().await?;
        let begin = if self.is_pooled() { format!("begin; {}", self.local_manners()) } else { "begin".into() };
        backend.run(&begin).await?;
        *is_begun = true;
        let mut effects = Effects::default();
        let outcome = work(&mut backend, &mut effects).await;
        if is_broken(&outcome) {
            return outcome;
        }
        backend.run(if outcome.is_ok() { "commit" } else { "rollback" }).await?;
        backend.release();
        if outcome.is_ok() {
            self.commits.tell(effects).await;
        }
        outcome
    }

    async fn backend(&self) -> Result<Backend, StoreError> {
        self.home.is_still_there()?;
        let named = !self.is_pooled();
        match self.pool.acquire().await {
            Ok(connection) => Ok(Backend::pooled(connection, named)),
            Err(sqlx::Error::PoolClosed) => Err(StoreError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    fn local_manners(&self) -> String {
        manners(true, self.durability, LOCK_TIMEOUT)
    }

    /// Whether a retry can succeed: the connection was dead, or a pooler was just detected.
    fn is_worth_another(&self, error: &StoreError) -> bool {
        is_lost(error) || self.notices_pooler(error)
    }

    /// Detects a pooler: either a statement that was just prepared is unknown, or the name of a new one is already
    /// taken, so the backend behind the connection has changed. From then on the pool expects a pooler.
    pub(super) fn notices_pooler(&self, error: &StoreError) -> bool {
        const UNKNOWN_STATEMENT: &str = "26000";
        const STATEMENT_EXISTS: &str = "42P05";
        let notices = matches!(code(error), Some(UNKNOWN_STATEMENT | STATEMENT_EXISTS));
        if notices && !self.is_pooled.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "DATABASE_URL leads to a pooler in transaction mode; its connections are used as such from now on"
            );
        }
        notices
    }

    /// The error for a database that did not answer within the patience. Marks all present connections as not to be
    /// used again.
    pub(super) fn silence(&self) -> StoreError {
        *self.silent_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into()
    }

    /// Waits for the running writes, and closes the pool.
    pub(super) async fn close(&self) {
        self.writes.close();
        self.writes.wait().await;
        self.pool.close().await;
    }
}

/// The SQLSTATE code of an error.
pub(super) fn code(error: &StoreError) -> Option<&str> {
    error.driver()?.as_database_error()?.try_downcast_ref::<PgDatabaseError>().map(PgDatabaseError::code)
}

/// Whether the connection is lost, or its server is stopping or starting. A timeout of [`PATIENCE`] does not count:
/// there is no time left for another try.
pub(super) fn is_lost(error: &StoreError) -> bool {
    if let Some(sqlx::Error::Io(error)) = error.driver() {
        return error.kind() != std::io::ErrorKind::TimedOut;
    }
    code(error).is_some_and(|code| code.starts_with("57P0") || code.starts_with("08"))
}

/// Whether the backend must not be used again: the connection failed, not the statement.
fn is_broken<T>(outcome: &Result<T, StoreError>) -> bool {
    match outcome {
        Err(error @ (StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Failed(_))) => {
            code(error).is_none_or(|code| code.starts_with("57P0") || code.starts_with("08"))
        }
        Ok(_) | Err(_) => false,
    }
}

/// Whether the database aborted the transaction because of a conflict with another one.
pub(super) fn is_conflict(error: &StoreError) -> bool {
    matches!(code(error), Some("40001" | "40P01"))
}

/// Waits a random time before the next try, so that the same two transactions do not conflict again.
pub(super) async fn pause(tries: u32) {
    let most = PAUSE_MS << tries.min(6);
    let millis = rand::rng().random_range(1..=most);
    sleep(Duration::from_millis(millis)).await;
}
