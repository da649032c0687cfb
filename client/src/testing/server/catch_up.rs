//! How the scripted server tells what was before: replays and pages of history.

use std::collections::BTreeSet;

use caravana_protocol::rest::MessagesAnswer;
use caravana_protocol::{
    CaughtUp, Cursor, Event, GroupId, Joined, Message, MessageChange, Resync, ResyncReason, Seq, ServerFrame, WireError,
};

use super::Server;
use crate::testing::ids::group;
use crate::{HistoryError, HistoryPage};

impl Server {
    /// All messages on one page of history, as they are now.
    #[must_use]
    pub fn page_of_all(&self) -> MessagesAnswer {
        let mut messages: Vec<Message> = self.messages.values().cloned().collect();
        messages.sort_by_key(|message| message.seq);
        let (epoch, head) = (self.epoch, self.head());
        let events = self.besides_messages(0, head);
        MessagesAnswer { messages, events, epoch, head, has_more_before: false, has_more_after: false }
    }

    /// The events that are shown beside messages: members and the group's properties.
    fn besides_messages(&self, first: Seq, last: Seq) -> Vec<Event> {
        let is_one = |event: &&Event| {
            let happened = matches!(event, Event::MemberJoined(_) | Event::MemberLeft(_) | Event::GroupUpdated(_));
            happened && (first..=last).contains(&event.seq())
        };
        self.log.iter().filter(is_one).cloned().collect()
    }

    /// Answers a request for history.
    pub fn page(&self, of: GroupId, page: HistoryPage, limit: usize) -> Result<MessagesAnswer, HistoryError> {
        if of != group() {
            return Err(HistoryError::NotFound);
        }
        let mut all: Vec<&Message> = self.messages.values().collect();
        all.sort_by_key(|message| message.seq);
        let at = |seq: Seq| all.partition_point(|message| message.seq < seq);
        let (from, to) = match page {
            HistoryPage::Latest => (all.len().saturating_sub(limit), all.len()),
            HistoryPage::Before(seq) => (at(seq).saturating_sub(limit), at(seq)),
            HistoryPage::After(seq) => (at(seq + 1), all.len().min(at(seq + 1) + limit)),
            HistoryPage::Around(seq) => (at(seq).saturating_sub(limit / 2), all.len().min(at(seq) + limit / 2)),
        };
        let seq_at = |index: usize, end: Seq| all.get(index).map_or(end, |message| message.seq);
        let first = match page {
            HistoryPage::After(seq) => seq + 1,
            HistoryPage::Latest | HistoryPage::Before(_) | HistoryPage::Around(_) if from > 0 => seq_at(from, 0),
            HistoryPage::Latest | HistoryPage::Before(_) | HistoryPage::Around(_) => 0,
        };
        let last = match page {
            HistoryPage::Before(seq) => seq.saturating_sub(1),
            HistoryPage::Latest | HistoryPage::After(_) | HistoryPage::Around(_) if to < all.len() => {
                seq_at(to.saturating_sub(1), self.head())
            }
            HistoryPage::Latest | HistoryPage::After(_) | HistoryPage::Around(_) => self.head(),
        };
        Ok(MessagesAnswer {
            events: self.besides_messages(first, last),
            messages: all.iter().skip(from).take(to - from).map(|message| (*message).clone()).collect(),
            epoch: self.epoch,
            head: self.head(),
            has_more_before: from > 0,
            has_more_after: to < all.len(),
        })
    }

    pub(super) fn follow(&mut self, cursor: Option<Cursor>, reference: Option<String>) {
        if self.ignores_subscribes {
            return;
        }
        if let Some(code) = self.refuses_subscribes {
            return self.say(ServerFrame::Error(WireError::new(code, "refused", reference)));
        }
        let (group_id, epoch, head) = (group(), self.epoch, self.head());
        self.following = true;
        let reads = self.reads.clone();
        self.say(ServerFrame::Joined(Joined {
            group_id,
            epoch,
            head,
            roster: vec![self.user],
            reads,
            hidden_reads: BTreeSet::new(),
        }));
        let Some(cursor) = cursor else { return };
        let reason = if cursor.epoch != epoch {
            Some(ResyncReason::UnknownEpoch)
        } else if cursor.seq > head {
            Some(ResyncReason::AboveHead)
        } else {
            (head - cursor.seq > self.depth).then_some(ResyncReason::TooDeep)
        };
        if let Some(reason) = reason {
            return self.say(ServerFrame::Resync(Resync { group_id, epoch, head, reason }));
        }
        let missed = |event: &&Event| event.seq() > cursor.seq && Some(event.seq()) != self.unreadable;
        let missed: Vec<Event> = self.log.iter().filter(missed).cloned().collect();
        for event in missed {
            let event = self.as_it_is_now(event);
            self.say(ServerFrame::Event(event));
        }
        self.say(ServerFrame::CaughtUp(CaughtUp { group_id, epoch, seq: head }));
    }

    /// A replay shows the present state.
    fn as_it_is_now(&self, event: Event) -> Event {
        let now = |message: Message| self.messages.get(&message.id).map_or(message.clone(), Message::clone);
        match event {
            Event::NewMessage(message) => Event::NewMessage(now(message)),
            Event::MessageEdited(change) => {
                let seq = change.message.seq;
                let message = Message { seq, ..now(change.message) };
                Event::MessageEdited(MessageChange { message, ..change })
            }
            Event::MessageDeleted(_)
            | Event::MemberJoined(_)
            | Event::MemberLeft(_)
            | Event::GroupUpdated(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::Other(_) => event,
        }
    }
}
