//! A WebSocket over the bare TCP stream that an upgrade left.
//!
//! Owns the stream: the only reader and the only writer of a connection live here, in one task. Reads RFC 6455 frames
//! with a [`Decoder`] out of one buffer per thread, so that an idle connection owns no buffer, hands texts to the hub's
//! [`Connection`], and writes what lies in its mailbox, all that waits in one flush. Promises: a silent peer is gone
//! within 35 s (G8), a peer that takes nothing within 20 s (G7), one that never finishes a message within 30 s, and a
//! broken frame is answered with the close code that RFC 6455 names.

pub mod decoder;
mod writer;

use std::cell::RefCell;
use std::io;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use caravana_protocol::CloseReason;
use caravana_protocol::limits::SILENCE_MS;
use futures::FutureExt as _;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::frame::Frame;
use crate::hub::Connection;
use decoder::{Decoder, Received};

/// A peer of which nothing was heard for this long is gone.
const SILENCE: Duration = Duration::from_millis(SILENCE_MS);
/// A message that has begun must end within this time.
const UNFINISHED: Duration = Duration::from_secs(30);
/// After our close frame, how long the peer may take to answer it.
const FAREWELL: Duration = Duration::from_secs(2);
/// Control frames that a peer may send in [`CONTROL_WINDOW`].
const CONTROL_FRAMES: u32 = 30;
const CONTROL_WINDOW: Duration = Duration::from_secs(10);
/// Bytes read at a time.
const READ_BUFFER: usize = 64 * 1024;

thread_local! {
    /// Shared by all connections of a thread, because it is filled and emptied between two waits.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// Serves a connection until its end. `early` is what the client sent right behind its upgrade request.
pub async fn drive(stream: TcpStream, early: &[u8], mut connection: Connection) {
    let peer = connection.peer();
    let mut reader = Reader::new(&stream);
    // Whichever ends first, the other gets a moment to finish: the writer to send the close frame, the reader to hear
    // the peer's.
    let writing = writer::write(&stream, peer.mailbox());
    tokio::pin!(writing);
    let reason = {
        let reading = reader.read(early, &mut connection);
        tokio::pin!(reading);
        tokio::select! {
            reason = &mut reading => Some(reason),
            _ = &mut writing => None,
        }
    };
    if let Some(reason) = reason {
        connection.mailbox().close(reason);
        let _ = timeout(FAREWELL, &mut writing).await;
    }
    // For everybody else it is gone from here on, however long its peer takes to leave.
    drop(connection);
    // A peer that has not closed yet may still be sending; closing the stream under unread bytes would reset it, and
    // the close frame would be lost on the way.
    if !reader.peer_is_done {
        let _ = timeout(FAREWELL, reader.wait_for_end()).await;
    }
}

struct Reader<'a> {
    stream: &'a TcpStream,
    decoder: Decoder,
    heard: Instant,
    control: (Instant, u32),
    /// The peer has sent its close frame, or the stream is at its end.
    peer_is_done: bool,
}

impl<'a> Reader<'a> {
    fn new(stream: &'a TcpStream) -> Self {
        let now = Instant::now();
        Self { stream, decoder: Decoder::default(), heard: now, control: (now, 0), peer_is_done: false }
    }

    /// Reads and carries out until there is a reason to close.
    async fn read(&mut self, early: &[u8], connection: &mut Connection) -> CloseReason {
        let mut received = Vec::new();
        self.decoder.feed(early, &mut received);
        loop {
            if let Err(reason) = self.carry_out(&mut received, connection).await {
                return reason;
            }
            let now = Instant::now();
            let mut due = connection.tick(now).min(self.heard + SILENCE);
            if now >= self.heard + SILENCE {
                return CloseReason::HeartbeatMissed;
            }
            if let Some(since) = self.decoder.unfinished_since() {
                if now >= since + UNFINISHED {
                    return CloseReason::Policy;
                }
                due = due.min(since + UNFINISHED);
            }
            let readable = tokio::select! {
                readable = self.stream.readable() => readable.is_ok(),
                () = sleep_until(due) => continue,
            };
            if !readable || self.take(&mut received).is_err() {
                self.peer_is_done = true;
                return CloseReason::Abnormal;
            }
        }
    }

    /// Carries out what was read. Time in which nothing is read is neither the peer's silence nor a message's that waits for its
    /// rest: that may lie in the kernel.
    async fn carry_out(
        &mut self,
        received: &mut Vec<Received>,
        connection: &mut Connection,
    ) -> Result<(), CloseReason> {
        if received.is_empty() {
            return Ok(());
        }
        let since = Instant::now();
        for item in std::mem::take(received) {
            self.wait_until_ready(connection).await;
            self.handle(item, connection).await?;
        }
        self.decoder.waited(since.elapsed());
        Ok(())
    }

    /// Takes what has arrived out of the kernel. An error is the end of the stream.
    fn take(&mut self, received: &mut Vec<Received>) -> io::Result<()> {
        BUFFER.with_borrow_mut(|buffer| match self.stream.try_read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => {
                self.heard = Instant::now();
                self.decoder.feed(&buffer[..length], received);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        })
    }

    /// What is read faster than it can be carried out and answered waits here, and behind it whatever the peer still has to
    /// say: in the kernel, and in the end at the peer itself.
    async fn wait_until_ready(&mut self, connection: &mut Connection) {
        loop {
            let due = connection.tick(Instant::now());
            tokio::select! {
                biased;
                () = connection.is_ready() => break,
                () = sleep_until(due) => {}
            }
        }
        // Time in which nothing is read is not the peer's silence.
        self.heard = Instant::now();
    }

    async fn handle(&mut self, item: Received, connection: &mut Connection) -> Result<(), CloseReason> {
        match item {
            Received::Text(text) => {
                // A panic ends this connection, with a word to its peer, and nothing else.
                let carried_out = AssertUnwindSafe(connection.receive(&text)).catch_unwind().await;
                carried_out.map_err(|_| CloseReason::Internal)?;
                // Time spent in the store is not the peer's silence.
                self.heard = Instant::now();
                Ok(())
            }
            // The decoder takes none.
            Received::Binary(_) => Err(CloseReason::Unsupported),
            Received::Ping(payload) => {
                self.count_control()?;
                connection.mailbox().push(&Frame::pong(&payload));
                Ok(())
            }
            Received::Pong => self.count_control(),
            Received::Close(reason) => {
                self.peer_is_done = true;
                Err(reason)
            }
            Received::Broken(reason) => Err(reason),
        }
    }

    fn count_control(&mut self) -> Result<(), CloseReason> {
        let now = Instant::now();
        let (since, count) = &mut self.control;
        if now.duration_since(*since) > CONTROL_WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        if *count > CONTROL_FRAMES { Err(CloseReason::Policy) } else { Ok(()) }
    }

    /// Reads and forgets until the peer's close frame or the end of the stream.
    async fn wait_for_end(&mut self) {
        let mut received = Vec::new();
        while self.stream.readable().await.is_ok() {
            if self.take(&mut received).is_err() {
                return;
            }
            let ends = |item: &Received| matches!(item, Received::Close(_) | Received::Broken(_));
            if received.drain(..).any(|item| ends(&item)) {
                return;
            }
        }
    }
}
