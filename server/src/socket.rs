//! A WebSocket over the plain TCP stream that remains after an upgrade.
//!
//! Owns the stream: the only reader and the only writer of a connection live here, in one task, together with all that
//! RFC 6455 says about pings, pongs and close frames. Reads frames with a [`Decoder`] from one buffer per thread, so
//! that an idle connection owns no buffer. Passes whole messages to its [`Service`], which is the hub's [`Connection`],
//! and writes all frames that wait in its mailbox in one flush. Promises: the socket closes a silent peer within 35 s
//! (G8), a peer that reads nothing within 20 s (G7), a peer that never finishes a message within 30 s. A broken frame
//! is answered with the close code that RFC 6455 names.

pub mod decoder;
mod writer;

use std::cell::RefCell;
use std::io;
use std::net::Shutdown;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use caravana_hub::frame::{Outgoing, websocket};
use caravana_hub::{Connection, Mailbox, Peer};
use caravana_protocol::CloseReason;
use caravana_protocol::codec;
use caravana_protocol::limits::SILENCE_MS;
use futures::FutureExt as _;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use decoder::{Accepts, Decoder, Received};

/// A peer that sent nothing for this long counts as gone.
const SILENCE: Duration = Duration::from_millis(SILENCE_MS);
/// How long a message may take from its first byte to its last.
const UNFINISHED: Duration = Duration::from_secs(30);
/// How long the peer may take to answer our close frame.
const FAREWELL: Duration = Duration::from_secs(2);
/// Control frames that a peer may send in [`CONTROL_WINDOW`].
const CONTROL_FRAMES: u32 = 30;
const CONTROL_WINDOW: Duration = Duration::from_secs(10);
/// Bytes read at a time.
const READ_BUFFER: usize = 64 * 1024;

thread_local! {
    /// All connections of a thread share it, because it is filled and emptied between two waits.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BUFFER]);
}

/// A whole message of a client.
#[derive(Debug)]
pub enum SocketMessage {
    /// Of text.
    Text(String),
    /// Of bytes.
    Binary(Vec<u8>),
}

/// The server's end of a socket: it receives the client's messages and the time, and answers through its mailbox.
pub trait Service: Send {
    /// Holds the mailbox. It may outlive the service.
    type Peer: AsRef<Mailbox> + Send + Sync;

    /// Returns the holder of the mailbox.
    fn peer(&self) -> Arc<Self::Peer>;
    /// The messages that it accepts.
    fn accepts(&self) -> Accepts;
    /// Does what is due now, and returns when it wants to be called again.
    fn tick(&mut self, now: Instant) -> Instant;
    /// Waits until it can take the next message. Cancel safe.
    fn is_ready(&mut self) -> impl Future<Output = ()> + Send;
    /// Carries out a message.
    fn receive(&mut self, message: SocketMessage) -> impl Future<Output = ()> + Send;
}

impl Service for Connection {
    type Peer = Peer;

    fn peer(&self) -> Arc<Peer> {
        self.peer()
    }

    fn accepts(&self) -> Accepts {
        Accepts::default()
    }

    fn tick(&mut self, now: Instant) -> Instant {
        self.tick(now)
    }

    async fn is_ready(&mut self) {
        self.is_ready().await;
    }

    async fn receive(&mut self, message: SocketMessage) {
        match message {
            SocketMessage::Text(text) => self.receive(codec::decode_client(&text)).await,
            // Unreachable: this connection accepts only text, so the decoder has already refused binary messages.
            SocketMessage::Binary(_) => self.mailbox().close(CloseReason::Unsupported),
        }
    }
}

