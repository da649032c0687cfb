//! Sends the intents of the outbox, and handles the answers.

use std::collections::BTreeSet;

use caravana_protocol::{Done, ErrorCode, MessageId, MessageSent, WireError};

use super::group::Group;
use super::output::{Change, TimelineChange};
use super::reference::Reference;
use super::shared::Shared;
use crate::outbox::Overdue;
use crate::{Instant, Intent, IntentId, Output, RowKey, SavedIntent, SendState, Want};

impl Group {
    /// Sends the next intent, if one may be sent now. A change that the log already shows is done and is not sent.
    pub(super) fn send_next(&mut self, shared: &mut Shared, now: Instant) {
        while let Some(intent) = self.outbox.next(now).cloned() {
            if !intent.is_send() && self.is_so(&intent) {
                self.settle(intent.id, shared);
                continue;
            }
            self.outbox.fly(intent.id, now);
            self.say(&intent, shared);
            self.shows(&intent, shared);
            return;
        }
    }

    fn say(&self, intent: &Intent, shared: &mut Shared) {
        shared.say(&intent.frame(self.id), Some(Reference::Intent(intent.id)));
    }

    /// Whether the log already shows what the intent wants.
    fn is_so(&self, intent: &Intent) -> bool {
        self.timeline.message(intent.message).is_some_and(|message| intent.want.is_met(message, self.user))
    }

    /// The server has stored the user's own message.
    pub(super) fn acknowledged(&mut self, sent: MessageSent, shared: &mut Shared) {
        let id = sent.message.id;
        let touched = self.timeline.acknowledge(sent.message);
        self.settle(id.into(), shared);
        self.touched(touched, shared);
    }

    /// The server has made a change, or there was nothing to change. Its event may still be on the way.
    pub(super) fn change_done(&mut self, id: IntentId, done: &Done, shared: &mut Shared) {
        let Some(intent) = self.settle(id, shared) else { return };
        let touched = self.timeline.fulfil(&intent, self.user, done.seq);
        self.touched(touched, shared);
    }

    /// The user's own message is in the log: its intent is done.
    pub(super) fn stored(&mut self, id: MessageId, shared: &mut Shared) {
        self.settle(id.into(), shared);
    }

    /// An event changed a message. If the log now shows what the message's first intent wants, that intent is done. So
    /// an intent also ends if the server does not know `done`, if `done` was lost, or if somebody else made the same
    /// change.
    pub(super) fn happened(&mut self, message: MessageId, shared: &mut Shared) {
        let first = self.outbox.entries().find(|intent| intent.message == message);
        if let Some(id) = first.filter(|intent| self.is_so(intent)).map(|intent| intent.id) {
            self.settle(id, shared);
        }
    }

    /// The intent is done: removes it from the outbox and from the storage. Returns it if it was in the outbox.
    fn settle(&mut self, id: IntentId, shared: &mut Shared) -> Option<Intent> {
        let intent = self.outbox.done(id)?;
        shared.out.push(Output::Forget(id));
        if intent.is_send() {
            shared.out.change(Change::Sent { group: self.id, id: intent.message });
        }
        self.shows(&intent, shared);
        Some(intent)
    }

    /// A page may show that intents are done whose answers never came.
    pub(super) fn find_done(&mut self, shared: &mut Shared) {
        let about: BTreeSet<MessageId> = self.outbox.entries().map(|intent| intent.message).collect();
        for message in about {
            self.happened(message, shared);
        }
    }

    /// The server refused an intent, for now or for good.
    pub(super) fn intent_refused(&mut self, id: IntentId, error: &WireError, shared: &mut Shared, now: Instant) {
        let Some(intent) = self.outbox.get(id).filter(|intent| intent.state == SendState::Sending).cloned() else {
            return;
        };
        match error.code {
            Some(ErrorCode::RateLimited | ErrorCode::TemporarilyUnavailable | ErrorCode::Overloaded) => {
                self.outbox.postpone(id, error.code, error.retry_after_ms, now);
            }
            // A full disk is not repaired within seconds, so the person decides about the next attempt.
            Some(ErrorCode::StorageFull) => self.refuse(id, error.code, true, shared),
            // The message is deleted already. With it are gone its reactions and its pin, and only a new text would be
            // missed.
            Some(ErrorCode::Gone) if !matches!(intent.want, Want::Edit(_)) => drop(self.settle(id, shared)),
            None if error.retryable => self.outbox.postpone(id, error.code, error.retry_after_ms, now),
            code => self.refuse(id, code, error.retryable, shared),
        }
        self.shows(&intent, shared);
    }

    fn refuse(&mut self, id: IntentId, code: Option<ErrorCode>, retryable: bool, shared: &mut Shared) {
        self.outbox.refuse(id, code, retryable);
        self.save(id, shared);
        if let Some(intent) = self.outbox.get(id) {
            shared.out.change(Change::SendFailed { group: self.id, id: intent.message, code });
        }
    }

    /// The user may no longer use the group: marks all that waits as refused, because the server would never take it.
    pub(super) fn refuse_all(&mut self, shared: &mut Shared) {
        let unsent = |intent: &&Intent| !matches!(intent.state, SendState::Failed { .. });
        let ids: Vec<IntentId> = self.outbox.entries().filter(unsent).map(|intent| intent.id).collect();
        for id in ids {
            self.refuse(id, Some(ErrorCode::NotFound), false, shared);
            shared.out.change(Change::Outbox { group: self.id });
        }
    }

    /// Discards an intent. With an unsent message it also discards the changes of that message.
    pub(super) fn give_up(&mut self, id: IntentId, shared: &mut Shared) {
        let Some(intent) = self.outbox.remove(id) else { return };
        shared.out.push(Output::Forget(id));
        if intent.is_send() {
            let changes: Vec<IntentId> = self.outbox.changes_of(intent.message).map(|change| change.id).collect();
            for change in changes {
                self.outbox.remove(change);
                shared.out.push(Output::Forget(change));
            }
        }
        self.shows(&intent, shared);
    }

    /// Saves the intent in its current state, so that it survives a reload.
    pub(super) fn save(&self, id: IntentId, shared: &mut Shared) {
        if let Some(intent) = self.outbox.get(id) {
            shared.out.push(Output::Save(SavedIntent::new(intent, self.id, self.user)));
        }
    }

    /// An intent was added or removed, or its state changed: reports the outbox, and the row of the intent's message.
    pub(super) fn shows(&self, intent: &Intent, shared: &mut Shared) {
        let group = self.id;
        shared.out.change(Change::Outbox { group });
        if self.timeline.message(intent.message).is_some() {
            let what = TimelineChange::Updated(vec![RowKey::Message(intent.message)]);
            shared.out.change(Change::Timeline { group, what });
        }
    }

    pub(super) fn tick_outbox(&mut self, shared: &mut Shared, now: Instant) -> bool {
        if self.outbox.unblock(now) {
            shared.out.change(Change::Outbox { group: self.id });
        }
        if let Some(intent) = self.outbox.again(now) {
            self.say(&intent, shared);
        }
        let Overdue::Silence(id) = self.outbox.overdue(now) else { return false };
        // A server that does not know `done` says nothing where nothing had to change. The change is refused, so that
        // it is not repeated for ever.
        if self.outbox.get(id).is_some_and(|intent| !intent.is_send()) {
            self.refuse(id, None, true, shared);
            shared.out.change(Change::Outbox { group: self.id });
        }
        true
    }
}
