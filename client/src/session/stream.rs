//! The group's live stream on the current socket: following the group, and finding out what is missing.

use caravana_protocol::{CaughtUp, ClientFrame, Cursor, Epoch, Event, Joined, LeftReason, Resync, Seq};

use super::group::Group;
use super::output::{Change, TimelineChange};
use super::reference::Reference;
use super::shared::Shared;
use crate::timeline::{Applied, Touched};
use crate::{HistoryPage, Instant, backoff};

/// How long `subscribe` or `sync` may stay unanswered, or a replay without progress, while no other group's replay
/// makes progress either. The server sends replays in turns, as fast as the connection takes them.
pub(super) const ANSWER_TIMEOUT_MS: u64 = 10_000;
/// How often a request is repeated on one socket before the socket counts as dead.
const ASK_TIMES: u8 = 2;
/// How long an event may lag behind the heartbeat that names it, before it counts as lost. The heartbeat names an event
/// as soon as it is committed, but the event still has to go through the connection's mailbox.
const TAIL_GRACE_MS: u64 = 1_000;
/// After so many replays that end below the seq of `caught_up`, the log is loaded afresh: this build can't read an
/// event.
const FRUITLESS_REPLAYS: u8 = 2;

/// How the group is followed on the present socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Stream {
    /// The group is not followed.
    #[default]
    Silent,
    /// `subscribe` or `sync` was sent.
    Asked { deadline: Instant, tries: u8 },
    /// `joined` came, and the missed events are coming.
    Replaying { deadline: Instant, tries: u8 },
    /// Events arrive live.
    Live,
    /// The server can't let the group be followed now.
    Postponed { retry_at: Instant },
    /// The server does not let the user follow the group.
    Gone,
}

/// What is known about the stream's reliability. It is kept when the socket is lost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubts {
    fruitless: u8,
    /// A head that the heartbeat named, and until when its events may lag.
    tail: Option<(Seq, Instant)>,
    refusals: u32,
}

/// The last request for the group's events: `subscribe` or `sync`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Question {
    /// The request's number. The answer to an earlier request may come after this one was sent, and does not count.
    pub(super) number: u32,
    /// Neither `joined` nor a refusal has come.
    pub(super) is_open: bool,
    /// The person opened the group after the request was sent. An answer that there is no such group may be outdated.
    pub(super) is_outrun: bool,
}

impl Group {
    /// Sends `subscribe` with the cursor. A wanted group without a cursor waits for its first page, which brings one. A
    /// group that is kept only for its outbox starts at its head.
    pub(super) fn follow(&mut self, shared: &mut Shared, now: Instant, tries: u8) {
        let cursor = self.timeline.cursor();
        let waits_for_page = self.wanted && cursor.is_none();
        if self.stream == Stream::Gone {
            return;
        }
        if !self.is_followed() || waits_for_page {
            self.stream = Stream::Silent;
            return;
        }
        if self.ask(&ClientFrame::Subscribe { group_id: self.id, cursor }, shared) {
            self.stream = Stream::Asked { deadline: now.after(ANSWER_TIMEOUT_MS), tries };
        }
    }

    fn ask(&mut self, frame: &ClientFrame, shared: &mut Shared) -> bool {
        self.question.number = self.question.number.wrapping_add(1);
        self.question.is_open = shared.say(frame, Some(Reference::Follow(self.id, self.question.number)));
        self.question.is_open
    }

    /// Sends `sync` to a silent server, only because the server has to answer it.
    pub(super) fn probe(&mut self, cursor: Cursor, shared: &mut Shared) {
        self.ask(&ClientFrame::Sync { group_id: Some(self.id), cursor }, shared);
    }

    /// Stops following the group on this socket.
    pub(super) fn unfollow(&mut self, shared: &mut Shared) {
        if !matches!(self.stream, Stream::Silent | Stream::Gone) {
            shared.say(&ClientFrame::Unsubscribe { group_id: self.id }, None);
            self.stream = Stream::Silent;
        }
    }

    /// Events are missing: sends `sync` once. Until the answer, events that come too early are held back.
    fn sync(&mut self, shared: &mut Shared, now: Instant, tries: u8) {
        let Some(cursor) = self.timeline.cursor() else { return };
        if self.ask(&ClientFrame::Sync { group_id: Some(self.id), cursor }, shared) {
            self.doubts.tail = None;
            self.stream = Stream::Asked { deadline: now.after(ANSWER_TIMEOUT_MS), tries };
        }
    }

    pub(super) fn joined(&mut self, joined: &Joined, shared: &mut Shared, now: Instant) {
        if self.stream == Stream::Gone {
            return;
        }
        self.doubts.refusals = 0;
        shared.patient_until = Some(now.after(ANSWER_TIMEOUT_MS));
        (self.question.is_open, self.question.is_outrun) = (false, false);
        self.timeline.forget_held();
        self.roster.join(joined);
        let own = joined.reads.get(&self.user).copied().unwrap_or(0);
        self.reading.confirm(own);
        shared.out.change(Change::Roster { group: self.id });
        shared.out.change(Change::Typing { group: self.id });
        shared.out.change(Change::Reads { group: self.id });
        if self.timeline.cursor().is_some() {
            let tries = match self.stream {
                Stream::Asked { tries, .. } | Stream::Replaying { tries, .. } => tries,
                Stream::Silent | Stream::Live | Stream::Postponed { .. } | Stream::Gone => 0,
            };
            self.stream = Stream::Replaying { deadline: now.after(ANSWER_TIMEOUT_MS), tries };
        } else {
            self.timeline.restart(Cursor { epoch: joined.epoch, seq: joined.head });
            self.stream = Stream::Live;
        }
    }

