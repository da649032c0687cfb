//! The driver over ports in memory, on paused time.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use caravana_client::ports::{NotSaved, Requests, SocketEvent, Sockets, Storage, Timer};
use caravana_client::testing::{Answer, Server, ana, group, id, me};
use caravana_client::{
    Change, Config, Driver, Handle, HandleError, HistoryError, HistoryPage, Input, Instant, IntentId, LinkState,
    SavedIntent, Session, SessionCheck,
};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, Content, GroupId, MessageBody, Timestamp, codec};
use futures::channel::mpsc;
use futures::{Sink, Stream, StreamExt};

/// The other side of all ports.
#[derive(Clone)]
struct Place {
    started: tokio::time::Instant,
    state: Arc<Mutex<State>>,
}

struct State {
    server: Server,
    stored: BTreeMap<IntentId, SavedIntent>,
    to_client: Option<mpsc::UnboundedSender<SocketEvent>>,
    full: bool,
    hangs: bool,
    opened: usize,
    closed: usize,
    /// Milliseconds that the page's own work took, beyond the paused time.
    worked: u64,
    /// How long the driver worked before each of its pauses.
    turns: Vec<u64>,
    /// What `worked` was at the last pause.
    paused_at: u64,
}

struct Wire {
    place: Place,
    events: mpsc::UnboundedReceiver<SocketEvent>,
}

impl Place {
    fn new() -> Self {
        let state = State {
            server: Server::default(),
            stored: BTreeMap::new(),
            to_client: None,
            full: false,
            hangs: false,
            opened: 0,
            closed: 0,
            worked: 0,
            turns: Vec::new(),
            paused_at: 0,
        };
        Self { started: tokio::time::Instant::now(), state: Arc::new(Mutex::new(state)) }
    }

    /// Changes the server's state, and passes the server's frames to the client.
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().expect("nobody panics inside");
        let answer = change(&mut state);
        for frame in state.server.take_said() {
            if let Some(wire) = &state.to_client {
                let _ = wire.unbounded_send(SocketEvent::Text(codec::encode_server(&frame)));
            }
        }
        answer
    }

    fn lose(&self, reason: CloseReason) {
        self.with(|state| {
            state.server.hang_up();
            if let Some(wire) = state.to_client.take() {
                let _ = wire.unbounded_send(SocketEvent::Closed(reason));
            }
        });
    }
}

impl Sockets for Place {
    type Socket = Wire;

    async fn open(&self) -> Result<Wire, CloseReason> {
        let (to_client, events) = mpsc::unbounded();
        if self.with(|state| state.hangs) {
            std::future::pending::<()>().await;
        }
        let now = self.now();
        self.with(|state| {
            state.opened += 1;
            state.to_client = Some(to_client);
            state.server.pick_up(now);
        });
        Ok(Wire { place: self.clone(), events })
    }
}

impl Timer for Place {
    fn now(&self) -> Instant {
        let worked = self.with(|state| state.worked);
        Instant::from_millis(u64::try_from(self.started.elapsed().as_millis()).expect("a short test") + worked)
    }

    fn sleep(&self, ms: u64) -> impl Future<Output = ()> {
        tokio::time::sleep(Duration::from_millis(ms))
    }

    async fn pause(&self) {
        self.with(|state| {
            state.turns.push(state.worked - state.paused_at);
            state.paused_at = state.worked;
        });
        tokio::task::yield_now().await;
    }
}

impl Storage for Place {
    async fn load(&self) -> Vec<SavedIntent> {
        self.with(|state| state.stored.values().cloned().collect())
    }

    async fn save(&self, message: SavedIntent) -> Result<(), NotSaved> {
        tokio::task::yield_now().await;
        self.with(|state| {
            if state.full {
                return Err(NotSaved);
            }
            state.stored.insert(message.id, message);
            Ok(())
        })
    }

    async fn forget(&self, id: IntentId) {
        self.with(|state| state.stored.remove(&id));
    }
}

impl Requests for Place {
    async fn history(&self, group: GroupId, page: HistoryPage, limit: usize) -> Result<MessagesAnswer, HistoryError> {
        self.with(|state| state.server.page(group, page, limit))
    }

    async fn check_session(&self) -> SessionCheck {
        SessionCheck::SignedIn
    }
}