/// Serves a connection until its end. `early` holds the bytes that the client sent directly after its upgrade request.
pub async fn drive(stream: TcpStream, early: &[u8], mut service: impl Service) {
    let peer = service.peer();
    let mailbox = (*peer).as_ref();
    let mut reader = Reader::new(&stream, service.accepts(), mailbox);
    // When one of the two ends, the other gets a moment to finish: the writer to send the close frame, the reader to
    // receive the peer's close frame.
    let writing = writer::write(&stream, mailbox);
    tokio::pin!(writing);
    let reason = {
        let reading = reader.read(early, &mut service);
        tokio::pin!(reading);
        tokio::select! {
            reason = &mut reading => Some(reason),
            _ = &mut writing => None,
        }
    };
    if let Some(reason) = reason {
        mailbox.close(reason);
        let _ = timeout(FAREWELL, &mut writing).await;
    }
    // Dropping the service removes the connection from the hub now, however long its peer takes to close.
    drop(service);
    // A peer that has not closed yet may still be sending. If we closed the stream with unread bytes in it, the kernel
    // would reset it, and the close frame would be lost.
    if !reader.peer_is_done {
        // If the peer broke the protocol, nothing more is decoded, not even its close frame. The shutdown tells the
        // peer at once that nothing follows our close frame, so it need not wait for the timeout.
        if reader.decoder.is_broken() {
            let _ = SockRef::from(&stream).shutdown(Shutdown::Write);
        }
        let _ = timeout(FAREWELL, reader.wait_for_end()).await;
    }
}

struct Reader<'a> {
    stream: &'a TcpStream,
    mailbox: &'a Mailbox,
    decoder: Decoder,
    heard: Instant,
    control: (Instant, u32),
    /// The peer has sent its close frame, or the stream is at its end.
    peer_is_done: bool,
}

impl<'a> Reader<'a> {
    fn new(stream: &'a TcpStream, accepts: Accepts, mailbox: &'a Mailbox) -> Self {
        let now = Instant::now();
        Self { stream, mailbox, decoder: Decoder::new(accepts), heard: now, control: (now, 0), peer_is_done: false }
    }

    /// Reads and carries out messages until there is a reason to close.
    async fn read(&mut self, early: &[u8], service: &mut impl Service) -> CloseReason {
        let mut received = Vec::new();
        self.decoder.feed(early, &mut received);
        loop {
            if let Err(reason) = self.carry_out(&mut received, service).await {
                return reason;
            }
            let now = Instant::now();
            let mut due = service.tick(now).min(self.heard + SILENCE);
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

    /// Carries out what was read. While nothing is read, neither the silence timeout nor the timeout of an unfinished
    /// message runs: the peer's bytes may already be in the kernel.
    async fn carry_out(&mut self, received: &mut Vec<Received>, service: &mut impl Service) -> Result<(), CloseReason> {
        if received.is_empty() {
            return Ok(());
        }
        let since = Instant::now();
        for item in std::mem::take(received) {
            self.wait_until_ready(service).await;
            self.handle(item, service).await?;
        }
        self.decoder.waited(since.elapsed());
        Ok(())
    }

    /// Reads what has arrived in the kernel. An error is the end of the stream.
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

    /// Waits until the service is ready. A client that sends faster than its messages can be carried out and answered
    /// waits here: its further bytes stay in the kernel, and finally at the client.
    async fn wait_until_ready(&mut self, service: &mut impl Service) {
        loop {
            let due = service.tick(Instant::now());
            tokio::select! {
                biased;
                () = service.is_ready() => break,
                () = sleep_until(due) => {}
            }
        }
        // The time in which nothing is read does not count as the peer's silence.
        self.heard = Instant::now();
    }

    async fn handle(&mut self, item: Received, service: &mut impl Service) -> Result<(), CloseReason> {
        match item {
            Received::Text(text) => self.serve(SocketMessage::Text(text), service).await,
            Received::Binary(bytes) => self.serve(SocketMessage::Binary(bytes), service).await,
            Received::Ping(payload) => {
                self.count_control()?;
                self.mailbox.push(&Outgoing::own(websocket::pong(&payload)));
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

    async fn serve(&mut self, message: SocketMessage, service: &mut impl Service) -> Result<(), CloseReason> {
        // Boxed, so that a connection that waits for its next message keeps no room for carrying one out. A panic ends
        // only this connection, with a close frame to its peer.
        let carried_out = AssertUnwindSafe(Box::pin(service.receive(message))).catch_unwind().await;
        carried_out.map_err(|_| CloseReason::Internal)?;
        // The time spent in the store does not count as the peer's silence.
        self.heard = Instant::now();
        Ok(())
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

    /// Reads and discards until the peer's close frame or the end of the stream.
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
