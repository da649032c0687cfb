//! A server, a group, and users who write in it.

use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::{Epoch, GroupId, Seq};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::support::{PATIENCE, TestServer, TestUser, Wire};

/// The interval of a sender's turns. It only paces the load; no test waits for it.
const TURN: Duration = Duration::from_millis(40);

/// After so many turns, listeners that are not done will never be done.
const MOST_TURNS: u32 = 1_000;

/// A server with a busy group.
pub(super) struct BusyGroup {
    server: TestServer,
    pub(super) ana: Arc<TestUser>,
    pub(super) group: GroupId,
    pub(super) epoch: Epoch,
    /// How many listeners are done.
    done: watch::Sender<usize>,
    /// The last event, as soon as the senders have stopped.
    end: watch::Sender<Option<Seq>>,
}

impl BusyGroup {
    pub(super) async fn new() -> Self {
        let server = TestServer::builder().flag("--max-connections-per-user=1000").start().await;
        let ana = Arc::new(server.register("Ana").await);
        let group = ana.create_group("Oaxaca").await;
        let (_, joined) = Wire::open_group(&ana, group).await;
        let epoch = joined["epoch"].as_str().unwrap().parse().unwrap();
        Self { server, ana, group, epoch, done: watch::Sender::new(0), end: watch::Sender::new(None) }
    }

    pub(super) async fn another_member(&self, name: &str) -> Arc<TestUser> {
        let user = self.server.register(name).await;
        self.ana.brings(&user, self.group).await;
        Arc::new(user)
    }

    pub(super) async fn removes(&self, user: &TestUser) {
        let path = format!("/api/v1/groups/{}/members/{}", self.group, user.id());
        assert!(self.ana.delete(&path).await.status.is_success());
    }

    /// Sends `each` messages per turn. A turn begins when the messages of the previous turn are stored. Runs at least
    /// `turns` turns, and until this many listeners are done.
    pub(super) async fn talk(&self, turns: u32, each: usize, listeners: usize) {
        // Not subscribed, so that only its acknowledgements arrive.
        let mut wire = Wire::open(&self.ana).await;
        let start = Instant::now();
        let mut turn = 0;
        while turn < turns || *self.done.borrow() < listeners {
            sleep_until(start + TURN * turn).await;
            for number in 0..each {
                wire.say("send_message", json!({"group_id": self.group, "message": format!("{turn}/{number}")})).await;
            }
            for _ in 0..each {
                wire.expect("message_sent").await;
            }
            turn += 1;
            assert!(turn < MOST_TURNS, "{} listeners are done", *self.done.borrow());
        }
    }

    /// The counter that a listener increments when it is done.
    pub(super) fn done(&self) -> watch::Sender<usize> {
        self.done.clone()
    }

    /// Waits until this many listeners are done.
    pub(super) async fn are_done(&self, listeners: usize) {
        let mut done = self.done.subscribe();
        timeout(PATIENCE * 3, done.wait_for(|done| *done >= listeners)).await.expect("listeners are not done").unwrap();
    }

    /// Another program inserts rows, all in one statement and one commit.
    pub(super) async fn foreign_rows(&self, count: u32) {
        let rows = format!(
            "with recursive number (n) as (select 1 union all select n + 1 from number where n < {count}) \
             insert into group_chat (user_id, group_id, message) select {user}, {group}, n from number",
            user = self.server.database().uuid(self.ana.id()),
            group = self.server.database().uuid(self.group),
        );
        self.server.foreign().await.run(&rows).await;
    }

    /// The group's head in the database.
    pub(super) async fn head(&self) -> Seq {
        let page: Value = self.ana.get(&format!("/api/v1/groups/{}/messages?limit=1", self.group)).await.ok();
        page["head"].as_u64().unwrap()
    }

    /// Tells the listeners that the senders have stopped and that this is the last event.
    pub(super) fn is_at(&self, head: Seq) {
        self.end.send_replace(Some(head));
    }

    pub(super) fn end(&self) -> watch::Receiver<Option<Seq>> {
        self.end.subscribe()
    }
}
