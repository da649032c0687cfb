//! One group as this client knows it.

use caravana_protocol::{GroupId, Message, MessageId, Seq, UserId};

use super::composing::Composing;
use super::history::{History, Older};
use super::output::Change;
use super::reading::Reading;
use super::shared::Shared;
use super::stream::Stream;
use crate::{Instant, Intent, Outbox, Roster, Row, RowKey, Timeline};

/// One group as this client knows it. The screen reads it; only [`super::Session::handle`] changes it.
#[derive(Debug)]
pub struct Group {
    pub(super) id: GroupId,
    pub(super) user: UserId,
    pub(super) timeline: Timeline,
    pub(super) roster: Roster,
    pub(super) outbox: Outbox,
    pub(super) stream: Stream,
    pub(super) history: History,
    pub(super) reading: Reading,
    pub(super) composing: Composing,
    /// The group is shown or listed. If not, it is kept for its outbox only.
    pub(super) wanted: bool,
    pub(super) priority: Priority,
    shown_progress: Progress,
}

/// A group's priority among the groups that one socket may follow. Opened groups come before groups that are only
/// listed. Of the opened groups the last opened one is the greatest; of the listed groups, the first listed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Priority {
    /// The number of its last opening; 0 for none.
    pub(super) opened: u64,
    /// Its number in the order in which groups became wanted; the earlier compares as the greater.
    pub(super) listed: std::cmp::Reverse<u64>,
}

/// The facts whose changes [`Change::Progress`] reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts that are compared together")]
struct Progress {
    filling: bool,
    missing: bool,
    whole: bool,
    older: Older,
    has_more_after: bool,
    newer_failed: bool,
}

/// One line on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A line of the group's log.
    Row(&'a Row),
    /// A message that is not acknowledged.
    Pending(&'a Intent),
}

impl Item<'_> {
    /// The key of the line. A message keeps its key when it is stored.
    #[must_use]
    pub const fn key(&self) -> RowKey {
        match self {
            Self::Row(row) => row.key(),
            Self::Pending(pending) => RowKey::Message(pending.message),
        }
    }
}

impl Group {
    pub(super) fn new(id: GroupId, shared: &Shared) -> Self {
        Self {
            id,
            user: shared.user,
            timeline: Timeline::new(shared.rows),
            roster: Roster::default(),
            outbox: Outbox::default(),
            stream: Stream::default(),
            history: History::default(),
            reading: Reading::default(),
            composing: Composing::default(),
            wanted: false,
            priority: Priority::default(),
            shown_progress: Progress::default(),
        }
    }

    /// The group's id.
    #[must_use]
    pub const fn id(&self) -> GroupId {
        self.id
    }

