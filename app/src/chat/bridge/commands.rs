//! The reader's actions, sent to the session.

use caravana_client::{Group, HistoryPage, Input, IntentId, OUTBOX_MESSAGES, Session};
use caravana_protocol::{Content, GroupId, MessageBody, MessageId, Timestamp};
use leptos::prelude::*;

use super::Bridge;

impl Bridge {
    /// Sends a message; `false` if it could not be queued.
    #[must_use]
    pub fn send(self, group: GroupId, body: MessageBody) -> bool {
        let Some(running) = self.running.get_value() else { return false };
        if running.handle.with(Session::outbox_room) == 0 {
            self.tell(self.words.outbox_full.to_owned());
            return false;
        }
        let id = running.connector.mint();
        let at = Timestamp::from_unix_micros(running.device.now_millis().saturating_mul(1_000));
        running.handle.send(Input::Send { group, id, content: Content::text(body), at }).is_ok()
    }

    /// Messages in this page's memory that are not acknowledged.
    #[must_use]
    pub fn unsent(self) -> usize {
        let room = self.running.get_value().map(|running| running.handle.with(Session::outbox_room));
        room.map_or(0, |room| OUTBOX_MESSAGES.saturating_sub(room))
    }

    /// The reader is typing (`writing`), or has stopped.
    pub fn typed(self, group: GroupId, writing: bool) {
        self.say_quietly(if writing { Input::Typed { group } } else { Input::StoppedTyping { group } });
    }

    /// Tries a refused operation again: the message itself, or a change of it.
    pub fn retry(self, group: GroupId, id: MessageId) {
        if let Some(id) = self.refused(group, id) {
            self.say(Input::Retry { group, id });
        }
    }

    /// Discards a refused operation: the message itself, or a change of it.
    pub fn discard(self, group: GroupId, id: MessageId) {
        if let Some(id) = self.refused(group, id) {
            self.say(Input::Discard { group, id });
        }
    }

    /// The pending intent of this message: the message itself, or a change of it.
    fn refused(self, group: GroupId, id: MessageId) -> Option<IntentId> {
        let running = self.running.get_value()?;
        running.handle.with(|session| {
            let known = session.group(group)?;
            let intent = known.outbox().get(id).or_else(|| known.change_of(id))?;
            Some(intent.id)
        })
    }

    /// Connects now instead of after the wait; also works after a session has ended.
    pub fn retry_now(self) {
        self.say(Input::RetryNow);
    }

    /// Loads older messages; the session asks for one page at a time.
    pub fn older(self, group: GroupId) {
        let page = self.running.get_value().and_then(|running| {
            running.handle.with(|session| session.group(group).and_then(|group| group.timeline().older_page()))
        });
        if let Some(page) = page {
            self.say(Input::Load { group, page });
        }
    }

    /// Loads the newest messages again, if they were dropped from memory.
    pub fn latest(self, group: GroupId) {
        self.say(Input::Load { group, page: HistoryPage::Latest });
    }

    /// The newest loaded message is in view. The reader's read position moves there as soon as the page is visible.
    pub fn seen(self, group: GroupId) {
        let Some(running) = self.running.get_value() else { return };
        if !running.device.visible() {
            self.unseen.set_value(Some(group));
            return;
        }
        let news = running.handle.with(|session| session.group(group).and_then(Group::seen_at_end));
        if let Some(seq) = news {
            self.say(Input::MarkRead { group, seq });
        }
    }

    pub(super) fn page_shown(self) {
        let Some(running) = self.running.get_value().filter(|running| running.device.visible()) else { return };
        self.memory.update_value(|memory| memory.woken(running.connector.now()));
        self.show_link();
        if let Some(group) = self.unseen.get_value() {
            self.unseen.set_value(None);
            // If another group is open by now, the reader did not see the message.
            if self.open.with_value(|open| open.as_ref().is_some_and(|open| open.group.id == group)) {
                self.seen(group);
            }
        }
    }
}
