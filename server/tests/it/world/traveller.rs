//! A client in the simulated world: the real session and driver over the simulated network, a device that keeps the
//! outbox, and a recorder for what it sends, receives and applies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use caravana_client::ports::{NotSaved, Requests, SocketEvent, Sockets, Storage, Timer};
use caravana_client::{
    Change, Config, Driver, Handle, HistoryError, HistoryPage, Input, Instant, IntentId, Item, LinkState, SavedIntent,
    SendState, Session, SessionCheck, TimelineChange,
};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, Content, Cursor, GroupId, MessageBody, MessageId, Seq, Timestamp, UserId, codec};
use caravana_store::{Anchor, Log as _};
use futures::{Sink, StreamExt as _};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use uuid::Uuid;

use super::database::GROUP;
use super::internet::Internet;
use super::network::{Pipe, SimSocket, State};
use crate::support::history::{Client, Moments, Recorder};

/// A small page size, so that the history has several pages.
const PAGE: usize = 20;

/// One client.
pub(super) struct Traveller {
    pub(super) user: UserId,
    internet: Arc<Internet>,
    device: Arc<Device>,
    seed: u64,
    written: u64,
    changed: u64,
    handle: Handle,
    task: JoinHandle<()>,
}

/// What survives a reload of the page.
struct Device {
    user: UserId,
    saved: Mutex<BTreeMap<IntentId, SavedIntent>>,
    recorder: Mutex<Recorder>,
    /// The most recent socket.
    pipe: Mutex<Option<Arc<Pipe>>>,
}

impl Device {
    fn recorder(&self) -> MutexGuard<'_, Recorder> {
        self.recorder.lock().unwrap()
    }
}

impl Traveller {
    pub(super) fn new(internet: &Arc<Internet>, number: u8, seed: u64, moments: &Moments) -> Self {
        let user = UserId::new(Uuid::from_u128(u128::from(number) + 0xa0));
        let device = Arc::new(Device {
            user,
            saved: Mutex::default(),
            recorder: Mutex::new(Recorder::new(user, GROUP, moments)),
            pipe: Mutex::default(),
        });
        let (handle, task) = open_page(internet, &device, seed);
        Self { user, internet: Arc::clone(internet), device, seed, written: 0, changed: 0, handle, task }
    }

    /// Simulates a crash or reload of the tab: a new session starts with what the device kept.
    pub(super) fn reload(&mut self) {
        self.task.abort();
        if let Some(pipe) = self.device.pipe.lock().unwrap().take() {
            pipe.set(State::Cut);
        }
        self.device.recorder().reloaded();
        self.seed += 1;
        (self.handle, self.task) = open_page(&self.internet, &self.device, self.seed);
    }

    pub(super) fn say(&self, input: Input) {
        self.handle.send(input).unwrap();
    }

    /// Opens the group again, as after an invite.
    pub(super) fn open_group(&self) {
        self.say(Input::OpenGroup { group: GROUP, page: None, last_read: None });
    }

    /// Writes a message.
    pub(super) fn write(&mut self) {
        self.written += 1;
        let id = MessageId::new(Uuid::from_u128((self.user.uuid().as_u128() << 64) + u128::from(self.written)));
        let text = format!("{} {}", self.user, self.written);
        let body = MessageBody::parse(&text).unwrap();
        self.device.recorder().wrote(id, &text);
        self.say(Input::Send { group: GROUP, id, content: Content::text(body), at: Timestamp::from_unix_micros(0) });
    }

    /// Edits or deletes one of its own messages.
    pub(super) fn change(&mut self, nth: usize, delete: bool) {
        let own = self.handle.with(|session| {
            let rows = session.group(GROUP).into_iter().flat_map(|group| group.timeline().rows());
            let own = rows.filter_map(|row| row.message()).filter(|message| message.user_id == Some(self.user));
            own.map(|message| message.id).collect::<Vec<_>>()
        });
        let Some(id) = own.get(nth % own.len().max(1)).copied() else { return };
        let body = MessageBody::parse(&format!("changed {nth}")).unwrap();
        self.changed += 1;
        let number = (self.user.uuid().as_u128() << 64) + (1 << 63) + u128::from(self.changed);
        let (intent, at) = (IntentId::new(Uuid::from_u128(number)), Timestamp::from_unix_micros(0));
        let edit = Input::Edit { group: GROUP, intent, id, body, mentions: None, at };
        self.say(if delete { Input::Delete { group: GROUP, intent, id, at } } else { edit });
    }

