//! What a person wants and the server has not answered: messages to be stored, and changes of messages.
//!
//! Owns one group's [`Intent`]s in the order in which they came up. Promises that they are said in that order (G15), under the
//! ids that they came with, until the server has done them or has refused them for good; what is neither stays queued, over
//! lost sockets and reloads. One is under way at a time: a later message that overtook a refused or lost one would be stored
//! before it, and there is no way to take that back. Called by the session; the screen reads it.

use std::collections::VecDeque;

use caravana_protocol::{ErrorCode, MessageId};

use crate::Instant;
use crate::backoff;

mod intent;
mod saved;

pub use intent::{Intent, IntentId, SendState, Want};
pub use saved::SavedIntent;

/// What may wait in all groups together. Together it fits into a browser's local storage.
pub const OUTBOX_MESSAGES: usize = 200;
/// How long it may stay without an answer before its outcome counts as unknown and it is said again.
pub const ACK_TIMEOUT_MS: u64 = 10_000;

/// One group's unanswered intents.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: VecDeque<Intent>,
    flight: Option<Flight>,
    /// The server asked to wait until then.
    blocked: Option<Instant>,
    /// It did because the person, or the group, says too much at once, and not because it is busy itself.
    too_fast: bool,
    /// How often it did so since something was stored.
    refusals: u32,
}

/// The intent that is under way.
#[derive(Debug, Clone, Copy)]
struct Flight {
    id: IntentId,
    deadline: Instant,
    /// It was said again on this socket because no answer came.
    repeated: bool,
}

/// What a passed deadline means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Nothing, or go on.
    Fine,
    /// Twice no answer to this one: the socket swallows what is said.
    Silence(IntentId),
}

/// What became of a wish to change a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It waits, in place of these.
    Instead(Vec<IntentId>),
    /// The message is to be deleted; nothing more can be wanted of it.
    Deleted,
}

impl Outbox {
    /// What waits, in the order in which it came up.
    #[must_use]
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Intent> {
        self.entries.iter()
    }

    /// The messages among it.
    #[must_use]
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Intent> {
        self.entries.iter().filter(|intent| intent.is_send())
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

    /// One of them.
    #[must_use]
    pub fn get(&self, id: impl Into<IntentId>) -> Option<&Intent> {
        let id = id.into();
        self.entries.iter().find(|intent| intent.id == id)
    }

    /// The last change that is wanted of this message.
    #[must_use]
    pub fn change_of(&self, message: MessageId) -> Option<&Intent> {
        self.entries.iter().rev().find(|intent| intent.message == message && !intent.is_send())
    }

    /// Until when the person has to wait because they went too fast, for «Vas muy rápido. Espera {s} s.».
    #[must_use]
    pub fn too_fast_until(&self) -> Option<Instant> {
        self.blocked.filter(|_| self.too_fast && self.has_unsent())
    }

    /// Whether something waits to be said or answered.
    #[must_use]
    pub fn has_unsent(&self) -> bool {
        self.entries.iter().any(|intent| matches!(intent.state, SendState::Queued | SendState::Sending))
    }

    /// Adds an intent at its place: new ones go behind all others, restored ones where they were.
    pub(crate) fn add(&mut self, intent: Intent) {
        let at = self.entries.partition_point(|known| (known.order, known.id) <= (intent.order, intent.id));
        self.entries.insert(at, intent);
    }

    /// Adds a change of a message. What it makes needless goes: an earlier text, and whatever was refused.
    pub(crate) fn add_change(&mut self, change: Intent) -> Taken {
        let earlier = |known: &&Intent| known.message == change.message && !known.is_send();
        let waits = |known: &Intent| !matches!(known.state, SendState::Failed { .. });
        if self.entries.iter().filter(earlier).any(|known| waits(known) && known.want == Want::Delete) {
            return Taken::Deleted;
        }
        let needless = self.entries.iter().filter(earlier).filter(|known| known.state != SendState::Sending);
        let needless: Vec<IntentId> = needless.map(|known| known.id).collect();
        self.entries.retain(|known| !needless.contains(&known.id));
        self.add(change);
        Taken::Instead(needless)
    }

    /// The next one to say, if one may be said now: not before what is wanted of the same message and came up earlier.
    pub(crate) fn next(&self, now: Instant) -> Option<&Intent> {
        if self.flight.is_some() || self.blocked.is_some_and(|until| now < until) {
            return None;
        }
        self.entries.iter().enumerate().find_map(|(place, intent)| {
            let mut before = self.entries.iter().take(place);
            let is_first = !before.any(|earlier| earlier.message == intent.message);
            (intent.state == SendState::Queued && is_first).then_some(intent)
        })
    }

    /// It is said.
    pub(crate) fn fly(&mut self, id: IntentId, now: Instant) {
        self.set(id, SendState::Sending);
        self.flight = Some(Flight { id, deadline: now.after(ACK_TIMEOUT_MS), repeated: false });
    }

    /// The one that waits for an answer for too long, to be said again.
    pub(crate) fn again(&mut self, now: Instant) -> Option<Intent> {
        let flight = self.flight.as_mut().filter(|flight| now >= flight.deadline && !flight.repeated)?;
        *flight = Flight { deadline: now.after(ACK_TIMEOUT_MS), repeated: true, ..*flight };
        let id = flight.id;
        self.get(id).cloned()
    }

    /// Whether the socket is of no use for saying anything.
    pub(crate) fn overdue(&self, now: Instant) -> Overdue {
        match self.flight {
            Some(flight) if flight.repeated && now >= flight.deadline => Overdue::Silence(flight.id),
            Some(_) | None => Overdue::Fine,
        }
    }

    /// It is done. Gives it out if it was here.
    pub(crate) fn done(&mut self, id: IntentId) -> Option<Intent> {
        self.refusals = 0;
        self.remove(id)
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, id: IntentId) -> Option<Intent> {
        self.land(id);
        let place = self.entries.iter().position(|intent| intent.id == id)?;
        self.entries.remove(place)
    }

    /// The server can't take it now. It stays first in the queue, and everything behind it waits too: order is worth
    /// more than speed. Without a time from the server the wait doubles up to half a minute.
    pub(crate) fn postpone(
        &mut self,
        id: IntentId,
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

    /// The server will not take it. What is behind it goes on, but for changes of a message that is not stored.
    pub(crate) fn refuse(&mut self, id: IntentId, code: Option<ErrorCode>, retryable: bool) {
        self.set(id, SendState::Failed { code, retryable });
        self.land(id);
    }

    /// The person asks for another attempt, under the same id. Returns whether there was something to retry.
    pub(crate) fn retry(&mut self, id: IntentId) -> bool {
        let failed = self.get(id).is_some_and(|intent| matches!(intent.state, SendState::Failed { .. }));
        if failed {
            self.set(id, SendState::Queued);
        }
        failed
    }

    /// The socket is lost: whether what is under way was done is not known, so it waits for its turn again.
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

    fn set(&mut self, id: IntentId, state: SendState) {
        if let Some(intent) = self.entries.iter_mut().find(|intent| intent.id == id) {
            intent.state = state;
        }
    }

    fn land(&mut self, id: IntentId) {
        self.flight = self.flight.filter(|flight| flight.id != id);
    }
}
