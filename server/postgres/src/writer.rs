//! The tasks that store messages.
//!
//! Owns a few connections, one per lane. All messages of a group go through one lane, in the order of the calls. If
//! another program holds the lock of a group's log, the other groups of the lane wait for it once, not each time. A
//! lane takes all jobs that wait, stores them by one statement and one commit, tells the hub, and then answers all
//! callers: sixteen senders cost one fsync, not sixteen (G1). If the database refuses a message, only that message
//! fails. If the connection breaks, the outcome is unknown: all callers of the batch are told so, and the next send
//! uses a new connection.

mod batch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use caravana_protocol::limits::MAILBOX_FRAMES;
use caravana_protocol::{GroupId, MessageId};
use caravana_store::{Appended, Effects, NewMessage, StoreError};
use caravana_telemetry::{Seldom, causes, metrics};
use futures::future::BoxFuture;
use sqlx::ConnectOptions as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

use super::access::{Access, code, is_conflict, is_lost, pause};
use super::backend::{BY_KEYS, Backend, LOCK_TIMEOUT, manners};
use batch::Batch;

/// The number of lanes. Each costs a connection; more lanes than the machine has disks and cores for fsync bring
/// nothing.
const LANES: usize = 4;
/// Messages that may wait in a lane; all lanes together hold as many as the one writer of SQLite.
const QUEUE: usize = 1_024;
/// Messages in one commit. Few enough that the first job does not wait long, and half of a mailbox: all events of a
/// commit reach a follower's mailbox at once, and a sender's acknowledgements with them, and the follower must not look
/// slow because of that.
const BATCH: usize = MAILBOX_FRAMES / 2;
/// How long a batch may take before the connection counts as dead: longer than a batch may wait for a lock.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long a new connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// After a failed connection attempt, the pause before the next one. A send that arrives meanwhile fails at once.
const RECONNECT_AFTER: Duration = Duration::from_millis(250);
/// A connection that was idle for longer is probed before it is used for a message.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How long the answer to the probe may take.
const PROBE_WITHIN: Duration = Duration::from_secs(1);
/// How often a batch is tried that the database aborts because of a conflict.
const TRIES: u32 = 6;
/// How long to wait for a locked group's log, after all jobs of the lane have already waited for it once.
const LOCK_AGAIN: Duration = Duration::from_millis(50);

/// A message, and the channel for its answer.
struct Job {
    message: NewMessage,
    answer: oneshot::Sender<Result<Appended, StoreError>>,
}

/// The handle of the lanes.
pub(super) struct Writer {
    lanes: Vec<mpsc::Sender<Job>>,
    closing: watch::Sender<bool>,
    /// Closes when all lanes have ended.
    ended: watch::Receiver<()>,
}

/// The server's own PostgreSQL backends, by process id. The server itself tells the hub of their commits, so the feed
/// ignores their notifications.
#[derive(Clone, Default)]
pub(super) struct OwnBackends(Arc<Mutex<BTreeSet<i32>>>);

impl OwnBackends {
    /// Whether this backend is one of the server's own.
    pub(super) fn has(&self, process_id: i32) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&process_id)
    }

    fn add(&self, process_id: i32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(process_id);
    }

    fn remove(&self, process_id: i32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&process_id);
    }
}

impl Writer {
    /// Starts the lanes. They connect when they are needed.
    pub(super) fn start(access: &Access, own_backends: &OwnBackends) -> Self {
        let (closing, closed) = watch::channel(false);
        let (alive, ended) = watch::channel(());
        let alive = Arc::new(alive);
        let lane = |_| {
            let (jobs, queue) = mpsc::channel(QUEUE);
            let lane = Lane {
                access: access.clone(),
                own_backends: own_backends.clone(),
                queue,
                closed: closed.clone(),
                connection: None,
                failed_at: None,
                blocked: BTreeSet::new(),
            };
            let alive = Arc::clone(&alive);
            tokio::spawn(async move {
                lane.run().await;
                drop(alive);
            });
            jobs
        };
        Self { lanes: (0..LANES).map(lane).collect(), closing, ended }
    }

