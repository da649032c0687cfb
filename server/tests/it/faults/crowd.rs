//! Many users with the real client in one group. At the end the checker judges their whole history.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use caravana_client::LinkState;
use caravana_protocol::{Epoch, GroupId, Seq, ServerFrame, codec};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep};

use crate::support::checker::assert_sound;
use crate::support::history::{Client, Entry, History, Moments};
use crate::support::{RealClient, TestServer, TestUser, Voice};

/// How often a waiting test checks its condition.
const LOOK: Duration = Duration::from_millis(20);
/// The timeout for everything that must happen. It is longer than any rule allows, so that the rule fails and not the
/// timeout.
const HOPELESS: Duration = Duration::from_mins(1);
/// How many unacknowledged messages one client may have. More would only wait in the outbox.
const UNSENT: usize = 8;

/// The users and clients of one group.
pub(super) struct Crowd {
    pub(super) users: Vec<Arc<TestUser>>,
    pub(super) clients: Vec<RealClient>,
    pub(super) group: GroupId,
    moments: Moments,
}

impl Crowd {
    /// Creates a group and its members. No client is connected yet.
    pub(super) async fn gather(server: &TestServer, users: usize) -> Self {
        let first = Arc::new(server.register("Ana").await);
        let group = first.create_group("Oaxaca").await;
        let mut all = vec![first];
        for number in 1..users {
            let user = Arc::new(server.register(&format!("Viajero {number}")).await);
            all[0].brings(&user, group).await;
            all.push(user);
        }
        Self { users: all, clients: Vec::new(), group, moments: Moments::default() }
    }

    /// Every user opens the group on that many devices. Returns when all are online.
    pub(super) async fn arrives(mut self, devices: usize) -> Self {
        for _ in 0..devices {
            self.clients.extend(self.users.iter().map(|user| RealClient::arrive(user, self.group, &self.moments)));
        }
        self.is_online().await;
        self
    }

    /// Adds a client of this user, whose requests may go through another address.
    pub(super) fn add(&mut self, user: &Arc<TestUser>) -> &mut RealClient {
        self.clients.push(RealClient::arrive(user, self.group, &self.moments));
        self.clients.last_mut().unwrap()
    }

    pub(super) async fn is_online(&self) {
        until("everybody is online", || self.clients.iter().all(|client| client.link() == LinkState::Online)).await;
    }

    /// All clients send messages, `rate` per second together, until the returned value is dropped.
    pub(super) fn chats(&self, rate: u32) -> Chat {
        let voices: Vec<Voice> = self.clients.iter().map(RealClient::voice).collect();
        let written = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(talk(voices.clone(), rate, Arc::clone(&written)));
        Chat { voices, written, task }
    }

    /// The end of the test: waits until every client has every event, and lets the checker judge the history.
    pub(super) async fn ends_soundly(self, server: &TestServer) -> History {
        self.is_online().await;
        // The last message may still be in the session's input queue. Then the session does not count it as unsent.
        let is_done = |client: &RealClient| !client.has_unsaid() && client.unsent() == 0;
        until("nothing waits to be sent", || self.clients.iter().all(is_done)).await;
        let log = Log::read(&self.users[0], self.group).await;
        assert_eq!(super::database_is_sound(server, self.group).await, log.head);
        let start = Instant::now();
        let mut settled = vec![None; self.clients.len()];
        while settled.contains(&None) && start.elapsed() < HOPELESS {
            for (client, settled) in self.clients.iter().zip(&mut settled) {
                if settled.is_none() && client.has_everything(log.head) {
                    *settled = Some(start.elapsed());
                }
            }
            sleep(LOOK).await;
        }
        let clients: Vec<Client> =
            self.clients.into_iter().zip(settled).map(|(client, settled)| client.finish(settled)).collect();
        let history = History { epoch: log.epoch, head: log.head, log: log.entries, clients, foreign: BTreeMap::new() };
        assert_sound(&history);
        history
    }
}

/// A running conversation.
pub(super) struct Chat {
    voices: Vec<Voice>,
    written: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Chat {
    /// Waits until that many more messages are stored. Written messages that are not acknowledged yet do not count.
    pub(super) async fn goes_on(&self, messages: usize) {
        let enough = self.stored() + messages;
        until("the conversation goes on", || self.stored() >= enough).await;
    }

    /// Waits until a message is unacknowledged.
    pub(super) async fn is_sending(&self) {
        while self.voices.iter().all(|voice| voice.unsent() == 0) {
            tokio::task::yield_now().await;
        }
    }

    /// How many messages were written.
    pub(super) fn written(&self) -> usize {
        self.written.load(Ordering::Relaxed)
    }

    fn stored(&self) -> usize {
        let unsent: usize = self.voices.iter().map(Voice::unsent).sum();
        self.written().saturating_sub(unsent)
    }
}

impl Drop for Chat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn talk(voices: Vec<Voice>, rate: u32, written: Arc<AtomicUsize>) {
    let mut pace = interval(Duration::from_secs(1) / rate);
    for voice in voices.iter().cycle() {
        pace.tick().await;
        if voice.unsent() < UNSENT {
            let number = written.fetch_add(1, Ordering::Relaxed);
            voice.send(&format!("mensaje {number}"));
        }
    }
}

/// Waits for a condition that only polling can detect.
pub(super) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + HOPELESS;
    while !holds() {
        assert!(Instant::now() < deadline, "did not happen: {what}");
        sleep(LOOK).await;
    }
}

/// A group's log as the server returns it.
struct Log {
    epoch: Epoch,
    head: Seq,
    entries: Vec<Entry>,
}

impl Log {
    async fn read(user: &TestUser, group: GroupId) -> Self {
        let (mut entries, mut after) = (Vec::new(), 0);
        loop {
            let page: Value = user.get(&format!("/api/v1/groups/{group}/events?after={after}")).await.ok();
            for event in page["events"].as_array().unwrap() {
                let Ok(Some(ServerFrame::Event(event))) = codec::decode_server(&event.to_string()) else {
                    panic!("no event: {event}")
                };
                after = event.seq();
                entries.push(Entry::from(&event));
            }
            if page["more"] == false {
                let epoch = page["epoch"].as_str().unwrap().parse().unwrap();
                return Self { epoch, head: page["head"].as_u64().unwrap(), entries };
            }
        }
    }
}
