//! The reader's actions, sent to the session.

use caravana_client::{Group, HistoryPage, Input, Intent, IntentId, OUTBOX_MESSAGES, SendState, Session};
use caravana_protocol::{Content, GroupId, MessageBody, MessageId};
use leptos::prelude::*;

use super::Bridge;
use crate::chat::mentions::{self, Mentioned};

impl Bridge {
    /// Sends a message, which may answer another one; `false` if it could not be queued.
    #[must_use]
    pub fn send(self, group: GroupId, body: MessageBody, reply_to: Option<MessageId>) -> bool {
        let Some(running) = self.running.get_value() else { return false };
        if running.handle.with(Session::outbox_room) == 0 {
            self.tell(self.words.outbox_full.to_owned());
            return false;
        }
        let (id, at) = (running.connector.mint(), running.now());
        let Mentioned { members: mentions, everyone: mentions_everyone } = self.mentioned(group, body.as_str());
        let content = Content { body, reply_to, mentions, mentions_everyone };
        running.handle.send(Input::Send { group, id, content, at }).is_ok()
    }

    /// Whom a text of the reader mentions in the open group. Nobody mentions themselves.
    pub(super) fn mentioned(self, group: GroupId, text: &str) -> Mentioned {
        self.open.with_value(|open| {
            let Some(open) = open.as_ref().filter(|open| open.group.id == group) else { return Mentioned::default() };
            let others = open.members.iter().map(|member| &member.user).filter(|user| user.id != self.me);
            mentions::mentioned(text, others.map(|user| (user.id, user.display_name.as_str())), open.may_mention_all())
        })
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

    /// What was refused of this message: the message itself, or a change of it.
    fn refused(self, group: GroupId, id: MessageId) -> Option<IntentId> {
        let running = self.running.get_value()?;
        running.handle.with(|session| {
            let known = session.group(group)?;
            let is_refused = |intent: &&Intent| matches!(intent.state, SendState::Failed { .. });
            let refused = known.outbox().get(id).or_else(|| known.changes_of(id).find(is_refused))?;
            Some(refused.id)
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
        self.forget_wanted();
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
