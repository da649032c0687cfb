//! Other pages of the same person on the same device: they share the storage, and nothing else.
//!
//! The page that wrote a message sends it. If that page is closed or asleep, a page that is awake sends it. If both
//! send it, no harm is done, because one id is one message for ever. What must never happen is that no page sends it.

use super::Session;
use super::group::Group;
use crate::{Instant, Intent, IntentId, SavedIntent, SendState, Want};

impl Session {
    /// Takes over the unsent intents of other pages. Those that do not fit into the outbox stay in the storage.
    pub(super) fn adopt(&mut self, saved: Vec<SavedIntent>, now: Instant) {
        let room = self.outbox_room();
        let unknown = saved.into_iter().filter(|message| self.may_adopt(message)).take(room).collect();
        self.restore(unknown);
        for group in self.groups.values_mut().filter(|group| group.stream.is_silent()) {
            group.follow(&mut self.shared, now, 0);
        }
    }

    fn may_adopt(&self, message: &SavedIntent) -> bool {
        self.groups.get(&message.group_id).is_none_or(|group| {
            !group.is_gone()
                && group.outbox.get(message.id).is_none()
                && (!matches!(message.want, Want::Send(_)) || group.timeline.message(message.message_id).is_none())
        })
    }

    /// Another page removed an intent from the storage. If it was stored on the server, its event settles it here too.
    /// If the person discarded it there after a refusal, it is removed here, so that this page does not offer it again.
    pub(super) fn forgotten(&mut self, id: IntentId) {
        // A send may be repeated, it is one message for ever. A change is not: by now the message may have been changed again.
        let is_over = |intent: &Intent| {
            let is_refused = matches!(intent.state, SendState::Failed { .. });
            is_refused || !intent.is_send() && intent.state == SendState::Queued
        };
        let refused = |group: &&mut Group| group.outbox.get(id).is_some_and(is_over);
        if let Some(group) = self.groups.values_mut().find(refused) {
            group.give_up(id, &mut self.shared);
        }
    }
}
