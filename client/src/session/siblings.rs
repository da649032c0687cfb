//! Other pages of the same person on the same device: they share the storage, and nothing else.
//!
//! A message that a page wrote is that page's to send, until it is gone or asleep; then whoever is awake sends it. Both
//! may end up sending it, which is harmless: one id is one message for ever. What may never happen is that nobody does.

use super::Session;
use super::stream::Stream;
use crate::{Instant, Intent, IntentId, SavedIntent, SendState, Want};

impl Session {
    /// Takes over what other pages wrote and have not sent. What does not fit stays in the storage.
    pub(super) fn adopt(&mut self, saved: Vec<SavedIntent>, now: Instant) {
        let room = self.outbox_room();
        let unknown = saved.into_iter().filter(|message| self.may_adopt(message)).take(room).collect();
        self.restore(unknown);
        for group in self.groups.values_mut().filter(|group| group.stream == Stream::Silent) {
            group.follow(&mut self.shared, now, 0);
        }
    }

    fn may_adopt(&self, message: &SavedIntent) -> bool {
        self.groups.get(&message.group_id).is_none_or(|group| {
            group.stream != Stream::Gone
                && group.outbox.get(message.id).is_none()
                && (!matches!(message.want, Want::Send(_)) || group.timeline.message(message.message_id).is_none())
        })
    }

    /// Another page keeps a message no longer. It was stored, and its event says so here too; or the person gave it up,
    /// which can only be done with a refused one, and then it is not to be offered here any more.
    pub(super) fn forgotten(&mut self, id: IntentId) {
        // A send may be repeated, it is one message for ever. A change is not: by now the message may have been changed again.
        let is_over = |intent: &Intent| {
            let is_refused = matches!(intent.state, SendState::Failed { .. });
            is_refused || !intent.is_send() && intent.state == SendState::Queued
        };
        let refused = |group: &&mut super::Group| group.outbox.get(id).is_some_and(is_over);
        if let Some(group) = self.groups.values_mut().find(refused) {
            group.give_up(id, &mut self.shared);
        }
    }
}
