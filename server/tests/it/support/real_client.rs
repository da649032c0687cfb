//! A user with the real client: the session and the driver that browsers run, over a real socket.

mod ports;

use std::sync::Arc;
use std::time::Duration;

use caravana_client::{Change, Config, Driver, Handle, Input, Item, LinkState, Session, TimelineChange};
use caravana_protocol::{Content, Cursor, GroupId, MessageBody, MessageId, Seq, Timestamp};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use super::history::{Client, Moments, Recorder};
use super::{PATIENCE, TestUser};
use ports::{Notes, TestPorts};

/// A user with the real client, in one group.
pub(crate) struct RealClient {
    voice: Voice,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

/// A handle to a client that several tasks can use at once. The client ends with its [`RealClient`].
#[derive(Clone)]
pub(crate) struct Voice {
    group: GroupId,
    handle: Handle,
    notes: Notes,
}

impl RealClient {
    /// Starts a client and opens the group on its screen.
    pub(crate) async fn start(user: &Arc<TestUser>, group: GroupId) -> Self {
        let mut client = Self::arrive(user, group, &Moments::default());
        client.is_online().await;
        client
    }

    /// Like [`Self::start`], without waiting for the link. All clients of a test share the same moments.
    pub(crate) fn arrive(user: &Arc<TestUser>, group: GroupId, moments: &Moments) -> Self {
        let notes = Notes::new(Recorder::new(user.id(), group, moments));
        let ports = TestPorts { user: Arc::clone(user), start: std::time::Instant::now(), notes: notes.clone() };
        let (driver, handle) = Driver::new(Session::new(Config::new(user.id()), rand::random()), ports);
        let (telling, changed) = watch::channel(0);
        let (reader, recorder) = (handle.clone(), notes.clone());
        let task = tokio::spawn(driver.run(move |change| {
            let reset = matches!(change, Change::Timeline { what: TimelineChange::Reset, .. });
            recorder.lock().looked(reader.with(|session| cursor(session, group)), reset);
            telling.send_modify(|count| *count += 1);
        }));
        handle.send(Input::Start).unwrap();
        handle.send(Input::OpenGroup { group, page: None, last_read: None }).unwrap();
        Self { voice: Voice { group, handle, notes }, changed, task }
    }

    pub(crate) fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Waits until `shown` is true of the session.
    pub(crate) async fn until(&mut self, what: &str, mut shown: impl FnMut(&Session) -> bool) {
        let waiting = async {
            while !self.handle.with(&mut shown) {
                self.changed.changed().await.expect("the driver has ended");
            }
        };
        let outcome = timeout(PATIENCE, waiting).await;
        assert!(outcome.is_ok(), "{what} was not seen; shown is {:?}", self.texts());
    }

    pub(crate) async fn is_online(&mut self) {
        self.until("the link online", |session| session.link() == LinkState::Online).await;
    }

    /// Waits until the group is live on this client. The link is online shortly before that.
    pub(crate) async fn is_live(&mut self) {
        let group = self.group;
        self.until("the group live", |session| session.group(group).is_some_and(caravana_client::Group::is_live)).await;
    }

    pub(crate) async fn is_not_online(&mut self) {
        self.until("the link down", |session| session.link() != LinkState::Online).await;
    }

    /// Waits until the stored messages on the screen are these.
    pub(crate) async fn sees(&mut self, texts: &[&str]) {
        let group = self.group;
        self.until(&format!("{texts:?}"), |session| stored(session, group) == texts).await;
    }

    /// Waits until the outbox is empty.
    pub(crate) async fn has_sent_everything(&mut self) {
        let group = self.group;
        let all_sent = |session: &Session| {
            session.group(group).is_some_and(|group| !group.items().any(|item| matches!(item, Item::Pending(_))))
        };
        self.until("an empty outbox", all_sent).await;
    }

    /// Ends the client and returns its part of the history.
    pub(crate) fn finish(self, settled: Option<Duration>) -> Client {
        self.task.abort();
        let mut recorder = self.notes.lock();
        recorder.looked(self.handle.with(|session| cursor(session, self.group)), false);
        recorder.client().clone().ended(settled, None)
    }

    /// The stored messages on the screen.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.handle.with(|session| stored(session, self.group))
    }
}

impl Voice {
    /// Writes a message and returns its id. The message may not be sent yet.
    pub(crate) fn send(&self, text: &str) -> MessageId {
        let id = MessageId::new(Uuid::now_v7());
        let body = MessageBody::parse(text).unwrap();
        let at = Timestamp::from_unix_micros(0);
        self.notes.lock().wrote(id, text);
        self.handle.send(Input::Send { group: self.group, id, content: Content::text(body), at }).unwrap();
        id
    }

    /// Reconnects at once, as when a person presses the button instead of waiting.
    pub(crate) fn retry_now(&self) {
        self.handle.send(Input::RetryNow).unwrap();
    }

    /// The person typed something.
    pub(crate) fn types(&self) {
        self.handle.send(Input::Typed { group: self.group }).unwrap();
    }

    pub(crate) fn link(&self) -> LinkState {
        self.handle.with(Session::link)
    }

    /// How many written messages are not acknowledged yet.
    pub(crate) fn unsent(&self) -> usize {
        self.handle.with(|session| session.group(self.group).map_or(0, |group| group.outbox().len()))
    }

    /// Whether a written message has not been sent once, because the session has not read it or has not sent it yet.
    pub(crate) fn has_unsaid(&self) -> bool {
        self.notes.lock().client().sends.iter().any(|sent| sent.attempts == 0)
    }

    /// Whether the client has every event up to `head` and an empty outbox.
    pub(crate) fn has_everything(&self, head: Seq) -> bool {
        let cursor = self.handle.with(|session| cursor(session, self.group));
        self.link() == LinkState::Online && self.unsent() == 0 && cursor.is_some_and(|cursor| cursor.seq == head)
    }
}

impl std::ops::Deref for RealClient {
    type Target = Voice;

    fn deref(&self) -> &Voice {
        &self.voice
    }
}

impl Drop for RealClient {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn cursor(session: &Session, group: GroupId) -> Option<Cursor> {
    session.group(group).and_then(|group| group.timeline().cursor())
}

fn stored(session: &Session, group: GroupId) -> Vec<String> {
    let rows = session.group(group).into_iter().flat_map(|group| group.timeline().rows());
    rows.filter_map(|row| Some(row.message()?.content.body.clone())).collect()
}
