//! Runs a session over the ports of its environment.
//!
//! Owns the socket, the alarm and the futures that are under way. Promises to carry out every output, to answer every
//! output that asks for an answer, and to keep the storage's writes in order. Decides nothing. Starts no threads; if
//! all ports are `Send`, so is the future of [`Driver::run`].
//!
//! ```no_run
//! # use caravana_client::{Change, Config, Driver, Input, Session, ports::Ports};
//! # async fn example(ports: impl Ports, user: caravana_protocol::UserId, group: caravana_protocol::GroupId) {
//! let (driver, handle) = Driver::new(Session::new(Config::new(user), 42), ports);
//! // Both may be said before the driver runs: they wait in its queue.
//! let _ = handle.send(Input::Start);
//! let _ = handle.send(Input::OpenGroup { group, page: None, last_read: None });
//! let reader = handle.clone();
//! driver
//!     .run(move |change| {
//!         if change == Change::Link {
//!             let link = reader.with(|session| session.link());
//!             // … show it
//!         }
//!     })
//!     .await;
//! # }
//! ```

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use futures::channel::mpsc;

use crate::ports::Ports;
use crate::{Change, Input, Output, Secret, Session};

mod open_socket;
mod work;

use open_socket::OpenSocket;
use work::{Happened, Job, Work, Write};

/// Inputs that may wait for the driver. A person can't fill this queue; a program that does gets [`HandleError::Full`].
const WAITING_INPUTS: usize = 256;

/// How long the driver works before it lets others have their turn, in milliseconds: half of a frame at 60 a second.
const TURN_MS: u64 = 8;

/// Why an input was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Too many inputs wait. This one had no effect.
    #[error("too many inputs wait for the driver")]
    Full,
    /// The driver has ended.
    #[error("the driver has ended")]
    Ended,
}

/// The page's end of a driver: it sends inputs, and reads the session's state. All clones belong to the same driver,
/// which ends when the last of them is dropped.
#[derive(Debug, Clone)]
pub struct Handle {
    // All clones share one sender, because the channel gives every sender a place of its own beyond the bound.
    inputs: Arc<Mutex<mpsc::Sender<Input>>>,
    session: Arc<RwLock<Session>>,
}

impl Handle {
    /// Sends an input to the session. The driver handles it as soon as it runs, and reports what changed as
    /// [`Change`]s.
    pub fn send(&self, input: Input) -> Result<(), HandleError> {
        let mut inputs = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
        inputs.try_send(input).map_err(|error| if error.is_full() { HandleError::Full } else { HandleError::Ended })
    }

    /// Reads the session as it is now. The driver waits meanwhile, so copy out what is needed, and do not call this again
    /// from inside `read`.
    pub fn with<T>(&self, read: impl FnOnce(&Session) -> T) -> T {
        read(&self.session.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs one session.
#[derive(Debug)]
pub struct Driver<P> {
    ports: P,
    inputs: mpsc::Receiver<Input>,
    session: Arc<RwLock<Session>>,
}

impl<P: Ports> Driver<P> {
    /// A driver that does not run yet, and its handle.
    #[must_use]
    pub fn new(session: Session, ports: P) -> (Self, Handle) {
        let (sender, inputs) = mpsc::channel(WAITING_INPUTS);
        let session = Arc::new(RwLock::new(session));
        let handle = Handle { inputs: Arc::new(Mutex::new(sender)), session: Arc::clone(&session) };
        (Self { ports, inputs, session }, handle)
    }

    /// Restores the saved intents and runs until the last handle is dropped. `on_change` is called after the change is
    /// done, outside of any lock, so it may read the session and send inputs by a handle. A handle that `on_change`
    /// keeps counts like any other; such a driver ends when its future is dropped.
    pub async fn run(self, mut on_change: impl FnMut(Change)) {
        let Self { ports, mut inputs, session } = self;
        let write = || session.write().unwrap_or_else(PoisonError::into_inner);
        let saved = ports.load().await;
        write().restore(saved);
        let mut current: Option<OpenSocket<P::Socket>> = None;
        let mut work = Work::new();
        let mut turn = ports.now();
        loop {
            loop {
                // The lock ends with this statement, before `on_change` or a port is called.
                let Some(output) = write().poll_output() else { break };
                match output {
                    Output::Changed(change) => on_change(change),
                    Output::Open { socket } => work.open(socket, ports.open()),
                    Output::Close { socket } => {
                        work.give_up(socket);
                        if let Some(open) = current.take_if(|open| open.id == socket) {
                            work.start(work::perform(&ports, Job::Close(open)));
                        }
                    }
                    Output::Transmit { socket, text } => {
                        if let Some(open) = current.as_mut().filter(|open| open.id == socket) {
                            open.say(text.0);
                        }
                    }
                    Output::CheckSession => work.start(work::perform(&ports, Job::Check)),
                    Output::RefreshToken => work.start(work::perform(&ports, Job::Token)),
                    Output::LoadHistory { request, group, page, limit } => {
                        work.start(work::perform(&ports, Job::History { request, group, page, limit }));
                    }
                    Output::Save(intent) => work.write(Write::Save(intent)),
                    Output::Forget(id) => work.write(Write::Forget(id)),
                }
            }
            work.next_write(|change| work::write(&ports, change));
            let deadline = write().poll_timeout();
            work.set_alarm(deadline, |at| ports.sleep(at.since(ports.now())));
            if ports.now().since(turn) >= TURN_MS {
                ports.pause().await;
                turn = ports.now();
            }
            let happened = work.next(&mut current, &mut inputs).await;
            if work.has_waited() {
                turn = ports.now();
            }
            let input = match happened {
                Happened::Input(input) => input,
                Happened::Opened(socket, Ok(open)) => {
                    current = Some(OpenSocket::new(socket, open));
                    Input::Opened { socket }
                }
                Happened::Opened(socket, Err(reason)) => Input::Closed { socket, reason },
                Happened::Text(socket, text) => Input::Text { socket, text: Secret(text) },
                Happened::Closed(socket, reason) => {
                    current = None;
                    Input::Closed { socket, reason }
                }
                Happened::Nothing => continue,
                Happened::NobodyCares => break,
            };
            write().handle(input, ports.now());
        }
    }
}
