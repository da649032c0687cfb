//! What a person wants and the server has not answered: messages to be stored, and changes of messages.
//!
//! Owns one group's [`Intent`]s in the order of their creation. Promises that they are sent in that order (G15), each
//! under its own id, until the server has done them or has refused them for good. All others stay queued, over lost
//! sockets and reloads. Only one is under way at a time: otherwise a later message could be stored before an earlier
//! one that was lost or refused, and that order could not be corrected. Called by the session; the screen reads it.

use std::collections::VecDeque;

use caravana_protocol::{ErrorCode, MessageId};

use crate::Instant;
use crate::backoff;

mod intent;
mod saved;

pub use intent::{Edit, Intent, IntentId, SendState, Want};
pub use saved::SavedIntent;

/// How many intents may wait in all groups together. So many fit into a browser's local storage.
pub const OUTBOX_MESSAGES: usize = 200;
/// How long an intent may stay unanswered before its outcome counts as unknown and it is sent again.
pub const ACK_TIMEOUT_MS: u64 = 10_000;

/// One group's unanswered intents.
#[derive(Debug, Default)]
pub struct Outbox {
    entries: VecDeque<Intent>,
    flight: Option<Flight>,
    /// Until when the server asked to wait.
    blocked: Option<Instant>,
    /// The server asked for that because the person, or the group, sends too fast, and not because the server is busy.
    too_fast: bool,
    /// How often the server asked to wait since an intent was last done.
    refusals: u32,
}

/// The intent that is under way.
#[derive(Debug, Clone, Copy)]
struct Flight {
    id: IntentId,
    deadline: Instant,
    /// It was sent again on this socket, because no answer came.
    repeated: bool,
}

/// What a passed deadline means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overdue {
    /// Nothing is wrong.
    Fine,
    /// This intent was sent twice and not answered: the socket loses what is sent.
    Silence(IntentId),
}

/// The result of adding a change of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The change waits, and replaces these.
    Instead(Vec<IntentId>),
    /// The message is to be deleted, so that no other change is possible.
    Deleted,
}

impl Outbox {
    /// All intents, in the order of their creation.
    #[must_use]
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Intent> {
        self.entries.iter()
    }

    /// The intents that send a message.
    #[must_use]
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Intent> {
        self.entries.iter().filter(|intent| intent.is_send())
    }

    /// How many intents there are, refused ones too.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The intent with this id.
    #[must_use]
    pub fn get(&self, id: impl Into<IntentId>) -> Option<&Intent> {
        let id = id.into();
        self.entries.iter().find(|intent| intent.id == id)
    }

    /// The changes of this message, in the order of their creation.
    #[must_use]
    pub fn changes_of(&self, message: MessageId) -> impl DoubleEndedIterator<Item = &Intent> {
        self.entries.iter().filter(move |intent| intent.message == message && !intent.is_send())
    }

    /// Until when the person has to wait because they sent too fast, for «Vas muy rápido. Espera {s} s.».
    #[must_use]
    pub fn too_fast_until(&self) -> Option<Instant> {
        self.blocked.filter(|_| self.too_fast && self.has_unsent())
    }

    /// Whether an intent waits to be sent or answered.
    #[must_use]
    pub fn has_unsent(&self) -> bool {
        self.entries.iter().any(|intent| matches!(intent.state, SendState::Queued | SendState::Sending))
    }

    /// Adds an intent at its place: a new one after all others, a restored one where it was.
    pub(crate) fn add(&mut self, intent: Intent) {
        let at = self.entries.partition_point(|known| (known.order, known.id) <= (intent.order, intent.id));
        self.entries.insert(at, intent);
    }

    /// Adds a change of a message. It replaces the earlier changes of the same kind that are queued or were refused; a
    /// deletion replaces all.
    pub(crate) fn add_change(&mut self, change: Intent) -> Taken {
        let waits = |known: &Intent| !matches!(known.state, SendState::Failed { .. });
        if self.changes_of(change.message).any(|known| waits(known) && known.want == Want::Delete) {
            return Taken::Deleted;
        }
        let needless = self.changes_of(change.message).filter(|known| change.want.replaces(&known.want));
        let needless: Vec<IntentId> =
            needless.filter(|known| known.state != SendState::Sending).map(|known| known.id).collect();
        self.entries.retain(|known| !needless.contains(&known.id));
        self.add(change);
        Taken::Instead(needless)
    }

    /// Whether a change takes the place of one that waits, so that there are not more intents with it.
    pub(crate) fn has_place_of(&self, change: &Intent) -> bool {
        let mut earlier = self.changes_of(change.message);
        earlier.any(|known| change.want.replaces(&known.want) && known.state != SendState::Sending)
    }

    /// The next intent to send, if one may be sent now. An intent waits as long as an earlier one of the same message
    /// waits, or as long as its message was refused. A change that was refused keeps no change of another kind waiting.
    pub(crate) fn next(&self, now: Instant) -> Option<&Intent> {
        if self.flight.is_some() || self.blocked.is_some_and(|until| now < until) {
            return None;
        }
        self.entries.iter().enumerate().find_map(|(place, intent)| {
            let mut before = self.entries.iter().take(place);
            let is_first = !before.any(|earlier| earlier.message == intent.message && earlier.keeps_waiting(intent));
            (intent.state == SendState::Queued && is_first).then_some(intent)
        })
    }

    /// The intent is sent.
    pub(crate) fn fly(&mut self, id: IntentId, now: Instant) {
        self.set(id, SendState::Sending);
        self.flight = Some(Flight { id, deadline: now.after(ACK_TIMEOUT_MS), repeated: false });
    }

    /// The intent that has waited too long for its answer, to be sent a second time.
    pub(crate) fn again(&mut self, now: Instant) -> Option<Intent> {
        let flight = self.flight.as_mut().filter(|flight| now >= flight.deadline && !flight.repeated)?;
        *flight = Flight { deadline: now.after(ACK_TIMEOUT_MS), repeated: true, ..*flight };
        let id = flight.id;
        self.get(id).cloned()
    }

    /// Whether the second attempt was not answered in time either.
    pub(crate) fn overdue(&self, now: Instant) -> Overdue {
        match self.flight {
            Some(flight) if flight.repeated && now >= flight.deadline => Overdue::Silence(flight.id),
            Some(_) | None => Overdue::Fine,
        }
    }

    /// An intent is done. Removes it, and returns it if it was here.
    pub(crate) fn done(&mut self, id: IntentId) -> Option<Intent> {
        self.refusals = 0;
        self.remove(id)
    }

    /// Removes an intent, and returns it if it was here.
    pub(crate) fn remove(&mut self, id: IntentId) -> Option<Intent> {
        self.land(id);
        let place = self.entries.iter().position(|intent| intent.id == id)?;
        self.entries.remove(place)
    }

    /// The server can't do the intent now. It stays first in the queue, and all later ones wait too, because order
    /// matters more than speed. If the server names no time, the wait doubles up to half a minute.
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

    /// The server refused the intent. The later ones go on, except those of the same message.
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

    /// The socket is lost. The outcome of the intent that is under way is unknown, so it is queued again. Returns
    /// whether there was one.
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

    /// The next deadline: that of the intent under way, or the end of the server's wait.
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
