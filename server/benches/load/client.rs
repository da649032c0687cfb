//! All client connections in one thread: one readiness loop, one shared buffer, frames counted in place.
//!
//! The client must cost much less than the measured server, so it has no task per connection and decodes no JSON.
//! Promises: every frame is counted once, and a missing number in the texts is counted as a gap.

mod frames;
mod socket;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mio::{Events, Interest, Poll, Token};
use uuid::Uuid;

pub(crate) use frames::TEXT;
pub(crate) use socket::ClientKind;

use crate::latency::Latencies;
use crate::rest::User;
use socket::{ClientSocket, State};

/// Handshakes at the same time.
const HANDSHAKES: usize = 64;
/// The most time for all handshakes together.
const CONNECT: Duration = Duration::from_mins(3);
/// Source addresses: several, because one has only some 28,000 ports, and because a server may limit connections per
/// address.
const SOURCES: u8 = 8;
/// The size of one read; all connections share the buffer.
const BUFFER: usize = 256 * 1024;
/// Readiness events per poll.
const EVENTS: usize = 1_024;

const CONTINUATION: u8 = 0;
const TEXT_FRAME: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// What was counted since the start.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    /// Messages sent.
    pub(crate) sent: u64,
    /// Messages that reached a receiver.
    pub(crate) delivered: u64,
    /// Messages that came back to their sender as an event.
    pub(crate) echoed: u64,
    /// Acknowledgements.
    pub(crate) acknowledged: u64,
    /// Deliveries whose number was not the next one; with a single sender there must be none.
    pub(crate) gaps: u64,
    /// `new_message` events, whatever their text.
    pub(crate) events: u64,
    /// Connections that received everything that they had missed.
    pub(crate) caught_up: u64,
    /// Connections that ended.
    pub(crate) closed: u64,
    /// Reads that returned bytes.
    pub(crate) reads: u64,
}

impl Counts {
    /// All frames that carry a message's text. The server's cost is divided by this number.
    pub(crate) fn frames(&self) -> u64 {
        self.delivered + self.echoed + self.acknowledged
    }
}

/// All client connections.
pub(crate) struct Swarm {
    server: SocketAddr,
    poll: Poll,
    events: Events,
    sockets: Vec<ClientSocket>,
    buffer: Vec<u8>,
    start: Instant,
    joined: usize,
    /// The server's answer to the first connection that it refused.
    refusal: Option<String>,
    /// The offset of the mark in a receiver's last frame.
    guess: usize,
    /// The time of every `sample`-th delivery is recorded.
    sample: u64,
    /// Handshakes at the same time.
    handshakes: usize,
    /// What was counted.
    pub(crate) counts: Counts,
    /// From a send to its delivery.
    pub(crate) latency: Latencies,
    /// From a send to its acknowledgement.
    pub(crate) acknowledgement: Latencies,
    /// Senders that were acknowledged since this list was last emptied.
    pub(crate) free: Vec<usize>,
}

impl Swarm {
    /// A swarm without connections; every `sample`-th delivery is timed.
    pub(crate) fn new(server: SocketAddr, sample: u64) -> Result<Self> {
        if !server.ip().is_loopback() {
            bail!("load goes to loopback addresses only");
        }
        Ok(Self {
            server,
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            sockets: Vec::new(),
            buffer: vec![0; BUFFER],
            start: Instant::now(),
            joined: 0,
            refusal: None,
            guess: 0,
            sample: sample.max(1),
            handshakes: HANDSHAKES,
            counts: Counts::default(),
            latency: Latencies::default(),
            acknowledgement: Latencies::default(),
            free: Vec::new(),
        })
    }

    /// Allows more handshakes at the same time than normal clients would make.
    pub(crate) fn in_a_storm(mut self, handshakes: usize) -> Self {
        self.handshakes = handshakes;
        self
    }

    /// Connects all of them, at most `handshakes` at a time, and waits until each has joined its group. A group may
    /// carry a query with the cursor to resume from.
    pub(crate) fn connect(&mut self, who: &[(&str, &User, ClientKind)]) -> Result<Duration> {
        let begin = Instant::now();
        let (before, first) = (self.joined, self.sockets.len());
        let mut waiting = who.iter();
        while self.joined - before < who.len() {
            if self.counts.closed > 0 {
                let joined = self.joined - before;
                let answer = self.refusal.as_deref().unwrap_or("no answer");
                bail!("a connection was refused or closed after {joined} had joined: {answer}");
            }
            if begin.elapsed() > CONNECT {
                bail!("only {} of {} connections are in their groups", self.joined - before, who.len());
            }
            while self.sockets.len() - first < self.joined - before + self.handshakes {
                let Some((group, user, kind)) = waiting.next() else { break };
                self.open(group, user, *kind)?;
            }
            self.turn(Duration::from_millis(20))?;
        }
        Ok(begin.elapsed())
    }

