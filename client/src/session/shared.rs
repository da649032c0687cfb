//! What all groups of a session share: the wire, the limits, and the way out.

use caravana_protocol::{ClientFrame, Limits, UserId};

use super::output::{Outputs, RequestId};
use super::reference::Reference;
use super::{Config, Output};
use crate::{HistoryPage, Instant, SocketId};

/// What a group needs of its session in order to act.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) user: UserId,
    pub(super) page_size: usize,
    pub(super) rows: usize,
    pub(super) limits: Limits,
    pub(super) out: Outputs,
    /// The socket over which the server has said `hello`.
    pub(super) wire: Option<SocketId>,
    /// Every group has had its time to catch up.
    pub(super) online: bool,
    /// Some group's replay has come forward; until then the others wait for their turn.
    pub(super) patient_until: Option<Instant>,
    /// The link is up or tries to be: it makes sense to ask for history again.
    pub(super) trying: bool,
    requests: u64,
}

impl Shared {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            user: config.user,
            page_size: config.page_size,
            rows: config.rows,
            limits: Limits::default(),
            out: Outputs::default(),
            wire: None,
            online: false,
            patient_until: None,
            trying: false,
            requests: 0,
        }
    }

    /// Says a frame if there is a wire. Returns whether there was.
    pub(super) fn say(&mut self, frame: &ClientFrame, reference: Option<Reference>) -> bool {
        let Some(socket) = self.wire else { return false };
        let reference = reference.map(|reference| reference.to_string());
        self.out.transmit(socket, frame, reference.as_deref());
        true
    }

    /// Asks for a page of history.
    pub(super) fn load(&mut self, group: caravana_protocol::GroupId, page: HistoryPage) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.out.push(Output::LoadHistory { request, group, page, limit: self.page_size });
        request
    }
}