    pub(super) fn mark_read(&self) {
        if let Some(cursor) = self.cursor() {
            self.say(Input::MarkRead { group: GROUP, seq: cursor.seq });
        }
    }

    /// Changes the state of its newest pipe.
    pub(super) fn set_pipe(&self, state: State) {
        if let Some(pipe) = self.device.pipe.lock().unwrap().as_ref() {
            pipe.set(state);
        }
    }

    pub(super) fn pipe_state(&self) -> Option<State> {
        self.device.pipe.lock().unwrap().as_ref().map(|pipe| pipe.state())
    }

    /// Whether the session says that it is online and the pipe really works.
    pub(super) fn is_connected(&self) -> bool {
        let is_online = self.handle.with(|session| session.link() == LinkState::Online);
        is_online && self.pipe_state() == Some(State::Flowing)
    }

    pub(super) fn cursor(&self) -> Option<Cursor> {
        self.handle.with(|session| session.group(GROUP).and_then(|group| group.timeline().cursor()))
    }

    /// Whether the client has every event up to `head` and an empty outbox.
    pub(super) fn has_everything(&self, head: Seq) -> bool {
        self.handle.with(|session| {
            session.group(GROUP).is_some_and(|group| {
                let cursor = group.timeline().cursor();
                group.outbox().is_empty() && !group.is_filling() && cursor.is_some_and(|cursor| cursor.seq == head)
            })
        })
    }

    pub(super) fn has_sent_everything(&self) -> bool {
        self.handle.with(|session| session.group(GROUP).is_none_or(|group| group.outbox().is_empty()))
    }

    /// Does what a person does after coming back to the page. A member opens the group again if it was closed, and
    /// retries refused messages. Otherwise the person discards refused entries.
    pub(super) fn look_again(&self, is_member: bool) {
        let is_gone = |session: &Session| session.group(GROUP).is_none_or(caravana_client::Group::is_gone);
        if is_member && self.handle.with(is_gone) {
            self.open_group();
        }
        let refused: Vec<(IntentId, bool)> = self.handle.with(|session| {
            let pending = session.group(GROUP).into_iter().flat_map(|group| group.outbox().entries());
            let refused = pending.filter(|entry| matches!(entry.state, SendState::Failed { .. }));
            refused.map(|entry| (entry.id, entry.is_send())).collect()
        });
        for (id, is_send) in refused {
            self.say(if is_member && is_send {
                Input::Retry { group: GROUP, id }
            } else {
                Input::Discard { group: GROUP, id }
            });
        }
    }

