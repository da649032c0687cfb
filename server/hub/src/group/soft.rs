//! The soft state of a group: who is online, who is typing, who has read how far. Never stored here; dropped first when
//! a mailbox fills (G14).

use std::collections::BTreeMap;

use caravana_protocol::limits::TYPING_MEMBERS;
use caravana_protocol::{GroupId, LeftReason, Presence, Read, Seq, ServerFrame, Typing, UserId};
use tokio::time::Instant;

use super::super::peer::Peer;
use super::Group;
use crate::frame::Outgoing;

impl Group {
    /// In large groups presence and typing would be most of the traffic, and of little use.
    fn is_small(&self) -> bool {
        self.known.as_ref().is_some_and(|group_state| group_state.members.len() <= TYPING_MEMBERS)
            && self.online.len() <= TYPING_MEMBERS
    }

    pub(crate) fn came(&mut self, group_id: GroupId, user_id: UserId, key: u64) {
        let sockets = self.online.entry(user_id).or_insert(0);
        *sockets += 1;
        if *sockets == 1 && self.is_small() {
            let frame = Outgoing::server(&ServerFrame::Presence(Presence { group_id, user_id, online: true }));
            self.others(|peer| peer.key != key, &frame);
        }
    }

    pub(crate) fn tell_presence(&self, presence: Presence) {
        if self.is_small() {
            let user_id = presence.user_id;
            self.others(|peer| peer.user != user_id, &Outgoing::server(&ServerFrame::Presence(presence)));
        }
    }

    fn others(&self, which: impl Fn(&Peer) -> bool, frame: &Outgoing) {
        for follower in self.followers.iter().filter(|follower| follower.joined && which(&follower.peer)) {
            follower.peer.mailbox.push_soft(frame);
        }
    }

    /// The users who are online, and how many connections each of them has.
    pub(crate) fn online(&self) -> BTreeMap<UserId, u32> {
        self.online.clone()
    }

    /// Marks a user as typing until the given moment.
    pub(crate) fn start_typing(&mut self, user_id: UserId, group_id: GroupId, until: Instant) {
        if self.is_small() && self.online.contains_key(&user_id) {
            self.typing.insert(user_id, until);
            let frame = Outgoing::server(&ServerFrame::UserTyping(Typing { user_id, group_id }));
            self.others(|peer| peer.user != user_id, &frame);
        }
    }

    /// Whether a user is shown as typing.
    pub(crate) fn is_typing(&self, user_id: UserId) -> bool {
        self.typing.contains_key(&user_id)
    }

    /// Ends a user's typing state.
    pub(crate) fn stop_typing(&mut self, user_id: UserId, group_id: GroupId) {
        if self.typing.remove(&user_id).is_some() {
            let frame = Outgoing::server(&ServerFrame::UserStopTyping(Typing { user_id, group_id }));
            self.others(|peer| peer.user != user_id, &frame);
        }
    }

    /// Ends the typing states that were not repeated in time.
    pub(crate) fn expire_typing(&mut self, group_id: GroupId, now: Instant) {
        let over: Vec<UserId> = self.typing.iter().filter(|(_, until)| **until <= now).map(|(user, _)| *user).collect();
        for user_id in over {
            self.stop_typing(user_id, group_id);
        }
    }

    /// Whether this member is known to have read this far.
    pub(crate) fn has_read(&self, user_id: UserId, seq: Seq) -> bool {
        self.known.as_ref().is_some_and(|group_state| group_state.reads.get(&user_id).is_some_and(|read| *read >= seq))
    }

    /// Notes that a user has read up to this seq, and tells the followers.
    pub(crate) fn read(&mut self, group_id: GroupId, user_id: UserId, seq: Seq) {
        let Some(group_state) = &mut self.known else { return };
        let mark = group_state.reads.entry(user_id).or_insert(0);
        if *mark >= seq {
            return;
        }
        *mark = seq;
        let frame = Outgoing::server(&ServerFrame::Read(Read { group_id, user_id, seq }));
        self.others(|_| true, &frame);
    }

    /// Ends every stream because the group was deleted.
    pub(crate) fn delete(&mut self, group_id: GroupId) {
        self.online.clear();
        self.typing.clear();
        for follower in std::mem::take(&mut self.followers) {
            follower.peer.cut_off(group_id, LeftReason::GroupDeleted);
        }
    }
}
