//! The simulated world: real sessions and the real hub in virtual time. Everything around and between them is
//! simulated.
//!
//! A schedule of steps says what users, networks, databases and operators do. A seed decides every delay. The runtime
//! has one thread and a clock that jumps to the next timer. So minutes of a schedule take milliseconds, and the same
//! seed and schedule give the same history. At the end the world removes all faults and waits until every client has
//! every event. Then the checker judges the history. The modules: `schedule` (the steps), `database` and `store` (the
//! durable data and the access to it), `process` (the server), `network` and `internet`, `traveller` (a client).

mod costs;
mod database;
mod flaws;
mod internet;
mod network;
mod process;
mod random;
mod schedule;
mod store;
mod storm;
mod traveller;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use caravana_client::Input;
use caravana_hub::HubSettings;
use caravana_hub::budgets::{BudgetSettings, Quota};
use caravana_protocol::{MessageId, UserId};
use caravana_store::HintSender;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::history::{Entry, History, Moments};
use database::SimDatabase;
use internet::Internet;
use network::State;
use process::Process;
use schedule::Step;
use store::{Faults, SimStore};
use traveller::Traveller;

/// How long the clients may take to get a link again after all faults are removed: the longest backoff, and the time to
/// notice a dead socket.
const RECONNECTED: Duration = Duration::from_mins(2);
/// How long the clients may take to send what they wrote without a link.
const SENT: Duration = Duration::from_mins(5);
/// How long the world waits until every client has every event. It is longer than the checker allows, so that the
/// checker can say how much too long it took.
const SETTLED: Duration = Duration::from_mins(1);
/// How often the world checks this.
const LOOK: Duration = Duration::from_millis(50);

/// The properties of this world, besides its schedule.
#[derive(Debug, Clone, Copy)]
struct Nature {
    travellers: usize,
    /// How often the hub checks for lost hints.
    sweep: Duration,
    /// The flaw of this server. The checker must find it.
    flaw: Option<Flaw>,
}

impl Default for Nature {
    fn default() -> Self {
        Self { travellers: schedule::TRAVELLERS, sweep: Duration::from_secs(5), flaw: None }
    }
}

/// A server that breaks a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    /// It acknowledges before it commits.
    AnswersFirst,
    /// It swaps the seqs of two messages when it delivers them.
    SwapsSeqs,
    /// It stores an id a second time.
    ForgetsIds,
    /// It loses the first live event after a replay.
    LosesAtTheSeam,
    /// It never checks for lost hints.
    NeverSweeps,
}

/// The whole simulated world.
struct World {
    nature: Nature,
    seed: u64,
    processes: u64,
    database: Arc<Mutex<SimDatabase>>,
    faults: Arc<Mutex<Faults>>,
    /// Hints for the running server about other programs' commits.
    hints: HintSender,
    internet: Arc<Internet>,
    travellers: Vec<Traveller>,
    inserted: u128,
}

/// A runtime with one thread and a clock that jumps to the next timer.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

/// Runs a schedule in a new world and returns its history.
fn live(nature: Nature, seed: u64, schedule: &[Step]) -> History {
    runtime().block_on(async {
        let mut world = World::begin(nature, seed);
        for step in schedule {
            world.take(step).await;
        }
        world.end().await
    })
}

impl World {
    /// A world with a running server, in which every traveller is a connected member.
    fn begin(nature: Nature, seed: u64) -> Self {
        let mut database = SimDatabase::default();
        database.forgets_ids = nature.flaw == Some(Flaw::ForgetsIds);
        let moments = Moments::default();
        let internet = Internet::new(seed);
        let people = 0..u8::try_from(nature.travellers).unwrap();
        let travellers: Vec<_> =
            people.map(|number| Traveller::new(&internet, number, seed ^ u64::from(number), &moments)).collect();
        for traveller in &travellers {
            database.admit(traveller.user);
        }
        let mut faults = Faults {
            answers_first: nature.flaw == Some(Flaw::AnswersFirst),
            swaps_seqs: nature.flaw == Some(Flaw::SwapsSeqs),
            ..Faults::default()
        };
        faults.heal();
        let mut world = Self {
            nature,
            seed,
            processes: 0,
            database: Arc::new(Mutex::new(database)),
            faults: Arc::new(Mutex::new(faults)),
            hints: HintSender::default(),
            internet,
            travellers,
            inserted: 0,
        };
        world.start_server();
        world
    }

