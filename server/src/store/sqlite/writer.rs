//! The one task that writes to the file.
//!
//! Owns the only writing connection. Takes whatever waits, runs it in one transaction, commits once, then answers
//! everybody: sixteen senders cost one fsync, not sixteen. Promises that nobody is answered before the commit (G1), and that
//! the effects of a commit go out in commit order. A job that fails is undone alone; when the database itself fails,
//! the whole transaction is undone and everybody in it is told that the outcome can be retried. Never waits for a
//! reader of its effects longer than they take to pass them on: the channel is bounded, which paces the writers.

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use caravana_protocol::limits::MAILBOX_FRAMES;
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::super::commits::{Commits, Effects};
use super::super::{Effect, HintSender, Hints, StoreError, hints};
use super::witness::Witness;
use crate::metrics;
use crate::store::error::sqlite::BUSY;
use crate::telemetry::{Seldom, causes};

/// Jobs that may wait. At ten thousand writes a second this is less than half a second of work; who comes later is
/// told `overloaded`.
const QUEUE: usize = 4_096;
/// Jobs in one transaction: as many as do not keep the first of them waiting, and half of what a mailbox holds. All events of a
/// commit reach a follower's mailbox in one go, and a sender's acknowledgements with them; who reads must not look slow.
const BATCH: usize = MAILBOX_FRAMES / 2;
/// How often the file is asked whether another program has committed. The question costs microseconds.
const FOREIGN_POLL: Duration = Duration::from_millis(100);

/// Every transaction counts itself; see [`Witness`].
const COUNT: &str = "update caravana_database set commits = commits + 1";
/// In one question, because each costs two switches between this task's thread and the database's.
const BEGIN: &str = "begin immediate; update caravana_database set commits = commits + 1";

/// The outcome of a job inside the open transaction.
enum Verdict {
    /// Keep what it did.
    Keep,
    /// Undo what it did; the others go on.
    Undo,
    /// The database failed; nothing of this transaction can be trusted.
    Abort,
}

type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Run =
    Box<dyn for<'c> FnOnce(&'c mut SqliteConnection, &'c mut Effects) -> BoxFuture<'c, (Verdict, Answer)> + Send>;

struct Job {
    run: Run,
    /// Whether it is more than one statement, so that undoing it needs a savepoint.
    compound: bool,
}

/// The way to the writing task.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    commits: Commits,
    closing: watch::Sender<bool>,
    /// Its other end goes with the task, when the file is closed.
    ended: watch::Receiver<()>,
}