    /// Loads pages until the beginning of the history.
    pub(super) async fn load_everything(&self) {
        for _ in 0..200 {
            let page = self.handle.with(|session| {
                let timeline = session.group(GROUP)?.timeline();
                timeline.newer_page().or_else(|| timeline.older_page())
            });
            let Some(page) = page else { return };
            self.say(Input::Load { group: GROUP, page });
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// The ids of the messages on its screen.
    pub(super) fn screen(&self) -> Vec<MessageId> {
        self.handle.with(|session| {
            let items = session.group(GROUP).into_iter().flat_map(caravana_client::Group::items);
            items
                .filter_map(|item| match item {
                    Item::Row(row) => row.message().map(|message| message.id),
                    Item::Pending(pending) => Some(pending.message),
                })
                .collect()
        })
    }

    /// Ends the client and returns its part of the history.
    pub(super) fn finish(self, settled: Option<Duration>, screen: bool) -> Client {
        let screen = screen.then(|| self.screen());
        self.task.abort();
        let mut recorder = self.device.recorder();
        recorder.looked(self.cursor(), false);
        recorder.client().clone().ended(settled, screen)
    }
}

fn open_page(internet: &Arc<Internet>, device: &Arc<Device>, seed: u64) -> (Handle, JoinHandle<()>) {
    let config = Config { page_size: PAGE, ..Config::new(device.user) };
    let ports =
        Ports { internet: Arc::clone(internet), device: Arc::clone(device), start: tokio::time::Instant::now() };
    let (driver, handle) = Driver::new(Session::new(config, seed), ports);
    let (reader, recorder) = (handle.clone(), Arc::clone(device));
    let task = tokio::spawn(driver.run(move |change| {
        let reset = matches!(change, Change::Timeline { what: TimelineChange::Reset, .. });
        let cursor = reader.with(|session| session.group(GROUP).and_then(|group| group.timeline().cursor()));
        recorder.recorder().looked(cursor, reset);
    }));
    handle.send(Input::Start).unwrap();
    handle.send(Input::OpenGroup { group: GROUP, page: None, last_read: None }).unwrap();
    (handle, task)
}

/// The client's ports for one page.
struct Ports {
    internet: Arc<Internet>,
    device: Arc<Device>,
    start: tokio::time::Instant,
}

impl Sockets for Ports {
    type Socket = Box<dyn TestSocket>;

    async fn open(&self) -> Result<Self::Socket, CloseReason> {
        let (pipe, end) = self.internet.connect(self.device.user).await?;
        self.device.recorder().connected();
        *self.device.pipe.lock().unwrap() = Some(Arc::clone(&pipe));
        let heard = Arc::clone(&self.device);
        let incoming = end.inspect(move |event| {
            if let SocketEvent::Text(text) = event {
                heard.recorder().heard(&codec::decode_server(text).unwrap().unwrap());
            }
        });
        Ok(Box::new(Said { socket: SimSocket::new(pipe, Box::pin(incoming)), device: Arc::clone(&self.device) }))
    }
}

/// A socket that records what the client sends.
struct Said {
    socket: SimSocket,
    device: Arc<Device>,
}

pub(super) trait TestSocket:
    futures::Stream<Item = SocketEvent> + Sink<String, Error = ()> + Send + Unpin
{
}
impl TestSocket for Said {}

impl futures::Stream for Said {
    type Item = SocketEvent;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<SocketEvent>> {
        self.socket.poll_next_unpin(context)
    }
}

impl Sink<String> for Said {
    type Error = ();

    fn poll_ready(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), ()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn start_send(mut self: std::pin::Pin<&mut Self>, text: String) -> Result<(), ()> {
        let said = codec::decode_client(&text).unwrap();
        self.device.recorder().said(&said.frame, said.reference.as_deref());
        std::pin::Pin::new(&mut self.socket).start_send(text)
    }

    fn poll_flush(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), ()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_close(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), ()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

impl Timer for Ports {
    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.start.elapsed().as_millis()).unwrap())
    }

    async fn sleep(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}

impl Storage for Ports {
    async fn load(&self) -> Vec<SavedIntent> {
        self.device.saved.lock().unwrap().values().cloned().collect()
    }

    async fn save(&self, message: SavedIntent) -> Result<(), NotSaved> {
        self.device.saved.lock().unwrap().insert(message.id, message);
        Ok(())
    }

    async fn forget(&self, id: IntentId) {
        self.device.saved.lock().unwrap().remove(&id);
    }
}

impl Requests for Ports {
    async fn history(&self, group: GroupId, page: HistoryPage, limit: usize) -> Result<MessagesAnswer, HistoryError> {
        let user = self.device.user;
        let process = self.internet.ask(user).await.ok_or(HistoryError::Unavailable)?;
        let anchor = match page {
            HistoryPage::Latest => Anchor::End,
            HistoryPage::Before(seq) => Anchor::Before(seq),
            HistoryPage::After(seq) => Anchor::After(seq),
            HistoryPage::Around(seq) => Anchor::Around(seq),
        };
        let answer = process.store.history(group, user, anchor, limit).await.map_err(|_| HistoryError::Unavailable)?;
        self.internet.ask(user).await.ok_or(HistoryError::Unavailable)?;
        if page == HistoryPage::Latest {
            self.device.recorder().loaded_latest();
        }
        let page = answer.ok_or(HistoryError::NotFound)?;
        Ok(MessagesAnswer {
            messages: page.messages,
            events: page.events,
            epoch: page.epoch,
            head: page.head,
            has_more_before: page.has_more_before,
            has_more_after: page.has_more_after,
        })
    }

    async fn check_session(&self) -> SessionCheck {
        match self.internet.ask(self.device.user).await {
            Some(_) => SessionCheck::SignedIn,
            None => SessionCheck::Unreachable,
        }
    }
}
