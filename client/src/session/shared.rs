//! What all groups of a session share: the socket, the limits and the queue of outputs.

use caravana_protocol::{ClientFrame, Limits, UserId};

use super::config::Config;
use super::output::{Output, Outputs, RequestId};
use super::reference::Reference;
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
    /// The link is online: every group has caught up, or has had its time to do so.
    pub(super) online: bool,
    /// Before this moment no group's request times out. It moves on whenever a group's replay makes progress.
    pub(super) patient_until: Option<Instant>,
    /// The link is up, or will be tried again by itself: it makes sense to request history.
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

    /// Sends a frame if a socket is greeted. Returns whether one was.
    pub(super) fn say(&mut self, frame: &ClientFrame, reference: Option<Reference>) -> bool {
        let Some(socket) = self.wire else { return false };
        let reference = reference.map(|reference| reference.to_string());
        self.out.transmit(socket, frame, reference.as_deref());
        true
    }

    /// Requests a page of history.
    pub(super) fn load(&mut self, group: caravana_protocol::GroupId, page: HistoryPage) -> RequestId {
        self.requests += 1;
        let request = RequestId(self.requests);
        self.out.push(Output::LoadHistory { request, group, page, limit: self.page_size });
        request
    }
}