impl Writer {
    /// Starts the task on its connection; it holds the file's `lock` until it has closed it. The second value tells
    /// that another program has committed.
    pub(super) fn start(connection: SqliteConnection, witness: Witness, lock: File) -> (Self, Hints) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let commits = Commits::default();
        let (foreign, hints) = hints();
        let (closing, closed) = watch::channel(false);
        let (alive, ended) = watch::channel(());
        let task = Task { connection, witness, queue, commits: commits.clone(), foreign, closed };
        tokio::spawn(async move {
            task.run().await;
            drop((lock, alive));
        });
        (Self { jobs, commits, closing, ended }, hints)
    }

    /// The effects of all commits, in commit order. The first caller gets them.
    pub(super) fn take_commits(&self) -> Option<mpsc::Receiver<Vec<Effect>>> {
        self.commits.take()
    }

    /// Runs a job of several statements in a savepoint of its own.
    pub(super) fn run<T, F>(&self, work: F) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection, &'c mut Effects) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        self.enqueue(true, work)
    }

    /// Runs a job whose only refusals come before its first change, so that there is never anything to undo. Takes its
    /// place in the queue before it returns: of two calls the first is committed first.
    pub(super) fn run_simple<T, F>(&self, work: F) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection, &'c mut Effects) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        self.enqueue(false, work)
    }

    fn enqueue<T, F>(&self, compound: bool, work: F) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection, &'c mut Effects) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let run: Run = Box::new(move |connection, effects| {
            Box::pin(async move {
                let outcome = work(connection, effects).await;
                let verdict = match &outcome {
                    Ok(_) => Verdict::Keep,
                    Err(StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Failed(_)) => Verdict::Abort,
                    Err(_) => Verdict::Undo,
                };
                let answer: Answer = Box::new(move |committed| {
                    // Whoever asked may be gone; the write stands all the same.
                    let _ = answer.send(outcome.and_then(|value| committed.map(|()| value)));
                });
                (verdict, answer)
            })
        });
        let queued = self.jobs.try_send(Job { run, compound });
        Box::pin(async move {
            match queued {
                Ok(()) => answered.await.unwrap_or_else(|_| {
                    Err(StoreError::Unavailable(sqlx::Error::Protocol("the transaction was not begun".into())))
                }),
                Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::Overloaded),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::Closed),
            }
        })
    }

    /// Lets the task finish what waits, and ends it.
    pub(super) async fn close(&self) {
        let _ = self.closing.send(true);
        // Not when the queue is closed: then the last jobs are still being written, and the file is open.
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

struct Task {
    connection: SqliteConnection,
    witness: Witness,
    queue: mpsc::Receiver<Job>,
    commits: Commits,
    foreign: HintSender,
    closed: watch::Receiver<bool>,
}

impl Task {
    async fn run(mut self) {
        let mut poll = tokio::time::interval(FOREIGN_POLL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut version = None;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                taken = self.queue.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                    self.commit(&mut batch).await;
                }
                _ = self.closed.changed() => self.queue.close(),
                _ = poll.tick() => self.look_for_foreign_commits(&mut version).await,
            }
        }
        // A reader may have seen what another program has written since the last look.
        self.look_for_foreign_commits(&mut version).await;
        // Dropping the connection would leave the WAL for the next start to recover; closing it folds it in.
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }

    /// `data_version` moves for this connection only when another one commits, and no connection of ours does.
    async fn look_for_foreign_commits(&mut self, version: &mut Option<i64>) {
        match sqlx::query_scalar::<_, i64>("pragma data_version").fetch_one(&mut self.connection).await {
            Ok(now) => {
                if version.replace(now).is_some_and(|before| before != now) {
                    // What the other program wrote must be missed, too, if an older copy is ever put back; so it is counted
                    // before anybody is told.
                    match execute(&mut self.connection, COUNT).await {
                        Ok(()) => self.witness.committed(),
                        Err(error) => tracing::debug!(%error, "another program's commit could not be counted"),
                    }
                    // Which group it was the file does not tell.
                    self.foreign.anything();
                }
            }
            Err(error) => tracing::debug!(%error, "data_version can't be read"),
        }
    }

    async fn commit(&mut self, batch: &mut Vec<Job>) {
        let mut answers = Vec::with_capacity(batch.len());
        let mut effects = Effects::default();
        let (begun, jobs) = (Instant::now(), batch.len());
        let outcome = self.transaction(batch, &mut answers, &mut effects).await;
        match outcome {
            Ok(()) => {
                metrics::committed(jobs, begun.elapsed());
                self.witness.committed();
                // The hub first: whoever is answered may ask at once for what was written.
                self.commits.tell(effects).await;
                for answer in answers {
                    answer(Ok(()));
                }
            }
            Err(error) => {
                static FAILED: Seldom = Seldom::new();
                metrics::commit_failed();
                if let Some(times) = FAILED.happened() {
                    tracing::error!(
                        error = %causes(&error),
                        jobs = answers.len(),
                        times,
                        "a commit failed"
                    );
                }
                let _ = sqlx::query("rollback").execute(&mut self.connection).await;
                let full = is_full(&error);
                let again = || sqlx::Error::Protocol("the transaction was rolled back".into());
                for answer in answers {
                    answer(Err(if full { StoreError::Full(again()) } else { StoreError::Unavailable(again()) }));
                }
                // Those that were not run are dropped unanswered, which their callers read as unavailable.
                batch.clear();
                if is_busy(&error) {
                    self.forget_waiting();
                }
            }
        }
    }

    /// Another process has held the lock for as long as anybody waits for it. What came meanwhile has waited too, and
    /// must not do so once more for each transaction before its own.
    fn forget_waiting(&mut self) {
        for _ in 0..self.queue.len() {
            // Dropped unanswered, as above.
            let _ = self.queue.try_recv();
        }
    }

    async fn transaction(
        &mut self,
        batch: &mut Vec<Job>,
        answers: &mut Vec<Answer>,
        effects: &mut Effects,
    ) -> Result<(), sqlx::Error> {
        execute(&mut self.connection, BEGIN).await?;
        for Job { run, compound } in batch.drain(..) {
            if compound {
                execute(&mut self.connection, "savepoint job").await?;
            }
            let before = effects.len();
            // A panic in one job must not end the one task that writes.
            let ran = AssertUnwindSafe(run(&mut self.connection, effects)).catch_unwind().await;
            let Ok((verdict, answer)) = ran else {
                return Err(sqlx::Error::Protocol("a job panicked".into()));
            };
            answers.push(answer);
            match (verdict, compound) {
                (Verdict::Keep, true) => execute(&mut self.connection, "release job").await?,
                (Verdict::Keep, false) => {}
                (Verdict::Undo, compound) => {
                    effects.truncate(before);
                    if compound {
                        execute(&mut self.connection, "rollback to job").await?;
                        execute(&mut self.connection, "release job").await?;
                    }
                }
                (Verdict::Abort, _) => return Err(sqlx::Error::Protocol("a job failed in the database".into())),
            }
        }
        execute(&mut self.connection, "commit").await
    }
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(|_| ())
}

fn is_busy(error: &sqlx::Error) -> bool {
    // Its lower byte is the code; the rest says more about the lock.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == BUSY)
}

fn is_full(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().as_deref() == Some("13"))
}
