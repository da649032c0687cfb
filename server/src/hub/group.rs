//! A group that somebody follows on this server: who follows it, how far it was delivered, who is here.
//!
//! Pure state behind the registry's lock: no I/O, no clock, never waits. Owns the rule of the log (idea 1): an event is
//! delivered only if its seq is the last delivered one plus one; a lower one is dropped, a higher one shows a gap that
//! the feed fills from the database. Promises G3 to everybody who follows: one order, no hole, no repeat.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use caravana_protocol::limits::TYPING_MEMBERS;
use caravana_protocol::{
    CaughtUp, Epoch, Event, GroupId, Joined, Left, LeftReason, Presence, Read, Resync, ResyncReason, Seq, ServerFrame,
    Typing, UserId,
};

use super::peer::Peer;
use crate::frame::{Frame, FramedPage};
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
    online: HashMap<UserId, u32>,
    typing: HashMap<UserId, Instant>,
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
            let follower = Follower { peer: Arc::clone(peer), stream, after: REPLAYING, joined: false };
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

    /// Bytes that wait for the slowest follower.
    pub(super) fn backlog(&self) -> usize {
        self.followers.iter().map(|follower| follower.peer.mailbox.waiting_bytes()).max().unwrap_or(0)
    }

    /// Delivers an event if it is the next one.
    pub(super) fn apply(&mut self, event: &Event, frame: &Frame) -> Applied {
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
        self.before(event);
        for follower in &self.followers {
            if follower.after < seq {
                follower.peer.mailbox.push(frame);
            }
        }
        Applied::Yes
    }

    /// Delivers a page of the log that has no membership changes in it, as one piece. The page must start at the next
    /// event; what was delivered meanwhile is skipped.
    pub(super) fn apply_page(&mut self, last: Seq, page: &FramedPage) {
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
    fn before(&mut self, event: &Event) {
        match event {
            Event::NewMessage(message) => {
                if let Some(author) = message.user_id {
                    self.stop_typing(author, message.group_id);
                }
            }
            Event::MemberLeft(left) => {
                if let Some(channel) = &mut self.channel {
                    channel.members = channel.members.saturating_sub(1);
                    channel.reads.remove(&left.user_id);
                }
                self.cut(left.group_id, LeftReason::Removed, |peer| peer.user == left.user_id);
            }
            Event::MemberJoined(_) => {
                if let Some(channel) = &mut self.channel {
                    channel.members += 1;
                }
            }
            Event::MessageEdited(_) | Event::MessageDeleted(_) | Event::GroupUpdated(_) => {}
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

/// The streams of single followers.
impl Group {
    fn stream(&mut self, key: u64, stream: u64) -> Option<&mut Follower> {
        self.followers.iter_mut().find(|follower| follower.peer.key == key && follower.stream == stream)
    }

    /// Whether that stream is still meant.
    pub(super) fn has_stream(&mut self, key: u64, stream: u64) -> bool {
        self.stream(key, stream).is_some()
    }

    /// How far a live stream was served; `None` while the log is still being read for it, when a head would look like
    /// a lost tail.
    pub(super) fn live_head(&mut self, key: u64, stream: u64) -> Option<Seq> {
        let delivered = self.delivered();
        self.stream(key, stream).filter(|follower| follower.after != REPLAYING).map(|_| delivered)
    }

    /// Sends `joined`. Without a cursor the stream is live from here.
    pub(super) fn join(&mut self, group_id: GroupId, key: u64, stream: u64, at_least: Seq, live: bool) -> Step {
        let Some(channel) = &self.channel else { return Step::Ended };
        let (epoch, head, reads) = (channel.epoch, channel.head.max(at_least), channel.reads.clone());
        let Some(follower) = self.stream(key, stream) else { return Step::Ended };
        let peer = Arc::clone(&follower.peer);
        let was_joined = std::mem::replace(&mut follower.joined, true);
        if live {
            follower.after = head;
        }
        if !was_joined {
            self.came(group_id, peer.user, key);
        }
        let roster = self.online.keys().copied().collect();
        peer.mailbox.push(&Frame::server(&ServerFrame::Joined(Joined { group_id, epoch, head, roster, reads })));
        if live { Step::Live } else { Step::Behind }
    }

    /// Tells that the cursor can't be continued and makes the stream live.
    pub(super) fn resync(&mut self, group_id: GroupId, key: u64, stream: u64, at_least: Seq, reason: ResyncReason) {
        if self.join(group_id, key, stream, at_least, true) == Step::Ended {
            return;
        }
        let Some(epoch) = self.epoch() else { return };
        let Some(follower) = self.stream(key, stream) else { return };
        let resync = Resync { group_id, epoch, head: follower.after, reason };
        follower.peer.mailbox.push(&Frame::server(&ServerFrame::Resync(resync)));
    }

    /// Sends a page of the log to one stream, if it is still meant.
    pub(super) fn replay(&mut self, key: u64, stream: u64, page: &Frame) -> Step {
        let Some(follower) = self.stream(key, stream) else { return Step::Ended };
        follower.peer.mailbox.push_page(page);
        Step::Behind
    }

    /// Makes a stream live that has everything up to `seq`, unless more was delivered meanwhile. This is the seam: it
    /// runs under the same lock as every delivery, so that an event is either in the pages before or comes live after.
    pub(super) fn go_live(&mut self, group_id: GroupId, key: u64, stream: u64, seq: Seq) -> Step {
        let Some(channel) = &self.channel else { return Step::Ended };
        let (epoch, behind) = (channel.epoch, channel.head > seq);
        let Some(follower) = self.stream(key, stream) else { return Step::Ended };
        if behind {
            return Step::Behind;
        }
        follower.after = seq;
        let caught_up = CaughtUp { group_id, epoch, seq };
        follower.peer.mailbox.push(&Frame::server(&ServerFrame::CaughtUp(caught_up)));
        Step::Live
    }

    /// The group's history id, once loaded.
    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.channel.as_ref().map(|channel| channel.epoch)
    }
}

/// What is soft: who is here, who writes, who has read.
impl Group {
    /// In large groups presence and typing would be most of the traffic and help nobody.
    fn is_small(&self) -> bool {
        self.channel.as_ref().is_some_and(|channel| channel.members <= TYPING_MEMBERS)
            && self.online.len() <= TYPING_MEMBERS
    }

    fn came(&mut self, group_id: GroupId, user_id: UserId, key: u64) {
        let sockets = self.online.entry(user_id).or_insert(0);
        *sockets += 1;
        if *sockets == 1 && self.is_small() {
            let frame = Frame::server(&ServerFrame::Presence(Presence { group_id, user_id, online: true }));
            self.others(|peer| peer.key != key, &frame);
        }
    }

    fn tell_presence(&self, presence: Presence) {
        if self.is_small() {
            let user_id = presence.user_id;
            self.others(|peer| peer.user != user_id, &Frame::server(&ServerFrame::Presence(presence)));
        }
    }

    fn others(&self, which: impl Fn(&Peer) -> bool, frame: &Frame) {
        for follower in self.followers.iter().filter(|follower| follower.joined && which(&follower.peer)) {
            follower.peer.mailbox.push_soft(frame);
        }
    }

    /// The users who are here and how many connections each has.
    pub(super) fn online(&self) -> BTreeMap<UserId, u32> {
        self.online.iter().map(|(user, sockets)| (*user, *sockets)).collect()
    }

    /// Somebody writes, until the moment given.
    pub(super) fn start_typing(&mut self, user_id: UserId, group_id: GroupId, until: Instant) {
        if self.is_small() && self.online.contains_key(&user_id) {
            self.typing.insert(user_id, until);
            let frame = Frame::server(&ServerFrame::UserTyping(Typing { user_id, group_id }));
            self.others(|peer| peer.user != user_id, &frame);
        }
    }

    /// Somebody no longer writes.
    pub(super) fn stop_typing(&mut self, user_id: UserId, group_id: GroupId) {
        if self.typing.remove(&user_id).is_some() {
            let frame = Frame::server(&ServerFrame::UserStopTyping(Typing { user_id, group_id }));
            self.others(|peer| peer.user != user_id, &frame);
        }
    }

    /// Ends what was not repeated in time.
    pub(super) fn expire_typing(&mut self, group_id: GroupId, now: Instant) {
        let over: Vec<UserId> = self.typing.iter().filter(|(_, until)| **until <= now).map(|(user, _)| *user).collect();
        for user_id in over {
            self.stop_typing(user_id, group_id);
        }
    }

    /// Whether this member is known to have read this far.
    pub(super) fn has_read(&self, user_id: UserId, seq: Seq) -> bool {
        self.channel.as_ref().is_some_and(|channel| channel.reads.get(&user_id).is_some_and(|read| *read >= seq))
    }

    /// Somebody has read this far.
    pub(super) fn read(&mut self, group_id: GroupId, user_id: UserId, seq: Seq) {
        let Some(channel) = &mut self.channel else { return };
        let mark = channel.reads.entry(user_id).or_insert(0);
        if *mark >= seq {
            return;
        }
        *mark = seq;
        let frame = Frame::server(&ServerFrame::Read(Read { group_id, user_id, seq }));
        self.others(|_| true, &frame);
    }

    /// Ends every stream because the group ended.
    pub(super) fn delete(&mut self, group_id: GroupId) {
        self.online.clear();
        self.typing.clear();
        for follower in std::mem::take(&mut self.followers) {
            follower.peer.cut_off(group_id, LeftReason::GroupDeleted);
        }
    }

    /// Tells a connection that asked that it no longer follows.
    pub(super) fn say_left(peer: &Peer, group_id: GroupId, reason: LeftReason) {
        peer.mailbox.push(&Frame::server(&ServerFrame::Left(Left { group_id, reason })));
    }
}
