//! A conversation of two that is closed: neither is told whether the other is online, types or has read, until it is open
//! again. Both keep their streams, because there is a history to read.

use std::collections::BTreeSet;

use caravana_protocol::{GroupId, Presence, Read, Seq, ServerFrame, UserId};
use caravana_store::GroupState;

use super::Group;
use super::streams::shown_reads;
use crate::frame::Outgoing;

impl Group {
    /// Whether it is known to be closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed == Some(true)
    }

    /// Whether a member is told of the soft state of a user.
    pub(super) fn shows(&self, viewer: UserId, user: UserId) -> bool {
        viewer == user || !self.is_closed()
    }

    /// Whose read marks are shown to no other member.
    pub(super) fn hidden<'s>(&self, group_state: &'s GroupState) -> &'s BTreeSet<UserId> {
        if self.is_closed() { &group_state.members } else { &group_state.hidden }
    }

    /// Notes that the conversation was closed, or is open again. What the others know is taken back, or told again. Who is
    /// online in an open one is told like in a group that is small again.
    pub(crate) fn set_closed(&mut self, group_id: GroupId, is_closed: bool) {
        if self.closed == Some(is_closed) {
            return;
        }
        if is_closed {
            for user in self.typing.keys().copied().collect::<Vec<_>>() {
                self.stop_typing(user, group_id);
            }
        }
        self.closed = Some(is_closed);
        let Some(group_state) = &self.known else { return };
        for follower in self.followers.iter().filter(|follower| follower.joined) {
            let own = follower.peer.user;
            let mut frames = Vec::new();
            if is_closed {
                let others = self.online.users().filter(|user| *user != own);
                frames
                    .extend(others.map(|user_id| ServerFrame::Presence(Presence { group_id, user_id, online: false })));
            }
            if follower.peer.sharing().share_reads {
                let marks = shown_reads(group_state, own, true);
                let read = |user_id: UserId| {
                    let seq: Seq = if is_closed { 0 } else { marks.get(&user_id).copied().unwrap_or(0) };
                    ServerFrame::Read(Read { group_id, user_id, seq, hidden: is_closed })
                };
                let others = group_state.members.iter().filter(|user| **user != own);
                frames.extend(others.filter(|user| !group_state.hidden.contains(*user)).copied().map(read));
            }
            // One entry of a mailbox, and not a soft one: a client that misses it has no way to find out.
            if !frames.is_empty() {
                follower.peer.mailbox.push(&Outgoing::several(&frames));
            }
        }
    }
}
