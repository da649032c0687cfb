//! The futures that a driver has under way.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use caravana_protocol::{CloseReason, GroupId};
use futures::channel::mpsc;
use futures::future::select;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};

use super::open_socket::OpenSocket;
use crate::ports::{Ports, Socket, SocketEvent};
use crate::{HistoryPage, Input, Instant, IntentId, RequestId, SavedIntent, Secret, SocketId};

/// How long a socket may take to close politely before it is dropped.
const CLOSE_TIMEOUT_MS: u64 = 2_000;

/// A request whose answer is an input, or work without an answer.
pub(super) enum Job<S> {
    Close(OpenSocket<S>),
    Check,
    Token,
    History { request: RequestId, group: GroupId, page: HistoryPage, limit: usize },
}

/// A change of the storage.
pub(super) enum Write {
    Save(SavedIntent),
    Forget(IntentId),
}

/// The next thing that happened.
pub(super) enum Happened<S> {
    Input(Input),
    Opened(SocketId, Result<S, CloseReason>),
    Text(SocketId, String),
    Closed(SocketId, CloseReason),
    /// Work without an answer is done.
    Nothing,
    /// The last handle was dropped.
    NobodyCares,
}

/// Carries out a job.
pub(super) async fn perform<P: Ports>(ports: &P, job: Job<P::Socket>) -> Option<Input> {
    match job {
        Job::Close(mut socket) => {
            let close = pin!(poll_fn(|cx| socket.poll_close(cx)));
            select(close, pin!(ports.sleep(CLOSE_TIMEOUT_MS))).await;
            None
        }
        Job::Check => Some(Input::SessionChecked(ports.check_session().await)),
        Job::Token => ports.token().await.map(|token| Input::Token(Secret(token))),
        Job::History { request, group, page, limit } => {
            let result = ports.history(group, page, limit).await;
            Some(Input::HistoryLoaded { request, result })
        }
    }
}

/// Carries out a change of the storage.
pub(super) async fn write<P: Ports>(ports: &P, write: Write) -> Option<Input> {
    match write {
        Write::Save(intent) => {
            let id = intent.id;
            ports.save(intent).await.err().map(|_| Input::NotSaved { id })
        }
        Write::Forget(id) => {
            ports.forget(id).await;
            None
        }
    }
}

/// The futures that are under way: the opening of a socket `O`, a write `W`, jobs `J`, the alarm `A`.
pub(super) struct Work<O, W, J, A> {
    opening: Option<(SocketId, Pin<Box<O>>)>,
    writes: VecDeque<Write>,
    writing: Option<Pin<Box<W>>>,
    jobs: FuturesUnordered<J>,
    alarm: Option<Pin<Box<A>>>,
    alarm_at: Option<Instant>,
    /// Whether frames are polled before inputs. The order changes every time, so that a flood of frames does not delay
    /// the person's inputs, nor the reverse.
    frames_first: bool,
    /// Whether nothing was ready at some moment of the last call of [`Work::next`].
    has_waited: bool,
}

impl<O, W, J, A> Work<O, W, J, A> {
    pub(super) fn new() -> Self {
        Self {
            opening: None,
            writes: VecDeque::new(),
            writing: None,
            jobs: FuturesUnordered::new(),
            alarm: None,
            alarm_at: None,
            frames_first: true,
            has_waited: false,
        }
    }

    pub(super) fn open(&mut self, socket: SocketId, opening: O) {
        self.opening = Some((socket, Box::pin(opening)));
    }

    /// Stops opening a socket that is no longer wanted, by dropping its future.
    pub(super) fn give_up(&mut self, socket: SocketId) {
        self.opening.take_if(|(opening, _)| *opening == socket);
    }

    pub(super) fn start(&mut self, job: J) {
        self.jobs.push(job);
    }

    pub(super) fn write(&mut self, write: Write) {
        self.writes.push_back(write);
    }

    /// Starts the next write. Only one runs at a time: an intent that is saved and then forgotten must end as
    /// forgotten.
    pub(super) fn next_write(&mut self, start: impl FnOnce(Write) -> W) {
        if self.writing.is_none() {
            self.writing = self.writes.pop_front().map(|write| Box::pin(start(write)));
        }
    }

    pub(super) fn set_alarm(&mut self, at: Option<Instant>, sleep: impl FnOnce(Instant) -> A) {
        if self.alarm_at != at || (at.is_some() && self.alarm.is_none()) {
            self.alarm_at = at;
            self.alarm = at.map(|at| Box::pin(sleep(at)));
        }
    }
}

impl<O, W, J, A> Work<O, W, J, A>
where
    W: Future<Output = Option<Input>>,
    J: Future<Output = Option<Input>>,
    A: Future<Output = ()>,
{
    /// Whether the last call of [`Work::next`] had to wait, so that others have had their turn meanwhile.
    pub(super) fn has_waited(&self) -> bool {
        self.has_waited
    }

    /// Waits for the next thing to happen.
    pub(super) async fn next<S: Socket>(
        &mut self,
        current: &mut Option<OpenSocket<S>>,
        inputs: &mut mpsc::Receiver<Input>,
    ) -> Happened<S>
    where
        O: Future<Output = Result<S, CloseReason>>,
    {
        self.frames_first = !self.frames_first;
        self.has_waited = false;
        poll_fn(|cx| {
            let happened = if self.frames_first {
                hear(current, cx).or_else(|| listen(inputs, cx))
            } else {
                listen(inputs, cx).or_else(|| hear(current, cx))
            };
            let happened = happened.or_else(|| self.progress(cx));
            self.has_waited |= happened.is_none();
            happened.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn progress<S>(&mut self, cx: &mut Context<'_>) -> Option<Happened<S>>
    where
        O: Future<Output = Result<S, CloseReason>>,
    {
        let answered = |input: Option<Input>| Some(input.map_or(Happened::Nothing, Happened::Input));
        if let Some((socket, opening)) = &mut self.opening
            && let Poll::Ready(result) = opening.poll_unpin(cx)
        {
            let socket = *socket;
            self.opening = None;
            return Some(Happened::Opened(socket, result));
        }
        if let Some(writing) = &mut self.writing
            && let Poll::Ready(input) = writing.poll_unpin(cx)
        {
            self.writing = None;
            return answered(input);
        }
        if let Poll::Ready(Some(input)) = self.jobs.poll_next_unpin(cx) {
            return answered(input);
        }
        if let Some(alarm) = &mut self.alarm
            && alarm.poll_unpin(cx).is_ready()
        {
            self.alarm = None;
            return Some(Happened::Input(Input::Tick));
        }
        None
    }
}

fn hear<S: Socket>(current: &mut Option<OpenSocket<S>>, cx: &mut Context<'_>) -> Option<Happened<S>> {
    let socket = current.as_mut()?;
    match socket.poll(cx) {
        Poll::Ready(SocketEvent::Text(text)) => Some(Happened::Text(socket.id, text)),
        Poll::Ready(SocketEvent::Closed(reason)) => Some(Happened::Closed(socket.id, reason)),
        Poll::Pending => None,
    }
}

fn listen<S>(inputs: &mut mpsc::Receiver<Input>, cx: &mut Context<'_>) -> Option<Happened<S>> {
    match inputs.poll_next_unpin(cx) {
        Poll::Ready(Some(input)) => Some(Happened::Input(input)),
        Poll::Ready(None) => Some(Happened::NobodyCares),
        Poll::Pending => None,
    }
}
