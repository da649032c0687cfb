//! A group that is followed on this server: its followers, its last delivered event, and who is online.
//!
//! Pure state behind the registry's lock: no I/O, no clock, never waits. Owns the rule of the log (idea 1): an event is
//! delivered only if its seq is the last delivered seq plus one. A lower one is dropped. A higher one shows a gap,
//! which the feed fills from the database. Promises G3 to every follower: one order, no gap, no duplicate.

mod closed;
mod online;
mod soft;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use caravana_protocol::{Event, GroupId, LeftReason, Seq, UserId};
use caravana_store::GroupState;
use tokio::time::Instant;

use super::peer::Peer;
use crate::frame::Outgoing;
use online::Online;

/// The state that the hub keeps for a group while it has followers.
#[derive(Default)]
pub(super) struct Group {
    /// `None` until it was read from the store.
    known: Option<GroupState>,
    /// The highest seq that any hint has named.
    target: Seq,
    /// Whether a task is reading the log because of a gap.
    pulling: bool,
    /// A signal without a seq said that the log moved, and the log was not read since.
    nudged: bool,
    followers: Vec<Follower>,
    online: Online,
    untold: Untold,
    typing: BTreeMap<UserId, Instant>,
    /// Whether it is a conversation of two that is closed. `None` until the store or a signal said so.
    closed: Option<bool>,
    /// Whether the followers were told who comes and goes when the group was looked at last.
    tells_presence: bool,
}

/// What the other instances must be told of the connections here.
#[derive(Default)]
struct Untold {
    /// The users whose number of connections has changed.
    users: BTreeSet<UserId>,
    /// Whether these are all users with a connection.
    is_all: bool,
}

struct Follower {
    peer: Arc<Peer>,
    /// The number of this stream among the connection's streams of this group. A new `subscribe` starts a new stream; a
    /// task that still works for the old one finds that its number is no longer current.
    stream: u64,
    /// The stream is live from the event after this one. [`REPLAYING`] while the log is still being read for it.
    after: Seq,
    /// Whether `joined` was sent. From then on the user counts as online.
    joined: bool,
    /// Whether the others have waited for this follower without success, and no longer wait for it.
    given_up: bool,
    /// How many bytes its reader had taken when the others began to wait.
    taken: u64,
}

/// Above every seq, so that a follower gets no live events while its replay is running.
const REPLAYING: Seq = Seq::MAX;

/// The result of applying an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It was the next event and was delivered, or it was an old one and was dropped.
    Yes,
    /// It was delivered, and so much waits for a follower that the loops that write should get a turn.
    Filling,
    /// An event before it is missing.
    Gap,
}

/// The state of a stream after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is live.
    Live,
    /// The log has more events for it.
    Behind,
    /// A new stream has replaced it, or the connection left the group.
    Ended,
}

impl Group {
    /// Adds a connection as a follower that gets nothing yet.
    pub(super) fn enter(&mut self, peer: &Arc<Peer>, stream: u64) {
        if let Some(follower) = self.followers.iter_mut().find(|follower| follower.peer.key == peer.key) {
            follower.stream = stream;
            follower.after = REPLAYING;
        } else {
            let peer = Arc::clone(peer);
            let follower = Follower { peer, stream, after: REPLAYING, joined: false, given_up: false, taken: 0 };
            self.followers.push(follower);
        }
    }

    /// Whether the state was loaded from the store.
    pub(super) fn is_loaded(&self) -> bool {
        self.known.is_some()
    }

    /// Sets the state that was read from the store. Only the first call has an effect, because the hub has continued
    /// from that state. Returns whether more was committed while the store was being read.
    pub(super) fn load(&mut self, group_state: GroupState) -> bool {
        if self.known.is_none() {
            // A signal that came while the store was being read is newer.
            self.closed.get_or_insert(group_state.is_closed);
            self.known = Some(group_state);
            // Nobody has joined yet, so nobody has missed anything.
            self.tells_presence = self.is_lively();
        }
        self.is_behind() || self.nudged
    }

    /// The users who follow it.
    pub(super) fn users(&self) -> BTreeSet<UserId> {
        self.followers.iter().map(|follower| follower.peer.user).collect()
    }

    /// Whether it has no follower.
    pub(super) fn is_empty(&self) -> bool {
        self.followers.is_empty()
    }

    /// The seq of the last delivered event.
    pub(super) fn delivered(&self) -> Seq {
        self.known.as_ref().map_or(0, |group_state| group_state.head)
    }

    /// Notes that the log reaches this seq. Returns whether events are missing here.
    pub(super) fn hint(&mut self, seq: Seq) -> bool {
        self.target = self.target.max(seq);
        self.is_behind()
    }

    /// Notes that the log moved, without a seq. Returns whether the log can be read now.
    pub(super) fn nudge(&mut self) -> bool {
        self.nudged = true;
        self.is_loaded()
    }

    /// Marks that a task reads the log. Returns `false` if a task already does.
    pub(super) fn begin_pull(&mut self) -> bool {
        !std::mem::replace(&mut self.pulling, true)
    }

    /// The seq after which the next page of the log begins. That page will contain everything that was signalled so
    /// far.
    pub(super) fn next_pull(&mut self) -> Seq {
        self.nudged = false;
        self.delivered()
    }

    /// After a page: returns whether there is more to read. If the page was empty, a hint above the end of the log
    /// belonged to a replaced history, and is forgotten.
    pub(super) fn end_pull(&mut self, was_empty: bool) -> bool {
        if was_empty {
            self.target = self.delivered();
        }
        self.pulling = self.nudged || self.is_behind();
        self.pulling
    }

