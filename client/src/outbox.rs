//! Messages that were written and are not acknowledged.
//!
//! Owns one group's unacknowledged sends in the order in which they were written. Promises that they are sent in that
//! order (G15), under the id that they were written with, until the server has stored them or has refused them for good; what
//! is neither stays queued, over lost sockets and reloads. One send is under way at a time: a later message that
//! overtook a refused or lost one would be stored before it, and there is no way to take that back. Called by the
//! session; the screen reads it.

use std::collections::VecDeque;

use caravana_protocol::{ErrorCode, MessageId, Timestamp};

use crate::Instant;
use crate::backoff;

mod saved;

pub use saved::SavedMessage;

/// Messages that may wait in all groups together. Together they fit into a browser's local storage.
pub const OUTBOX_MESSAGES: usize = 200;
/// How long a send may stay without an answer before its outcome counts as unknown and it is sent again.
pub const ACK_TIMEOUT_MS: u64 = 10_000;

/// One group's unacknowledged sends.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: VecDeque<Pending>,
    flight: Option<Flight>,
    /// The server asked to wait until then.
    blocked: Option<Instant>,
    /// It did because the person, or the group, says too much at once, and not because it is busy itself.
    too_fast: bool,
    /// How often it did so since something was stored.
    refusals: u32,
}

/// A message that is not acknowledged.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// Its id, for ever.
    pub id: MessageId,
    /// The text.
    pub message: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
    /// When it was written, for people to read.
    pub at: Timestamp,
    /// How far it is.
    pub state: SendState,
    /// Its place among all messages of this device.
    pub(crate) order: u64,
}

/// How far a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendState {
    /// Waits for its turn.
    Queued,
    /// Said to the server, not answered yet.
    Sending,
    /// Refused. It stays until the person retries or discards it.
    Failed {
        /// Why; `None` when the server gave no reason that this build knows.
        code: Option<ErrorCode>,
        /// Whether the same message may be taken later.
        retryable: bool,
    },
}

/// The send that is under way.
#[derive(Debug, Clone, Copy)]
struct Flight {
    id: MessageId,
    deadline: Instant,
    /// It was said again on this socket because no answer came.
    repeated: bool,
}

/// What a passed deadline means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Nothing, or go on sending.
    Fine,
    /// Twice no answer: the socket swallows what is said.
    Silence,
}

impl Outbox {
    /// The messages, in the order in which they were written.
    #[must_use]
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Pending> {
        self.entries.iter()
    }

    /// How many there are, refused ones too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// One message.
    #[must_use]
    pub fn get(&self, id: MessageId) -> Option<&Pending> {
        self.entries.iter().find(|entry| entry.id == id)
    }

    /// Until when the person has to wait because they went too fast, for «Vas muy rápido. Espera {s} s.».
    #[must_use]
    pub fn too_fast_until(&self) -> Option<Instant> {
        self.blocked.filter(|_| self.too_fast && self.has_unsent())
    }

    /// Whether something waits to be sent or answered.
    #[must_use]
    pub fn has_unsent(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.state, SendState::Queued | SendState::Sending))
    }

    /// Adds a message at its place: new ones go behind all others, restored ones where they were.
    pub(crate) fn add(&mut self, entry: Pending) {
        let at = self.entries.partition_point(|known| (known.order, known.id) <= (entry.order, entry.id));
        self.entries.insert(at, entry);
    }

    /// The next message to say, if one may be said now. It counts as under way from here on.
    pub(crate) fn next(&mut self, now: Instant) -> Option<Pending> {
        if self.flight.is_some() || self.blocked.is_some_and(|until| now < until) {
            return None;
        }
        let entry = self.entries.iter_mut().find(|entry| entry.state == SendState::Queued)?;
        entry.state = SendState::Sending;
        self.flight = Some(Flight { id: entry.id, deadline: now.after(ACK_TIMEOUT_MS), repeated: false });
        Some(entry.clone())
    }

    /// The message that waits for an answer for too long, to be said again.
    pub(crate) fn again(&mut self, now: Instant) -> Option<Pending> {
        let flight = self.flight.as_mut().filter(|flight| now >= flight.deadline && !flight.repeated)?;
        *flight = Flight { deadline: now.after(ACK_TIMEOUT_MS), repeated: true, ..*flight };
        let id = flight.id;
        self.get(id).cloned()
    }

    /// Whether the socket is of no use for sending.
    pub(crate) fn overdue(&self, now: Instant) -> Overdue {
        match self.flight {
            Some(flight) if flight.repeated && now >= flight.deadline => Overdue::Silence,
            Some(_) | None => Overdue::Fine,
        }
    }

    /// The message is stored. Returns whether it was here.
    pub(crate) fn stored(&mut self, id: MessageId) -> bool {
        self.refusals = 0;
        self.remove(id)
    }

    /// Takes a message out.
    pub(crate) fn remove(&mut self, id: MessageId) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.land(id);
        before != self.entries.len()
    }

    /// The server can't take it now. It stays first in the queue, and everything behind it waits too: order is worth
    /// more than speed. Without a time from the server the wait doubles up to half a minute.
    pub(crate) fn postpone(
        &mut self,
        id: MessageId,
        code: Option<ErrorCode>,
        retry_after_ms: Option<u64>,
        now: Instant,
    ) {
        self.set(id, SendState::Queued);
        self.land(id);
        let wait = retry_after_ms.unwrap_or_else(|| backoff::window(self.refusals)).min(backoff::LONGEST_MS);
        self.refusals = self.refusals.saturating_add(1);
        self.blocked = Some(now.after(wait));
        self.too_fast = code == Some(ErrorCode::RateLimited);
    }

    /// The server will not take it. What is behind it goes on.
    pub(crate) fn refuse(&mut self, id: MessageId, code: Option<ErrorCode>, retryable: bool) {
        self.set(id, SendState::Failed { code, retryable });
        self.land(id);
    }

    /// The person asks for another attempt, under the same id. Returns whether there was something to retry.
    pub(crate) fn retry(&mut self, id: MessageId) -> bool {
        let failed = self.get(id).is_some_and(|entry| matches!(entry.state, SendState::Failed { .. }));
        if failed {
            self.set(id, SendState::Queued);
        }
        failed
    }

    /// The socket is lost: whether the message under way was stored is not known, so it waits for its turn again.
    /// Returns whether there was one.
    pub(crate) fn lose(&mut self) -> bool {
        let Some(flight) = self.flight.take() else { return false };
        self.set(flight.id, SendState::Queued);
        true
    }

    /// Ends the wait that the server asked for when it is over. Returns whether it did.
    pub(crate) fn unblock(&mut self, now: Instant) -> bool {
        let over = self.blocked.is_some_and(|until| now >= until);
        if over {
            self.blocked = None;
        }
        over
    }

    /// When something is to be done without anybody asking.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.flight.map(|flight| flight.deadline).into_iter().chain(self.blocked).min()
    }

    fn set(&mut self, id: MessageId, state: SendState) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.state = state;
        }
    }

    fn land(&mut self, id: MessageId) {
        self.flight = self.flight.filter(|flight| flight.id != id);
    }
}

impl std::fmt::Debug for Pending {
    /// Texts never reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}
