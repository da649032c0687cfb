//! The client's ports for a test: a real socket, real requests, and no storage. They record every sent and received
//! frame for the checker.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use caravana_client::ports::{NotSaved, Requests, SocketEvent, Sockets, Storage, Timer};
use caravana_client::{HistoryError, HistoryPage, Instant, IntentId, SavedIntent, SessionCheck};
use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, GroupId, codec};
use futures::{Sink, SinkExt as _, Stream, StreamExt as _};
use reqwest::Method;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::{self, Message};

use super::super::TestUser;
use super::super::history::Recorder;

/// The ports of a test's process.
pub(super) struct TestPorts {
    pub(super) user: Arc<TestUser>,
    pub(super) start: std::time::Instant,
    pub(super) notes: Notes,
}

/// The record of a client for the checker.
#[derive(Clone)]
pub(super) struct Notes(Arc<Mutex<Recorder>>);

impl Notes {
    pub(super) fn new(recorder: Recorder) -> Self {
        Self(Arc::new(Mutex::new(recorder)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Recorder> {
        self.0.lock().unwrap()
    }
}

pub(super) trait TestSocket: Stream<Item = SocketEvent> + Sink<String, Error = ()> + Send + Unpin {}
impl<T: Stream<Item = SocketEvent> + Sink<String, Error = ()> + Send + Unpin> TestSocket for T {}

impl Sockets for TestPorts {
    type Socket = Box<dyn TestSocket>;

    async fn open(&self) -> Result<Self::Socket, CloseReason> {
        let (socket, _) = connect_async(self.user.handshake("/ws")).await.map_err(|_| CloseReason::Abnormal)?;
        let (said, heard) = (self.notes.clone(), self.notes.clone());
        said.lock().connected();
        let (sink, stream) = socket.split();
        let sink = sink.with(move |text: String| {
            let saying = codec::decode_client(&text).unwrap();
            said.lock().said(&saying.frame, saying.reference.as_deref());
            std::future::ready(Ok::<_, tungstenite::Error>(Message::text(text)))
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

/// A sink and a stream that were split, joined again.
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

// Not `sink_map_err` of futures, because it panics when it is polled again after an error.
impl<A: Sink<String> + Unpin, B: Unpin> Sink<String> for Joined<A, B> {
    type Error = ();

    fn poll_ready(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), ()>> {
        self.sink.poll_ready_unpin(context).map_err(|_| ())
    }

    fn start_send(mut self: std::pin::Pin<&mut Self>, text: String) -> Result<(), ()> {
        self.sink.start_send_unpin(text).map_err(|_| ())
    }

    fn poll_flush(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), ()>> {
        self.sink.poll_flush_unpin(context).map_err(|_| ())
    }

    fn poll_close(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), ()>> {
        self.sink.poll_close_unpin(context).map_err(|_| ())
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
    async fn load(&self) -> Vec<SavedIntent> {
        Vec::new()
    }

    async fn save(&self, _: SavedIntent) -> Result<(), NotSaved> {
        Ok(())
    }

    async fn forget(&self, _: IntentId) {}
}

impl Requests for TestPorts {
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
