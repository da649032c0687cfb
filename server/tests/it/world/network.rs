//! The network between travellers and the server: delays, cuts, silence, and clients that do not read.
//!
//! A [`Pipe`] is one socket, seen from both ends. Frames in one direction stay in order. A seeded delay makes them
//! late. Different pipes do not wait for each other, so frames of different pipes can overtake each other.

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

/// How many frames a direction buffers, like the kernel, before the writer has to wait.
const BUFFERED: usize = 32;
/// The longest delay of one frame, in milliseconds.
const DELAY_MS: u64 = 120;

/// The state of a pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Everything arrives.
    Flowing,
    /// Half-open: nothing arrives in either direction, and neither end gets an error.
    Silent,
    /// The traveller's end does not read.
    Stalled,
    /// Closed, and both ends know it.
    Cut,
}

/// What a pipe carries.
#[derive(Debug)]
pub(super) enum Packet {
    Text(String),
    Ping,
    Pong,
    Close(CloseReason),
}

type Due = (Instant, Packet);

/// One socket.
pub(super) struct Pipe {
    state: watch::Sender<State>,
    up: Mutex<Direction>,
    up_sender: mpsc::UnboundedSender<Due>,
    down: Mutex<Direction>,
    down_sender: mpsc::Sender<Due>,
}

/// The clock of one direction. It keeps frames in order.
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

/// The receiving ends of a pipe.
pub(super) struct Ends {
    pub(super) server: ServerEnd,
    pub(super) traveller: Pin<Box<dyn Stream<Item = SocketEvent> + Send>>,
}

/// The server's receiving end.
pub(super) struct ServerEnd {
    packets: mpsc::UnboundedReceiver<Due>,
    state: watch::Receiver<State>,
}

impl Pipe {
    pub(super) fn new(seed: u64) -> (Arc<Self>, Ends) {
        let (state, watched) = watch::channel(State::Flowing);
        let (up_sender, up) = mpsc::unbounded_channel();
        let (down_sender, down) = mpsc::channel(BUFFERED);
        let pipe =
            Arc::new(Self { state, up: Direction::new(seed), up_sender, down: Direction::new(seed ^ 1), down_sender });
        let server = ServerEnd { packets: up, state: watched.clone() };
        let traveller = TravellerEnd { packets: down, state: watched, pipe: Arc::clone(&pipe), over: false };
        (pipe, Ends { server, traveller: Box::pin(futures::stream::unfold(traveller, TravellerEnd::next)) })
    }

    pub(super) fn set(&self, state: State) {
        self.state.send_if_modified(|now| {
            // A half-open pipe has lost frames, so it can only be cut: it never flows again.
            let is_lost = *now == State::Cut || *now == State::Silent && state != State::Cut;
            let changes = !is_lost && *now != state;
            if changes {
                *now = state;
            }
            changes
        });
    }

    /// The server closes its end. Over a half-open pipe the traveller does not notice.
    pub(super) fn hang_up(&self) {
        if self.state() != State::Silent {
            self.set(State::Cut);
        }
    }

    pub(super) fn state(&self) -> State {
        *self.state.borrow()
    }

    /// Sends from the traveller to the server. Never waits, because travellers send little.
    fn say_up(&self, packet: Packet) {
        if !matches!(self.state(), State::Silent | State::Cut) {
            let due = self.up.lock().unwrap().due();
            let _ = self.up_sender.send((due, packet));
        }
    }

    /// Sends from the server to the traveller, as soon as there is room. `Err`: the pipe has ended.
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
    /// The next packet; `None` when the pipe is cut.
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
    pipe: Arc<Pipe>,
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
                // Browsers answer pings by themselves.
                Packet::Ping => self.pipe.say_up(Packet::Pong),
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

/// The socket of a traveller's driver.
pub(super) struct SimSocket {
    pipe: Arc<Pipe>,
    incoming: Pin<Box<dyn Stream<Item = SocketEvent> + Send>>,
}

impl SimSocket {
    pub(super) fn new(pipe: Arc<Pipe>, incoming: Pin<Box<dyn Stream<Item = SocketEvent> + Send>>) -> Self {
        Self { pipe, incoming }
    }
}

impl Drop for SimSocket {
    fn drop(&mut self) {
        // Over a half-open pipe this is lost too.
        self.pipe.say_up(Packet::Close(CloseReason::Abnormal));
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
        self.pipe.say_up(Packet::Text(text));
        Ok(())
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), ()>> {
        Poll::Ready(Ok(()))
    }
}
