//! Somebody with the real client: the session and driver that browsers run, over a real socket.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use caravana_client::ports::{Api, NotKept, SocketEvent, Sockets, Storage, Timer};
use caravana_client::{
    Change, Config, Driver, Handle, HistoryError, HistoryPage, Input, Instant, Item, LinkState, SavedMessage, Session,
    SessionCheck, TimelineChange,
};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, Cursor, GroupId, MessageBody, MessageId, Seq, Timestamp, codec};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use reqwest::Method;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::history::{Client, Moments, Recorder};
use super::{PATIENCE, TestUser};

/// The ports of a test's process.
struct TestPorts {
    user: Arc<TestUser>,
    start: std::time::Instant,
    notes: Notes,
}

/// What a peer writes down for the checker.
#[derive(Clone)]
struct Notes(Arc<Mutex<Recorder>>);

impl Notes {
    fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap()
    }
}

trait TestSocket: Stream<Item = SocketEvent> + Sink<String, Error = ()> + Send + Unpin {}
impl<T: Stream<Item = SocketEvent> + Sink<String, Error = ()> + Send + Unpin> TestSocket for T {}

impl Sockets for TestPorts {
    type Socket = Box<dyn TestSocket>;

    async fn open(&self) -> Result<Self::Socket, CloseReason> {
        let (socket, _) = connect_async(self.user.handshake("/ws")).await.map_err(|_| CloseReason::Abnormal)?;
        let (said, heard) = (self.notes.clone(), self.notes.clone());
        said.lock().connected();
        let (sink, stream) = socket.split();
        let sink = sink.sink_map_err(|_| ()).with(move |text: String| {
            let saying = codec::decode_client(&text).unwrap();
            said.lock().said(&saying.frame, saying.reference.as_deref());
            std::future::ready(Ok::<_, ()>(Message::text(text)))
        });
        let stream = stream.filter_map(|message| {
            std::future::ready(match message {
                Ok(Message::Text(text)) => Some(SocketEvent::Text(text.as_str().to_owned())),
                Ok(Message::Close(frame)) => {
                    let code = frame.map_or(1005, |frame| frame.code.into());
                    Some(SocketEvent::Closed(CloseReason::from_code(code)))
                }
                Ok(_) => None,
                Err(_) => Some(SocketEvent::Closed(CloseReason::Abnormal)),
            })
        });
        let stream = stream.inspect(move |event| {
            if let SocketEvent::Text(text) = event {
                heard.lock().heard(&codec::decode_server(text).unwrap().unwrap());
            }
        });
        Ok(Box::new(Joined { sink, stream }))
    }
}

/// A sink and a stream that were split, as one again.
struct Joined<A, B> {
    sink: A,
    stream: B,
}

impl<A: Unpin, B: Stream + Unpin> Stream for Joined<A, B> {
    type Item = B::Item;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<B::Item>> {
        self.stream.poll_next_unpin(context)
    }
}

impl<A: Sink<String> + Unpin, B: Unpin> Sink<String> for Joined<A, B> {
    type Error = A::Error;

    fn poll_ready(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), A::Error>> {
        self.sink.poll_ready_unpin(context)
    }

    fn start_send(mut self: std::pin::Pin<&mut Self>, text: String) -> Result<(), A::Error> {
        self.sink.start_send_unpin(text)
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), A::Error>> {
        self.sink.poll_flush_unpin(context)
    }

    fn poll_close(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), A::Error>> {
        self.sink.poll_close_unpin(context)
    }
}

impl Timer for TestPorts {
    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap())
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

impl Storage for TestPorts {
    async fn load(&self) -> Vec<SavedMessage> {
        Vec::new()
    }

    async fn save(&self, _: SavedMessage) -> Result<(), NotKept> {
        Ok(())
    }

    async fn forget(&self, _: MessageId) {}
}