    fn open(&mut self, group: &str, user: &User, kind: ClientKind) -> Result<()> {
        let index = self.sockets.len();
        let request = format!(
            "GET /ws/chat/{group} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
             Authorization: Bearer {}\r\n\r\n",
            self.server, user.token
        );
        let last = u8::try_from(index % usize::from(SOURCES)).unwrap_or(0) + 2;
        let source = Ipv4Addr::new(127, 0, 0, last);
        let mut socket =
            ClientSocket::connect(self.server, source, kind, request.into_bytes()).context("can't connect")?;
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut socket.stream, Token(index), interest)?;
        self.sockets.push(socket);
        Ok(())
    }

    /// Sends a message on this connection, stamped now.
    pub(crate) fn send(&mut self, index: usize) -> Result<()> {
        let stamp = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let socket = &mut self.sockets[index];
        socket.sent += 1;
        self.counts.sent += 1;
        // Like the web client: the sender chooses the id, version 7, which is the row's primary key.
        let frame = format!(
            r#"{{"type":"send_message","data":{{"id":"{}","message":"{}"}}}}"#,
            Uuid::now_v7(),
            frames::text(stamp, socket.sent)
        );
        frames::put(socket.out(), TEXT_FRAME, frame.as_bytes());
        socket.flush().context("a sender's connection ended")
    }

    /// Whether the kernel has accepted all bytes of this connection.
    pub(crate) fn is_flushed(&self, index: usize) -> bool {
        self.sockets[index].is_flushed()
    }

    /// Waits at most this long for events and handles them. Answers whether there were any.
    pub(crate) fn turn(&mut self, patience: Duration) -> Result<bool> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        // Taken out so that the sockets can be borrowed; this only swaps pointers.
        let events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            let index = event.token().0;
            let socket = &self.sockets[index];
            if socket.state == State::Closed || socket.kind == ClientKind::Stalled && socket.state == State::Joined {
                continue;
            }
            if event.is_writable() && self.sockets[index].flush().is_err() {
                self.close(index);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                self.read(index);
            }
        }
        let any = !events.is_empty();
        self.events = events;
        Ok(any)
    }

    /// Handles events until there were none for `quiet`, or until the deadline.
    pub(crate) fn settle(&mut self, quiet: Duration, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while self.turn(quiet)? && Instant::now() < deadline {}
        Ok(())
    }

    /// The kernel reports readiness once per arrival, so reading goes on until a read does not fill the buffer.
    fn read(&mut self, index: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        loop {
            match self.sockets[index].read(&mut buffer) {
                Ok(Some(length)) => {
                    self.counts.reads += 1;
                    self.take(index, &buffer[..length]);
                    if length < buffer.len() || self.sockets[index].state == State::Closed {
                        break;
                    }
                }
                Ok(None) => break,
                Err(_) => {
                    self.close(index);
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn take(&mut self, index: usize, bytes: &[u8]) {
        let now = self.start.elapsed();
        if self.sockets[index].partial.is_empty() {
            let used = self.count(index, bytes, now);
            self.sockets[index].partial.extend_from_slice(&bytes[used..]);
        } else {
            let mut partial = std::mem::take(&mut self.sockets[index].partial);
            partial.extend_from_slice(bytes);
            let used = self.count(index, &partial, now);
            if used < partial.len() {
                partial.drain(..used);
                self.sockets[index].partial = partial;
            }
        }
    }

    /// Counts the frames in `bytes`. Answers how many bytes were whole frames.
    fn count(&mut self, index: usize, bytes: &[u8], now: Duration) -> usize {
        let mut used = 0;
        if self.sockets[index].state == State::Upgrading {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return 0 };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                self.refusal.get_or_insert_with(|| String::from_utf8_lossy(bytes).into_owned());
                self.close(index);
                return bytes.len();
            }
            self.sockets[index].state = State::Joining;
            used = end + 4;
        }
        while let Some(frame) = frames::first(&bytes[used..]) {
            used += frame.length;
            match frame.opcode {
                TEXT_FRAME | BINARY | CONTINUATION => self.text(index, frame.payload, now),
                PING => {
                    let socket = &mut self.sockets[index];
                    frames::put(socket.out(), PONG, frame.payload);
                    if socket.flush().is_err() {
                        self.close(index);
                    }
                }
                CLOSE => {
                    self.close(index);
                    return bytes.len();
                }
                _ => {}
            }
        }
        used
    }

    fn text(&mut self, index: usize, payload: &[u8], now: Duration) {
        const DELIVERY: &[u8] = br#"{"type":"new_message""#;
        const ACKNOWLEDGEMENT: &[u8] = br#"{"type":"message_sent""#;
        const JOINED: &[u8] = br#"{"type":"joined""#;
        const CAUGHT_UP: &[u8] = br#"{"type":"caught_up""#;
        let socket = &mut self.sockets[index];
        if payload.starts_with(DELIVERY) {
            self.counts.events += 1;
            let Some(mark) = frames::mark(payload, self.guess) else { return };
            if socket.kind == ClientKind::Sender {
                self.counts.echoed += 1;
                return;
            }
            self.guess = mark;
            self.counts.delivered += 1;
            let number = frames::number(payload, mark);
            if number != socket.last + 1 {
                self.counts.gaps += 1;
            }
            socket.last = number;
            if self.counts.delivered.is_multiple_of(self.sample) {
                self.latency.record(now.saturating_sub(Duration::from_nanos(frames::stamp(payload, mark))));
            }
        } else if payload.starts_with(ACKNOWLEDGEMENT) {
            let Some(mark) = frames::mark(payload, 0) else { return };
            self.counts.acknowledged += 1;
            self.acknowledgement.record(now.saturating_sub(Duration::from_nanos(frames::stamp(payload, mark))));
            self.free.push(index);
        } else if socket.state == State::Joining && payload.starts_with(JOINED) {
            socket.state = State::Joined;
            self.joined += 1;
        } else if payload.starts_with(CAUGHT_UP) {
            self.counts.caught_up += 1;
        }
    }

    fn close(&mut self, index: usize) {
        let socket = &mut self.sockets[index];
        if socket.state != State::Closed {
            socket.state = State::Closed;
            self.counts.closed += 1;
            // The socket is closed when the swarm is dropped; for the server a shutdown is enough.
            let _ = socket.stream.shutdown(std::net::Shutdown::Both);
        }
    }
}
