//! The store of one server process: the hub's port to the [`SimDatabase`], with delays and failures.
//!
//! A killed process is fenced: nothing that it still does reaches the database or anything else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use caravana_protocol::rest::Group;
use caravana_protocol::{Emoji, Event, GroupId, Message, MessageBody, MessageId, Role, Seq, UserId};
use caravana_store::{
    Anchor, Appended, Changed, Effect, Effects, GroupState, HintSource, Hints, History, Log, Marked, NewMessage, Page,
    StoreError,
};
use futures::future::BoxFuture;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::database::SimDatabase;

/// How many writes may wait.
const QUEUE: usize = 64;
/// How many writes one transaction takes.
const BATCH: usize = 16;

/// The current faults of the database, and the permanent flaws of the store. All processes share them.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is one fault that a schedule switches on by itself")]
pub(super) struct Faults {
    /// Reads return an error.
    pub(super) reads_fail: bool,
    /// Writes return an error, whether the transaction was committed or not.
    pub(super) writes_fail: bool,
    /// Hints are lost: the hub learns of no commit, neither its own nor another program's.
    pub(super) hints_are_lost: bool,
    /// The longest time of one step of a query, in milliseconds.
    pub(super) slowness_ms: u64,
    /// A flaw: it answers first and commits afterwards.
    pub(super) answers_first: bool,
    /// A flaw: the hub gets the messages of one transaction with swapped seqs.
    pub(super) swaps_seqs: bool,
    /// How often each query was made.
    pub(super) asked: BTreeMap<&'static str, usize>,
    /// How many queries are running, and below it the highest number so far.
    pub(super) under_way: usize,
    pub(super) most_under_way: usize,
}

impl Faults {
    /// Ends the faults of the database. Flaws stay.
    pub(super) fn heal(&mut self) {
        (self.reads_fail, self.writes_fail, self.hints_are_lost) = (false, false, false);
        self.slowness_ms = 5;
    }
}

type Answer = Box<dyn FnOnce(bool) + Send>;
type Write = Box<dyn FnOnce(&mut SimDatabase, &mut Effects) -> Answer + Send>;

/// One process' access to the database.
pub(super) struct SimStore {
    database: Arc<Mutex<SimDatabase>>,
    faults: Arc<Mutex<Faults>>,
    rng: Mutex<SmallRng>,
    queue: mpsc::Sender<Write>,
    commits: Mutex<Option<mpsc::Receiver<Vec<Effect>>>>,
    hints: HintSource,
    fenced: CancellationToken,
}

impl SimStore {
    /// The store of a process that lives until `fenced` is cancelled.
    pub(super) fn start(
        database: &Arc<Mutex<SimDatabase>>,
        faults: &Arc<Mutex<Faults>>,
        hints: HintSource,
        seed: u64,
        fenced: CancellationToken,
    ) -> Arc<Self> {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let (sink, commits) = mpsc::channel(64);
        let store = Arc::new(Self {
            database: Arc::clone(database),
            faults: Arc::clone(faults),
            rng: Mutex::new(SmallRng::seed_from_u64(seed)),
            queue,
            commits: Mutex::new(Some(commits)),
            hints,
            fenced,
        });
        tokio::spawn(Arc::clone(&store).commit(jobs, sink));
        store
    }

    fn database(&self) -> MutexGuard<'_, SimDatabase> {
        self.database.lock().unwrap()
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    /// Waits for the time that one step of a query takes.
    async fn step(&self) {
        let slowness = self.faults().slowness_ms;
        let ms = self.rng.lock().unwrap().random_range(0..=slowness);
        sleep(Duration::from_millis(ms)).await;
    }

    /// Runs a query: the request travels, one snapshot is read, the answer travels.
    async fn ask<T>(&self, name: &'static str, read: impl FnOnce(&SimDatabase) -> T + Send) -> Result<T, StoreError> {
        let _asking = Asking::begin(&self.faults, name);
        self.step().await;
        if self.fenced.is_cancelled() {
            return Err(StoreError::Closed);
        }
        if self.faults().reads_fail {
            return Err(unavailable());
        }
        let answer = read(&self.database());
        self.step().await;
        Ok(answer)
    }

