//! Somebody with the real client: the session and driver that browsers run, over a real socket.

use std::sync::Arc;
use std::time::Duration;

use caravana_client::ports::{Api, NotKept, SocketEvent, Sockets, Storage, Timer};
use caravana_client::{
    Config, Driver, Handle, HistoryError, HistoryPage, Input, Instant, Item, LinkState, SavedMessage, Session,
    SessionCheck,
};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, GroupId, MessageBody, MessageId, Timestamp};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use reqwest::Method;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::{PATIENCE, TestUser};

/// The ports of a test's process.
struct TestPorts {
    user: Arc<TestUser>,
    start: std::time::Instant,
}

trait TestSocket: Stream<Item = SocketEvent> + Sink<String, Error = ()> + Send + Unpin {}
impl<T: Stream<Item = SocketEvent> + Sink<String, Error = ()> + Send + Unpin> TestSocket for T {}

impl Sockets for TestPorts {
    type Socket = Box<dyn TestSocket>;

    async fn open(&self) -> Result<Self::Socket, CloseReason> {
        let (socket, _) = connect_async(self.user.handshake("/ws")).await.map_err(|_| CloseReason::Abnormal)?;
        let (sink, stream) = socket.split();
        let sink = sink.sink_map_err(|_| ()).with(|text: String| std::future::ready(Ok::<_, ()>(Message::text(text))));
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
    group: GroupId,
    handle: Handle,
    changed: watch::Receiver<u64>,
    task: JoinHandle<()>,
}

impl Peer {
    /// Starts a client and opens the group on its screen.
    pub(crate) async fn start(user: &Arc<TestUser>, group: GroupId) -> Self {
        let ports = TestPorts { user: Arc::clone(user), start: std::time::Instant::now() };
        let (driver, handle) = Driver::new(Session::new(Config::new(user.id()), 42), ports);
        let (telling, changed) = watch::channel(0);
        let task = tokio::spawn(driver.run(move |_| telling.send_modify(|count| *count += 1)));
        handle.send(Input::Start).unwrap();
        handle.send(Input::OpenGroup { group, page: None, last_read: None }).unwrap();
        let mut peer = Self { group, handle, changed, task };
        peer.is_online().await;
        peer
    }

    /// Writes a message. Answers its id; it may still be on its way.
    pub(crate) fn send(&self, text: &str) -> MessageId {
        let id = MessageId::new(Uuid::now_v7());
        let body = MessageBody::parse(text).unwrap();
        let at = Timestamp::from_unix_micros(0);
        self.handle.send(Input::Send { group: self.group, id, body, reply_to: None, at }).unwrap();
        id
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

    /// The stored messages on the screen.
    pub(crate) fn texts(&self) -> Vec<String> {
        self.handle.with(|session| stored(session, self.group))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn stored(session: &Session, group: GroupId) -> Vec<String> {
    let rows = session.group(group).into_iter().flat_map(|group| group.timeline().rows());
    rows.filter_map(|row| Some(row.message()?.message.clone())).collect()
}
