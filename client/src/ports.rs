//! What a [`crate::Driver`] needs from its environment.
//!
//! Four small traits. Their futures may be tied to one thread, as they are in a browser. An adapter does I/O and
//! nothing else; the session makes every decision. Implement all four for one type and pass it to
//! [`crate::Driver::new`].
//!
//! Almost every WebSocket library has a stream of frames and a sink for them, and needs no more than this:
//!
//! ```
//! use std::pin::Pin;
//! use std::task::{Context, Poll, ready};
//!
//! use caravana_client::ports::SocketEvent;
//! use caravana_protocol::CloseReason;
//! use futures::{Sink, Stream};
//!
//! /// What the library gives: a text, or the code of a close.
//! enum Frame {
//!     Text(String),
//!     Close(u16),
//! }
//!
//! struct Adapter<L>(L);
//!
//! impl<L: Stream<Item = Frame> + Unpin> Stream for Adapter<L> {
//!     type Item = SocketEvent;
//!
//!     fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SocketEvent>> {
//!         Poll::Ready(ready!(Pin::new(&mut self.0).poll_next(cx)).map(|frame| match frame {
//!             Frame::Text(text) => SocketEvent::Text(text),
//!             Frame::Close(code) => SocketEvent::Closed(CloseReason::from_code(code)),
//!         }))
//!     }
//! }
//!
//! impl<L: Sink<Frame> + Unpin> Sink<String> for Adapter<L> {
//!     type Error = L::Error;
//!
//!     fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), L::Error>> {
//!         Pin::new(&mut self.0).poll_ready(cx)
//!     }
//!
//!     fn start_send(mut self: Pin<&mut Self>, text: String) -> Result<(), L::Error> {
//!         Pin::new(&mut self.0).start_send(Frame::Text(text))
//!     }
//!
//!     fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), L::Error>> {
//!         Pin::new(&mut self.0).poll_flush(cx)
//!     }
//!
//!     fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), L::Error>> {
//!         Pin::new(&mut self.0).poll_close(cx)
//!     }
//! }
//! ```

use std::future::Future;

use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{CloseReason, GroupId};
use futures::{Sink, Stream};

use crate::{HistoryError, HistoryPage, Instant, IntentId, SavedIntent, SessionCheck};

/// What comes from an open socket.
#[derive(Clone, PartialEq, Eq)]
pub enum SocketEvent {
    /// A text frame.
    Text(String),
    /// The socket is closed. Nothing comes after it; a stream that simply ends counts as [`CloseReason::Abnormal`].
    Closed(CloseReason),
}

impl std::fmt::Debug for SocketEvent {
    /// Frames never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Closed(reason) => write!(f, "Closed({reason:?})"),
        }
    }
}

/// An open socket: a stream of frames and a sink for them. Closing the sink closes the connection in order; dropping
/// the socket closes it anyhow.
pub trait Socket: Stream<Item = SocketEvent> + Sink<String> + Unpin {}

impl<T: Stream<Item = SocketEvent> + Sink<String> + Unpin> Socket for T {}

/// Opens sockets to `GET /ws`, with the subprotocol [`caravana_protocol::limits::SUBPROTOCOL`] and the credentials of
/// the user.
pub trait Sockets {
    /// An open socket.
    type Socket: Socket;

    /// Opens a socket, and resolves when it is open. The error is the reason, as far as it is known. A browser can't
    /// read a refused handshake, so there it is [`CloseReason::Abnormal`].
    fn open(&self) -> impl Future<Output = Result<Self::Socket, CloseReason>>;
}

/// The clock and the alarm.
pub trait Timer {
    /// The present moment of a clock that never goes back (`performance.now()` in a browser).
    fn now(&self) -> Instant;

    /// Resolves after so many milliseconds. It may be later: a tab in the background is always late.
    fn sleep(&self, ms: u64) -> impl Future<Output = ()>;

    /// Resolves when others have had their turn: where one thread does everything, the person's keys and the next
    /// picture wait for the driver. Called after eight milliseconds of work without a break. Where nothing else waits for
    /// this thread, it resolves at once.
    fn pause(&self) -> impl Future<Output = ()> {
        std::future::ready(())
    }
}

/// The device could not save an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the intent could not be saved")]
pub struct NotSaved;

/// Saves intents over reloads. Write a [`SavedIntent`] with serde; its `id` is the key. Where there is no storage,
/// `load` gives nothing and `save` may fail: everything works, but a reload loses the intents.
pub trait Storage {
    /// Gives all saved intents, except those that can't be read.
    fn load(&self) -> impl Future<Output = Vec<SavedIntent>>;

    /// Saves an intent. It replaces the one that is saved under its id.
    fn save(&self, intent: SavedIntent) -> impl Future<Output = Result<(), NotSaved>>;

    /// Removes an intent. It is no error if there is none.
    fn forget(&self, id: IntentId) -> impl Future<Output = ()>;
}

/// The few requests that go by REST.
pub trait Requests {
    /// `GET /api/v1/groups/{group}/messages`. 404 and 403 are [`HistoryError::NotFound`], 401 is
    /// [`HistoryError::SignedOut`], everything else [`HistoryError::Unavailable`].
    fn history(
        &self,
        group: GroupId,
        page: HistoryPage,
        limit: usize,
    ) -> impl Future<Output = Result<MessagesAnswer, HistoryError>>;

    /// `GET /api/v1/session`. 200 is signed in, 401 signed out, everything else unreachable.
    fn check_session(&self) -> impl Future<Output = SessionCheck>;

    /// A fresh token of the same user, if the client identifies the user by a token. With cookies there is none.
    fn token(&self) -> impl Future<Output = Option<String>> {
        std::future::ready(None)
    }
}

/// All four ports in one type.
pub trait Ports: Sockets + Timer + Storage + Requests {}

impl<T: Sockets + Timer + Storage + Requests> Ports for T {}
