//! A WebSocket over the bare TCP stream that an upgrade left.
//!
//! Owns the stream: the only reader and the only writer of a connection live here, in one task, and all that RFC 6455 says
//! of pings, pongs and close frames. Reads frames with a [`Decoder`] out of one buffer per thread, so that an idle connection
//! owns no buffer, hands whole messages to its [`Service`], which is the hub's [`Connection`], and writes what lies in its
//! mailbox, all that waits in one flush. Promises: a silent peer is gone
//! within 35 s (G8), a peer that takes nothing within 20 s (G7), one that never finishes a message within 30 s, and a
//! broken frame is answered with the close code that RFC 6455 names.

pub mod decoder;
mod writer;

use std::cell::RefCell;
use std::io;
use std::net::Shutdown;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use caravana_protocol::CloseReason;
use caravana_protocol::codec;
use caravana_protocol::limits::SILENCE_MS;
use futures::FutureExt as _;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use crate::frame::{Outgoing, websocket};
use crate::hub::{Connection, Mailbox, Peer};
use decoder::{Accepts, Decoder, Received};

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

/// A whole message of a client.
#[derive(Debug)]
pub enum Message {
    /// Of text.
    Text(String),
    /// Of bytes.
    Binary(Vec<u8>),
}

/// What is at our end of a socket: it is told what the client says and what time it is, and answers through its mailbox.
pub trait Service: Send {
    /// Where its mailbox is; it may outlive the service.
    type Peer: AsRef<Mailbox> + Send + Sync;

    /// Where its mailbox is.
    fn peer(&self) -> Arc<Self::Peer>;
    /// Which messages it takes.
    fn accepts(&self) -> Accepts;
    /// Does what is due at this moment and tells when it wants to be called again.
    fn tick(&mut self, now: Instant) -> Instant;
    /// Waits until it takes the next message. Cancel safe.
    fn is_ready(&mut self) -> impl Future<Output = ()> + Send;
    /// Carries out a message.
    fn receive(&mut self, message: Message) -> impl Future<Output = ()> + Send;
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

    async fn receive(&mut self, message: Message) {
        match message {
            Message::Text(text) => self.receive(codec::decode_client(&text)).await,
            // The decoder has refused it: text is all that this connection accepts.
            Message::Binary(_) => self.mailbox().close(CloseReason::Unsupported),
        }
    }
}

/// Serves a connection until its end. `early` is what the client sent right behind its upgrade request.
pub async fn drive(stream: TcpStream, early: &[u8], mut service: impl Service) {
    let peer = service.peer();
    let mailbox = (*peer).as_ref();
    let mut reader = Reader::new(&stream, service.accepts(), mailbox);
    // Whichever ends first, the other gets a moment to finish: the writer to send the close frame, the reader to hear
    // the peer's.
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
    // For everybody else it is gone from here on, however long its peer takes to leave.
    drop(service);
    // A peer that has not closed yet may still be sending; closing the stream under unread bytes would reset it, and
    // the close frame would be lost on the way.
    if !reader.peer_is_done {
        // What a peer says that broke the protocol is not read any more, nor is its close frame: it is told at once that
        // nothing comes behind ours, and need not wait for the end.
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

    /// Reads and carries out until there is a reason to close.
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

    /// Carries out what was read. Time in which nothing is read is neither the peer's silence nor a message's that waits for its
    /// rest: that may lie in the kernel.
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
    async fn wait_until_ready(&mut self, service: &mut impl Service) {
        loop {
            let due = service.tick(Instant::now());
            tokio::select! {
                biased;
                () = service.is_ready() => break,
                () = sleep_until(due) => {}
            }
        }
        // Time in which nothing is read is not the peer's silence.
        self.heard = Instant::now();
    }

    async fn handle(&mut self, item: Received, service: &mut impl Service) -> Result<(), CloseReason> {
        match item {
            Received::Text(text) => self.serve(Message::Text(text), service).await,
            Received::Binary(bytes) => self.serve(Message::Binary(bytes), service).await,
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

    async fn serve(&mut self, message: Message, service: &mut impl Service) -> Result<(), CloseReason> {
        // A panic ends this connection, with a word to its peer, and nothing else.
        let carried_out = AssertUnwindSafe(service.receive(message)).catch_unwind().await;
        carried_out.map_err(|_| CloseReason::Internal)?;
        // Time spent in the store is not the peer's silence.
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