impl Api for TestPorts {
    async fn history(&self, group: GroupId, page: HistoryPage, limit: usize) -> Result<MessagesAnswer, HistoryError> {
        let place = match page {
            HistoryPage::Latest => String::new(),
            HistoryPage::Before(seq) => format!("before={seq}&"),
            HistoryPage::After(seq) => format!("after={seq}&"),
            HistoryPage::Around(seq) => format!("around={seq}&"),
        };
        let path = format!("/api/v1/groups/{group}/messages?{place}limit={limit}");
        let answer = self.user.request(Method::GET, &path).send().await.map_err(|_| HistoryError::Unavailable)?;
        if page == HistoryPage::Latest {
            self.notes.lock().loaded_latest();
        }
        match answer.status().as_u16() {
            200 => answer.json().await.map_err(|_| HistoryError::Unavailable),
            401 => Err(HistoryError::SignedOut),
            403 | 404 => Err(HistoryError::NotFound),
            _ => Err(HistoryError::Unavailable),
        }
    }

    async fn check_session(&self) -> SessionCheck {
        match self.user.request(Method::GET, "/api/v1/session").send().await {
            Ok(answer) if answer.status() == 200 => SessionCheck::SignedIn,
            Ok(answer) if answer.status() == 401 => SessionCheck::SignedOut,
            Ok(_) | Err(_) => SessionCheck::Unreachable,
        }
    }
}

/// Somebody with the real client, in one group.
pub(crate) struct Peer {
    voice: Voice,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

/// What a peer can be asked and told by several tasks at once. The client ends with its [`Peer`].
#[derive(Clone)]
pub(crate) struct Voice {
    group: GroupId,
    handle: Handle,
    notes: Notes,
}

impl Peer {
    /// Starts a client and opens the group on its screen.
    pub(crate) async fn start(user: &Arc<TestUser>, group: GroupId) -> Self {
        let mut peer = Self::arrive(user, group, &Moments::default());
        peer.is_online().await;
        peer
    }

    /// The same without waiting for the link, beside others whose moments it shares.
    pub(crate) fn arrive(user: &Arc<TestUser>, group: GroupId, moments: &Moments) -> Self {
        let notes = Notes(Arc::new(Mutex::new(Recorder::new(user.id(), group, moments))));
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

    /// Waits until the screen shows what is asked for.
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

    pub(crate) async fn is_not_online(&mut self) {
        self.until("the link down", |session| session.link() != LinkState::Online).await;
    }

    /// Waits until the stored messages on the screen are these.
    pub(crate) async fn sees(&mut self, texts: &[&str]) {
        let group = self.group;
        self.until(&format!("{texts:?}"), |session| stored(session, group) == texts).await;
    }

    /// Waits until nothing waits to be sent.
    pub(crate) async fn has_sent_everything(&mut self) {
        let group = self.group;
        let all_sent = |session: &Session| {
            session.group(group).is_some_and(|group| !group.items().any(|item| matches!(item, Item::Pending(_))))
        };
        self.until("an empty outbox", all_sent).await;
    }

    /// Its part of a history, of which it is the end.
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
    /// Writes a message. Answers its id; it may still be on its way.
    pub(crate) fn send(&self, text: &str) -> MessageId {
        let id = MessageId::new(Uuid::now_v7());
        let body = MessageBody::parse(text).unwrap();
        let at = Timestamp::from_unix_micros(0);
        self.notes.lock().wrote(id, text);
        self.handle.send(Input::Send { group: self.group, id, body, reply_to: None, at }).unwrap();
        id
    }

    /// Does what a person does who is tired of waiting for the link.
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

    /// Messages that are written and not acknowledged.
    pub(crate) fn unsent(&self) -> usize {
        self.handle.with(|session| session.group(self.group).map_or(0, |group| group.outbox().len()))
    }

    /// Whether it has everything up to here, and nothing waits to be sent.
    pub(crate) fn has_everything(&self, head: Seq) -> bool {
        let cursor = self.handle.with(|session| cursor(session, self.group));
        self.link() == LinkState::Online && self.unsent() == 0 && cursor.is_some_and(|cursor| cursor.seq == head)
    }
}

impl std::ops::Deref for Peer {
    type Target = Voice;

    fn deref(&self) -> &Voice {
        &self.voice
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn cursor(session: &Session, group: GroupId) -> Option<Cursor> {
    session.group(group).and_then(|group| group.timeline().cursor())
}

fn stored(session: &Session, group: GroupId) -> Vec<String> {
    let rows = session.group(group).into_iter().flat_map(|group| group.timeline().rows());
    rows.filter_map(|row| Some(row.message()?.message.clone())).collect()
}
