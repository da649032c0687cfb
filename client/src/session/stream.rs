//! The group's live stream on the current socket.
//!
//! Owns how far the stream is, the last request for it, and what is known of its reliability. Sends the frames that ask
//! for the group's events. Never touches the rows: every input says what the group has to do next. Called by the group.

use caravana_protocol::{CaughtUp, ClientFrame, Cursor, GroupId, Seq};

use super::reference::Reference;
use super::shared::Shared;
use crate::{Instant, Timeline, backoff};

/// How long `subscribe` or `sync` may stay unanswered, or a replay without progress, while no other group's replay
/// makes progress either. The server sends replays in turns, as fast as the connection takes them.
const ANSWER_TIMEOUT_MS: u64 = 10_000;
/// How often a request is repeated on one socket before the socket counts as dead.
const ASK_TIMES: u8 = 2;
/// How long an event may lag behind the heartbeat that names it, before it counts as lost. The heartbeat names an event
/// as soon as it is committed, but the event still has to go through the connection's mailbox.
const TAIL_GRACE_MS: u64 = 1_000;
/// After so many replays that end below the seq of `caught_up`, the log is loaded afresh: this build can't read an
/// event.
const FRUITLESS_REPLAYS: u8 = 2;

/// One group's live stream.
#[derive(Debug, Default)]
pub(super) struct Stream {
    state: StreamState,
    question: Question,
    doubts: Doubts,
}

/// How the group is followed on the present socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum StreamState {
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

/// The last request for the group's events: `subscribe` or `sync`.
#[derive(Debug, Clone, Copy, Default)]
struct Question {
    /// The request's number. The answer to an earlier request may come after this one was sent, and does not count.
    number: u32,
    /// Neither `joined` nor a refusal has come.
    is_open: bool,
    /// The person opened the group after the request was sent. An answer that there is no such group may be outdated.
    is_outrun: bool,
}

/// What is known about the stream's reliability. It is kept when the socket is lost.
#[derive(Debug, Clone, Copy, Default)]
struct Doubts {
    /// Replays in a row that ended too early.
    fruitless: u8,
    /// A head that the heartbeat named, and until when its events may lag.
    tail: Option<(Seq, Instant)>,
    /// How often in a row the server could not let the group be followed.
    refusals: u32,
}

/// What the end of a replay means for the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplayEnd {
    /// Nothing: it is the end of an earlier replay.
    Outdated,
    /// All events are here.
    Whole,
    /// Events are missing: ask for them.
    Short,
    /// The replay can't bring what is missing: load the log afresh.
    Useless,
}

/// What the group has to do because a deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamDue {
    /// Nothing.
    Nothing,
    /// Follow the group once more, after so many attempts without an answer.
    Follow { tries: u8 },
    /// The time of the events up to this head is over. If they are not here, they are lost.
    Tail(Seq),
    /// Give the socket up: the server does not answer on it.
    Dead,
}

impl Stream {
    pub(super) fn is_silent(&self) -> bool {
        self.state == StreamState::Silent
    }

    pub(super) fn is_joining(&self) -> bool {
        matches!(self.state, StreamState::Asked { .. } | StreamState::Replaying { .. })
    }

    pub(super) fn is_live(&self) -> bool {
        self.state == StreamState::Live
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state == StreamState::Gone
    }

    /// Whether this is the number of the last request.
    pub(super) const fn is_last_question(&self, number: u32) -> bool {
        self.question.number == number
    }

    /// Sends `subscribe`.
    pub(super) fn subscribe(
        &mut self,
        group: GroupId,
        cursor: Option<Cursor>,
        tries: u8,
        shared: &mut Shared,
        now: Instant,
    ) {
        if self.ask(group, &ClientFrame::Subscribe { group_id: group, cursor }, shared) {
            self.state = StreamState::Asked { deadline: now.after(ANSWER_TIMEOUT_MS), tries };
        }
    }

    /// Events are missing: sends `sync` once. Until the answer, events that come too early are held back.
    pub(super) fn sync(&mut self, group: GroupId, cursor: Cursor, shared: &mut Shared, now: Instant) {
        if self.ask(group, &ClientFrame::Sync { group_id: Some(group), cursor }, shared) {
            self.doubts.tail = None;
            self.state = StreamState::Asked { deadline: now.after(ANSWER_TIMEOUT_MS), tries: 0 };
        }
    }

    /// Sends `sync` to a silent server, only because the server has to answer it.
    pub(super) fn probe(&mut self, group: GroupId, cursor: Cursor, shared: &mut Shared) {
        self.ask(group, &ClientFrame::Sync { group_id: Some(group), cursor }, shared);
    }

    fn ask(&mut self, group: GroupId, frame: &ClientFrame, shared: &mut Shared) -> bool {
        self.question.number = self.question.number.wrapping_add(1);
        self.question.is_open = shared.say(frame, Some(Reference::Follow(group, self.question.number)));
        self.question.is_open
    }

    /// Stops following the group on this socket.
    pub(super) fn unsubscribe(&mut self, group: GroupId, shared: &mut Shared) {
        if !matches!(self.state, StreamState::Silent | StreamState::Gone) {
            shared.say(&ClientFrame::Unsubscribe { group_id: group }, None);
            self.state = StreamState::Silent;
        }
    }

    /// The group is not to be followed now.
    pub(super) fn fall_silent(&mut self) {
        self.state = StreamState::Silent;
    }

