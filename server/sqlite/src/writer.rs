//! The one task that writes to the file.
//!
//! Owns the only writing connection. The task takes all jobs that wait, runs them in one transaction, commits once, and
//! then answers all callers: sixteen senders cost one fsync, not sixteen. Promises: no caller gets an answer before the
//! commit (G1), and the effects of commits reach the hub in commit order. A job that fails is undone alone. If the
//! database itself fails, the whole transaction is undone, and every caller in it is told to retry. The channel of
//! effects is bounded, so that the writer is never much faster than the hub.

mod failure;
mod job;
mod sends;

use std::fs::File;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use caravana_store::{Appended, Cause, Commits, Effect, Effects, HintSender, HintSource, NewMessage, StoreError};
use caravana_telemetry::{Seldom, causes, metrics};
use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::witness::Witness;
use failure::{is_busy, is_full, is_of_statement};
use job::{Answer, Job, Run, Sending, Verdict, are_sends_with_different_ids};
use sends::Extent;

/// Jobs that may wait. At ten thousand writes a second this is less than half a second of work; a caller beyond that
/// gets `overloaded`.
const QUEUE: usize = 4_096;
/// Jobs in one transaction. Large, because under load a larger transaction writes each page of the database once for
/// more messages, and each connection gets more frames by one write. Small enough that the first job does not wait long.
const BATCH: usize = 512;
/// How often the task checks whether another program has committed. The query takes microseconds.
const FOREIGN_POLL: Duration = Duration::from_millis(100);

/// Every transaction counts itself; see [`Witness`].
const COUNT: &str = "update caravana_database set commits = commits + 1";
/// Both statements in one call, because each call costs two switches between this task's thread and the database's.
const BEGIN: &str = "begin immediate; update caravana_database set commits = commits + 1";

/// The handle of the writing task.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    commits: Commits,
    closing: watch::Sender<bool>,
    /// Closes when the task has closed the file.
    ended: watch::Receiver<()>,
}

impl Writer {
    /// Starts the task on its connection. The task holds the file's `lock` until it has closed the file. The second
    /// value is the source of hints about commits of other programs.
    pub(super) fn start(connection: SqliteConnection, witness: Witness, lock: File) -> (Self, HintSource) {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let commits = Commits::default();
        let foreign = HintSender::default();
        let hints = foreign.source();
        let (closing, closed) = watch::channel(false);
        let (alive, ended) = watch::channel(());
        let task = Task { connection, witness, queue, commits: commits.clone(), foreign, closed };
        tokio::spawn(async move {
            task.run().await;
            drop((lock, alive));
        });
        (Self { jobs, commits, closing, ended }, hints)
    }

    /// The effects of all commits from now on, in commit order.
    pub(super) fn commits(&self) -> mpsc::Receiver<Vec<Effect>> {
        self.commits.subscribe()
    }

    /// Runs a job of several statements in its own savepoint.
    pub(super) fn run<T, F>(&self, work: F) -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection, &'c mut Effects) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + 'static,
    {
        self.enqueue(true, work)
    }