    /// Stores a message. The message enters its lane before this function returns.
    pub(super) fn append(&self, message: NewMessage) -> BoxFuture<'static, Result<Appended, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let lane = usize::try_from(message.group_id.uuid().as_u128() % self.lanes.len() as u128).unwrap_or(0);
        let queued = self.lanes[lane].try_send(Job { message, answer });
        Box::pin(async move {
            match queued {
                Ok(()) => answered.await.unwrap_or_else(|_| Err(not_tried())),
                Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::Overloaded),
                Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::Closed),
            }
        })
    }

    /// Lets the lanes finish the waiting jobs, and waits for their end.
    pub(super) async fn close(&self) {
        let _ = self.closing.send(true);
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}

struct Lane {
    access: Access,
    own_backends: OwnBackends,
    queue: mpsc::Receiver<Job>,
    closed: watch::Receiver<bool>,
    connection: Option<LaneConnection>,
    failed_at: Option<Instant>,
    /// Groups whose log was locked by another program at the last try.
    blocked: BTreeSet<GroupId>,
}

/// A lane's connection.
struct LaneConnection {
    backend: Backend,
    /// `None` behind a pooler, where the process changes.
    process_id: Option<i32>,
    used_at: Instant,
}

impl Lane {
    async fn run(mut self) {
        let mut jobs = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                taken = self.queue.recv_many(&mut jobs, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                    self.store(&mut jobs).await;
                }
                // An error means that all senders are gone.
                _ = self.closed.changed() => self.queue.close(),
            }
        }
        self.disconnect();
    }

    async fn store(&mut self, jobs: &mut Vec<Job>) {
        if let Err(error) = self.connect().await {
            static FAILED: Seldom = Seldom::new();
            if let Some(times) = FAILED.happened() {
                tracing::error!(
                    error = %causes(&error),
                    jobs = jobs.len(),
                    times,
                    "nothing can be stored now"
                );
            }
            self.refuse(jobs.drain(..), &error);
            // The jobs that arrived meanwhile have already waited; they must not wait for another connection attempt.
            for _ in 0..self.queue.len() {
                let Ok(job) = self.queue.try_recv() else { break };
                let _ = job.answer.send(Err(error.again()));
            }
            return;
        }
        // Jobs of blocked groups come last; within a group the order stays.
        let (blocked, free): (Vec<_>, Vec<_>) =
            jobs.drain(..).partition(|job| self.blocked.contains(&job.message.group_id));
        for part in in_order(free) {
            self.store_together(part, LOCK_TIMEOUT).await;
        }
        for part in by_group(blocked) {
            self.store_together(part, LOCK_AGAIN).await;
        }
    }

    /// Stores jobs by one commit. If that fails, tries smaller parts, so that each job gets its own answer.
    async fn store_together(&mut self, jobs: Vec<Job>, patience: Duration) {
        if jobs.is_empty() {
            return;
        }
        let begun = Instant::now();
        match self.commit(&jobs, patience).await {
            Ok((answers, effects)) => {
                metrics::committed(jobs.len(), begun.elapsed());
                for group in jobs.iter().map(|job| job.message.group_id) {
                    self.blocked.remove(&group);
                }
                // Tell the hub first: an answered caller may read its write at once.
                self.access.commits().tell(effects).await;
                for (job, answer) in jobs.into_iter().zip(answers) {
                    // The caller may be gone; the message is committed anyway.
                    let _ = job.answer.send(answer);
                }
            }
            Err(error) => self.store_apart(jobs, error).await,
        }
    }

    async fn store_apart(&mut self, jobs: Vec<Job>, error: StoreError) {
        let groups: BTreeSet<GroupId> = jobs.iter().map(|job| job.message.group_id).collect();
        let is_locked = code(&error) == Some("55P03");
        if is_locked && groups.len() > 1 {
            self.blocked.extend(&groups);
            for part in by_group(jobs) {
                Box::pin(self.store_together(part, LOCK_AGAIN)).await;
            }
        } else if is_locked {
            self.blocked.extend(&groups);
            self.refuse(jobs.into_iter(), &error);
        } else if matches!(error, StoreError::Failed(_)) && jobs.len() > 1 && self.connection.is_some() {
            // A check or a trigger of the host refuses one of the messages.
            for job in jobs {
                Box::pin(self.store_together(vec![job], LOCK_TIMEOUT)).await;
            }
        } else {
            static FAILED: Seldom = Seldom::new();
            metrics::commit_failed();
            if let Some(times) = FAILED.happened() {
                tracing::error!(error = %causes(&error), jobs = jobs.len(), times, "a commit failed");
            }
            self.refuse(jobs.into_iter(), &error);
        }
    }

    fn refuse(&self, jobs: impl Iterator<Item = Job>, error: &StoreError) {
        let mut moved = BTreeSet::new();
        for job in jobs {
            moved.insert(job.message.group_id);
            let _ = job.answer.send(Err(error.again()));
        }
        if matches!(error, StoreError::Unavailable(_) | StoreError::Failed(_)) {
            // It may be committed, and no effects were sent to the hub.
            self.access.hint(moved);
        }
    }

    /// Runs one commit, and tries again if the database aborted it because of a conflict.
    async fn commit(
        &mut self,
        jobs: &[Job],
        patience: Duration,
    ) -> Result<(Vec<Result<Appended, StoreError>>, Effects), StoreError> {
        let messages: Vec<&NewMessage> = jobs.iter().map(|job| &job.message).collect();
        let mut tries = 1;
        loop {
            self.connect().await?;
            let Some(connection) = &mut self.connection else { return Err(not_tried()) };
            let storing = Batch::new(&messages, &self.access, patience).store(&mut connection.backend);
            let stored = timeout(PATIENCE, storing).await.unwrap_or_else(|_| Err(self.access.silence()));
            connection.used_at = Instant::now();
            match stored {
                Ok(stored) => return Ok(stored),
                Err(error) if (is_conflict(&error) || self.access.notices_pooler(&error)) && tries < TRIES => {
                    if !is_conflict(&error) {
                        self.disconnect();
                    }
                    pause(tries).await;
                    tries += 1;
                }
                Err(error) => {
                    if is_lost(&error) || code(&error).is_none() {
                        self.disconnect();
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Makes sure that the lane has a live connection.
    async fn connect(&mut self) -> Result<(), StoreError> {
        self.access.home().is_still_there()?;
        if let Some(connection) = &mut self.connection {
            if connection.used_at.elapsed() < TRUSTED_FOR {
                return Ok(());
            }
            if matches!(timeout(PROBE_WITHIN, connection.backend.run("")).await, Ok(Ok(()))) {
                connection.used_at = Instant::now();
                return Ok(());
            }
            self.disconnect();
        }
        if self.failed_at.is_some_and(|failed_at| failed_at.elapsed() < RECONNECT_AFTER) {
            return Err(not_tried());
        }
        let connected =
            timeout(CONNECT_WITHIN, open(&self.access)).await.unwrap_or_else(|_| Err(self.access.silence()));
        self.failed_at = connected.is_err().then(Instant::now);
        let connection = connected?;
        connection.process_id.into_iter().for_each(|process_id| self.own_backends.add(process_id));
        self.connection = Some(connection);
        Ok(())
    }

    fn disconnect(&mut self) {
        if let Some(process_id) = self.connection.take().and_then(|connection| connection.process_id) {
            // If it still commits something, the hub must learn of that by the database's notification.
            self.own_backends.remove(process_id);
        }
    }
}

async fn open(access: &Access) -> Result<LaneConnection, StoreError> {
    let is_pooled = access.is_pooled();
    let mut connection = access.options().connect().await?;
    access.home().check(&mut connection).await?;
    let mut backend = Backend::own(connection, !is_pooled);
    let process_id = if is_pooled {
        None
    } else {
        backend.run(&format!("{}; {BY_KEYS}", manners(false, access.durability(), LOCK_TIMEOUT))).await?;
        Some(sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut backend).await?)
    };
    Ok(LaneConnection { backend, process_id, used_at: Instant::now() })
}

/// Splits jobs so that a message and a reply to it are never in the same part: the statement that stores both would not
/// find the message.
fn in_order(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut parts = vec![Vec::with_capacity(jobs.len())];
    let mut ids: BTreeSet<MessageId> = BTreeSet::new();
    for job in jobs {
        if job.message.content.reply_to.is_some_and(|replied| ids.contains(&replied)) {
            parts.push(Vec::new());
            ids.clear();
        }
        ids.insert(job.message.id);
        if let Some(part) = parts.last_mut() {
            part.push(job);
        }
    }
    parts
}

fn by_group(jobs: Vec<Job>) -> Vec<Vec<Job>> {
    let mut groups: BTreeMap<GroupId, Vec<Job>> = BTreeMap::new();
    for job in jobs {
        groups.entry(job.message.group_id).or_default().push(job);
    }
    groups.into_values().flat_map(in_order).collect()
}

fn not_tried() -> StoreError {
    StoreError::Unavailable("the transaction was not begun".into())
}