impl Stream for Wire {
    type Item = SocketEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SocketEvent>> {
        self.events.poll_next_unpin(cx)
    }
}

impl Sink<String> for Wire {
    type Error = ();

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, text: String) -> Result<(), ()> {
        let incoming = codec::decode_client(&text).map_err(|_| ())?;
        self.place.with(|state| state.server.hear(incoming));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        self.place.with(|state| state.closed += 1);
        Poll::Ready(Ok(()))
    }
}

/// A driver that runs, and what it told.
struct Page {
    handle: Handle,
    changes: mpsc::UnboundedReceiver<Change>,
    seen: VecDeque<Change>,
    task: tokio::task::JoinHandle<()>,
}

impl Page {
    fn open(place: &Place) -> Self {
        Self::open_busy(place, 0)
    }

    /// A page that takes so many milliseconds to show each change of the log.
    fn open_busy(place: &Place, ms: u64) -> Self {
        let (driver, handle) = Driver::new(Session::new(Config::new(me()), 1), place.clone());
        let (told, changes) = mpsc::unbounded();
        // `spawn` needs a `Send` future. The driver's is one, because these ports are `Send`.
        let busy = place.clone();
        let task = tokio::spawn(driver.run(move |change| {
            if matches!(change, Change::Timeline { .. }) {
                busy.with(|state| state.worked += ms);
            }
            let _ = told.unbounded_send(change);
        }));
        handle.send(Input::Start).expect("room for an input");
        handle.send(Input::OpenGroup { group: group(), page: None, last_read: None }).expect("room for an input");
        Self { handle, changes, seen: VecDeque::new(), task }
    }

    /// Waits until the condition holds, for two virtual minutes at most.
    async fn sees(&mut self, what: &str, is: impl Fn(&Session) -> bool) {
        let wait = async {
            while !self.handle.with(&is) {
                let change = self.changes.next().await.expect("the driver has ended");
                self.seen.push_back(change);
            }
        };
        assert!(tokio::time::timeout(Duration::from_mins(2), wait).await.is_ok(), "never seen: {what}");
    }

    fn send(&self, number: u128, text: &str) {
        let body = MessageBody::parse(text).expect("a text that may be sent");
        let at = Timestamp::from_unix_micros(0);
        self.handle
            .send(Input::Send { group: group(), id: id(number), content: Content::text(body), at })
            .expect("room for an input");
    }
}

