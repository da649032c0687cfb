//! The current socket, and the frames that wait to be sent over it.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use caravana_protocol::CloseReason;

use crate::SocketId;
use crate::ports::{Socket, SocketEvent};

/// A socket was lost without a close frame.
const LOST: CloseReason = CloseReason::Abnormal;

/// Frames that may wait for a socket that takes none. The session sends at most a few for each group at a time, so a
/// socket with this many waiting frames is dead.
const WAITING_FRAMES: usize = 2_048;

/// The open socket, and the frames that wait for it.
#[derive(Debug)]
pub(super) struct OpenSocket<S> {
    pub(super) id: SocketId,
    pub(super) socket: S,
    waiting: VecDeque<String>,
    flushed: bool,
}

impl<S: Socket> OpenSocket<S> {
    pub(super) fn new(id: SocketId, socket: S) -> Self {
        Self { id, socket, waiting: VecDeque::new(), flushed: true }
    }

    pub(super) fn say(&mut self, text: String) {
        self.waiting.push_back(text);
    }

    /// Sends the waiting frames, and gives the next event of the socket.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<SocketEvent> {
        if self.waiting.len() > WAITING_FRAMES {
            return Poll::Ready(SocketEvent::Closed(LOST));
        }
        // A closed socket refuses frames before its stream gives the reason. The stream's event goes first, so that the
        // reason is not lost.
        let said = self.poll_say(cx);
        match Pin::new(&mut self.socket).poll_next(cx) {
            Poll::Ready(event) => Poll::Ready(event.unwrap_or(SocketEvent::Closed(LOST))),
            Poll::Pending => match said {
                Poll::Ready(Err(reason)) => Poll::Ready(SocketEvent::Closed(reason)),
                Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
            },
        }
    }

    fn poll_say(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), CloseReason>> {
        while !self.waiting.is_empty() {
            ready!(Pin::new(&mut self.socket).poll_ready(cx)).map_err(|_| LOST)?;
            let Some(text) = self.waiting.pop_front() else { break };
            Pin::new(&mut self.socket).start_send(text).map_err(|_| LOST)?;
            self.flushed = false;
        }
        if !self.flushed {
            ready!(Pin::new(&mut self.socket).poll_flush(cx)).map_err(|_| LOST)?;
            self.flushed = true;
        }
        Poll::Ready(Ok(()))
    }

    /// Sends the waiting frames and closes the socket.
    pub(super) fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if ready!(self.poll_say(cx)).is_err() {
            return Poll::Ready(());
        }
        Pin::new(&mut self.socket).poll_close(cx).map(|_| ())
    }
}
