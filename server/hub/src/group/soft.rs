//! The soft state of a group: who is online, who is typing, who has read how far. Never stored here; dropped first when
//! a mailbox fills (G14).

use std::collections::BTreeMap;

use caravana_protocol::limits::TYPING_MEMBERS;
use caravana_protocol::{GroupId, LeftReason, Presence, Read, Seq, ServerFrame, Typing, UserId};
use tokio::time::Instant;

use super::super::peer::Peer;
use super::streams::shown_reads;
use super::{Group, Untold};
use crate::broker::InstanceId;
use crate::frame::Outgoing;

impl Group {
    /// Whether presence and typing are told. In large groups they would be most of the traffic, and of little use; in a
    /// closed conversation they are nobody's business.
    pub(super) fn is_lively(&self) -> bool {
        !self.is_closed()
            && self.known.as_ref().is_some_and(|group_state| group_state.members.len() <= TYPING_MEMBERS)
            && self.online.len() <= TYPING_MEMBERS
    }

    pub(crate) fn came(&mut self, group_id: GroupId, user_id: UserId, key: u64) {
        self.untold.users.insert(user_id);
        if self.online.came(user_id) && self.is_lively() {
            let frame = Outgoing::server(&ServerFrame::Presence(Presence { group_id, user_id, online: true }));
            self.others(|peer| peer.key != key, &frame);
        }
    }

    pub(super) fn went_offline(&mut self, group_id: GroupId, user_id: UserId) {
        self.stop_typing(user_id, group_id);
        self.tell_presence(Presence { group_id, user_id, online: false });
    }

    /// Notes how many connections these users have on another instance. If that instance was not known here, it has just
    /// come and is told who is online here.
    pub(crate) fn heard(
        &mut self,
        group_id: GroupId,
        from: InstanceId,
        users: &[(UserId, u32)],
        is_complete: bool,
        until: Instant,
    ) {
        let was_known = self.online.knows(from);
        let gone = if is_complete { self.online.others_of(from, users) } else { Vec::new() };
        let gone = gone.into_iter().map(|user| (user, 0));
        for (user_id, connections) in users.iter().copied().chain(gone) {
            if !self.online.heard(from, user_id, connections, until) {
                continue;
            }
            if self.online.has(user_id) {
                self.tell_presence(Presence { group_id, user_id, online: true });
            } else {
                self.went_offline(group_id, user_id);
            }
        }
        if !was_known && self.online.knows(from) {
            self.tell_presence_again();
        }
    }

    /// The other instances are told again who is online here.
    pub(crate) fn tell_presence_again(&mut self) {
        self.untold.users.extend(self.online.users_here());
        self.untold.is_all = true;
    }

    /// Call it after every change. If the group is told of presence again, the followers are told of every member,
    /// because they have missed who came and went.
    pub(crate) fn tell_everyone_if_lively_again(&mut self, group_id: GroupId) {
        let is_lively = self.is_lively();
        if is_lively && !std::mem::replace(&mut self.tells_presence, is_lively) {
            // One entry of a mailbox, and not a soft one: a client that misses it has no way to find out.
            let members = self.known.iter().flat_map(|group_state| &group_state.members);
            let presence = |user_id: UserId| {
                ServerFrame::Presence(Presence { group_id, user_id, online: self.online.has(user_id) })
            };
            let frames: Vec<ServerFrame> = members.copied().map(presence).collect();
            let frames = Outgoing::several(&frames);
            for follower in self.followers.iter().filter(|follower| follower.joined) {
                follower.peer.mailbox.push(&frames);
            }
        }
        self.tells_presence = is_lively;
    }

    /// The users whose number of connections here the other instances must be told, with that number, and whether these
    /// are all users with a connection here.
    pub(crate) fn take_untold(&mut self) -> (Vec<(UserId, u32)>, bool) {
        let Untold { users, is_all } = std::mem::take(&mut self.untold);
        (users.into_iter().map(|user| (user, self.online.here(user))).collect(), is_all)
    }

    fn tell_presence(&self, presence: Presence) {
        if self.is_lively() {
            let user_id = presence.user_id;
            self.others(|peer| peer.user != user_id, &Outgoing::server(&ServerFrame::Presence(presence)));
        }
    }

    fn others(&self, which: impl Fn(&Peer) -> bool, frame: &Outgoing) {
        for follower in self.followers.iter().filter(|follower| follower.joined && which(&follower.peer)) {
            follower.peer.mailbox.push_soft(frame);
        }
    }

    /// The users who are online as a member sees it, and how many connections each of them has, on all instances.
    pub(crate) fn online(&self, viewer: UserId) -> BTreeMap<UserId, u32> {
        let mut online = self.online.connections();
        online.retain(|user, _| self.shows(viewer, *user));
        online
    }