    /// The group's log as far as it is loaded.
    #[must_use]
    pub const fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// Who is online, who is typing, and how far each member has read.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The intents that are not done: queued, under way or refused.
    #[must_use]
    pub const fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// All lines in the order of the screen: the log, then the unacknowledged messages in the order of writing.
    pub fn items(&self) -> impl Iterator<Item = Item<'_>> {
        // A stored message of somebody else could have the id of a pending one. Two lines must never have the same key.
        let pending = self.outbox.messages().filter(|intent| self.timeline.message(intent.message).is_none());
        self.timeline.rows().map(Item::Row).chain(pending.map(Item::Pending))
    }

    /// The changes of this message in the outbox, in their order: what the person wants and the server has not done.
    #[must_use]
    pub fn changes_of(&self, id: MessageId) -> impl DoubleEndedIterator<Item = &Intent> {
        self.outbox.changes_of(id)
    }

    /// One line.
    #[must_use]
    pub fn item(&self, key: RowKey) -> Option<Item<'_>> {
        let pending = || match key {
            RowKey::Message(id) => self.outbox.get(id).map(Item::Pending),
            RowKey::Event(_) => None,
        };
        self.timeline.row(key).map(Item::Row).or_else(pending)
    }

    /// Whether there are messages after the loaded ones whose last request failed. Request them again when the person asks
    /// for it. A reconnect sets this back.
    #[must_use]
    pub fn newer_failed(&self) -> bool {
        self.timeline.has_more_after() && self.history.newer_failed()
    }

    /// What is known of the messages before the loaded ones. [`Older::Loading`] ends when the request is closed, for
    /// any reason.
    #[must_use]
    pub fn older(&self) -> Older {
        if self.timeline.has_more_before() { self.history.older() } else { Older::Start }
    }

    /// Whether the newest messages were loaded.
    #[must_use]
    pub const fn is_loaded(&self) -> bool {
        self.history.is_loaded()
    }

    /// Whether something that happened is still being loaded: «Actualizando mensajes…».
    #[must_use]
    pub fn is_filling(&self) -> bool {
        self.is_joining() || self.timeline.has_gap() || self.history.is_loading_latest()
    }

    /// Whether a part of the log that should be on the screen is known to be missing: events were lost on their way, or
    /// the history was rebuilt and its newest page has not arrived. For ordinary catching up see [`Group::is_filling`].
    #[must_use]
    pub fn is_missing_some(&self) -> bool {
        self.timeline.is_missing_some() || (self.is_loaded() && self.history.is_loading_latest())
    }

    /// Whether everything up to the cursor is loaded, nothing after it is known to be missing, and new events arrive
    /// live. Always `false` while the link is down.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.is_live() && self.is_loaded() && !self.is_filling() && !self.is_missing_some()
    }

    /// The newest message up to which nothing is missing: «Tienes todo hasta el mensaje N». The user's own message may
    /// stand after it, if it was acknowledged before its event arrived.
    #[must_use]
    pub fn complete_up_to(&self) -> Option<&Message> {
        let cursor = self.timeline.cursor()?;
        self.timeline.rows().rev().skip_while(|row| row.seq() > cursor.seq).find_map(Row::message)
    }

    /// Whether new events arrive live.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.stream.is_live()
    }

    /// Whether the server does not let the user follow the group (any more).
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.stream.is_gone()
    }

    /// How far the user has read.
    #[must_use]
    pub fn last_read(&self) -> Seq {
        self.reading.known().max(self.roster.reads().get(&self.user).copied().unwrap_or(0))
    }

    /// How many loaded messages of others after this seq the user has not read.
    #[must_use]
    pub fn unread_after(&self, seq: Seq) -> usize {
        self.unread_messages(seq).count()
    }

    /// How many of these messages mention the user or everyone. As in the server's count, nobody whom the user has
    /// `blocked` mentions the user.
    #[must_use]
    pub fn unread_mentions_after(&self, seq: Seq, blocked: &[UserId]) -> usize {
        let mentions =
            |message: &&Message| message.content.mentions_everyone || message.content.mentions.contains(&self.user);
        let is_heard = |message: &&Message| message.user_id.is_none_or(|author| !blocked.contains(&author));
        self.unread_messages(seq).filter(mentions).filter(is_heard).count()
    }

    fn unread_messages(&self, seq: Seq) -> impl Iterator<Item = &Message> {
        let read = self.last_read().max(seq);
        let behind = self.timeline.rows().rev().take_while(move |row| row.seq() > read).filter_map(Row::message);
        behind.filter(|message| message.status && message.user_id != Some(self.user))
    }

    /// The seq for [`super::Input::MarkRead`] when the user sees the end of the rows. `None` if the user has read that
    /// far already, or if newer rows are not loaded, so that the end of the rows is not the end of the conversation.
    #[must_use]
    pub fn seen_at_end(&self) -> Option<Seq> {
        let seq = self.timeline.cursor().filter(|_| !self.timeline.has_more_after())?.seq;
        (seq > self.last_read()).then_some(seq)
    }

    /// The seq up to which all other members have read: ✓✓. The caller names the current members, from `GET …/members`,
    /// because the session knows only of those who have read something. 0 if there are no other members.
    #[must_use]
    pub fn read_by_all(&self, members: impl IntoIterator<Item = UserId>) -> Seq {
        self.roster.read_by_all(self.user, members).unwrap_or(0)
    }

    pub(super) fn is_joining(&self) -> bool {
        self.stream.is_joining()
    }

    /// Whether this client wants the group's events from the server.
    pub(super) fn is_followed(&self) -> bool {
        self.wanted || self.outbox.has_unsent()
    }

    /// The socket is lost.
    pub(super) fn lose(&mut self, shared: &mut Shared) {
        self.stream.lose();
        self.timeline.forget_held();
        self.reading.lose();
        self.composing.lose();
        if self.outbox.lose() {
            shared.out.change(Change::Outbox { group: self.id });
        }
        if self.roster.hush() {
            shared.out.change(Change::Typing { group: self.id });
        }
    }

    /// The person wants the group again after its end. The user may have been added again: starts from the beginning.
    pub(super) fn start_again(&mut self, shared: &Shared) {
        self.stream.fall_silent();
        self.timeline = Timeline::new(shared.rows);
        self.history = History::default();
    }

    /// A socket is open and the server has said `hello`.
    pub(super) fn greet(&mut self, shared: &mut Shared, now: Instant) {
        self.follow(shared, now, 0);
        self.hurry_history(shared, now);
    }

    /// Stops following the group if it is no longer needed. Returns whether the session can forget it.
    pub(super) fn let_go(&mut self, shared: &mut Shared) -> bool {
        if self.is_followed() {
            return false;
        }
        self.stream.unsubscribe(self.id, shared);
        self.outbox.is_empty()
    }

    /// Sends what may be sent now.
    pub(super) fn pump(&mut self, shared: &mut Shared, now: Instant) {
        if !self.is_live() {
            return;
        }
        self.reading.flush(self.id, shared, now);
        if shared.online {
            self.send_next(shared, now);
        }
    }

    /// Handles passed deadlines. Returns whether the socket seems to be dead.
    pub(super) fn tick(&mut self, shared: &mut Shared, now: Instant) -> bool {
        if self.roster.expire(now) {
            shared.out.change(Change::Typing { group: self.id });
        }
        self.composing.tick(self.id, shared, now);
        self.tick_history(shared, now);
        let unanswered = self.tick_stream(shared, now);
        let swallowed = self.tick_outbox(shared, now);
        unanswered || swallowed
    }

    pub(super) fn deadline(&self, shared: &Shared) -> Option<Instant> {
        let reading = if self.is_live() { self.reading.deadline() } else { None };
        [
            self.roster.deadline(),
            self.composing.deadline(),
            self.history.deadline(shared),
            self.stream.deadline(),
            self.outbox.deadline(),
            reading,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Reports [`Change::Progress`] if one of its facts changed.
    pub(super) fn show(&mut self, shared: &mut Shared) {
        let progress = Progress {
            filling: self.is_filling(),
            missing: self.is_missing_some(),
            whole: self.is_whole(),
            older: self.older(),
            has_more_after: self.timeline.has_more_after(),
            newer_failed: self.newer_failed(),
        };
        if progress != self.shown_progress {
            self.shown_progress = progress;
            shared.out.change(Change::Progress { group: self.id });
        }
    }
}