    /// Puts a write into the queue. The future returns its outcome.
    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SimDatabase, &mut Effects) -> Result<T, StoreError> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let job: Write = Box::new(move |database, effects| {
            let outcome = work(database, effects);
            Box::new(move |committed| {
                let _ = answer.send(if committed { outcome } else { Err(unavailable()) });
            })
        });
        let queued = self.queue.try_send(job).is_ok();
        Box::pin(async move {
            if !queued {
                return Err(StoreError::Overloaded);
            }
            answered.await.unwrap_or_else(|_| Err(unavailable()))
        })
    }

    /// The only task that writes: takes the waiting writes, commits them, tells the hub, and answers.
    async fn commit(self: Arc<Self>, mut jobs: mpsc::Receiver<Write>, sink: mpsc::Sender<Vec<Effect>>) {
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                biased;
                () = self.fenced.cancelled() => return,
                taken = jobs.recv_many(&mut batch, BATCH) => if taken == 0 { return },
            }
            self.step().await;
            let (answers_first, fails) = {
                let faults = self.faults();
                (faults.answers_first, faults.writes_fail)
            };
            // After a failed write the caller does not know whether it was committed. Here half of them are.
            let lost = fails && self.rng.lock().unwrap().random_bool(0.5);
            if self.fenced.is_cancelled() {
                return;
            }
            if lost {
                // Dropped without an answer. The callers treat this as unavailable.
                continue;
            }
            if answers_first {
                self.commit_too_late(batch, &sink).await;
                continue;
            }
            let (answers, effects) = self.transaction(batch);
            self.tell(&sink, effects).await;
            // The time between commit and answer. A process that is killed here has stored the messages but not
            // acknowledged them.
            self.step().await;
            if self.fenced.is_cancelled() {
                return;
            }
            for answer in answers {
                answer(!fails);
            }
        }
    }

    fn transaction(&self, batch: Vec<Write>) -> (Vec<Answer>, Effects) {
        let mut database = self.database();
        let mut effects = Effects::default();
        let answers = batch.into_iter().map(|job| job(&mut database, &mut effects)).collect();
        (answers, effects)
    }

    /// The flaw: answers with the result that the transaction would have, and commits later or never.
    async fn commit_too_late(&self, batch: Vec<Write>, sink: &mpsc::Sender<Vec<Effect>>) {
        let (answers, effects, after) = {
            let mut database = self.database();
            let before = database.snapshot();
            let mut effects = Effects::default();
            let answers: Vec<Answer> = batch.into_iter().map(|job| job(&mut database, &mut effects)).collect();
            let after = std::mem::replace(&mut *database, before);
            (answers, effects, after)
        };
        for answer in answers {
            answer(true);
        }
        self.step().await;
        self.step().await;
        if self.fenced.is_cancelled() {
            return;
        }
        *self.database() = after;
        self.tell(sink, effects).await;
    }

    async fn tell(&self, sink: &mpsc::Sender<Vec<Effect>>, effects: Effects) {
        let (lost, swapped) = {
            let faults = self.faults();
            (faults.hints_are_lost, faults.swaps_seqs)
        };
        let mut effects = effects.into_vec();
        if swapped {
            swap_seqs(&mut effects);
        }
        if !lost && !effects.is_empty() {
            let _ = sink.send(effects).await;
        }
    }
}

/// A running query.
struct Asking<'a>(&'a Mutex<Faults>);

impl<'a> Asking<'a> {
    fn begin(faults: &'a Mutex<Faults>, name: &'static str) -> Self {
        let mut counted = faults.lock().unwrap();
        *counted.asked.entry(name).or_insert(0) += 1;
        counted.under_way += 1;
        counted.most_under_way = counted.most_under_way.max(counted.under_way);
        Self(faults)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap().under_way -= 1;
    }
}