    /// Marks a user as typing until the given moment. Returns whether the user counts as typing now.
    pub(crate) fn start_typing(&mut self, user_id: UserId, group_id: GroupId, until: Instant) -> bool {
        let counts = self.is_lively() && self.online.has(user_id);
        if counts {
            self.typing.insert(user_id, until);
            let frame = Outgoing::server(&ServerFrame::UserTyping(Typing { user_id, group_id }));
            self.others(|peer| peer.user != user_id && peer.sharing().share_typing, &frame);
        }
        counts
    }

    /// Whether a user is shown as typing.
    pub(crate) fn is_typing(&self, user_id: UserId) -> bool {
        self.typing.contains_key(&user_id)
    }

    /// Ends a user's typing state. Returns whether there was one.
    pub(crate) fn stop_typing(&mut self, user_id: UserId, group_id: GroupId) -> bool {
        let was_typing = self.typing.remove(&user_id).is_some();
        if was_typing {
            let frame = Outgoing::server(&ServerFrame::UserStopTyping(Typing { user_id, group_id }));
            self.others(|peer| peer.user != user_id && peer.sharing().share_typing, &frame);
        }
        was_typing
    }

    /// Ends the typing states and the presence on other instances that were not repeated in time.
    pub(crate) fn expire(&mut self, group_id: GroupId, now: Instant) {
        let over: Vec<UserId> = self.typing.iter().filter(|(_, until)| **until <= now).map(|(user, _)| *user).collect();
        for user_id in over {
            self.stop_typing(user_id, group_id);
        }
        for user_id in self.online.expire(now) {
            self.went_offline(group_id, user_id);
        }
    }

    /// Whether this member is known to have read this far.
    pub(crate) fn has_read(&self, user_id: UserId, seq: Seq) -> bool {
        self.known.as_ref().is_some_and(|group_state| group_state.reads.get(&user_id).is_some_and(|read| *read >= seq))
    }

    /// Notes that a user has read up to this seq, and tells the followers: all who share too, or where it is not shared only
    /// the user.
    pub(crate) fn read(&mut self, group_id: GroupId, user_id: UserId, seq: Seq, is_shared: bool) {
        // A member who came since the group was read from the store.
        if !is_shared {
            self.share_reads(group_id, user_id, false);
        }
        let Some(group_state) = &mut self.known else { return };
        // The mark of a member who was removed in the meantime is gone.
        if !group_state.members.contains(&user_id) {
            return;
        }
        let mark = group_state.reads.entry(user_id).or_insert(0);
        if *mark >= seq {
            return;
        }
        *mark = seq;
        let is_hidden = group_state.hidden.contains(&user_id) || self.is_closed();
        let frame = Outgoing::server(&ServerFrame::Read(Read { group_id, user_id, seq, hidden: false }));
        self.others(|peer| peer.user == user_id || !is_hidden && peer.sharing().share_reads, &frame);
    }

    /// A member shares the read mark from now on, or no longer. The others are told, and the member's own connections are told
    /// of the others, because whoever does not share does not see.
    pub(crate) fn share_reads(&mut self, group_id: GroupId, user_id: UserId, on: bool) {
        let Some(group_state) = &mut self.known else { return };
        let is_new = group_state.members.contains(&user_id)
            && if on { group_state.hidden.remove(&user_id) } else { group_state.hidden.insert(user_id) };
        // In a closed conversation no mark is shown, whether it is shared or not.
        if !is_new || self.closed == Some(true) {
            return;
        }
        let read = |user_id: UserId, seq: Seq| {
            ServerFrame::Read(Read { group_id, user_id, seq: if on { seq } else { 0 }, hidden: !on })
        };
        let mark = group_state.reads.get(&user_id).copied().unwrap_or(0);
        let to_others = Outgoing::server(&read(user_id, mark));
        let marks = shown_reads(group_state, user_id, true).into_iter().filter(|(other, _)| *other != user_id);
        let to_own: Vec<ServerFrame> = marks.map(|(other, seq)| read(other, seq)).collect();
        let to_own = (!to_own.is_empty()).then(|| Outgoing::several(&to_own));
        // Not as soft frames: a client that misses them has no way to find out before its next `joined`.
        for follower in self.followers.iter().filter(|follower| follower.joined) {
            if follower.peer.user != user_id {
                if follower.peer.sharing().share_reads {
                    follower.peer.mailbox.push(&to_others);
                }
            } else if let Some(frames) = &to_own {
                follower.peer.mailbox.push(frames);
            }
        }
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
