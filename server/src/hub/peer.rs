//! A connection as the hub sees it: whose it is and where its frames go.

use std::sync::{Mutex, PoisonError};

use caravana_protocol::{CloseReason, ConnectionId, GroupId, Left, LeftReason, ServerFrame, UserId};

use super::answers::Pace;
use super::mailbox::Mailbox;
use crate::frame::Outgoing;
use crate::store::Proof;

/// One open socket, from the hub's side.
pub struct Peer {
    /// Unique in this process; cheaper to compare than the id.
    pub(super) key: u64,
    /// The connection's id in `hello`.
    pub(super) id: ConnectionId,
    /// Whose it is.
    pub(super) user: UserId,
    /// With what it ends. A fresh token takes the place of the one before.
    pub(super) proof: Mutex<Proof>,
    /// The only group, on the endpoint of one group.
    pub(super) only: Option<GroupId>,
    /// What waits to be written.
    pub(super) mailbox: Mailbox,
    /// How fast what it says is carried out.
    pub(super) pace: Pace,
}

impl AsRef<Mailbox> for Peer {
    fn as_ref(&self) -> &Mailbox {
        &self.mailbox
    }
}

impl Peer {
    /// What waits to be written.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// With what it ends.
    pub(super) fn proof(&self) -> Proof {
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what a fresh token brings. A sign-in that the connection was opened by still ends it.
    pub(super) fn rest_on(&self, fresh: Proof) {
        let mut proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
        *proof = Proof { session: fresh.session.or(proof.session), ..fresh };
    }

    /// Tells that nothing more of this group comes here.
    pub(super) fn say_left(&self, group_id: GroupId, reason: LeftReason) {
        self.mailbox.push(&Outgoing::server(&ServerFrame::Left(Left { group_id, reason })));
    }

    /// Ends a group on this connection: a `left` frame, and on the endpoint of that one group the end of the socket.
    pub(super) fn cut_off(&self, group_id: GroupId, reason: LeftReason) {
        self.say_left(group_id, reason);
        if self.only == Some(group_id) {
            self.mailbox.close(CloseReason::NotAMember);
        }
    }
}