/// The flaw: swaps the seqs of the first two messages.
fn swap_seqs(effects: &mut [Effect]) {
    let mut messages: Vec<&mut Message> = effects
        .iter_mut()
        .filter_map(|effect| match effect {
            Effect::Event(Event::NewMessage(message)) => Some(message),
            Effect::Event(_)
            | Effect::Moved(_)
            | Effect::Member(..)
            | Effect::GroupDeleted(..)
            | Effect::Closed(..)
            | Effect::Account(_) => None,
        })
        .collect();
    if let [first, second, ..] = messages.as_mut_slice() {
        std::mem::swap(*first, *second);
        std::mem::swap(&mut first.seq, &mut second.seq);
    }
}

fn unavailable() -> StoreError {
    StoreError::Unavailable("it crashed".into())
}

#[async_trait]
impl Log for SimStore {
    fn append(&self, message: NewMessage) -> BoxFuture<'static, Result<Appended, StoreError>> {
        self.write(move |database, effects| {
            let appended = database.append(&message)?;
            if !appended.duplicate {
                effects.event(Event::NewMessage(appended.message.clone()));
            }
            Ok(appended)
        })
    }

    async fn stored(&self, id: MessageId) -> Result<Option<Message>, StoreError> {
        self.ask("stored", |database| database.stored(id)).await
    }

    async fn edit(
        &self,
        actor: UserId,
        id: MessageId,
        body: MessageBody,
        _: Option<Vec<UserId>>,
    ) -> Result<Changed, StoreError> {
        self.write(move |database, effects| database.change(actor, id, Some(body.as_str()), effects)).await
    }

    async fn delete(&self, actor: UserId, id: MessageId) -> Result<Changed, StoreError> {
        self.write(move |database, effects| database.change(actor, id, None, effects)).await
    }

    async fn react(&self, _: UserId, _: MessageId, _: Emoji, _: bool) -> Result<Changed, StoreError> {
        Err(unavailable())
    }

    async fn pin(&self, _: UserId, _: MessageId, _: bool) -> Result<Changed, StoreError> {
        Err(unavailable())
    }

    async fn pins(&self, _: GroupId, _: UserId) -> Result<Option<Vec<Message>>, StoreError> {
        Err(unavailable())
    }

    async fn readers(&self, _: UserId, _: MessageId) -> Result<Vec<UserId>, StoreError> {
        Err(unavailable())
    }

    async fn mark_read(&self, _: GroupId, user: UserId, seq: Seq) -> Result<Marked, StoreError> {
        self.write(move |database, _| database.mark_read(user, seq)).await
    }

    async fn group_state(&self, _: GroupId) -> Result<Option<GroupState>, StoreError> {
        self.ask("group_state", |database| Some(database.group_state())).await
    }

    async fn role(&self, _: GroupId, user: UserId) -> Result<Option<Role>, StoreError> {
        self.ask("role", |database| database.is_member(user).then_some(Role::Member)).await
    }

    async fn membership(&self, _: GroupId, _: UserId) -> Result<Option<Group>, StoreError> {
        Ok(None)
    }

    async fn replay(&self, _: GroupId, viewer: UserId, after: Seq, _: usize) -> Result<Option<Page>, StoreError> {
        self.ask("replay", |database| database.is_member(viewer).then(|| database.page(after))).await
    }

    async fn tail(&self, _: GroupId, after: Seq) -> Result<Page, StoreError> {
        self.ask("tail", |database| database.page(after)).await
    }

    async fn history(
        &self,
        _: GroupId,
        viewer: UserId,
        anchor: Anchor,
        limit: usize,
    ) -> Result<Option<History>, StoreError> {
        self.ask("history", |database| database.is_member(viewer).then(|| database.history(anchor, limit))).await
    }

    async fn heads(&self, groups: &[GroupId]) -> Result<Vec<(GroupId, Seq)>, StoreError> {
        let groups = groups.to_vec();
        self.ask("heads", |database| groups.iter().map(|group| (*group, database.head())).collect()).await
    }

    fn commits(&self) -> mpsc::Receiver<Vec<Effect>> {
        self.commits.lock().unwrap().take().expect("one hub for each process")
    }

    fn hints(&self) -> Hints {
        self.hints.listen()
    }
}
