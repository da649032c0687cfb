//! The streams of single followers: from registered without events to live.

use std::collections::BTreeMap;
use std::sync::Arc;

use caravana_protocol::limits::JOINED_USERS;
use caravana_protocol::{CaughtUp, Epoch, GroupId, Joined, Resync, ResyncReason, Seq, ServerFrame, UserId};
use caravana_store::GroupState;
use caravana_telemetry::metrics;

use super::{Follower, Group, REPLAYING, Step};
use crate::frame::Outgoing;

impl Group {
    fn stream(&mut self, key: u64, stream: u64) -> Option<&mut Follower> {
        self.followers.iter_mut().find(|follower| follower.peer.key == key && follower.stream == stream)
    }

    /// Whether this is still the connection's current stream.
    pub(crate) fn has_stream(&mut self, key: u64, stream: u64) -> bool {
        self.stream(key, stream).is_some()
    }

    /// The last delivered seq of a live stream. `None` while its replay is running: the client would take the group's
    /// head for a sign that it lost the last events.
    pub(crate) fn live_head(&mut self, key: u64, stream: u64) -> Option<Seq> {
        let delivered = self.delivered();
        self.stream(key, stream).filter(|follower| follower.after != REPLAYING).map(|_| delivered)
    }

    /// Sends `joined`. Without a cursor the stream is live from here.
    pub(crate) fn join(&mut self, group_id: GroupId, key: u64, stream: u64, at_least: Seq, live: bool) -> Step {
        let Some(group_state) = &self.known else { return Step::Ended };
        let (epoch, head) = (group_state.epoch, group_state.head.max(at_least));
        let Some(follower) = self.stream(key, stream) else { return Step::Ended };
        let peer = Arc::clone(&follower.peer);
        let was_joined = std::mem::replace(&mut follower.joined, true);
        if live {
            follower.after = head;
        }
        if !was_joined {
            // Where a host owns the memberships, no event tells of a new member.
            if let Some(group_state) = &mut self.known {
                group_state.members.insert(peer.user);
            }
            self.came(group_id, peer.user, key);
        }
        let shares = peer.sharing().share_reads;
        let known = self.known.as_ref();
        let reads = known.map(|group_state| shown_reads(group_state, peer.user, shares && !self.is_closed()));
        // To whoever does not share, all others are hidden.
        let hidden = known.filter(|_| shares).into_iter().flat_map(|group_state| self.hidden(group_state));
        let hidden_reads = hidden.copied().filter(|user| *user != peer.user).take(JOINED_USERS).collect();
        let reads = reads.unwrap_or_default();
        let roster = self.told_roster(peer.user);
        let joined = ServerFrame::Joined(Joined { group_id, epoch, head, roster, reads, hidden_reads });
        peer.mailbox.push_beginning(&Outgoing::server(&joined));
        if live { Step::Live } else { Step::Behind }
    }

    /// Tells the client that its cursor can't be continued, and makes the stream live.
    pub(crate) fn resync(&mut self, group_id: GroupId, key: u64, stream: u64, at_least: Seq, reason: ResyncReason) {
        if self.join(group_id, key, stream, at_least, true) == Step::Ended {
            return;
        }
        let Some(epoch) = self.epoch() else { return };
        let Some(follower) = self.stream(key, stream) else { return };
        metrics::resync(reason);
        let resync = Resync { group_id, epoch, head: follower.after, reason };
        follower.peer.mailbox.push_beginning(&Outgoing::server(&ServerFrame::Resync(resync)));
    }

    /// Sends a page of the log to one stream, if the stream is still current.
    pub(crate) fn replay(&mut self, key: u64, stream: u64, page: &Outgoing) -> Step {
        let Some(follower) = self.stream(key, stream) else { return Step::Ended };
        follower.peer.mailbox.push_beginning(page);
        Step::Behind
    }

    /// Makes a stream live that has received everything up to `seq`, unless more was delivered in the meantime. This is
    /// the seam between replay and live. It runs under the same lock as every delivery, so an event is either in an
    /// earlier page or comes live.
    pub(crate) fn go_live(&mut self, group_id: GroupId, key: u64, stream: u64, seq: Seq) -> Step {
        let Some(group_state) = &self.known else { return Step::Ended };
        let (epoch, behind) = (group_state.epoch, group_state.head > seq);
        let Some(follower) = self.stream(key, stream) else { return Step::Ended };
        if behind {
            return Step::Behind;
        }
        follower.after = seq;
        let caught_up = CaughtUp { group_id, epoch, seq };
        follower.peer.mailbox.push_beginning(&Outgoing::server(&ServerFrame::CaughtUp(caught_up)));
        Step::Live
    }

    /// The users that `joined` names as online: all, or as many as it may hold, always including the user itself.
    fn told_roster(&self, own: UserId) -> Vec<UserId> {
        if self.online.len() <= JOINED_USERS {
            return self.online.users().filter(|user| self.shows(own, *user)).collect();
        }
        let others = self.online.users().filter(|user| *user != own);
        std::iter::once(own).chain(others).take(JOINED_USERS).collect()
    }

    /// The id of the group's history, once loaded.
    pub(crate) fn epoch(&self) -> Option<Epoch> {
        self.known.as_ref().map(|group_state| group_state.epoch)
    }
}

/// The read marks that a user is shown: one's own, and if the user shares it those of the others who do.
pub(super) fn shown_reads(group_state: &GroupState, own: UserId, shares: bool) -> BTreeMap<UserId, Seq> {
    let GroupState { reads, hidden, .. } = group_state;
    if shares && hidden.is_empty() {
        return told_reads(reads, own);
    }
    let shown = reads.iter().filter(|(user, _)| **user == own || shares && !hidden.contains(*user));
    told_reads(&shown.map(|(user, seq)| (*user, *seq)).collect(), own)
}

/// The read marks in `joined`: all, or as many as it may hold. The user's own mark comes first, then the highest ones.
/// To the client, a member without a mark has read nothing. So the client never shows an unread message as read.
fn told_reads(reads: &BTreeMap<UserId, Seq>, own: UserId) -> BTreeMap<UserId, Seq> {
    if reads.len() <= JOINED_USERS {
        return reads.clone();
    }
    let own_mark = reads.get(&own).map(|seq| (own, *seq));
    let mut others: Vec<(UserId, Seq)> =
        reads.iter().filter(|(user, _)| **user != own).map(|(user, seq)| (*user, *seq)).collect();
    let most = JOINED_USERS - usize::from(own_mark.is_some());
    others.select_nth_unstable_by(most, |a, b| b.1.cmp(&a.1));
    others.truncate(most);
    others.into_iter().chain(own_mark).collect()
}