    /// Whether a hint has named a seq that was not yet delivered.
    fn is_behind(&self) -> bool {
        self.known.as_ref().is_some_and(|group_state| group_state.head < self.target)
    }

    /// Whether a follower that was not given up has more than `backlog` bytes waiting.
    pub(super) fn has_slow_followers(&mut self, backlog: usize) -> bool {
        let mut some = false;
        for follower in &mut self.followers {
            let is_slow = follower.peer.mailbox.waiting_bytes() > backlog;
            follower.given_up &= is_slow;
            some |= is_slow && !follower.given_up;
        }
        some
    }

    /// Records how much each follower had taken when the others begin to wait for slow followers.
    pub(super) fn begin_wait(&mut self) {
        for follower in &mut self.followers {
            follower.taken = follower.peer.mailbox.taken_bytes();
        }
    }

    /// Ends the wait. A follower is given up if it still has more than `backlog` bytes waiting, and took fewer bytes
    /// than one page during the wait. The others wait for it again only after it has less waiting.
    pub(super) fn end_wait(&mut self, backlog: usize, page: usize) {
        for follower in &mut self.followers {
            let mailbox = &follower.peer.mailbox;
            let keeps_pace = mailbox.taken_bytes() >= follower.taken + page as u64;
            follower.given_up |= mailbox.waiting_bytes() > backlog && !keeps_pace;
        }
    }

    /// Delivers an event if it is the next one.
    pub(super) fn apply(&mut self, event: &Event, frame: &Outgoing) -> Applied {
        self.apply_before(event, frame, &[])
    }

    /// Delivers an event if it is the next one; `later` are the events that follow it. A member who was removed and is
    /// added again in `later` keeps its stream. Otherwise the client would be told of a removal that no longer holds,
    /// and would not open the group again.
    pub(super) fn apply_before(&mut self, event: &Event, frame: &Outgoing, later: &[Event]) -> Applied {
        let seq = event.seq();
        let Some(group_state) = &mut self.known else {
            // The store is being read at the moment, possibly at a state before this event.
            self.target = self.target.max(seq);
            return Applied::Yes;
        };
        if seq <= group_state.head {
            return Applied::Yes;
        }
        if seq != group_state.head + 1 {
            self.target = self.target.max(seq);
            return Applied::Gap;
        }
        group_state.head = seq;
        self.before(event, later);
        let mut should_drain = false;
        for follower in &self.followers {
            if follower.after < seq {
                should_drain |= follower.peer.mailbox.push(frame);
            }
        }
        if should_drain { Applied::Filling } else { Applied::Yes }
    }

    /// Delivers a page of the log, without membership changes in it, as one frame. The page must start at the next
    /// event; events that were delivered in the meantime are skipped.
    pub(super) fn apply_page(&mut self, last: Seq, page: &Outgoing) {
        let Some(group_state) = &mut self.known else { return };
        let delivered = group_state.head;
        if last <= delivered {
            return;
        }
        group_state.head = last;
        let whole = page.after(delivered);
        for follower in &self.followers {
            if follower.after <= delivered {
                follower.peer.mailbox.push(&whole);
            } else if follower.after < last {
                follower.peer.mailbox.push(&page.after(follower.after));
            }
        }
    }

    /// Applies an event to the state before it is delivered, so that a removed member does not get the event.
    fn before(&mut self, event: &Event, later: &[Event]) {
        match event {
            Event::MemberLeft(left) => {
                self.forget_member(left.user_id);
                let returns =
                    |event: &Event| matches!(event, Event::MemberJoined(joined) if joined.user_id == left.user_id);
                if !later.iter().any(returns) {
                    self.cut(left.group_id, LeftReason::Removed, |peer| peer.user == left.user_id);
                }
            }
            Event::MemberJoined(joined) => {
                if let Some(group_state) = &mut self.known {
                    group_state.members.insert(joined.user_id);
                }
            }
            Event::NewMessage(_)
            | Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::GroupUpdated(_)
            | Event::ReactionChanged(_)
            | Event::MessagePinned(_)
            | Event::MessageUnpinned(_)
            | Event::Other(_) => {}
        }
    }

    /// Forgets a member who was removed, and how far the member had read.
    pub(super) fn forget_member(&mut self, user: UserId) {
        if let Some(group_state) = &mut self.known {
            group_state.members.remove(&user);
            group_state.reads.remove(&user);
            group_state.hidden.remove(&user);
        }
    }

    /// Ends the streams of the connections for which `which` is true.
    pub(super) fn cut(&mut self, group_id: GroupId, reason: LeftReason, which: impl Fn(&Peer) -> bool) {
        let (cut, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.followers).into_iter().partition(|follower| which(&follower.peer));
        self.followers = kept;
        for follower in cut {
            follower.peer.cut_off(group_id, reason);
            self.gone(&follower, group_id);
        }
    }

    /// Removes a connection from the followers. Returns whether it was one.
    pub(super) fn leave(&mut self, key: u64, group_id: GroupId) -> bool {
        let Some(index) = self.followers.iter().position(|follower| follower.peer.key == key) else { return false };
        let follower = self.followers.swap_remove(index);
        self.gone(&follower, group_id);
        true
    }

    fn gone(&mut self, follower: &Follower, group_id: GroupId) {
        let user_id = follower.peer.user;
        if !follower.joined {
            return;
        }
        self.untold.users.insert(user_id);
        if self.online.went(user_id) {
            self.went_offline(group_id, user_id);
        }
    }
}
