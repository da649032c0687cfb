//! The network between travellers and the server: delays, cuts, silence, readers who do not read.
//!
//! A [`Link`] is one socket, seen from both ends. What is said in one direction arrives in that order and late, by a
//! seeded delay; different links do not wait for each other, so that everything else is reordered.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use caravana_client::ports::SocketEvent;
use caravana_protocol::CloseReason;
use futures::{Sink, Stream};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// Frames that a direction holds before the writer has to wait: what kernels buffer.
const BUFFERED: usize = 32;
/// The longest delay of one frame.
const DELAY_MS: u64 = 120;

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Everything arrives.
    Flowing,
    /// Half-open: nothing arrives any more, in neither direction, and nobody is told.
    Silent,
    /// The traveller's end takes nothing.
    Stalled,
    /// Gone, and both ends are told.
    Cut,
}

/// What travels.
#[derive(Debug)]
pub(super) enum Packet {
    Text(String),
    Ping,
    Pong,
    Close(CloseReason),
}

type Due = (Instant, Packet);

/// One socket.
pub(super) struct Link {
    state: watch::Sender<State>,
    up: Mutex<Direction>,
    up_sender: mpsc::UnboundedSender<Due>,
    down: Mutex<Direction>,
    down_sender: mpsc::Sender<Due>,
}

/// One direction's clock: nothing overtakes.
struct Direction {
    rng: SmallRng,
    last: Instant,
}

impl Direction {
    fn new(seed: u64) -> Mutex<Self> {
        Mutex::new(Self { rng: SmallRng::seed_from_u64(seed), last: Instant::now() })
    }

    fn due(&mut self) -> Instant {
        let delay = Duration::from_millis(self.rng.random_range(1..=DELAY_MS));
        self.last = self.last.max(Instant::now() + delay);
        self.last
    }
}

/// The receiving ends of a link.
pub(super) struct Ends {
    pub(super) server: ServerEnd,
    pub(super) traveller: Pin<Box<dyn Stream<Item = SocketEvent> + Send>>,
}

/// What the server hears.
pub(super) struct ServerEnd {
    packets: mpsc::UnboundedReceiver<Due>,
    state: watch::Receiver<State>,
}

impl Link {
    pub(super) fn new(seed: u64) -> (Arc<Self>, Ends) {
        let (state, watched) = watch::channel(State::Flowing);
        let (up_sender, up) = mpsc::unbounded_channel();
        let (down_sender, down) = mpsc::channel(BUFFERED);
        let link =
            Arc::new(Self { state, up: Direction::new(seed), up_sender, down: Direction::new(seed ^ 1), down_sender });
        let server = ServerEnd { packets: up, state: watched.clone() };
        let traveller = TravellerEnd { packets: down, state: watched, link: Arc::clone(&link), over: false };
        (link, Ends { server, traveller: Box::pin(futures::stream::unfold(traveller, TravellerEnd::next)) })
    }

    pub(super) fn set(&self, state: State) {
        self.state.send_if_modified(|now| {
            // What a half-open link has swallowed is gone for good: it never flows again.
            let is_lost = *now == State::Cut || *now == State::Silent && state != State::Cut;
            let changes = !is_lost && *now != state;
            if changes {
                *now = state;
            }
            changes
        });
    }

    /// The server's end is gone. Over a half-open link that is not heard either.
    pub(super) fn hang_up(&self) {
        if self.state() != State::Silent {
            self.set(State::Cut);
        }
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    /// The traveller says something. Never waits: travellers say little.
    fn say_up(&self, packet: Packet) {
        if !matches!(self.state(), State::Silent | State::Cut) {
            let due = self.up.lock().unwrap().due();
            let _ = self.up_sender.send((due, packet));
        }
    }

    /// The server says something, when there is room for it. An error is the end of the link.
    pub(super) async fn say_down(&self, packet: Packet) -> Result<(), ()> {
        let mut state = self.state.subscribe();
        tokio::select! {
            biased;
            _ = state.wait_for(|state| *state == State::Cut) => Err(()),
            room = self.down_sender.reserve() => {
                let due = self.down.lock().unwrap().due();
                room.map_err(|_| ())?.send((due, packet));
                Ok(())
            }
        }
    }
}

impl ServerEnd {
    /// The next packet; `None` when the link is cut.
    pub(super) async fn next(&mut self) -> Option<Packet> {
        loop {
            let (due, packet) = tokio::select! {
                biased;
                _ = self.state.wait_for(|state| *state == State::Cut) => return None,
                next = self.packets.recv() => next?,
            };
            tokio::select! {
                biased;
                _ = self.state.wait_for(|state| *state == State::Cut) => return None,
                () = sleep_until(due) => {}
            }
            if *self.state.borrow() != State::Silent {
                return Some(packet);
            }
        }
    }
}

struct TravellerEnd {
    packets: mpsc::Receiver<Due>,
    state: watch::Receiver<State>,
    link: Arc<Link>,
    over: bool,
}

impl TravellerEnd {
    async fn next(mut self) -> Option<(SocketEvent, Self)> {
        if self.over {
            return None;
        }
        loop {
            let readable = self.state.wait_for(|state| *state != State::Stalled).await.map(|state| *state);
            if readable.map_or(true, |state| state == State::Cut) {
                return Some(self.end(CloseReason::Abnormal));
            }
            let mut state = self.state.clone();
            let next = tokio::select! {
                biased;
                _ = state.wait_for(|state| matches!(*state, State::Cut | State::Stalled)) => continue,
                next = self.packets.recv() => next,
            };
            let Some((due, packet)) = next else { return Some(self.end(CloseReason::Abnormal)) };
            tokio::select! {
                biased;
                _ = state.wait_for(|state| *state == State::Cut) => return Some(self.end(CloseReason::Abnormal)),
                () = sleep_until(due) => {}
            }
            if *self.state.borrow() == State::Silent {
                continue;
            }
            match packet {
                Packet::Text(text) => return Some((SocketEvent::Text(text), self)),
                // Every browser does this by itself.
                Packet::Ping => self.link.say_up(Packet::Pong),
                Packet::Pong => {}
                Packet::Close(reason) => return Some(self.end(reason)),
            }
        }
    }

    fn end(mut self, reason: CloseReason) -> (SocketEvent, Self) {
        self.over = true;
        (SocketEvent::Closed(reason), self)
    }
}

/// What a traveller's driver holds.
pub(super) struct SimSocket {
    link: Arc<Link>,
    incoming: Pin<Box<dyn Stream<Item = SocketEvent> + Send>>,
}

impl SimSocket {
    pub(super) fn new(link: Arc<Link>, incoming: Pin<Box<dyn Stream<Item = SocketEvent> + Send>>) -> Self {
        Self { link, incoming }
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        // Over a half-open link even this is not heard.
        self.link.say_up(Packet::Close(CloseReason::Abnormal));
    }
}

impl Stream for SimSocket {
    type Item = SocketEvent;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<SocketEvent>> {
        self.incoming.as_mut().poll_next(context)
    }
}

impl Sink<String> for SimSocket {
    type Error = ();

    fn poll_ready(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }

    fn start_send(self: Pin<&mut Self>, text: String) -> Result<(), ()> {
        self.link.say_up(Packet::Text(text));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }
}
