//! A group that somebody follows on this server: who follows it, how far it was delivered, who is here.
//!
//! Pure state behind the registry's lock: no I/O, no clock, never waits. Owns the rule of the log (idea 1): an event is
//! delivered only if its seq is the last delivered one plus one; a lower one is dropped, a higher one shows a gap that
//! the feed fills from the database. Promises G3 to everybody who follows: one order, no hole, no repeat.

mod soft;
mod streams;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use caravana_protocol::{Event, GroupId, LeftReason, Presence, Seq, UserId};
use tokio::time::Instant;

use super::peer::Peer;
use crate::frame::Outgoing;
use crate::store::Channel;

/// A group as the hub keeps it while somebody follows it.
#[derive(Default)]
pub(super) struct Group {
    /// `None` until it was read from the store.
    channel: Option<Channel>,
    /// The highest seq that any hint has named.
    target: Seq,
    /// Whether a task is reading the log because of a gap.
    pulling: bool,
    /// The log moved, it was not said how far, and nobody has looked since.
    nudged: bool,
    followers: Vec<Follower>,
    online: BTreeMap<UserId, u32>,
    typing: BTreeMap<UserId, Instant>,
}

struct Follower {
    peer: Arc<Peer>,
    /// Which of the connection's streams of this group this is; a new `subscribe` starts a new one, and whatever still
    /// works for the old one finds that it is no longer meant.
    stream: u64,
    /// Live from the event after this one. [`REPLAYING`] while the log is still being read for it.
    after: Seq,
    /// Whether `joined` was sent, which makes the user present.
    joined: bool,
    /// Whether the others have waited for it in vain, and go on without.
    given_up: bool,
    /// What its reader had taken when the others began to wait.
    taken: u64,
}

/// Above every seq, so that a follower that is still being replayed gets nothing live.
const REPLAYING: Seq = Seq::MAX;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It was the next one, or an old one.
    Yes,
    /// Something before it is missing.
    Gap,
}

/// How far a stream is after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It is live.
    Live,
    /// The log has more for it.
    Behind,
    /// Another stream took its place, or the connection left.
    Ended,
}

impl Group {
    /// Takes a connection in as a follower that gets nothing yet.
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

    /// Whether the store was read for it.
    pub(super) fn is_loaded(&self) -> bool {
        self.channel.is_some()
    }

    /// Takes what the store knows. The first answer stands, because the hub has gone on from it. Answers whether more
    /// was committed while the store was being read.
    pub(super) fn load(&mut self, channel: Channel) -> bool {
        self.channel.get_or_insert(channel);
        self.is_behind() || self.nudged
    }

    /// Who follows it.
    pub(super) fn users(&self) -> BTreeSet<UserId> {
        self.followers.iter().map(|follower| follower.peer.user).collect()
    }

    /// Whether anybody follows it.
    pub(super) fn is_empty(&self) -> bool {
        self.followers.is_empty()
    }

    /// The last delivered event.
    pub(super) fn delivered(&self) -> Seq {
        self.channel.as_ref().map_or(0, |channel| channel.head)
    }

    /// Notes that the log reaches this far. Answers whether something is missing here.
    pub(super) fn hint(&mut self, seq: Seq) -> bool {
        self.target = self.target.max(seq);
        self.is_behind()
    }

    /// Notes that the log moved, without knowing how far. Answers whether it can be looked at now.
    pub(super) fn nudge(&mut self) -> bool {
        self.nudged = true;
        self.is_loaded()
    }

    /// Begins to read the log, unless that is being done already.
    pub(super) fn begin_pull(&mut self) -> bool {
        !std::mem::replace(&mut self.pulling, true)
    }

    /// Where the next page of the log begins; what was noted up to now will be in it.
    pub(super) fn next_pull(&mut self) -> Seq {
        self.nudged = false;
        self.delivered()
    }

    /// After a page: whether there is more to read. A hint above the end of the log was of a history that no longer is,
    /// and is forgotten.
    pub(super) fn end_pull(&mut self, was_empty: bool) -> bool {
        if was_empty {
            self.target = self.delivered();
        }
        self.pulling = self.nudged || self.is_behind();
        self.pulling
    }