    /// The socket is lost.
    pub(super) fn lose(&mut self) {
        if !self.is_gone() {
            self.state = StreamState::Silent;
        }
        self.question.is_open = false;
    }

    /// The user may not follow the group any more.
    pub(super) fn end(&mut self) {
        self.state = StreamState::Gone;
    }

    /// The person opened the group. If a request of the group is under way, its refusal may be outdated.
    pub(super) fn outrun(&mut self, is_page_asked: bool) {
        self.question.is_outrun = self.question.is_open || is_page_asked;
    }

    /// The server lets the group be followed. With a cursor, the missed events come next.
    pub(super) fn joined(&mut self, has_cursor: bool, shared: &mut Shared, now: Instant) {
        let deadline = now.after(ANSWER_TIMEOUT_MS);
        self.doubts.refusals = 0;
        shared.patient_until = Some(deadline);
        (self.question.is_open, self.question.is_outrun) = (false, false);
        let tries = match self.state {
            StreamState::Asked { tries, .. } | StreamState::Replaying { tries, .. } => tries,
            StreamState::Silent | StreamState::Live | StreamState::Postponed { .. } | StreamState::Gone => 0,
        };
        self.state = if has_cursor { StreamState::Replaying { deadline, tries } } else { StreamState::Live };
    }

    /// An event was applied: a replay that makes progress has time again.
    pub(super) fn progress(&mut self, shared: &mut Shared, now: Instant) {
        if let StreamState::Replaying { deadline, tries } = &mut self.state {
            (*deadline, *tries) = (now.after(ANSWER_TIMEOUT_MS), 0);
            shared.patient_until = Some(*deadline);
        }
    }

    /// A replay has ended at this point.
    pub(super) fn caught_up(&mut self, end: &CaughtUp, timeline: &Timeline) -> ReplayEnd {
        // While the newest request has no answer yet, this is the end of an earlier replay and says nothing about the
        // answer.
        if !matches!(self.state, StreamState::Replaying { .. }) {
            return ReplayEnd::Outdated;
        }
        let known = timeline.cursor().map_or(0, |cursor| cursor.seq);
        if !timeline.is_of(end.epoch) {
            ReplayEnd::Useless
        } else if known >= end.seq {
            self.doubts.fruitless = 0;
            self.state = StreamState::Live;
            if timeline.has_gap() { ReplayEnd::Short } else { ReplayEnd::Whole }
        } else if self.doubts.fruitless + 1 < FRUITLESS_REPLAYS {
            self.doubts.fruitless += 1;
            ReplayEnd::Short
        } else {
            ReplayEnd::Useless
        }
    }

    /// The log begins again at its head: the stream goes on live from there, and nothing is held against it.
    pub(super) fn restart(&mut self) {
        self.doubts = Doubts::default();
        self.state = StreamState::Live;
    }

    /// The heartbeat names the group's head. A head above the last `known` seq means lost events, unless they arrive
    /// within [`TAIL_GRACE_MS`].
    pub(super) fn head(&mut self, head: Seq, known: Seq, now: Instant) {
        if self.is_live() && head > known && self.doubts.tail.is_none() {
            self.doubts.tail = Some((head, now.after(TAIL_GRACE_MS)));
        }
    }

    /// The server says that the user may not follow the group. Returns whether that holds. If the person opened the
    /// group while the request was under way, the user may have been added again since: then the group asks once more,
    /// and the second answer counts.
    pub(super) fn refused(&mut self) -> bool {
        self.question.is_open = false;
        !std::mem::take(&mut self.question.is_outrun)
    }

    /// The server can't let the group be followed now: tries again later.
    pub(super) fn postpone(&mut self, retry_after_ms: Option<u64>, now: Instant) {
        let wait = retry_after_ms.unwrap_or_else(|| backoff::window(self.doubts.refusals)).min(backoff::LONGEST_MS);
        self.doubts.refusals = self.doubts.refusals.saturating_add(1);
        self.state = StreamState::Postponed { retry_at: now.after(wait) };
    }

    /// Handles a passed deadline. Until `patient_until` the replay of another group delays this one.
    pub(super) fn tick(&mut self, patient_until: Option<Instant>, now: Instant) -> StreamDue {
        if let StreamState::Asked { deadline, .. } | StreamState::Replaying { deadline, .. } = &mut self.state
            && let Some(until) = patient_until
        {
            *deadline = until.max(*deadline);
        }
        match self.state {
            StreamState::Asked { deadline, tries } | StreamState::Replaying { deadline, tries } if now >= deadline => {
                if tries >= ASK_TIMES {
                    StreamDue::Dead
                } else {
                    StreamDue::Follow { tries: tries + 1 }
                }
            }
            StreamState::Postponed { retry_at } if now >= retry_at => StreamDue::Follow { tries: 0 },
            StreamState::Live => {
                let tail = self.doubts.tail.take_if(|(_, until)| now >= *until);
                tail.map_or(StreamDue::Nothing, |(head, _)| StreamDue::Tail(head))
            }
            StreamState::Asked { .. }
            | StreamState::Replaying { .. }
            | StreamState::Postponed { .. }
            | StreamState::Silent
            | StreamState::Gone => StreamDue::Nothing,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            StreamState::Asked { deadline, .. } | StreamState::Replaying { deadline, .. } => Some(deadline),
            StreamState::Postponed { retry_at } => Some(retry_at),
            StreamState::Live => self.doubts.tail.map(|(_, until)| until),
            StreamState::Silent | StreamState::Gone => None,
        }
    }
}
