//! A connection as the hub sees it: its user and its mailbox.

use std::sync::{Mutex, PoisonError};

use caravana_protocol::rest::Sharing;
use caravana_protocol::{CloseReason, ConnectionId, GroupId, Left, LeftReason, ServerFrame, UserId};
use caravana_store::{Proof, SecretHash};

use super::mailbox::Mailbox;
use super::pace::Pace;
use crate::frame::Outgoing;

/// The part of a connection that others reach: the hub's side of one open socket.
pub struct Peer {
    /// Unique in this process; cheaper to compare than the id.
    pub(super) key: u64,
    /// The connection's id in `hello`.
    pub(super) id: ConnectionId,
    /// The user of the connection.
    pub(super) user: UserId,
    /// The credential that the connection depends on. A new token replaces the previous one.
    pub(super) proof: Mutex<Proof>,
    /// Whether the connection was opened with that credential itself, and not with a ticket that was made with it.
    pub(super) is_direct: bool,
    /// The only group that the connection may follow, on the endpoint of one group.
    pub(super) only: Option<GroupId>,
    /// What the user shares, and so what this connection is told of others.
    pub(super) sharing: Mutex<Sharing>,
    /// The queue of frames that wait to be written.
    pub(super) mailbox: Mailbox,
    /// Limits how fast the client's frames are carried out.
    pub(super) pace: Pace,
}

impl AsRef<Mailbox> for Peer {
    fn as_ref(&self) -> &Mailbox {
        &self.mailbox
    }
}

impl Peer {
    /// The queue of frames that wait to be written.
    #[must_use]
    pub fn mailbox(&self) -> &Mailbox {
        &self.mailbox
    }

    /// The credential that the connection depends on.
    pub(super) fn proof(&self) -> Proof {
        *self.proof.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the credential by that of a new token. If a sign-in opened the connection, the end of that sign-in
    /// still closes it.
    pub(super) fn rest_on(&self, fresh: Proof) {
        let mut proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
        *proof = Proof { session: fresh.session.or(proof.session), ..fresh };
    }

    /// Whether this sign-in opened the connection by its cookie itself, and not by a ticket or token that it asked for.
    pub(super) fn is_of_cookie(&self, session: SecretHash) -> bool {
        let proof = self.proof();
        self.is_direct && proof.session == Some(session) && proof.expires_at.is_none()
    }

    /// The sign-in has a new secret. This does not apply to a token or ticket that the sign-in asked for before.
    pub(super) fn renew(&self, session: SecretHash, renewed: SecretHash) {
        let mut proof = self.proof.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_direct && proof.session == Some(session) && proof.expires_at.is_none() {
            proof.session = Some(renewed);
        }
    }

    /// What the user shares now.
    pub(super) fn sharing(&self) -> Sharing {
        *self.sharing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user shares something else from now on.
    pub(super) fn share(&self, sharing: Sharing) {
        *self.sharing.lock().unwrap_or_else(PoisonError::into_inner) = sharing;
    }

    /// Tells the client that this connection gets no more of this group.
    pub(super) fn say_left(&self, group_id: GroupId, reason: LeftReason) {
        self.mailbox.push(&Outgoing::server(&ServerFrame::Left(Left { group_id, reason })));
    }

    /// Ends a group on this connection: sends `left`, and on the endpoint of that one group closes the socket.
    pub(super) fn cut_off(&self, group_id: GroupId, reason: LeftReason) {
        self.say_left(group_id, reason);
        if self.only == Some(group_id) {
            self.mailbox.close(CloseReason::NotAMember);
        }
    }
}