    /// Runs a job that only fails before its first change, so that there is never anything to undo. The job enters the
    /// queue before this function returns: of two calls, the first is committed first.
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
                    Err(error) if compound && is_of_statement(error) => Verdict::Undo,
                    Err(StoreError::Full(_) | StoreError::Unavailable(_) | StoreError::Failed(_)) => Verdict::Abort,
                    Err(_) => Verdict::Undo,
                };
                let answer: Answer = Box::new(move |committed| {
                    // The caller may be gone; the write is committed anyway.
                    let _ = answer.send(outcome.and_then(|value| committed.map(|()| value)));
                });
                (verdict, answer)
            })
        });
        self.queue(Job::Run { run, compound }, answered)
    }

    /// Stores a message without `reply_to`. Like every job, it enters the queue before this function returns.
    pub(super) fn send(&self, message: NewMessage) -> BoxFuture<'static, Result<Appended, StoreError>> {
        let (answer, answered) = oneshot::channel();
        self.queue(Job::Send(Sending { message, answer }), answered)
    }

    fn queue<T: Send + 'static>(
        &self,
        job: Job,
        answered: oneshot::Receiver<Result<T, StoreError>>,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let queued = self.jobs.try_send(job);
        Box::pin(async move {
            match queued {
                Ok(()) => answered
                    .await
                    .unwrap_or_else(|_| Err(StoreError::Unavailable("the transaction was not begun".into()))),
                Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::Overloaded),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::Closed),
            }
        })
    }

    /// Lets the task finish the waiting jobs, and waits for its end.
    pub(super) async fn close(&self) {
        let _ = self.closing.send(true);
        // Waiting for a closed queue would not be enough: the last jobs may still be running, with the file open.
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
        // A reader may have seen what another program committed since the last check.
        self.look_for_foreign_commits(&mut version).await;
        // Closing the connection writes the WAL back into the file; a dropped connection would leave that to the next
        // start.
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the database did not close cleanly");
        }
    }

    /// `data_version` changes for this connection only when another connection commits, and the server has no other
    /// writing connection.
    async fn look_for_foreign_commits(&mut self, version: &mut Option<i64>) {
        match sqlx::query_scalar::<_, i64>("pragma data_version").fetch_one(&mut self.connection).await {
            Ok(now) => {
                if version.replace(now).is_some_and(|before| before != now) {
                    // An older copy must also be recognized if it lacks only the other program's commit. So that commit
                    // is counted before the hub hears of it.
                    match execute(&mut self.connection, COUNT).await {
                        Ok(()) => self.witness.committed(),
                        Err(error) => {
                            // Tried again with the next look.
                            *version = Some(now.wrapping_sub(1));
                            tracing::debug!(%error, "another program's commit could not be counted");
                        }
                    }
                    // SQLite does not tell which group changed.
                    self.foreign.anything();
                }
            }
            Err(error) => {
                static UNREAD: Seldom = Seldom::new();
                if let Some(times) = UNREAD.happened() {
                    tracing::warn!(%error, times, "data_version can't be read: commits of other programs wait for the sweep");
                }
            }
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
                // Tell the hub first: an answered caller may read its write at once.
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
                let again = || Cause::from("the transaction was rolled back");
                for answer in answers {
                    answer(Err(if full { StoreError::Full(again()) } else { StoreError::Unavailable(again()) }));
                }
                // Jobs that did not run are dropped without an answer, which their callers read as `Unavailable`.
                batch.clear();
                if is_busy(&error) {
                    self.forget_waiting();
                }
            }
        }
    }

    /// Another process held the lock for the whole timeout. The jobs that arrived meanwhile have already waited that
    /// long. They are dropped, so that they do not wait once more for each transaction before theirs.
    fn forget_waiting(&mut self) {
        for _ in 0..self.queue.len() {
            // Dropped without an answer, as above.
            let _ = self.queue.try_recv();
        }
    }

    async fn transaction(
        &mut self,
        batch: &mut Vec<Job>,
        answers: &mut Vec<Answer>,
        effects: &mut Effects,
    ) -> Result<(), sqlx::Error> {
        if are_sends_with_different_ids(batch) {
            let sends = batch.drain(..).filter_map(Job::into_send).collect();
            return self.store(sends, Extent::Transaction, answers, effects).await;
        }
        execute(&mut self.connection, BEGIN).await?;
        let mut sends = Vec::new();
        for job in batch.drain(..) {
            match job {
                Job::Send(send) => {
                    if sends.iter().any(|other: &Sending| other.message.id == send.message.id) {
                        self.store(std::mem::take(&mut sends), Extent::Statement, answers, effects).await?;
                    }
                    sends.push(send);
                }
                Job::Run { run, compound } => {
                    self.store(std::mem::take(&mut sends), Extent::Statement, answers, effects).await?;
                    self.run_job(run, compound, answers, effects).await?;
                }
            }
        }
        self.store(sends, Extent::Statement, answers, effects).await?;
        execute(&mut self.connection, "commit").await
    }

    /// Stores messages by one call.
    async fn store(
        &mut self,
        sends: Vec<Sending>,
        extent: Extent,
        answers: &mut Vec<Answer>,
        effects: &mut Effects,
    ) -> Result<(), sqlx::Error> {
        if sends.is_empty() {
            return Ok(());
        }
        let (messages, channels): (Vec<_>, Vec<_>) =
            sends.into_iter().map(|Sending { message, answer }| (message, answer)).unzip();
        let stored = sends::store(&mut self.connection, &messages, extent, effects).await;
        let (outcomes, result) = match stored {
            Ok(outcomes) => (outcomes, Ok(())),
            // The answer is then the error of the transaction.
            Err(error) => (Vec::new(), Err(error)),
        };
        let outcomes = outcomes.into_iter().map(Some).chain(std::iter::repeat_with(|| None));
        for (answer, outcome) in channels.into_iter().zip(outcomes) {
            answers.push(Box::new(move |committed| {
                let failed = || Err(StoreError::Unavailable("the transaction failed".into()));
                // The caller may be gone; the message is committed anyway.
                let _ = answer.send(committed.and_then(|()| outcome.unwrap_or_else(failed)));
            }));
        }
        result
    }

    async fn run_job(
        &mut self,
        run: Run,
        compound: bool,
        answers: &mut Vec<Answer>,
        effects: &mut Effects,
    ) -> Result<(), sqlx::Error> {
        if compound {
            execute(&mut self.connection, "savepoint job").await?;
        }
        let before = effects.len();
        // A panic in one job must not end the only writing task.
        let ran = AssertUnwindSafe(run(&mut self.connection, effects)).catch_unwind().await;
        let Ok((verdict, answer)) = ran else {
            return Err(sqlx::Error::Protocol("a job panicked".into()));
        };
        answers.push(answer);
        match (verdict, compound) {
            (Verdict::Keep, true) => execute(&mut self.connection, "release job").await,
            (Verdict::Keep, false) => Ok(()),
            (Verdict::Undo, compound) => {
                effects.truncate(before);
                if compound {
                    execute(&mut self.connection, "rollback to job").await?;
                    execute(&mut self.connection, "release job").await?;
                }
                Ok(())
            }
            (Verdict::Abort, _) => Err(sqlx::Error::Protocol("a job failed in the database".into())),
        }
    }
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(connection).await.map(|_| ())
}
