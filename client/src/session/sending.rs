//! From the outbox to the wire, and what the answers mean.

use caravana_protocol::{ClientFrame, ErrorCode, MessageId, MessageSent, WireError};

use super::group::Group;
use super::output::Change;
use super::reference::Reference;
use super::shared::Shared;
use crate::outbox::Overdue;
use crate::{Instant, Output, Pending, SavedMessage, SendState};

impl Group {
    /// Says the next message, if it is its turn.
    pub(super) fn send_next(&mut self, shared: &mut Shared, now: Instant) {
        if let Some(entry) = self.outbox.next(now) {
            self.say(entry, shared);
            shared.out.change(Change::Outbox { group: self.id });
        }
    }

    fn say(&self, entry: Pending, shared: &mut Shared) {
        let reference = Reference::Send(entry.id);
        let frame = ClientFrame::SendMessage {
            message: entry.message,
            id: Some(entry.id),
            reply_to: entry.reply_to,
            user_id: None,
            group_id: Some(self.id),
        };
        shared.say(&frame, Some(reference));
    }

    /// The server has stored an own message.
    pub(super) fn acknowledged(&mut self, sent: MessageSent, shared: &mut Shared) {
        let id = sent.message.id;
        let touched = self.timeline.acknowledge(sent.message);
        self.stored(id, shared);
        self.touched(touched, shared);
    }

    /// An own message is in the log: it is nobody's to send any more.
    pub(super) fn stored(&mut self, id: MessageId, shared: &mut Shared) {
        if self.outbox.stored(id) {
            shared.out.push(Output::Forget(id));
            shared.out.change(Change::Sent { group: self.id, id });
            shared.out.change(Change::Outbox { group: self.id });
        }
    }

    /// A page may hold messages whose acknowledgement was lost.
    pub(super) fn find_stored(&mut self, shared: &mut Shared) {
        let is_own = |id| self.timeline.message(id).is_some_and(|message| message.user_id == Some(self.user));
        let stored: Vec<MessageId> = self.outbox.entries().map(|entry| entry.id).filter(|id| is_own(*id)).collect();
        for id in stored {
            self.stored(id, shared);
        }
    }

    /// The server did not take a message.
    pub(super) fn send_refused(&mut self, id: MessageId, error: &WireError, shared: &mut Shared, now: Instant) {
        if self.outbox.get(id).is_none_or(|entry| entry.state != SendState::Sending) {
            return;
        }
        match error.code {
            Some(ErrorCode::RateLimited | ErrorCode::TemporarilyUnavailable | ErrorCode::Overloaded) => {
                self.outbox.postpone(id, error.code, error.retry_after_ms, now);
            }
            // A full disk is not over in a moment: the person decides.
            Some(ErrorCode::StorageFull) => self.refuse(id, error.code, true, shared),
            None if error.retryable => self.outbox.postpone(id, error.code, error.retry_after_ms, now),
            code => self.refuse(id, code, error.retryable, shared),
        }
        shared.out.change(Change::Outbox { group: self.id });
    }

    fn refuse(&mut self, id: MessageId, code: Option<ErrorCode>, retryable: bool, shared: &mut Shared) {
        self.outbox.refuse(id, code, retryable);
        self.save(id, shared);
        shared.out.change(Change::SendFailed { group: self.id, id, code });
    }

    /// The group is closed to the user: nothing that waits will ever be taken.
    pub(super) fn refuse_all(&mut self, shared: &mut Shared) {
        let unsent = |entry: &&Pending| !matches!(entry.state, SendState::Failed { .. });
        let ids: Vec<MessageId> = self.outbox.entries().filter(unsent).map(|entry| entry.id).collect();
        for id in ids {
            self.refuse(id, Some(ErrorCode::NotFound), false, shared);
            shared.out.change(Change::Outbox { group: self.id });
        }
    }

    /// Keeps a message over reloads as it is now.
    pub(super) fn save(&self, id: MessageId, shared: &mut Shared) {
        if let Some(entry) = self.outbox.get(id) {
            shared.out.push(Output::Save(SavedMessage::new(entry, self.id, self.user)));
        }
    }

    pub(super) fn tick_outbox(&mut self, shared: &mut Shared, now: Instant) -> bool {
        if self.outbox.unblock(now) {
            shared.out.change(Change::Outbox { group: self.id });
        }
        if let Some(entry) = self.outbox.again(now) {
            self.say(entry, shared);
        }
        self.outbox.overdue(now) == Overdue::Silence
    }
}