    /// Whether a hint has named more than was delivered.
    fn is_behind(&self) -> bool {
        self.channel.as_ref().is_some_and(|channel| channel.head < self.target)
    }

    /// Whether somebody has more than this waiting who was not given up on.
    pub(super) fn has_slow_followers(&mut self, backlog: usize) -> bool {
        let mut some = false;
        for follower in &mut self.followers {
            let is_slow = follower.peer.mailbox.waiting_bytes() > backlog;
            follower.given_up &= is_slow;
            some |= is_slow && !follower.given_up;
        }
        some
    }

    /// The others begin to wait for who is slow.
    pub(super) fn begin_wait(&mut self) {
        for follower in &mut self.followers {
            follower.taken = follower.peer.mailbox.taken_bytes();
        }
    }

    /// They have waited long enough: who has more than `backlog` waiting still, and did not even take what a page brings, is
    /// waited for no more until they have less.
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

    /// The same where it is known what comes after it. Whoever left and has come back since is not cut off: they would be
    /// told of a removal that is over, and open the group no more.
    pub(super) fn apply_before(&mut self, event: &Event, frame: &Outgoing, later: &[Event]) -> Applied {
        let seq = event.seq();
        let Some(channel) = &mut self.channel else {
            // The store is being read just now, perhaps from before this event.
            self.target = self.target.max(seq);
            return Applied::Yes;
        };
        if seq <= channel.head {
            return Applied::Yes;
        }
        if seq != channel.head + 1 {
            self.target = self.target.max(seq);
            return Applied::Gap;
        }
        channel.head = seq;
        self.before(event, later);
        for follower in &self.followers {
            if follower.after < seq {
                follower.peer.mailbox.push(frame);
            }
        }
        Applied::Yes
    }

    /// Delivers a page of the log that has no membership changes in it, as one piece. The page must start at the next
    /// event; what was delivered meanwhile is skipped.
    pub(super) fn apply_page(&mut self, last: Seq, page: &Outgoing) {
        let Some(channel) = &mut self.channel else { return };
        let delivered = channel.head;
        if last <= delivered {
            return;
        }
        channel.head = last;
        let whole = page.after(delivered);
        for follower in &self.followers {
            if follower.after <= delivered {
                follower.peer.mailbox.push(&whole);
            } else if follower.after < last {
                follower.peer.mailbox.push(&page.after(follower.after));
            }
        }
    }

    /// What an event changes in the state, before it is passed on: whoever left gets nothing of it.
    fn before(&mut self, event: &Event, later: &[Event]) {
        match event {
            Event::MemberLeft(left) => {
                if let Some(channel) = &mut self.channel {
                    channel.members.remove(&left.user_id);
                    channel.reads.remove(&left.user_id);
                }
                let returns =
                    |event: &Event| matches!(event, Event::MemberJoined(joined) if joined.user_id == left.user_id);
                if !later.iter().any(returns) {
                    self.cut(left.group_id, LeftReason::Removed, |peer| peer.user == left.user_id);
                }
            }
            Event::MemberJoined(joined) => {
                if let Some(channel) = &mut self.channel {
                    channel.members.insert(joined.user_id);
                }
            }
            Event::NewMessage(_)
            | Event::MessageEdited(_)
            | Event::MessageDeleted(_)
            | Event::GroupUpdated(_)
            | Event::Other(_) => {}
        }
    }

    /// Ends the streams of those connections.
    pub(super) fn cut(&mut self, group_id: GroupId, reason: LeftReason, which: impl Fn(&Peer) -> bool) {
        let (cut, kept): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.followers).into_iter().partition(|follower| which(&follower.peer));
        self.followers = kept;
        for follower in cut {
            follower.peer.cut_off(group_id, reason);
            self.gone(&follower, group_id);
        }
    }

    /// Lets a connection go. Answers whether it was there.
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
        let sockets = self.online.get_mut(&user_id).map_or(0, |sockets| {
            *sockets = sockets.saturating_sub(1);
            *sockets
        });
        if sockets == 0 {
            self.online.remove(&user_id);
            self.stop_typing(user_id, group_id);
            self.tell_presence(Presence { group_id, user_id, online: false });
        }
    }
}