    pub(super) fn caught_up(&mut self, caught_up: &CaughtUp, shared: &mut Shared, now: Instant) {
        // While the newest request has no answer yet, this is the end of an earlier replay and says nothing about the
        // answer.
        if !matches!(self.stream, Stream::Replaying { .. }) {
            return;
        }
        let known = self.timeline.cursor().map_or(0, |cursor| cursor.seq);
        if !self.timeline.is_of(caught_up.epoch) {
            self.reload(caught_up.epoch, caught_up.seq, shared, now);
        } else if known >= caught_up.seq {
            self.doubts.fruitless = 0;
            self.stream = Stream::Live;
            if self.timeline.has_gap() {
                self.sync(shared, now, 0);
            } else {
                self.timeline.forget_missing();
            }
        } else if self.doubts.fruitless + 1 < FRUITLESS_REPLAYS {
            self.doubts.fruitless += 1;
            self.sync(shared, now, 0);
        } else {
            self.reload(caught_up.epoch, caught_up.seq, shared, now);
        }
    }

    pub(super) fn resync(&mut self, resync: &Resync, shared: &mut Shared, now: Instant) {
        if self.stream != Stream::Gone {
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
        self.doubts = Doubts::default();
        self.stream = Stream::Live;
        shared.out.change(Change::Timeline { group: self.id, what: TimelineChange::Reset });
        if self.wanted {
            self.load(HistoryPage::Latest, shared, now);
        }
    }

    pub(super) fn event(&mut self, event: Event, shared: &mut Shared, now: Instant) {
        if self.stream == Stream::Gone {
            return;
        }
        match self.timeline.apply(event) {
            Applied::Now(touched) => {
                if let Stream::Replaying { deadline, tries } = &mut self.stream {
                    (*deadline, *tries) = (now.after(ANSWER_TIMEOUT_MS), 0);
                    shared.patient_until = Some(*deadline);
                }
                self.touched(touched, shared);
            }
            Applied::Early if self.stream == Stream::Live => self.sync(shared, now, 0),
            Applied::Early | Applied::Known => {}
        }
    }

    /// The heartbeat names the group's head. A head above the cursor means lost events, unless they arrive within
    /// [`TAIL_GRACE_MS`].
    pub(super) fn head(&mut self, head: Seq, now: Instant) {
        let known = self.timeline.cursor().map_or(0, |cursor| cursor.seq);
        if self.stream == Stream::Live && head > known && self.doubts.tail.is_none() {
            self.doubts.tail = Some((head, now.after(TAIL_GRACE_MS)));
        }
    }

    /// The server says that the user may not follow the group. If the person opened the group while the request was
    /// under way, the user may have been added again since, and this answer no longer holds. Then the session asks once
    /// more, and the second answer counts.
    pub(super) fn refused(&mut self, reason: Option<LeftReason>, shared: &mut Shared, now: Instant) {
        self.question.is_open = false;
        if !std::mem::take(&mut self.question.is_outrun) {
            self.end(reason, shared);
            return;
        }
        self.stream = Stream::Silent;
        self.history.cancel();
        if !self.is_loaded() {
            self.load(HistoryPage::Latest, shared, now);
        }
        self.follow(shared, now, 0);
    }

    /// The server can't let the group be followed now: tries again later.
    pub(super) fn postpone_follow(&mut self, retry_after_ms: Option<u64>, now: Instant) {
        let wait = retry_after_ms.unwrap_or_else(|| backoff::window(self.doubts.refusals)).min(backoff::LONGEST_MS);
        self.doubts.refusals = self.doubts.refusals.saturating_add(1);
        self.stream = Stream::Postponed { retry_at: now.after(wait) };
    }

    pub(super) fn tick_stream(&mut self, shared: &mut Shared, now: Instant) -> bool {
        if let Stream::Asked { deadline, .. } | Stream::Replaying { deadline, .. } = &mut self.stream
            && let Some(until) = shared.patient_until
        {
            *deadline = until.max(*deadline);
        }
        match self.stream {
            Stream::Asked { deadline, tries } | Stream::Replaying { deadline, tries } if now >= deadline => {
                if tries >= ASK_TIMES {
                    return true;
                }
                self.follow(shared, now, tries + 1);
            }
            Stream::Postponed { retry_at } if now >= retry_at => self.follow(shared, now, 0),
            Stream::Live => self.tick_tail(shared, now),
            Stream::Asked { .. }
            | Stream::Replaying { .. }
            | Stream::Postponed { .. }
            | Stream::Silent
            | Stream::Gone => {}
        }
        false
    }

    fn tick_tail(&mut self, shared: &mut Shared, now: Instant) {
        let Some((head, _)) = self.doubts.tail.filter(|(_, until)| now >= *until) else { return };
        self.doubts.tail = None;
        if self.timeline.cursor().is_some_and(|cursor| cursor.seq < head) {
            self.timeline.expect(head);
            self.sync(shared, now, 0);
        }
    }

    pub(super) fn stream_deadline(&self) -> Option<Instant> {
        match self.stream {
            Stream::Asked { deadline, .. } | Stream::Replaying { deadline, .. } => Some(deadline),
            Stream::Postponed { retry_at } => Some(retry_at),
            Stream::Live => self.doubts.tail.map(|(_, until)| until),
            Stream::Silent | Stream::Gone => None,
        }
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
            Event::MessageEdited(change) | Event::MessageDeleted(change) => self.happened(change.message.id, shared),
            Event::Other(_) => {}
        }
    }
}
