//! One server process in the simulated world: the real hub, with pipes of the simulated network instead of sockets.
//!
//! It does for a pipe what `socket.rs` does for a TCP stream, with the same timeouts. It passes texts to the
//! connection, sends the frames in its mailbox, and closes a pipe whose client is silent or does not read. A killed
//! process is fenced: its pipes are cut, and nothing that it still does has an effect.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use caravana_hub::broker::LocalBroker;
use caravana_hub::{Caller, Connection, Hub, HubSettings, Mailbox, Next, Scope};
use caravana_protocol::limits::SILENCE_MS;
use caravana_protocol::rest::Sharing;
use caravana_protocol::{CloseReason, UserId, codec};
use caravana_store::{Log, Proof, SharedLog};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::network::{Packet, Pipe, ServerEnd};
use super::store::SimStore;

const SILENCE: Duration = Duration::from_millis(SILENCE_MS);
const STALL: Duration = Duration::from_secs(15);
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A running process.
pub(super) struct Process {
    pub(super) hub: Arc<Hub>,
    pub(super) store: Arc<SimStore>,
    fenced: CancellationToken,
    pipes: Mutex<Vec<Weak<Pipe>>>,
    /// A flaw: it loses the first live event after each `caught_up`.
    loses_at_the_seam: bool,
}

impl Process {
    pub(super) fn start(
        store: Arc<SimStore>,
        fenced: CancellationToken,
        settings: HubSettings,
        loses_at_the_seam: bool,
    ) -> Arc<Self> {
        let log: SharedLog = Arc::clone(&store) as Arc<dyn Log>;
        let hub = Hub::start(log, Arc::new(LocalBroker::default()), settings, TaskTracker::new(), fenced.clone());
        Arc::new(Self { hub, store, fenced, pipes: Mutex::default(), loses_at_the_seam })
    }

    /// Accepts a socket.
    pub(super) fn accept(self: &Arc<Self>, user: UserId, pipe: Arc<Pipe>, end: ServerEnd) {
        self.pipes.lock().unwrap().push(Arc::downgrade(&pipe));
        let connection = self.hub.connect(
            &Caller { user_id: user, proof: Proof::default(), is_direct: true, sharing: Sharing::default() },
            Scope::Many,
        );
        let process = Arc::clone(self);
        tokio::spawn(async move {
            tokio::select! {
                biased;
                () = process.fenced.cancelled() => {}
                () = process.attend(&pipe, end, connection) => {}
            }
            pipe.hang_up();
        });
    }

    /// Ends at once, without a close frame.
    pub(super) fn kill(&self) {
        self.fenced.cancel();
        for pipe in self.pipes.lock().unwrap().drain(..) {
            if let Some(pipe) = pipe.upgrade() {
                pipe.hang_up();
            }
        }
    }

    /// Ends by a planned shutdown.
    pub(super) async fn end(&self) {
        self.hub.drain(Duration::from_millis(200)).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.kill();
    }

    async fn attend(&self, pipe: &Pipe, end: ServerEnd, mut connection: Connection) {
        let peer = connection.peer();
        let writing = self.write(pipe, peer.mailbox());
        tokio::pin!(writing);
        let reason = tokio::select! {
            biased;
            reason = read(end, &mut connection) => reason,
            () = &mut writing => return,
        };
        connection.mailbox().close(reason);
        let _ = timeout(Duration::from_secs(2), writing).await;
    }

    async fn write(&self, pipe: &Pipe, mailbox: &Mailbox) {
        let mut seam = Seam { is_faulty: self.loses_at_the_seam, just_caught_up: false };
        loop {
            match mailbox.next().await {
                Next::Write(frames) => {
                    for frame in frames {
                        for packet in packets(frame.websocket()) {
                            if seam.loses(&packet) {
                                continue;
                            }
                            let written = tokio::select! {
                                biased;
                                written = timeout(STALL, pipe.say_down(packet)) => written,
                                () = mailbox.overflowed() => return say_goodbye(pipe, mailbox, CloseReason::TooSlow).await,
                            };
                            match written {
                                Ok(Ok(())) => {}
                                Ok(Err(())) => return mailbox.abandon(),
                                Err(_) => return say_goodbye(pipe, mailbox, CloseReason::TooSlow).await,
                            }
                        }
                        mailbox.written(1, frame.len());
                    }
                }
                Next::Close(reason) => return say_goodbye(pipe, mailbox, reason).await,
            }
        }
    }
}

async fn say_goodbye(pipe: &Pipe, mailbox: &Mailbox, reason: CloseReason) {
    mailbox.abandon();
    let _ = timeout(LAST_WORDS, pipe.say_down(Packet::Close(reason))).await;
    // The client has one second to close. Then the pipe is cut.
    tokio::time::sleep(Duration::from_secs(1)).await;
}

async fn read(mut end: ServerEnd, connection: &mut Connection) -> CloseReason {
    let mut heard = Instant::now();
    loop {
        let now = Instant::now();
        if now >= heard + SILENCE {
            return CloseReason::HeartbeatMissed;
        }
        let due = connection.tick(now).min(heard + SILENCE);
        let packet = tokio::select! {
            biased;
            packet = end.next() => packet,
            () = sleep_until(due) => continue,
        };
        heard = Instant::now();
        match packet {
            Some(Packet::Text(text)) => {
                connection.receive(codec::decode_client(&text)).await;
                heard = Instant::now();
            }
            Some(Packet::Ping | Packet::Pong) => {}
            Some(Packet::Close(_)) | None => return CloseReason::Abnormal,
        }
    }
}

/// The state of the flaw `loses_at_the_seam`.
struct Seam {
    is_faulty: bool,
    just_caught_up: bool,
}

impl Seam {
    fn loses(&mut self, packet: &Packet) -> bool {
        let Packet::Text(text) = packet else { return false };
        if text.starts_with(r#"{"type":"caught_up""#) {
            self.just_caught_up = true;
            return false;
        }
        let is_event = text.starts_with(r#"{"type":"new_message""#);
        is_event && self.is_faulty && std::mem::take(&mut self.just_caught_up)
    }
}

/// Parses the WebSocket frames of one mailbox entry, as a client would by RFC 6455.
fn packets(mut rest: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    while let [first, second, after @ ..] = rest {
        let (length, after) = match second {
            126 => (usize::from(u16::from_be_bytes([after[0], after[1]])), &after[2..]),
            127 => (usize::try_from(u64::from_be_bytes(after[..8].try_into().unwrap())).unwrap(), &after[8..]),
            short => (usize::from(*short), after),
        };
        let (payload, next) = after.split_at(length);
        packets.push(match first & 0xf {
            0x1 => Packet::Text(String::from_utf8(payload.to_vec()).unwrap()),
            0x9 => Packet::Ping,
            0xa => Packet::Pong,
            opcode => panic!("a mailbox holds no frame of the kind {opcode}"),
        });
        rest = next;
    }
    packets
}