fn texts(session: &Session) -> Vec<String> {
    let rows = session.group(group()).into_iter().flat_map(|group| group.timeline().rows());
    rows.filter_map(|row| row.message().map(|message| message.content.body.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_message_is_saved_only_until_it_is_stored() {
    let place = Place::new();
    let mut page = Page::open(&place);
    page.sees("online", |session| session.link() == LinkState::Online).await;
    place.with(|state| state.server.answers.push_back(Answer::Swallowed));
    page.send(1, "hola");
    page.sees("sending", |session| session.group(group()).is_some_and(|group| group.outbox().len() == 1)).await;
    page.sees("sent", |session| texts(session) == ["hola"]).await;
    // Writes run one after the other, so the end of the next one shows that these are done too.
    page.send(2, "adiós");
    page.sees("sent", |session| texts(session) == ["hola", "adiós"]).await;
    drop(page.handle);
    page.task.await.unwrap();
    assert!(!place.with(|state| state.stored.contains_key(&id(1).into())));
}

#[tokio::test(start_paused = true)]
async fn a_lost_socket_is_replaced_and_missed_messages_are_shown() {
    let place = Place::new();
    let mut page = Page::open(&place);
    page.sees("live", |session| session.group(group()).is_some_and(caravana_client::Group::is_live)).await;
    place.lose(CloseReason::TooSlow);
    page.sees("waiting", |session| matches!(session.link(), LinkState::Waiting { .. })).await;
    place.with(|state| state.server.post(ana(), "mientras"));
    page.sees("caught up", |session| texts(session) == ["mientras"]).await;
    assert_eq!(place.with(|state| state.opened), 2);
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_is_noticed_by_the_alarm_and_its_socket_is_closed() {
    let place = Place::new();
    let mut page = Page::open(&place);
    page.sees("online", |session| session.link() == LinkState::Online).await;
    // This test does not call `beat`, so no frame comes for 35 virtual seconds.
    page.sees("given up", |session| session.link() != LinkState::Online).await;
    page.sees("online again", |session| session.link() == LinkState::Online).await;
    assert_eq!(place.with(|state| (state.opened, state.closed)), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_never_opens_is_given_up() {
    let place = Place::new();
    place.with(|state| state.hangs = true);
    let mut page = Page::open(&place);
    page.sees("waiting", |session| matches!(session.link(), LinkState::Waiting { .. })).await;
    place.with(|state| state.hangs = false);
    page.sees("online", |session| session.link() == LinkState::Online).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_storage_is_reported_and_the_message_is_sent_all_the_same() {
    let place = Place::new();
    place.with(|state| state.full = true);
    let mut page = Page::open(&place);
    page.sees("online", |session| session.link() == LinkState::Online).await;
    place.with(|state| state.server.answers.push_back(Answer::Swallowed));
    page.send(1, "hola");
    page.sees("sent", |session| texts(session) == ["hola"]).await;
    assert!(page.seen.contains(&Change::NotSaved { group: group(), id: id(1) }));
}

#[tokio::test(start_paused = true)]
async fn saved_messages_are_sent_by_the_next_page() {
    let place = Place::new();
    let mut first = Page::open(&place);
    first.sees("online", |session| session.link() == LinkState::Online).await;
    place.with(|state| state.server.answers.push_back(Answer::Swallowed));
    first.send(1, "antes");
    first.send(2, "de recargar");
    first.sees("queued", |session| session.group(group()).is_some_and(|group| group.outbox().len() == 2)).await;
    let kept = async {
        while place.with(|state| state.stored.len()) < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(1), kept).await.expect("never kept");
    first.task.abort();
    place.lose(CloseReason::Abnormal);
    let mut second = Page::open(&place);
    second.sees("sent", |session| texts(session) == ["antes", "de recargar"]).await;
}

#[tokio::test(start_paused = true)]
async fn too_many_waiting_inputs_are_refused() {
    let place = Place::new();
    let (driver, handle) = Driver::new(Session::new(Config::new(me()), 1), place);
    let refused = (0..10_000).find_map(|_| handle.send(Input::PageVisible).err());
    assert_eq!(refused, Some(HandleError::Full));
    drop(driver);
    assert_eq!(handle.send(Input::Start), Err(HandleError::Ended));
}

#[tokio::test(start_paused = true)]
async fn a_change_is_reported_when_the_session_can_be_read_and_take_inputs() {
    let place = Place::new();
    let (driver, handle) = Driver::new(Session::new(Config::new(me()), 1), place.clone());
    handle.send(Input::Start).unwrap();
    let reader = handle.clone();
    let (told, mut links) = mpsc::unbounded();
    let task = tokio::spawn(driver.run(move |change| {
        if change == Change::Link {
            let _ = told.unbounded_send(reader.with(Session::link));
            let _ = reader.send(Input::PageVisible);
        }
    }));
    let wait = async { while links.next().await.is_some_and(|link| link != LinkState::Online) {} };
    assert!(tokio::time::timeout(Duration::from_mins(1), wait).await.is_ok());
    task.abort();
}

#[tokio::test(start_paused = true)]
async fn the_driver_ends_with_the_last_handle() {
    let place = Place::new();
    let page = Page::open(&place);
    let other = page.handle.clone();
    drop(page.handle);
    other.send(Input::PageVisible).unwrap();
    drop(other);
    assert!(tokio::time::timeout(Duration::from_secs(1), page.task).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_frames_is_applied_in_turns_of_eight_milliseconds() {
    let place = Place::new();
    // Each change of the log takes the page a millisecond.
    let mut page = Page::open_busy(&place, 1);
    page.sees("live", |session| session.group(group()).is_some_and(caravana_client::Group::is_live)).await;
    place.with(|state| {
        state.turns.clear();
        state.paused_at = state.worked;
        for _ in 0..40 {
            state.server.post(ana(), "ráfaga");
        }
    });
    page.sees("the burst", |session| texts(session).len() == 40).await;
    let turns = place.with(|state| state.turns.clone());
    assert!((4..=6).contains(&turns.len()) && turns.iter().all(|turn| *turn <= 9), "{turns:?}");
}
