//! Follows a group: passes what the server says of the stream to [`Stream`](super::stream::Stream), and does in the rows
//! and in the roster what follows from it.

use caravana_protocol::{CaughtUp, Cursor, Epoch, Event, Joined, LeftReason, Resync, Seq};

use super::group::Group;
use super::output::{Change, TimelineChange};
use super::shared::Shared;
use super::stream::{ReplayEnd, StreamDue};
use crate::timeline::{Applied, Touched};
use crate::{HistoryPage, Instant};

impl Group {
    /// Sends `subscribe` with the cursor. A wanted group without a cursor waits for its first page, which brings one. A
    /// group that is kept only for its outbox starts at its head.
    pub(super) fn follow(&mut self, shared: &mut Shared, now: Instant, tries: u8) {
        let cursor = self.timeline.cursor();
        let waits_for_page = self.wanted && cursor.is_none();
        if self.stream.is_gone() {
            return;
        }
        if !self.is_followed() || waits_for_page {
            self.stream.fall_silent();
            return;
        }
        self.stream.subscribe(self.id, cursor, tries, shared, now);
    }

    /// Asks for the missing events.
    fn sync(&mut self, shared: &mut Shared, now: Instant) {
        if let Some(cursor) = self.timeline.cursor() {
            self.stream.sync(self.id, cursor, shared, now);
        }
    }

    pub(super) fn joined(&mut self, joined: &Joined, shared: &mut Shared, now: Instant) {
        if self.stream.is_gone() {
            return;
        }
        let has_cursor = self.timeline.cursor().is_some();
        self.stream.joined(has_cursor, shared, now);
        self.timeline.forget_held();
        self.roster.join(joined);
        let own = joined.reads.get(&self.user).copied().unwrap_or(0);
        self.reading.confirm(own);
        shared.out.change(Change::Roster { group: self.id });
        shared.out.change(Change::Typing { group: self.id });
        shared.out.change(Change::Reads { group: self.id });
        if !has_cursor {
            self.timeline.restart(Cursor { epoch: joined.epoch, seq: joined.head });
        }
    }

    pub(super) fn caught_up(&mut self, caught_up: &CaughtUp, shared: &mut Shared, now: Instant) {
        match self.stream.caught_up(caught_up, &self.timeline) {
            ReplayEnd::Outdated => {}
            ReplayEnd::Whole => self.timeline.forget_missing(),
            ReplayEnd::Short => self.sync(shared, now),
            ReplayEnd::Useless => self.reload(caught_up.epoch, caught_up.seq, shared, now),
        }
    }

    pub(super) fn resync(&mut self, resync: &Resync, shared: &mut Shared, now: Instant) {
        if !self.stream.is_gone() {
            self.reload(resync.epoch, resync.head, shared, now);
        }
    }

    /// Drops the log and goes on live from this head. If the group is wanted, requests its newest page by REST.
    fn reload(&mut self, epoch: Epoch, head: Seq, shared: &mut Shared, now: Instant) {
        if !self.timeline.is_of(epoch) {
            // The reads count in seqs of the other history.
            self.reading.restart();
            self.roster.forget_reads();
        }
        self.timeline.restart(Cursor { epoch, seq: head });
        self.stream.restart();
        shared.out.change(Change::Timeline { group: self.id, what: TimelineChange::Reset });
        if self.wanted {
            self.load(HistoryPage::Latest, shared, now);
        }
    }

    pub(super) fn event(&mut self, event: Event, shared: &mut Shared, now: Instant) {
        if self.stream.is_gone() {
            return;
        }
        match self.timeline.apply(event) {
            Applied::Now(touched) => {
                self.stream.progress(shared, now);
                self.touched(touched, shared);
            }
            Applied::Early if self.stream.is_live() => self.sync(shared, now),
            Applied::Early | Applied::Known => {}
        }
    }

    /// The heartbeat names the group's head.
    pub(super) fn head(&mut self, head: Seq, now: Instant) {
        let known = self.timeline.cursor().map_or(0, |cursor| cursor.seq);
        self.stream.head(head, known, now);
    }

    /// The server says that the user may not follow the group.
    pub(super) fn refused(&mut self, reason: Option<LeftReason>, shared: &mut Shared, now: Instant) {
        if self.stream.refused() {
            self.end(reason, shared);
            return;
        }
        self.stream.fall_silent();
        self.history.cancel();
        if !self.is_loaded() {
            self.load(HistoryPage::Latest, shared, now);
        }
        self.follow(shared, now, 0);
    }

    /// The user may not follow the group any more.
    fn end(&mut self, reason: Option<LeftReason>, shared: &mut Shared) {
        if self.stream.is_gone() {
            return;
        }
        self.stream.end();
        self.timeline.forget_held();
        self.composing.lose();
        self.history.cancel();
        self.refuse_all(shared);
        if self.roster.hush() {
            shared.out.change(Change::Typing { group: self.id });
        }
        shared.out.change(Change::GroupLeft { group: self.id, reason });
    }

    /// Handles the stream's passed deadlines. Returns whether the socket seems to be dead.
    pub(super) fn tick_stream(&mut self, shared: &mut Shared, now: Instant) -> bool {
        match self.stream.tick(shared.patient_until, now) {
            StreamDue::Nothing => {}
            StreamDue::Follow { tries } => self.follow(shared, now, tries),
            StreamDue::Tail(head) => {
                if self.timeline.cursor().is_some_and(|cursor| cursor.seq < head) {
                    self.timeline.expect(head);
                    self.sync(shared, now);
                }
            }
            StreamDue::Dead => return true,
        }
        false
    }

    /// Reports the changed rows, and applies the new events to the roster and the outbox.
    pub(super) fn touched(&mut self, touched: Touched, shared: &mut Shared) {
        let group = self.id;
        for (keys, what) in [
            (touched.removed, TimelineChange::Removed as fn(_) -> _),
            (touched.inserted, TimelineChange::Inserted as fn(_) -> _),
            (touched.updated, TimelineChange::Updated as fn(_) -> _),
        ] {
            if !keys.is_empty() {
                shared.out.change(Change::Timeline { group, what: what(keys) });
            }
        }
        for event in touched.events {
            self.follow_up(&event, shared);
        }
    }

    fn follow_up(&mut self, event: &Event, shared: &mut Shared) {
        let group = self.id;
        match event {
            Event::NewMessage(message) => {
                if message.user_id.is_some_and(|user| self.roster.stops_typing(user)) {
                    shared.out.change(Change::Typing { group });
                }
                if message.user_id == Some(self.user) {
                    self.stored(message.id, shared);
                }
            }
            Event::MemberJoined(joined) => {
                self.roster.add(joined.user_id);
                shared.out.change(Change::Members { group });
            }
            Event::MemberLeft(left) => {
                self.roster.remove(left.user_id);
                shared.out.change(Change::Members { group });
                shared.out.change(Change::Roster { group });
                shared.out.change(Change::Typing { group });
            }
            Event::GroupUpdated(_) => shared.out.change(Change::Members { group }),
            Event::MessageEdited(change) => {
                self.happened(change.message.id, shared);
                if change.message.pinned {
                    shared.out.change(Change::Pins { group });
                }
            }
            Event::MessageDeleted(change) => {
                self.happened(change.message.id, shared);
                shared.out.change(Change::Pins { group });
            }
            Event::ReactionChanged(change) => self.happened(change.message_id, shared),
            Event::MessagePinned(change) | Event::MessageUnpinned(change) => {
                self.happened(change.message_id, shared);
                shared.out.change(Change::Pins { group });
            }
            Event::Other(_) => {}
        }
    }
}