    fn start_server(&mut self) {
        if self.internet.server().is_some() {
            return;
        }
        self.processes += 1;
        let (seed, fenced) = (self.seed ^ (self.processes << 32), CancellationToken::new());
        self.hints = HintSender::default();
        let store = SimStore::start(&self.database, &self.faults, self.hints.source(), seed, fenced.clone());
        let never = Duration::from_hours(24);
        let settings = HubSettings {
            budgets: BudgetSettings {
                of_user: Quota::per_second(2, 10),
                of_group: Quota::per_second(30, 30),
                factor: 1.0,
            },
            connections_per_user: 10,
            sweep: if self.nature.flaw == Some(Flaw::NeverSweeps) { never } else { self.nature.sweep },
            seed,
            build: "simulated".into(),
            verify: Arc::new(|_| Box::pin(async { Err(caravana_hub::Unverified::Refused) })),
        };
        let loses_at_the_seam = self.nature.flaw == Some(Flaw::LosesAtTheSeam);
        self.internet.serve(Some(Process::start(store, fenced, settings, loses_at_the_seam)));
    }

    fn faults(&self) -> std::sync::MutexGuard<'_, Faults> {
        self.faults.lock().unwrap()
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Write(who, count) => (0..count).for_each(|_| self.travellers[who].write()),
            Step::Edit(who, nth) => self.travellers[who].change(nth, false),
            Step::Delete(who, nth) => self.travellers[who].change(nth, true),
            Step::Type(who) => self.travellers[who].say(Input::Typed { group: database::GROUP }),
            Step::Read(who) => self.travellers[who].mark_read(),
            Step::Insert(count) => self.insert(count),
            Step::Remove(who) => self.change_members(SimDatabase::remove, who),
            Step::Admit(who) => {
                self.change_members(SimDatabase::admit, who);
                self.travellers[who].open_group();
            }
            Step::Cut(who) => self.travellers[who].set_pipe(State::Cut),
            Step::Silence(who) => self.travellers[who].set_pipe(State::Silent),
            Step::Stall(who) => self.travellers[who].set_pipe(State::Stalled),
            Step::Unstall(who) => self.unstall(who),
            Step::GoOffline(who) => {
                self.internet.set_offline(self.travellers[who].user, true);
                self.travellers[who].set_pipe(State::Silent);
                self.travellers[who].say(Input::NetworkDown);
            }
            Step::GoOnline(who) => self.go_online(who),
            Step::Reload(who) => self.travellers[who].reload(),
            Step::Look(who) => self.travellers[who].say(Input::PageVisible),
            Step::Kill => self.internet.serve(None).iter().for_each(|process| process.kill()),
            Step::End => {
                if let Some(process) = self.internet.serve(None) {
                    process.end().await;
                }
            }
            Step::Start => self.start_server(),
            Step::FailReads(fail) => self.faults().reads_fail = fail,
            Step::FailWrites(fail) => self.faults().writes_fail = fail,
            Step::LoseHints(lost) => self.faults().hints_are_lost = lost,
            Step::Slow(ms) => self.faults().slowness_ms = ms,
            Step::Pass(ms) => sleep(Duration::from_millis(ms)).await,
        }
        // Lets all tasks handle this step before the next step.
        sleep(Duration::from_millis(1)).await;
    }

    fn unstall(&self, who: usize) {
        if self.travellers[who].pipe_state() == Some(State::Stalled) {
            self.travellers[who].set_pipe(State::Flowing);
        }
    }

    fn go_online(&self, who: usize) {
        self.internet.set_offline(self.travellers[who].user, false);
        // A half-open socket has lost bytes, so it can not continue.
        if self.travellers[who].pipe_state() == Some(State::Silent) {
            self.travellers[who].set_pipe(State::Cut);
        }
        self.travellers[who].say(Input::NetworkUp);
    }

    fn tell_of_foreign_commit(&self) {
        if !self.faults().hints_are_lost {
            self.hints.groups([database::GROUP]);
        }
    }

    fn insert(&mut self, count: usize) {
        let author = self.travellers[0].user;
        for _ in 0..count {
            self.inserted += 1;
            let id = MessageId::new(Uuid::from_u128((0xf << 64) + self.inserted));
            self.database.lock().unwrap().insert(id, author, &format!("from outside {}", self.inserted));
        }
        self.tell_of_foreign_commit();
    }

    fn change_members(&self, change: impl FnOnce(&mut SimDatabase, UserId), who: usize) {
        change(&mut self.database.lock().unwrap(), self.travellers[who].user);
        self.tell_of_foreign_commit();
    }

    /// Removes all faults, waits until the clients have settled, and returns the history.
    async fn end(mut self) -> History {
        self.faults().heal();
        self.start_server();
        for who in 0..self.travellers.len() {
            self.unstall(who);
            // Only offline travellers get an input here. All others must find what they lost without one.
            if self.internet.is_offline(self.travellers[who].user) {
                self.go_online(who);
            }
        }
        // First every client must notice that its pipe was cut.
        sleep(Duration::from_secs(1)).await;
        self.wait(RECONNECTED, |world| world.travellers.iter().all(Traveller::is_connected)).await;
        for traveller in &self.travellers {
            traveller.look_again(self.database.lock().unwrap().is_member(traveller.user));
        }
        // Messages that were written meanwhile are sent one by one, at the speed of the network and of the rate limits.
        self.wait(SENT, |world| world.travellers.iter().all(Traveller::has_sent_everything)).await;
        let settled = self.settle().await;
        for traveller in &self.travellers {
            traveller.load_everything().await;
        }
        self.history(&settled)
    }

    fn has_everybody_settled(&self) -> bool {
        let head = self.database.lock().unwrap().head();
        self.travellers.iter().all(|traveller| traveller.has_everything(head))
    }

    async fn wait(&self, patience: Duration, until: impl Fn(&Self) -> bool) {
        let end = Instant::now() + patience;
        while Instant::now() < end && !until(self) {
            sleep(LOOK).await;
        }
    }

    /// Waits until every client has every event. Returns for each client when it got them, if it still has them.
    async fn settle(&self) -> Vec<Option<Duration>> {
        let start = Instant::now();
        let mut settled = vec![None; self.travellers.len()];
        loop {
            let head = self.database.lock().unwrap().head();
            for (traveller, settled) in self.travellers.iter().zip(&mut settled) {
                let is_member = self.database.lock().unwrap().is_member(traveller.user);
                let rests = !is_member || traveller.has_everything(head);
                *settled = if rests { settled.or_else(|| Some(start.elapsed())) } else { None };
            }
            if settled.iter().all(Option::is_some) || start.elapsed() > SETTLED {
                return settled;
            }
            sleep(LOOK).await;
        }
    }

    fn history(self, settled: &[Option<Duration>]) -> History {
        let database = self.database.lock().unwrap();
        let clients = self.travellers.into_iter().zip(settled).map(|(traveller, settled)| {
            let is_member = database.is_member(traveller.user);
            traveller.finish(*settled, is_member)
        });
        History {
            epoch: database.epoch,
            head: database.head(),
            log: database.everything().iter().map(Entry::from).collect(),
            clients: clients.collect(),
            foreign: database.foreign.clone(),
        }
    }
}
